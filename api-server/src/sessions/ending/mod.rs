//! Ends one session, several sessions, or the sessions beyond an account's limit (surplus sessions).

pub(crate) mod store;
pub(crate) mod surplus;
