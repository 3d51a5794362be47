//! Tests that the body of a confirmation has either the token of a mail, or the id of a challenge and its code.

use e2e::Client;
use serde_json::{Value, json};

/// Sends each invalid combination to the path, together with the fields of `rest`, and asserts the error.
pub(crate) async fn assert_either_token_or_code(caller: &Client, path: &str, rest: Value) {
    let missing = "is required, or challenge_id and code instead";
    let conflict = "must not be sent together with challenge_id or code";
    let required = "is required";
    let all = json!({ "token": "x", "challenge_id": "x", "code": "x" });
    for (mut body, field, code, message) in [
        (json!({}), "token", "required", missing),
        (json!({ "token": null }), "token", "required", missing),
        (json!({ "challenge_id": "x" }), "code", "required", required),
        (json!({ "code": "x" }), "challenge_id", "required", required),
        (
            json!({ "token": "x", "code": "x" }),
            "token",
            "conflict",
            conflict,
        ),
        (all, "token", "conflict", conflict),
        (
            json!({ "token": 1 }),
            "token",
            "invalid_type",
            "must be a string",
        ),
    ] {
        let fields = body.as_object_mut().unwrap();
        fields.extend(rest.as_object().unwrap().clone());
        let response = caller.post(path, body).await;
        response.invalid(field, code, message);
    }
}
