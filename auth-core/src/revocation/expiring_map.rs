//! Defines a map whose entries can be purged after their time. A Bloom filter in front of the map decides most lookups
//! of keys that are not in the map, without a lock.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use super::bloom_filter::BloomFilter;

/// A map from 64-bit hashes to values that are kept until a time.
#[derive(Default)]
pub(super) struct ExpiringMap<V> {
    filter: BloomFilter,
    entries: RwLock<Entries<V>>,
}

type Entries<V> = HashMap<u64, Entry<V>, BuildHasherDefault<IdentityHasher>>;

#[derive(Clone, Copy)]
struct Entry<V> {
    value: V,
    /// The time from which the entry may be removed, in seconds since 1970.
    removable_at: u32,
}

impl<V: Copy + Ord> ExpiringMap<V> {
    /// Adds an entry that is kept until `until`. If there is an entry of the key already, the larger value and the
    /// later time apply.
    pub(super) fn insert(&self, hash: u64, value: V, until: SystemTime) {
        let removable_at = unix_seconds(until).saturating_add(1);
        let new_entry = Entry {
            value,
            removable_at,
        };
        let mut entries = self.write();
        self.filter.insert(hash);
        let entry = entries.entry(hash).or_insert(new_entry);
        entry.value = value.max(entry.value);
        entry.removable_at = removable_at.max(entry.removable_at);
    }

    /// Returns the value of a key. Allocates nothing.
    pub(super) fn get(&self, hash: u64) -> Option<V> {
        if !self.filter.may_contain(hash) {
            return None;
        }
        self.read().get(&hash).map(|entry| entry.value)
    }

    /// Removes the entries whose time has passed, and frees their memory.
    pub(super) fn purge(&self, now: SystemTime) {
        let now_seconds = unix_seconds(now);
        self.retain(|entry| entry.removable_at > now_seconds || entry.removable_at == NEVER);
    }

    pub(super) fn clear(&self) {
        self.retain(|_| false);
    }

    fn retain(&self, is_kept: impl Fn(&Entry<V>) -> bool) {
        let mut entries = self.write();
        entries.retain(|_, entry| is_kept(entry));
        self.filter.rebuild(entries.keys().copied());
        entries.shrink_to_fit();
    }

    pub(super) fn len(&self) -> usize {
        self.read().len()
    }

    // A poisoned lock is used like any other, because no code panics while the map is inconsistent.
    fn read(&self) -> RwLockReadGuard<'_, Entries<V>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Entries<V>> {
        self.entries.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The time of an entry that [`ExpiringMap::purge`] never removes.
const NEVER: u32 = u32::MAX;

/// Converts a time to seconds since 1970: 0 for a time before 1970, [`NEVER`] for a time that does not fit (after 7
/// February 2106).
fn unix_seconds(time: SystemTime) -> u32 {
    let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since_1970.as_secs()).unwrap_or(NEVER)
}

/// Returns each key as its own hash: the keys of the map are hashes already.
#[derive(Default)]
struct IdentityHasher(u64);

impl Hasher for IdentityHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::ExpiringMap;
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    fn unix_time(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn an_entry_is_kept_until_its_time_has_passed() {
        let map = ExpiringMap::default();
        map.insert(7, (), unix_time(100));
        map.purge(unix_time(100));
        assert_eq!(map.get(7), Some(()));
        map.purge(unix_time(101));
        assert_eq!((map.get(7), map.len()), (None, 0));
    }

    #[test]
    fn the_larger_value_and_the_later_time_of_a_key_apply() {
        let map = ExpiringMap::default();
        map.insert(7, 2_u64, unix_time(200));
        map.insert(7, 3, unix_time(100));
        map.insert(7, 1, unix_time(100));
        map.purge(unix_time(150));
        assert_eq!(map.get(7), Some(3));
    }

    #[test]
    fn purging_removes_expired_entries_only() {
        let map = ExpiringMap::default();
        let hash_of = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for number in 0..10_000_u64 {
            map.insert(hash_of(number), number, unix_time(100 + number % 2));
        }
        map.purge(unix_time(101));
        for number in 0..10_000_u64 {
            let expected = (number % 2 == 1).then_some(number);
            assert_eq!(map.get(hash_of(number)), expected);
        }
        let hash_of_bit = |number: u64| ((number >> 6) << 50) | (number & 63);
        let set_bits = (0..1 << 20).filter(|number| map.filter.may_contain(hash_of_bit(*number)));
        assert!(set_bits.count() <= 5_000, "old bits are still set");
    }

    #[cfg(feature = "remote")]
    #[test]
    fn clearing_removes_every_entry() {
        let map = ExpiringMap::default();
        map.insert(7, (), unix_time(u64::MAX / 4));
        map.clear();
        assert_eq!((map.get(7), map.len()), (None, 0));
    }

    #[test]
    fn purging_frees_memory() {
        let map = ExpiringMap::default();
        for number in 0..10_000_u64 {
            map.insert(number, (), unix_time(100));
        }
        map.purge(unix_time(101));
        assert!(map.read().capacity() < 100);
    }
}
