//! Tests public keys, signing keys, key sets and the tokens that they verify through the public API.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a helper that fails is a test that fails; slices are of ASCII"
)]

mod confusion;
mod fixtures;
mod foreign;
mod issuer;
mod issuers;
mod jsonwebtoken;
mod jwk;
mod jwk_set;
mod key_set;
mod pem;
mod signing_key;
mod testing;
mod verifier;
