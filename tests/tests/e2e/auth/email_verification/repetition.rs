//! Tests that a link that is used again gets the same response in a session of its user, and is rejected otherwise.

use e2e::{App, Response, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

use super::{CONFIRM, confirm, confirm_with_password, requested_mail};
use crate::auth::password_reset;
use crate::sessions::fixtures::{Device, get_session, refreshed, user_with_device};

on_both_engines! {
    the_user_of_a_used_link_gets_the_same_response_again,
    a_used_link_is_rejected_without_the_session_of_its_user,
    a_used_code_is_rejected,
    a_used_link_of_another_account_or_purpose_is_rejected,
    a_used_link_is_rejected_while_the_address_is_not_verified,
    parallel_uses_of_a_link_all_succeed_for_its_user,
    one_of_fifty_parallel_uses_with_the_password_wins,
    a_link_still_works_once_after_the_address_was_verified_in_another_way,
}

async fn the_user_of_a_used_link_gets_the_same_response_again(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let confirm_on = |device: &Device| confirm(&app.bearer(device.access.as_str()), mail.token());
    let first = confirm_on(&device).await.ok();
    app.clock.advance(std::time::Duration::from_secs(1));
    // The access token is from before the verification, so the client must refresh first.
    let response = confirm_on(&device).await;
    response.problem(401, "TOKEN_STALE");
    let new_device = refreshed(&app, &device).await;
    for _ in 0..2 {
        assert_eq!(confirm_on(&new_device).await.ok(), first);
        get_session(&app, &new_device.access).await.ok();
    }
}

async fn a_used_link_is_rejected_without_the_session_of_its_user(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let (mail, _) = requested_mail(&app, ada.email()).await;
    confirm(&ada, mail.token()).await.ok();
    for response in [
        confirm(&app.anonymous(), mail.token()).await,
        confirm(&eve, mail.token()).await,
        confirm_with_password(&app, mail.token(), ada.password()).await,
        confirm_with_password(&app, mail.token(), "not the password").await,
    ] {
        response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    }
}

async fn a_used_code_is_rejected(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    let body = json!({ "challenge_id": challenge_id, "code": mail.code() });
    ada.post(CONFIRM, body.clone()).await.ok();
    let ada = app.login_again(&ada).await;
    let response = ada.post(CONFIRM, body).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
}

async fn a_used_link_of_another_account_or_purpose_is_rejected(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    for user in [&ada, &eve] {
        let (mail, _) = requested_mail(&app, user.email()).await;
        confirm(user, mail.token()).await.ok();
    }
    let (ada, eve) = (app.login_again(&ada).await, app.login_again(&eve).await);
    let (reset_mail, _) = password_reset::requested_mail(&app, ada.email()).await;
    let ada_mail = app.mails_to(ada.email()).remove(0);
    for (caller, token) in [
        (&eve, ada_mail.token()),
        (&ada, reset_mail.token()),
        (&ada, "junk"),
        (&ada, ""),
    ] {
        let response = confirm(caller, token).await;
        response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    }
}

async fn a_used_link_is_rejected_while_the_address_is_not_verified(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    confirm(&ada, mail.token()).await.ok();
    app.database()
        .execute("UPDATE users SET email_verified = FALSE");
    let ada = app.login_again(&ada).await;
    let response = confirm(&ada, mail.token()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
}

/// Confirms as a client does: after a 401, it refreshes and sends the request again.
async fn confirm_as_client(app: &App, device: &Device, token: &str) -> Response {
    let send = |device: &Device| confirm(&app.bearer(device.access.as_str()), token);
    let response = send(device).await;
    if response.status() != 401 {
        return response;
    }
    response.problem(401, "TOKEN_STALE");
    send(&refreshed(app, device).await).await
}

async fn parallel_uses_of_a_link_all_succeed_for_its_user(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let uses = (0..20).map(|_| confirm_as_client(&app, &device, mail.token()));
    for response in join_all(uses).await {
        assert_eq!(response.ok()["user"]["email_verified"], true);
    }
}

async fn one_of_fifty_parallel_uses_with_the_password_wins(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    let confirm = || confirm_with_password(&app, mail.token(), ada.password()).into_future();
    let responses = join_all((0..50).map(|_| confirm())).await;
    let (successes, failures): (Vec<_>, Vec<_>) = responses
        .into_iter()
        .partition(|response| response.status() == 200);
    assert_eq!(successes.len(), 1);
    for response in failures {
        response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    }
}

async fn a_link_still_works_once_after_the_address_was_verified_in_another_way(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_mail(&app, ada.email()).await;
    app.database()
        .execute("UPDATE users SET email_verified = TRUE");
    let response = confirm_with_password(&app, mail.token(), ada.password()).await;
    assert_eq!(response.ok()["user"]["email_verified"], true);
    let response = confirm_with_password(&app, mail.token(), ada.password()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
}
