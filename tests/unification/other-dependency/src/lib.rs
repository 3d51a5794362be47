//! A dependency that enables the other backend.

pub use jsonwebtoken;
