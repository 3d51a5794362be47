//! Tests `GET` and `PATCH /api/auth/account`. The tests of `DELETE` are in `account/delete.rs`.

mod delete;

use std::time::Duration;

use e2e::{App, TestClock, on_both_engines};
use serde_json::{Value, json};

use super::password_reset::requested_mail;

on_both_engines! {
    a_new_account_has_the_registered_name_and_email_address,
    a_change_sets_the_sent_fields_and_the_time_of_the_change,
    null_clears_a_field_and_an_absent_field_is_kept,
    a_name_and_an_image_have_a_maximum_length,
    fields_that_the_server_sets_are_ignored,
    a_change_affects_no_other_user,
    the_language_is_that_of_the_registration_until_it_is_changed,
    mails_are_in_the_language_of_the_account,
    another_language_is_rejected_with_the_allowed_ones,
    a_token_without_an_account_is_rejected_where_an_account_is_needed,
}

const ACCOUNT: &str = "/api/auth/account";

async fn a_new_account_has_the_registered_name_and_email_address(app: App) {
    let ada = app.user("ada").await;
    let expected = json!({
        "id": ada.id(),
        "email": "ada@example.com",
        "name": "ada",
        "image": null,
        "email_verified": false,
        "language": null,
        "roles": [],
        "created_at": TestClock::START,
        "updated_at": TestClock::START,
    });
    assert_eq!(ada.get(ACCOUNT).await.ok(), expected);
}

async fn a_change_sets_the_sent_fields_and_the_time_of_the_change(app: App) {
    let ada = app.user("ada").await;
    let mut expected = ada.get(ACCOUNT).await.ok();
    app.clock.advance(Duration::from_secs(1));

    let image = "https://example.com/ada.png";
    let account = ada.patch(ACCOUNT, json!({ "image": image })).await.ok();
    expected["image"] = image.into();
    expected["updated_at"] = "2026-11-20T12:57:52.869Z".into();
    assert_eq!(account, expected);
    assert_eq!(ada.get(ACCOUNT).await.ok(), expected);

    app.clock.advance(Duration::from_millis(200));
    let account = ada.patch(ACCOUNT, json!({ "name": "Ada" })).await.ok();
    expected["name"] = "Ada".into();
    expected["updated_at"] = "2026-11-20T12:57:53.069Z".into();
    assert_eq!(account, expected);
}

async fn null_clears_a_field_and_an_absent_field_is_kept(app: App) {
    let ada = app.user("ada").await;
    let name_and_image = json!({ "name": "Ada", "image": "ada.png" });
    ada.patch(ACCOUNT, name_and_image).await.ok();
    let account = ada.patch(ACCOUNT, json!({})).await.ok();
    assert_eq!(account["name"], "Ada");
    assert_eq!(account["image"], "ada.png");
    let account = ada.patch(ACCOUNT, json!({ "name": null })).await.ok();
    assert_eq!(account["name"], Value::Null);
    assert_eq!(account["image"], "ada.png");
    let account = ada.patch(ACCOUNT, json!({ "image": null })).await.ok();
    assert_eq!(account["image"], Value::Null);
}

async fn a_name_and_an_image_have_a_maximum_length(app: App) {
    let ada = app.user("ada").await;
    for (field, max_length) in [("name", 200), ("image", 2048)] {
        for length in [max_length - 1, max_length] {
            let text = "é".repeat(length);
            let account = ada.patch(ACCOUNT, json!({ field: text })).await.ok();
            assert_eq!(account[field], text);
        }
        let too_long_text = "é".repeat(max_length + 1);
        let response = ada.patch(ACCOUNT, json!({ field: too_long_text })).await;
        let length_message = format!("must be at most {max_length} characters");
        response.invalid(field, "too_long", &length_message);
        let response = ada.patch(ACCOUNT, json!({ field: "\u{0}" })).await;
        let nul_message = "must not contain the NUL character";
        response.invalid(field, "invalid_character", nul_message);
        let response = ada.patch(ACCOUNT, json!({ field: 5 })).await;
        response.invalid(field, "invalid_type", "must be a string");
    }
}

async fn fields_that_the_server_sets_are_ignored(app: App) {
    let ada = app.user("ada").await;
    let account = ada.get(ACCOUNT).await.ok();
    let body = json!({
        "id": "1",
        "email": "eve@example.com",
        "email_verified": true,
        "password": "another password",
        "password_hash": "$2b$04$",
        "created_at": "1999-01-01T00:00:00.000Z",
    });
    assert_eq!(ada.patch(ACCOUNT, body).await.ok(), account);
    let login_body = json!({ "email": ada.email(), "password": ada.password() });
    app.anonymous()
        .post("/api/auth/login", login_body)
        .await
        .ok();
}

async fn a_change_affects_no_other_user(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let ada_account = ada.get(ACCOUNT).await.ok();
    app.clock.advance(Duration::from_secs(1));
    let body = json!({ "name": "Eve", "id": ada.id(), "user_id": ada.id() });
    let eve_account = eve.patch(ACCOUNT, body).await.ok();
    assert_eq!(eve_account["id"], eve.id());
    assert_eq!(ada.get(ACCOUNT).await.ok(), ada_account);
}

async fn the_language_is_that_of_the_registration_until_it_is_changed(app: App) {
    let body = json!({ "email": "ada@example.com", "password": "correct horse" });
    let request = app.anonymous().post("/api/auth/register", body);
    let grant = request.header("accept-language", "de-AT").await.created();
    assert_eq!(grant["user"]["language"], "de");
    let ada = app.bearer(grant["access_token"].as_str().unwrap());
    for (body, language) in [
        (json!({ "name": "Ada" }), json!("de")),
        (json!({ "language": "en" }), json!("en")),
        (json!({}), json!("en")),
        (json!({ "language": null }), Value::Null),
        (json!({ "language": "de" }), json!("de")),
    ] {
        let account = ada.patch(ACCOUNT, body).await.ok();
        assert_eq!(account["language"], language);
        assert_eq!(account["name"], "Ada");
        assert_eq!(ada.get(ACCOUNT).await.ok(), account);
    }
}

async fn mails_are_in_the_language_of_the_account(app: App) {
    let ada = app.user("ada").await;
    for language in ["de", "en"] {
        let body = json!({ "language": language });
        ada.patch(ACCOUNT, body).await.ok();
        let (mail, _) = requested_mail(&app, ada.email()).await;
        assert_eq!(mail.header("Content-Language"), language);
    }
}

async fn another_language_is_rejected_with_the_allowed_ones(app: App) {
    let ada = app.user("ada").await;
    ada.patch(ACCOUNT, json!({ "language": "de" })).await.ok();
    for language in ["", "fr", "DE", "de-AT", " de", "de\u{0}", "english"] {
        let body = json!({ "name": "Eve", "language": language });
        let response = ada.patch(ACCOUNT, body).await;
        response.invalid("language", "unknown_language", "must be en or de");
    }
    let response = ada.patch(ACCOUNT, json!({ "language": 1 })).await;
    response.invalid("language", "invalid_type", "must be a string");
    let account = ada.get(ACCOUNT).await.ok();
    assert_eq!(
        (&account["language"], &account["name"]),
        (&json!("de"), &json!("ada"))
    );
}

async fn a_token_without_an_account_is_rejected_where_an_account_is_needed(app: App) {
    let caller = app.bearer(app.token_for("eve", "eve@example.com"));
    let challenge = "Bearer realm=\"api\", error=\"invalid_token\", \
                     error_description=\"The account of this token does not exist\"";
    for request in [
        caller.get(ACCOUNT),
        caller.patch(ACCOUNT, json!({ "name": "Eve" })),
        caller.post("/api/eve/tasks", json!({ "title": "a" })),
        caller.post("/api/tasks", json!({ "title": "a" })),
    ] {
        let response = request.await;
        assert_eq!(response.header("www-authenticate"), Some(challenge));
        response.problem(401, "INVALID_TOKEN");
    }
    assert_eq!(caller.get("/api/tasks").await.ok(), json!([]));
}
