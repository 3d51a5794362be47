//! Measures the extractors of `Caller` for actix-web and axum and, for comparison, the verification of a token alone.

#![expect(
    clippy::unwrap_used,
    reason = "a bench whose setup fails has nothing to measure"
)]

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use actix_web::FromRequest as _;
use actix_web::dev::Payload;
use actix_web::test::TestRequest;
use auth_core::testing::TestAuthority;
use auth_core::{Caller, Refusal};
use axum::extract::FromRequestParts as _;
use divan::{Bencher, black_box};

const USER_ID: &str = "0198f2d4-7c1e-7bb3-9a55-3c9a1f6f2b10";

fn main() {
    divan::main();
}

fn poll_once(future: impl Future<Output = Result<Caller, Refusal>>) -> Caller {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(result) => result.unwrap(),
        Poll::Pending => unreachable!("local verification is ready at once"),
    }
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn verify_without_an_extractor(bencher: Bencher<'_, '_>) {
    let authority = TestAuthority::new();
    let (verifier, token) = (authority.verifier(), authority.token_for(USER_ID));
    bencher.bench(|| {
        verifier
            .verify(black_box(&token), SystemTime::now())
            .unwrap()
    });
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn actix_extractor(bencher: Bencher<'_, '_>) {
    let authority = TestAuthority::new();
    let request = TestRequest::default()
        .insert_header(("authorization", authority.authorization_header(USER_ID)))
        .app_data(authority.authority())
        .to_http_request();
    bencher.bench_local(|| {
        poll_once(Caller::from_request(
            black_box(&request),
            &mut Payload::None,
        ))
    });
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn axum_extractor(bencher: Bencher<'_, '_>) {
    let authority = TestAuthority::new();
    let request = http::Request::builder()
        .header("authorization", authority.authorization_header(USER_ID))
        .extension(authority.authority());
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    bencher.bench_local(|| poll_once(Caller::from_request_parts(black_box(&mut parts), &())));
}
