//! The pages over HTTP; their behaviour is tested in a browser.

use e2e::{App, Engine, on_both_engines};

on_both_engines! {
    every_page_is_the_same_document_under_a_strict_policy,
    assets_are_named_by_content_and_cached_for_a_year,
    a_file_is_compressed_if_the_caller_accepts_gzip,
    pages_are_read_only_and_unknown_addresses_stay_problems,
    a_setting_disables_the_pages,
}

const PAGES: [&str; 6] = [
    "/",
    "/sign-in",
    "/sign-up",
    "/tasks",
    "/account",
    "/sessions",
];

/// Returns the paths of the files that the document loads, without repetitions.
async fn assets(app: &App) -> Vec<String> {
    let document = app.anonymous().get("/").await.text();
    let quoted = document.split('"');
    let mut assets: Vec<_> = quoted
        .filter(|text| text.starts_with("/assets/"))
        .map(ToOwned::to_owned)
        .collect();
    assets.sort_unstable();
    assets.dedup();
    assets
}

async fn every_page_is_the_same_document_under_a_strict_policy(app: App) {
    let caller = app.anonymous();
    let first = caller.get("/").await;
    for path in PAGES {
        let page = caller.get(path).await;
        assert_eq!(page.status(), 200, "{path}");
        assert_eq!(page.text(), first.text(), "{path}");
        assert_eq!(
            page.header("content-type").unwrap(),
            "text/html; charset=utf-8"
        );
        assert_eq!(page.header("cache-control").unwrap(), "no-store");
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("script-src 'self';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}

async fn assets_are_named_by_content_and_cached_for_a_year(app: App) {
    let caller = app.anonymous();
    let assets = assets(&app).await;
    assert!(assets.len() >= 8, "{assets:?}");
    for asset in assets {
        let file = caller.get(&asset).await;
        assert_eq!(file.status(), 200, "{asset}");
        assert_eq!(
            file.header("cache-control").unwrap(),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(file.header("x-content-type-options").unwrap(), "nosniff");
    }
}

async fn a_file_is_compressed_if_the_caller_accepts_gzip(app: App) {
    let caller = app.anonymous();
    for path in ["/".to_owned(), assets(&app).await.swap_remove(0)] {
        let plain = caller.get(&path).await;
        assert_eq!(plain.header("content-encoding"), None);
        assert_eq!(plain.header("vary").unwrap(), "accept-encoding");
        for (accepted, is_compressed) in [
            ("gzip, deflate, br", true),
            ("GZIP", true),
            ("gzip;q=0", false),
            ("br", false),
            ("identity", false),
            ("", false),
            ("gzip;q=x", false),
        ] {
            let request = caller.get(&path).header("accept-encoding", accepted);
            let response = request.await;
            assert_eq!(response.status(), 200, "{accepted}");
            let encoding = response.header("content-encoding");
            assert_eq!(encoding.is_some(), is_compressed, "{accepted}");
        }
    }
}

async fn pages_are_read_only_and_unknown_addresses_stay_problems(app: App) {
    let caller = app.anonymous();
    for path in PAGES {
        let refused = caller.post(path, serde_json::json!({})).await;
        assert_eq!(refused.status(), 405, "{path}");
        assert_eq!(refused.header("allow").unwrap(), "GET, HEAD");
    }
    let asset = assets(&app).await.swap_remove(0);
    for path in ["/nothing", "/tasks/1", "/index.html", &format!("{asset}x")] {
        caller.get(path).await.problem(404, "NOT_FOUND");
    }
}

async fn a_setting_disables_the_pages(engine: Engine) {
    let app = App::on(engine).set("pages", "false").start();
    for path in PAGES {
        app.anonymous().get(path).await.problem(404, "NOT_FOUND");
    }
    let docs = app.anonymous().get("/docs/").await;
    assert_eq!(docs.status(), 200);
}
