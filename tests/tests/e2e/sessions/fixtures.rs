//! Logs devices in, refreshes tokens, and reads or inserts sessions in the database.

use std::time::Duration;

use auth_core::refresh::{RefreshToken, RefreshTokens};
use auth_core::{Keyring, Secret};
use e2e::{App, Client, DatabaseSession, Request, Response};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};
use uuid::Uuid;

use crate::auth::login::{LOGIN, credentials};

pub(crate) const REFRESH: &str = "/api/auth/refresh";
pub(crate) const LOGOUT: &str = "/api/auth/logout";
pub(crate) const SESSION: &str = "/api/auth/session";
pub(crate) const SESSIONS: &str = "/api/auth/sessions";
pub(crate) const ACCOUNT: &str = "/api/auth/account";
pub(crate) const CHANGE_PASSWORD: &str = "/api/auth/change-password";

/// The origin of the server's web pages, from the setting `PUBLIC_URL` in [`e2e::Options`].
pub(crate) const SERVER_ORIGIN: &str = "http://127.0.0.1:8080";

pub(crate) const ACCESS_TTL: Duration = Duration::from_secs(15 * 60);
pub(crate) const SESSION_TTL: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The time after a refresh in which the preceding refresh token gets the tokens of this refresh again, any number of
/// times.
pub(crate) const OVERLAP: Duration = Duration::from_secs(10);
/// One microsecond less than [`SESSION_TTL`].
pub(crate) const ALMOST_SESSION_TTL: Duration = Duration::from_micros(604_799_999_999);
/// One microsecond less than [`OVERLAP`].
pub(crate) const ALMOST_OVERLAP: Duration = Duration::from_micros(9_999_999);
pub(crate) const MICROSECOND: Duration = Duration::from_micros(1);

/// The tokens that a device stores after a login or a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Device {
    /// The id of the session.
    pub(crate) session: String,
    /// The access token.
    pub(crate) access: String,
    /// The refresh token.
    pub(crate) refresh: String,
}

impl Device {
    #[track_caller]
    pub(crate) fn from_response(token_response: &Value) -> Self {
        let field = |name: &str| token_response[name].as_str().unwrap().to_owned();
        Self {
            session: field("session_id"),
            access: field("access_token"),
            refresh: field("refresh_token"),
        }
    }

    /// Returns the `Cookie` header with which a browser sends these tokens.
    pub(crate) fn cookies(&self) -> String {
        format!(
            "access_token={}; refresh_token={}",
            self.access, self.refresh
        )
    }
}

/// Logs in another device of this user.
pub(crate) async fn login(app: &App, user: &Client) -> Device {
    let body = credentials(user.email(), user.password());
    Device::from_response(&app.anonymous().post(LOGIN, body).await.ok())
}

/// Registers a user and logs in one device. The session of the registration is revoked.
pub(crate) async fn user_with_device(app: &App, name: &str) -> (Client, Device) {
    let user = app.user(name).await;
    user.post(LOGOUT, json!({})).await.ok();
    let device = login(app, &user).await;
    (user, device)
}

pub(crate) fn refresh(app: &App, refresh_token: &str) -> Request {
    let body = json!({ "refresh_token": refresh_token });
    app.anonymous().post(REFRESH, body)
}

/// Refreshes the tokens of a device, and returns the device with the new tokens.
pub(crate) async fn refreshed(app: &App, device: &Device) -> Device {
    Device::from_response(&refresh(app, &device.refresh).await.ok())
}

/// Refreshes the tokens of a device this many times, each time with the newest refresh token.
pub(crate) async fn refreshed_times(app: &App, device: &Device, times: usize) -> Device {
    let mut newest_device = device.clone();
    for _ in 0..times {
        newest_device = refreshed(app, &newest_device).await;
    }
    newest_device
}

/// Encodes a refresh token for any session and counter.
pub(crate) fn encode_refresh_token(secret: &str, session_id: &str, counter: u32) -> String {
    let keyring = Keyring::new(Secret::new(secret).unwrap());
    RefreshTokens::new(&keyring).encode(RefreshToken {
        session_id: Uuid::parse_str(session_id).unwrap().into_bytes(),
        counter,
    })
}

/// Returns the value of a column of a session; `None` if the value is NULL or the session has no row.
pub(crate) fn column(app: &App, session_id: &str, column_name: &str) -> Option<String> {
    let query = format!("SELECT {column_name} FROM sessions WHERE id = '{session_id}'");
    app.database().value(&query)
}

pub(crate) fn counter(app: &App, session_id: &str) -> u32 {
    let text = column(app, session_id, "counter");
    text.unwrap().parse().unwrap()
}

pub(crate) fn is_revoked(app: &App, session_id: &str) -> bool {
    column(app, session_id, "revoked_at").is_some()
}

/// Returns for each device whether its session is live, that is, not revoked in the database. A session that has no row
/// counts as live.
pub(crate) fn are_live<'d>(app: &App, devices: impl IntoIterator<Item = &'d Device>) -> Vec<bool> {
    let devices = devices.into_iter();
    devices
        .map(|device| !is_revoked(app, &device.session))
        .collect()
}

/// Counts rows. `table` is the name of a table, or a name and a condition, as in `users WHERE id = '1'`.
pub(crate) fn count(app: &App, table: &str) -> u64 {
    let text = app
        .database()
        .value(&format!("SELECT COUNT(*) FROM {table}"));
    text.unwrap().parse().unwrap()
}

pub(crate) async fn get_session(app: &App, access_token: &str) -> Response {
    app.bearer(access_token).get(SESSION).await
}

/// The longest time from a logout on one process until every process rejects the tokens of the session: 2 s, and here
/// three times as long, because many tests share the machine. The tests in `api-server/tests/cluster` measure it under
/// load.
pub(crate) const MAX_REVOCATION_DELAY: Duration = Duration::from_secs(6);

/// Sends requests until the server rejects one with this code. Returns how long that took.
pub(crate) async fn until_rejected(app: &App, access_token: &str, code: &str) -> Duration {
    let started = Instant::now();
    loop {
        let response = get_session(app, access_token).await;
        if response.code() == code {
            return started.elapsed();
        }
        response.ok();
        let waited = started.elapsed();
        assert!(waited < Duration::from_secs(20), "no {code} in {waited:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until the condition is true; panics after 20 s.
pub(crate) async fn wait_until(description: &str, condition: impl AsyncFn() -> bool) {
    let started = Instant::now();
    while !condition().await {
        let waited = started.elapsed();
        assert!(
            waited < Duration::from_secs(20),
            "not in {waited:?}: {description}"
        );
        sleep(Duration::from_millis(20)).await;
    }
}

/// The tests assume that a lock blocks a request that has no response after this time.
pub(crate) const BLOCKED_AFTER: Duration = Duration::from_millis(500);

/// Executes the statements in a transaction outside the server, and sends a request that must wait for the transaction.
/// Then commits the transaction and returns the response.
pub(crate) async fn race_transaction(app: &App, statements: &str, request: Request) -> Response {
    let mut transaction = app.database().open_session();
    transaction.execute(match &transaction {
        DatabaseSession::Sqlite(_) => "BEGIN IMMEDIATE",
        DatabaseSession::Postgres(_) => "BEGIN",
    });
    transaction.execute(statements);
    let request = request.into_future();
    tokio::pin!(request);
    assert!(timeout(BLOCKED_AFTER, &mut request).await.is_err());
    transaction.execute("COMMIT");
    request.await
}

/// Returns the id of a copy that [`clone_sessions`] inserts; the first copy has the number 1.
pub(crate) fn cloned_id(number: usize) -> String {
    format!("00000000-0000-7000-8000-{}", 100_000_000_000 + number)
}

/// Inserts this many copies of a session, each with its own id.
pub(crate) fn clone_sessions(app: &App, session_id: &str, count: usize) {
    app.database().execute(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
         INSERT INTO sessions (id, user_id, counter, late_recoveries, created_at, last_used_at, expires_at) \
         SELECT '00000000-0000-7000-8000-' || CAST(100000000000 + i AS TEXT), \
             user_id, counter, late_recoveries, created_at, last_used_at, expires_at \
         FROM n, sessions WHERE id = '{session_id}'"
    ));
}

/// Inserts a revocation that expired years ago.
pub(crate) fn insert_expired_revocation(app: &App) {
    app.database().execute(
        "INSERT INTO revocations (sequence, session_id, forget_after) \
         VALUES (0, 'expired', '2020-01-01 00:00:00')",
    );
}

/// Makes PostgreSQL record how many sessions each statement of this kind updates or deletes; `statement_kind` is
/// `UPDATE` or `DELETE`. Returns the query for the largest recorded number.
pub(crate) fn record_rows_per_statement(app: &App, statement_kind: &str) -> &'static str {
    app.database().execute(&format!(
        "CREATE TABLE row_counts (rows BIGINT); \
         CREATE FUNCTION count_rows() RETURNS trigger AS $$ BEGIN \
             INSERT INTO row_counts SELECT COUNT(*) FROM old_rows; RETURN NULL; \
         END $$ LANGUAGE plpgsql; \
         CREATE TRIGGER count_rows AFTER {statement_kind} ON sessions \
             REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION count_rows()"
    ));
    "SELECT MAX(rows) FROM row_counts"
}
