//! Tests `POST /api/auth/register` and the alias `POST /api/auth/signup`.

mod parallel;
mod required;
mod verification;

use e2e::{App, TestClock, on_both_engines};
use serde_json::{Value, json};

on_both_engines! {
    a_new_account_is_logged_in,
    signup_is_an_alias_of_register,
    the_name_is_optional,
    an_email_address_is_lower_cased_and_has_one_account,
    a_tag_or_a_dot_makes_a_different_email_address,
    an_international_domain_is_accepted,
    an_email_address_may_have_254_bytes,
    a_malformed_email_address_is_rejected_and_not_trimmed,
    a_password_has_8_to_128_characters,
    a_name_has_at_most_200_characters,
    the_response_lists_every_invalid_field,
    fields_that_the_server_sets_are_ignored,
    a_rejected_registration_stores_nothing,
}

const REGISTER: &str = "/api/auth/register";

/// Returns the body of a registration with this email address and without a name.
fn registration_body(email: &str) -> Value {
    json!({ "email": email, "password": "correct horse" })
}

async fn a_new_account_is_logged_in(app: App) {
    let body = json!({ "email": "ada@example.com", "password": "correct horse", "name": "Ada" });
    let token_response = app.anonymous().post(REGISTER, body).await.created();
    let expected_user = json!({
        "id": token_response["user"]["id"],
        "email": "ada@example.com",
        "name": "Ada",
        "image": null,
        "language": null,
        "roles": [],
        "email_verified": false,
        "created_at": TestClock::START,
        "updated_at": TestClock::START,
    });
    assert_eq!(token_response["user"], expected_user);
    assert_eq!(token_response["token_type"], "Bearer");
    assert_eq!(token_response["expires_in"], 900);
    assert!(token_response["session_id"].is_string());

    let token = token_response["access_token"].as_str().unwrap();
    let account = app.bearer(token).get("/api/auth/account").await.ok();
    assert_eq!(account, expected_user);
}

async fn signup_is_an_alias_of_register(app: App) {
    let caller = app.anonymous();
    let response = caller
        .post("/api/auth/signup", registration_body("ada@example.com"))
        .await;
    assert_eq!(response.created()["user"]["email"], "ada@example.com");
    let duplicate_response = caller
        .post(REGISTER, registration_body("ada@example.com"))
        .await;
    duplicate_response.problem(409, "USER_ALREADY_EXISTS");
}

async fn the_name_is_optional(app: App) {
    let caller = app.anonymous();
    for (number, name) in [Value::Null, json!("")].into_iter().enumerate() {
        let mut body = registration_body(&format!("{number}@example.com"));
        body["name"] = name.clone();
        let token_response = caller.post(REGISTER, body).await.created();
        assert_eq!(token_response["user"]["name"], name);
    }
    let response = caller
        .post(REGISTER, registration_body("ada@example.com"))
        .await;
    assert_eq!(response.created()["user"]["name"], Value::Null);
}

async fn an_email_address_is_lower_cased_and_has_one_account(app: App) {
    let caller = app.anonymous();
    let response = caller
        .post(REGISTER, registration_body("Ada@Example.COM"))
        .await;
    assert_eq!(response.created()["user"]["email"], "ada@example.com");
    for spelling in ["ada@example.com", "ADA@EXAMPLE.COM", "aDa@example.com"] {
        let duplicate_response = caller.post(REGISTER, registration_body(spelling)).await;
        duplicate_response.problem(409, "USER_ALREADY_EXISTS");
        let login_response = caller
            .post("/api/auth/login", registration_body(spelling))
            .await;
        assert_eq!(login_response.ok()["user"]["email"], "ada@example.com");
    }
}

async fn a_tag_or_a_dot_makes_a_different_email_address(app: App) {
    let caller = app.anonymous();
    for email in [
        "ada@example.com",
        "ada+work@example.com",
        "ada+home@example.com",
        "a.da@example.com",
    ] {
        let token_response = caller
            .post(REGISTER, registration_body(email))
            .await
            .created();
        assert_eq!(token_response["user"]["email"], email);
    }
}

async fn an_international_domain_is_accepted(app: App) {
    let caller = app.anonymous();
    for (sent_email, stored_email) in [
        ("ada@Bücher.example", "ada@xn--bcher-kva.example"),
        ("bob@xn--bcher-kva.example", "bob@xn--bcher-kva.example"),
        ("ada@例え.テスト", "ada@xn--r8jz45g.xn--zckzah"),
    ] {
        let token_response = caller
            .post(REGISTER, registration_body(sent_email))
            .await
            .created();
        assert_eq!(token_response["user"]["email"], stored_email);
        let login_response = caller
            .post("/api/auth/login", registration_body(sent_email))
            .await;
        assert_eq!(
            login_response.ok()["user"]["id"],
            token_response["user"]["id"]
        );
    }
}

/// Returns an email address of this length, in bytes.
fn email_of_length(length: usize) -> String {
    let label = "d".repeat(63);
    let domain = format!("{label}.{label}.{label}.example");
    format!("{}@{domain}", "a".repeat(length - domain.len() - 1))
}

async fn an_email_address_may_have_254_bytes(app: App) {
    let caller = app.anonymous();
    for length in [253, 254] {
        let email = email_of_length(length);
        let token_response = caller
            .post(REGISTER, registration_body(&email))
            .await
            .created();
        assert_eq!(token_response["user"]["email"], email);
    }
    let too_long_email = email_of_length(255);
    let response = caller
        .post(REGISTER, registration_body(&too_long_email))
        .await;
    response.invalid("email", "too_long", "must be at most 254 bytes");
    // This email address has 254 characters, but 255 bytes.
    let long_international_email = format!("ü{}", email_of_length(253));
    let response = caller
        .post(REGISTER, registration_body(&long_international_email))
        .await;
    response.invalid("email", "too_long", "must be at most 254 bytes");
}

async fn a_malformed_email_address_is_rejected_and_not_trimmed(app: App) {
    let caller = app.anonymous();
    for email in [
        " ada@example.com",
        "ada@example.com ",
        "ada@example.com\n",
        "ada\u{0}@example.com",
        "ada@exam\u{0}ple.com",
        "ada @example.com",
        "ada@@example.com",
        "ada@",
        "@example.com",
        "ada",
        "Ada <ada@example.com>",
    ] {
        let response = caller.post(REGISTER, registration_body(email)).await;
        response.invalid("email", "invalid_email", "must be an email address");
    }
    let response = caller.post(REGISTER, registration_body("")).await;
    response.invalid("email", "required", "is required");
    let response = caller
        .post(REGISTER, json!({ "password": "correct horse" }))
        .await;
    response.invalid("email", "required", "is required");
}

async fn a_password_has_8_to_128_characters(app: App) {
    let caller = app.anonymous();
    let register = async |length: usize, character: &str| {
        let email = format!("{length}-{}@example.com", character.len());
        let body = json!({ "email": email, "password": character.repeat(length) });
        caller.post(REGISTER, body).await
    };
    // The limits are numbers of characters, not of bytes.
    for character in ["%", "é", "😀"] {
        for length in [8, 9, 127, 128] {
            register(length, character).await.created();
        }
        let code = "unacceptable_password";
        let response = register(7, character).await;
        response.invalid("password", code, "must be at least 8 characters");
        let response = register(129, character).await;
        response.invalid("password", code, "must be at most 128 characters");
    }
    let response = register(0, "%").await;
    response.invalid("password", "required", "is required");
    let response = caller
        .post(REGISTER, json!({ "email": "ada@example.com" }))
        .await;
    response.invalid("password", "required", "is required");
}

async fn a_name_has_at_most_200_characters(app: App) {
    let caller = app.anonymous();
    let register = async |name: String| {
        let mut body = registration_body(&format!("{}@example.com", name.len()));
        body["name"] = name.into();
        caller.post(REGISTER, body).await
    };
    for length in [199, 200] {
        register("é".repeat(length)).await.created();
    }
    let response = register("é".repeat(201)).await;
    response.invalid("name", "too_long", "must be at most 200 characters");
    let response = register("A\u{0}da".to_owned()).await;
    let message = "must not contain the NUL character";
    response.invalid("name", "invalid_character", message);
}

async fn the_response_lists_every_invalid_field(app: App) {
    let body = json!({ "email": "ada", "password": "short", "name": "n".repeat(201) });
    let response = app.anonymous().post(REGISTER, body).await;
    let problem = response.problem(422, "VALIDATION_ERROR");
    let expected = json!([
        { "field": "email", "code": "invalid_email", "message": "must be an email address" },
        { "field": "name", "code": "too_long", "message": "must be at most 200 characters" },
        {
            "field": "password",
            "code": "unacceptable_password",
            "message": "must be at least 8 characters"
        },
    ]);
    assert_eq!(problem["errors"], expected);
}

async fn fields_that_the_server_sets_are_ignored(app: App) {
    let mut body = registration_body("ada@example.com");
    body["id"] = "1".into();
    body["email_verified"] = true.into();
    body["created_at"] = "1999-01-01T00:00:00.000Z".into();
    body["password_hash"] = "$2b$04$".into();
    body["is_admin"] = true.into();
    let token_response = app.anonymous().post(REGISTER, body).await.created();
    assert_ne!(token_response["user"]["id"], "1");
    assert_eq!(token_response["user"]["email_verified"], false);
    assert_eq!(token_response["user"]["created_at"], TestClock::START);
    assert_eq!(token_response["user"]["is_admin"], Value::Null);
}

async fn a_rejected_registration_stores_nothing(app: App) {
    let ada = app.user("ada").await;
    let counts_query =
        "SELECT (SELECT count(*) FROM users) || ' ' || (SELECT count(*) FROM sessions)";
    assert_eq!(app.database().value(counts_query).unwrap(), "1 1");

    let duplicate_body =
        json!({ "email": ada.email(), "password": "another password", "name": "Eve" });
    let response = app.anonymous().post(REGISTER, duplicate_body).await;
    response.problem(409, "USER_ALREADY_EXISTS");
    let invalid_body = json!({ "email": "eve@example.com", "password": "short" });
    let response = app.anonymous().post(REGISTER, invalid_body).await;
    response.problem(422, "VALIDATION_ERROR");

    assert_eq!(app.database().value(counts_query).unwrap(), "1 1");
    let login_body = json!({ "email": ada.email(), "password": ada.password() });
    let token_response = app
        .anonymous()
        .post("/api/auth/login", login_body)
        .await
        .ok();
    assert_eq!(token_response["user"]["name"], "ada");
}
