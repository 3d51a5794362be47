//! Provokes the errors of requests whose method, path, origin or body is not acceptable.

use e2e::{App, Engine, Response};
use serde_json::json;

use crate::auth::login::{LOGIN, credentials};

pub(super) async fn a_body_that_is_not_json(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.anonymous().post(LOGIN, "{email}").await
}

pub(super) async fn a_body_that_is_not_an_object(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.anonymous().post(LOGIN, "[]").await
}

pub(super) async fn a_cookie_from_another_origin(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let cookie = format!("access_token={}", app.user("ada").await.token());
    let request = app.anonymous().post("/api/tasks", json!({ "title": "t" }));
    let request = request.header("cookie", &cookie);
    request.header("origin", "https://evil.example").await
}

pub(super) async fn an_unknown_session(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    ada.delete("/api/auth/sessions/unknown").await
}

pub(super) async fn the_tasks_of_another_user(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    eve.get(&ada.tasks()).await
}

pub(super) async fn an_unknown_path(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.anonymous().get("/api/nothing").await
}

pub(super) async fn an_unknown_task(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.user("ada").await.get("/api/tasks/4711").await
}

pub(super) async fn a_wrong_method(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.anonymous().request("POST", "/api/tasks/1").await
}

pub(super) async fn a_body_that_does_not_arrive(engine: Engine) -> Response {
    let app = App::on(engine).set("body-timeout", "100ms").start();
    let mut connection = app.connect().await;
    let head = format!(
        "POST {LOGIN} HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
         content-length: 1\r\n\r\n"
    );
    connection.send(head.as_bytes()).await;
    connection.response().await.unwrap()
}

pub(super) async fn an_email_address_that_has_an_account(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let registration_body = credentials(ada.email(), "another password");
    app.anonymous()
        .post("/api/auth/register", registration_body)
        .await
}

pub(super) async fn a_body_of_65537_bytes(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.anonymous().post(LOGIN, " ".repeat(65_537)).await
}

pub(super) async fn a_form(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let form = b"email=ada%40example.com&password=correct+horse".as_slice();
    let media_type = "application/x-www-form-urlencoded";
    app.anonymous()
        .post(LOGIN, form)
        .header("content-type", media_type)
        .await
}

pub(super) async fn a_task_without_a_title(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.user("ada").await.post("/api/tasks", json!({})).await
}
