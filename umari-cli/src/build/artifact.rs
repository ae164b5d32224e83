//! A built module: its bytes, and what it is.

use std::path::PathBuf;
use std::time::Duration;

use host_minimal::modules::ModuleSettings;
use sha2::{Digest as _, Sha256};

use super::metadata;
use super::project::ModuleCrate;
use super::record::{self, Export};
use crate::kind::ModuleKind;
use crate::output::fault::Fault;

/// A component that is ready to be uploaded.
#[derive(Debug, Clone)]
pub(crate) struct Artifact {
    /// The crate that it was built from.
    pub(crate) module: ModuleCrate,
    /// The .wasm file.
    pub(crate) path: PathBuf,
    /// Its content.
    pub(crate) wasm: Vec<u8>,
    /// The digest of the content, in hex.
    pub(crate) sha256: String,
    /// What the module is.
    pub(crate) kind: ModuleKind,
    /// The names to deploy it under; one, except for a crate that exports several commands.
    pub(crate) names: Vec<String>,
    /// How it shall run.
    pub(crate) settings: ModuleSettings,
    /// Whether cargo found it up to date.
    pub(crate) fresh: bool,
    /// Time from the start of the build to its arrival.
    pub(crate) elapsed: Duration,
}

impl Artifact {
    /// Reads the file that cargo wrote for `module`.
    pub(crate) fn load(
        module: &ModuleCrate,
        path: PathBuf,
        fresh: bool,
        elapsed: Duration,
    ) -> Result<Self, Fault> {
        let wasm = std::fs::read(&path).map_err(|error| {
            Fault::new(format!(
                "the built module {} cannot be read",
                path.display()
            ))
            .why(error.to_string())
        })?;
        let exports = record::read(&wasm).map_err(|error| {
            let fault = Fault::new(format!("{} is not an Umari module", module.package)).why(error.to_string());
            let fault = match std::error::Error::source(&error) {
                Some(source) => fault.why(source.to_string()),
                None => fault,
            };
            fault.help(
                "export something: `#[export_command]` on a function, `export_projector!(Type);` or\n\
                 `export_effect!(Type);`",
            )
        })?;
        let kind = record::kind_of(&exports);
        let names = names(module, kind, &exports)?;
        let settings = module
            .metadata
            .settings_for(kind)
            .map_err(|why| metadata::unusable(&module.manifest.display().to_string(), &why))?;
        let sha256 = digest(&wasm);
        Ok(Self {
            module: module.clone(),
            path,
            wasm,
            sha256,
            kind,
            names,
            settings,
            fresh,
            elapsed,
        })
    }

    /// The size of the component in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.wasm.len() as u64
    }
}

/// The digest by which a server names content.
pub(crate) fn digest(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// The names that a module is deployed under.
///
/// A command crate may link other public commands to call them; those are not its own. So of
/// several commands the one that is named like the package counts, unless the manifest lists more.
fn names(module: &ModuleCrate, kind: ModuleKind, exports: &[Export]) -> Result<Vec<String>, Fault> {
    if kind != ModuleKind::Command {
        return Ok(vec![
            module
                .metadata
                .name
                .clone()
                .unwrap_or_else(|| module.package.clone()),
        ]);
    }
    let exported: Vec<&str> = exports
        .iter()
        .filter_map(|export| export.name.as_deref())
        .collect();
    let listed = &module.metadata.commands;
    if let Some(missing) = listed
        .iter()
        .find(|name| !exported.contains(&name.as_str()))
    {
        return Err(Fault::new(format!(
            "{} does not export the command `{missing}`",
            module.package
        ))
        .why(format!("it exports {}", exported.join(", ")))
        .help("correct `commands` under [package.metadata.umari] in its Cargo.toml"));
    }
    if !listed.is_empty() {
        return Ok(listed.clone());
    }
    match exported.as_slice() {
        [] => Ok(vec![module.package.clone()]),
        [name] => Ok(vec![(*name).to_owned()]),
        several if several.contains(&module.package.as_str()) => Ok(vec![module.package.clone()]),
        several => Err(Fault::new(format!("{} exports several commands", module.package))
            .why(format!("they are {}, and none is named like the package", several.join(", ")))
            .help("list those to deploy: `commands = [\"NAME\"]` under [package.metadata.umari] in its Cargo.toml")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::metadata::UmariMetadata;
    use crate::build::record::tests::{component, core};
    use cargo_metadata::semver::Version;

    fn module(package: &str, version: &str) -> ModuleCrate {
        ModuleCrate {
            package: package.to_owned(),
            id: format!("path+file:///shop/{package}#{version}"),
            version: Version::parse(version).expect("a version"),
            manifest: PathBuf::from(format!("/shop/{package}/Cargo.toml")),
            metadata: UmariMetadata::default(),
        }
    }

    fn load(module: &ModuleCrate, lines: &[&str]) -> Result<Artifact, Fault> {
        let file = tempfile::NamedTempFile::new().expect("a file");
        let lines = lines
            .iter()
            .map(|line| format!("{{{line},\"sdk\":\"0.1.0\",\"contract\":\"0.1.0\"}}\n"));
        std::fs::write(
            file.path(),
            component(&core(&[("umari.module", &lines.collect::<String>())])),
        )
        .expect("written");
        Artifact::load(module, file.path().to_owned(), false, Duration::ZERO)
    }

    const CONNECT: &str = r#""kind":"command","name":"connect-shop""#;
    const ARCHIVE: &str = r#""kind":"command","name":"archive-plan""#;
    const EFFECT: &str = r#""kind":"effect""#;

    #[test]
    fn a_command_is_named_by_its_record_and_others_by_their_package() {
        let artifact = load(&module("connect", "1.0.0"), &[CONNECT]).expect("a module");
        assert_eq!(
            (artifact.kind, artifact.names),
            (ModuleKind::Command, vec!["connect-shop".to_owned()])
        );
        let artifact = load(&module("notify", "1.0.0"), &[CONNECT, EFFECT]).expect("a module");
        assert_eq!(
            (artifact.kind, artifact.names),
            (ModuleKind::Effect, vec!["notify".to_owned()])
        );
        let mut renamed = module("shop-notify", "1.0.0");
        renamed.metadata.name = Some("notify".to_owned());
        assert_eq!(
            load(&renamed, &[EFFECT]).expect("a module").names,
            ["notify"]
        );
    }

    #[test]
    fn settings_for_another_kind_are_found_when_the_kind_is_known() {
        let mut notify = module("notify", "1.0.0");
        let table = serde_json::json!({ "umari": { "http": ["a.example"] } });
        notify.metadata = metadata::read(&table, "x").expect("metadata");
        let settings = load(&notify, &[EFFECT]).expect("an effect").settings;
        assert_eq!(settings.to_string(), "http=a.example");
        let fault = load(&notify, &[CONNECT]).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "the umari metadata in /shop/notify/Cargo.toml cannot be used"
        );
        assert!(fault.render().contains("`http` is not for a command"));
    }

    #[test]
    fn linked_commands_are_not_the_crates_own() {
        let artifact =
            load(&module("connect-shop", "1.0.0"), &[ARCHIVE, CONNECT]).expect("a module");
        assert_eq!(artifact.names, ["connect-shop"]);
    }

    #[test]
    fn several_commands_have_to_be_listed() {
        let mut crate_of_two = module("shop-commands", "1.0.0");
        let fault = load(&crate_of_two, &[CONNECT, ARCHIVE]).unwrap_err();
        assert_eq!(fault.to_string(), "shop-commands exports several commands");
        crate_of_two.metadata.commands = vec!["connect-shop".into(), "archive-plan".into()];
        assert_eq!(
            load(&crate_of_two, &[CONNECT, ARCHIVE])
                .expect("a module")
                .names,
            ["connect-shop", "archive-plan"]
        );
        let fault = load(&crate_of_two, &[CONNECT]).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "shop-commands does not export the command `archive-plan`"
        );
    }

    #[test]
    fn a_crate_that_exports_nothing_is_told_how() {
        let fault = load(&module("plans", "1.0.0"), &[]).unwrap_err();
        assert_eq!(fault.to_string(), "plans is not an Umari module");
        assert!(fault.render().contains("export_projector!"));
    }
}
