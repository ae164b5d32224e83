//! Where a new module or event goes: the workspace, and the library that its modules share.

use std::path::{Path, PathBuf};

use cargo_metadata::{CrateType, DependencyKind, Metadata, Package};

use super::error::ScaffoldError;
use super::manifest::Manifest;
use super::name::Name;
use crate::build::project::{directory, workspace};
use crate::kind::ModuleKind;

/// The SDK and its harness, of whose own workspace a library is no shared one.
const SDK: [&str; 2] = ["umari", "umari-testing"];

/// A workspace with a shared library.
#[derive(Debug)]
pub(super) struct Place {
    /// The root of the workspace.
    pub(super) root: PathBuf,
    /// The shared library's name.
    pub(super) shared: String,
    /// Its directory.
    pub(super) shared_dir: PathBuf,
    /// Its `lib.rs`.
    pub(super) shared_source: PathBuf,
    /// The directory in which `commands`, `projectors` and `effects` are.
    modules: PathBuf,
    /// Names of packages of the workspace.
    packages: Vec<String>,
}

impl Place {
    /// The workspace around a directory, and the shared library that is nearest to it.
    pub(super) fn find(path: &Path, shared: Option<&str>) -> Result<Self, ScaffoldError> {
        let dir = directory(path).map_err(cargo)?;
        let mut above = dir.ancestors();
        let Some(nearest) = above.find(|dir| dir.join("Cargo.toml").is_file()) else {
            return Err(ScaffoldError::NoWorkspace { dir });
        };
        let metadata = workspace(nearest).map_err(cargo)?;
        let root = canonical(metadata.workspace_root.as_std_path());
        let manifest = root.join("Cargo.toml");
        if !Manifest::read(&manifest)?.is_workspace() {
            return Err(ScaffoldError::NotAWorkspace { manifest });
        }
        let library = choose(&metadata, &root, &dir, shared)?;
        let shared_dir = package_dir(library);
        let shared_source = library
            .targets
            .iter()
            .find(|target| is_library(target))
            .map_or_else(
                || shared_dir.join("src/lib.rs"),
                |target| canonical(target.src_path.as_std_path()),
            );
        let modules =
            modules_dir(&metadata, library).unwrap_or_else(|| match dir.starts_with(&shared_dir) {
                true => shared_dir.clone(),
                false => root.clone(),
            });
        let names = metadata.workspace_packages();
        Ok(Self {
            shared: library.name.to_string(),
            packages: names.iter().map(|it| it.name.to_string()).collect(),
            root,
            shared_dir,
            shared_source,
            modules,
        })
    }

    /// Where a module of this kind and name goes.
    pub(super) fn module_dir(&self, kind: ModuleKind, name: &Name) -> PathBuf {
        self.modules.join(kind.plural()).join(name.kebab())
    }

    /// The package of the workspace that has this name, or one that Rust cannot tell from it.
    pub(super) fn package_named(&self, name: &Name) -> Option<&str> {
        let same = |package: &&String| package.replace('-', "_") == name.snake();
        self.packages.iter().find(same).map(String::as_str)
    }
}

/// Checks that cargo reads the workspace and finds the package in it.
pub(super) fn require_package(root: &Path, package: &str) -> Result<(), ScaffoldError> {
    let metadata = workspace(root).map_err(cargo)?;
    let members = metadata.workspace_packages();
    if members.iter().any(|it| it.name.as_str() == package) {
        return Ok(());
    }
    Err(ScaffoldError::Edit {
        path: root.join("Cargo.toml"),
        why: format!("cargo does not find the package `{package}` in the workspace"),
        help: "see whether `exclude` in [workspace] names its directory",
    })
}

fn cargo(fault: crate::output::fault::Fault) -> ScaffoldError {
    ScaffoldError::Cargo(Box::new(fault))
}

/// The library that `shared` names; else the one that `dir` is in, else the only one.
fn choose<'a>(
    metadata: &'a Metadata,
    root: &Path,
    dir: &Path,
    shared: Option<&str>,
) -> Result<&'a Package, ScaffoldError> {
    let members = metadata.workspace_packages();
    let libraries: Vec<&Package> = members.into_iter().filter(|it| is_shared(it)).collect();
    let names = || libraries.iter().map(|it| it.name.to_string()).collect();
    if libraries.is_empty() {
        return Err(ScaffoldError::NoShared {
            root: root.to_owned(),
        });
    }
    if let Some(name) = shared {
        let named = libraries.iter().find(|it| it.name.as_str() == name);
        return named.copied().ok_or_else(|| ScaffoldError::NotShared {
            name: name.to_owned(),
            names: names(),
        });
    }
    let around = libraries
        .iter()
        .filter(|it| dir.starts_with(package_dir(it)));
    let nearest = around.max_by_key(|it| package_dir(it).components().count());
    match (nearest, libraries.as_slice()) {
        (Some(library), _) => Ok(library),
        (None, [library]) => Ok(library),
        _ => Err(ScaffoldError::SeveralShared {
            root: root.to_owned(),
            names: names(),
        }),
    }
}

/// A library that depends on the SDK and is no module.
fn is_shared(package: &Package) -> bool {
    let library = package.targets.iter().any(is_library);
    let module = package
        .targets
        .iter()
        .any(|target| target.crate_types.contains(&CrateType::CDyLib));
    library && !module && depends_on(package, SDK[0]) && !SDK.contains(&package.name.as_str())
}

fn is_library(target: &cargo_metadata::Target) -> bool {
    target.crate_types.contains(&CrateType::Lib) || target.crate_types.contains(&CrateType::RLib)
}

fn depends_on(package: &Package, name: &str) -> bool {
    let mut normal = package
        .dependencies
        .iter()
        .filter(|it| it.kind == DependencyKind::Normal);
    normal.any(|it| it.name == name)
}

/// Where the library's modules are kept, by one that is there: it is in `HERE/commands/NAME`.
fn modules_dir(metadata: &Metadata, library: &Package) -> Option<PathBuf> {
    let members = metadata.workspace_packages();
    let mut modules = members
        .into_iter()
        .filter(|it| it.name != library.name && depends_on(it, library.name.as_str()));
    modules.find_map(|module| {
        let dir = package_dir(module);
        let kind = dir.parent()?;
        let plural = kind.file_name()?.to_str()?;
        let known = ModuleKind::ALL.iter().any(|it| it.plural() == plural);
        known.then(|| kind.parent().map(Path::to_owned))?
    })
}

fn package_dir(package: &Package) -> PathBuf {
    let manifest = package.manifest_path.as_std_path();
    canonical(manifest.parent().unwrap_or(manifest))
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}
