//! Defines a Bloom filter for the maps of revocations. Unless a map is very large, the filter alone decides most
//! lookups of ids that are not in the map, without a lock.

use std::sync::atomic::{AtomicU64, Ordering};

/// The number of 64-bit words: 128 KiB. With 100 000 entries, about one bit in ten is set.
const WORDS: usize = 1 << 14;

/// One bit for each of the 2^20 values of 20 bits of a hash ([`bit_position`]). If the bit is 0, no hash in the map has
/// that value. If the bit is 1, a hash in the map may have that value.
///
/// A general Bloom filter sets several bits per key, from several hashes. Here the keys are hashes already, and one bit
/// per key suffices.
pub(super) struct BloomFilter(Box<[AtomicU64]>);

// Relaxed ordering is enough. Bits are written only under the write lock of the map. A thread that has synchronised
// with the inserting thread, by that lock or otherwise, sees the bit that was set.
impl BloomFilter {
    /// Sets the bit of `hash`. Call this and [`rebuild`](Self::rebuild) only under the write lock of the map.
    pub(super) fn insert(&self, hash: u64) {
        let (index, bit) = bit_position(hash);
        if let Some(word) = self.0.get(index) {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// Returns `false` only if `hash` is not in the map.
    pub(super) fn may_contain(&self, hash: u64) -> bool {
        let (index, bit) = bit_position(hash);
        let word = self.0.get(index);
        word.is_none_or(|word| word.load(Ordering::Relaxed) & bit != 0)
    }

    /// Clears all bits except the bits of `hashes`, which concurrent readers always see as set.
    pub(super) fn rebuild(&self, hashes: impl Iterator<Item = u64>) {
        let mut new_words = vec![0; WORDS];
        for (index, bit) in hashes.map(bit_position) {
            if let Some(word) = new_words.get_mut(index) {
                *word |= bit;
            }
        }
        for (word, new_word) in self.0.iter().zip(new_words) {
            word.store(new_word, Ordering::Relaxed);
        }
    }
}

impl Default for BloomFilter {
    fn default() -> Self {
        Self((0..WORDS).map(|_| AtomicU64::new(0)).collect())
    }
}

/// Returns the index of the word (the highest 14 bits of the hash) and the bit in that word (the lowest 6 bits).
fn bit_position(hash: u64) -> (usize, u64) {
    let index = usize::try_from(hash >> 50).unwrap_or(usize::MAX);
    (index, 1 << (hash & 63))
}
