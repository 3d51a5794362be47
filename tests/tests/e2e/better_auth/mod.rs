//! The wire of Better Auth, byte for byte where its client looks. The client itself is driven from `clients/better-auth`.

#![expect(clippy::string_slice, reason = "what is cut is ASCII")]

mod bearer;
mod callbacks;
mod change_password;
mod cookies;
mod delete_user;
mod doors;
mod life;
mod mail;
mod network_budget;
mod origins;
mod replaced;
mod requests;
mod rotation;
mod sessions;
mod sign_in;
mod sign_up;
mod update_user;
mod without;
pub(crate) mod world;
