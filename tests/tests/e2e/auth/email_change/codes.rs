//! Tests which codes change the address, and how many can be tried.

use e2e::{App, on_both_engines};
use futures_util::future::join_all;

use super::{assert_rejected, confirm_code, confirm_token, requested_change, stored_email};
use crate::auth::password_reset;

on_both_engines! {
    after_five_wrong_codes_the_right_code_is_rejected,
    parallel_wrong_codes_are_all_counted,
    a_code_is_valid_only_for_its_own_challenge_and_purpose,
}

const WRONG_CODE: &str = "WRNGCDE2";

fn wrong_code_count(app: &App, challenge_id: &str) -> String {
    let query = format!("SELECT wrong_codes FROM outbox WHERE id = '{challenge_id}'");
    app.database().value(&query).unwrap()
}

async fn after_five_wrong_codes_the_right_code_is_rejected(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_change(&app, &ada, "new@example.com").await;
    for _ in 0..5 {
        assert_rejected(confirm_code(&app, &challenge_id, WRONG_CODE).await);
    }
    for _ in 0..2 {
        assert_rejected(confirm_code(&app, &challenge_id, mail.code()).await);
    }
    assert_eq!(wrong_code_count(&app, &challenge_id), "5");
    assert_eq!(stored_email(&app, &ada), ada.email());
    // The limit is only for codes, because the token of the link cannot be guessed.
    confirm_token(&app, mail.token()).await.ok();
}

async fn parallel_wrong_codes_are_all_counted(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_change(&app, &ada, "new@example.com").await;
    let guesses = (0..20).map(|_| confirm_code(&app, &challenge_id, WRONG_CODE).into_future());
    for response in join_all(guesses).await {
        assert_rejected(response);
    }
    assert_eq!(wrong_code_count(&app, &challenge_id), "5");
    assert_rejected(confirm_code(&app, &challenge_id, mail.code()).await);
}

async fn a_code_is_valid_only_for_its_own_challenge_and_purpose(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let (ada_mail, ada_challenge) = requested_change(&app, &ada, "ada@new.example").await;
    let (eve_mail, eve_challenge) = requested_change(&app, &eve, "eve@new.example").await;
    let (reset_mail, reset_challenge) = password_reset::requested_mail(&app, ada.email()).await;
    for (challenge_id, code) in [
        (&ada_challenge, eve_mail.code()),
        (&eve_challenge, ada_mail.code()),
        (&ada_challenge, reset_mail.code()),
        (&reset_challenge, reset_mail.code()),
        (&reset_challenge, ada_mail.code()),
    ] {
        assert_rejected(confirm_code(&app, challenge_id, code).await);
    }
    let response = password_reset::confirm_code(&app, &ada_challenge, ada_mail.code()).await;
    assert_rejected(response);
    confirm_code(&app, &ada_challenge, ada_mail.code())
        .await
        .ok();
    confirm_code(&app, &eve_challenge, eve_mail.code())
        .await
        .ok();
    assert_eq!(stored_email(&app, &ada), "ada@new.example");
    assert_eq!(stored_email(&app, &eve), "eve@new.example");
}
