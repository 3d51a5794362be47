//! How much can be computed at once.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;

/// The cores this process may use; 1 if the system does not say.
pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, NonZeroUsize::get)
}
