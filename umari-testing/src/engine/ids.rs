//! Identifiers that a person can read: their kind, and a number.

use uuid::Uuid;

/// `e0000000-…-000000000007` is the event at position 7.
pub(crate) fn event(position: u64) -> Uuid {
    numbered(0xe000_0000, position)
}

/// `1d000000-…-000000000003` is the third id that a module or the harness asked for.
pub(crate) fn fresh(count: u64) -> Uuid {
    numbered(0x1d00_0000, count)
}

/// The data key of `scope` after `shreds` deletions.
pub(crate) fn data_key(scope: &str, shreds: u64) -> Uuid {
    // FNV-1a: stable between runs and compilers, and short.
    let hash = scope.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    Uuid::from_u128((0xce00_0000_u128 << 96) | (u128::from(hash >> 32) << 64) | u128::from(shreds))
}

fn numbered(kind: u32, number: u64) -> Uuid {
    Uuid::from_u128((u128::from(kind) << 96) | u128::from(number))
}
