//! Drills the restore of a backup under running servers: no session, token or refresh token from before is accepted,
//! whatever happened to it after the backup.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{postgres_program, sqlite_program, wait_for_other_tests};
use harness::{Outcome, Postgres, Program, Server, TIMEOUT, WorkDir};

const PASSWORD: &str = "correct horse battery staple";
const NEW_PASSWORD: &str = "another good password";
/// The longest time from the restore until every running server rejects a token.
const MAX_DELAY: Duration = Duration::from_secs(10);
/// The delay between two requests of a test that waits for a response.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// The tokens of a login or a refresh.
struct Tokens {
    description: &'static str,
    access: String,
    refresh: String,
}

impl Tokens {
    fn of(description: &'static str, token_response: &Value) -> Self {
        let field = |name: &str| token_response[name].as_str().unwrap().to_owned();
        let (access, refresh) = (field("access_token"), field("refresh_token"));
        Self {
            description,
            access,
            refresh,
        }
    }

    fn log_in(server: &Server, email: &str, description: &'static str) -> Self {
        Self::of(description, &server.log_in(email, PASSWORD).expect(200))
    }

    fn refresh(&self, server: &Server, description: &'static str) -> Self {
        let body = json!({ "refresh_token": self.refresh });
        Self::of(
            description,
            &server.post("/api/auth/refresh", "", &body).expect(200),
        )
    }

    fn assert_rejected(&self, server: &Server) {
        let response = server.get("/api/auth/session", &self.access);
        assert_eq!(
            response.expect(401)["code"],
            "TOKEN_REVOKED",
            "{}",
            self.description
        );
        let body = json!({ "refresh_token": self.refresh });
        let response = server.post("/api/auth/refresh", "", &body);
        assert_eq!(
            response.expect(401)["code"],
            "SESSION_EXPIRED",
            "{}",
            self.description
        );
    }
}

/// What differs between the engines.
struct Engine<'a> {
    new_program: &'a dyn Fn() -> Program,
    back_up: &'a dyn Fn(),
    restore: &'a dyn Fn() -> Outcome,
}

/// Waits until the server rejects the access token.
fn wait_until_rejected(server: &Server, tokens: &Tokens, restored_at: Instant) {
    while server.get("/api/auth/session", &tokens.access).status == 200 {
        assert!(
            restored_at.elapsed() < MAX_DELAY,
            "accepted after {MAX_DELAY:?}"
        );
        thread::sleep(POLL_INTERVAL);
    }
}

/// Logs in until the token is accepted: for five seconds after a restore, tokens are rejected.
fn log_in_after_restore(server: &Server, email: &str, restored_at: Instant) -> Tokens {
    loop {
        let tokens = Tokens::log_in(server, email, "after the restore");
        if server.get("/api/auth/session", &tokens.access).status == 200 {
            return tokens;
        }
        assert!(restored_at.elapsed() < TIMEOUT, "no login is accepted");
        thread::sleep(POLL_INTERVAL);
    }
}

/// Registers two users, writes the backup, and returns the tokens of sessions to which different things have happened
/// before and after it.
fn sessions_around_backup(server: &Server, back_up: &dyn Fn()) -> Vec<Tokens> {
    for email in ["ada@example.com", "bob@example.com"] {
        server.register(email, PASSWORD);
    }
    let log_in_ada = |description| Tokens::log_in(server, "ada@example.com", description);
    let unused = log_in_ada("a session that nothing happened to");
    let logged_out = log_in_ada("logged out after the backup");
    let stolen = log_in_ada("refreshed after the backup");
    let with_old_password = Tokens::log_in(server, "bob@example.com", "with the old password");
    back_up();
    let response = server.post("/api/auth/logout", &logged_out.access, &json!({}));
    response.expect(200);
    let refreshed = stolen.refresh(server, "the successor of a token in the backup");
    let passwords = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    let path = "/api/auth/change-password";
    let response = server.post(path, &with_old_password.access, &passwords);
    let with_new_password = Tokens::of("with the new password", &response.expect(200));
    let later = log_in_ada("begun after the backup");
    server.register("eve@example.com", PASSWORD);
    vec![
        unused,
        logged_out,
        stolen,
        refreshed,
        with_old_password,
        with_new_password,
        later,
    ]
}

fn assert_restore_revives_nothing(engine: &Engine<'_>) {
    let mut servers = vec![
        (engine.new_program)().start(),
        (engine.new_program)().start(),
    ];
    let old_tokens = sessions_around_backup(&servers[0], engine.back_up);
    let outcome = (engine.restore)().assert_succeeded();
    let restored_at = Instant::now();
    let summary = &outcome.stdout;
    assert!(
        summary.starts_with("the database has 2 accounts"),
        "{summary}"
    );
    for server in &servers {
        wait_until_rejected(server, &old_tokens[0], restored_at);
        server.log.line("a backup of the database was restored");
    }
    servers.push((engine.new_program)().start());
    for server in &servers {
        for tokens in &old_tokens {
            tokens.assert_rejected(server);
        }
    }
    let tokens = log_in_after_restore(&servers[2], "bob@example.com", restored_at);
    for server in &servers {
        server.get("/api/auth/session", &tokens.access).expect(200);
        server.log_in("eve@example.com", PASSWORD).expect(401);
        server.log_in("bob@example.com", NEW_PASSWORD).expect(401);
    }
    // Later revocations reach all servers.
    let response = servers[1].post("/api/auth/logout", &tokens.access, &json!({}));
    response.expect(200);
    let logged_out_at = Instant::now();
    for server in &servers {
        wait_until_rejected(server, &tokens, logged_out_at);
    }
}

#[test]
fn on_sqlite_a_restore_under_running_servers_revives_nothing() {
    let _guard = wait_for_other_tests();
    let work_dir = WorkDir::new();
    let run = |arguments: &[&str]| work_dir.bare_program().args(arguments).run();
    assert_restore_revives_nothing(&Engine {
        new_program: &|| sqlite_program(&work_dir),
        back_up: &|| drop(run(&["backup", "backup.db"]).assert_succeeded()),
        restore: &|| run(&["restore", "backup.db", "--replace"]),
    });
}

fn run_postgres_tool(name: &str, arguments: &[&str]) {
    let output = Command::new(name).args(arguments).output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {stderr}");
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn on_postgres_a_restore_under_running_servers_revives_nothing() {
    let _guard = wait_for_other_tests();
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    let url = postgres.url_with_password("hunter2");
    let dump = work_dir.path("backup.dump").display().to_string();
    let file = format!("--file={dump}");
    let database = format!("--dbname={url}");
    assert_restore_revives_nothing(&Engine {
        new_program: &|| postgres_program(&work_dir, &postgres),
        back_up: &|| run_postgres_tool("pg_dump", &["--format=custom", &file, &url]),
        restore: &|| {
            let options = [
                "--clean",
                "--if-exists",
                "--single-transaction",
                &database,
                &dump,
            ];
            run_postgres_tool("pg_restore", &options);
            let program = postgres_program(&work_dir, &postgres);
            program.args(&["restore", "--end-sessions"]).run()
        },
    });
}
