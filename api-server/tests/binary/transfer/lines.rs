//! Lines of an export, for tests that need many of them.

use serde_json::json;

use super::fixtures::SCRYPT_HASH;

/// Returns a line of an export: a user with this number and the password of the other fixtures.
pub(crate) fn user_line(number: usize) -> String {
    let user = json!({
        "id": format!("u{number:06}"), "email": format!("u{number}@example.com"), "name": null, "image": null,
        "email_verified": true, "password_hash": SCRYPT_HASH,
        "created_at": "2026-01-02T03:04:05.000000Z", "updated_at": "2026-01-02T03:04:05.000000Z",
    });
    format!("{}\n", json!({ "user": user }))
}
