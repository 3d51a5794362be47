//! Counts the wrong codes that are entered for a mail.

pub(crate) mod store;
