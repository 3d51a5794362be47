mod account;
pub(crate) mod login;
mod logout;
mod passwords;
mod register;
mod rehash;
mod session;
mod throttle;
mod token;
