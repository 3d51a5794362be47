//! Tests how the server sends the web pages. The tests in `tests/browser` cover what the pages do.

use e2e::{App, Engine, on_both_engines};

on_both_engines! {
    every_page_is_the_same_document_with_a_strict_content_security_policy,
    assets_are_cached_for_a_year,
    a_file_is_compressed_if_the_caller_accepts_gzip,
    pages_are_read_only_and_unknown_paths_are_not_found,
    a_setting_disables_the_pages,
}

/// The paths of all pages.
const PAGE_PATHS: [&str; 8] = [
    "/",
    "/sign-in",
    "/sign-up",
    "/forgot-password",
    "/reset",
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
