//! Tests logins to accounts whose email address is not verified.

use e2e::{App, Engine, on_both_engines};

use super::{LOGIN, credentials};
use crate::auth::change_password::passwords_body;
use crate::auth::email_verification::{confirm, requested_mail};
use crate::auth::password_reset;
use crate::sessions::fixtures::{CHANGE_PASSWORD, count, login, refreshed};

on_both_engines! {
    a_login_needs_a_verified_address_only_if_the_server_requires_it,
    only_the_right_password_shows_that_the_address_is_not_verified,
    a_refused_login_begins_no_session_and_sends_no_mail,
    sessions_from_before_the_requirement_stay,
    a_reset_of_the_password_verifies_the_address,
}

fn requiring_process(app: &App) -> App {
    app.another_process()
        .set("email-verification", "required")
        .start()
}

async fn a_login_needs_a_verified_address_only_if_the_server_requires_it(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let body = credentials(ada.email(), ada.password());
    for mode in ["off", "optional"] {
        let process = app.another_process().set("email-verification", mode);
        let response = process.start().anonymous().post(LOGIN, body.clone()).await;
        response.ok();
    }
    let process = requiring_process(&app);
    let response = process.anonymous().post(LOGIN, body.clone()).await;
    response.problem(403, "EMAIL_NOT_VERIFIED");
    let (mail, _) = requested_mail(&process, ada.email()).await;
    confirm(&ada, mail.token()).await.ok();
    process.anonymous().post(LOGIN, body).await.ok();
}

async fn only_the_right_password_shows_that_the_address_is_not_verified(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let process = requiring_process(&app);
    for (email, password) in [
        (ada.email(), "not the password"),
        ("nobody@example.com", ada.password()),
    ] {
        let body = credentials(email, password);
        let response = process.anonymous().post(LOGIN, body).await;
        response.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    let body = credentials(ada.email(), ada.password());
    let response = process.anonymous().post(LOGIN, body).await;
    response.problem(403, "EMAIL_NOT_VERIFIED");
}

async fn a_refused_login_begins_no_session_and_sends_no_mail(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let session_count = count(&app, "sessions");
    let body = credentials(ada.email(), ada.password());
    let response = requiring_process(&app).anonymous().post(LOGIN, body).await;
    assert_eq!(response.header_values("set-cookie"), [""; 0]);
    response.problem(403, "EMAIL_NOT_VERIFIED");
    assert_eq!(count(&app, "sessions"), session_count);
    assert_eq!(count(&app, "outbox"), 0);
}

async fn sessions_from_before_the_requirement_stay(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let device = login(&app, &ada).await;
    let process = requiring_process(&app);
    let device = refreshed(&process, &device).await;
    let caller = process.bearer(device.access);
    caller.get("/api/auth/account").await.ok();
    let body = passwords_body(ada.password(), "another good password");
    caller.post(CHANGE_PASSWORD, body).await.ok();
}

async fn a_reset_of_the_password_verifies_the_address(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let process = requiring_process(&app);
    let (mail, _) = password_reset::requested_mail(&process, ada.email()).await;
    let response = password_reset::confirm_token(&process, mail.token()).await;
    response.ok();
    let body = credentials(ada.email(), password_reset::NEW_PASSWORD);
    process.anonymous().post(LOGIN, body).await.ok();
}
