//! The binary as a user meets it.

#[path = "cli/api.rs"]
mod api;
#[path = "../../host-minimal/tests/host/fixtures.rs"]
#[allow(
    dead_code,
    reason = "shared with the host's tests, which use all of them"
)]
mod fixtures;
#[path = "cli/requests.rs"]
mod requests;
#[path = "cli/support.rs"]
mod support;
#[path = "cli/tree.rs"]
mod tree;

#[path = "cli/api_keys.rs"]
mod api_keys;
#[cfg(unix)]
#[path = "cli/backups.rs"]
mod backups;
#[path = "cli/builds.rs"]
mod builds;
#[path = "cli/components.rs"]
mod components;
#[path = "cli/deploys.rs"]
mod deploys;
#[cfg(unix)]
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/environment.rs"]
mod environment;
#[cfg(unix)]
#[path = "cli/faults.rs"]
mod faults;
#[cfg(unix)]
#[path = "cli/garbage.rs"]
mod garbage;
#[path = "cli/json.rs"]
mod json;
#[path = "cli/keys.rs"]
mod keys;
#[cfg(unix)]
#[path = "cli/kills.rs"]
mod kills;
#[path = "cli/operating.rs"]
mod operating;
#[path = "cli/reading.rs"]
mod reading;
#[path = "cli/replay.rs"]
mod replay;
#[path = "cli/scaffold.rs"]
mod scaffold;
#[path = "cli/servers.rs"]
mod servers;
#[path = "cli/shop.rs"]
mod shop;
#[cfg(unix)]
#[path = "cli/terminal.rs"]
mod terminal;
#[cfg(unix)]
#[path = "cli/transcripts.rs"]
mod transcripts;
#[path = "cli/usage.rs"]
mod usage;
