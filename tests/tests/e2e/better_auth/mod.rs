//! The API of Better Auth, byte for byte where its client looks. The client itself is driven from `clients/better-auth`.

#![expect(clippy::string_slice, reason = "the sliced text is ASCII")]

mod bearer;
mod callback;
mod change_password;
mod cookies;
mod cross_api;
mod delete_user;
pub(crate) mod fixtures;
mod network_budget;
mod origin;
mod requests;
mod secret_rotation;
mod session_lifetime;
mod session_replacement;
mod sessions;
mod sign_in_email;
mod sign_up_email;
mod unauthenticated;
mod update_user;
mod without_mail;
