//! Adds a request id and shared headers to responses, logs responses and the causes of errors, and replaces a panic
//! with a response of status 500.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, VARY};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpRequest, ResponseError as _};
use futures_util::FutureExt as _;

use super::headers::{REQUEST_ID, TRACEPARENT};
use super::policy::HttpPolicy;
use super::request_metrics::RequestMetrics;
#[cfg(feature = "otlp")]
use super::request_span::{RequestSpan, new_trace};
use super::{cors, headers};
use crate::logging::trace::TraceContext;
use crate::problem::{Code, MEDIA_TYPE, Problem};

/// The longest request id that is accepted from a caller, in bytes.
const MAX_REQUEST_ID_BYTES: usize = 64;

/// Marks a response whose body must not be replaced by a problem document, such as an error of Better Auth's API.
/// Contains the error that caused the response, if any, for the log.
pub(crate) struct PreserveBody(pub(crate) Option<Arc<Problem>>);

/// Middleware that logs the response, records its metrics and its span, adds the shared headers, and replaces a panic
/// or an error of actix-web with a problem document. A request belongs to a trace while it is handled, if it has
/// `traceparent` or if spans are exported.
pub(crate) async fn finish_responses(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let trace = trace_of(&request);
    #[cfg(feature = "otlp")]
    let trace = trace.or_else(|| new_trace(&request));
    match trace {
        None => respond(request, next).await,
        Some(trace) => trace.scope(respond(request, next)).await,
    }
}

/// Returns the trace of the header `traceparent`, or a new trace if the header is invalid or sent twice. Returns `None`
/// without the header.
fn trace_of(request: &ServiceRequest) -> Option<TraceContext> {
    let mut values = request.headers().get_all(TRACEPARENT);
    let value = values.next()?.as_bytes();
    let only_value = if values.next().is_none() { value } else { b"" };
    Some(TraceContext::continue_or_begin(only_value))
}

async fn respond(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let started_at = Instant::now();
    let id = request_id(&request);
    let origin = cors::trusted_request_origin(&request);
    let is_https = is_https(request.request());
    let metrics = request.app_data::<Rc<RequestMetrics>>().cloned();
    #[cfg(feature = "otlp")]
    let span = RequestSpan::begin(&request);
    let outcome = AssertUnwindSafe(async { next.call(request).await })
        .catch_unwind()
        .await;
    let error = match outcome {
        Ok(Ok(response)) => {
            let response = finish(response.map_into_boxed_body(), &id, started_at, is_https);
            if let Some(metrics) = metrics {
                metrics.record(&response, started_at.elapsed());
            }
            #[cfg(feature = "otlp")]
            if let Some(span) = span {
                span.end(Some(&response));
            }
            return Ok(response);
        }
        Ok(Err(error)) => internal_error(&error.to_string(), &id, origin, is_https),
        Err(_panic) => internal_error("a handler panicked", &id, origin, is_https),
    };
    if let Some(metrics) = metrics {
        metrics.record_failure(started_at.elapsed());
    }
    #[cfg(feature = "otlp")]
    if let Some(span) = span {
        span.end(None);
    }
    Err(error)
}

fn finish(
    mut response: ServiceResponse<BoxBody>,
    request_id: &HeaderValue,
    started_at: Instant,
    is_https: bool,
) -> ServiceResponse<BoxBody> {
    if is_framework_error(&response) {
        response = replace_by_problem(response);
    }
    log_outcome(&response, request_id, started_at);
    let path = response.request().path().to_owned();
    headers::add_shared(response.headers_mut(), request_id, &path, is_https);
    response
}

fn is_https(request: &HttpRequest) -> bool {
    let policy = request.app_data::<Data<HttpPolicy>>();
    policy.is_some_and(|policy| policy.cookie_format.is_secure())
}

/// Logs the cause and builds an error with status 500, for a panic or for an error without a response. Pages of
/// `origin` may read the error.
fn internal_error(
    cause: &str,
    request_id: &HeaderValue,
    origin: Option<HeaderValue>,
    is_https: bool,
) -> Error {
    let mut problem = Problem::internal(cause);
    log_problem(&problem, request_id);
    let mut shared_headers = HeaderMap::new();
    headers::add_shared(&mut shared_headers, request_id, "", is_https);
    let cors_headers = origin.map(cors::headers_after_panic);
    for (name, value) in shared_headers
        .into_iter()
        .chain(cors_headers.into_iter().flatten())
    {
        problem = problem.with_header(name, value);
    }
    problem.into()
}

/// Returns the caller's request id if it is valid, or else a new id. A caller's id is kept, so that the log lines of
/// several services about one request have the same id.
fn request_id(request: &ServiceRequest) -> HeaderValue {
    let sent_id = request.headers().get(REQUEST_ID);
    match sent_id.filter(|id| is_valid_request_id(id.as_bytes())) {
        Some(id) => id.clone(),
        None => new_request_id(),
    }
}

fn is_valid_request_id(id: &[u8]) -> bool {
    (1..=MAX_REQUEST_ID_BYTES).contains(&id.len())
        && id
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// Creates a request id from the time of the first call in this process and a counter. The id is unique in the process,
/// and almost always across processes. The id is not secret.
fn new_request_id() -> HeaderValue {
    static START_TIME: LazyLock<u128> = LazyLock::new(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        now.unwrap_or_default().as_micros()
    });
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let id = format!("{:x}-{number:x}", *START_TIME);
    HeaderValue::from_str(&id).unwrap_or(HeaderValue::from_static("-"))
}

/// Returns true for an error response that is neither a problem document nor marked with [`PreserveBody`]. actix-web
/// and actix-cors build such responses.
fn is_framework_error(response: &ServiceResponse<BoxBody>) -> bool {
    let status = response.status();
    let is_preserved = response
        .response()
        .extensions()
        .get::<PreserveBody>()
        .is_some();
    !is_preserved
        && (status.is_client_error() || status.is_server_error())
        && response
            .headers()
            .get(CONTENT_TYPE)
            .is_none_or(|content_type| content_type != MEDIA_TYPE)
}

/// Replaces an error response of actix-web with a problem document. Keeps the CORS headers.
fn replace_by_problem(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let status = response.status();
    let error = response.response().error();
    let cause = error.map_or_else(|| status.to_string(), ToString::to_string);
    let problem = match status.as_u16() {
        404 => Problem::unknown_path(),
        413 => Problem::new(Code::BodyTooLarge, "The body may have at most 65536 bytes"),
        400..500 => Problem::new(Code::InvalidRequest, "The request is not acceptable"),
        _ => Problem::internal(&cause),
    };
    let (request, framework_response) = response.into_parts();
    let mut response = ServiceResponse::from_err(problem.with_cause(cause), request);
    let framework_headers = framework_response.headers().iter();
    for (name, value) in framework_headers.filter(|(name, _)| is_cors_header(name)) {
        response.headers_mut().append(name.clone(), value.clone());
    }
    response
}

/// Returns true for `Vary` and the CORS headers. Without the CORS headers, a page of an allowed origin could not read
/// the error.
fn is_cors_header(name: &HeaderName) -> bool {
    *name == VARY || name.as_str().starts_with("access-control-")
}

fn log_outcome(response: &ServiceResponse<BoxBody>, request_id: &HeaderValue, started_at: Instant) {
    let error = response.response().error();
    if let Some(problem) = error.and_then(Error::as_error::<Problem>) {
        log_problem(problem, request_id);
    }
    if let Some(PreserveBody(Some(problem))) = response.response().extensions().get() {
        log_problem(problem, request_id);
    }
    log::debug!(
        target: "api_server::access",
        "request method={} path={:?} status={} micros={} request_id={request_id:?}",
        response.request().method(),
        response.request().path(),
        response.status().as_u16(),
        started_at.elapsed().as_micros(),
    );
}

fn log_problem(problem: &Problem, request_id: &HeaderValue) {
    let Some(cause) = problem.cause() else { return };
    let code = problem.code().as_str();
    if problem.status_code().is_server_error() {
        log::error!("request failed request_id={request_id:?} code={code} cause={cause:?}");
    } else {
        log::debug!("request refused request_id={request_id:?} code={code} cause={cause:?}");
    }
}

#[cfg(test)]
mod tests;
