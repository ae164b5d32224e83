//! The examples and notes under each command's options.

mod log;
mod modules;
mod operating;
mod work;

pub(super) use log::*;
pub(super) use modules::*;
pub(super) use operating::*;
pub(super) use work::*;

pub(super) const TOP: &str = "\
Examples:
  umari init corner-shop             begin a workspace in ./corner-shop
  umari new command add-product      add a module to the workspace around this directory
  umari dev                          build, run and watch the modules under this directory
  umari build commands/              build some of them
  umari test                         run their tests, natively and on the components
  umari deploy --url https://host    build, upload and activate them on a server
  umari execute connect-shop --input '{\"shop_id\": 1}'

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 deployed and rolled back, 74 the event store failed.
Results go to stdout, progress to stderr; NO_COLOR turns colours off, and every command that reads
has --json. A reader of stdout that goes away, such as `head`, ends a command without an error.";

/// With which codes a command ends, by its name below `umari`.
pub(super) fn exit_codes(command: &str) -> &'static str {
    match command {
        "deploy" => {
            "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 rolled back because a module did not come up."
        }
        "serve" | "dev" => {
            "Exit codes: 0 stopped, 1 failed, 2 wrong usage, 74 the event store failed."
        }
        "test" => {
            "Exit codes: 0 all tests passed, 1 one failed or a module does not build, 2 wrong usage."
        }
        "execute" => "Exit codes: 0 committed, 1 refused or failed, 2 wrong usage.",
        "doctor" => "Exit codes: 0 healthy, 1 a fault was found, 2 wrong usage.",
        _ => "Exit codes: 0 done, 1 failed, 2 wrong usage.",
    }
}
