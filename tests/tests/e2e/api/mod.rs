pub(crate) mod auth;
mod tasks;
