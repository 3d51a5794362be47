//! A dependency that enables the other backend of `jsonwebtoken`.

pub use jsonwebtoken;
