//! What a token must be, one fault at a time, through the public API alone.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a helper that fails is a test that fails; what is cut is ASCII"
)]

mod bytes;
mod claims;
mod errors;
mod foreign;
mod header;
mod issuing;
mod keys;
mod mutation;
mod properties;
mod rfc;
mod rotation;
mod service_keys;
mod structure;
mod times;
mod world;
