//! Tests how many allocations a password attempt makes.

use allocation_counter::measure;
use auth_core::password::PasswordAttempt;

/// When a buffer grows, a copy of the password stays in memory and is not wiped.
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
