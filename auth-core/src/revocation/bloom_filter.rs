//! A Bloom filter in front of the set, so that most lookups need no lock, which would cost more than the lookup.

use std::sync::atomic::{AtomicU64, Ordering};

/// The number of 64-bit words: 128 KiB. With 100 000 sessions one bit in ten is set, so nine lookups in ten end here.
const WORDS: usize = 1 << 14;

/// One bit for every value of 20 bits of a hash. Set means "maybe in the set", clear means "not in the set".
///
/// Existing crates use several hash functions and need a lock; here every key is a hash already, and one bit is enough.
pub(super) struct BloomFilter(Box<[AtomicU64]>);

// Relaxed ordering is enough. Bits are written only under the write lock of the set. A thread that has synchronised
// with the inserting thread, by that lock or otherwise, sees the bit that was set.
impl BloomFilter {
    /// Sets the bit of `hash`. Call this and [`rebuild`](Self::rebuild) only under the write lock of the set.
    pub(super) fn insert(&self, hash: u64) {
        let (word, bit) = position(hash);
        if let Some(word) = self.0.get(word) {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Returns `false` only if `hash` is not in the set.
    pub(super) fn may_contain(&self, hash: u64) -> bool {
        let (word, bit) = position(hash);
        let word = self.0.get(word);
        word.is_none_or(|word| word.load(Ordering::Relaxed) & bit != 0)
    }

    /// Clears all bits except those of `hashes`, which concurrent readers always see as set.
    pub(super) fn rebuild(&self, hashes: impl Iterator<Item = u64>) {
        let mut rebuilt = vec![0; WORDS];
        for (word, bit) in hashes.map(position) {
            if let Some(word) = rebuilt.get_mut(word) {
                *word |= bit;
            }
        }
        for (word, rebuilt) in self.0.iter().zip(rebuilt) {
            word.store(rebuilt, Ordering::Relaxed);
        }
    }
}

impl Default for BloomFilter {
    fn default() -> Self {
        Self((0..WORDS).map(|_| AtomicU64::new(0)).collect())
    }
}

/// Returns the word, by the highest 14 bits of the hash, and the bit in it, by the lowest 6.
fn position(hash: u64) -> (usize, u64) {
    let word = usize::try_from(hash >> 50).unwrap_or(usize::MAX);
    (word, 1 << (hash & 63))
}
