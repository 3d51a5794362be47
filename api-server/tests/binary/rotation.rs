//! A new secret without logging anybody out.

use harness::{OTHER_SECRET, Person, Place, Postgres, Program, SECRET, Server};

fn accepts(server: &Server, person: &Person) {
    server.get("/api/auth/session", &person.token).expect(200);
    assert_eq!(server.titles(person), ["kept"]);
}

fn rotate(program: impl Fn() -> Program) {
    let before = program().set("AUTH_SECRET", SECRET).start();
    let person = before.register("ada@example.com", "correct horse battery staple");
    before.add_task(&person, "kept").expect(201);
    before.stop();

    let during = program().set("AUTH_SECRET", OTHER_SECRET);
    let during = during.set("AUTH_SECRETS_PREVIOUS", SECRET).start();
    accepts(&during, &person);
    let login = during.log_in(&person.email, "correct horse battery staple");
    let renewed = Person::of(&login.expect(200));
    accepts(&during, &renewed);
    during.stop();

    let after = program().set("AUTH_SECRET", OTHER_SECRET).start();
    accepts(&after, &renewed);
    let problem = after.get("/api/auth/session", &person.token).expect(401);
    assert_eq!(problem["code"], "INVALID_TOKEN");
    let problem = after.get("/api/tasks", &person.token).expect(401);
    assert_eq!(problem["code"], "INVALID_TOKEN");
}

#[test]
fn on_sqlite() {
    let place = Place::new();
    rotate(|| place.program().with_weak_hashing());
}

#[test]
#[ignore = "needs TEST_POSTGRES_URL and --include-ignored (see CONTRIBUTING)"]
fn on_postgres() {
    let (place, postgres) = (Place::new(), Postgres::new());
    rotate(|| {
        let program = place.program().with_weak_hashing();
        program.set("DATABASE_URL", postgres.url("hunter2"))
    });
}
