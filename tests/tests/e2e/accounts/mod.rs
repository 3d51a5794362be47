//! Fair shares: what one account and one network may use, so that others are served.

mod fair_share;
mod hash_permits;
mod network_budget;
mod register;
