//! What a module is built from: pinned, and none of it newer than what we promise.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use expect_test::{Expect, expect};
use serde_json::Value;

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(arguments)
        .args(["--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs this test, so it can be run");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo {arguments:?}: {errors}");
    String::from_utf8(output.stdout).expect("cargo writes text")
}

/// Names and versions of everything that `crate_name` builds into a module.
fn tree(crate_name: &str, features: &[&str]) -> BTreeSet<(String, String)> {
    let arguments = ["tree", "-p", crate_name, "-e", "normal", "--prefix", "none"];
    let target = ["--target", "wasm32-wasip2", "--format", "{p}"];
    let text = cargo(&[&arguments[..], &target[..], features].concat());
    text.lines()
        .filter_map(|line| {
            let mut words = line.split(' ');
            let name = words.next()?.to_owned();
            Some((name, words.next()?.trim_start_matches('v').to_owned()))
        })
        .collect()
}

/// The names alone, in lines.
fn names(features: &[&str]) -> String {
    let names: BTreeSet<_> = tree("umari", features)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let mut lines = String::new();
    let mut width = 0;
    for name in names {
        let end = if width + name.len() > 90 { '\n' } else { ' ' };
        width = if end == '\n' {
            name.len()
        } else {
            width + 1 + name.len()
        };
        if !lines.is_empty() {
            lines.push(end);
        }
        lines.push_str(&name);
    }
    lines.push('\n');
    lines
}

fn check(features: &[&str], expected: &Expect) {
    expected.assert_eq(&names(features));
}

/// A crate that comes or goes is a decision: what it weighs, every module carries and every build
/// compiles.
#[test]
fn the_tree_of_a_module_is_known() {
    check(
        &["--no-default-features"],
        &expect![[r#"
            anyhow bitflags cfg-if chrono equivalent foldhash getrandom hashbrown heck id-arena
            indexmap itoa leb128fmt log memchr num-traits prettyplease proc-macro2 quote semver serde
            serde_core serde_derive serde_json syn thiserror thiserror-impl umari umari-macros
            unicode-ident uuid wasm-encoder wasm-metadata wasmparser wit-bindgen wit-bindgen-core
            wit-bindgen-rust wit-bindgen-rust-macro wit-component wit-parser zmij
        "#]],
    );
    check(
        &[],
        &expect![[r#"
            anyhow bitflags cfg-if chrono darling darling_core darling_macro displaydoc equivalent
            foldhash form_urlencoded getrandom hashbrown heck icu_collections icu_locale_core
            icu_normalizer icu_normalizer_data icu_properties icu_properties_data icu_provider id-arena
            ident_case idna idna_adapter indexmap itoa leb128fmt litemap log memchr num-traits
            once_cell percent-encoding potential_utf prettyplease proc-macro-error-attr3
            proc-macro-error3 proc-macro2 quote regex regex-automata regex-syntax semver serde
            serde_core serde_derive serde_json smallvec stable_deref_trait strsim syn synstructure
            thiserror thiserror-impl tinystr umari umari-macros unicode-ident url utf8_iter utf_types
            uuid validator validator_derive wasip2 wasm-encoder wasm-metadata wasmparser wit-bindgen
            wit-bindgen-core wit-bindgen-rust wit-bindgen-rust-macro wit-component wit-parser writeable
            yoke yoke-derive zerofrom zerofrom-derive zerotrie zerovec zerovec-derive zmij
        "#]],
    );
    check(
        &["--all-features"],
        &expect![[r#"
            anyhow arrayvec bitflags cfg-if chrono darling darling_core darling_macro displaydoc
            dyn-clone equivalent foldhash form_urlencoded getrandom hashbrown heck icu_collections
            icu_locale_core icu_normalizer icu_normalizer_data icu_properties icu_properties_data
            icu_provider id-arena ident_case idna idna_adapter indexmap itoa leb128fmt litemap log
            memchr num-traits once_cell percent-encoding potential_utf prettyplease
            proc-macro-error-attr3 proc-macro-error3 proc-macro2 quote ref-cast ref-cast-impl regex
            regex-automata regex-syntax rust_decimal schemars schemars_derive semver serde serde_core
            serde_derive serde_derive_internals serde_json smallvec stable_deref_trait strsim syn
            synstructure thiserror thiserror-impl tinystr umari umari-macros unicode-ident url
            utf8_iter utf_types uuid validator validator_derive wasip2 wasm-encoder wasm-metadata
            wasmparser wit-bindgen wit-bindgen-core wit-bindgen-rust wit-bindgen-rust-macro
            wit-component wit-parser writeable yoke yoke-derive zerofrom zerofrom-derive zerotrie
            zerovec zerovec-derive zmij
        "#]],
    );
}

/// `1.88` and `1.88.0` as numbers.
fn version(text: &str) -> Vec<u32> {
    let mut numbers: Vec<u32> = text
        .split('.')
        .map(|number| number.parse().expect("a number"))
        .collect();
    numbers.resize(3, 0);
    numbers
}

#[test]
fn no_dependency_asks_for_a_newer_compiler_than_we_promise() {
    let metadata: Value =
        serde_json::from_str(&cargo(&["metadata", "--format-version", "1"])).expect("JSON");
    let text = |package: &Value, key: &str| package[key].as_str().map(str::to_owned);
    let packages = metadata["packages"].as_array().expect("packages");
    let asks: BTreeMap<_, _> = packages
        .iter()
        .filter_map(|package| {
            let named = (text(package, "name")?, text(package, "version")?);
            Some((named, text(package, "rust_version")?))
        })
        .collect();
    for crate_name in ["umari", "umari-macros", "umari-testing"] {
        let tree = tree(crate_name, &["--all-features"]);
        assert!(tree.len() > 3, "{tree:?}");
        let own = tree
            .iter()
            .find(|(name, _)| name == crate_name)
            .expect("itself");
        let promised = version(asks.get(own).expect("a promise"));
        for package in &tree {
            let asked = asks.get(package).map_or(vec![0; 3], |asked| version(asked));
            assert!(
                asked <= promised,
                "{crate_name} promises Rust {promised:?}, but {package:?} asks for {asked:?}"
            );
        }
    }
}
