//! The limits on memory and tables of one instance.

use wasmtime::ResourceLimiter;

use crate::limits;

/// Sums the linear memories of one store; Wasmtime's own limits count each memory alone.
#[derive(Debug)]
pub(crate) struct MemoryLimiter {
    limit_bytes: usize,
    used_bytes: usize,
    exceeded: bool,
    table_elements: usize,
}

impl MemoryLimiter {
    pub(crate) fn new(limit_bytes: usize, table_elements: usize) -> Self {
        Self {
            limit_bytes,
            used_bytes: 0,
            exceeded: false,
            table_elements,
        }
    }

    /// Whether the guest was ever refused memory. A Rust guest aborts then, and the trap alone
    /// would not say why.
    pub(crate) fn exceeded(&self) -> bool {
        self.exceeded
    }

    pub(crate) fn limit_bytes(&self) -> usize {
        self.limit_bytes
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let after = self
            .used_bytes
            .saturating_add(desired.saturating_sub(current));
        if after > self.limit_bytes {
            self.exceeded = true;
            return Ok(false);
        }
        self.used_bytes = after;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= self.table_elements)
    }

    // Pooled instances have these limits anyway; where there is no pool, this is where they are.

    fn instances(&self) -> usize {
        limits::GUEST_CORE_INSTANCES as usize
    }

    fn memories(&self) -> usize {
        limits::GUEST_MEMORIES as usize
    }

    fn tables(&self) -> usize {
        limits::GUEST_TABLES as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memories_are_summed() {
        let mut limiter = MemoryLimiter::new(10, 0);
        assert!(limiter.memory_growing(0, 6, None).unwrap());
        assert!(
            limiter.memory_growing(0, 4, None).unwrap(),
            "exactly at the limit"
        );
        assert!(!limiter.exceeded());
        assert!(!limiter.memory_growing(4, 5, None).unwrap(), "one past it");
        assert!(limiter.exceeded());
    }

    #[test]
    fn tables_are_bounded() {
        let mut limiter = MemoryLimiter::new(0, 10);
        assert!(limiter.table_growing(0, 10, None).unwrap());
        assert!(!limiter.table_growing(0, 11, None).unwrap());
    }
}
