//! Tests which tokens are valid, in which header a caller must send a token, and the header `X-User-Id`.

mod source;
mod token;
mod user_id;

const SESSION: &str = "/api/auth/session";
/// The `WWW-Authenticate` header of the response to a request without a token.
const CHALLENGE: &str = r#"Bearer realm="api""#;
