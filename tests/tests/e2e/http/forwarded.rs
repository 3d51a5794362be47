//! Tests which IP address the server uses as the IP address of a caller, with and without `TRUSTED_PROXIES`.

use std::time::Duration;

use e2e::{App, Client, Connection, Engine, Request, log_lines, on_both_engines};

use crate::auth::login::{LOGIN, credentials};
use crate::sessions::fixtures::column;

on_both_engines! {
    without_trusted_proxies_the_forwarding_header_is_ignored,
    behind_trusted_proxies_the_first_untrusted_ip_address_from_the_right_is_used,
    a_proxy_with_another_ip_address_is_not_trusted,
    failed_logins_are_counted_for_the_ip_address_behind_the_proxy,
    a_byte_that_is_not_ascii_invalidates_only_its_own_entry,
    an_unconfigured_proxy_is_logged_once_a_minute_with_the_remedy,
}

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// Logs in with these `X-Forwarded-For` headers, and returns the IP address that the session stores.
async fn stored_ip_address(app: &App, user: &Client, forwarded_values: &[&str]) -> String {
    let body = credentials(user.email(), user.password());
    let mut request = app.anonymous().post(LOGIN, body);
    for forwarded_value in forwarded_values {
        request = request.header(X_FORWARDED_FOR, forwarded_value);
    }
    let token_response = request.await.ok();
    column(
        app,
        token_response["session_id"].as_str().unwrap(),
        "ip_address",
    )
    .unwrap()
}

async fn without_trusted_proxies_the_forwarding_header_is_ignored(app: App) {
    let ada = app.user("ada").await;
    for forwarded_value in ["203.0.113.7", "203.0.113.7, 127.0.0.1", "junk", ""] {
        assert_eq!(
            stored_ip_address(&app, &ada, &[forwarded_value]).await,
            "127.0.0.1"
        );
    }
}

async fn behind_trusted_proxies_the_first_untrusted_ip_address_from_the_right_is_used(
    engine: Engine,
) {
    let trusted_networks = "127.0.0.0/8, 10.0.0.0/8,fd00::/8";
    let app = App::on(engine)
        .set("trusted-proxies", trusted_networks)
        .start();
    let ada = app.user("ada").await;
    for (forwarded_values, ip_address) in [
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
        // If every IP address is a trusted proxy, the leftmost IP address is used.
        (&["10.0.0.7, 10.0.0.8"], "10.0.0.7"),
        // The server reads the entries from right to left, and stops at a malformed entry. It uses the IP address to
        // the right of this entry; to the right of the last entry is the IP address of the connection.
        (&["6.6.6.6, junk, 10.0.0.8"], "10.0.0.8"),
        (&["6.6.6.6,"], "127.0.0.1"),
        (&["unknown"], "127.0.0.1"),
        (&[""], "127.0.0.1"),
        (&[], "127.0.0.1"),
    ] {
        assert_eq!(
            stored_ip_address(&app, &ada, forwarded_values).await,
            ip_address,
            "{forwarded_values:?}"
        );
    }
}

async fn a_proxy_with_another_ip_address_is_not_trusted(engine: Engine) {
    let trusted_networks = "10.0.0.0/8,192.168.1.7";
    let app = App::on(engine)
        .set("trusted-proxies", trusted_networks)
        .start();
    let ada = app.user("ada").await;
    let ip_address = stored_ip_address(&app, &ada, &["203.0.113.7, 10.0.0.1"]).await;
    assert_eq!(ip_address, "127.0.0.1");
}

async fn failed_logins_are_counted_for_the_ip_address_behind_the_proxy(engine: Engine) {
    let app = App::on(engine).set("trusted-proxies", "127.0.0.1").start();
    let ada = app.user("ada").await;
    let build_login = |forwarded_for: &str, password: &str| -> Request {
        let body = credentials(ada.email(), password);
        app.anonymous()
            .post(LOGIN, body)
            .header(X_FORWARDED_FOR, forwarded_for)
    };
    // An attacker can choose the leftmost entry, which does not change the IP address that the server uses.
    for number in 0..100 {
        let forwarded_for = format!("6.6.6.{number}, 203.0.113.7");
        let rejection = build_login(&forwarded_for, "not the password").await;
        rejection.problem(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    let rejection = build_login("203.0.113.7", ada.password()).await;
    rejection.problem(429, "TOO_MANY_REQUESTS");
    build_login("203.0.113.8", ada.password()).await.ok();
}

async fn a_byte_that_is_not_ascii_invalidates_only_its_own_entry(engine: Engine) {
    let app = App::on(engine).behind_proxy().start();
    let ada = app.user("ada").await;
    for (forwarded_values, ip_address) in [
        (&["é, 203.0.113.7"][..], "203.0.113.7"),
        (&["6.6.6.6é,203.0.113.7"], "203.0.113.7"),
        (&["é", "203.0.113.7"], "203.0.113.7"),
        (&["6.6.6.6, 203.0.113.7é"], "127.0.0.1"),
        (&["203.0.113.7", "é"], "127.0.0.1"),
    ] {
        assert_eq!(
            stored_ip_address(&app, &ada, forwarded_values).await,
            ip_address,
            "{forwarded_values:?}"
        );
    }
}

/// Sends a request with this header from this IP address.
async fn call_from(app: &App, source_ip: &str, header: &str) {
    let mut connection = Connection::open_from(source_ip, app.addr()).await;
    let request = format!(
        "POST {LOGIN} HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n{header}\r\n\
         content-length: 2\r\n\r\n{{}}"
    );
    connection.send(request.as_bytes()).await;
    let response = connection.response().await.unwrap();
    response.problem(422, "VALIDATION_ERROR");
}

async fn an_unconfigured_proxy_is_logged_once_a_minute_with_the_remedy(engine: Engine) {
    // The tests of both engines write to the same log, so each test has its own IP addresses.
    let (untrusted_ip, trusted_ip) = match engine {
        Engine::Sqlite => ("127.9.1.1", "127.9.2.1"),
        Engine::Postgres => ("127.9.1.2", "127.9.2.2"),
    };
    // Other systems than Linux may not let a client connect from every IP address of 127.0.0.0/8.
    if !cfg!(target_os = "linux") {
        return;
    }
    let app = App::on(engine).set("trusted-proxies", trusted_ip).start();
    let count_warnings_about = |source_ip: &str| log_lines::find(&format!(" {source_ip}")).len();
    call_from(&app, untrusted_ip, "accept: */*").await;
    call_from(&app, trusted_ip, "x-forwarded-for: 203.0.113.7").await;
    assert_eq!(
        (
            count_warnings_about(untrusted_ip),
            count_warnings_about(trusted_ip)
        ),
        (0, 0)
    );

    let headers = [
        "x-forwarded-for: é",
        "forwarded: for=203.0.113.7",
        "x-real-ip: 203.0.113.7",
    ];
    for (expected, header) in (1..).zip(headers) {
        for _ in 0..3 {
            call_from(&app, untrusted_ip, header).await;
        }
        assert_eq!(count_warnings_about(untrusted_ip), expected, "{header}");
        app.clock.advance(Duration::from_secs(59));
        call_from(&app, untrusted_ip, header).await;
        assert_eq!(count_warnings_about(untrusted_ip), expected, "{header}");
        app.clock.advance(Duration::from_secs(1));
    }
    let remedy = format!("set TRUSTED_PROXIES={untrusted_ip}");
    let untrusted_proxy_lines = log_lines::find(&format!("from {untrusted_ip}"));
    assert!(
        untrusted_proxy_lines
            .iter()
            .all(|line| line.starts_with("WARN") && line.ends_with(&remedy))
    );

    // The server also logs that a trusted proxy sends a header that the server does not read.
    call_from(&app, trusted_ip, "x-real-ip: 203.0.113.7").await;
    let ignored_header_lines = log_lines::find(&format!("proxy {trusted_ip} sends x-real-ip"));
    assert_eq!(ignored_header_lines.len(), 1);
}
