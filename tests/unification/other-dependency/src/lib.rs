//! Somebody else's crate, which wants the other backend.

pub use jsonwebtoken;
