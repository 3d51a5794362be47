//! Tests changes to an address that another account gets after the request.

use e2e::{App, on_both_engines};

use super::{
    assert_rejected, confirm_code, confirm_token, count, mail_key, requested_change, stored_email,
};
use crate::mail::until_nothing_waits;

on_both_engines! {
    a_token_is_rejected_while_another_account_has_the_address,
    a_mail_is_not_sent_if_the_address_is_taken_in_the_meantime,
}

async fn a_token_is_rejected_while_another_account_has_the_address(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_change(&app, &ada, "eve@example.com").await;
    let eve = app.user("eve").await;
    let key = mail_key(&app, &ada);
    assert_rejected(confirm_token(&app, mail.token()).await);
    assert_rejected(confirm_code(&app, &challenge_id, mail.code()).await);
    // Earlier releases stored the spelling `exämple.de`. For the unique index, `xn--exmple-cua.de` is another address.
    let (u_label_mail, _) = requested_change(&app, &ada, "eve@xn--exmple-cua.de").await;
    app.database().execute(&format!(
        "UPDATE users SET email = 'eve@exämple.de' WHERE id = '{}'",
        eve.id()
    ));
    assert_rejected(confirm_token(&app, u_label_mail.token()).await);
    // The rejected changes have stored nothing.
    assert_eq!(stored_email(&app, &ada), ada.email());
    assert_eq!(mail_key(&app, &ada), key);
    assert_eq!(count(&app, "email_undos"), 0);
    assert_eq!(count(&app, "outbox WHERE kind = 'email_changed'"), 0);
    confirm_token(&app, mail.token()).await.ok();
}

async fn a_mail_is_not_sent_if_the_address_is_taken_in_the_meantime(app: App) {
    let ada = app.user("ada").await;
    let (mail, challenge_id) = requested_change(&app, &ada, "eve@example.com").await;
    app.user("eve").await;
    until_nothing_waits(&app).await;
    let mail_count = app.mails_to("eve@example.com").len();
    // The mail becomes due again, as after a failure.
    app.database().execute(&format!(
        "UPDATE outbox SET next_attempt_at = created_at WHERE id = '{challenge_id}'"
    ));
    until_nothing_waits(&app).await;
    let attempts = format!("outbox WHERE id = '{challenge_id}' AND attempts = 1");
    assert_eq!(count(&app, &attempts), 1);
    assert_eq!(app.mails_to("eve@example.com").len(), mail_count);
    assert_rejected(confirm_token(&app, mail.token()).await);
}
