//! WASI's streams and polls, whose waits end at the call's deadline.
//!
//! Epochs interrupt guest code only. A guest that waits, for a timer or for somebody to read what
//! it writes, is inside a host call, so the wait itself has to know the deadline.

use std::time::Instant;

use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::io::{poll as poll_async, streams as streams_async};
use wasmtime_wasi::p2::bindings::sync::io::{error, poll, streams};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, DynPollable, StreamError, StreamResult};
use wasmtime_wasi::runtime::in_tokio;

use crate::engine::guest::GuestState;
use crate::engine::trap::DeadlineExceeded;

pub(crate) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    error::add_to_linker::<GuestState, Errors>(linker, |state| &mut state.table)?;
    poll::add_to_linker::<GuestState, Waits>(linker, view)?;
    streams::add_to_linker::<GuestState, Waits>(linker, view)
}

fn view(state: &mut GuestState) -> WaitView<'_> {
    WaitView {
        deadline: state.clock.deadline(),
        table: &mut state.table,
    }
}

struct Errors;

impl HasData for Errors {
    type Data<'a> = &'a mut ResourceTable;
}

struct Waits;

impl HasData for Waits {
    type Data<'a> = WaitView<'a>;
}

struct WaitView<'a> {
    table: &'a mut ResourceTable,
    deadline: Instant,
}

/// Waits for `wait`, but not beyond `deadline`.
fn until<T, E: Late>(deadline: Instant, wait: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    in_tokio(async move {
        match tokio::time::timeout_at(deadline.into(), wait).await {
            Ok(result) => result,
            Err(_elapsed) => Err(E::late()),
        }
    })
}

/// An error that can say that the deadline has passed, and ends the guest's call.
trait Late {
    fn late() -> Self;
}

impl Late for wasmtime::Error {
    fn late() -> Self {
        DeadlineExceeded.into()
    }
}

impl Late for StreamError {
    fn late() -> Self {
        Self::Trap(DeadlineExceeded.into())
    }
}

impl poll::Host for WaitView<'_> {
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        until(self.deadline, poll_async::Host::poll(self.table, pollables))
    }
}

impl poll::HostPollable for WaitView<'_> {
    fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        until(
            self.deadline,
            poll_async::HostPollable::ready(self.table, pollable),
        )
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        until(
            self.deadline,
            poll_async::HostPollable::block(self.table, pollable),
        )
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll_async::HostPollable::drop(self.table, pollable)
    }
}

impl streams::Host for WaitView<'_> {
    fn convert_stream_error(
        &mut self,
        error: StreamError,
    ) -> wasmtime::Result<streams::StreamError> {
        streams::Host::convert_stream_error(self.table, error)
    }
}

impl streams::HostOutputStream for WaitView<'_> {
    fn drop(&mut self, stream: Resource<DynOutputStream>) -> wasmtime::Result<()> {
        until(
            self.deadline,
            streams_async::HostOutputStream::drop(self.table, stream),
        )
    }

    fn check_write(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<u64> {
        streams_async::HostOutputStream::check_write(self.table, stream)
    }

    fn write(&mut self, stream: Resource<DynOutputStream>, bytes: Vec<u8>) -> StreamResult<()> {
        streams_async::HostOutputStream::write(self.table, stream, bytes)
    }

    fn blocking_write_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        bytes: Vec<u8>,
    ) -> StreamResult<()> {
        until(
            self.deadline,
            streams_async::HostOutputStream::blocking_write_and_flush(self.table, stream, bytes),
        )
    }

    fn blocking_write_zeroes_and_flush(
        &mut self,
        stream: Resource<DynOutputStream>,
        length: u64,
    ) -> StreamResult<()> {
        until(
            self.deadline,
            streams_async::HostOutputStream::blocking_write_zeroes_and_flush(
                self.table, stream, length,
            ),
        )
    }

    fn subscribe(
        &mut self,
        stream: Resource<DynOutputStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        streams_async::HostOutputStream::subscribe(self.table, stream)
    }

    fn write_zeroes(&mut self, stream: Resource<DynOutputStream>, length: u64) -> StreamResult<()> {
        streams_async::HostOutputStream::write_zeroes(self.table, stream, length)
    }

    fn flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        streams_async::HostOutputStream::flush(self.table, stream)
    }

    fn blocking_flush(&mut self, stream: Resource<DynOutputStream>) -> StreamResult<()> {
        until(
            self.deadline,
            streams_async::HostOutputStream::blocking_flush(self.table, stream),
        )
    }

    fn splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        streams_async::HostOutputStream::splice(self.table, to, from, length)
    }

    fn blocking_splice(
        &mut self,
        to: Resource<DynOutputStream>,
        from: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        until(
            self.deadline,
            streams_async::HostOutputStream::blocking_splice(self.table, to, from, length),
        )
    }
}

impl streams::HostInputStream for WaitView<'_> {
    fn drop(&mut self, stream: Resource<DynInputStream>) -> wasmtime::Result<()> {
        until(
            self.deadline,
            streams_async::HostInputStream::drop(self.table, stream),
        )
    }

    fn read(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<Vec<u8>> {
        streams_async::HostInputStream::read(self.table, stream, length)
    }

    fn blocking_read(
        &mut self,
        stream: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<Vec<u8>> {
        until(
            self.deadline,
            streams_async::HostInputStream::blocking_read(self.table, stream, length),
        )
    }

    fn skip(&mut self, stream: Resource<DynInputStream>, length: u64) -> StreamResult<u64> {
        streams_async::HostInputStream::skip(self.table, stream, length)
    }

    fn blocking_skip(
        &mut self,
        stream: Resource<DynInputStream>,
        length: u64,
    ) -> StreamResult<u64> {
        until(
            self.deadline,
            streams_async::HostInputStream::blocking_skip(self.table, stream, length),
        )
    }

    fn subscribe(
        &mut self,
        stream: Resource<DynInputStream>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        streams_async::HostInputStream::subscribe(self.table, stream)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_ends_at_the_deadline() {
        let error = until::<(), wasmtime::Error>(Instant::now(), std::future::pending());
        assert!(error.unwrap_err().is::<DeadlineExceeded>());
        match until::<(), StreamError>(Instant::now(), std::future::pending()) {
            Err(StreamError::Trap(error)) => assert!(error.is::<DeadlineExceeded>()),
            other => panic!("{other:?}"),
        }
    }
}
