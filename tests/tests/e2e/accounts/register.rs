//! Tests a registration while the password hash queue accepts no more requests from the caller's network.

use e2e::{App, Connection, Request, on_both_engines};
use futures_util::future::{join_all, pending, select_all};
use serde_json::json;

use crate::auth::login::send_wrong_login;

on_both_engines! {
    a_full_queue_does_not_reveal_whether_an_email_address_is_registered,
}

/// The number of logins that are sent at the same time. One login per core is hashed and 56 can wait, so this number
/// fills the queue on machines with fewer than 44 cores.
const LOGIN_COUNT: usize = 100;

const IP_ADDRESS: &str = "198.51.100.7";

/// Sends logins at the same time, and waits until the server rejects one of them because the queue is full. Returns the
/// open connections.
async fn fill_queue(app: &App) -> Vec<Connection> {
    let login_futures = (0..LOGIN_COUNT).map(async |number| {
        let email = format!("{number}@example.com");
        send_wrong_login(app, &email, IP_ADDRESS).await
    });
    let mut connections = join_all(login_futures).await;
    let rejections = connections.iter_mut().map(|connection| {
        Box::pin(async move {
            if connection.response().await.unwrap().status() != 503 {
                pending::<()>().await;
            }
        })
    });
    drop(select_all(rejections).await);
    connections
}

async fn a_full_queue_does_not_reveal_whether_an_email_address_is_registered(engine: e2e::Engine) {
    let app = App::on(engine)
        .behind_proxy()
        .set("bcrypt-cost", "10")
        .set("max-failed-logins-per-network", "off")
        .start();
    let ada = app.user("ada").await;
    let build_registration = |email: &str| -> Request {
        let body = json!({ "email": email, "password": "correct horse battery staple" });
        let request = app.anonymous().post("/api/auth/register", body);
        request.header("x-forwarded-for", IP_ADDRESS)
    };
    for _ in 0..20 {
        let _open_connections = fill_queue(&app).await;
        let first_response = build_registration("new@example.com").await;
        let existing_email_response = build_registration(ada.email()).await;
        let last_response = build_registration("new@example.com").await;
        // The logins were sent before the registrations, so the queue should now only become shorter. If it was full
        // for the first and for the last registration, it was also full for the registration between them.
        if first_response.status() == 503 && last_response.status() == 503 {
            existing_email_response.problem(503, "OVERLOADED");
            last_response.problem(503, "OVERLOADED");
            return;
        }
    }
    panic!("the queue was never full");
}
