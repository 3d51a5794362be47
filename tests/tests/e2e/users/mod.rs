//! Tests which email addresses and passwords are accepted, how they are compared, in which order passwords are hashed,
//! and how the failed logins and registrations of a network are limited.

mod blocklist;
mod email;
mod hash_queue;
mod passwords;
mod throttle;
