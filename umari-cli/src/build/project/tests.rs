//! Finding modules in a workspace that cargo itself reads.

use super::*;

struct Workspace(tempfile::TempDir);

impl Workspace {
    /// The layout of an Umari project: a shared library at the root and a crate per module.
    fn new() -> Self {
        let workspace = Self(tempfile::tempdir().expect("a directory"));
        workspace.package("sdk", "umari", "");
        workspace.package(
            "shop",
            "shop",
            "[dependencies]\numari = { path = \"../sdk\" }\n\
             [package.metadata.umari.dev]\ntry = [\"curl {url}\"]\n\
             run = [{ package = \"sink\", args = [\"--addr\", \"x\"] }]\n",
        );
        for (dir, name, extra) in [
            (
                "shop/commands/connect-shop",
                "connect-shop",
                "[package.metadata.umari.env]\nA = \"1\"\n",
            ),
            ("shop/projectors/plans", "plans", ""),
        ] {
            workspace.package(
                dir,
                name,
                &format!(
                    "[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n[dependencies]\n\
                     shop = {{ path = \"../..\" }}\numari = {{ path = \"../../../sdk\" }}\n{extra}"
                ),
            );
        }
        // A cdylib without the SDK, and one that uses it in tests only, are no modules.
        workspace.package(
            "shop/native",
            "native",
            "[lib]\ncrate-type = [\"cdylib\"]\n",
        );
        workspace.package(
            "shop/probe",
            "probe",
            "[lib]\ncrate-type = [\"cdylib\"]\n[dev-dependencies]\numari = { path = \"../../sdk\" }\n",
        );
        workspace.package("sink", "sink", "");
        workspace.write("sink/src/main.rs", "fn main() {}");
        workspace.write(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"sdk\", \"shop\", \"shop/commands/*\", \"shop/projectors/*\", \
             \"shop/native\", \"shop/probe\", \"sink\"]\n",
        );
        workspace
    }

    fn package(&self, dir: &str, name: &str, rest: &str) {
        let head =
            format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2024\"\n");
        self.write(&format!("{dir}/Cargo.toml"), &format!("{head}{rest}"));
        self.write(&format!("{dir}/src/lib.rs"), "");
    }

    fn write(&self, file: &str, text: &str) {
        let file = self.0.path().join(file);
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("created");
        std::fs::write(file, text).expect("written");
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().canonicalize().expect("a place").join(path)
    }
}

fn names(project: &Project) -> Vec<&str> {
    project
        .modules
        .iter()
        .map(|module| module.package.as_str())
        .collect()
}

#[test]
fn modules_are_the_cdylibs_that_depend_on_the_sdk() {
    let workspace = Workspace::new();
    let project = Project::find(&workspace.path("shop")).expect("a project");
    assert_eq!(names(&project), ["connect-shop", "plans"]);
    assert_eq!(project.modules[0].metadata.env["A"], "1");
    assert_eq!(project.modules[0].version.to_string(), "1.0.0");
    assert_eq!(project.try_lines, ["curl {url}"]);
    let [program] = project.programs.as_slice() else {
        panic!("one program: {:?}", project.programs)
    };
    assert_eq!((program.bin.as_str(), program.run.args.len()), ("sink", 2));
}

#[test]
fn a_path_narrows_the_selection_and_a_manifest_means_its_directory() {
    let workspace = Workspace::new();
    let project = Project::find(&workspace.path("shop/commands")).expect("a project");
    assert_eq!(names(&project), ["connect-shop"]);
    let project =
        Project::find(&workspace.path("shop/projectors/plans/Cargo.toml")).expect("a project");
    assert_eq!(names(&project), ["plans"]);
    let paths = [
        workspace.path("shop/commands"),
        workspace.path("shop/projectors/plans"),
    ];
    let projects = Project::find_all(&paths).expect("projects");
    assert_eq!(projects.len(), 1);
    assert_eq!(names(&projects[0]), ["connect-shop", "plans"]);
    assert_eq!(projects[0].dir, workspace.path(""));
}

#[test]
fn local_dependencies_elsewhere_are_sources_too() {
    let workspace = Workspace::new();
    let project = Project::find(&workspace.path("shop")).expect("a project");
    assert_eq!(
        project.sources,
        [workspace.path("shop"), workspace.path("sdk")]
    );
    // Seen from below, the shared library's sources count, not its whole directory.
    let project = Project::find(&workspace.path("shop/commands")).expect("a project");
    assert_eq!(
        project.sources,
        [
            workspace.path("shop/commands"),
            workspace.path("sdk"),
            workspace.path("shop/src")
        ]
    );
}

#[test]
fn a_path_without_modules_says_what_a_module_is() {
    let workspace = Workspace::new();
    let fault = Project::find(&workspace.path("sink")).unwrap_err();
    assert!(
        fault
            .to_string()
            .starts_with("there is no module crate under "),
        "{fault}"
    );
    assert!(fault.render().contains("cdylib"));
}

#[test]
fn a_path_that_is_missing_or_outside_of_any_workspace_is_explained() {
    let workspace = Workspace::new();
    let fault = Project::find(&workspace.path("nowhere")).unwrap_err();
    assert!(
        fault.to_string().contains("is not a directory with crates"),
        "{fault}"
    );
    let empty = tempfile::tempdir().expect("a directory");
    let fault = Project::find(empty.path()).unwrap_err();
    assert!(
        fault
            .to_string()
            .starts_with("cargo cannot read the workspace of "),
        "{fault}"
    );
}

#[test]
fn a_program_that_does_not_exist_is_explained() {
    let workspace = Workspace::new();
    let run = "[lib]\n[package.metadata.umari.dev]\nrun = [{ package = \"sinc\" }]\n";
    workspace.package("shop/native", "native", run);
    let fault = Project::find(&workspace.path("shop")).unwrap_err();
    assert!(
        fault
            .render()
            .contains("the workspace has no package of this name"),
        "{}",
        fault.render()
    );
}
