//! Measures allocations. These tests are a separate binary, because the `allocation_counter` crate replaces the
//! allocator.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod password;
mod revocation;
mod verifier;
