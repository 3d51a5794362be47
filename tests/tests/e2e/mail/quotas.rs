//! Tests how many mails are sent to an address, and for the requests of a network.

use std::time::Duration;

use e2e::{App, Engine, on_both_engines};
use serde_json::json;

use super::{received, until_nothing_waits};
use crate::auth::password_reset::{
    PASSWORD_RESET, confirm_code, confirm_token, request_reset, requested_mail,
};

on_both_engines! {
    an_address_gets_at_most_three_mails_an_hour,
    an_address_gets_at_most_ten_mails_a_day,
    requests_of_one_network_cause_at_most_twenty_mails_an_hour,
    requests_for_unknown_addresses_do_not_use_up_the_quota,
    a_notice_is_sent_even_if_the_quota_is_used_up,
}

const HOUR: Duration = Duration::from_secs(60 * 60);

async fn an_address_gets_at_most_three_mails_an_hour(app: App) {
    let ada = app.user("ada").await;
    for _ in 0..3 {
        requested_mail(&app, ada.email()).await;
    }
    let challenge_id = request_reset(&app, ada.email()).await;
    until_nothing_waits(&app).await;
    let mails = received(&app, ada.email(), 3).await;
    // No mail was sent for the fourth challenge, so no code is accepted for it, not even that of an earlier mail.
    let response = confirm_code(&app, &challenge_id, mails[2].code()).await;
    response.problem(400, "INVALID_OR_EXPIRED_TOKEN");
    app.clock.advance(HOUR);
    let (mail, _) = requested_mail(&app, ada.email()).await;
    confirm_token(&app, mail.token()).await.ok();
}

async fn an_address_gets_at_most_ten_mails_a_day(app: App) {
    let ada = app.user("ada").await;
    for number in 1..=10 {
        request_reset(&app, ada.email()).await;
        received(&app, ada.email(), number).await;
        app.clock.advance(HOUR / 2);
    }
    for _ in 0..2 {
        request_reset(&app, ada.email()).await;
        until_nothing_waits(&app).await;
        received(&app, ada.email(), 10).await;
        app.clock.advance(HOUR);
    }
    // A day after the first mail.
    app.clock.advance(17 * HOUR);
    request_reset(&app, ada.email()).await;
    received(&app, ada.email(), 11).await;
}

async fn requests_of_one_network_cause_at_most_twenty_mails_an_hour(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    let request = async |email: String, ip_address: &str| {
        let request = app
            .anonymous()
            .post(PASSWORD_RESET, json!({ "email": email }));
        let response = request.header("x-forwarded-for", ip_address).await;
        let _accepted = response.assert_status(202);
        until_nothing_waits(&app).await;
    };
    for number in 0..22 {
        let user = app.user(&format!("user{number}")).await;
        // All IP addresses are in one /64 network.
        let ip_address = format!("2001:db8::{number}");
        request(user.email().to_owned(), &ip_address).await;
    }
    assert_eq!(app.mails().len(), 20);
    request("user21@example.com".to_owned(), "2001:db8:0:1::1").await;
    assert_eq!(app.mails().len(), 21);
    app.clock.advance(HOUR);
    request("user20@example.com".to_owned(), "2001:db8::1").await;
    assert_eq!(app.mails().len(), 22);
}

async fn requests_for_unknown_addresses_do_not_use_up_the_quota(app: App) {
    for _ in 0..5 {
        request_reset(&app, "ada@example.com").await;
    }
    until_nothing_waits(&app).await;
    let ada = app.user("ada").await;
    requested_mail(&app, ada.email()).await;
}

async fn a_notice_is_sent_even_if_the_quota_is_used_up(app: App) {
    let ada = app.user("ada").await;
    for _ in 0..3 {
        requested_mail(&app, ada.email()).await;
    }
    let mails = app.mails_to(ada.email());
    confirm_token(&app, mails[2].token()).await.ok();
    let mails = received(&app, ada.email(), 4).await;
    assert!(mails.iter().any(|mail| mail.kind() == "password_changed"));
}
