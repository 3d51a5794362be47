//! A first look that takes no lock: the locks of many readers would cost each of them more than the look-up itself.

use std::sync::atomic::{AtomicU64, Ordering};

/// 128 KiB. Of 100 000 sessions in the set, one in ten bits is set, and nine in ten look-ups end here.
const WORDS: usize = 1 << 14;

/// A bit for every 20 bits of a hash, set by those that are in the set and by a few that were.
pub(super) struct Marks(Box<[AtomicU64]>);

// Relaxed: whoever knows of an insertion sees its bit, and the set itself is behind a lock.
impl Marks {
    /// Call it, and `keep`, only while nobody else does.
    pub(super) fn set(&self, hash: u64) {
        let (word, bit) = place(hash);
        if let Some(word) = self.0.get(word) {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// `false` is certain.
    pub(super) fn may_have(&self, hash: u64) -> bool {
        let (word, bit) = place(hash);
        let word = self.0.get(word);
        word.is_none_or(|word| word.load(Ordering::Relaxed) & bit != 0)
    }

    /// Clears the bits of all others. No reader ever misses one of these.
    pub(super) fn keep(&self, hashes: impl Iterator<Item = u64>) {
        let mut kept = vec![0; WORDS];
        for (word, bit) in hashes.map(place) {
            if let Some(word) = kept.get_mut(word) {
                *word |= bit;
            }
        }
        for (word, kept) in self.0.iter().zip(kept) {
            word.store(kept, Ordering::Relaxed);
        }
    }
}

impl Default for Marks {
    fn default() -> Self {
        Self((0..WORDS).map(|_| AtomicU64::new(0)).collect())
    }
}

/// The highest 14 bits name the word, the lowest 6 the bit in it.
fn place(hash: u64) -> (usize, u64) {
    let word = usize::try_from(hash >> 50).unwrap_or(usize::MAX);
    (word, 1 << (hash & 63))
}
