//! A dependency that enables the backend `aws_lc_rs` of `jsonwebtoken`.

pub use jsonwebtoken;
