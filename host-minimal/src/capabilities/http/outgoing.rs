//! `wasi:http/outgoing-handler`, which takes the options of a request away from the guest.
//!
//! Wasmtime's own leaves them in the instance's table. The guest has given them away and cannot
//! close them, so that every request would cost its instance a handle.

use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi_http::WasiHttpView as _;
use wasmtime_wasi_http::p2::bindings::http::outgoing_handler::Host as _;
use wasmtime_wasi_http::p2::bindings::http::types::{ErrorCode, Host as _, RequestOptions};
use wasmtime_wasi_http::p2::types::{HostFutureIncomingResponse, HostOutgoingRequest};

use crate::engine::guest::GuestState;

type Sent = Result<Resource<HostFutureIncomingResponse>, ErrorCode>;

pub(super) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    linker
        .instance("wasi:http/outgoing-handler@0.2.12")?
        .func_wrap("handle", handle)
}

fn handle(
    mut store: StoreContextMut<'_, GuestState>,
    (request, options): (
        Resource<HostOutgoingRequest>,
        Option<Resource<RequestOptions>>,
    ),
) -> wasmtime::Result<(Sent,)> {
    let mut http = store.data_mut().http();
    let lent = options.as_ref().map(|own| Resource::new_borrow(own.rep()));
    let sent = http.handle(request, lent);
    if let Some(options) = options {
        http.table.delete(options)?;
    }
    let sent = match sent {
        Ok(response) => Ok(response),
        Err(error) => Err(http.convert_error_code(error)?),
    };
    Ok((sent,))
}
