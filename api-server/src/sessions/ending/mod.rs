//! Ends sessions: one, several, or those beyond an account's limit.

pub(crate) mod store;
pub(crate) mod surplus;
