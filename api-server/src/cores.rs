//! Counts the processor cores.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// Returns the number of cores that this process may use; 1 if the system does not report it.
pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, NonZeroUsize::get)
}
