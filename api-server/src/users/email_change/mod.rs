//! Changes the email addresses of users, and keeps the previous address for the time in which the change can be undone.

pub(crate) mod store;
