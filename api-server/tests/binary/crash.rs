//! Tests that a server process that is killed loses no acknowledged write.

use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use serde_json::json;
use uuid::Uuid;

use harness::{Connection, Response, Server, User, WorkDir};

const KILL_COUNT: usize = 5;
const WRITER_COUNT: usize = 4;
const PASSWORD: &str = "correct horse battery staple";

/// The users whose registration was acknowledged, each with the titles of the acknowledged tasks, oldest first.
type AcknowledgedWrites = Vec<(User, Vec<String>)>;

/// Returns the body of the response, and asserts that its status is 201. Returns `None` if the connection failed.
fn body_if_created(result: std::io::Result<Response>) -> Option<serde_json::Value> {
    result.ok().map(|response| response.expect(201))
}

/// Registers users, each with three tasks, until a connection fails. Records each acknowledged write, and reports it on
/// a channel.
fn register_and_add_tasks(
    server: &Server,
    acknowledgement_sender: &Sender<()>,
    acknowledged_writes: &Mutex<AcknowledgedWrites>,
) {
    let post = |path: &str, token: &str, body| {
        let mut connection = Connection::try_open(server.addr()).ok()?;
        body_if_created(connection.try_request("POST", path, token, Some(&body)))
    };
    loop {
        let email = format!("{}@example.com", Uuid::new_v4());
        let registration_body = json!({"email": email, "password": PASSWORD});
        let Some(token_response) = post("/api/auth/register", "", registration_body) else {
            return;
        };
        let (user, mut task_titles) = (User::of(&token_response), Vec::new());
        // The receiver exists until all senders are dropped, so sending succeeds.
        let _send_result = acknowledgement_sender.send(());
        for number in 0..3 {
            let title = format!("{number} of {email}");
            if post("/api/tasks", &user.token, json!({ "title": title })).is_none() {
                break;
            }
            task_titles.push(title);
            let _send_result = acknowledgement_sender.send(());
        }
        acknowledged_writes
            .lock()
            .unwrap()
            .push((user, task_titles));
    }
}

/// Kills the server under load, after at least this many acknowledged writes. Returns the acknowledged writes.
fn kill_under_load(server: &Server, write_count: usize) -> AcknowledgedWrites {
    let acknowledged_writes = Mutex::new(Vec::new());
    let (acknowledgement_sender, acknowledgement_receiver) = channel();
    thread::scope(|scope| {
        for _ in 0..WRITER_COUNT {
            let acknowledgement_sender = acknowledgement_sender.clone();
            scope.spawn(|| {
                let acknowledgement_sender = acknowledgement_sender;
                register_and_add_tasks(server, &acknowledgement_sender, &acknowledged_writes);
            });
        }
        drop(acknowledgement_sender);
        assert_eq!(
            acknowledgement_receiver.iter().take(write_count).count(),
            write_count
        );
        server.kill();
    });
    acknowledged_writes.into_inner().unwrap()
}

#[test]
fn no_acknowledged_write_is_lost_on_sqlite() {
    let work_dir = WorkDir::new();
    let mut acknowledged_writes = AcknowledgedWrites::new();
    for _ in 0..KILL_COUNT {
        let write_count = 10 + usize::from(Uuid::new_v4().as_bytes()[0]) / 2;
        acknowledged_writes.extend(kill_under_load(&work_dir.quick_server(), write_count));
    }
    let server = work_dir.quick_server();
    for (user, task_titles) in &acknowledged_writes {
        let token_response = server.log_in(&user.email, PASSWORD).expect(200);
        let stored_titles = server.task_titles(&User::of(&token_response));
        let lost_titles: Vec<_> = task_titles
            .iter()
            .filter(|title| !stored_titles.contains(title))
            .collect();
        assert!(
            lost_titles.is_empty(),
            "{}: lost {lost_titles:?}",
            user.email
        );
        // The request in flight at the kill may have stored one more task, without a response.
        assert!(
            stored_titles.len() <= task_titles.len() + 1,
            "{}: {stored_titles:?}",
            user.email
        );
    }
    server.stop();
}
