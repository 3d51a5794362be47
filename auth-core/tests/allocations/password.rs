//! Tests how many allocations a password attempt makes.

use allocation_counter::measure;
use auth_core::password::PasswordAttempt;

/// If the buffer grew, a copy of the password could stay in memory and would not be wiped.
#[test]
fn a_password_is_copied_once_into_one_buffer() {
    for text in [
        "x",
        &"x".repeat(128),
        &"😀".repeat(128),
        &"😀".repeat(129),
        &"ﬀ".repeat(128),
    ] {
        let allocation_count = measure(|| drop(PasswordAttempt::new(text))).count_total;
        assert_eq!(allocation_count, 1, "{text}");
    }
}
