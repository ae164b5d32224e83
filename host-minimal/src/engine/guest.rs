//! What one running instance owns: its store, its capabilities and its deadline.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::Engine;
use super::memory::MemoryLimiter;
use crate::capabilities::clock::{CallClock, Present};
use crate::capabilities::crypto::CryptoContext;
use crate::capabilities::http::HttpContext;
use crate::capabilities::output::Output;
use crate::capabilities::sqlite::SqliteContext;
use crate::capabilities::transaction::TransactionContext;
use crate::limits;
use crate::modules::settings::Allowance;

/// The data behind a Wasmtime store: one context per capability.
///
/// A context that the instance's world does not import is absent; no linker leads to it.
pub(crate) struct GuestState {
    pub(crate) table: ResourceTable,
    wasi: WasiCtx,
    memory: MemoryLimiter,
    pub(crate) clock: CallClock,
    pub(crate) output: Output,
    pub(crate) transaction: Option<TransactionContext>,
    pub(crate) sqlite: Option<SqliteContext>,
    pub(crate) crypto: Option<CryptoContext>,
    pub(crate) http: Option<HttpContext>,
}

/// What an instance is started with.
pub(crate) struct Guest<'a> {
    pub(crate) env: &'a BTreeMap<String, String>,
    pub(crate) present: Present,
    pub(crate) output: Output,
    pub(crate) allowance: Allowance,
    pub(crate) transaction: Option<TransactionContext>,
    pub(crate) sqlite: Option<SqliteContext>,
    pub(crate) crypto: Option<CryptoContext>,
    pub(crate) http: Option<HttpContext>,
}

impl Guest<'_> {
    /// A store for one instance, with every limit set and no time to run yet: each call starts
    /// with [`start_call`].
    pub(crate) fn into_store(self, engine: &Engine) -> Store<GuestState> {
        let clock = CallClock::new(self.present);
        let Allowance {
            memory_bytes,
            table_elements,
            handles,
            hostcall_bytes,
            ..
        } = self.allowance;
        let mut wasi = WasiCtxBuilder::new();
        for (name, value) in self.env {
            wasi.env(name, value);
        }
        wasi.stdout(self.output.clone())
            .stderr(self.output.clone())
            .wall_clock(clock.wall())
            .max_random_size(limits::RANDOM_BYTES)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false);
        let mut table = ResourceTable::new();
        table.set_max_capacity(handles);
        let mut store = Store::new(
            engine.wasmtime(),
            GuestState {
                table,
                wasi: wasi.build(),
                memory: MemoryLimiter::new(memory_bytes, table_elements),
                clock,
                output: self.output,
                transaction: self.transaction,
                sqlite: self.sqlite,
                crypto: self.crypto,
                http: self.http,
            },
        );
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(hostcall_bytes);
        // Of resources that the component itself defines, which the host's table does not see.
        store.set_max_component_handles(handles);
        store.set_epoch_deadline(1);
        store
    }
}

/// Freezes the wall clock and gives the next call into the guest until `deadline`.
pub(crate) fn start_call(store: &mut Store<GuestState>, deadline: Instant) {
    let remaining = deadline.saturating_duration_since(Instant::now());
    store.set_epoch_deadline(ticks(remaining));
    let state = store.data_mut();
    state.clock.start_call(deadline);
    if let Some(sqlite) = &mut state.sqlite {
        sqlite.start_call(deadline);
    }
    if let Some(http) = &mut state.http {
        http.set_deadline(deadline);
    }
    if let Some(transaction) = &mut state.transaction {
        transaction.set_deadline(deadline);
    }
}

/// Epochs until `remaining` has passed, rounded up, and never none: a deadline of no ticks would
/// be one that has passed already.
fn ticks(remaining: Duration) -> u64 {
    let ticks = remaining.as_nanos().div_ceil(limits::EPOCH_TICK.as_nanos());
    u64::try_from(ticks)
        .unwrap_or(u64::MAX >> 1)
        .clamp(1, u64::MAX >> 1)
}

impl GuestState {
    pub(crate) fn memory(&self) -> &MemoryLimiter {
        &self.memory
    }
}

impl WasiView for GuestState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_round_up_and_are_never_none() {
        assert_eq!(ticks(Duration::ZERO), 1);
        assert_eq!(ticks(limits::EPOCH_TICK), 1);
        assert_eq!(ticks(limits::EPOCH_TICK + Duration::from_nanos(1)), 2);
        assert!(ticks(Duration::MAX) > 1 << 32);
    }
}
