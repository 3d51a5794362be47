//! How sessions end: one, many, or those beyond an account's limit.

pub(crate) mod store;
pub(crate) mod surplus;
