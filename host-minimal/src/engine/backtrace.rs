//! Where in its code a guest stopped.

use rustc_demangle::demangle;
use wasmtime::{FrameInfo, WasmBacktrace};

use crate::limits;

/// The functions that a guest was in, the innermost first; empty where the error has no backtrace.
///
/// Names are those of the component's name section, which a release build leaves out: then the
/// number of the function has to do.
pub(crate) fn backtrace(error: &wasmtime::Error) -> Vec<String> {
    let frames = error
        .downcast_ref::<WasmBacktrace>()
        .map(WasmBacktrace::frames);
    let frames = frames.unwrap_or_default().iter();
    frames
        .take(limits::BACKTRACE_FRAMES)
        .map(frame_text)
        .collect()
}

fn frame_text(frame: &FrameInfo) -> String {
    let function = match frame.func_name() {
        Some(name) => readable(name),
        None => format!("function {}", frame.func_index()),
    };
    match frame.module_offset() {
        Some(offset) => format!("{function} at {offset:#x}"),
        None => function,
    }
}

/// A mangled name as its author wrote it, within bounds: a guest may have chosen it.
fn readable(name: &str) -> String {
    let head = name.len().min(limits::BACKTRACE_NAME_BYTES);
    let head = &name[..name.floor_char_boundary(head)];
    let readable = if head.len() == name.len() {
        // Without the hash at its end.
        format!("{:#}", demangle(name))
    } else {
        format!("{head}…")
    };
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    readable.chars().map(printable).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_readable_and_bounded() {
        assert_eq!(
            readable("_ZN14fixture_effect5relay17h0123456789abcdefE"),
            "fixture_effect::relay"
        );
        assert_eq!(readable("a\nb"), "a b");
        let longest = "é".repeat(limits::BACKTRACE_NAME_BYTES / 2);
        assert_eq!(readable(&longest), longest);
        assert_eq!(readable(&format!("{longest}x")), format!("{longest}…"));
    }

    /// A module whose function traps, with `name` in its name section.
    fn trapping(name: &str) -> Vec<u8> {
        let length = |bytes: &[u8]| u8::try_from(bytes.len()).expect("a short section");
        let mut names = vec![1, 0, length(name.as_bytes())];
        names.extend(name.bytes());
        let mut section = b"\x04name\x01".to_vec();
        section.push(length(&names));
        section.extend(names);
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend(b"\x01\x04\x01\x60\0\0"); // a type: no parameters, no results
        module.extend(b"\x03\x02\x01\0"); // a function of it
        module.extend(b"\x07\x05\x01\x01f\0\0"); // exported as "f"
        module.extend(b"\x0a\x05\x01\x03\0\0\x0b"); // which traps
        module.extend([0, length(&section)]);
        module.extend(section);
        module
    }

    #[test]
    fn a_function_is_named_as_its_author_named_it() {
        let engine = crate::engine::Engine::new().unwrap();
        let wasm = trapping("_ZN6notify6handle17h0123456789abcdefE");
        let module = wasmtime::Module::new(engine.wasmtime(), wasm).unwrap();
        let mut store = wasmtime::Store::new(engine.wasmtime(), ());
        store.set_epoch_deadline(u64::MAX >> 1);
        let instance = wasmtime::Instance::new(&mut store, &module, &[]).unwrap();
        let function = instance.get_typed_func::<(), ()>(&mut store, "f").unwrap();
        let frames = backtrace(&function.call(&mut store, ()).unwrap_err());
        assert_eq!(frames.len(), 1);
        assert!(frames[0].starts_with("notify::handle at 0x"), "{frames:?}");
    }

    #[test]
    fn an_error_of_the_host_has_no_backtrace() {
        assert!(backtrace(&wasmtime::format_err!("no")).is_empty());
    }
}
