//! Watching the sources.
//!
//! A build writes thousands of files into `target`, and a recursive watch above it would see each
//! of them. So the top of every source directory is watched by itself, and of what stands there
//! only the directories that can hold sources are watched with everything below.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::Wake;
use crate::build::project::Project;
use crate::output;
use crate::output::fault::Fault;

/// Directories that hold no sources, wherever they stand.
const IGNORED_DIRS: &[&str] = &[
    "target",
    ".umari",
    "umari-data",
    ".git",
    ".jj",
    ".hg",
    "node_modules",
    ".idea",
    ".vscode",
];

/// A watch that lasts as long as this value.
pub(super) struct Watcher {
    notify: RecommendedWatcher,
    filter: Filter,
    watched: BTreeSet<PathBuf>,
}

impl Watcher {
    /// Watches the sources of a project and reports what changes to `wake`.
    pub(super) fn start(
        project: &Project,
        data_dir: &Path,
        wake: Sender<Wake>,
    ) -> Result<Self, Fault> {
        let filter = Filter::new(data_dir, &project.workspace_root);
        let relevant = filter.clone();
        let notify = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let paths = match event {
                Ok(event) if is_write(event.kind) => event
                    .paths
                    .into_iter()
                    .filter(|path| relevant.accepts(path))
                    .collect(),
                Ok(_) => Vec::new(),
                // Events were lost, so anything may have changed; cargo finds out what.
                Err(_) => vec![PathBuf::from(".")],
            };
            if !paths.is_empty() {
                // The session is gone only when it ends, and this watch with it.
                let _ = wake.send(Wake::Changed(paths));
            }
        });
        let notify = notify.map_err(|error| {
            Fault::new("the sources cannot be watched")
                .why(error.to_string())
                .help("run with --no-watch, or raise the system's limit (on Linux fs.inotify.max_user_instances)")
        })?;
        let mut watcher = Self {
            notify,
            filter,
            watched: BTreeSet::new(),
        };
        watcher.refresh(project);
        Ok(watcher)
    }

    /// Watches what was added since the last time.
    pub(super) fn refresh(&mut self, project: &Project) {
        self.add(&project.workspace_root, RecursiveMode::NonRecursive);
        for root in &project.sources {
            self.add(root, RecursiveMode::NonRecursive);
            let Ok(entries) = std::fs::read_dir(root) else {
                continue;
            };
            for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
                if path.is_dir() && self.filter.accepts(&path) {
                    self.add(&path, RecursiveMode::Recursive);
                }
            }
        }
    }

    fn add(&mut self, path: &Path, mode: RecursiveMode) {
        if self.watched.contains(path) {
            return;
        }
        match self.notify.watch(path, mode) {
            Ok(()) => drop(self.watched.insert(path.to_owned())),
            Err(error) => output::warning(&format!("{} is not watched: {error}", path.display())),
        }
    }
}

/// Which paths may be sources.
#[derive(Debug, Clone)]
struct Filter {
    data_dir: PathBuf,
    workspace_root: PathBuf,
}

impl Filter {
    fn new(data_dir: &Path, workspace_root: &Path) -> Self {
        // The directory may not be there yet; its absolute form is what events will name.
        let data_dir = data_dir
            .canonicalize()
            .or_else(|_| std::path::absolute(data_dir));
        Self {
            data_dir: data_dir.unwrap_or_default(),
            workspace_root: workspace_root.to_owned(),
        }
    }

    fn accepts(&self, path: &Path) -> bool {
        if !self.data_dir.as_os_str().is_empty() && path.starts_with(&self.data_dir) {
            return false;
        }
        // What stands above the workspace is the user's business, even a directory named target.
        let inside = path.strip_prefix(&self.workspace_root).unwrap_or(path);
        let ignored = |part: &std::ffi::OsStr| {
            part.to_str()
                .is_some_and(|part| IGNORED_DIRS.contains(&part))
        };
        if inside.components().any(|part| ignored(part.as_os_str())) {
            return false;
        }
        path.file_name()
            .and_then(|name| name.to_str())
            .is_none_or(|name| !is_scratch(name))
    }
}

/// Files that editors and cargo write beside the sources.
fn is_scratch(name: &str) -> bool {
    let endings = ["~", ".swp", ".swx", ".swo", ".tmp", ".bak", ".orig"];
    name == "Cargo.lock"
        || name == "4913"
        || name.starts_with(".#")
        || endings.iter().any(|end| name.ends_with(end))
}

/// Whether a kind of event can change what a build gives. Reading does not; `touch` closes a file
/// that it had opened for writing, and is heard.
fn is_write(kind: EventKind) -> bool {
    match kind {
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Any => true,
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Modify(kind) => !matches!(kind, ModifyKind::Metadata(_)),
        EventKind::Access(_) | EventKind::Other => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use notify::event::{CreateKind, DataChange, MetadataKind, RenameMode};
    use std::sync::mpsc;

    #[test]
    fn sources_are_told_from_what_builds_and_editors_write() {
        let filter = Filter::new(
            Path::new("/home/target/shop/data"),
            Path::new("/home/target/shop"),
        );
        for source in [
            "src/lib.rs",
            "commands/x/Cargo.toml",
            "queries/plan.sql",
            "commands/new",
        ] {
            assert!(
                filter.accepts(&Path::new("/home/target/shop").join(source)),
                "{source}"
            );
        }
        for other in [
            "target/release/x",
            "commands/x/target/y",
            ".umari/umari.sqlite",
            ".git/index",
            "data/umari.sqlite",
            "Cargo.lock",
            "src/.lib.rs.swp",
            "src/lib.rs~",
            "src/4913",
            "src/.#lib.rs",
        ] {
            assert!(
                !filter.accepts(&Path::new("/home/target/shop").join(other)),
                "{other}"
            );
        }
    }

    #[test]
    fn reading_is_no_change() {
        assert!(is_write(EventKind::Access(AccessKind::Close(
            AccessMode::Write
        ))));
        assert!(!is_write(EventKind::Access(AccessKind::Close(
            AccessMode::Read
        ))));
        assert!(is_write(EventKind::Create(CreateKind::File)));
        assert!(is_write(EventKind::Modify(ModifyKind::Data(
            DataChange::Any
        ))));
        assert!(is_write(EventKind::Modify(ModifyKind::Name(
            RenameMode::To
        ))));
        assert!(!is_write(EventKind::Modify(ModifyKind::Metadata(
            MetadataKind::AccessTime
        ))));
        assert!(!is_write(EventKind::Access(AccessKind::Read)));
    }

    #[test]
    fn a_write_reaches_the_session_and_one_in_target_does_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let root = dir.path().canonicalize().expect("a place");
        for path in ["src", "target"] {
            std::fs::create_dir(root.join(path)).expect("created");
        }
        let project = Project {
            dir: root.clone(),
            workspace_root: root.clone(),
            target_dir: PathBuf::new(),
            modules: Vec::new(),
            packages: Vec::new(),
            programs: Vec::new(),
            try_lines: Vec::new(),
            sources: vec![root.clone()],
        };
        let (wake, wakes) = mpsc::channel();
        let _watcher = Watcher::start(&project, &root.join(".umari"), wake).expect("a watch");
        std::fs::write(root.join("target/built"), "x").expect("written");
        std::fs::write(root.join("src/lib.rs"), "x").expect("written");
        let Ok(Wake::Changed(paths)) = wakes.recv() else {
            panic!("a change")
        };
        assert_eq!(paths, [root.join("src/lib.rs")]);
    }
}
