//! Tests code for accounts that the server's own API and the Better Auth API share.

mod register;
