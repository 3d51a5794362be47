//! Email addresses and passwords: which are accepted, how they are compared, and how many attempts a network has.

mod blocklist;
mod email;
mod hash_queue;
mod passwords;
mod throttle;
