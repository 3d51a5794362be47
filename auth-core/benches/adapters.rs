//! The cost of the extractors compared with verification alone, for the same token.

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

const USER: &str = "0198f2d4-7c1e-7bb3-9a55-3c9a1f6f2b10";

fn main() {
    divan::main();
}

/// Polls a future that is ready at once.
fn ready(future: impl Future<Output = Result<Caller, Refusal>>) -> Caller {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(caller) => caller.unwrap(),
        Poll::Pending => unreachable!("local verification is ready at once"),
    }
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn verifier_alone(bencher: Bencher<'_, '_>) {
    let test = TestAuthority::new();
    let (verifier, token) = (test.verifier(), test.token_for(USER));
    bencher.bench(|| {
        verifier
            .verify(black_box(&token), SystemTime::now())
            .unwrap()
    });
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn actix_extractor(bencher: Bencher<'_, '_>) {
    let test = TestAuthority::new();
    let request = TestRequest::default()
        .insert_header(("authorization", test.authorization_header(USER)))
        .app_data(test.authority())
        .to_http_request();
    bencher.bench_local(|| {
        ready(Caller::from_request(
            black_box(&request),
            &mut Payload::None,
        ))
    });
}

#[divan::bench(sample_count = 1000, sample_size = 100)]
fn axum_extractor(bencher: Bencher<'_, '_>) {
    let test = TestAuthority::new();
    let request = http::Request::builder()
        .header("authorization", test.authorization_header(USER))
        .extension(test.authority());
    let (mut parts, ()) = request.body(()).unwrap().into_parts();
    bencher.bench_local(|| ready(Caller::from_request_parts(black_box(&mut parts), &())));
}
