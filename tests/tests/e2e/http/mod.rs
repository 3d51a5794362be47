//! What all addresses share: methods, headers, cookies, origins and text.

#![expect(clippy::string_slice, reason = "the sliced text is ASCII")]

pub(crate) mod cookies;
mod cors;
mod csrf;
mod headers;
mod methods;
mod proxies;
mod security_headers;
mod text;
