//! Tests the actions on an account that both APIs share.

mod register;
