//! What all handlers share: who calls, what they sent, what they get.

pub(crate) mod caller;
pub(crate) mod client;
pub(crate) mod cookies;
pub(crate) mod cors;
pub(crate) mod endpoint;
pub(crate) mod envelope;
pub(crate) mod forwarded;
pub(crate) mod hang_up;
pub(crate) mod headers;
pub(crate) mod identity;
pub(crate) mod json;
pub(crate) mod openapi;
pub(crate) mod origin;
pub(crate) mod owner;
pub(crate) mod page_memory;
pub(crate) mod query;
pub(crate) mod validate;
