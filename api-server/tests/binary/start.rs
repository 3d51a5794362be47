//! Tests the first start in an empty folder, a restart, the secret file, and the socket address of the server.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use harness::{SECRET, Server, WorkDir};
use serde_json::json;

#[test]
fn the_server_starts_with_sqlite_in_an_empty_folder() {
    let work_dir = WorkDir::new();
    // Sets only the address, because the default port may be in use.
    let server = work_dir
        .bare_program()
        .set("BIND_ADDR", "127.0.0.1:0")
        .start();
    let user = server.register("ada@example.com", "correct horse battery staple");
    server.add_task(&user, "before").expect(201);
    server.stop();
    assert_eq!(work_dir.names(), ["data"]);
    let secret_file = work_dir.path("data/auth.db.secret");
    let mode = std::fs::metadata(&secret_file)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(work_dir.path("data/auth.db").exists());

    let first_secret = std::fs::read(&secret_file).unwrap();
    let restarted_server = work_dir.program().start();
    assert_eq!(restarted_server.task_titles(&user), ["before"]);
    restarted_server
        .get("/api/auth/session", &user.token)
        .expect(200);
    restarted_server.stop();
    assert_eq!(std::fs::read(&secret_file).unwrap(), first_secret);
}

#[test]
fn with_a_configured_secret_no_secret_file_is_created() {
    let work_dir = WorkDir::new();
    work_dir.program().set("AUTH_SECRET", SECRET).start().stop();
    assert!(!work_dir.path("data/auth.db.secret").exists());
}

#[test]
fn a_damaged_secret_file_is_reported_and_kept() {
    let work_dir = WorkDir::new();
    work_dir.program().start().stop();
    work_dir.write("data/auth.db.secret", "hunter2");
    let outcome = work_dir.program().run();
    outcome.assert_failed(2, &["AUTH_SECRET", "data/auth.db.secret"]);
    assert!(!outcome.output().contains("hunter2"));
    let file_content = std::fs::read_to_string(work_dir.path("data/auth.db.secret"));
    assert_eq!(file_content.unwrap(), "hunter2");
}

#[test]
fn the_log_names_the_listening_socket_address() {
    let work_dir = WorkDir::new();
    let server = work_dir.program().start();
    let addr = server.addr();
    assert_ne!(addr.port(), 0);
    server.get("/readyz", "").expect(200);
    assert!(
        server
            .log
            .line("listening")
            .ends_with(&format!("http://{addr}"))
    );
}

/// Refreshes with the cookie of a session, from a page of this origin. Returns the status line.
fn refresh_from(server: &Server, origin: &str, refresh_token: &str) -> String {
    let mut connection = server.connect();
    connection.send(format!(
        "POST /api/auth/refresh HTTP/1.1\r\nHost: test\r\nOrigin: {origin}\r\n\
         Cookie: refresh_token={refresh_token}\r\nContent-Length: 0\r\n\r\n"
    ));
    let head = connection.head();
    head.lines().next().unwrap().to_owned()
}

#[test]
fn with_port_0_the_default_public_url_has_the_port_of_the_server() {
    let work_dir = WorkDir::new();
    let server = work_dir.quick_server();
    let body = json!({"email": "ada@example.com", "password": "correct horse battery staple"});
    let token_response = server.post("/api/auth/register", "", &body).expect(201);
    let refresh_token = token_response["refresh_token"].as_str().unwrap();
    let own_origin = format!("http://{}", server.addr());
    for (origin, status) in [
        ("http://127.0.0.1:0", "403"),
        ("http://127.0.0.1:1", "403"),
        (own_origin.as_str(), "200"),
    ] {
        let status_line = refresh_from(&server, origin, refresh_token);
        assert!(status_line.contains(status), "{origin}: {status_line}");
    }
}

#[test]
fn the_server_can_listen_on_ipv6() {
    // On a machine without IPv6, this test checks nothing.
    if TcpListener::bind("[::1]:0").is_ok() {
        let work_dir = WorkDir::new();
        let server = work_dir.program().set("BIND_ADDR", "[::1]:0").start();
        assert!(server.addr().is_ipv6());
        server.get("/readyz", "").expect(200);
    }
}
