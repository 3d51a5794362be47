//! Provokes the errors of credentials that are missing, malformed, expired, revoked or wrong.

use std::time::Duration;

use auth_core::Scope;
use e2e::{App, Client, Engine, Issuer, Response};
use serde_json::json;

use crate::auth::email_verification;
use crate::auth::login::{LOGIN, credentials};
use crate::auth::password_reset::{confirm_token, requested_mail};
use crate::sessions::fixtures::encode_refresh_token;

pub(super) async fn no_token(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.anonymous().get("/api/auth/session").await
}

pub(super) async fn a_malformed_token(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.bearer("junk").get("/api/auth/session").await
}

pub(super) async fn an_expired_token(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    app.clock.advance(Duration::from_secs(3600));
    ada.get("/api/auth/session").await
}

pub(super) async fn a_wrong_password(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let wrong_credentials = credentials(ada.email(), "not the password");
    app.anonymous().post(LOGIN, wrong_credentials).await
}

pub(super) async fn the_token_of_a_revoked_session(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    ada.request("POST", "/api/auth/logout").await.ok();
    ada.get("/api/auth/session").await
}

/// Sends refresh tokens of the caller's session with these counters, one after the other. Returns the last response.
async fn refresh_with_counters<const N: usize>(
    app: &App,
    caller: &Client,
    counters: [u32; N],
) -> Response {
    let session_response = caller.get("/api/auth/session").await.ok();
    let session_id = session_response["session"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let refresh = |counter| {
        let token = encode_refresh_token(app.secret(), &session_id, counter);
        let body = json!({ "refresh_token": token });
        app.anonymous()
            .post("/api/auth/refresh", body)
            .into_future()
    };
    let mut last_response = None;
    for counter in counters {
        last_response = Some(refresh(counter).await);
    }
    last_response.unwrap()
}

pub(super) async fn a_refresh_token_two_rotations_old(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    refresh_with_counters(&app, &ada, [0, 1, 0]).await
}

pub(super) async fn a_refresh_token_of_a_revoked_session(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    app.clock.advance(Duration::from_secs(10));
    let revoke_sql = "UPDATE sessions SET revoked_at = created_at";
    app.database().execute(revoke_sql);
    refresh_with_counters(&app, &ada, [0]).await
}

pub(super) async fn a_wrong_current_password(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let body = json!({ "current_password": "wrong", "new_password": "another one" });
    let ada = app.user("ada").await;
    ada.post("/api/auth/change-password", body).await
}

pub(super) async fn a_used_token_of_a_mail(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    confirm_token(&app, mail.token()).await.ok();
    confirm_token(&app, mail.token()).await
}

pub(super) async fn a_login_before_verification(engine: Engine) -> Response {
    let app = App::on(engine)
        .set("email-verification", "required")
        .start();
    let body = credentials("ada@example.com", "correct horse");
    let response = app
        .anonymous()
        .post("/api/auth/register", body.clone())
        .await;
    let _accepted = response.assert_status(202);
    app.anonymous().post(LOGIN, body).await
}

pub(super) async fn a_verification_without_a_session(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let (mail, _) = email_verification::requested_mail(&app, ada.email()).await;
    email_verification::confirm(&app.anonymous(), mail.token()).await
}

pub(super) async fn a_stale_token(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let (mail, _) = email_verification::requested_mail(&app, ada.email()).await;
    email_verification::confirm(&ada, mail.token()).await.ok();
    ada.get("/api/auth/session").await
}

pub(super) async fn a_token_without_the_scope(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let mut issuer = Issuer::of(&app);
    issuer.scope = Some(Scope::new("tasks:read").unwrap());
    let token = issuer.issue("ada", "ada@example.com");
    app.bearer(token).get("/api/auth/sessions").await
}
