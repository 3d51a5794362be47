//! Which pages may send what, and where a request may lead.

use e2e::{App, Engine, Request, on_both_engines};
use serde_json::{Value, json};

use super::world::*;

on_both_engines! {
    a_post_with_any_cookie_comes_from_an_origin_we_know,
    a_post_with_a_token_in_the_header_alone_may_come_from_anywhere,
    a_login_without_cookies_comes_from_an_origin_we_know_if_a_browser_sends_it,
    an_address_to_go_on_to_is_ours,
    an_ambiguous_address_is_refused_before_anything_happens,
    an_address_to_go_on_to_is_named_as_it_was_parsed,
    an_address_in_the_query_is_ours_too,
    an_allowed_origin_may_read_the_token_in_the_header,
}

const ALLOWED: &str = "https://app.example.com";
const INVALID: (u16, &str, &str) = (403, "INVALID_ORIGIN", "Invalid origin");
const MISSING: (u16, &str, &str) = (403, "MISSING_OR_NULL_ORIGIN", "Missing or null Origin");
const CROSS_SITE: (u16, &str, &str) = (
    403,
    "CROSS_SITE_NAVIGATION_LOGIN_BLOCKED",
    "Cross-site navigation login blocked. This request appears to be a CSRF attack.",
);

fn start(engine: Engine) -> App {
    App::on(engine).set("allowed-origins", ALLOWED).start()
}

fn with(request: Request, headers: &[(&str, &str)]) -> Request {
    let mut request = request;
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request
}

async fn a_post_with_any_cookie_comes_from_an_origin_we_know(engine: Engine) {
    let app = start(engine);
    let ada = sign_up(&app, "ada").await;
    let update = |cookies: &str| {
        let body = json!({ "name": "Ada" });
        let request = app.anonymous().post("/api/auth/update-user", body);
        request.header("cookie", cookies)
    };
    for good in [
        &[("origin", OWN_ORIGIN)][..],
        &[("origin", ALLOWED)],
        &[("referer", "https://app.example.com/a/b?c=d")],
        &[("origin", "null"), ("sec-fetch-site", "same-origin")],
        &[("origin", OWN_ORIGIN), ("referer", "https://evil.example/")],
    ] {
        with(update(&ada.cookies), good).await.ok();
    }
    for (bad, expected) in [
        (&[][..], MISSING),
        (&[("origin", "null")], MISSING),
        (
            &[("origin", "null"), ("sec-fetch-site", "cross-site")],
            MISSING,
        ),
        (&[("sec-fetch-site", "same-origin")], MISSING),
        (&[("origin", "https://evil.example")], INVALID),
        (
            &[("origin", "https://evil.example"), ("referer", OWN_ORIGIN)],
            INVALID,
        ),
        (&[("origin", "http://app.example.com")], INVALID),
        (&[("origin", "https://app.example.com:8443")], INVALID),
        (
            &[("origin", "https://app.example.com.evil.example")],
            INVALID,
        ),
        (
            &[("origin", "https://evil.example/?https://app.example.com")],
            INVALID,
        ),
        (
            &[("origin", "https://app.example.com@evil.example")],
            INVALID,
        ),
        (&[("origin", "junk")], INVALID),
        (&[("origin", OWN_ORIGIN), ("origin", OWN_ORIGIN)], INVALID),
        (&[("referer", "https://evil.example/")], INVALID),
    ] {
        for cookies in [&*ada.cookies, "theme=dark"] {
            says(&with(update(cookies), bad).await, expected);
        }
    }
    let forged = with(
        ada.get(&app, GET_SESSION),
        &[("origin", "https://evil.example")],
    );
    assert_eq!(forged.await.ok()["user"]["name"], "Ada");
}

async fn a_post_with_a_token_in_the_header_alone_may_come_from_anywhere(engine: Engine) {
    let app = start(engine);
    let ada = sign_up(&app, "ada").await;
    for headers in [
        &[][..],
        &[("origin", "https://evil.example")],
        &[("origin", "null")],
    ] {
        let body = json!({ "name": "Ada" });
        let request = app.bearer(&ada.token).post("/api/auth/update-user", body);
        with(request, headers).await.ok();
    }
    let body = json!({ "name": "Ada" });
    let request = app.bearer(&ada.token).post("/api/auth/update-user", body);
    says(&request.header("cookie", "theme=dark").await, MISSING);
}

async fn a_login_without_cookies_comes_from_an_origin_we_know_if_a_browser_sends_it(
    engine: Engine,
) {
    let app = start(engine);
    sign_up(&app, "ada").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let sign_in = || app.anonymous().post(SIGN_IN, body.clone());
    let sign_up = || app.anonymous().post(SIGN_UP, body.clone());
    for good in [
        &[][..],
        &[("origin", ALLOWED)],
        &[("referer", "http://127.0.0.1:8080/login")],
        &[
            ("origin", ALLOWED),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "cors"),
        ],
    ] {
        with(sign_in(), good).await.ok();
    }
    for (bad, expected) in [
        (&[("origin", "https://evil.example")][..], INVALID),
        (&[("origin", "null")], MISSING),
        (&[("sec-fetch-mode", "cors")], MISSING),
        (
            &[
                ("sec-fetch-dest", "empty"),
                ("referer", "https://evil.example/x"),
            ],
            INVALID,
        ),
        (
            &[
                ("origin", ALLOWED),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", "navigate"),
            ],
            CROSS_SITE,
        ),
    ] {
        says(&with(sign_in(), bad).await, expected);
        let mut named = body.clone();
        named["name"] = "Ada".into();
        says(&with(sign_up().body(named), bad).await, expected);
    }
}

async fn an_address_to_go_on_to_is_ours(engine: Engine) {
    let app = start(engine);
    sign_up(&app, "ada").await;
    let sign_in = |name: &str, value: Value| {
        let mut body = json!({ "email": "ada@example.com", "password": PASSWORD });
        body[name] = value;
        app.anonymous().post(SIGN_IN, body)
    };
    for good in [
        "/",
        "/a?b=//c",
        "https://app.example.com/x",
        "http://127.0.0.1:8080",
        "",
    ] {
        sign_in("callbackURL", good.into()).await.ok();
    }
    let bad = [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/%2fevil.example",
        "home",
        "javascript:alert(1)",
    ];
    for (name, code, message) in [
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
        for bad in bad {
            says(&sign_in(name, bad.into()).await, (403, code, message));
        }
    }
    let answer = sign_in("callbackURL", json!(["/"])).await;
    says(&answer, (400, "", "Invalid callbackURL: expected a string"));
}

/// What a browser, a proxy or a framework may read as another address than the one that was checked.
const AMBIGUOUS: &[&str] = &[
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

async fn an_ambiguous_address_is_refused_before_anything_happens(engine: Engine) {
    let app = start(engine);
    sign_up(&app, "ada").await;
    let too_long = format!("/{}", "a".repeat(2048));
    let ambiguous = AMBIGUOUS.iter().copied().chain([too_long.as_str()]);
    for address in ambiguous {
        let refused = (403, "INVALID_CALLBACK_URL", "Invalid callbackURL");
        let body =
            json!({ "email": "ada@example.com", "password": PASSWORD, "callbackURL": address });
        says(&app.anonymous().post(SIGN_IN, body).await, refused);
        let mut body = sign_up_body("eve");
        body["callbackURL"] = address.into();
        says(&app.anonymous().post(SIGN_UP, body).await, refused);
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("callbackURL", address)
            .finish();
        for path in ["verify-email?token=x&", "reset-password/x?"] {
            let path = format!("/api/auth/{path}{query}");
            says(&app.anonymous().get(&path).await, refused);
        }
    }
    let count = |table| {
        app.database()
            .value(&format!("SELECT count(*) FROM {table}"))
    };
    assert_eq!(count("sessions").as_deref(), Some("1"));
    assert_eq!(count("users").as_deref(), Some("1"));
}

async fn an_address_to_go_on_to_is_named_as_it_was_parsed(engine: Engine) {
    let app = start(engine);
    sign_up(&app, "ada").await;
    let longest = format!("/{}", "a".repeat(2047));
    for (address, parsed) in [
        ("/a/../b?c=d e#f", "/b?c=d%20e#f"),
        ("/käse", "/k%C3%A4se"),
        ("HTTPS://APP.example.com:443/x", "https://app.example.com/x"),
        ("https://ａpp.example.com", "https://app.example.com/"),
        ("/a?b=%0d%0a", "/a?b=%0d%0a"),
        (&longest, &longest),
    ] {
        let body =
            json!({ "email": "ada@example.com", "password": PASSWORD, "callbackURL": address });
        let answer = app.anonymous().post(SIGN_IN, body).await;
        assert_eq!(answer.header("location"), Some(parsed));
        assert_eq!(answer.ok()["url"], parsed);
    }
}

async fn an_address_in_the_query_is_ours_too(engine: Engine) {
    let app = start(engine);
    sign_up(&app, "ada").await;
    let in_query = format!("{SIGN_IN}?callbackURL=https%3A%2F%2Fevil.example");
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let answer = app.anonymous().post(&in_query, body).await;
    says(
        &answer,
        (403, "INVALID_CALLBACK_URL", "Invalid callbackURL"),
    );
    for path in [
        "verify-email?token=x&",
        "reset-password/x?",
        "delete-user/callback?token=x&",
    ] {
        let path = format!("/api/auth/{path}callbackURL=https%3A%2F%2Fevil.example");
        let answer = app.anonymous().get(&path).await;
        says(
            &answer,
            (403, "INVALID_CALLBACK_URL", "Invalid callbackURL"),
        );
    }
}

async fn an_allowed_origin_may_read_the_token_in_the_header(engine: Engine) {
    let app = start(engine);
    let request = app.anonymous().post(SIGN_UP, sign_up_body("ada"));
    let answer = request.header("origin", ALLOWED).await.is(200);
    assert_eq!(answer.header("access-control-allow-origin"), Some(ALLOWED));
    let exposed = answer.header("access-control-expose-headers").unwrap();
    for name in ["set-auth-token", "x-retry-after"] {
        assert!(
            exposed
                .split(',')
                .any(|it| it.trim().eq_ignore_ascii_case(name)),
            "{exposed}"
        );
    }
    let refused = app.anonymous().post(SIGN_IN, json!({}));
    let refused = refused.header("origin", ALLOWED).await.is(400);
    assert_eq!(refused.header("access-control-allow-origin"), Some(ALLOWED));
}
