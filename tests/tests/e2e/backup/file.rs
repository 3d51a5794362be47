//! Tests backups and restores of SQLite files of this version, of an earlier version and of a newer version.

use std::path::PathBuf;
use std::time::Duration;

use api_server::backup::{restore, write};
use api_server::clock::Clock;
use api_server::db::{DatabaseUrl, migrate};
use api_server::progress::Progress;
use e2e::{App, Database, Engine, on_sqlite};
use tempfile::TempDir;

use crate::auth::change_password::passwords_body;
use crate::sessions::fixtures::{
    CHANGE_PASSWORD, Device, count, get_session, login, until_rejected, user_with_device,
};

on_sqlite! {
    a_running_server_serves_the_restored_database,
    sessions_with_the_password_of_the_backup_are_not_revived,
    a_backup_of_an_earlier_version_is_migrated,
    a_backup_of_a_newer_version_is_rejected,
    a_database_of_a_newer_version_is_not_replaced,
    the_columns_of_a_backup_may_have_another_order,
    the_trigger_of_a_backup_does_not_get_into_the_database,
    backups_during_writes_are_consistent,
}

/// The migration that adds the columns `generation` and `issued_before`. A database without this migration is of an
/// earlier version.
const GENERATION_MIGRATION: &str = "20261122000060";

fn url_of(database: &Database) -> DatabaseUrl {
    DatabaseUrl::parse(&database.url()).unwrap()
}

/// Writes a backup of the server's database into a new folder.
fn back_up(app: &App) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("it's a backup?.db");
    write(&url_of(app.database()), &file, &Progress::hidden()).unwrap();
    (folder, file)
}

fn restore_into(database: &Database, app: &App, file: &std::path::Path) -> Result<(), String> {
    let clock = app.clock.clone();
    let clock = Clock::new(move || clock.now());
    let result = restore(&url_of(database), file, true, &clock, &Progress::hidden());
    result.map(drop).map_err(|error| error.to_string())
}

/// Creates a database with the current schema, which a test may change.
fn migrated_database() -> Database {
    let database = Database::new(Engine::Sqlite);
    migrate(&url_of(&database)).unwrap();
    database
}

/// Returns the path of the file of a database.
fn file_of(database: &Database) -> PathBuf {
    url_of(database).file().unwrap().to_owned()
}

async fn a_running_server_serves_the_restored_database(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let body = serde_json::json!({ "title": "before" });
    let caller = app.bearer(device.access.as_str());
    caller.post("/api/tasks", body.clone()).await.created();
    let (_folder, file) = back_up(&app);
    let (_, later_device) = user_with_device(&app, "bob").await;
    caller.post("/api/tasks", body).await.created();
    restore_into(app.database(), &app, &file).unwrap();
    for device in [&device, &later_device] {
        until_rejected(&app, &device.access, "TOKEN_REVOKED").await;
    }
    app.clock.advance(Duration::from_secs(6));
    let new_device = login(&app, &ada).await;
    let tasks = app.bearer(new_device.access).get("/api/tasks").await.ok();
    assert_eq!(tasks.as_array().unwrap().len(), 1);
    assert_eq!(count(&app, "users"), 1);
}

async fn sessions_with_the_password_of_the_backup_are_not_revived(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let (_folder, file) = back_up(&app);
    let body = passwords_body(ada.password(), "another good password");
    let response = app
        .bearer(device.access.as_str())
        .post(CHANGE_PASSWORD, body)
        .await;
    let new_device = Device::from_response(&response.ok());
    restore_into(app.database(), &app, &file).unwrap();
    let new_process = app.another_process().start();
    for device in [&device, &new_device] {
        get_session(&new_process, &device.access)
            .await
            .problem(401, "TOKEN_REVOKED");
        let refused = crate::sessions::fixtures::refresh(&new_process, &device.refresh).await;
        refused.problem(401, "SESSION_EXPIRED");
    }
}

async fn a_backup_of_an_earlier_version_is_migrated(app: App) {
    app.user("ada").await;
    let (_folder, file) = back_up(&app);
    let old_database = Database::new(Engine::Sqlite);
    std::fs::copy(&file, file_of(&old_database)).unwrap();
    old_database.execute(&format!(
        "ALTER TABLE revocation_sequence DROP COLUMN issued_before; \
         ALTER TABLE revocation_sequence DROP COLUMN generation; \
         DELETE FROM __diesel_schema_migrations WHERE version = '{GENERATION_MIGRATION}'"
    ));
    app.user("bob").await;
    restore_into(app.database(), &app, &file_of(&old_database)).unwrap();
    assert_eq!(
        app.database().value("SELECT email FROM users").unwrap(),
        "ada@example.com"
    );
    let column_count = "SELECT count(*) FROM pragma_table_info('revocation_sequence')";
    assert_eq!(
        old_database.value(column_count).unwrap(),
        "2",
        "the backup was changed"
    );
}

async fn a_backup_of_a_newer_version_is_rejected(app: App) {
    app.user("ada").await;
    let newer_database = migrated_database();
    newer_database
        .execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')");
    let error = restore_into(app.database(), &app, &file_of(&newer_database)).unwrap_err();
    assert!(
        error.contains("newer version of api-server (20990101000000)"),
        "{error}"
    );
    assert_eq!(count(&app, "users"), 1);
}

async fn a_database_of_a_newer_version_is_not_replaced(app: App) {
    app.user("ada").await;
    let (_folder, file) = back_up(&app);
    app.database().execute(
        "DELETE FROM users; INSERT INTO __diesel_schema_migrations (version) VALUES ('20990101000000')",
    );
    let error = restore_into(app.database(), &app, &file).unwrap_err();
    assert!(error.contains("newer version"), "{error}");
    assert_eq!(count(&app, "users"), 0);
}

async fn the_columns_of_a_backup_may_have_another_order(app: App) {
    app.user("ada").await;
    let (_folder, file) = back_up(&app);
    let other_database = Database::new(Engine::Sqlite);
    std::fs::copy(&file, file_of(&other_database)).unwrap();
    other_database.execute(
        "ALTER TABLE users RENAME COLUMN name TO old_name; ALTER TABLE users ADD COLUMN name TEXT; \
         UPDATE users SET name = 'Ada'; ALTER TABLE users DROP COLUMN old_name",
    );
    restore_into(app.database(), &app, &file_of(&other_database)).unwrap();
    let row = app
        .database()
        .value("SELECT name || email FROM users")
        .unwrap();
    assert_eq!(row, "Adaada@example.com");
}

async fn the_trigger_of_a_backup_does_not_get_into_the_database(app: App) {
    let backup = migrated_database();
    backup.execute(
        "CREATE TRIGGER attack AFTER INSERT ON users BEGIN UPDATE users SET email_verified = TRUE; END; \
         CREATE TABLE other (id TEXT); CREATE VIEW all_users AS SELECT * FROM users",
    );
    restore_into(app.database(), &app, &file_of(&backup)).unwrap();
    let names = "SELECT count(*) FROM sqlite_master WHERE name IN ('attack', 'other', 'all_users')";
    assert_eq!(app.database().value(names).unwrap(), "0");
}

async fn backups_during_writes_are_consistent(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let caller = app.bearer(device.access.as_str());
    for number in 0..5 {
        let url = url_of(app.database());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup.db");
        let backup_thread = std::thread::spawn(move || {
            let progress = Progress::hidden();
            write(&url, &file, &progress).map(|_| file)
        });
        for _ in 0..10 {
            let body = serde_json::json!({ "title": "during the backup" });
            caller.post("/api/tasks", body).await.created();
        }
        let file = backup_thread.join().unwrap().unwrap();
        let restored = Database::new(Engine::Sqlite);
        restore_into(&restored, &app, &file).unwrap();
        let task_count: usize = restored
            .value("SELECT count(*) FROM tasks")
            .unwrap()
            .parse()
            .unwrap();
        assert!(
            (10 * number..=10 * number + 10).contains(&task_count),
            "{task_count}"
        );
        let highest_ids = "SELECT (SELECT max(id) FROM tasks) IS (SELECT seq FROM sqlite_sequence WHERE name = 'tasks')";
        assert_eq!(
            restored.value(highest_ids).as_deref(),
            Some("1"),
            "{task_count}"
        );
    }
}
