//! Tests invalid socket addresses, public URLs and allowed origins.

use std::net::TcpListener;

use harness::WorkDir;

use super::{MAX_FAILED_START_TIME, assert_each_rejected, assert_starts};

#[test]
fn bind_addr_is_an_ip_address_with_a_port() {
    let invalid_values = [
        "",
        "nowhere",
        "localhost:8080",
        "127.0.0.1",
        "127.0.0.1:",
        ":8080",
        "8080",
        "127.0.0.1:65536",
        "300.0.0.1:80",
        "http://127.0.0.1:8080",
    ];
    assert_each_rejected("BIND_ADDR", &invalid_values, "such as 127.0.0.1:8080");
}

#[test]
fn a_port_in_use_is_reported() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let work_dir = WorkDir::new();
    let outcome = work_dir.program().set("BIND_ADDR", &addr).run();
    outcome.assert_failed(1, &["BIND_ADDR", &addr, "in use"]);
    assert!(
        outcome.duration < MAX_FAILED_START_TIME,
        "took {:?}",
        outcome.duration
    );
}

#[test]
fn the_public_url_is_an_origin() {
    let invalid_values = [
        "",
        "garbage",
        "ftp://api.example.com",
        "https://api.example.com/path",
        "https://",
        "https://ada@api.example.com",
        "https://api.example.com?x=1",
        "//api.example.com",
        "https://*.example.com",
    ];
    assert_each_rejected(
        "PUBLIC_URL",
        &invalid_values,
        "such as https://app.example.com",
    );
    for public_url in ["https://api.example.com", "http://api.example.com:8080/"] {
        assert_starts(&[("PUBLIC_URL", public_url)]);
    }
}

#[test]
fn allowed_origins_are_exact() {
    let wildcards = ["*", "https://a.example,*", "https://*.example"];
    assert_each_rejected("ALLOWED_ORIGINS", &wildcards, "list exact origins");
    let invalid_values = ["null", "https://a.example/path", "a.example", "file:///"];
    assert_each_rejected(
        "ALLOWED_ORIGINS",
        &invalid_values,
        "such as https://app.example.com",
    );
    for origins in ["", "https://a.example, http://localhost:3000"] {
        assert_starts(&[("ALLOWED_ORIGINS", origins)]);
    }
}
