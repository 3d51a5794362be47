//! Tests `GET /api/auth/error`.

use e2e::{App, on_both_engines};

on_both_engines! {
    an_error_redirects_to_the_frontend,
}

async fn an_error_redirects_to_the_frontend(app: App) {
    for (query, location) in [
        ("", "/?error=UNKNOWN"),
        ("?error=INVALID_TOKEN", "/?error=INVALID_TOKEN"),
        ("?error=%3Cscript%3E", "/?error=UNKNOWN"),
        (
            "?error=x&error_description=a%20%26%0d%0ab",
            "/?error=x&error_description=a+%26%0D%0Ab",
        ),
    ] {
        let response = app
            .anonymous()
            .get(&format!("/api/auth/error{query}"))
            .await;
        assert_eq!(response.header("location"), Some(location));
        assert!(response.assert_status(302).text().is_empty());
    }
}
