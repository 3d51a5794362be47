//! Authentication: which tokens are valid, and in which header they must be.

mod source;
mod token;
mod user_id;

const SESSION: &str = "/api/auth/session";
const CHALLENGE: &str = r#"Bearer realm="api""#;
