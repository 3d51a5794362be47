//! How a [`RevocationFeed`] asks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use auth_core::remote::RevocationFeed;
use auth_core::{Keyring, Secret};

use crate::server::{Server, answer};

/// The pause between two questions to a server that answers.
const INTERVAL: Duration = Duration::from_millis(500);

fn page(next: i64, more: bool) -> String {
    let hence = SystemTime::now() + Duration::from_secs(900);
    let exp = hence.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let body =
        format!(r#"{{"revocations":[{{"sid":"7","exp":{exp}}}],"next":{next},"more":{more}}}"#);
    answer("200 OK", &body)
}

fn follow(server: &Server) -> RevocationFeed {
    let keyring = Keyring::new(Secret::generate().unwrap());
    RevocationFeed::start(&server.url(), keyring, "api-server").unwrap()
}

async fn until_asked(server: &Server, times: usize) -> Vec<String> {
    while server.requests().len() < times {
        tokio::task::yield_now().await;
    }
    server.requests()
}

#[tokio::test]
async fn it_asks_for_what_is_new_over_one_connection() {
    let server = Server::that_says(page(5, false)).await;
    let feed = follow(&server);
    let started = Instant::now();
    let requests = until_asked(&server, 3).await;
    assert!(started.elapsed() >= 2 * INTERVAL);
    let asked: Vec<_> = requests
        .iter()
        .map(|head| head.lines().next().unwrap())
        .collect();
    let new = "get /api/auth/revocations?after=5 http/1.1";
    assert_eq!(
        asked,
        ["get /api/auth/revocations?after=0 http/1.1", new, new]
    );
    assert_eq!(server.connections(), 1);
    assert!(feed.revoked().contains("7") && !feed.revoked().contains("8"));
    assert!(feed.age().unwrap() < 2 * INTERVAL);
}

#[tokio::test]
async fn a_server_that_never_comes_to_an_end_is_asked_at_leisure() {
    let server = Server::that_says(page(5, true)).await;
    let feed = follow(&server);
    // The second page is asked for at once; it gets no further, so the third is not.
    until_asked(&server, 2).await;
    let second = Instant::now();
    until_asked(&server, 3).await;
    assert!(second.elapsed() >= INTERVAL / 2, "{:?}", second.elapsed());
    assert_eq!(feed.age(), None, "it is never current");
}

#[tokio::test]
async fn what_the_server_says_instead_is_told_and_keeps_what_was_known() {
    for (status, body, told) in [
        ("503 Service Unavailable", "{}", "503"),
        ("401 Unauthorized", "{}", "401"),
        ("200 OK", "[]", "not a page of revocations"),
    ] {
        let server = Server::that_says(answer(status, body)).await;
        let feed = follow(&server);
        while feed.fault().is_none() {
            tokio::task::yield_now().await;
        }
        let fault = feed.fault().unwrap();
        assert!(fault.contains(told), "{fault}");
        assert_eq!(feed.age(), None);
    }
}

#[tokio::test]
async fn it_ends_with_the_last_that_use_it() {
    let server = Server::that_says(page(5, false)).await;
    let feed = follow(&server);
    feed.caught_up().await;
    let clone = feed.clone();
    drop(feed);
    until_asked(&server, 2).await;
    drop(clone);
    while server.open() > 0 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn without_a_runtime_it_says_so() {
    let keyring = Keyring::new(Secret::generate().unwrap());
    let error = RevocationFeed::start("http://127.0.0.1:9", keyring, "api-server").unwrap_err();
    assert!(error.to_string().contains("tokio runtime"), "{error}");
}
