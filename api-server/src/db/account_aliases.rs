//! Maps aliases to accounts. An alias is the hash of the id of a session, and stands for the account of the session.
//! Database jobs for an alias count towards the limits of the account.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::account_queue::AccountKey;

/// The most aliases in each of the two maps of [`Generations`]. Both maps together need about 2 MiB: 2 × 65 536 slots
/// of 17 bytes.
const MAX_ALIASES: usize = 32_768;

/// The accounts of recently recorded aliases.
#[derive(Default)]
pub(super) struct AccountAliases(Mutex<Generations>);

/// The aliases in two maps. When `recent` is full, its aliases replace those in `previous`. So an alias in `previous`
/// is forgotten if it is not recorded again before `recent` is full.
#[derive(Default)]
struct Generations {
    recent: HashMap<AccountKey, AccountKey>,
    previous: HashMap<AccountKey, AccountKey>,
}

impl AccountAliases {
    /// Returns the account of this alias, or the alias itself if no account is recorded.
    pub(super) fn account_of(&self, alias: AccountKey) -> AccountKey {
        self.recorded_account(alias).unwrap_or(alias)
    }

    pub(super) fn recorded_account(&self, alias: AccountKey) -> Option<AccountKey> {
        let generations = self.lock();
        let account = generations
            .recent
            .get(&alias)
            .or_else(|| generations.previous.get(&alias));
        account.copied()
    }

    pub(super) fn record(&self, alias: AccountKey, account: AccountKey) {
        let mut generations = self.lock();
        if generations.recent.len() >= MAX_ALIASES && !generations.recent.contains_key(&alias) {
            generations.previous = std::mem::take(&mut generations.recent);
        }
        generations.recent.insert(alias, account);
    }

    /// Ignores poisoning: after a panic while the lock is held, at most one alias is missing.
    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{AccountAliases, MAX_ALIASES};

    #[test]
    fn an_alias_counts_as_an_account_until_its_account_is_recorded() {
        let aliases = AccountAliases::default();
        assert_eq!(aliases.account_of(1), 1);
        aliases.record(1, 7);
        aliases.record(2, 7);
        assert_eq!([1, 2, 3].map(|alias| aliases.account_of(alias)), [7, 7, 3]);
    }

    #[test]
    fn an_alias_in_use_is_kept_and_the_number_of_aliases_is_bounded() {
        let aliases = AccountAliases::default();
        for alias in (0_u64..).take(3 * MAX_ALIASES) {
            aliases.record(1_000_000, 7);
            aliases.record(alias, 8);
        }
        assert_eq!(aliases.account_of(1_000_000), 7);
        assert_eq!(aliases.account_of(0), 0);
        let generations = aliases.lock();
        let count = generations.recent.len() + generations.previous.len();
        assert!(count <= 2 * MAX_ALIASES, "{count}");
    }
}
