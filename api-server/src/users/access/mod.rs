//! Stores what a user may do: the roles and the custom claims, with their version.

pub(crate) mod store;
