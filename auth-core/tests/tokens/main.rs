//! Tests tokens, sets of revoked sessions and errors through the public API.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a helper that fails is a test that fails; slices are of ASCII"
)]

mod claims;
mod error;
mod fixtures;
mod issuer;
mod jws {
    mod header;
    mod json;
    mod structure;
}
mod keyring;
mod mail_token;
mod reference;
mod refresh;
mod requirement;
mod revocation;
mod service_key;
mod session_handle;
mod session_token;
mod vectors;
mod verifier {
    mod mutation;
    mod properties;
    mod rfc;
    mod stock;
}
