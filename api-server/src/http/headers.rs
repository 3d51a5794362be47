//! Defines names of headers, and adds the headers that all responses of the app share, error responses included.

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};

use crate::logging::trace::TraceContext;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The header with the trace of a request, and the span of the sender in this trace.
pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// The header with data of tracing systems about a trace, which this server ignores.
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// The header with the session token, for clients of Better Auth that store the token themselves.
pub(crate) const SET_AUTH_TOKEN: HeaderName = HeaderName::from_static("set-auth-token");
/// The name that clients of Better Auth use for `Retry-After`.
pub(crate) const X_RETRY_AFTER: HeaderName = HeaderName::from_static("x-retry-after");

/// The Content-Security-Policy of API responses: a browser that displays such a response must run and load nothing.
const CSP_DATA: &str = "default-src 'none'; frame-ancestors 'none'";
/// The Content-Security-Policy of the documentation page, which runs scripts of this server, sends requests to this
/// server and has inline styles.
const CSP_DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";
/// The value of `Strict-Transport-Security`, which makes the browser use only https for one year.
const HSTS: &str = "max-age=31536000";

/// Adds the headers that all responses share, and the trace of the request if it has one. If the handler has already
/// set one of the `default_headers`, the value of the handler stays.
pub(crate) fn add_shared(headers: &mut HeaderMap, id: &HeaderValue, path: &str, is_https: bool) {
    let csp = if path.starts_with("/docs") {
        CSP_DOCS
    } else {
        CSP_DATA
    };
    let default_headers = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, csp),
    ];
    for (name, value) in default_headers {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if is_https {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
    headers.insert(REQUEST_ID, id.clone());
    let trace_value = TraceContext::with_current(|trace| HeaderValue::try_from(trace.to_string()));
    if let Some(Ok(value)) = trace_value {
        headers.insert(TRACEPARENT, value);
    }
}
