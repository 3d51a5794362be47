//! The secret is replaced without logging any user out.

use harness::{OTHER_SECRET, Postgres, Program, SECRET, Server, User, WorkDir};

fn assert_accepts(server: &Server, user: &User) {
    server.get("/api/auth/session", &user.token).expect(200);
    assert_eq!(server.titles(user), ["kept"]);
}

fn assert_rotation_logs_no_user_out(program: impl Fn() -> Program) {
    let before = program().set("AUTH_SECRET", SECRET).start();
    let user = before.register("ada@example.com", "correct horse battery staple");
    before.add_task(&user, "kept").expect(201);
    before.stop();

    let during = program().set("AUTH_SECRET", OTHER_SECRET);
    let during = during.set("AUTH_SECRETS_PREVIOUS", SECRET).start();
    assert_accepts(&during, &user);
    let login = during.log_in(&user.email, "correct horse battery staple");
    let renewed = User::of(&login.expect(200));
    assert_accepts(&during, &renewed);
    during.stop();

    let after = program().set("AUTH_SECRET", OTHER_SECRET).start();
    assert_accepts(&after, &renewed);
    let problem = after.get("/api/auth/session", &user.token).expect(401);
    assert_eq!(problem["code"], "INVALID_TOKEN");
    let problem = after.get("/api/tasks", &user.token).expect(401);
    assert_eq!(problem["code"], "INVALID_TOKEN");
}

#[test]
fn a_rotation_logs_no_user_out_on_sqlite() {
    let work_dir = WorkDir::new();
    assert_rotation_logs_no_user_out(|| work_dir.program().with_weak_hashing());
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn a_rotation_logs_no_user_out_on_postgres() {
    let (work_dir, postgres) = (WorkDir::new(), Postgres::new());
    assert_rotation_logs_no_user_out(|| {
        let program = work_dir.program().with_weak_hashing();
        program.set("DATABASE_URL", postgres.url("hunter2"))
    });
}
