//! Counts the codes that are entered for a mail.

pub(crate) mod store;
