//! Acknowledged writes survive a kill at any moment.

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use serde_json::json;
use uuid::Uuid;

use harness::{Connection, Response, Server, User, WorkDir};

const KILLS: usize = 5;
const WRITERS: usize = 4;
const PASSWORD: &str = "correct horse battery staple";

/// Users with the titles of their acknowledged tasks, oldest first.
type Acknowledged = Vec<(User, Vec<String>)>;

/// Returns the body of a complete 201 response, if there is one.
fn created(response: std::io::Result<Response>) -> Option<serde_json::Value> {
    response.ok().map(|response| response.expect(201))
}

/// Registers a user with three tasks, repeatedly, until the server has stopped.
fn register_and_add_tasks(
    server: &Server,
    acknowledgements: &Sender<()>,
    acknowledged: &Mutex<Acknowledged>,
) {
    let post = |path: &str, token: &str, body| {
        let mut connection = Connection::try_open(server.addr()).ok()?;
        created(connection.try_request("POST", path, token, Some(&body)))
    };
    loop {
        let email = format!("{}@example.com", Uuid::new_v4());
        let body = json!({"email": email, "password": PASSWORD});
        let Some(token_response) = post("/api/auth/register", "", body) else {
            return;
        };
        let (user, mut titles) = (User::of(&token_response), Vec::new());
        let _killed = acknowledgements.send(());
        for number in 0..3 {
            let title = format!("{number} of {email}");
            if post("/api/tasks", &user.token, json!({ "title": title })).is_none() {
                break;
            }
            titles.push(title);
            let _killed = acknowledgements.send(());
        }
        acknowledged.lock().unwrap().push((user, titles));
    }
}

/// Kills the server under load, after `writes` acknowledged writes.
fn kill_under_load(server: &Server, writes: usize) -> Acknowledged {
    let acknowledged = Mutex::new(Vec::new());
    let (acknowledgements, received) = channel();
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            let acknowledgements = acknowledgements.clone();
            scope.spawn(|| {
                let acknowledgements = acknowledgements;
                register_and_add_tasks(server, &acknowledgements, &acknowledged);
            });
        }
        drop(acknowledgements);
        assert_eq!(received.iter().take(writes).count(), writes);
        server.kill();
    });
    acknowledged.into_inner().unwrap()
}

#[test]
fn no_acknowledged_write_is_lost_on_sqlite() {
    let work_dir = WorkDir::new();
    let mut expected = Acknowledged::new();
    for _ in 0..KILLS {
        let writes = 10 + usize::from(Uuid::new_v4().as_bytes()[0]) / 2;
        expected.extend(kill_under_load(&work_dir.quick_server(), writes));
    }
    let server = work_dir.quick_server();
    for (user, titles) in &expected {
        let login = server.log_in(&user.email, PASSWORD).expect(200);
        let stored = server.titles(&User::of(&login));
        // The last write may be stored although its response was lost.
        let lost: Vec<_> = titles
            .iter()
            .filter(|title| !stored.contains(title))
            .collect();
        assert!(lost.is_empty(), "{}: lost {lost:?}", user.email);
        assert!(
            stored.len() <= titles.len() + 1,
            "{}: {stored:?}",
            user.email
        );
    }
    server.stop();
}
