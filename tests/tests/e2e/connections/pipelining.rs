//! Tests clients that send further requests before the response to the first one.

use e2e::{App, Connection, Engine, on_both_engines};

use super::HEALTH_REQUEST;
use crate::sessions::fixtures::{login, wait_until};

on_both_engines! {
    pipelined_requests_get_their_responses_in_order,
    a_request_that_arrives_byte_by_byte_is_served_after_a_pipelined_one,
    nothing_after_a_malformed_chunk_is_a_request,
    a_logout_in_chunks_is_completed_although_its_client_hangs_up,
}

const UNKNOWN_PATH: &[u8] = b"GET /nowhere HTTP/1.1\r\nhost: e2e\r\n\r\n";
/// A request with empty lines in its body, which must not be read as the end of a header. The response is a 422.
const REGISTRATION: &[u8] =
    b"POST /api/auth/register HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
    content-length: 10\r\n\r\n{\r\n\r\n\r\n\r\n}";
/// A request with empty lines in a chunked body, with a chunk extension and a trailer. The response is a 422.
const CHUNKED_REGISTRATION: &[u8] = b"POST /api/auth/register HTTP/1.1\r\nhost: e2e\r\n\
    content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n4;a=b\r\n\r\n\r\n\r\n1\r\n}\r\n0\r\n\
    trailer: a\r\n\r\n";

async fn statuses(connection: &mut Connection, count: usize) -> Vec<u16> {
    let mut statuses = Vec::new();
    for _ in 0..count {
        statuses.push(connection.response().await.unwrap().status());
    }
    statuses
}

async fn pipelined_requests_get_their_responses_in_order(engine: Engine) {
    let app = App::on(engine).start();
    let mut connection = app.connect().await;
    let requests = [
        HEALTH_REQUEST,
        REGISTRATION,
        UNKNOWN_PATH,
        CHUNKED_REGISTRATION,
    ]
    .concat();
    connection.send(&requests.repeat(50)).await;
    for _ in 0..50 {
        assert_eq!(statuses(&mut connection, 4).await, [200, 422, 404, 422]);
    }
}

async fn a_request_that_arrives_byte_by_byte_is_served_after_a_pipelined_one(engine: Engine) {
    let app = App::on(engine).start();
    let mut connection = app.connect().await;
    connection.send(HEALTH_REQUEST).await;
    for request in [REGISTRATION, CHUNKED_REGISTRATION, UNKNOWN_PATH] {
        for byte in request {
            connection.send(&[*byte]).await;
        }
    }
    assert_eq!(statuses(&mut connection, 4).await, [200, 422, 422, 404]);
}

async fn nothing_after_a_malformed_chunk_is_a_request(engine: Engine) {
    let app = App::on(engine).start();
    let mut connection = app.connect().await;
    let head =
        b"POST /api/auth/register HTTP/1.1\r\nhost: e2e\r\ncontent-type: application/json\r\n\
        transfer-encoding: chunked\r\n\r\n";
    connection
        .send(&[head, &b"5\r\n{}\r\n\r\n"[..], HEALTH_REQUEST].concat())
        .await;
    assert_eq!(statuses(&mut connection, 1).await, [400]);
    assert!(connection.response().await.is_none());
}

async fn a_logout_in_chunks_is_completed_although_its_client_hangs_up(engine: Engine) {
    let app = App::on(engine).start();
    let ada = app.user("ada").await;
    for _ in 0..5 {
        let device = login(&app, &ada).await;
        let mut connection = app.connect().await;
        let access = &device.access;
        let request = format!(
            "POST /api/auth/logout HTTP/1.1\r\nhost: e2e\r\nauthorization: Bearer {access}\r\n\
             content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
        );
        connection.send(request.as_bytes()).await;
        connection.close_sending_half().await;
        let caller = app.bearer(access);
        wait_until("the session has ended", async || {
            caller.get("/api/auth/session").await.status() == 401
        })
        .await;
    }
}
