//! Tests the addresses of Better Auth's admin plugin, which this server does not have.

use e2e::{App, on_both_engines};
use serde_json::json;

use super::fixtures::*;

on_both_engines! {
    every_caller_gets_the_same_404_that_names_the_commands,
    other_addresses_are_not_affected,
}

const NOT_SUPPORTED: (u16, &str, &str) = (
    404,
    "ADMIN_API_NOT_SUPPORTED",
    "This server has no admin API. Its operator changes roles and claims with the commands \
     `api-server users roles` and `api-server users claims`.",
);

async fn every_caller_gets_the_same_404_that_names_the_commands(app: App) {
    let [user, admin] = [sign_up(&app, "ada").await, sign_up(&app, "bob").await];
    let command = ["users", "roles", "bob@example.com", "--add", "admin"];
    assert!(app.another_process().run_command(&command).await);
    assert_eq!(admin.session(&app).await["user"]["role"], "admin");
    for (method, path) in [
        ("GET", "/list-users"),
        ("GET", "/list-users?limit=10&offset=10"),
        ("GET", "/get-user?id=1"),
        ("HEAD", "/list-users"),
        ("POST", "/set-role"),
        ("POST", "/ban-user"),
        ("DELETE", "/remove-user"),
        ("POST", "/"),
        ("POST", "/a/b"),
        ("POST", "/%00"),
    ] {
        for cookies in [
            "",
            &user.cookies,
            &admin.cookies,
            "better-auth.session_token=x",
        ] {
            for body in ["", "{}", "{"] {
                let path = format!("/api/auth/admin{path}");
                let request = app.anonymous().request(method, &path);
                let request = request.header("cookie", cookies).body(body.as_bytes());
                let response = request.header("origin", "https://untrusted.example").await;
                match method {
                    "HEAD" => assert_eq!((response.status(), &*response.text()), (404, "")),
                    _ => assert_error(&response, NOT_SUPPORTED),
                }
                assert_eq!(response.header("set-cookie"), None);
            }
        }
    }
    let unchanged = admin.session(&app).await;
    assert_eq!(unchanged["user"]["role"], json!("admin"));
}

async fn other_addresses_are_not_affected(app: App) {
    for path in ["/api/auth/admin", "/api/auth/admins/list-users"] {
        let response = app.anonymous().get(path).await;
        assert_eq!(response.status(), 404);
        assert!(response.text().contains("\"NOT_FOUND\""), "{path}");
    }
}
