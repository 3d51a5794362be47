//! Tests that no password, access token or secret is in the log, at any level.

use std::fs;

use serde_json::json;

use harness::{OTHER_SECRET, Postgres, Program, SECRET, Server, User, WorkDir};

const PASSWORD: &str = "RightPassw0rdOfAda";
const WRONG_PASSWORD: &str = "WrongPassw0rdOfAda";
const DATABASE_PASSWORD: &str = "Passw0rdOfTheDatabase";
const BASIC_CREDENTIALS: &str = "QWRhOlBhc3N3MHJkT2ZBZGE";

fn with_verbose_log(program: Program, log_format: &str) -> Program {
    let program = program.with_weak_hashing().set("RUST_LOG", "trace");
    program.set("LOG_FORMAT", log_format)
}

/// Sends secrets to the server in valid and invalid requests. Returns the access tokens that the server issued.
fn send_secrets(server: &Server) -> Vec<String> {
    let user = server.register("ada@example.com", PASSWORD);
    let login_response = server.log_in("ada@example.com", PASSWORD).expect(200);
    let second_login = User::of(&login_response);
    server.log_in("ada@example.com", WRONG_PASSWORD).expect(401);
    server
        .log_in("unknown@example.com", WRONG_PASSWORD)
        .expect(401);
    server.add_task(&user, "a task").expect(201);
    send_the_token_in_wrong_places(server, &user.token);
    send_the_password_in_wrong_places(server);
    vec![user.token, second_login.token]
}

fn send_the_token_in_wrong_places(server: &Server, token: &str) {
    let shortened_token = token.get(..token.len() - 9).unwrap();
    // The first invalid token has other last characters, the second is shortened, and the third is far too long.
    for invalid_token in [
        format!("{shortened_token}AAAAAAAAA"),
        shortened_token.to_owned(),
        format!("{token}{}", "A".repeat(9000)),
    ] {
        server.get("/api/auth/session", &invalid_token).expect(401);
    }
    let path_with_token = format!("/api/auth/session?access_token={token}");
    server.get(&path_with_token, "").expect(401);
    for header in [
        format!("Authorization: Basic {BASIC_CREDENTIALS}"),
        format!("Authorization: bearer  {token}"),
        format!("Cookie: access_token={token}; refresh_token={token}"),
        format!("Authorization: Bearer {token}\r\nX-User-Id: another user"),
        format!("Authorization: Bearer {token}\r\nTransfer-Encoding: gzip"),
        format!("Authorization: Bearer {token}\r\nContent-Length: {token}"),
        format!("Authorization Bearer {token}"),
        format!("Authorization: Bearer {token}\0"),
        format!(
            "Authorization: Bearer {token}\r\nX-Long: {}",
            "x".repeat(200_000)
        ),
    ] {
        let mut connection = server.connect();
        // Sending fails if the server closes the connection before it has read the whole head.
        connection.send_ignoring_errors(format!(
            "GET /api/auth/session HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{header}\r\n\r\n"
        ));
        assert!(connection.wait_until_closed());
    }
}

fn send_the_password_in_wrong_places(server: &Server) {
    let numeric_password: u64 = 8_739_456_102_938;
    server.post(
        "/api/auth/login",
        "",
        &json!({"email": PASSWORD, "password": PASSWORD}),
    );
    server.post(
        "/api/auth/login",
        "",
        &json!({"email": "a@b.example", "password": numeric_password}),
    );
    server.post("/api/auth/register", "", &json!([PASSWORD, PASSWORD]));
    server.post(
        "/api/auth/register",
        "",
        &json!({PASSWORD: 1, "email": [PASSWORD]}),
    );
    for body in [
        format!("{{\"password\":\"{PASSWORD}"),
        format!("password={PASSWORD}"),
    ] {
        let mut connection = server.connect();
        connection.send(format!(
            "POST /api/auth/login HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        connection.response().expect(400);
    }
}

/// Asserts that the log contains no password, no password hash, none of `secrets_of_this_run`, and no payload or
/// signature of `tokens`.
fn assert_not_logged(log: &str, tokens: &[String], secrets_of_this_run: &[&str]) {
    assert!(log.contains("TRACE"), "the log is not verbose: {log}");
    let mut secrets = vec![
        PASSWORD,
        WRONG_PASSWORD,
        BASIC_CREDENTIALS,
        "8739456102938",
        "$2b$",
    ];
    secrets.extend(secrets_of_this_run);
    // The payload of a token is personal, and the signature is secret. The header is public.
    secrets.extend(tokens.iter().flat_map(|token| token.split('.').skip(1)));
    for secret in secrets {
        let line_with_secret = log.lines().find(|line| line.contains(secret));
        assert_eq!(line_with_secret, None, "{secret}");
    }
}

#[test]
fn no_secret_is_logged_on_sqlite_with_a_generated_secret() {
    let work_dir = WorkDir::new();
    let server = with_verbose_log(work_dir.program(), "text").start();
    let tokens = send_secrets(&server);
    let log = server.stop().text();
    let secret = fs::read_to_string(work_dir.path("data/auth.db.secret")).unwrap();
    assert_not_logged(&log, &tokens, &[secret.trim()]);
}

#[test]
fn no_secret_is_logged_as_json_on_sqlite_with_configured_secrets() {
    let work_dir = WorkDir::new();
    work_dir.write(".env", format!("AUTH_SECRETS_PREVIOUS={OTHER_SECRET}\n"));
    let program = with_verbose_log(work_dir.program(), "json").args(&["--auth-secret", SECRET]);
    let server = program.start();
    let tokens = send_secrets(&server);
    assert_not_logged(&server.stop().text(), &tokens, &[SECRET, OTHER_SECRET]);
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn no_secret_is_logged_on_postgres_even_if_the_database_is_unavailable() {
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    let program = with_verbose_log(work_dir.program(), "text").set("AUTH_SECRET", SECRET);
    let program = program.set(
        "DATABASE_URL",
        postgres.url_with_password(DATABASE_PASSWORD),
    );
    let server = program.start();
    let tokens = send_secrets(&server);
    postgres.reject_connections();
    server.log_in("ada@example.com", PASSWORD).expect(503);
    let log = server.stop().text();
    assert!(log.contains("DATABASE_UNAVAILABLE"), "{log}");
    assert_not_logged(&log, &tokens, &[SECRET, DATABASE_PASSWORD]);
}
