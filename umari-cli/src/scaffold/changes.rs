//! Files that are written together or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::ScaffoldError;
use super::place;

/// What a command will write, and the package that cargo has to find afterwards.
#[derive(Debug)]
pub(super) struct Changes {
    root: PathBuf,
    package: String,
    created: Vec<(PathBuf, String)>,
    edited: Vec<(PathBuf, String)>,
}

/// What was written.
#[derive(Debug)]
pub(super) struct Written {
    /// Files that are new.
    pub(super) created: Vec<PathBuf>,
    /// Files that were there and have changed.
    pub(super) changed: Vec<PathBuf>,
}

impl Changes {
    /// No changes yet, in the workspace under `root`.
    pub(super) fn new(root: &Path, package: &str) -> Self {
        Self {
            root: root.to_owned(),
            package: package.to_owned(),
            created: Vec::new(),
            edited: Vec::new(),
        }
    }

    /// A file that is not there yet.
    pub(super) fn create(&mut self, path: PathBuf, text: String) {
        self.created.push((path, text));
    }

    /// A file that is there. One that stays the same is left alone.
    pub(super) fn edit(&mut self, path: &Path, before: &str, after: String) {
        if before != after {
            self.edited.push((path.to_owned(), after));
        }
    }

    /// Writes everything. Where something fails, or cargo no longer reads the workspace, everything
    /// is put back.
    pub(super) fn apply(self) -> Result<Written, ScaffoldError> {
        let mut undo = Undo::default();
        for (path, text) in &self.created {
            undo.create(path, text)?;
        }
        for (path, text) in &self.edited {
            undo.replace(path, text)?;
        }
        place::require_package(&self.root, &self.package)?;
        undo.keep();
        let paths = |files: Vec<(PathBuf, String)>| files.into_iter().map(|(path, _)| path);
        Ok(Written {
            created: paths(self.created).collect(),
            changed: paths(self.edited).collect(),
        })
    }
}

/// How to get back to where it began. Dropped before the end, it does so.
#[derive(Default)]
struct Undo {
    directories: Vec<PathBuf>,
    files: Vec<PathBuf>,
    before: Vec<(PathBuf, Vec<u8>)>,
}

impl Undo {
    fn create(&mut self, path: &Path, text: &str) -> Result<(), ScaffoldError> {
        let missing: Vec<&Path> = path
            .ancestors()
            .skip(1)
            .take_while(|dir| !dir.exists())
            .collect();
        for dir in missing.into_iter().rev() {
            fs::create_dir(dir).map_err(io("create", dir))?;
            self.directories.push(dir.to_owned());
        }
        // Fails where a file has appeared in the meantime, rather than overwrite it.
        let mut file = fs::File::create_new(path).map_err(io("create", path))?;
        self.files.push(path.to_owned());
        std::io::Write::write_all(&mut file, text.as_bytes()).map_err(io("write", path))
    }

    fn replace(&mut self, path: &Path, text: &str) -> Result<(), ScaffoldError> {
        let before = fs::read(path).map_err(io("read", path))?;
        self.before.push((path.to_owned(), before));
        fs::write(path, text).map_err(io("write", path))
    }

    fn keep(mut self) {
        self.directories.clear();
        self.files.clear();
        self.before.clear();
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        // What cannot be put back is left for the user, who is told why writing failed.
        for (path, text) in &self.before {
            let _ = fs::write(path, text);
        }
        for path in &self.files {
            let _ = fs::remove_file(path);
        }
        for dir in self.directories.iter().rev() {
            let _ = fs::remove_dir(dir);
        }
    }
}

/// Makes an error of one of the file system's.
pub(super) fn io(verb: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ScaffoldError {
    let path = path.to_owned();
    move |source| ScaffoldError::Io { verb, path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_finished_is_undone() {
        let dir = tempfile::tempdir().expect("a directory");
        let manifest = dir.path().join("Cargo.toml");
        fs::write(&manifest, "[workspace]\nresolver = \"3\"\n").expect("written");
        // The package `ghost` does not come of it, so nothing may stay.
        let mut changes = Changes::new(dir.path(), "ghost");
        changes.create(dir.path().join("commands/ghost/src/lib.rs"), "text".into());
        changes.edit(&manifest, "", "[workspace]\nmembers = []\n".into());
        let error = changes.apply().expect_err("no package");
        assert!(error.to_string().contains("cannot be edited"), "{error}");
        let left = fs::read_to_string(&manifest).expect("read");
        assert_eq!(left, "[workspace]\nresolver = \"3\"\n");
        assert!(!dir.path().join("commands").exists());
    }

    #[test]
    fn a_file_that_appears_meanwhile_stays() {
        let dir = tempfile::tempdir().expect("a directory");
        let (first, second) = (dir.path().join("src/a.rs"), dir.path().join("b.rs"));
        fs::write(&second, "theirs").expect("written");
        let mut changes = Changes::new(dir.path(), "any");
        changes.create(first.clone(), "ours".into());
        changes.create(second.clone(), "ours".into());
        let error = changes.apply().expect_err("a file in the way");
        assert!(error.to_string().starts_with("cannot create "), "{error}");
        assert_eq!(fs::read_to_string(&second).expect("read"), "theirs");
        assert!(!first.exists() && !dir.path().join("src").exists());
    }
}
