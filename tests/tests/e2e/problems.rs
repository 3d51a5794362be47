//! Every problem there is: how to get it, and its whole body. A code that no row provokes fails the last test.

use std::collections::BTreeSet;
use std::thread::available_parallelism;
use std::time::Duration;

use e2e::{App, Client, Engine, Response};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::api::auth::login::{LOGIN, credentials};
use crate::sessions::world::forge;

/// How to provoke it => status, title, code, detail, and the header that goes with it.
macro_rules! problems {
    ($($provoke:ident => $status:literal $title:literal, $code:literal, $detail:literal
        $(, $header:literal: $value:expr)?;)+) => {
        const PROVOKED: &[&str] = &[$($code),+];

        $(mod $provoke {
            e2e::on_both_engines!(has_this_body);

            async fn has_this_body(engine: e2e::Engine) {
                let answer = super::$provoke(engine).await;
                $(assert_eq!(answer.header($header), Some(String::from($value).as_str()));)?
                super::check(answer, $status, $title, $code, $detail);
            }
        })+
    };
}

problems! {
    a_body_that_is_no_json =>
        400 "Bad Request", "INVALID_JSON",
        "The body is not JSON: key must be a string at line 1 column 2";
    a_body_that_is_no_object =>
        400 "Bad Request", "INVALID_REQUEST",
        "The body must be a JSON object";
    no_token =>
        401 "Unauthorized", "UNAUTHORIZED",
        "Authentication is required",
        "www-authenticate": "Bearer realm=\"api\"";
    a_token_that_is_none =>
        401 "Unauthorized", "INVALID_TOKEN",
        "A token has exactly three parts",
        "www-authenticate": super::challenge("A token has exactly three parts");
    an_old_token =>
        401 "Unauthorized", "TOKEN_EXPIRED",
        "The token has expired",
        "www-authenticate": super::challenge("The token has expired");
    a_wrong_password =>
        401 "Unauthorized", "INVALID_EMAIL_OR_PASSWORD",
        "Invalid email or password",
        "www-authenticate": super::challenge("Invalid email or password");
    the_token_of_an_ended_session =>
        401 "Unauthorized", "TOKEN_REVOKED",
        "The session of the token has ended",
        "www-authenticate": "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"The session of the token has ended\"";
    a_refresh_token_two_steps_old =>
        401 "Unauthorized", "REFRESH_TOKEN_REUSED",
        "The refresh token was used before, so the session was ended; log in again",
        "www-authenticate": "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"The refresh token was used before, so the session was ended; log in again\"";
    a_refresh_token_of_an_ended_session =>
        401 "Unauthorized", "SESSION_EXPIRED",
        "The session is over; log in again",
        "www-authenticate": "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"The session is over; log in again\"";
    a_cookie_from_elsewhere =>
        403 "Forbidden", "UNTRUSTED_ORIGIN",
        "A request with cookies must come from our own pages or from an origin in ALLOWED_ORIGINS";
    a_wrong_current_password =>
        403 "Forbidden", "INVALID_PASSWORD",
        "The current password is wrong";
    the_tasks_of_another_user =>
        403 "Forbidden", "FORBIDDEN",
        "This address belongs to another user";
    an_unknown_address =>
        404 "Not Found", "NOT_FOUND",
        "Nothing has this address";
    an_unknown_task =>
        404 "Not Found", "TASK_NOT_FOUND",
        "There is no such task";
    an_unknown_session =>
        404 "Not Found", "SESSION_NOT_FOUND",
        "There is no such session";
    a_wrong_method =>
        405 "Method Not Allowed", "METHOD_NOT_ALLOWED",
        "This address answers GET, HEAD, PUT, PATCH, DELETE",
        "allow": "GET, HEAD, PUT, PATCH, DELETE";
    a_body_that_does_not_come =>
        408 "Request Timeout", "REQUEST_TIMEOUT",
        "The body did not arrive in time";
    an_address_that_has_an_account =>
        409 "Conflict", "USER_ALREADY_EXISTS",
        "An account with this address exists already";
    one_task_too_many =>
        409 "Conflict", "TASK_LIMIT_REACHED",
        "This account has reached its limit of tasks (1); delete some to add more";
    a_body_of_65537_bytes =>
        413 "Payload Too Large", "BODY_TOO_LARGE",
        "The body may have at most 65536 bytes";
    a_form =>
        415 "Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE",
        "Send the body as Content-Type: application/json, without Content-Encoding";
    a_task_without_a_title =>
        422 "Unprocessable Entity", "VALIDATION_ERROR",
        "Some fields are not acceptable";
    a_hundred_wrong_passwords =>
        429 "Too Many Requests", "TOO_MANY_REQUESTS",
        "Too many failed attempts for this address; please wait",
        "retry-after": "901";
    a_table_that_is_gone =>
        500 "Internal Server Error", "INTERNAL_SERVER_ERROR",
        "Something went wrong on our side; the request id names it in our log";
    more_logins_than_the_queue_takes =>
        503 "Service Unavailable", "OVERLOADED",
        "The server has too much to do; please try again",
        "retry-after": "1";
    a_database_that_does_not_answer =>
        503 "Service Unavailable", "DATABASE_UNAVAILABLE",
        "The database does not answer; please try again",
        "retry-after": "2";
}

fn challenge(description: &str) -> String {
    format!(r#"Bearer realm="api", error="invalid_token", error_description="{description}""#)
}

#[track_caller]
fn check(answer: Response, status: u16, title: &str, code: &str, detail: &str) {
    let mut expected = json!({
        "status": status, "title": title, "code": code, "detail": detail, "message": detail,
    });
    if code == "VALIDATION_ERROR" {
        let title = json!({ "field": "title", "code": "required", "message": "is required" });
        expected["errors"] = json!([title]);
    }
    assert_eq!(answer.refused(status, code), expected);
}

/// The codes that the server's source knows.
pub(crate) fn all_codes() -> BTreeSet<String> {
    let source = include_str!("../../../api-server/src/problem/code.rs");
    let (_, listed) = source.split_once("\ncodes! {").unwrap();
    let names = listed.lines().filter_map(|line| {
        let (_, name) = line.split_once('"')?;
        name.strip_suffix("\",")
    });
    names.map(ToOwned::to_owned).collect()
}

#[test]
fn every_code_is_provoked() {
    let provoked: BTreeSet<_> = PROVOKED.iter().map(ToString::to_string).collect();
    assert_eq!(provoked, all_codes());
}

async fn a_body_that_is_no_json(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.anonymous().post(LOGIN, "{email}").await
}

async fn a_body_that_is_no_object(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.anonymous().post(LOGIN, "[]").await
}

async fn no_token(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.anonymous().get("/api/auth/session").await
}

async fn a_token_that_is_none(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.bearer("junk").get("/api/auth/session").await
}

async fn an_old_token(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    app.clock.advance(Duration::from_secs(3600));
    ada.get("/api/auth/session").await
}

async fn a_wrong_password(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let wrong = credentials(ada.email(), "not the password");
    app.anonymous().post(LOGIN, wrong).await
}

async fn the_token_of_an_ended_session(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    ada.request("POST", "/api/auth/logout").await.ok();
    ada.get("/api/auth/session").await
}

/// The answers to refreshes with this session's tokens of these numbers, the last of them.
async fn refreshed<const N: usize>(app: &App, ada: &Client, counters: [u32; N]) -> Response {
    let session = ada.get("/api/auth/session").await.ok();
    let session = session["session"]["id"].as_str().unwrap().to_owned();
    let refresh = |counter| {
        let token = forge(app.secret(), &session, counter);
        let body = json!({ "refresh_token": token });
        app.anonymous()
            .post("/api/auth/refresh", body)
            .into_future()
    };
    let mut last = None;
    for counter in counters {
        last = Some(refresh(counter).await);
    }
    last.unwrap()
}

async fn a_refresh_token_two_steps_old(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    refreshed(&app, &ada, [0, 1, 0]).await
}

async fn a_refresh_token_of_an_ended_session(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    app.clock.advance(Duration::from_secs(10));
    let end = "UPDATE sessions SET revoked_at = created_at";
    app.database().execute(end);
    refreshed(&app, &ada, [0]).await
}

async fn a_cookie_from_elsewhere(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let cookie = format!("access_token={}", app.user("ada").await.token());
    let request = app.anonymous().post("/api/tasks", json!({ "title": "t" }));
    let request = request.header("cookie", &cookie);
    request.header("origin", "https://evil.example").await
}

async fn a_wrong_current_password(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let body = json!({ "current_password": "wrong", "new_password": "another one" });
    let ada = app.user("ada").await;
    ada.post("/api/auth/change-password", body).await
}

async fn an_unknown_session(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    ada.delete("/api/auth/sessions/unknown").await
}

async fn the_tasks_of_another_user(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    eve.get(&ada.tasks()).await
}

async fn an_unknown_address(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.anonymous().get("/api/nothing").await
}

async fn an_unknown_task(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.user("ada").await.get("/api/tasks/4711").await
}

async fn a_wrong_method(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.anonymous().request("POST", "/api/tasks/1").await
}

async fn a_body_that_does_not_come(engine: Engine) -> Response {
    let patience = Duration::from_millis(100);
    let app = App::on(engine).body_timeout(patience).start();
    let mut connection = app.connect().await;
    let head = format!(
        "POST {LOGIN} HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
         content-length: 1\r\n\r\n"
    );
    connection.send(head.as_bytes()).await;
    connection.answer().await.unwrap()
}

async fn an_address_that_has_an_account(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    let again = credentials(ada.email(), "another password");
    app.anonymous().post("/api/auth/register", again).await
}

async fn one_task_too_many(engine: Engine) -> Response {
    let app = App::on(engine).set("max-tasks-per-user", "1").start();
    let ada = app.user("ada").await;
    ada.new_task("Buy milk").await;
    ada.post("/api/tasks", json!({ "title": "Buy tea" })).await
}

async fn a_body_of_65537_bytes(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.anonymous().post(LOGIN, " ".repeat(65_537)).await
}

async fn a_form(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let form = b"email=ada%40example.com&password=correct+horse".as_slice();
    let kind = "application/x-www-form-urlencoded";
    app.anonymous()
        .post(LOGIN, form)
        .header("content-type", kind)
        .await
}

async fn a_task_without_a_title(engine: Engine) -> Response {
    let app = App::on(engine).start();
    app.user("ada").await.post("/api/tasks", json!({})).await
}

async fn a_hundred_wrong_passwords(engine: Engine) -> Response {
    let app = App::on(engine).behind_proxy().start();
    let ada = app.user("ada").await;
    let wrong = credentials(ada.email(), "not the password");
    for _ in 0..100 {
        let refused = app.anonymous().post(LOGIN, wrong.clone()).await;
        refused.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    app.anonymous().post(LOGIN, wrong).await
}

async fn a_table_that_is_gone(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    app.database().execute("DROP TABLE tasks");
    ada.get("/api/tasks").await
}

/// Every login costs the same fraction of the machine, however many cores it has: some 40 of them fit into a second,
/// and far more than that arrive.
async fn more_logins_than_the_queue_takes(engine: Engine) -> Response {
    let cores = available_parallelism().unwrap().get();
    let cost = (8 + cores.ilog2()).min(15).to_string();
    let app = App::on(engine).set("bcrypt-cost", &cost).start();
    let queue = cores + 56;
    let storm = (0..queue + 100).map(|number| {
        let login = credentials(&format!("{number}@example.com"), "not the password");
        app.anonymous().post(LOGIN, login).into_future()
    });
    let session = app.bearer(app.token_for("ada", "ada@example.com"));
    let (answers, session) = tokio::join!(
        join_all(storm),
        session.get("/api/auth/session").into_future()
    );
    session.ok();

    let (served, mut refused): (Vec<_>, Vec<_>) =
        answers.into_iter().partition(|it| it.status() == 401);
    assert!(served.len() >= queue, "only {} were served", served.len());
    for answer in served {
        answer.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    }
    let one = refused.pop().expect("somebody who was turned away");
    for answer in refused {
        answer.refused(503, "OVERLOADED");
    }
    let afterwards = credentials("ada@example.com", "not the password");
    let afterwards = app.anonymous().post(LOGIN, afterwards).await;
    afterwards.refused(401, "INVALID_EMAIL_OR_PASSWORD");
    one
}

/// Somebody else holds a lock that every registration needs.
async fn a_database_that_does_not_answer(engine: Engine) -> Response {
    let app = App::on(engine).start();
    let mut other = app.database().session();
    other.execute(match engine {
        Engine::Sqlite => "BEGIN IMMEDIATE",
        Engine::Postgres => "BEGIN; LOCK TABLE users",
    });
    let ada = json!({ "email": "ada@example.com", "password": "correct horse" });
    let answer = app
        .anonymous()
        .post("/api/auth/register", ada.clone())
        .await;
    other.execute("ROLLBACK");
    let afterwards: Value = app
        .anonymous()
        .post("/api/auth/register", ada)
        .await
        .created();
    assert_eq!(afterwards["user"]["email"], "ada@example.com");
    answer
}
