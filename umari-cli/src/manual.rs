//! `umari completions` and `umari man`: what a shell and a reader know about this command.

use std::path::Path;

use crate::args::{ManArgs, command_line};
use crate::output::fault::Fault;
use crate::output::{self, GOOD};

/// Prints a completion script.
pub(crate) fn completions(shell: clap_complete::Shell) -> Result<(), Fault> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command_line(), "umari", &mut script);
    output::raw(&script)
}

/// Prints the manual page, or writes that of every command into a directory.
pub(crate) fn man(args: &ManArgs) -> Result<(), Fault> {
    let Some(dir) = &args.dir else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(command_line()).render(&mut page);
        rendered.map_err(|error| Fault::new("no manual page").why(error.to_string()))?;
        return output::raw(&page);
    };
    let written = std::fs::create_dir_all(dir)
        .and_then(|()| clap_mangen::generate_to(command_line(), dir))
        .and_then(|()| count(dir));
    let count = written.map_err(|error| {
        Fault::new(format!("no manual pages in {}", dir.display())).why(error.to_string())
    })?;
    let what = format!("{count} manual pages in {}", dir.display());
    output::status(GOOD, "Wrote", &what);
    Ok(())
}

/// How many pages of ours a directory has.
fn count(dir: &Path) -> std::io::Result<usize> {
    let mut count = 0;
    for entry in dir.read_dir()? {
        let name = entry?.file_name();
        let name = name.to_string_lossy();
        count += usize::from(name.starts_with("umari") && name.ends_with(".1"));
    }
    Ok(count)
}
