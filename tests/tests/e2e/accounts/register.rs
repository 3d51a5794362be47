//! Registration while the hashing queue of its network is full.

use e2e::{App, Connection, Request, on_both_engines};
use futures_util::future::{join_all, pending, select_all};
use serde_json::json;

use crate::auth::login::{LOGIN, credentials};

on_both_engines! {
    a_full_queue_does_not_reveal_whether_an_address_is_registered,
}

/// More logins than can wait (56) and run at the same time.
const LOGINS: usize = 100;

const NETWORK: &str = "198.51.100.7";

/// Starts logins, which have no waiting caller, until one is rejected.
async fn fill_queue(app: &App) -> Vec<Connection> {
    let logins = (0..LOGINS).map(async |number| {
        let body = credentials(&format!("{number}@example.com"), "not it").to_string();
        let mut connection = app.connect().await;
        let head = format!(
            "POST {LOGIN} HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
             x-forwarded-for: {NETWORK}\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        connection.send(format!("{head}{body}").as_bytes()).await;
        connection
    });
    let mut waiting = join_all(logins).await;
    let responses = waiting.iter_mut().map(|connection| {
        Box::pin(async move {
            if connection.response().await.unwrap().status() != 503 {
                pending::<()>().await;
            }
        })
    });
    drop(select_all(responses).await);
    waiting
}

async fn a_full_queue_does_not_reveal_whether_an_address_is_registered(engine: e2e::Engine) {
    let app = App::on(engine)
        .behind_proxy()
        .set("bcrypt-cost", "10")
        .set("max-failed-logins-per-network", "off")
        .start();
    let ada = app.user("ada").await;
    let register = |email: &str| -> Request {
        let body = json!({ "email": email, "password": "correct horse battery staple" });
        let request = app.anonymous().post("/api/auth/register", body);
        request.header("x-forwarded-for", NETWORK)
    };
    for _ in 0..20 {
        let _waiting = fill_queue(&app).await;
        let first = register("new@example.com").await;
        let taken = register(ada.email()).await;
        let last = register("new@example.com").await;
        // Nothing else joins the queue, so it only becomes shorter: if it was full for the last request, it was full
        // for all three.
        if first.status() == 503 && last.status() == 503 {
            taken.problem(503, "OVERLOADED");
            last.problem(503, "OVERLOADED");
            return;
        }
    }
    panic!("the queue was never full");
}
