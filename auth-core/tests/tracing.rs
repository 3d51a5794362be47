//! Tests that the current span gets the caller and the refusal of a request.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper that fails is a test that fails"
)]

use std::fmt::Debug;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use auth_core::credentials::{Credentials, Field, Headers};
use auth_core::testing::TestAuthority;
use auth_core::{
    Authenticate, Authority, Caller, Refusal, RequireRole, RequireScope, Verification,
};
use tracing::field::{Empty, Visit};
use tracing::span::{Id, Record};
use tracing::{Subscriber, info_span};
use tracing_subscriber::layer::{Context as LayerContext, Layer, SubscriberExt as _};

/// The fields that were recorded, in their order.
type Fields = Vec<(&'static str, String)>;

/// A layer that keeps the recorded fields.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Fields>>);

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_record(&self, _: &Id, record: &Record<'_>, _: LayerContext<'_, S>) {
        record.record(&mut self.clone());
    }
}

impl Visit for Recorder {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        let mut fields = self.0.lock().unwrap();
        fields.push((field.name(), value.to_owned()));
    }

    fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn Debug) {
        panic!(
            "{} is recorded as {value:?} instead of a text",
            field.name()
        );
    }
}

/// Runs `handle` in the span of a request. Returns the fields that were recorded.
fn fields_of(handle: impl FnOnce()) -> Fields {
    let recorder = Recorder::default();
    let subscriber = tracing_subscriber::registry().with(recorder.clone());
    tracing::subscriber::with_default(subscriber, || {
        let span = info_span!("request", sub = Empty, sid = Empty, code = Empty);
        span.in_scope(handle);
    });
    recorder.0.lock().unwrap().clone()
}

fn texts(fields: &Fields) -> Vec<(&str, &str)> {
    let texts = fields.iter().map(|(name, value)| (*name, value.as_str()));
    texts.collect()
}

/// A request with this `Authorization` header and these values of `X-User-Id`.
struct Request(String, &'static [&'static str]);

impl Headers for Request {
    fn for_each_value<'a>(&'a self, field: Field, visit: &mut dyn FnMut(&'a [u8])) {
        match field {
            Field::Authorization => visit(self.0.as_bytes()),
            Field::UserId => self.1.iter().for_each(|id| visit(id.as_bytes())),
            _ => {}
        }
    }
}

fn authenticate(authority: &Authority, request: &Request) -> Result<Caller, Refusal> {
    let verification = pin!(authority.authenticate(request));
    match verification.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the future is ready at once"),
    }
}

#[test]
fn an_accepted_request_records_the_user_and_the_session() {
    let test = TestAuthority::new();
    let request = Request(test.authorization_header("42"), &[]);
    let mut session = None;
    let fields = fields_of(|| session = authenticate(&test.authority(), &request).unwrap().sid);
    let session = session.unwrap();
    assert_eq!(texts(&fields), [("sub", "42"), ("sid", &*session)]);
}

#[test]
fn a_refused_request_records_the_code_only() {
    let test = TestAuthority::new();
    let expired = Request(format!("Bearer {}", test.expired_token_for("42")), &[]);
    let forged = Request("Bearer a.b.c".to_owned(), &[]);
    for (request, code) in [(expired, "TOKEN_EXPIRED"), (forged, "INVALID_TOKEN")] {
        let fields = fields_of(|| assert!(authenticate(&test.authority(), &request).is_err()));
        assert_eq!(texts(&fields), [("code", code)]);
    }
}

#[test]
fn a_different_x_user_id_records_the_caller_and_the_refusal() {
    let test = TestAuthority::new();
    let request = Request(test.authorization_header("42"), &["43"]);
    let fields = fields_of(|| assert!(authenticate(&test.authority(), &request).is_err()));
    let names: Vec<_> = fields.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["sub", "sid", "code"]);
    assert_eq!(texts(&fields).last(), Some(&("code", "FORBIDDEN")));
}

/// An authority whose result is pending at first, as if a server had to be asked.
struct RemoteAuthority(fn() -> Result<Caller, Refusal>);

impl Authenticate for RemoteAuthority {
    fn authenticate(&self, _: &Credentials<'_>) -> Verification {
        let respond = self.0;
        Verification::Pending(Box::pin(async move { respond() }))
    }
}

#[test]
fn the_result_of_a_remote_authority_is_recorded_and_a_machine_has_no_session() {
    let request = Request("Bearer x".to_owned(), &[]);
    let accepting = Authority::new(RemoteAuthority(|| Ok(Caller::new("bot".to_owned(), 0))));
    let fields = fields_of(|| assert!(authenticate(&accepting, &request).is_ok()));
    assert_eq!(texts(&fields), [("sub", "bot")]);
    let failing = RemoteAuthority(|| Err(Refusal::authority_unavailable("no route")));
    let failing = Authority::new(failing);
    let fields = fields_of(|| assert!(authenticate(&failing, &request).is_err()));
    assert_eq!(texts(&fields), [("code", "AUTHORITY_UNAVAILABLE")]);
}

type Check = fn(&Caller) -> Result<(), Refusal>;

#[test]
fn guards_and_checks_of_the_caller_record_their_refusals() {
    let mut caller = Caller::new("42".to_owned(), 0);
    caller.scope = Some("tasks:read".parse().unwrap());
    let checks: [(Check, &str); 6] = [
        (
            |caller| RequireRole::new("admin").unwrap().check(caller),
            "FORBIDDEN",
        ),
        (
            |caller| RequireScope::new("sessions").unwrap().check(caller),
            "INSUFFICIENT_SCOPE",
        ),
        (|caller| caller.require_role("admin"), "FORBIDDEN"),
        (
            |caller| caller.require_scope(&"sessions".parse().unwrap()),
            "INSUFFICIENT_SCOPE",
        ),
        (|caller| caller.require_owner("43"), "FORBIDDEN"),
        (|caller| caller.custom::<()>(), "INTERNAL_SERVER_ERROR"),
    ];
    for (check, code) in checks {
        let fields = fields_of(|| assert!(check(&caller).is_err()));
        assert_eq!(texts(&fields), [("code", code)]);
    }
    let is_allowed = || assert!(caller.require_owner("42").is_ok());
    assert_eq!(fields_of(is_allowed), []);
}

#[test]
fn a_span_without_the_fields_stays_as_it_is() {
    let test = TestAuthority::new();
    let request = Request(test.authorization_header("42"), &[]);
    let recorder = Recorder::default();
    let subscriber = tracing_subscriber::registry().with(recorder.clone());
    tracing::subscriber::with_default(subscriber, || {
        let accepted = || authenticate(&test.authority(), &request).is_ok();
        assert!(info_span!("request", method = "GET").in_scope(accepted));
        assert!(accepted());
    });
    assert_eq!(*recorder.0.lock().unwrap(), []);
}
