//! Adds work to the check of a wrong password if the stored hash is cheaper to check than a new hash. So the response
//! for an account with an old hash is not faster than for an unknown email address.

use std::hint::black_box;

use super::{Cost, PasswordAttempt, PasswordHash, scrypt};
use crate::Error;

/// The highest bcrypt cost that takes less time than Better Auth's scrypt.
const SCRYPT_AS_BCRYPT_COST: u32 = 10;

impl PasswordAttempt {
    /// Does the same as [`matches`](Self::matches), but a wrong password takes at least the time of one bcrypt of
    /// `cost`, even if `hash` is cheaper to check. A hash of a higher cost takes longer.
    ///
    /// A correct password gets no additional work: the response shows the match anyway.
    ///
    /// # Errors
    ///
    /// The errors of [`matches`](Self::matches).
    pub fn matches_no_faster_than(&self, hash: &PasswordHash, cost: Cost) -> Result<bool, Error> {
        let matches = self.matches(hash)?;
        if !matches {
            for padding_cost in padding_costs(hash.cost_to_check(self), cost) {
                let padding_hash = PasswordHash::unmatchable(Cost::new(padding_cost)?);
                black_box(padding_hash.verify_bcrypt(&self.bcrypt_input())?);
            }
        }
        Ok(matches)
    }
}

impl PasswordHash {
    /// Returns the work of checking this attempt, as a bcrypt cost: [`SCRYPT_AS_BCRYPT_COST`] for scrypt, the cost of
    /// the hash for bcrypt, and one more if bcrypt runs twice.
    fn cost_to_check(&self, attempt: &PasswordAttempt) -> u32 {
        let bcrypt_cost = self
            .cost()
            .filter(|_| !scrypt::is_well_formed(self.as_str()));
        let cost_of_one_check = bcrypt_cost.map_or(SCRYPT_AS_BCRYPT_COST, Cost::get);
        cost_of_one_check.saturating_add(u32::from(self.is_verified_twice(attempt)))
    }
}

/// Returns the costs of the additional bcrypt computations: from `spent_cost` (s) up to `min_cost` (m), without m. With
/// the work already spent, these are 2^s + 2^s + 2^(s+1) + … + 2^(m-1) = 2^m rounds. The range is empty if s is not
/// below m.
fn padding_costs(spent_cost: u32, min_cost: Cost) -> std::ops::Range<u32> {
    spent_cost..min_cost.get()
}

#[cfg(test)]
pub(super) mod tests {
    use super::padding_costs;
    use crate::password::{Cost, PasswordAttempt, PasswordHash};
    use std::cell::Cell;

    thread_local! {
        static ROUNDS: Cell<u64> = const { Cell::new(0) };
    }

    /// Adds the rounds of one verification with bcrypt to the count of this thread.
    pub(in crate::password) fn count_rounds(cost: Option<Cost>) {
        ROUNDS.set(ROUNDS.get() + cost.map_or(0, |cost| 1 << cost.get()));
    }

    /// Returns whether the attempt matches, and the number of bcrypt rounds that the check took.
    fn check_and_count_rounds(
        password: &str,
        hash: &PasswordHash,
        min_exponent: u32,
    ) -> (bool, u64) {
        ROUNDS.set(0);
        let attempt = PasswordAttempt::new(password).unwrap();
        let min_cost = Cost::new(min_exponent).unwrap();
        let matches = attempt.matches_no_faster_than(hash, min_cost).unwrap();
        (matches, ROUNDS.get())
    }

    /// Returns a hash of the password `correct`.
    fn hash_of_correct(cost: u32) -> PasswordHash {
        let attempt = PasswordAttempt::new("correct").unwrap();
        attempt.rehash(Cost::new(cost).unwrap()).unwrap()
    }

    #[test]
    fn padding_adds_up_to_one_bcrypt_of_the_minimum_cost() {
        for min_exponent in 4..=15 {
            let min_cost = Cost::new(min_exponent).unwrap();
            for spent_cost in 4..=16 {
                let padding_rounds: u64 = padding_costs(spent_cost, min_cost)
                    .map(|cost| 1 << cost)
                    .sum();
                let total_rounds = padding_rounds + (1 << spent_cost);
                assert_eq!(total_rounds, (1 << min_exponent).max(1 << spent_cost));
            }
        }
    }

    #[test]
    fn a_wrong_password_costs_as_much_as_an_unknown_email_address() {
        let unmatchable_hash = PasswordHash::unmatchable(Cost::new(7).unwrap());
        assert_eq!(
            check_and_count_rounds("wrong", &unmatchable_hash, 7),
            (false, 1 << 7)
        );
        for cost in 4..=7 {
            assert_eq!(
                check_and_count_rounds("wrong", &hash_of_correct(cost), 7),
                (false, 1 << 7),
                "{cost}"
            );
        }
        assert_eq!(
            check_and_count_rounds("wrong", &hash_of_correct(8), 7),
            (false, 1 << 8)
        );
    }

    #[test]
    fn a_correct_password_gets_no_padding() {
        for cost in 4..=8 {
            assert_eq!(
                check_and_count_rounds("correct", &hash_of_correct(cost), 7),
                (true, 1 << cost)
            );
        }
    }

    #[test]
    fn a_hash_of_another_program_that_is_verified_twice_is_padded_less() {
        let text = hash_of_correct(5).as_str().replace("$2b$", "$2y$");
        let plain_hash = PasswordHash::parse(&text).unwrap();
        assert_eq!(
            check_and_count_rounds("wrong", &plain_hash, 7),
            (false, 1 << 7)
        );
        let long_password = "x".repeat(100);
        assert_eq!(
            check_and_count_rounds(&long_password, &plain_hash, 7),
            (false, 1 << 7)
        );
        assert_eq!(
            check_and_count_rounds(&long_password, &plain_hash, 5),
            (false, 1 << 6)
        );
    }

    #[test]
    fn a_wrong_password_for_scrypt_is_padded_too() {
        let text = [["0"; 32].concat(), ["1"; 128].concat()].join(":");
        let scrypt_hash = PasswordHash::parse(&text).unwrap();
        assert_eq!(
            check_and_count_rounds("wrong", &scrypt_hash, 12),
            (false, (1 << 10) + (1 << 11))
        );
        assert_eq!(
            check_and_count_rounds("wrong", &scrypt_hash, 10),
            (false, 0)
        );
    }
}
