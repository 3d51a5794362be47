//! The share of the server that one account may use.

mod fair_share;
