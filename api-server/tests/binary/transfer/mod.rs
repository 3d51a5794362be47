//! `users import` and `users export`.

mod better_auth;
mod hostile;
mod json;
mod refusals;
mod tasks;
mod world;
