//! Tests how the server sends the web pages. The tests in `tests/browser` cover what the pages do.

use e2e::{App, Engine, on_both_engines};

on_both_engines! {
    every_page_is_the_same_document_with_a_strict_content_security_policy,
    assets_are_cached_for_a_year,
    a_file_is_compressed_if_the_caller_accepts_gzip,
    pages_are_read_only_and_unknown_paths_are_not_found,
    a_setting_disables_the_pages,
    a_page_may_name_a_callback_on_this_server_or_a_trusted_origin,
    a_page_whose_callback_is_not_trusted_is_refused,
    the_refusal_is_in_the_language_of_the_browser_and_without_scripts,
}

/// The paths of all pages.
const PAGE_PATHS: [&str; 12] = [
    "/",
    "/sign-in",
    "/sign-up",
    "/forgot-password",
    "/reset",
    "/verify",
    "/change-email",
    "/undo-email-change",
    "/delete-account",
    "/tasks",
    "/account",
    "/sessions",
];

/// Returns the paths of the assets to which the HTML document of the pages refers, each path once.
async fn asset_paths(app: &App) -> Vec<String> {
    let document = app.anonymous().get("/").await.text();
    let parts_between_quotes = document.split('"');
    let mut paths: Vec<_> = parts_between_quotes
        .filter(|part| part.starts_with("/assets/"))
        .map(ToOwned::to_owned)
        .collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

async fn every_page_is_the_same_document_with_a_strict_content_security_policy(app: App) {
    let caller = app.anonymous();
    let first_page = caller.get("/").await;
    for path in PAGE_PATHS {
        let page = caller.get(path).await;
        assert_eq!(page.status(), 200, "{path}");
        assert_eq!(page.text(), first_page.text(), "{path}");
        assert_eq!(
            page.header("content-type").unwrap(),
            "text/html; charset=utf-8"
        );
        assert_eq!(page.header("cache-control").unwrap(), "no-store");
        assert_eq!(page.header("referrer-policy").unwrap(), "no-referrer");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}

async fn assets_are_cached_for_a_year(app: App) {
    let caller = app.anonymous();
    let paths = asset_paths(&app).await;
    assert!(paths.len() >= 10, "{paths:?}");
    for path in paths {
        let file = caller.get(&path).await;
        assert_eq!(file.status(), 200, "{path}");
        assert_eq!(
            file.header("cache-control").unwrap(),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(file.header("x-content-type-options").unwrap(), "nosniff");
    }
}

async fn a_file_is_compressed_if_the_caller_accepts_gzip(app: App) {
    let caller = app.anonymous();
    for path in ["/".to_owned(), asset_paths(&app).await.swap_remove(0)] {
        let uncompressed_response = caller.get(&path).await;
        assert_eq!(uncompressed_response.header("content-encoding"), None);
        assert_eq!(
            uncompressed_response.header("vary").unwrap(),
            "accept-encoding"
        );
        for (accept_encoding, is_compressed) in [
            ("gzip, deflate, br", true),
            ("GZIP", true),
            ("gzip;q=0", false),
            ("br", false),
            ("identity", false),
            ("", false),
            ("gzip;q=x", false),
        ] {
            let request = caller.get(&path).header("accept-encoding", accept_encoding);
            let response = request.await;
            assert_eq!(response.status(), 200, "{accept_encoding}");
            let encoding = response.header("content-encoding");
            assert_eq!(encoding.is_some(), is_compressed, "{accept_encoding}");
        }
    }
}

async fn pages_are_read_only_and_unknown_paths_are_not_found(app: App) {
    let caller = app.anonymous();
    for path in PAGE_PATHS {
        let refused = caller.post(path, serde_json::json!({})).await;
        assert_eq!(refused.status(), 405, "{path}");
        assert_eq!(refused.header("allow").unwrap(), "GET, HEAD");
    }
    let asset_path = asset_paths(&app).await.swap_remove(0);
    for path in [
        "/nothing",
        "/tasks/1",
        "/index.html",
        &format!("{asset_path}x"),
    ] {
        caller.get(path).await.problem(404, "NOT_FOUND");
    }
}

async fn a_setting_disables_the_pages(engine: Engine) {
    let app = App::on(engine).set("pages", "false").start();
    for path in PAGE_PATHS {
        app.anonymous().get(path).await.problem(404, "NOT_FOUND");
    }
    let documentation_page = app.anonymous().get("/docs/").await;
    assert_eq!(documentation_page.status(), 200);
}

/// Starts a server that trusts another origin besides its own.
fn app_with_trusted_origin(engine: Engine) -> App {
    App::on(engine)
        .set("public-url", "https://api.example")
        .set("allowed-origins", "https://app.example")
        .start()
}

async fn a_page_may_name_a_callback_on_this_server_or_a_trusted_origin(engine: Engine) {
    let app = app_with_trusted_origin(engine);
    let caller = app.anonymous();
    let document = caller.get("/").await.text();
    for query in [
        "callbackURL=",
        "callbackURL",
        "callbackURL=%2F",
        "callbackURL=/done?a=b%26c=d%23e",
        "callbackURL=https%3A%2F%2Fapp%2Eexample%2Fdone%3Fa%3D1",
        "callbackURL=https://app.example",
        "callbackURL=https://api.example/done",
        "a=b&callbackURL=/done&c=d",
        "%63allback%55RL=/done",
        "callbackurl=https://evil.example",
        "next=%2Ftasks%3FcallbackURL%3Dhttps://evil.example",
    ] {
        for path in PAGE_PATHS {
            let page = caller.get(&format!("{path}?{query}")).await;
            assert_eq!(page.status(), 200, "{path}?{query}");
            assert_eq!(page.text(), document, "{path}?{query}");
        }
    }
}

async fn a_page_whose_callback_is_not_trusted_is_refused(engine: Engine) {
    let app = app_with_trusted_origin(engine);
    let caller = app.anonymous();
    let too_long = format!("callbackURL=/{}", "a".repeat(2048));
    for query in [
        "callbackURL=https://evil.example",
        "callbackURL=https%3A%2F%2Fevil.example%2F",
        "callbackURL=//evil.example",
        "callbackURL=%2F%2Fevil.example",
        "callbackURL=/%5Cevil.example",
        "callbackURL=%5C%5Cevil.example",
        "callbackURL=/%252Fevil.example",
        "callbackURL=/.//evil.example",
        "callbackURL=https:/evil.example",
        "callbackURL=javascript:alert(1)",
        "callbackURL=JavaScript%3Aalert(1)",
        "callbackURL=java%0Ascript:alert(1)",
        "callbackURL=%20javascript:alert(1)",
        "callbackURL=data:text/html,evil",
        "callbackURL=blob:https://app.example/a",
        "callbackURL=http://app.example",
        "callbackURL=https://app.example.evil.example",
        "callbackURL=https://app.example:8443",
        "callbackURL=https://app.example@evil.example",
        "callbackURL=https://user:password@app.example",
        "callbackURL=done",
        "callbackURL=/done%0D%0A",
        "callbackURL=/done&callbackURL=/done",
        "callbackURL=/done&callbackURL=https://evil.example",
        "callbackURL=&callbackURL=https://evil.example",
        "%63allbackURL=https://evil.example",
        "callback%55RL=https://evil.example&callbackURL=/done",
        "a=b&callbackURL=https://evil.example&c=d",
        &too_long,
    ] {
        for path in PAGE_PATHS {
            let page = caller.get(&format!("{path}?{query}")).await;
            assert_eq!(page.status(), 403, "{path}?{query}");
            assert!(!page.text().contains("evil"), "{path}?{query}");
        }
    }
}

async fn the_refusal_is_in_the_language_of_the_browser_and_without_scripts(app: App) {
    let caller = app.anonymous();
    for (accepted, language, title) in [
        ("de-AT,de;q=0.9,en;q=0.8", "de", "Dieser Link ist ungültig"),
        ("en-GB", "en", "This link is not valid"),
        ("fr", "en", "This link is not valid"),
    ] {
        let request = caller.get("/verify?callbackURL=https://evil.example");
        let page = request.header("accept-language", accepted).await;
        assert_eq!(page.status(), 403);
        assert_eq!(page.header("content-language").unwrap(), language);
        assert_eq!(page.header("vary").unwrap(), "accept-language");
        let content_type = page.header("content-type").unwrap();
        assert_eq!(content_type, "text/html; charset=utf-8");
        assert_eq!(page.header("cache-control").unwrap(), "no-store");
        assert_eq!(page.header("referrer-policy").unwrap(), "no-referrer");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none';"), "{policy}");
        let document = page.text();
        assert!(document.contains(&format!("<html lang=\"{language}\">")));
        assert!(document.contains(&format!("<h1>{title}</h1>")));
        assert!(!document.contains("<script"), "{document}");
    }
}
