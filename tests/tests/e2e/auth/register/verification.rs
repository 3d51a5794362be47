//! Tests the mail that a registration sends, unless `EMAIL_VERIFICATION` is `off`.

use e2e::{App, Engine, on_both_engines};
use serde_json::json;

use crate::auth::email_verification::{confirm, is_verified};
use crate::mail::{received, until_nothing_waits};
use crate::sessions::fixtures::count;

on_both_engines! {
    a_registration_sends_one_mail_and_logs_the_user_in,
    the_mail_counts_towards_the_quota_of_the_network,
    a_rejected_registration_sends_no_mail,
    a_registration_that_cannot_store_its_mail_creates_no_account,
    without_verification_a_registration_sends_no_mail_but_a_user_can_request_one,
    a_full_outbox_does_not_prevent_a_registration,
}

const REGISTER: &str = "/api/auth/register";

fn start(engine: Engine) -> App {
    App::on(engine)
        .behind_proxy()
        .set("email-verification", "optional")
        .start()
}

async fn a_registration_sends_one_mail_and_logs_the_user_in(engine: Engine) {
    let app = start(engine);
    for (path, email, language) in [
        (REGISTER, "ada@example.com", "de"),
        ("/api/auth/signup", "eve@example.com", "en"),
    ] {
        let body = json!({ "email": email, "password": "correct horse" });
        let request = app.anonymous().post(path, body);
        let response = request.header("accept-language", language).await;
        assert_eq!(response.header_values("set-cookie").len(), 2);
        let grant = response.created();
        assert_eq!(grant["user"]["email_verified"], false);
        let mails = received(&app, email, 1).await;
        assert_eq!(mails[0].kind(), "email_verification");
        assert_eq!(mails[0].header("Content-Language"), language);
        assert_eq!(count(&app, &format!("users WHERE email = '{email}'")), 1);
        // The text of a German mail is encoded, so the test cannot read its link.
        if language == "en" {
            let user = app.bearer(grant["access_token"].as_str().unwrap());
            confirm(&user, mails[0].token()).await.ok();
            assert!(is_verified(&app, email));
        }
    }
}

async fn the_mail_counts_towards_the_quota_of_the_network(engine: Engine) {
    let app = start(engine);
    for number in 0..22 {
        let body = json!({ "email": format!("{number}@example.com"), "password": "correct horse" });
        let request = app.anonymous().post(REGISTER, body);
        let response = request.header("x-forwarded-for", "192.0.2.1").await;
        response.created();
    }
    until_nothing_waits(&app).await;
    assert_eq!(app.mails().len(), 20);
    assert_eq!(count(&app, "outbox WHERE network = '192.0.2.1'"), 22);
}

async fn a_rejected_registration_sends_no_mail(engine: Engine) {
    let app = start(engine);
    app.user("ada").await;
    received(&app, "ada@example.com", 1).await;
    let body = json!({ "email": "ada@example.com", "password": "correct horse" });
    let response = app.anonymous().post(REGISTER, body).await;
    response.problem(409, "USER_ALREADY_EXISTS");
    let body = json!({ "email": "eve@example.com", "password": "short" });
    let response = app.anonymous().post(REGISTER, body).await;
    response.problem(422, "VALIDATION_ERROR");
    assert_eq!(count(&app, "outbox"), 1);
}

async fn a_registration_that_cannot_store_its_mail_creates_no_account(engine: Engine) {
    for mode in ["optional", "required"] {
        let app = App::on(engine).set("email-verification", mode).start();
        app.database().execute("ALTER TABLE outbox RENAME TO gone");
        let body = json!({ "email": "ada@example.com", "password": "correct horse" });
        let response = app.anonymous().post(REGISTER, body).await;
        response.problem(500, "INTERNAL_SERVER_ERROR");
        assert_eq!(count(&app, "users"), 0);
        assert_eq!(count(&app, "sessions"), 0);
    }
}

async fn without_verification_a_registration_sends_no_mail_but_a_user_can_request_one(
    engine: Engine,
) {
    let app = App::on(engine).set("email-verification", "off").start();
    let ada = app.user("ada").await;
    assert_eq!(count(&app, "outbox"), 0);
    let (mail, _) = crate::auth::email_verification::requested_mail(&app, ada.email()).await;
    confirm(&ada, mail.token()).await.ok();
}

async fn a_full_outbox_does_not_prevent_a_registration(engine: Engine) {
    let app = start(engine);
    let row = |number: usize| {
        format!(
            "('00000000-0000-7000-8000-{number:012}', 'password_reset', 'x@example.com', \
             '2026-11-20 12:00:00', '2026-11-22 13:00:00', '2026-11-21 12:00:00', 0, 0)"
        )
    };
    for start in (0..10_000).step_by(1000) {
        let rows: Vec<_> = (start..start + 1000).map(row).collect();
        app.database().execute(&format!(
            "INSERT INTO outbox (id, kind, recipient, created_at, expires_at, next_attempt_at, attempts, wrong_codes) \
             VALUES {}",
            rows.join(", ")
        ));
    }
    // A process counts the rows at its start.
    for mode in ["optional", "required"] {
        let process = app.another_process().set("email-verification", mode);
        let full_process = process.start();
        let mut number = 0;
        loop {
            number += 1;
            assert!(number < 300, "every registration has added a mail");
            let email = format!("{mode}{number}@example.com");
            let body = json!({ "email": email, "password": "correct horse" });
            let response = full_process.anonymous().post(REGISTER, body).await;
            assert!([201, 202].contains(&response.status()), "{response:?}");
            assert_eq!(count(&app, &format!("users WHERE email = '{email}'")), 1);
            if count(&app, &format!("outbox WHERE recipient = '{email}'")) == 0 {
                break;
            }
        }
    }
}
