//! Actions on an account that both APIs share, and the share of the server that one account may use.

mod fair_share;
mod register;
