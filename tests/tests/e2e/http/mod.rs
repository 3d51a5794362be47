//! What all addresses share: methods, headers, cookies, origins and text.

pub(crate) mod cookies;
mod cors;
mod csrf;
mod headers;
mod methods;
mod proxies;
mod security_headers;
mod text;
