//! Contains the HTTP code that handlers share: cookies, origins, middleware and extractors of typed arguments.

pub(crate) mod caller;
pub(crate) mod client;
pub(crate) mod cookie_sessions;
pub(crate) mod cookies;
pub(crate) mod cors;
pub(crate) mod endpoint;
pub(crate) mod forwarded;
pub(crate) mod hang_up;
pub(crate) mod headers;
pub(crate) mod json;
pub(crate) mod language;
pub(crate) mod large_response;
pub(crate) mod middleware;
pub(crate) mod origin;
pub(crate) mod owner;
pub(crate) mod policy;
pub(crate) mod public_document;
pub(crate) mod query;
pub(crate) mod redirect_target;
pub(crate) mod replaced_session;
pub(crate) mod request_metrics;
#[cfg(feature = "otlp")]
mod request_span;
pub(crate) mod scope;
