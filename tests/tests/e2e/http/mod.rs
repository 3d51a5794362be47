//! Tests HTTP rules that many endpoints share: callers, owners, methods, headers, cookies, origins, proxies and bodies.

#![expect(clippy::string_slice, reason = "the sliced text is ASCII")]

mod caller;
pub(crate) mod cookies;
mod cors;
mod endpoint;
mod forwarded;
mod headers;
mod json;
mod middleware;
mod origin;
mod owner;
mod replaced_session;
mod request_span;
mod scope;
mod trace;
