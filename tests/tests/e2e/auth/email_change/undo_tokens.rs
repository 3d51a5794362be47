//! Tests which tokens undo a change of the address, and which tokens become invalid then.

use std::time::Duration;

use auth_core::mail_token::MailPurpose;
use e2e::{App, Client, on_both_engines};

use super::{
    assert_rejected, change, change_request, confirm_token, count, encode, mail_key, mails_of_kind,
    requested_change, stored_email, undo_request,
};
use crate::auth::password_reset;
use crate::sessions::fixtures::{get_session, login};

on_both_engines! {
    a_change_can_be_undone_for_72_hours,
    an_undo_works_once,
    undoing_a_change_makes_the_tokens_of_the_thief_invalid,
    a_token_of_another_user_or_for_another_purpose_is_rejected,
    a_token_that_undoes_a_change_permits_nothing_else,
    an_address_that_another_account_got_in_the_meantime_is_not_restored,
}

async fn a_change_can_be_undone_for_72_hours(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let mut undo_mails = Vec::new();
    for user in [&ada, &eve] {
        let new_email = format!("new-{}", user.email());
        let (mail, _) = requested_change(&app, user, &new_email).await;
        confirm_token(&app, mail.token()).await.ok();
        undo_mails.extend(mails_of_kind(&app, user.email(), "email_changed", 1).await);
    }
    // The expiry in the token is rounded down to a whole second; the change was at 51.869123 s.
    app.clock
        .advance(Duration::from_micros(72 * 3_600_000_000 - 869_124));
    undo_request(&app, undo_mails[0].token()).await.ok();
    for _ in 0..2 {
        app.clock.advance(Duration::from_micros(1));
        assert_rejected(undo_request(&app, undo_mails[1].token()).await);
    }
    assert_eq!(stored_email(&app, &ada), ada.email());
    assert_eq!(stored_email(&app, &eve), "new-eve@example.com");
}

async fn an_undo_works_once(app: App) {
    let ada = app.user("ada").await;
    let undo_mail = change(&app, &ada, ada.email(), "thief@example.com").await;
    undo_request(&app, undo_mail.token()).await.ok();
    let reset_mails = mails_of_kind(&app, ada.email(), "password_reset", 1).await;
    let reset = password_reset::confirm_token(&app, reset_mails[0].token());
    let grant = reset.await.ok();
    assert_rejected(undo_request(&app, undo_mail.token()).await);
    let token = grant["access_token"].as_str().unwrap();
    get_session(&app, token).await.ok();
}

async fn undoing_a_change_makes_the_tokens_of_the_thief_invalid(app: App) {
    let ada = app.user("ada").await;
    let undo_mail = change(&app, &ada, ada.email(), "thief@example.com").await;
    let (reset_mail, _) = password_reset::requested_mail(&app, "thief@example.com").await;
    let thief = app.login_at(&ada, "thief@example.com").await;
    let (change_mail, _) = requested_change(&app, &thief, "thief2@example.com").await;
    undo_request(&app, undo_mail.token()).await.ok();
    assert_rejected(confirm_token(&app, change_mail.token()).await);
    let response = password_reset::confirm_token(&app, reset_mail.token()).await;
    assert_rejected(response);
    // Neither a session from before the change nor one that began after it can request another change.
    for caller in [&ada, &thief] {
        let response = change_request(caller, "thief3@example.com").await;
        response.problem(401, "TOKEN_REVOKED");
    }
    assert_eq!(stored_email(&app, &ada), ada.email());
}

async fn a_token_of_another_user_or_for_another_purpose_is_rejected(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let ada_undo = change(&app, &ada, ada.email(), "ada@new.example").await;
    change(&app, &eve, eve.email(), "eve@new.example").await;
    let undo_key = |user: &Client| {
        let query = format!(
            "SELECT key FROM email_undos WHERE user_id = '{}'",
            user.id()
        );
        app.database().value(&query).unwrap()
    };
    let (ada_key, eve_key) = (undo_key(&ada), undo_key(&eve));
    let undo = (MailPurpose::EmailChangeUndo, ada.email());
    let undo_of_eve = (MailPurpose::EmailChangeUndo, eve.email());
    for token in [
        encode(&app, undo, ada.id(), ada.email(), &eve_key),
        encode(&app, undo, ada.id(), ada.email(), &mail_key(&app, &ada)),
        encode(&app, undo, ada.id(), "ada@new.example", &ada_key),
        encode(&app, undo_of_eve, ada.id(), eve.email(), &eve_key),
        encode(&app, undo_of_eve, ada.id(), ada.email(), &ada_key),
        encode(&app, undo, eve.id(), ada.email(), &ada_key),
        encode(
            &app,
            (MailPurpose::EmailChangeUndo, "\0"),
            ada.id(),
            "\0",
            &ada_key,
        ),
        encode(&app, undo, "\0", ada.email(), &ada_key),
        encode(
            &app,
            (MailPurpose::EmailChange, ada.email()),
            ada.id(),
            ada.email(),
            &ada_key,
        ),
        encode(
            &app,
            (MailPurpose::PasswordReset, ada.email()),
            ada.id(),
            ada.email(),
            &ada_key,
        ),
        "x".to_owned(),
        ada_undo.token().to_uppercase(),
    ] {
        assert_rejected(undo_request(&app, &token).await);
    }
    assert_eq!(stored_email(&app, &ada), "ada@new.example");
    undo_request(&app, ada_undo.token()).await.ok();
    assert_eq!(stored_email(&app, &eve), "eve@new.example");
}

async fn a_token_that_undoes_a_change_permits_nothing_else(app: App) {
    let ada = app.user("ada").await;
    let undo_mail = change(&app, &ada, ada.email(), "ada@new.example").await;
    assert_rejected(confirm_token(&app, undo_mail.token()).await);
    let response = password_reset::confirm_token(&app, undo_mail.token()).await;
    assert_rejected(response);
    undo_request(&app, undo_mail.token()).await.ok();
}

async fn an_address_that_another_account_got_in_the_meantime_is_not_restored(app: App) {
    let ada = app.user("ada").await;
    let undo_mail = change(&app, &ada, ada.email(), "ada@new.example").await;
    let eve = app.user("eve").await;
    // An import, or a process whose clock is ahead, may have given the address to another account.
    app.database().execute(&format!(
        "UPDATE users SET email = 'ada@example.com' WHERE id = '{}'",
        eve.id()
    ));
    assert_rejected(undo_request(&app, undo_mail.token()).await);
    assert_eq!(stored_email(&app, &ada), "ada@new.example");
    assert_eq!(count(&app, "email_undos"), 1);
    assert_eq!(count(&app, "outbox WHERE kind = 'password_reset'"), 0);
    let ada = ada.with_login("ada@new.example", "ada: correct horse battery staple");
    login(&app, &ada).await;
}
