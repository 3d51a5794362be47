//! Tests the replacement of the secret: tokens of the old secret are valid until the old secret is removed.

use harness::{OTHER_SECRET, Postgres, Program, SECRET, Server, User, WorkDir};

fn assert_accepts_token(server: &Server, user: &User) {
    server.get("/api/auth/session", &user.token).expect(200);
    assert_eq!(server.task_titles(user), ["kept"]);
}

fn assert_tokens_are_valid_until_their_secret_is_removed(new_program: impl Fn() -> Program) {
    let old_server = new_program().set("AUTH_SECRET", SECRET).start();
    let user = old_server.register("ada@example.com", "correct horse battery staple");
    old_server.add_task(&user, "kept").expect(201);
    old_server.stop();

    let program = new_program().set("AUTH_SECRET", OTHER_SECRET);
    let rotating_server = program.set("AUTH_SECRETS_PREVIOUS", SECRET).start();
    assert_accepts_token(&rotating_server, &user);
    let login_response = rotating_server.log_in(&user.email, "correct horse battery staple");
    let new_login = User::of(&login_response.expect(200));
    assert_accepts_token(&rotating_server, &new_login);
    rotating_server.stop();

    let new_server = new_program().set("AUTH_SECRET", OTHER_SECRET).start();
    assert_accepts_token(&new_server, &new_login);
    let session_response = new_server.get("/api/auth/session", &user.token).expect(401);
    assert_eq!(session_response["code"], "INVALID_TOKEN");
    let tasks_response = new_server.get("/api/tasks", &user.token).expect(401);
    assert_eq!(tasks_response["code"], "INVALID_TOKEN");
}

#[test]
fn tokens_are_valid_until_their_secret_is_removed_on_sqlite() {
    let work_dir = WorkDir::new();
    assert_tokens_are_valid_until_their_secret_is_removed(|| {
        work_dir.program().with_weak_hashing()
    });
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn tokens_are_valid_until_their_secret_is_removed_on_postgres() {
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    assert_tokens_are_valid_until_their_secret_is_removed(|| {
        let program = work_dir.program().with_weak_hashing();
        program.set("DATABASE_URL", postgres.url_with_password("hunter2"))
    });
}
