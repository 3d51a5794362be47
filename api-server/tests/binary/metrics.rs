//! Tests the address of the metrics of the program.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use harness::{Connection, Server, TIMEOUT, WorkDir};

fn server_with_metrics(work_dir: &WorkDir) -> Server {
    let program = work_dir.program().with_weak_hashing();
    program.set("METRICS_ADDR", "127.0.0.1:0").start()
}

#[test]
fn the_address_of_the_metrics_is_logged_and_serves_them() {
    let work_dir = WorkDir::new();
    let server = server_with_metrics(&work_dir);
    server.get("/metrics", "").expect(404);
    let addr = metrics_addr(&server);
    let metrics = Connection::open(addr).request("GET", "/metrics", "", None);
    assert_eq!(metrics.status, 200);
    let line = r#"api_server_http_requests_total{route="other",method="GET",status="404"} 1"#;
    assert!(metrics.body.contains(line), "{}", metrics.body);
}

/// Reads the address from the log.
fn metrics_addr(server: &Server) -> SocketAddr {
    let line = server.log.line("metrics on http://");
    let (_, url) = line.split_once("http://").unwrap();
    url.strip_suffix("/metrics").unwrap().parse().unwrap()
}

#[test]
fn sigterm_ends_a_server_with_metrics_even_while_a_connection_to_them_is_open() {
    let work_dir = WorkDir::new();
    let server = server_with_metrics(&work_dir);
    let addr = metrics_addr(&server);
    let mut connection = Connection::open(addr);
    assert_eq!(connection.request("GET", "/metrics", "", None).status, 200);
    let log = server.stop();
    assert!(log.ended_within(TIMEOUT.min(Duration::from_secs(30))));
    assert!(log.text().contains("stopped"), "{}", log.text());
    assert!(TcpStream::connect(addr).is_err());
}
