//! The host with real components, a real event store, and real HTTP on loopback.

#[path = "host/server.rs"]
mod server;
#[path = "host/support.rs"]
mod support;
#[path = "host/target.rs"]
mod target;

#[path = "host/api.rs"]
mod api;
#[path = "host/as_of.rs"]
mod as_of;
#[path = "host/backup.rs"]
mod backup;
#[path = "host/clock.rs"]
mod clock;
#[path = "host/commands.rs"]
mod commands;
#[path = "host/effects.rs"]
mod effects;
#[path = "host/faults.rs"]
mod faults;
#[path = "host/hostile.rs"]
mod hostile;
#[path = "host/keys.rs"]
mod keys;
#[path = "host/limits.rs"]
mod limits;
#[path = "host/modules.rs"]
mod modules;
#[path = "host/parking.rs"]
mod parking;
#[path = "host/pausing.rs"]
mod pausing;
#[path = "host/poison.rs"]
mod poison;
#[path = "host/projectors.rs"]
mod projectors;
#[path = "host/readers.rs"]
mod readers;
#[path = "host/reading.rs"]
mod reading;
#[path = "host/replay.rs"]
mod replay;
#[path = "host/settings.rs"]
mod settings;
#[path = "host/snapshots.rs"]
mod snapshots;
#[path = "host/starting.rs"]
mod starting;
#[path = "host/status.rs"]
mod status;
#[path = "host/streams.rs"]
mod streams;
#[path = "host/swaps.rs"]
mod swaps;

#[cfg(feature = "otlp")]
#[path = "host/collector.rs"]
mod collector;
#[cfg(feature = "otlp")]
#[path = "host/otlp.rs"]
mod otlp;
