//! Tests the header `X-User-Id`, which may repeat the user id in the token but authorizes nothing.

use e2e::{App, on_both_engines};
use serde_json::json;

use crate::operations::protected;

on_both_engines! {
    a_logout_for_another_user_id_ends_no_session,
    x_user_id_authorizes_nothing_and_must_equal_the_subject_of_the_token,
}

async fn x_user_id_authorizes_nothing_and_must_equal_the_subject_of_the_token(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let header_name = "x-user-id";
    for operation in protected(&app).await {
        let request = operation
            .request(&ada, ada.id())
            .header(header_name, ada.id());
        let response = request.header(header_name, ada.id()).await;
        assert!(
            !matches!(response.status(), 401 | 403),
            "{}",
            response.text()
        );
        for spoofed_id in [eve.id(), "", "*", &ada.id().to_uppercase(), "admin"] {
            let request = operation
                .request(&ada, ada.id())
                .header(header_name, spoofed_id);
            request.await.problem(403, "FORBIDDEN");
        }
        let request = operation
            .request(&ada, ada.id())
            .header(header_name, ada.id());
        let problem = request
            .header(header_name, eve.id())
            .await
            .problem(403, "FORBIDDEN");
        let detail = "X-User-Id differs from the user of the token";
        assert_eq!(problem["detail"], detail);

        let anonymous_caller = app.anonymous();
        let request = operation
            .request(&anonymous_caller, ada.id())
            .header(header_name, ada.id());
        request.await.problem(401, "UNAUTHORIZED");
        let request = operation
            .request(&eve, ada.id())
            .header(header_name, ada.id());
        request.await.problem(403, "FORBIDDEN");
    }
}

async fn a_logout_for_another_user_id_ends_no_session(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    for scope in ["current", "others", "all"] {
        let request = ada.post("/api/auth/logout", json!({ "scope": scope }));
        let response = request.header("x-user-id", eve.id()).await;
        response.problem(403, "FORBIDDEN");
        ada.get("/api/auth/session").await.ok();
    }
    let request = ada.post("/api/auth/logout", json!({}));
    assert_eq!(
        request.header("x-user-id", ada.id()).await.ok()["revoked"],
        1
    );
    ada.get("/api/auth/session")
        .await
        .problem(401, "TOKEN_REVOKED");
}
