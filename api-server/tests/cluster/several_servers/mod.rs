//! All tests of this binary. Their common path, `several_servers`, moves them to the part `slow-tests` of the checks.

mod clients;
mod key_rotation;
mod kill;
mod logout;
mod restore;
mod roles;
mod rotation;
