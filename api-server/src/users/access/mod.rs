//! Stores the roles and the custom claims of users, with their version.

pub(crate) mod store;
