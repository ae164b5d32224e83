//! The Wasmtime engine: configuration, linking, limits, and how a component is started.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Enabled, InstanceAllocationStrategy, PoolingAllocationConfig};

pub(crate) mod backtrace;
pub mod cache;
pub mod guest;
pub mod inspect;
pub mod memory;
pub mod trap;

use self::guest::GuestState;
use crate::limits;

/// A configured Wasmtime engine with a linker for each kind of module.
///
/// Cloning is cheap; all clones share one engine and one epoch clock.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    engine: wasmtime::Engine,
    command: Linker<GuestState>,
    projector: Linker<GuestState>,
    effect: Linker<GuestState>,
    clock: EpochClock,
    compilers: rayon::ThreadPool,
}

/// Why the engine could not be built.
#[derive(Debug, thiserror::Error)]
#[error("the webassembly engine cannot start on this machine")]
pub struct EngineError(#[source] pub(crate) wasmtime::Error);

/// How many of the machine's cores compile components, all of them together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compiling {
    /// Every one: nothing else is to be done.
    OnAllCores,
    /// Half of them, and never less than one: the others are for what runs meanwhile.
    OnHalfTheCores,
}

impl Compiling {
    fn threads(self, cores: usize) -> usize {
        match self {
            Self::OnAllCores => cores,
            Self::OnHalfTheCores => (cores / 2).max(1),
        }
    }
}

impl Engine {
    /// Builds the engine, with pooled instances where the address space allows it.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when Wasmtime does not support the machine.
    pub fn new() -> Result<Self, EngineError> {
        Self::compiling(Compiling::OnAllCores)
    }

    /// The same, for a host that has other things to do while it compiles.
    pub(crate) fn compiling(on: Compiling) -> Result<Self, EngineError> {
        let engine = match wasmtime::Engine::new(&config(Allocation::Pooled)) {
            Ok(engine) => engine,
            Err(error) => {
                tracing::warn!(
                    "cannot reserve address space for pooled instances, so each call allocates its own: {error}"
                );
                wasmtime::Engine::new(&config(Allocation::OnDemand)).map_err(EngineError)?
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let compilers = rayon::ThreadPoolBuilder::new()
            .thread_name(|n| format!("umari-compile-{n}"))
            .num_threads(on.threads(cores))
            .build()
            .map_err(|error| EngineError(wasmtime::Error::new(error)))?;
        let clock = EpochClock::start(engine.clone());
        let linkers = Linkers::new(&engine).map_err(EngineError)?;
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                command: linkers.command,
                projector: linkers.projector,
                effect: linkers.effect,
                clock,
                compilers,
            }),
        })
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner.engine
    }

    /// Compiles a component, on the threads that are for that.
    ///
    /// # Errors
    ///
    /// Wasmtime's, when `wasm` is no component.
    pub(crate) fn compile(&self, wasm: &[u8]) -> wasmtime::Result<Component> {
        self.inner
            .compilers
            .install(|| Component::new(&self.inner.engine, wasm))
    }

    pub(crate) fn linker(&self, kind: crate::modules::ModuleKind) -> &Linker<GuestState> {
        match kind {
            crate::modules::ModuleKind::Command => &self.inner.command,
            crate::modules::ModuleKind::Projector => &self.inner.projector,
            crate::modules::ModuleKind::Effect => &self.inner.effect,
        }
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.clock.stop();
    }
}

/// One linker per kind of module: a world gets what its modules may use and nothing else.
struct Linkers {
    command: Linker<GuestState>,
    projector: Linker<GuestState>,
    effect: Linker<GuestState>,
}

impl Linkers {
    fn new(engine: &wasmtime::Engine) -> wasmtime::Result<Self> {
        use crate::capabilities::{crypto, http, sqlite, transaction};

        let mut base = Linker::new(engine);
        add_wasi_to_linker(&mut base)?;

        let mut command = base.clone();
        transaction::add_to_linker(&mut command)?;

        let mut projector = base.clone();
        sqlite::add_to_linker(&mut projector)?;

        let mut effect = base;
        transaction::add_to_linker(&mut effect)?;
        sqlite::add_to_linker(&mut effect)?;
        crypto::add_to_linker(&mut effect)?;
        http::add_to_linker(&mut effect)?;

        Ok(Self {
            command,
            projector,
            effect,
        })
    }
}

/// What modules of every kind get of WASI. There is no filesystem and there are no sockets: a
/// component that asks for them is not linked.
fn add_wasi_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    use wasmtime_wasi::cli::{WasiCli, WasiCliView as Cli};
    use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView as Clocks};
    use wasmtime_wasi::p2::bindings::{cli, clocks, random};
    use wasmtime_wasi::random::{WasiRandom, WasiRandomView as Random};

    type State = GuestState;

    crate::capabilities::io::add_to_linker(linker)?;
    clocks::wall_clock::add_to_linker::<State, WasiClocks>(linker, Clocks::clocks)?;
    clocks::monotonic_clock::add_to_linker::<State, WasiClocks>(linker, Clocks::clocks)?;
    random::random::add_to_linker::<State, WasiRandom>(linker, Random::random)?;
    random::insecure::add_to_linker::<State, WasiRandom>(linker, Random::random)?;
    random::insecure_seed::add_to_linker::<State, WasiRandom>(linker, Random::random)?;
    cli::exit::add_to_linker::<State, WasiCli>(linker, Cli::cli)?;
    cli::environment::add_to_linker::<State, WasiCli>(linker, Cli::cli)?;
    cli::stdin::add_to_linker::<State, WasiCli>(linker, Cli::cli)?;
    cli::stdout::add_to_linker::<State, WasiCli>(linker, Cli::cli)?;
    cli::stderr::add_to_linker::<State, WasiCli>(linker, Cli::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(linker, Cli::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(linker, Cli::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(linker, Cli::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(linker, Cli::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(linker, Cli::cli)
}

enum Allocation {
    Pooled,
    OnDemand,
}

fn config(allocation: Allocation) -> Config {
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .epoch_interruption(true)
        .wasm_backtrace_max_frames(NonZeroUsize::new(limits::BACKTRACE_FRAMES))
        // The same fold over the same events gives the same bits everywhere.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        // Proposals that no supported toolchain needs are surface without use.
        .wasm_memory64(false)
        .max_wasm_stack(limits::GUEST_STACK_BYTES);
    if let Allocation::Pooled = allocation {
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(limits::MAX_INSTANCES)
            // wit-component wraps a module in a shim and a fix-up: three core instances each.
            .total_core_instances(limits::MAX_INSTANCES * 4)
            .total_memories(limits::MAX_INSTANCES)
            .total_tables(limits::MAX_INSTANCES * 4)
            // One component must not take the slots of many.
            .max_core_instances_per_component(limits::GUEST_CORE_INSTANCES)
            .max_memories_per_component(limits::GUEST_MEMORIES)
            .max_tables_per_component(limits::GUEST_TABLES)
            .max_memory_size(limits::GUEST_MEMORY_BYTES)
            .table_elements(limits::GUEST_TABLE_ELEMENTS)
            .max_unused_warm_slots(limits::WARM_INSTANCE_SLOTS);
        // Pages that a call has changed are changed back in place, and so the next call has no
        // page fault and no other thread is interrupted. Only where the kernel can say which pages
        // those are: a module's memory begins with a stack of a MiB, of which it touches the last
        // pages, and without that all of them would be zeroed.
        if PoolingAllocationConfig::is_pagemap_scan_available() {
            pool.pagemap_scan(Enabled::Yes)
                .linear_memory_keep_resident(limits::WARM_INSTANCE_BYTES)
                .table_keep_resident(limits::WARM_TABLE_BYTES);
        }
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

/// Advances the engine's epoch, by which running guests notice their deadline.
struct EpochClock {
    running: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl EpochClock {
    fn start(engine: wasmtime::Engine) -> Self {
        let running = Arc::new(AtomicBool::new(true));
        let thread = std::thread::Builder::new()
            .name("umari-epoch".into())
            .spawn({
                let running = Arc::clone(&running);
                move || {
                    while running.load(Ordering::Relaxed) {
                        std::thread::park_timeout(limits::EPOCH_TICK);
                        engine.increment_epoch();
                    }
                }
            })
            .ok();
        Self { running, thread }
    }

    fn stop(&mut self) {
        self.running.store(false, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compiling_leaves_half_the_cores_to_others() {
        let threads = |cores| Compiling::OnHalfTheCores.threads(cores);
        assert_eq!([1, 2, 3, 8].map(threads), [1, 1, 1, 4]);
        assert_eq!(Compiling::OnAllCores.threads(8), 8);
        let engine = Engine::compiling(Compiling::OnHalfTheCores).unwrap();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let pool = &engine.inner.compilers;
        assert_eq!(pool.current_num_threads(), (cores / 2).max(1));
    }
}
