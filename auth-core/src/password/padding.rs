//! Work that a cheaper hash leaves out is done all the same, so that a wrong password takes no less time for an account
//! with an old hash than for an unknown address.

use std::hint::black_box;

use super::{Cost, PasswordAttempt, PasswordHash, scrypt};
use crate::Error;

/// The bcrypt cost whose time comes closest below that of Better Auth's scrypt.
const LIKE_SCRYPT: u32 = 10;

impl PasswordAttempt {
    /// As [`matches`](Self::matches), and a wrong attempt takes at least the time of one bcrypt of cost `today`, however
    /// cheap `hash` is to check. A right one is left as it is: it is due for a [`rehash`](Self::rehash), and its response
    /// tells it from a wrong one anyway. A hash that costs more than `today` takes its own, longer time.
    ///
    /// # Errors
    ///
    /// As [`matches`](Self::matches).
    pub fn matches_no_faster_than(&self, hash: &PasswordHash, today: Cost) -> Result<bool, Error> {
        let matches = self.matches(hash)?;
        if !matches {
            for cost in missing(hash.work(self), today) {
                let padding = PasswordHash::unmatchable(Cost::new(cost)?);
                black_box(padding.verify_bcrypt(&self.bcrypt_input())?);
            }
        }
        Ok(matches)
    }
}

impl PasswordHash {
    /// What a check of this attempt costs, as the exponent of bcrypt's rounds.
    fn work(&self, attempt: &PasswordAttempt) -> u32 {
        let bcrypt = self
            .cost()
            .filter(|_| !scrypt::is_well_formed(self.as_str()));
        let once = bcrypt.map_or(LIKE_SCRYPT, Cost::get);
        once.saturating_add(u32::from(self.is_verified_twice(attempt)))
    }
}

/// The costs that add up to one bcrypt of cost `today` after work of 2^`done`: 2^d + 2^d + 2^(d+1) + … + 2^(t-1) = 2^t.
fn missing(done: u32, today: Cost) -> std::ops::Range<u32> {
    done..today.get()
}

#[cfg(test)]
pub(super) mod tests {
    use super::missing;
    use crate::password::{Cost, PasswordAttempt, PasswordHash};
    use std::cell::Cell;

    thread_local! {
        static ROUNDS: Cell<u64> = const { Cell::new(0) };
    }

    /// Called for every bcrypt of this thread.
    pub(in crate::password) fn count(cost: Option<Cost>) {
        ROUNDS.set(ROUNDS.get() + cost.map_or(0, |cost| 1 << cost.get()));
    }

    fn rounds(attempt: &str, hash: &PasswordHash, today: u32) -> (bool, u64) {
        ROUNDS.set(0);
        let attempt = PasswordAttempt::new(attempt).unwrap();
        let today = Cost::new(today).unwrap();
        let matches = attempt.matches_no_faster_than(hash, today).unwrap();
        (matches, ROUNDS.get())
    }

    fn hash(cost: u32) -> PasswordHash {
        let attempt = PasswordAttempt::new("right").unwrap();
        attempt.rehash(Cost::new(cost).unwrap()).unwrap()
    }

    #[test]
    fn the_missing_work_adds_up_to_one_bcrypt_of_today() {
        for today in 4..=15 {
            let today = Cost::new(today).unwrap();
            for done in 4..=16 {
                let padding: u64 = missing(done, today).map(|cost| 1 << cost).sum();
                let sum = padding + (1 << done);
                assert_eq!(sum, (1 << today.get()).max(1 << done));
            }
        }
    }

    #[test]
    fn a_wrong_password_costs_as_much_as_with_an_unknown_address() {
        let unknown = PasswordHash::unmatchable(Cost::new(7).unwrap());
        assert_eq!(rounds("wrong", &unknown, 7), (false, 1 << 7));
        for cost in 4..=7 {
            assert_eq!(rounds("wrong", &hash(cost), 7), (false, 1 << 7), "{cost}");
        }
        assert_eq!(rounds("wrong", &hash(8), 7), (false, 1 << 8));
    }

    #[test]
    fn a_right_password_is_left_to_its_rehash() {
        for cost in 4..=8 {
            assert_eq!(rounds("right", &hash(cost), 7), (true, 1 << cost));
        }
    }

    #[test]
    fn a_hash_of_another_program_that_is_verified_twice_is_padded_less() {
        let plain = hash(5).as_str().replace("$2b$", "$2y$");
        let plain = PasswordHash::parse(&plain).unwrap();
        assert_eq!(rounds("wrong", &plain, 7), (false, 1 << 7));
        let long = "x".repeat(100);
        assert_eq!(rounds(&long, &plain, 7), (false, 1 << 7));
        assert_eq!(rounds(&long, &plain, 5), (false, 1 << 6));
    }

    #[test]
    fn a_wrong_password_for_scrypt_is_padded_too() {
        let scrypt = [["0"; 32].concat(), ["1"; 128].concat()].join(":");
        let scrypt = PasswordHash::parse(&scrypt).unwrap();
        assert_eq!(rounds("wrong", &scrypt, 12), (false, (1 << 10) + (1 << 11)));
        assert_eq!(rounds("wrong", &scrypt, 10), (false, 0));
    }
}
