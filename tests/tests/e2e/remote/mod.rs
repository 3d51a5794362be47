//! Services next to the server that verify its tokens: with the revocation feed, or with a request for each token.

mod feed;
mod verifier;
