//! Tests which codes reset a password, and how many can be tried.

use e2e::{App, on_both_engines};
use futures_util::future::join_all;

use super::{confirm_code, confirm_token, request_reset, requested_mail};
use crate::mail::until_nothing_waits;
use crate::sessions::fixtures::count;

on_both_engines! {
    after_five_wrong_codes_the_right_code_is_rejected,
    after_four_wrong_codes_the_right_code_is_accepted,
    parallel_wrong_codes_are_all_counted,
    a_code_is_valid_only_for_its_own_challenge,
    an_invalid_or_unknown_challenge_gets_the_same_response,
    a_challenge_for_an_unknown_address_counts_codes_like_any_other,
}

const WRONG_CODE: &str = "WRNGCDE2";

async fn assert_rejected(app: &App, challenge_id: &str, code: &str) {
    let response = confirm_code(app, challenge_id, code).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
}

fn wrong_code_count(app: &App, challenge_id: &str) -> String {
    let query = format!("SELECT wrong_codes FROM outbox WHERE id = '{challenge_id}'");
    app.database().value(&query).unwrap()
}

async fn after_five_wrong_codes_the_right_code_is_rejected(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    for _ in 0..5 {
        assert_rejected(&app, &challenge_id, WRONG_CODE).await;
    }
    for _ in 0..2 {
        assert_rejected(&app, &challenge_id, mail.code()).await;
    }
    assert_eq!(wrong_code_count(&app, &challenge_id), "5");
    // The limit is only for codes, because the token of the link cannot be guessed.
    confirm_token(&app, mail.token()).await.ok();
}

async fn after_four_wrong_codes_the_right_code_is_accepted(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    for wrong_code in [WRONG_CODE, "", "22222222222222222", "ÄÖÜ"] {
        assert_rejected(&app, &challenge_id, wrong_code).await;
    }
    assert_eq!(wrong_code_count(&app, &challenge_id), "4");
    confirm_code(&app, &challenge_id, mail.code()).await.ok();
}

async fn parallel_wrong_codes_are_all_counted(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    let guesses = (0..20).map(|_| confirm_code(&app, &challenge_id, WRONG_CODE).into_future());
    for response in join_all(guesses).await {
        response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    }
    assert_eq!(wrong_code_count(&app, &challenge_id), "5");
    assert_rejected(&app, &challenge_id, mail.code()).await;
}

async fn a_code_is_valid_only_for_its_own_challenge(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let (ada_mail, ada_challenge) = requested_mail(&app, ada.email()).await;
    let (eve_mail, eve_challenge) = requested_mail(&app, eve.email()).await;
    let second_challenge = request_reset(&app, ada.email()).await;
    assert_rejected(&app, &ada_challenge, eve_mail.code()).await;
    assert_rejected(&app, &eve_challenge, ada_mail.code()).await;
    assert_rejected(&app, &second_challenge, ada_mail.code()).await;
    confirm_code(&app, &ada_challenge, ada_mail.code())
        .await
        .ok();
    confirm_code(&app, &eve_challenge, eve_mail.code())
        .await
        .ok();
}

async fn an_invalid_or_unknown_challenge_gets_the_same_response(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_mail(&app, ada.email()).await;
    for invalid_challenge in [
        "",
        "\0",
        "x",
        "' OR 1 = 1 --",
        "00000000-0000-7000-8000-000000000000",
        &challenge_id[1..],
        &format!("{challenge_id}\0"),
    ] {
        assert_rejected(&app, invalid_challenge, mail.code()).await;
    }
    assert_eq!(wrong_code_count(&app, &challenge_id), "0");
}

async fn a_challenge_for_an_unknown_address_counts_codes_like_any_other(app: App) {
    let challenge_id = request_reset(&app, "nobody@example.com").await;
    until_nothing_waits(&app).await;
    for _ in 0..7 {
        assert_rejected(&app, &challenge_id, WRONG_CODE).await;
    }
    assert_eq!(wrong_code_count(&app, &challenge_id), "5");
    assert_eq!(count(&app, "users"), 0);
}
