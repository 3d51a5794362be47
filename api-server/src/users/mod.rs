//! Users and their passwords: the user, the address, the table, hashing with its queue, what is throttled.

pub(crate) mod addresses;
pub mod blocklist;
mod budget;
pub(crate) mod email;
mod hash_queue;
pub(crate) mod hasher;
pub(crate) mod id;
mod network_queue;
pub(crate) mod password_policy;
pub(crate) mod passwords;
pub(crate) mod store;
pub(crate) mod throttle;
pub(crate) mod user;
