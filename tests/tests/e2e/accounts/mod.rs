//! Tests code for accounts that the server's own API and Better Auth's API share.

mod access;
mod register;
mod stale_tokens;
