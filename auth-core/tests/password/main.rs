//! Tests password hashing through the public API.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a helper that fails is a test that fails; slices are of ASCII"
)]

mod hash;
mod import;
mod password;

use auth_core::password::{Cost, Password, PasswordAttempt, PasswordHash};

/// The lowest bcrypt cost, which makes the tests fast.
const COST: u32 = 4;

fn cost() -> Cost {
    Cost::new(COST).unwrap()
}

fn hash(password: &str) -> PasswordHash {
    Password::new(password).unwrap().hash(cost()).unwrap()
}

fn attempt(text: &str) -> PasswordAttempt {
    PasswordAttempt::new(text).unwrap()
}

fn matches(password: &str, hash: &PasswordHash) -> bool {
    attempt(password).matches(hash).unwrap()
}
