//! Ids that stand for an account, such as those of its sessions: requests with such an id use the account's share of the
//! database, not one of their own.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::account_queue::AccountKey;

/// The most aliases of a generation; both generations together need about 2 MiB.
const GENERATION: usize = 32_768;

/// The accounts of recently used aliases. An alias that is not known here has a share of its own.
#[derive(Default)]
pub(super) struct AccountAliases(Mutex<Generations>);

/// When the recent generation is full, it becomes the previous one, so the aliases in use stay known.
#[derive(Default)]
struct Generations {
    recent: HashMap<AccountKey, AccountKey>,
    previous: HashMap<AccountKey, AccountKey>,
}

impl AccountAliases {
    /// Returns the account of this alias, or the alias itself if its account is not known.
    pub(super) fn account_of(&self, alias: AccountKey) -> AccountKey {
        let generations = self.lock();
        let known = generations
            .recent
            .get(&alias)
            .or_else(|| generations.previous.get(&alias));
        known.copied().unwrap_or(alias)
    }

    pub(super) fn record(&self, alias: AccountKey, account: AccountKey) {
        let mut generations = self.lock();
        if generations.recent.len() >= GENERATION && !generations.recent.contains_key(&alias) {
            generations.previous = std::mem::take(&mut generations.recent);
        }
        generations.recent.insert(alias, account);
    }

    /// A panic under the lock leaves at most one alias unknown.
    fn lock(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{AccountAliases, GENERATION};

    #[test]
    fn an_alias_has_its_own_share_until_its_account_is_known() {
        let aliases = AccountAliases::default();
        assert_eq!(aliases.account_of(1), 1);
        aliases.record(1, 7);
        aliases.record(2, 7);
        assert_eq!([1, 2, 3].map(|alias| aliases.account_of(alias)), [7, 7, 3]);
    }

    #[test]
    fn aliases_in_use_stay_known_and_the_number_of_others_is_bounded() {
        let aliases = AccountAliases::default();
        for alias in (0_u64..).take(3 * GENERATION) {
            aliases.record(1_000_000, 7);
            aliases.record(alias, 8);
        }
        assert_eq!(aliases.account_of(1_000_000), 7);
        assert_eq!(aliases.account_of(0), 0);
        let generations = aliases.lock();
        let count = generations.recent.len() + generations.previous.len();
        assert!(count <= 2 * GENERATION, "{count}");
    }
}
