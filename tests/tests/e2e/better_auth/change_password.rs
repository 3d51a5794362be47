//! `POST /api/auth/change-password` in both worlds, and `POST /api/auth/verify-password`

use e2e::{App, on_both_engines};
use serde_json::{Value, json};

use super::world::*;

on_both_engines! {
    other_sessions_stay_unless_they_are_to_end,
    all_sessions_start_over,
    every_failure_has_its_code_and_message,
    the_body_tells_which_api_is_meant,
    a_password_is_verified,
    an_account_without_a_password_has_none_to_change,
}

const NEW: &str = "another good password";

async fn knows(app: &App, password: &str) -> bool {
    let body = json!({ "email": "ada@example.com", "password": password });
    app.anonymous().post(SIGN_IN, body).await.status() == 200
}

async fn other_sessions_stay_unless_they_are_to_end(app: App) {
    let (ada, phone) = (
        sign_up(&app, "ada").await,
        sign_in(&app, "ada@example.com").await,
    );
    for body in [
        json!({ "currentPassword": PASSWORD, "newPassword": NEW }),
        json!({ "currentPassword": NEW, "newPassword": NEW, "revokeOtherSessions": false }),
    ] {
        let answer = ada.post(&app, CHANGE_PASSWORD, body).await;
        assert!(answer.all("set-cookie").is_empty());
        assert_eq!(answer.ok(), json!({ "token": null, "user": ada.user }));
    }
    assert!(ada.is_signed_in(&app).await && phone.is_signed_in(&app).await);
    assert!(knows(&app, NEW).await && !knows(&app, PASSWORD).await);
}

async fn all_sessions_start_over(app: App) {
    let (ada, phone) = (
        sign_up(&app, "ada").await,
        sign_in(&app, "ada@example.com").await,
    );
    let access = ada.get(&app, "/api/auth/token").await.ok()["token"].clone();
    let body = json!({
        "currentPassword": PASSWORD, "newPassword": NEW, "revokeOtherSessions": true,
    });
    let answer = ada.post(&app, CHANGE_PASSWORD, body).await.is(200);
    let fresh = Browser::of(&answer);
    assert_ne!(fresh.token, ada.token);
    assert_eq!(fresh.user, ada.user);
    assert!(fresh.is_signed_in(&app).await);
    assert!(!ada.is_signed_in(&app).await && !phone.is_signed_in(&app).await);
    let session = app
        .bearer(access.as_str().unwrap())
        .get("/api/auth/session");
    session.await.refused(401, "TOKEN_REVOKED");
}

async fn every_failure_has_its_code_and_message(app: App) {
    let ada = sign_up(&app, "ada").await;
    for (current, new, expected) in [
        (
            "wrong password",
            NEW,
            (400, "INVALID_PASSWORD", "Invalid password"),
        ),
        ("", NEW, (400, "INVALID_PASSWORD", "Invalid password")),
        (
            PASSWORD,
            "1234567",
            (400, "PASSWORD_TOO_SHORT", "Password too short"),
        ),
        (
            PASSWORD,
            &"x".repeat(129),
            (400, "PASSWORD_TOO_LONG", "Password too long"),
        ),
        (
            &"x".repeat(129),
            NEW,
            (400, "PASSWORD_TOO_LONG", "Password too long"),
        ),
    ] {
        let body = json!({ "currentPassword": current, "newPassword": new });
        says(&ada.post(&app, CHANGE_PASSWORD, body).await, expected);
    }
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW, "revokeOtherSessions": 1 });
    let answer = ada.post(&app, CHANGE_PASSWORD, body).await;
    let message = "[body.revokeOtherSessions] Invalid input: expected boolean, received number";
    says(&answer, (400, "VALIDATION_ERROR", message));
    assert!(knows(&app, PASSWORD).await);
}

async fn the_body_tells_which_api_is_meant(app: App) {
    let (ada, eve) = (sign_up(&app, "ada").await, app.user("eve").await);
    // Neither name: by whose token the caller is known.
    says(
        &ada.post(&app, CHANGE_PASSWORD, json!({})).await,
        (
            400,
            "VALIDATION_ERROR",
            "[body.newPassword] Invalid input: expected string, received undefined; \
             [body.currentPassword] Invalid input: expected string, received undefined",
        ),
    );
    let ours = eve.post(CHANGE_PASSWORD, json!({})).await;
    ours.refused(422, "VALIDATION_ERROR");
    let nobody = app.anonymous();
    let answer = nobody.post(CHANGE_PASSWORD, json!({})).await;
    answer.refused(401, "UNAUTHORIZED");
    let answer = nobody.post(CHANGE_PASSWORD, "no JSON").await;
    answer.refused(401, "UNAUTHORIZED");
    let theirs = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    let answer = nobody.post(CHANGE_PASSWORD, theirs.clone()).await;
    says(&answer, UNAUTHORIZED);
    says(&eve.post(CHANGE_PASSWORD, theirs).await, UNAUTHORIZED);
    let ours = json!({ "current_password": PASSWORD, "new_password": NEW });
    let answer = ada.post(&app, CHANGE_PASSWORD, ours).await;
    answer.refused(401, "UNAUTHORIZED");
    let ours = json!({ "current_password": eve.password(), "new_password": NEW });
    let grant: Value = eve.post(CHANGE_PASSWORD, ours).await.ok();
    assert!(grant["access_token"].is_string());
}

async fn a_password_is_verified(app: App) {
    let ada = sign_up(&app, "ada").await;
    let verify = |password: &str| {
        let body = json!({ "password": password });
        ada.post(&app, "/api/auth/verify-password", body)
    };
    assert_eq!(verify(PASSWORD).await.ok(), json!({ "status": true }));
    for wrong in ["wrong password", "", &"x".repeat(129)] {
        says(
            &verify(wrong).await,
            (400, "INVALID_PASSWORD", "Invalid password"),
        );
    }
}

async fn an_account_without_a_password_has_none_to_change(app: App) {
    let ada = sign_up(&app, "ada").await;
    app.database()
        .execute("UPDATE users SET password_hash = NULL");
    let body = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    let answer = ada.post(&app, CHANGE_PASSWORD, body).await;
    let code = "CREDENTIAL_ACCOUNT_NOT_FOUND";
    says(&answer, (400, code, "Credential account not found"));
    let body = json!({ "password": PASSWORD });
    let answer = ada.post(&app, "/api/auth/verify-password", body).await;
    says(&answer, (400, "INVALID_PASSWORD", "Invalid password"));
}
