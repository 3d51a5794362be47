//! Tests the redirect URLs of a request, which are in `callbackURL` and similar fields.

use e2e::{Engine, on_both_engines};
use serde_json::{Value, json};

use super::fixtures::*;
use super::origin::start_app;

on_both_engines! {
    a_redirect_url_must_have_a_trusted_origin,
    an_untrusted_or_ambiguous_redirect_url_is_rejected_before_any_change,
    a_redirect_url_is_returned_as_parsed,
    a_redirect_url_in_the_query_must_have_a_trusted_origin_too,
}

async fn a_redirect_url_must_have_a_trusted_origin(engine: Engine) {
    let app = start_app(engine);
    sign_up(&app, "ada").await;
    let sign_in_with = |field_name: &str, value: Value| {
        let mut body = json!({ "email": "ada@example.com", "password": PASSWORD });
        body[field_name] = value;
        app.anonymous().post(SIGN_IN, body)
    };
    for url in [
        "/",
        "/a?b=//c",
        "https://app.example.com/x",
        "http://127.0.0.1:8080",
        "",
    ] {
        sign_in_with("callbackURL", url.into()).await.ok();
    }
    let untrusted_urls = [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/%2fevil.example",
        "home",
        "javascript:alert(1)",
    ];
    for (field_name, code, message) in [
        ("callbackURL", "INVALID_CALLBACK_URL", "Invalid callbackURL"),
        ("redirectTo", "INVALID_REDIRECT_URL", "Invalid redirectURL"),
        (
            "errorCallbackURL",
            "INVALID_ERROR_CALLBACK_URL",
            "Invalid errorCallbackURL",
        ),
        (
            "newUserCallbackURL",
            "INVALID_NEW_USER_CALLBACK_URL",
            "Invalid newUserCallbackURL",
        ),
    ] {
        for url in untrusted_urls {
            assert_error(
                &sign_in_with(field_name, url.into()).await,
                (403, code, message),
            );
        }
    }
    let response = sign_in_with("callbackURL", json!(["/"])).await;
    assert_error(
        &response,
        (400, "", "Invalid callbackURL: expected a string"),
    );
}

/// URLs whose origin is not trusted, or that a browser, a proxy or a framework may read differently from this server.
const UNTRUSTED_OR_AMBIGUOUS_URLS: &[&str] = &[
    "https://app.example.com//evil.example",
    "https://app.example.com/.//evil.example",
    "https://app.example.com/%2Fevil.example",
    "https://app.example.com/%5cevil.example",
    "https://app.example.com/%0d%0aset-cookie:a=b",
    "/\r\nset-cookie: a=b",
    "/a\nb",
    "/\t/evil.example",
    "/a\u{0}",
    "/a\u{7f}",
    "/\u{85}",
    "/%0d%0aset-cookie:%20a=b",
    "/%00",
    "/.//evil.example",
    "/a/..//evil.example",
    "/%2e//evil.example",
    "/\\/evil.example",
    "/a\\b",
    "/%5Cevil.example",
    "///evil.example",
    " /a",
    "/a ",
    "\thttps://app.example.com/",
    "https://app.example.com/\r\nset-cookie: a=b",
    "https://app.example.com\n",
    "https:\t//app.example.com/",
    "https://app.example.com\\@evil.example/",
    "https:\\\\app.example.com/",
    "https://app.example.com@evil.example/",
    "https://user@app.example.com/",
    "https://user:word@app.example.com/",
    "https://app.example.com:444/",
    "https://app.example.com.evil.example/",
    "https://app.example.com。evil.example/",
    "http://app.example.com/",
    "blob:https://app.example.com/x",
    "ws://app.example.com/",
    "data:text/html,x",
];

async fn an_untrusted_or_ambiguous_redirect_url_is_rejected_before_any_change(engine: Engine) {
    let app = start_app(engine);
    sign_up(&app, "ada").await;
    let too_long_url = format!("/{}", "a".repeat(2048));
    let urls = UNTRUSTED_OR_AMBIGUOUS_URLS
        .iter()
        .copied()
        .chain([too_long_url.as_str()]);
    for url in urls {
        let expected = (403, "INVALID_CALLBACK_URL", "Invalid callbackURL");
        let body = json!({ "email": "ada@example.com", "password": PASSWORD, "callbackURL": url });
        assert_error(&app.anonymous().post(SIGN_IN, body).await, expected);
        let mut body = sign_up_body("eve");
        body["callbackURL"] = url.into();
        assert_error(&app.anonymous().post(SIGN_UP, body).await, expected);
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("callbackURL", url)
            .finish();
        for path_start in ["verify-email?token=x&", "reset-password/x?"] {
            let path = format!("/api/auth/{path_start}{query}");
            assert_error(&app.anonymous().get(&path).await, expected);
        }
    }
    let count_rows = |table| {
        app.database()
            .value(&format!("SELECT count(*) FROM {table}"))
    };
    assert_eq!(count_rows("sessions").as_deref(), Some("1"));
    assert_eq!(count_rows("users").as_deref(), Some("1"));
}

async fn a_redirect_url_is_returned_as_parsed(engine: Engine) {
    let app = start_app(engine);
    sign_up(&app, "ada").await;
    let longest_url = format!("/{}", "a".repeat(2047));
    for (url, parsed_url) in [
        ("/a/../b?c=d e#f", "/b?c=d%20e#f"),
        ("/käse", "/k%C3%A4se"),
        ("HTTPS://APP.example.com:443/x", "https://app.example.com/x"),
        ("https://ａpp.example.com", "https://app.example.com/"),
        ("/a?b=%0d%0a", "/a?b=%0d%0a"),
        (&longest_url, &longest_url),
    ] {
        let body = json!({ "email": "ada@example.com", "password": PASSWORD, "callbackURL": url });
        let response = app.anonymous().post(SIGN_IN, body).await;
        assert_eq!(response.header("location"), Some(parsed_url));
        assert_eq!(response.ok()["url"], parsed_url);
    }
}

async fn a_redirect_url_in_the_query_must_have_a_trusted_origin_too(engine: Engine) {
    let app = start_app(engine);
    sign_up(&app, "ada").await;
    let path = format!("{SIGN_IN}?callbackURL=https%3A%2F%2Fevil.example");
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let response = app.anonymous().post(&path, body).await;
    assert_error(
        &response,
        (403, "INVALID_CALLBACK_URL", "Invalid callbackURL"),
    );
    for path_start in [
        "verify-email?token=x&",
        "reset-password/x?",
        "delete-user/callback?token=x&",
    ] {
        let path = format!("/api/auth/{path_start}callbackURL=https%3A%2F%2Fevil.example");
        let response = app.anonymous().get(&path).await;
        assert_error(
            &response,
            (403, "INVALID_CALLBACK_URL", "Invalid callbackURL"),
        );
    }
}
