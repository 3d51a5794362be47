//! Measures allocations. The `allocation_counter` crate replaces the allocator, so these tests are a binary of their own.

#![expect(
    clippy::unwrap_used,
    reason = "a helper that fails is a test that fails"
)]

mod password;
mod revocation;
mod verifier;
