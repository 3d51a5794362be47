//! The header `X-User-Id`, which may repeat the subject of the token.

use e2e::{App, on_both_engines};

use crate::routes::protected;

on_both_engines! {
    x_user_id_authorizes_nothing_and_must_equal_the_subject_of_the_token,
}

async fn x_user_id_authorizes_nothing_and_must_equal_the_subject_of_the_token(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    let name = "x-user-id";
    for operation in protected(&app).await {
        let own = operation.request(&ada, ada.id()).header(name, ada.id());
        let response = own.header(name, ada.id()).await;
        assert!(
            !matches!(response.status(), 401 | 403),
            "{}",
            response.text()
        );
        for spoofed in [eve.id(), "", "*", &ada.id().to_uppercase(), "admin"] {
            let refused = operation.request(&ada, ada.id()).header(name, spoofed);
            refused.await.problem(403, "FORBIDDEN");
        }
        let twice = operation.request(&ada, ada.id()).header(name, ada.id());
        let problem = twice.header(name, eve.id()).await.problem(403, "FORBIDDEN");
        let detail = "X-User-Id differs from the user of the token";
        assert_eq!(problem["detail"], detail);

        let anonymous = app.anonymous();
        let refused = operation
            .request(&anonymous, ada.id())
            .header(name, ada.id());
        refused.await.problem(401, "UNAUTHORIZED");
        let other_path = operation.request(&eve, ada.id()).header(name, ada.id());
        other_path.await.problem(403, "FORBIDDEN");
    }
}
