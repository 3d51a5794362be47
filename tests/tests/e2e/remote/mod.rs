//! Tests services that verify tokens of the server, either locally with the revocation feed or with a request for each
//! token.

mod feed;
mod key_set;
mod verifier;
