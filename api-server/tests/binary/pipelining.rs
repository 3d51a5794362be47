//! Tests that a client cannot fill the memory of the server with requests for whose responses it does not wait.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use harness::WorkDir;

const CONNECTION_COUNT: u64 = 20;
/// actix-http alone would need 30 MiB for the requests of each connection.
const MAX_GROWTH_BYTES: u64 = CONNECTION_COUNT * (2 << 20);

#[test]
fn requests_that_arrive_before_the_response_to_an_earlier_one_take_little_memory() {
    let work_dir = WorkDir::new();
    let server = work_dir.quick_server();
    let request = "GET /healthz HTTP/1.1\r\nhost:a\r\n\r\n";
    let before = server.peak_memory();
    let mut connections = Vec::new();
    for _ in 0..CONNECTION_COUNT {
        let mut connection = TcpStream::connect(server.addr()).unwrap();
        connection
            .write_all(request.repeat(4000).as_bytes())
            .unwrap();
        connection.read_exact(&mut [0]).unwrap();
        connections.push(connection);
    }
    let growth = server.peak_memory() - before;
    assert!(growth < MAX_GROWTH_BYTES, "{growth}");
    drop(connections);
}

#[test]
fn a_client_that_reads_nothing_cannot_fill_the_memory_with_responses_without_a_body() {
    let work_dir = WorkDir::new();
    let server = work_dir.quick_server();
    // The description is in the header of the response, three times as long.
    let description = "!".repeat(60_000);
    let request =
        format!("GET /api/auth/error?error_description={description} HTTP/1.1\r\nhost:a\r\n\r\n");
    let before = server.peak_memory();
    let mut connection = TcpStream::connect(server.addr()).unwrap();
    connection
        .set_write_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    let sent_count = (0..1000)
        .take_while(|_| connection.write_all(request.as_bytes()).is_ok())
        .count();
    let growth = server.peak_memory() - before;
    assert!(sent_count < 1000, "the server has read every request");
    assert!(growth < MAX_GROWTH_BYTES, "{growth}");
}
