//! Edits of a Cargo.toml that keep what the author wrote.

use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::{Array, DocumentMut, InlineTable, Item, Table, Value};

use super::changes::{Changes, io};
use super::error::ScaffoldError;

/// A Cargo.toml, as it was and as it will be.
#[derive(Debug)]
pub(super) struct Manifest {
    path: PathBuf,
    before: String,
    document: DocumentMut,
}

impl Manifest {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, ScaffoldError> {
        let text = fs::read_to_string(path).map_err(io("read", path))?;
        Self::parse(path, text)
    }

    /// Reads a text that is, or will be, in a file.
    pub(super) fn parse(path: &Path, text: String) -> Result<Self, ScaffoldError> {
        let document = text
            .parse()
            .map_err(|error: toml_edit::TomlError| ScaffoldError::Edit {
                path: path.to_owned(),
                why: error.to_string(),
                help: "repair the file first",
            })?;
        Ok(Self {
            path: path.to_owned(),
            before: text,
            document,
        })
    }

    /// The text as it is now.
    pub(super) fn text(&self) -> String {
        self.document.to_string()
    }

    /// Adds the edit to what will be written.
    pub(super) fn save(&self, changes: &mut Changes) {
        changes.edit(&self.path, &self.before, self.text());
    }

    /// Whether the file has a `[workspace]`.
    pub(super) fn is_workspace(&self) -> bool {
        self.document.contains_key("workspace")
    }

    /// Whether the tables named one in the other are there.
    pub(super) fn has(&self, path: &[&str]) -> bool {
        let mut item = self.document.as_item();
        path.iter().all(|key| match item.get(key) {
            Some(next) => {
                item = next;
                true
            }
            None => false,
        })
    }

    /// Takes a key out of the file.
    pub(super) fn remove(&mut self, key: &str) {
        self.document.remove(key);
    }

    /// Sets a key of `[package]`.
    pub(super) fn set_in_package(&mut self, key: &str, value: Value) {
        self.document["package"][key] = Item::Value(value);
    }

    /// The names in a table of dependencies that are taken from the workspace.
    pub(super) fn inherited(&self) -> Vec<String> {
        let tables = ["dependencies", "dev-dependencies"];
        let tables = tables
            .iter()
            .filter_map(|key| self.document.get(key)?.as_table_like());
        let inherits = |item: &Item| item.get("workspace").and_then(Item::as_bool) == Some(true);
        tables
            .flat_map(toml_edit::TableLike::iter)
            .filter(|(_, item)| inherits(item))
            .map(|(name, _)| name.to_owned())
            .collect()
    }

    /// What a table of the package says about a dependency, unless that is the workspace's to say.
    pub(super) fn own_dependency(&self, name: &str) -> Option<Value> {
        ["dependencies", "dev-dependencies"]
            .iter()
            .filter_map(|table| value_of(self.document.get(table)?.get(name)?))
            .find(|value| {
                value
                    .as_inline_table()
                    .is_none_or(|it| !it.contains_key("workspace"))
            })
    }

    /// Adds a dependency that is taken from the workspace, unless the package has it.
    pub(super) fn inherit(&mut self, table: &str, name: &str) {
        let there = |table: &str| {
            self.document
                .get(table)
                .is_some_and(|it| it.get(name).is_some())
        };
        if there(table) || there("dependencies") {
            return;
        }
        let dependencies = self.document.entry(table).or_insert_with(|| {
            let mut table = Table::new();
            table.set_implicit(false);
            Item::Table(table)
        });
        if let Some(dependencies) = dependencies.as_table_like_mut() {
            let mut inherits = Table::new();
            inherits.set_dotted(true);
            inherits.insert("workspace", toml_edit::value(true));
            dependencies.insert(name, Item::Table(inherits));
        }
    }

    /// What the workspace says about a dependency.
    pub(super) fn row(&self, name: &str) -> Option<Value> {
        let rows = self.document.get("workspace")?.get("dependencies")?;
        value_of(rows.get(name)?)
    }

    /// Sets what the workspace says about a dependency. The remarks around it stay.
    pub(super) fn set_row(&mut self, name: &str, value: Value) -> Result<(), ScaffoldError> {
        let wrong = self.wrong("[workspace.dependencies] is no table");
        let Some(workspace) = self
            .document
            .get_mut("workspace")
            .and_then(Item::as_table_like_mut)
        else {
            return Err(self.wrong("[workspace] is no table"));
        };
        let rows = workspace
            .entry("dependencies")
            .or_insert_with(|| Item::Table(Table::new()));
        let Some(rows) = rows.as_table_like_mut() else {
            return Err(wrong);
        };
        match rows.get_mut(name) {
            // The key keeps what stands above it.
            Some(row) => *row = Item::Value(value),
            None => drop(rows.insert(name, Item::Value(value))),
        }
        Ok(())
    }

    /// Lists a directory among the members of the workspace, unless a pattern there has it.
    pub(super) fn add_member(&mut self, member: &str) -> Result<(), ScaffoldError> {
        let wrong = self.wrong("`members` in [workspace] is no list");
        let workspace = self
            .document
            .get_mut("workspace")
            .and_then(Item::as_table_like_mut);
        let Some(workspace) = workspace else {
            return Err(self.wrong("[workspace] is no table"));
        };
        let members = workspace
            .entry("members")
            .or_insert_with(|| toml_edit::value(Array::new()));
        let Some(members) = members.as_array_mut() else {
            return Err(wrong);
        };
        if !members.iter().any(|it| covers(it, member)) {
            insert(members, member);
        }
        // Where a plain `cargo test` is meant to reach every member, it reaches this one too.
        let defaults = workspace.get_mut("default-members");
        if let Some(defaults) = defaults.and_then(Item::as_array_mut)
            && !defaults.iter().any(|it| covers(it, member))
        {
            insert(defaults, member);
        }
        Ok(())
    }

    fn wrong(&self, why: &str) -> ScaffoldError {
        ScaffoldError::Edit {
            path: self.path.clone(),
            why: why.to_owned(),
            help: "write it as cargo's documentation of workspaces does",
        }
    }
}

/// A dependency that is a table of its own becomes one between braces.
fn value_of(item: &Item) -> Option<Value> {
    match item {
        Item::Value(value) => Some(value.clone()),
        Item::Table(table) => {
            let mut inline = InlineTable::new();
            for (key, item) in table {
                inline.insert(key, value_of(item)?);
            }
            Some(Value::InlineTable(inline))
        }
        _ => None,
    }
}

/// Whether an entry of `members` is the directory, or a pattern that has it.
fn covers(entry: &Value, member: &str) -> bool {
    let entry = entry.as_str().unwrap_or_default().trim_end_matches('/');
    let parent = member.rsplit_once('/').map(|(parent, _)| parent);
    entry == member || (parent.is_some() && entry.strip_suffix("/*") == parent)
}

/// Puts an entry behind the last of the same directory, else at the end, with its neighbours' layout.
fn insert(members: &mut Array, member: &str) {
    let parent = |text: &str| text.rsplit_once('/').map(|(parent, _)| parent.to_owned());
    let is_sibling = |it: &Value| parent(it.as_str().unwrap_or_default()) == parent(member);
    let siblings = (0..members.len()).rfind(|index| members.get(*index).is_some_and(is_sibling));
    let at = siblings.map_or(members.len(), |index| index + 1);
    let mut value = Value::from(member);
    let Some(previous) = at.checked_sub(1).and_then(|index| members.get_mut(index)) else {
        members.push_formatted(value);
        return;
    };
    let text = |raw: Option<&toml_edit::RawString>| {
        raw.and_then(toml_edit::RawString::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let indent = text(previous.decor().prefix());
    let indent = match indent.rfind('\n') {
        Some(line) => indent[line..].to_owned(),
        None => " ".to_owned(),
    };
    // What stands behind the previous entry, on its line, is a remark about that one.
    let suffix = text(previous.decor().suffix());
    previous.decor_mut().set_suffix("");
    let behind = match members.get(at) {
        Some(next) => text(next.decor().prefix()),
        None => suffix + &text(Some(members.trailing())),
    };
    let (remark, rest) = match behind.find('\n') {
        Some(line) => behind.split_at(line),
        None => ("", behind.as_str()),
    };
    value.decor_mut().set_prefix(format!("{remark}{indent}"));
    value.decor_mut().set_suffix("");
    match members.get_mut(at) {
        Some(next) => next.decor_mut().set_prefix(rest),
        None => members.set_trailing(rest),
    }
    members.insert_formatted(at, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(text: &str, edit: impl FnOnce(&mut Manifest), expected: &Expect) {
        let mut manifest =
            Manifest::parse(Path::new("Cargo.toml"), text.to_owned()).expect("a manifest");
        edit(&mut manifest);
        expected.assert_eq(&manifest.text());
    }

    fn member(manifest: &mut Manifest) {
        manifest.add_member("commands/b").expect("a list");
    }

    #[test]
    fn a_member_stands_by_its_siblings_and_remarks_stay_where_they_were() {
        let text = "# ours\n[workspace]\nmembers = [\n    \"commands/a\", # the first\n    # read models\n    \"projectors/x\",\n] # all\n";
        let expected = expect![[r#"
            # ours
            [workspace]
            members = [
                "commands/a", # the first
                "commands/b",
                # read models
                "projectors/x",
            ] # all
        "#]];
        check(text, member, &expected);
    }

    #[test]
    fn a_member_is_added_at_the_end() {
        let text = "[workspace]\nmembers = [\n  \"lib\", # shared\n]\n";
        let expected = expect![[r#"
            [workspace]
            members = [
              "lib", # shared
              "commands/b",
            ]
        "#]];
        check(text, member, &expected);
        let text = "[workspace]\nmembers = [\n  \"lib\" # shared\n]\n";
        let expected = expect![[r#"
            [workspace]
            members = [
              "lib", # shared
              "commands/b"
            ]
        "#]];
        check(text, member, &expected);
        let text = "[workspace]\nmembers = [\"lib\"]\ndefault-members = [\".\", \"lib\"]\n";
        let expected = expect![[r#"
            [workspace]
            members = ["lib", "commands/b"]
            default-members = [".", "lib", "commands/b"]
        "#]];
        check(text, member, &expected);
        let text = "[workspace]\nmembers = [\"lib\"]\n";
        let expected = expect![[r#"
            [workspace]
            members = ["lib", "commands/b"]
        "#]];
        check(text, member, &expected);
    }

    #[test]
    fn a_list_that_is_missing_or_empty_is_filled_and_a_pattern_is_enough() {
        let expected = expect![[r#"
            [workspace]
            members = ["commands/b"]
        "#]];
        check("[workspace]\n", member, &expected);
        check("[workspace]\nmembers = []\n", member, &expected);
        for entry in ["commands/*", "commands/b", "commands/b/"] {
            let text = format!("[workspace]\nmembers = [\"{entry}\"]\n");
            let mut manifest =
                Manifest::parse(Path::new("Cargo.toml"), text.clone()).expect("a manifest");
            member(&mut manifest);
            assert_eq!(manifest.text(), text);
        }
    }

    #[test]
    fn rows_and_dependencies_are_added_once() {
        let edit = |manifest: &mut Manifest| {
            manifest.set_row("serde", "1.0".into()).expect("a table");
            manifest.set_row("anyhow", "2".into()).expect("a table");
            manifest.inherit("dev-dependencies", "umari-testing");
            manifest.inherit("dependencies", "serde");
            manifest.inherit("dependencies", "umari");
        };
        let text = "[workspace]\n[workspace.dependencies]\n# errors\nanyhow = { path = \"a\" }\n\n[dependencies]\numari = \"0\"\n";
        let expected = expect![[r#"
            [workspace]
            [workspace.dependencies]
            # errors
            anyhow = "2"
            serde = "1.0"

            [dependencies]
            umari = "0"
            serde.workspace = true

            [dev-dependencies]
            umari-testing.workspace = true
        "#]];
        check(text, edit, &expected);
    }

    #[test]
    fn what_is_no_manifest_is_refused() {
        let parse = |text: &str| Manifest::parse(Path::new("Cargo.toml"), text.to_owned());
        assert!(parse("[workspace").is_err());
        let mut manifest = parse("workspace = 1\n").expect("TOML");
        assert!(manifest.add_member("a").is_err());
        assert!(manifest.set_row("a", "1".into()).is_err());
        let mut manifest = parse("[workspace]\nmembers = 1\ndependencies = 1\n").expect("TOML");
        assert!(manifest.add_member("a").is_err());
        assert!(manifest.set_row("a", "1".into()).is_err());
    }
}
