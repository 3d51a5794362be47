//! `users import`, `users export` and `users check`.

mod addresses;
mod better_auth;
mod fixtures;
mod hostile;
mod json;
mod refusals;
mod tasks;
