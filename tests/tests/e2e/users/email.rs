//! Tests which email addresses are valid, and which spellings are the same email address.

use e2e::{App, Engine, on_both_engines};
use serde_json::{Value, json};

use crate::auth::login::{LOGIN, credentials};

on_both_engines! {
    an_invalid_email_address_creates_no_account_in_either_api,
    every_spelling_of_an_email_address_belongs_to_the_same_account,
    the_token_contains_the_stored_spelling,
    the_local_part_has_at_most_64_bytes,
    an_email_address_with_an_older_spelling_still_logs_in,
    an_email_address_with_an_older_spelling_cannot_be_registered_again,
    a_stored_email_address_with_unsafe_characters_does_not_log_in,
    an_account_with_an_older_spelling_can_change_its_password,
    the_log_names_the_command_that_lists_stored_email_addresses,
}

const REGISTER: &str = "/api/auth/register";
const SIGN_UP: &str = "/api/auth/sign-up/email";
const PASSWORD: &str = "correct horse";

const INVALID_EMAILS: &[&str] = &[
    "x@evil.com\r\nBcc: v[127.0.0.1]",
    "x@<img onerror=alert(1)>[127.0.0.1]",
    "x@<img/onerror=alert(1)>[127.0.0.1]",
    "a@\u{0}[1.1.1.1]",
    "a\u{0}@example.com",
    "a@[127.0.0.1]",
    "a@[IPv6:::1]",
    "a@127.0.0.1",
    "\"a\"@example.com",
    "\"a\r\n\"@example.com",
    "a@exam\tple.com",
    "a@exam\u{3000}ple.com",
    "a\u{a0}@example.com",
    "a\u{202e}@example.com",
    "ä@example.com",
    "a..b@example.com",
    ".a@example.com",
    "a@example..com",
    "a@example.com.",
    "a@-example.com",
    "a@b@example.com",
    "<a@example.com>",
    "a@example.com,b@example.com",
];

async fn register(app: &App, email: &str) -> e2e::Response {
    let body = credentials(email, PASSWORD);
    app.anonymous().post(REGISTER, body).await
}

async fn an_invalid_email_address_creates_no_account_in_either_api(app: App) {
    for email in INVALID_EMAILS {
        let problem = register(&app, email).await.problem(422, "VALIDATION_ERROR");
        assert_eq!(problem["errors"][0]["field"], "email", "{email:?}");
        assert_eq!(problem["errors"][0]["code"], "invalid_email", "{email:?}");
        let body = json!({ "email": email, "password": PASSWORD, "name": "" });
        let response = app.anonymous().post(SIGN_UP, body).await;
        assert_eq!(response.code(), "VALIDATION_ERROR", "{email:?}");
        let _response = response.assert_status(400);
        let body = credentials(email, PASSWORD);
        let response = app.anonymous().post("/api/auth/sign-in/email", body).await;
        assert_eq!(response.code(), "INVALID_EMAIL", "{email:?}");
        let response = app
            .anonymous()
            .post(LOGIN, credentials(email, PASSWORD))
            .await;
        assert!([401, 422].contains(&response.status()), "{email:?}");
    }
    assert_eq!(user_count(&app), "0");
}

fn user_count(app: &App) -> String {
    let count = app.database().value("SELECT count(*) FROM users");
    count.unwrap()
}

async fn every_spelling_of_an_email_address_belongs_to_the_same_account(app: App) {
    let spellings_of_ascii_domain = [
        "ada@example.com",
        "Ada@Example.COM",
        "ada@ｅxample.com",
        "ada@exam\u{ad}ple.com",
        "ada@example。com",
        "ada@exa\u{200b}mple.com",
    ];
    let spellings_of_international_domain = [
        "ada@EXÄMPLE.de",
        "ada@exämple.de",
        "ADA@XN--EXMPLE-CUA.DE",
        "ada@exa\u{308}mple.de",
    ];
    for spellings in [
        &spellings_of_ascii_domain[..],
        &spellings_of_international_domain[..],
    ] {
        let token_response = register(&app, spellings[0]).await.created();
        for spelling in spellings {
            let response = register(&app, spelling).await;
            response.problem(409, "USER_ALREADY_EXISTS");
            let login_request = app.anonymous().post(LOGIN, credentials(spelling, PASSWORD));
            assert_eq!(
                login_request.await.ok()["user"],
                token_response["user"],
                "{spelling}"
            );
        }
    }
    assert_eq!(user_count(&app), "2");
}

async fn the_token_contains_the_stored_spelling(app: App) {
    let token_response = register(&app, "Ada@EXÄMPLE.de").await.created();
    assert_eq!(token_response["user"]["email"], "ada@xn--exmple-cua.de");
    let token = token_response["access_token"].as_str().unwrap();
    let session = app.bearer(token).get("/api/auth/session").await.ok();
    assert_eq!(session["user"]["email"], "ada@xn--exmple-cua.de");
}

async fn the_local_part_has_at_most_64_bytes(app: App) {
    for (length, status) in [(63, 201), (64, 201), (65, 422)] {
        let email = format!("{}@example.com", "l".repeat(length));
        assert_eq!(register(&app, &email).await.status(), status, "{length}");
    }
    let build_sign_up = |length| {
        let email = format!("{}@example.org", "l".repeat(length));
        let body = json!({ "email": email, "password": PASSWORD, "name": "" });
        app.anonymous().post(SIGN_UP, body)
    };
    assert_eq!(build_sign_up(64).await.status(), 200);
    assert_eq!(build_sign_up(65).await.status(), 400);
}

/// Registers an account, then replaces the stored email address with a spelling that only earlier releases stored.
/// Returns the id of the user.
async fn register_and_store_older_spelling(
    app: &App,
    user_number: usize,
    stored_email: &str,
) -> Value {
    let registered_email = format!("user{user_number}@example.com");
    let token_response = register(app, &registered_email).await.created();
    let statement =
        format!("UPDATE users SET email = '{stored_email}' WHERE email = '{registered_email}'");
    app.database().execute(&statement);
    token_response["user"]["id"].clone()
}

async fn an_email_address_with_an_older_spelling_still_logs_in(app: App) {
    let cases: [(&str, &[&str]); 5] = [
        (
            "ada@exämple.de",
            &["ada@exämple.de", "Ada@EXÄMPLE.de", "ada@xn--exmple-cua.de"],
        ),
        (
            "ada@ｅxample.org",
            &["ada@ｅxample.org", "ADA@ｅxample.org"],
        ),
        (
            "a..b@example.org",
            &["a..b@example.org", "A..B@example.org"],
        ),
        ("a@[127.0.0.1]", &["a@[127.0.0.1]"]),
        ("a@127.0.0.1", &["a@127.0.0.1"]),
    ];
    for (number, (stored_email, sent_emails)) in cases.into_iter().enumerate() {
        let user_id = register_and_store_older_spelling(&app, number, stored_email).await;
        for sent_email in sent_emails {
            let login_response = app
                .anonymous()
                .post(LOGIN, credentials(sent_email, PASSWORD))
                .await;
            assert_eq!(login_response.ok()["user"]["id"], user_id, "{sent_email}");
            let request = app
                .anonymous()
                .post(LOGIN, credentials(sent_email, "wrong horse"));
            request.await.problem(401, "INVALID_EMAIL_OR_PASSWORD");
        }
    }
}

async fn an_email_address_with_an_older_spelling_cannot_be_registered_again(app: App) {
    let user_id = register_and_store_older_spelling(&app, 0, "ada@exämple.de").await;
    for spelling in ["ada@exämple.de", "ada@xn--exmple-cua.de"] {
        let response = register(&app, spelling).await;
        response.problem(409, "USER_ALREADY_EXISTS");
    }
    let login_request = app
        .anonymous()
        .post(LOGIN, credentials("ada@exämple.de", PASSWORD));
    assert_eq!(login_request.await.ok()["user"]["id"], user_id);
}

async fn a_stored_email_address_with_unsafe_characters_does_not_log_in(app: App) {
    let unsafe_email = "x@<img/onerror=x>[127.0.0.1]";
    register_and_store_older_spelling(&app, 0, unsafe_email).await;
    let response = app
        .anonymous()
        .post(LOGIN, credentials(unsafe_email, PASSWORD))
        .await;
    response.problem(422, "VALIDATION_ERROR");
}

async fn an_account_with_an_older_spelling_can_change_its_password(app: App) {
    register_and_store_older_spelling(&app, 0, "ada@exämple.de").await;
    let login_request = app
        .anonymous()
        .post(LOGIN, credentials("ada@exämple.de", PASSWORD));
    let token = login_request.await.ok()["access_token"].clone();
    let body = json!({ "current_password": PASSWORD, "new_password": "another horse" });
    let change_request = app
        .bearer(token.as_str().unwrap())
        .post("/api/auth/change-password", body);
    let _response = change_request.await.assert_status(200);
    let new_login_request = app
        .anonymous()
        .post(LOGIN, credentials("ada@exämple.de", "another horse"));
    new_login_request.await.ok();
}

/// All tests share one log. Only the two runs of this test, one for each engine, have seven accounts with an older
/// spelling, so only these runs log this number.
async fn the_log_names_the_command_that_lists_stored_email_addresses(engine: Engine) {
    let app = App::on(engine).start();
    for number in 0..7 {
        register_and_store_older_spelling(&app, number, &format!("ada{number}@exämple.de")).await;
    }
    let log_text = "7 accounts have an address that today's rule refuses or spells otherwise";
    let line_count_before = e2e::log_lines::find(log_text).len();
    let other_process = app.another_process().start();
    for _ in 0..1000 {
        other_process.anonymous().get("/healthz").await.ok();
        if e2e::log_lines::find(log_text).len() > line_count_before {
            let lines = e2e::log_lines::find(log_text);
            assert!(
                lines
                    .iter()
                    .all(|line| line.contains("api-server users check"))
            );
            return;
        }
    }
    panic!("no such line in the log");
}
