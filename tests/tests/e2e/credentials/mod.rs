//! Who is let in: what a token has to be, and where it has to stand.

mod source;
mod token;
mod user_id;

const SESSION: &str = "/api/auth/session";
const CHALLENGE: &str = r#"Bearer realm="api""#;
