//! Tests the HTTP requests: headers, metadata of the issuer, and responses that are not acceptable.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{generate_key, jwks};
use crate::remote::client::RequestError;
use crate::remote::key_set::discovery::{AcceptedUrls, Discovery};
use crate::remote::key_set::fetch::{Fetch as _, Fetched, HttpFetch, Source};

/// A server that sends prepared responses, one per connection. `{url}` in a response becomes the URL of the server.
struct Server {
    url: String,
    /// The task that responds. Its result is the heads of the requests, in lower case.
    task: JoinHandle<Vec<String>>,
}

impl Server {
    async fn responding(responses: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server_url = url.clone();
        let task = tokio::spawn(async move {
            let mut heads = Vec::new();
            for response in responses {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read(&mut byte).await.unwrap() == 0 {
                        break;
                    }
                    head.extend(byte);
                }
                heads.push(String::from_utf8(head).unwrap().to_lowercase());
                let response = response.replace("{url}", &server_url);
                let _client_may_have_gone = stream.write_all(response.as_bytes()).await;
            }
            heads
        });
        Self { url, task }
    }

    fn keys_fetch(&self) -> HttpFetch {
        let url = AcceptedUrls::HttpsOrLoopback
            .parse(&format!("{}/jwks", self.url))
            .unwrap();
        HttpFetch::new(Source::Url(url)).unwrap()
    }

    fn issuer_fetch(&self) -> HttpFetch {
        let discovery = Discovery::new(&format!("{}/realm", self.url)).unwrap();
        HttpFetch::new(Source::Issuer(discovery)).unwrap()
    }

    /// Returns the heads of all requests, after the last response was sent.
    async fn request_heads(self) -> Vec<String> {
        self.task.await.unwrap()
    }
}

fn response(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nconnection: close\r\n{headers}\r\n{body}")
}

fn good_response(headers: &str) -> String {
    response("200 OK", headers, &jwks(&[&generate_key()]))
}

fn metadata_response(jwks_uri: &str) -> String {
    let body = format!(r#"{{"issuer":"{{url}}/realm","jwks_uri":"{jwks_uri}"}}"#);
    response("200 OK", "", &body)
}

/// Returns the error of the only request to a server with this response.
async fn fetch_error(response: String) -> String {
    let server = Server::responding(vec![response]).await;
    match server.keys_fetch().fetch().await {
        Err(RequestError(cause)) => cause,
        Ok(_) => panic!("accepted"),
    }
}

fn request_lines(heads: &[String]) -> Vec<&str> {
    heads
        .iter()
        .map(|head| head.lines().next().unwrap())
        .collect()
}

#[tokio::test]
async fn the_etag_of_the_last_good_response_is_sent_back() {
    let server = Server::responding(vec![
        good_response("etag: \"a\"\r\ncache-control: max-age=900\r\n"),
        response("304 Not Modified", "cache-control: max-age=120\r\n", ""),
        response("500 Internal Server Error", "etag: \"b\"\r\n", ""),
        response("200 OK", "etag: \"c\"\r\n", "<html>"),
        good_response(""),
        good_response(""),
    ])
    .await;
    let mut fetch = server.keys_fetch();
    let summary = |result: Result<Fetched, RequestError>| {
        result
            .ok()
            .map(|fetched| (fetched.keys.is_some(), fetched.refresh_interval.as_secs()))
    };
    let mut results = Vec::new();
    for _ in 0..6 {
        results.push(summary(fetch.fetch().await));
    }
    let (new, unchanged) = (Some((true, 900)), Some((false, 120)));
    let default = Some((true, 300));
    assert_eq!(results, [new, unchanged, None, None, default, default]);
    let has_etag = |head: &String| head.contains("if-none-match: \"a\"\r\n");
    let sent: Vec<bool> = server.request_heads().await.iter().map(has_etag).collect();
    assert_eq!(sent, [false, true, true, true, true, false]);
}

#[tokio::test]
async fn a_304_without_a_previous_response_is_an_error() {
    let cause = fetch_error(response("304 Not Modified", "", "")).await;
    assert!(cause.contains("304"), "{cause}");
}

#[tokio::test]
async fn the_content_type_is_ignored() {
    for content_type in [
        "application/jwk-set+json",
        "text/html",
        "application/octet-stream",
        "",
    ] {
        let headers = format!("content-type: {content_type}\r\n");
        let server = Server::responding(vec![good_response(&headers)]).await;
        assert!(server.keys_fetch().fetch().await.is_ok(), "{content_type}");
    }
}

#[tokio::test]
async fn every_status_but_200_and_304_is_an_error() {
    for status in [
        "204 No Content",
        "206 Partial Content",
        "301 Moved Permanently",
        "302 Found",
        "307 Temporary Redirect",
        "401 Unauthorized",
        "404 Not Found",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "503 Service Unavailable",
    ] {
        let cause = fetch_error(response(status, "content-length: 0\r\n", "")).await;
        assert!(cause.contains(status.split(' ').next().unwrap()), "{cause}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Server::responding(vec![good_response("")]).await;
    let location = format!("location: {}/jwks\r\ncontent-length: 0\r\n", target.url);
    let cause = fetch_error(response("302 Found", &location, "")).await;
    assert!(cause.contains("302"), "{cause}");
    assert!(!target.task.is_finished(), "the target got no request");
}

#[tokio::test]
async fn a_body_that_is_no_key_set_is_an_error_that_says_why() {
    let key = jwks(&[&generate_key()]);
    let many_keys = format!(r#"{{"keys":[{}]}}"#, vec!["{}"; 10_000].join(","));
    for (body, expected) in [
        ("", "not a JWK Set"),
        ("<!doctype html><title>502</title>", "not a JWK Set"),
        ("{}", "not a JWK Set"),
        (key.trim_end_matches('}'), "not a JWK Set"),
        (&many_keys, "more than 64 keys"),
        (r#"{"keys":[]}"#, "at least one usable key"),
        (
            r#"{"keys":[{"kty":"oct","kid":"a","k":"AA"},{"kty":"AKP","kid":"b"}]}"#,
            "at least one usable key; key 0 (kid \"a\"): the key is a secret",
        ),
    ] {
        let cause = fetch_error(response("200 OK", "", body)).await;
        assert!(cause.contains(expected), "{body:.40}: {cause}");
    }
}

#[tokio::test]
async fn a_body_of_50_megabytes_is_not_read() {
    let cause = fetch_error(good_response("") + &" ".repeat(50_000_000)).await;
    assert!(cause.contains("longer than 1048576 bytes"), "{cause}");
}

#[tokio::test]
async fn a_connection_that_ends_early_is_an_error() {
    for text in [
        String::new(),
        "not http\r\n\r\n".to_owned(),
        good_response("content-length: 100000\r\n"),
    ] {
        assert!(!fetch_error(text).await.is_empty());
    }
}

#[tokio::test]
async fn a_closed_port_and_a_server_without_tls_are_errors() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let server = Server::responding(vec![good_response("")]).await;
    let plain_address = server.url.replace("http://", "");
    for url in [
        format!("http://{address}"),
        format!("https://{plain_address}"),
    ] {
        let url = AcceptedUrls::HttpsOrLoopback.parse(&url).unwrap();
        let mut fetch = HttpFetch::new(Source::Url(url)).unwrap();
        assert!(fetch.fetch().await.is_err());
    }
}

#[tokio::test]
async fn the_metadata_of_the_issuer_name_the_url_of_the_keys() {
    let server = Server::responding(vec![
        metadata_response("{url}/keys?a=b"),
        good_response(""),
        good_response(""),
    ])
    .await;
    let mut fetch = server.issuer_fetch();
    assert!(fetch.fetch().await.is_ok());
    assert!(fetch.fetch().await.is_ok());
    assert_eq!(
        request_lines(&server.request_heads().await),
        [
            "get /realm/.well-known/openid-configuration http/1.1",
            "get /keys?a=b http/1.1",
            "get /keys?a=b http/1.1",
        ]
    );
}

#[tokio::test]
async fn after_a_404_the_metadata_of_rfc_8414_are_requested() {
    let not_found = response("404 Not Found", "content-length: 0\r\n", "");
    let responses = vec![
        not_found,
        metadata_response("{url}/keys"),
        good_response(""),
    ];
    let server = Server::responding(responses).await;
    assert!(server.issuer_fetch().fetch().await.is_ok());
    let heads = server.request_heads().await;
    assert_eq!(
        request_lines(&heads)[1],
        "get /.well-known/oauth-authorization-server/realm http/1.1"
    );
}

#[tokio::test]
async fn after_a_failure_the_metadata_are_requested_again() {
    let gone = response("410 Gone", "content-length: 0\r\n", "");
    let server = Server::responding(vec![
        metadata_response("{url}/old"),
        good_response("etag: \"a\"\r\n"),
        gone,
        metadata_response("{url}/new"),
        good_response(""),
    ])
    .await;
    let mut fetch = server.issuer_fetch();
    let results = [
        fetch.fetch().await.is_ok(),
        fetch.fetch().await.is_ok(),
        fetch.fetch().await.is_ok(),
    ];
    assert_eq!(results, [true, false, true]);
    let heads = server.request_heads().await;
    assert_eq!(request_lines(&heads)[4], "get /new http/1.1");
}

#[tokio::test]
async fn bad_metadata_are_an_error() {
    for (response, expected) in [
        (response("500 Internal Server Error", "", ""), "500"),
        (response("302 Found", "location: {url}/a\r\n", ""), "302"),
        (response("200 OK", "", "<html>"), "not metadata"),
        (
            response("200 OK", "", r#"{"issuer":"{url}","jwks_uri":"{url}/a"}"#),
            "of the issuer",
        ),
        (metadata_response("http://keys.example/jwks"), "loopback"),
        (metadata_response("file:///etc/passwd"), "loopback"),
    ] {
        let server = Server::responding(vec![response]).await;
        let Err(RequestError(cause)) = server.issuer_fetch().fetch().await else {
            panic!("accepted");
        };
        assert!(cause.contains(expected), "{cause}");
    }
}
