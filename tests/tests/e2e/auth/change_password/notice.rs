//! Tests the mail that tells a user of a change of the password.

use std::time::Duration;

use e2e::{App, on_both_engines};
use serde_json::json;

use super::{change_password, passwords_body};
use crate::better_auth::fixtures::{Browser, PASSWORD, sign_up};
use crate::mail::{received, until_nothing_waits};
use crate::sessions::fixtures::{CHANGE_PASSWORD, Device, count, login, user_with_device};

on_both_engines! {
    the_owner_is_told_of_a_change,
    the_owner_is_told_of_a_change_with_better_auth,
    the_owner_gets_at_most_three_notices_an_hour,
}

async fn the_owner_is_told_of_a_change(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let bearer = app.bearer(device.access.as_str());
    let body = passwords_body("not the password", "another good password");
    let response = bearer.post(CHANGE_PASSWORD, body).await;
    response.problem(403, "INVALID_PASSWORD");
    assert_eq!(count(&app, "outbox"), 0);
    change_password(&app, &device, &ada).await;
    let mails = received(&app, ada.email(), 1).await;
    assert_eq!(mails[0].kind(), "password_changed");
    let text = "The new password ends all sessions, including those that other people";
    assert!(mails[0].text.contains(text), "{mails:?}");
}

async fn the_owner_is_told_of_a_change_with_better_auth(app: App) {
    let ada: Browser = sign_up(&app, "ada").await;
    let body = json!({ "currentPassword": PASSWORD, "newPassword": "another good password" });
    ada.post(&app, CHANGE_PASSWORD, body).await.ok();
    let mails = received(&app, "ada@example.com", 1).await;
    assert_eq!(mails[0].kind(), "password_changed");
}

async fn the_owner_gets_at_most_three_notices_an_hour(app: App) {
    let (ada, mut device) = user_with_device(&app, "ada").await;
    for _ in 0..5 {
        let bearer = app.bearer(device.access.as_str());
        let body = passwords_body(ada.password(), ada.password());
        device = Device::from_response(&bearer.post(CHANGE_PASSWORD, body).await.ok());
        until_nothing_waits(&app).await;
    }
    received(&app, ada.email(), 3).await;
    app.clock.advance(Duration::from_secs(60 * 60));
    change_password(&app, &login(&app, &ada).await, &ada).await;
    received(&app, ada.email(), 4).await;
}
