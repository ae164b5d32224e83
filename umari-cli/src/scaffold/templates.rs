//! The files that workspaces and modules are made of.
//!
//! They are real: those of `templates/minimal` and `templates/modules` build where they stand, but for
//! the names in them, and the warranty shop is the project's own example.

/// One file of a template.
#[derive(Debug, Clone, Copy)]
pub(super) struct File {
    /// Where it goes, from the root of what is made.
    pub(super) path: &'static str,
    /// Its text, with placeholders.
    pub(super) text: &'static str,
}

macro_rules! files {
    ($dir:literal: $($path:literal),* $(,)?) => {
        &[$(File { path: $path, text: include_str!(concat!($dir, "/", $path)) }),*]
    };
}

/// What every workspace has.
pub(super) const COMMON: &[File] = &[
    File {
        path: ".gitignore",
        text: include_str!("../../templates/shared/gitignore"),
    },
    File {
        path: ".github/workflows/ci.yml",
        text: include_str!("../../templates/shared/ci.yml"),
    },
    File {
        path: "rust-toolchain.toml",
        text: include_str!("../../templates/shared/rust-toolchain.toml"),
    },
];

/// `--template minimal`. The application is called `my-app`.
pub(super) const MINIMAL: &[File] = files!("../../templates/minimal":
    "Cargo.toml",
    "README.md",
    "commands/add-task/Cargo.toml",
    "commands/add-task/src/lib.rs",
    "commands/add-task/src/tests.rs",
    "projectors/task-list/Cargo.toml",
    "projectors/task-list/src/lib.rs",
    "projectors/task-list/src/tests.rs",
    "src/events.rs",
    "src/events/task.rs",
    "src/folds.rs",
    "src/lib.rs",
    "src/samples.rs",
);

/// What `--template warranty` has instead of the example's own files.
pub(super) const WARRANTY_ROOT: &[File] = files!("../../templates/warranty":
    "Cargo.toml",
    "README.md",
);

/// The rest of `--template warranty`: the example, where the application is called `warranty`.
pub(super) const WARRANTY: &[File] = files!("../../../examples/warranty":
    "commands/archive-warranty-plan/Cargo.toml",
    "commands/archive-warranty-plan/src/lib.rs",
    "commands/archive-warranty-plan/src/tests.rs",
    "commands/connect-shop/Cargo.toml",
    "commands/connect-shop/src/lib.rs",
    "commands/connect-shop/src/tests.rs",
    "commands/create-warranty-plan/Cargo.toml",
    "commands/create-warranty-plan/src/lib.rs",
    "commands/create-warranty-plan/src/tests.rs",
    "commands/sell-warranty/Cargo.toml",
    "commands/sell-warranty/src/lib.rs",
    "commands/sell-warranty/src/tests.rs",
    "effects/register-webhooks/Cargo.toml",
    "effects/register-webhooks/src/commands.rs",
    "effects/register-webhooks/src/events.rs",
    "effects/register-webhooks/src/folds.rs",
    "effects/register-webhooks/src/lib.rs",
    "effects/register-webhooks/src/tests.rs",
    "effects/register-webhooks/umari-events.lock",
    "projectors/plans/Cargo.toml",
    "projectors/plans/src/lib.rs",
    "projectors/plans/src/tests.rs",
    "src/events.rs",
    "src/events/plan.rs",
    "src/events/sale.rs",
    "src/events/shop.rs",
    "src/events/tests.rs",
    "src/folds.rs",
    "src/folds/tests.rs",
    "src/lib.rs",
    "src/samples.rs",
    "src/validation.rs",
    "tour.sh",
    "umari-events.lock",
    "webhook-sink/Cargo.toml",
    "webhook-sink/src/api.rs",
    "webhook-sink/src/api/tests.rs",
    "webhook-sink/src/main.rs",
    "webhook-sink/src/registrations.rs",
);

/// `umari new command`. Modules are called `my-module`.
pub(super) const COMMAND: &[File] =
    files!("../../templates/modules/command": "Cargo.toml", "src/lib.rs", "src/tests.rs");
/// `umari new projector`.
pub(super) const PROJECTOR: &[File] =
    files!("../../templates/modules/projector": "Cargo.toml", "src/lib.rs", "src/tests.rs");
/// `umari new effect`.
pub(super) const EFFECT: &[File] =
    files!("../../templates/modules/effect": "Cargo.toml", "src/lib.rs", "src/tests.rs");
/// `umari new event`. The event is called `MyEvent`, what it happened to `my_object`.
pub(super) const EVENT: &str = include_str!("../../templates/modules/event.rs");

/// The manifest that says which versions modules are known to build with.
pub(super) fn minimal_manifest() -> &'static str {
    MINIMAL[0].text
}

#[cfg(test)]
mod tests;
