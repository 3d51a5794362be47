//! Where a caller is, with and without `TRUSTED_PROXIES`.

use e2e::{App, Client, Engine, Request, on_both_engines};

use super::world::column;
use crate::api::auth::login::{LOGIN, credentials};

on_both_engines! {
    without_trusted_proxies_a_header_moves_nobody,
    behind_trusted_proxies_the_first_stranger_from_the_right_counts,
    a_proxy_elsewhere_is_no_proxy_of_ours,
    failures_are_counted_for_the_address_behind_the_proxy,
}

const FORWARDED: &str = "x-forwarded-for";

/// The address that is kept of a login with these headers.
async fn seen(app: &App, user: &Client, forwarded: &[&str]) -> String {
    let body = credentials(user.email(), user.password());
    let mut request = app.anonymous().post(LOGIN, body);
    for value in forwarded {
        request = request.header(FORWARDED, value);
    }
    let grant = request.await.ok();
    column(app, grant["session_id"].as_str().unwrap(), "ip_address").unwrap()
}

async fn without_trusted_proxies_a_header_moves_nobody(app: App) {
    let ada = app.user("ada").await;
    for value in ["203.0.113.7", "203.0.113.7, 127.0.0.1", "junk", ""] {
        assert_eq!(seen(&app, &ada, &[value]).await, "127.0.0.1");
    }
}

async fn behind_trusted_proxies_the_first_stranger_from_the_right_counts(engine: Engine) {
    let networks = "127.0.0.0/8, 10.0.0.0/8,fd00::/8";
    let app = App::on(engine).set("trusted-proxies", networks).start();
    let ada = app.user("ada").await;
    for (forwarded, address) in [
        (&["203.0.113.7"][..], "203.0.113.7"),
        (&["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
        (&["6.6.6.6,203.0.113.7 , 10.1.2.3"], "203.0.113.7"),
        (
            &["6.6.6.6", "203.0.113.7", "fd00::1, 127.0.0.9"],
            "203.0.113.7",
        ),
        (&["203.0.113.7:4711"], "203.0.113.7"),
        (&["2001:db8::7"], "2001:db8::7"),
        (&["[2001:db8::7]:443"], "2001:db8::7"),
        (&["::ffff:203.0.113.7"], "203.0.113.7"),
        // Nothing but proxies: the one furthest away.
        (&["10.0.0.7, 10.0.0.8"], "10.0.0.7"),
        // What is no address ends the walk at the last proxy that was one.
        (&["6.6.6.6, junk, 10.0.0.8"], "10.0.0.8"),
        (&["6.6.6.6,"], "127.0.0.1"),
        (&["unknown"], "127.0.0.1"),
        (&[""], "127.0.0.1"),
        (&[], "127.0.0.1"),
    ] {
        assert_eq!(seen(&app, &ada, forwarded).await, address, "{forwarded:?}");
    }
}

async fn a_proxy_elsewhere_is_no_proxy_of_ours(engine: Engine) {
    let networks = "10.0.0.0/8,192.168.1.7";
    let app = App::on(engine).set("trusted-proxies", networks).start();
    let ada = app.user("ada").await;
    let address = seen(&app, &ada, &["203.0.113.7, 10.0.0.1"]).await;
    assert_eq!(address, "127.0.0.1");
}

async fn failures_are_counted_for_the_address_behind_the_proxy(engine: Engine) {
    let app = App::on(engine).set("trusted-proxies", "127.0.0.1").start();
    let ada = app.user("ada").await;
    let from = |address: &str, password: &str| -> Request {
        let body = credentials(ada.email(), password);
        app.anonymous().post(LOGIN, body).header(FORWARDED, address)
    };
    // What the attacker writes further left makes nobody else of him.
    for number in 0..100 {
        let claim = format!("6.6.6.{number}, 203.0.113.7");
        let refused = from(&claim, "not the password").await;
        refused.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    let refused = from("203.0.113.7", ada.password()).await;
    refused.refused(429, "TOO_MANY_REQUESTS");
    from("203.0.113.8", ada.password()).await.ok();
}
