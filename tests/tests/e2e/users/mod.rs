//! Rules for email addresses and passwords, and the limits on hashing them.

mod blocklist;
mod email;
mod hash_queue;
mod passwords;
mod throttle;
