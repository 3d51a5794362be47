//! Counts the processor cores that this process may use.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// Returns the number of cores; 1 if the system does not report the number.
pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, NonZeroUsize::get)
}
