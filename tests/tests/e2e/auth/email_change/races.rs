//! Tests changes of the address that happen at the same time.

use e2e::{App, Request, Response, on_both_engines};
use futures_util::future::join_all;
use serde_json::json;

use super::{
    assert_rejected, change, confirm_code, confirm_token, count, requested_change, stored_email,
    undo_request,
};
use crate::sessions::fixtures::{login, race_transaction};

on_both_engines! {
    one_of_fifty_parallel_confirmations_wins,
    one_of_fifty_parallel_requests_to_undo_a_change_wins,
    of_two_changes_to_one_address_one_wins,
    of_a_change_and_a_registration_with_one_address_one_wins,
    requests_to_undo_a_chain_of_changes_do_not_block_each_other,
    a_change_waits_for_a_change_away_from_the_address_and_then_fails,
}

/// Sends the requests at the same time. Asserts that exactly one succeeds, and returns its response.
async fn only_winner(requests: impl IntoIterator<Item = Request>) -> Response {
    let requests = requests.into_iter().map(IntoFuture::into_future);
    let responses = join_all(requests).await;
    let (mut successes, failures): (Vec<_>, Vec<_>) = responses
        .into_iter()
        .partition(|response| response.status() == 200);
    assert_eq!(successes.len(), 1);
    failures.into_iter().for_each(assert_rejected);
    successes.remove(0)
}

async fn one_of_fifty_parallel_confirmations_wins(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_change(&app, &ada, "new@example.com").await;
    let with_token = (0..40).map(|_| confirm_token(&app, mail.token()));
    let with_code = (0..10).map(|_| confirm_code(&app, &challenge_id, mail.code()));
    let winner = only_winner(with_token.chain(with_code)).await;
    assert_eq!(winner.ok()["user"]["email"], "new@example.com");
    assert_eq!(count(&app, "email_undos"), 1);
    assert_eq!(count(&app, "outbox WHERE kind = 'email_changed'"), 1);
}

async fn one_of_fifty_parallel_requests_to_undo_a_change_wins(app: App) {
    let ada = app.user("ada").await;
    let undo_mail = change(&app, &ada, ada.email(), "new@example.com").await;
    let requests = (0..50).map(|_| undo_request(&app, undo_mail.token()));
    let winner = only_winner(requests).await;
    assert_eq!(winner.ok(), json!({ "success": true }));
    assert_eq!(stored_email(&app, &ada), ada.email());
    assert_eq!(count(&app, "email_undos"), 0);
    assert_eq!(count(&app, "outbox WHERE kind = 'password_reset'"), 1);
    assert_eq!(count(&app, "sessions WHERE revoked_at IS NULL"), 0);
}

async fn of_two_changes_to_one_address_one_wins(app: App) {
    for round in 0..5 {
        let ada = app.user(&format!("ada{round}")).await;
        let eve = app.user(&format!("eve{round}")).await;
        let new_email = format!("new{round}@example.com");
        let (ada_mail, _) = requested_change(&app, &ada, &new_email).await;
        let (eve_mail, _) = requested_change(&app, &eve, &new_email).await;
        let requests = [&ada_mail, &eve_mail].map(|mail| confirm_token(&app, mail.token()));
        let winner = only_winner(requests).await.ok();
        let loser = if winner["user"]["id"] == ada.id() {
            &eve
        } else {
            &ada
        };
        assert_eq!(stored_email(&app, loser), loser.email());
        assert_eq!(count(&app, "email_undos"), round + 1);
        login(&app, loser).await;
    }
}

async fn of_a_change_and_a_registration_with_one_address_one_wins(app: App) {
    for round in 0..5 {
        let ada = app.user(&format!("ada{round}")).await;
        let new_email = format!("new{round}@example.com");
        let (mail, _) = requested_change(&app, &ada, &new_email).await;
        let body = json!({ "email": new_email, "password": "correct horse battery staple" });
        let registration = app.anonymous().post("/api/auth/register", body);
        let (confirmed, registered) = tokio::join!(
            confirm_token(&app, mail.token()).into_future(),
            registration.into_future(),
        );
        if confirmed.status() == 200 {
            registered.problem(409, "USER_ALREADY_EXISTS");
        } else {
            assert_rejected(confirmed);
            registered.created();
        }
        let users = format!("users WHERE email = '{new_email}'");
        assert_eq!(count(&app, &users), 1);
    }
}

async fn requests_to_undo_a_chain_of_changes_do_not_block_each_other(app: App) {
    for round in 0..5 {
        let ada = app.user(&format!("ada{round}")).await;
        let addresses = [1, 2, 3].map(|number| format!("ada{round}@{number}.example"));
        let mut undo_mails = Vec::new();
        let mut caller = app.login_again(&ada).await;
        for new_email in addresses {
            undo_mails.push(change(&app, &caller, caller.email(), &new_email).await);
            caller = app.login_at(&ada, &new_email).await;
        }
        let requests = undo_mails.iter().rev();
        let requests = requests.map(|mail| undo_request(&app, mail.token()).into_future());
        for response in join_all(requests).await {
            assert!(matches!(response.status(), 200 | 400), "{response:?}");
        }
        // Whatever the order, the owner of the oldest address gets the account.
        assert_eq!(stored_email(&app, &ada), ada.email());
        let undos = format!("email_undos WHERE user_id = '{}'", ada.id());
        assert_eq!(count(&app, &undos), 0);
    }
}

async fn a_change_waits_for_a_change_away_from_the_address_and_then_fails(app: App) {
    let ada = app.user("ada").await;
    let (mail, _) = requested_change(&app, &ada, "eve@example.com").await;
    let eve = app.user("eve").await;
    // The statements act as a change of Eve's address by another process.
    let statements = format!(
        "UPDATE users SET email = 'eve@new.example' WHERE id = '{id}'; \
         INSERT INTO email_undos (key, user_id, old_email, created_at, expires_at) VALUES \
         ('key', '{id}', 'eve@example.com', '2026-11-20 12:57:51', '2026-11-23 12:57:51');",
        id = eve.id()
    );
    let response = race_transaction(&app, &statements, confirm_token(&app, mail.token())).await;
    assert_rejected(response);
    assert_eq!(stored_email(&app, &ada), ada.email());
}
