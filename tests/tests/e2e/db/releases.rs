//! Tests that a server works on the database of every release in `tests/releases`, and that no row of the database is
//! lost. `.ci/new-release` makes these databases.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use e2e::{App, Database, Engine, Options, TestClock, on_both_engines};
use serde_json::{Value, json};

use crate::auth::login::{LOGIN, credentials};
use crate::auth::password_reset::confirm_token;
use crate::mail::received;
use crate::sessions::fixtures::{ACCOUNT, count, get_session, refresh};

on_both_engines! {
    no_row_of_a_release_is_lost,
    users_of_a_release_log_in_and_have_their_roles_and_claims,
    live_sessions_of_a_release_go_on_and_ended_ones_stay_ended,
    an_old_refresh_token_of_a_release_ends_its_session,
    tasks_of_a_release_are_listed_and_their_numbers_go_on,
    mailed_links_of_a_release_work,
    a_mail_that_waited_in_a_release_is_sent,
    a_changed_address_of_a_release_can_be_restored,
}

/// The time between the end of the old server and the start of the new one. A mail that was not sent is due by then.
const PAUSE: Duration = Duration::from_secs(2 * 60);

/// A server on the database of a release.
struct Upgraded {
    app: App,
    /// The JSON file of the release: the secret, what the users know (password, tokens, tasks), and the number of rows
    /// of each table.
    known: Value,
}

/// Starts a server on the database of each release.
fn upgraded_releases(engine: Engine) -> Vec<Upgraded> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/releases");
    let entries = fs::read_dir(folder).unwrap();
    let releases: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    assert_ne!(releases.len(), 0);
    let upgrade_release = |release: &PathBuf| upgrade(release, engine);
    releases.iter().map(upgrade_release).collect()
}

fn upgrade(release: &Path, engine: Engine) -> Upgraded {
    let name = match engine {
        Engine::Sqlite => "sqlite",
        Engine::Postgres => "postgres",
    };
    let read = |end: &str| fs::read_to_string(release.join(format!("{name}.{end}"))).unwrap();
    let known: Value = serde_json::from_str(&read("json")).unwrap();
    let database = Database::new(engine);
    database.execute(&read("sql"));
    let made_at = UNIX_EPOCH + Duration::from_secs(known["made_at"].as_u64().unwrap());
    let clock = TestClock::default();
    clock.advance(made_at.duration_since(clock.now()).unwrap() + PAUSE);
    let app = Options::new(database)
        .set("auth-secret", text(&known["secret"]))
        .clock(clock)
        .start();
    Upgraded { app, known }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

impl Upgraded {
    /// Returns an access token or a refresh token of a session.
    fn token(&self, session: &str, kind: &str) -> &str {
        text(&self.known["sessions"][session][format!("{kind}_token")])
    }

    /// Logs a user in, and returns the access token.
    async fn log_in(&self, email: &str) -> String {
        let body = credentials(email, text(&self.known["password"]));
        let grant = self.app.anonymous().post(LOGIN, body).await.ok();
        text(&grant["access_token"]).to_owned()
    }
}

async fn no_row_of_a_release_is_lost(engine: Engine) {
    for Upgraded { app, known } in upgraded_releases(engine) {
        for (table, rows) in known["rows"].as_object().unwrap() {
            assert_ne!(rows.as_u64().unwrap(), 0, "{table} has nothing to lose");
            assert_eq!(count(&app, table), rows.as_u64().unwrap(), "{table}");
        }
    }
}

async fn users_of_a_release_log_in_and_have_their_roles_and_claims(engine: Engine) {
    for release in upgraded_releases(engine) {
        for (email, name, is_verified, roles, claims) in [
            ("ada", "Ada", true, json!(["admin", "editor"]), json!({})),
            ("hopper", "Grace", true, json!([]), json!({ "plan": "pro" })),
            ("alan", "Alan", false, json!([]), json!({})),
            ("barbara", "Barbara", false, json!([]), json!({})),
        ] {
            let token = release.log_in(&format!("{email}@example.com")).await;
            let session = get_session(&release.app, &token).await.ok();
            assert_eq!(session["user"]["roles"], roles, "{session}");
            assert_eq!(session["user"]["claims"], claims, "{session}");
            let account = release.app.bearer(token).get(ACCOUNT).await.ok();
            assert_eq!(account["name"], name);
            assert_eq!(account["email_verified"], is_verified, "{email}");
        }
    }
}

async fn live_sessions_of_a_release_go_on_and_ended_ones_stay_ended(engine: Engine) {
    for release in upgraded_releases(engine) {
        let app = &release.app;
        get_session(app, release.token("live", "access")).await.ok();
        let granted = refresh(app, release.token("live", "refresh")).await.ok();
        refresh(app, text(&granted["refresh_token"])).await.ok();
        get_session(app, release.token("ended", "access"))
            .await
            .problem(401, "TOKEN_REVOKED");
        refresh(app, release.token("ended", "refresh"))
            .await
            .problem(401, "SESSION_EXPIRED");
    }
}

async fn an_old_refresh_token_of_a_release_ends_its_session(engine: Engine) {
    for release in upgraded_releases(engine) {
        let app = &release.app;
        refresh(app, release.token("reused", "refresh"))
            .await
            .problem(401, "REFRESH_TOKEN_REUSED");
        get_session(app, release.token("reused", "access"))
            .await
            .problem(401, "TOKEN_REVOKED");
    }
}

async fn tasks_of_a_release_are_listed_and_their_numbers_go_on(engine: Engine) {
    for release in upgraded_releases(engine) {
        let ada = release.app.bearer(release.log_in("ada@example.com").await);
        assert_eq!(ada.get("/api/tasks").await.ok(), release.known["tasks"]);
        let body = json!({ "title": "A task of this version" });
        let task = ada.post("/api/tasks", body).await.created();
        // The number of the newest task, which was deleted, is not assigned again.
        let newest_listed = release.known["tasks"][0]["id"].as_i64().unwrap();
        assert!(task["id"].as_i64().unwrap() > newest_listed + 1, "{task}");
        let barbara = release.log_in("barbara@example.com").await;
        let imported = release.app.bearer(barbara).get("/api/tasks").await.ok();
        assert_eq!(imported[0]["title"], "An imported task");
    }
}

async fn mailed_links_of_a_release_work(engine: Engine) {
    for release in upgraded_releases(engine) {
        let token = text(&release.known["reset_token"]);
        let grant = confirm_token(&release.app, token).await.ok();
        assert_eq!(grant["user"]["email"], "alan@example.com");
    }
}

async fn a_mail_that_waited_in_a_release_is_sent(engine: Engine) {
    for release in upgraded_releases(engine) {
        let mails = received(&release.app, "barbara@example.com", 1).await;
        confirm_token(&release.app, mails[0].token()).await.ok();
    }
}

async fn a_changed_address_of_a_release_can_be_restored(engine: Engine) {
    for release in upgraded_releases(engine) {
        let path = "/api/auth/email-change/undo";
        let body = json!({ "token": release.known["undo_token"] });
        release.app.anonymous().post(path, body).await.ok();
        let query = "SELECT email FROM users WHERE name = 'Grace'";
        let email = release.app.database().value(query);
        assert_eq!(email.as_deref(), Some("grace@example.com"));
    }
}
