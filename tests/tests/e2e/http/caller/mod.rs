//! Authentication: valid tokens, and the header they must be in.

mod source;
mod token;
mod user_id;

const SESSION: &str = "/api/auth/session";
const CHALLENGE: &str = r#"Bearer realm="api""#;
