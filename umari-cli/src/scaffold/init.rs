//! A new workspace.

use std::fs;
use std::path::{Path, PathBuf};

use super::changes::io;
use super::error::ScaffoldError;
use super::manifest::Manifest;
use super::name::Name;
use super::render::{fill, format};
use super::sdk::{self, Sdk};
use super::templates::{self, File};
use crate::args::{InitArgs, Template};

/// What was made.
#[derive(Debug)]
pub(super) struct Workspace {
    /// Its root.
    pub(super) path: PathBuf,
    /// Its files, from the root.
    pub(super) files: Vec<&'static str>,
    /// Where the SDK comes from.
    pub(super) sdk: Sdk,
}

/// Makes a workspace in the current directory.
pub(super) fn create(args: &InitArgs) -> Result<Workspace, ScaffoldError> {
    let name: Name = args.name.parse()?;
    let sdk = Sdk::from_option(args.sdk.as_deref())?;
    let here = Path::new(".");
    let here = here.canonicalize().map_err(io("find", here))?;
    let path = here.join(name.kebab());
    require_free(&path)?;
    require_distinct(&name, args.template)?;
    let files = render(&here, &name, args.template, &sdk)?;
    write(&path, &files)?;
    Ok(Workspace {
        path,
        files: files.iter().map(|(path, _)| *path).collect(),
        sdk,
    })
}

/// The files of a workspace with their texts. Rust code is laid out as in the directory `here`.
pub(super) fn render(
    here: &Path,
    name: &Name,
    template: Template,
    sdk: &Sdk,
) -> Result<Vec<(&'static str, String)>, ScaffoldError> {
    let snake = name.snake();
    let minimal = [("my-app", name.kebab()), ("my_app", snake.as_str())];
    // In the example the application's name is also an ordinary word, so its places are named.
    let import = format!("use {snake}::");
    let dependency = format!("\n{name}.workspace");
    let with_samples = format!("\n{name} = {{");
    let warranty = [
        ("use warranty::", import.as_str()),
        ("\nwarranty.workspace", dependency.as_str()),
        ("\nwarranty = {", with_samples.as_str()),
        ("\nlicense.workspace = true", ""),
        ("\nrepository.workspace = true", ""),
        ("umari dev examples/warranty", "umari dev"),
    ];
    let rendered = |files: &[File], values: &[(&str, &str)]| -> Vec<(&'static str, String)> {
        let render = |file: &File| {
            let text = fill(file.text, values);
            // What no name changed is laid out already.
            let code = file.path.ends_with(".rs") && text != file.text;
            (file.path, if code { format(here, text) } else { text })
        };
        files.iter().map(render).collect()
    };
    let mut files;
    match template {
        Template::Minimal => {
            files = rendered(templates::MINIMAL, &minimal);
            files.extend(rendered(templates::COMMON, &[]));
        }
        Template::Warranty => {
            files = rendered(templates::WARRANTY_ROOT, &minimal);
            files.extend(rendered(templates::WARRANTY, &warranty));
            // The program among the modules is native.
            let native = (
                "--workspace --release",
                "--workspace --exclude webhook-sink --release",
            );
            files.extend(rendered(templates::COMMON, &[native]));
        }
    }
    let (path, root) = &mut files[0];
    let mut manifest = Manifest::parse(Path::new(path), std::mem::take(root))?;
    for package in sdk::CRATES {
        manifest.set_row(package, sdk.row(package))?;
    }
    *root = manifest.text();
    Ok(files)
}

/// Only nothing, or an empty directory, becomes a workspace.
fn require_free(path: &Path) -> Result<(), ScaffoldError> {
    let taken = |what| {
        Err(ScaffoldError::Exists {
            path: path.to_owned(),
            what,
        })
    };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io("look at", path)(error)),
        Ok(found) if !found.is_dir() => taken("it is not a directory"),
        Ok(_) => match fs::read_dir(path).map_err(io("read", path))?.next() {
            Some(_) => taken("the directory is not empty"),
            None => Ok(()),
        },
    }
}

/// The shared library cannot be called like a module of the template, or like what both use.
fn require_distinct(name: &Name, template: Template) -> Result<(), ScaffoldError> {
    let files: Vec<&File> = match template {
        Template::Minimal => templates::MINIMAL.iter().collect(),
        Template::Warranty => templates::WARRANTY_ROOT
            .iter()
            .chain(templates::WARRANTY)
            .collect(),
    };
    let manifests = files.iter().filter(|it| it.path.ends_with("Cargo.toml"));
    for file in manifests {
        let module = Path::new(file.path).parent().and_then(Path::file_name);
        let names = Manifest::parse(Path::new(file.path), file.text.to_owned())?.inherited();
        let module = module.map(|it| it.to_string_lossy().into_owned());
        let own = ["warranty", "my-app"];
        let mut others = names
            .into_iter()
            .chain(module)
            .filter(|it| !own.contains(&it.as_str()));
        if let Some(other) = others.find(|it| it.replace('-', "_") == name.snake()) {
            return Err(ScaffoldError::Taken {
                name: name.to_string(),
                by: format!("the {} template has a crate `{other}`", template.name()),
            });
        }
    }
    Ok(())
}

/// Writes the workspace beside its place and moves it there when it is complete.
fn write(path: &Path, files: &[(&str, String)]) -> Result<(), ScaffoldError> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let staged = Staged(path.with_file_name(format!(".{name}.{}.new", std::process::id())));
    fs::create_dir(&staged.0).map_err(io("create", &staged.0))?;
    for (file, text) in files {
        let target = staged.0.join(file);
        if let Some(dir) = target.parent() {
            fs::create_dir_all(dir).map_err(io("create", dir))?;
        }
        fs::write(&target, text).map_err(io("write", &target))?;
        if text.starts_with("#!/") {
            make_executable(&target)?;
        }
    }
    if path.is_dir() {
        // Fails where somebody has put something there in the meantime.
        fs::remove_dir(path).map_err(io("replace", path))?;
    }
    fs::rename(&staged.0, path).map_err(io("create", path))
}

/// A directory that goes away unless it was moved.
struct Staged(PathBuf);

impl Drop for Staged {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
fn make_executable(path: &Path) -> Result<(), ScaffoldError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::Permissions::from_mode(0o755);
    fs::set_permissions(path, mode).map_err(io("write", path))
}

#[cfg(not(unix))]
fn make_executable(_path: &Path) -> Result<(), ScaffoldError> {
    Ok(())
}
