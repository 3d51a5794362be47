//! Lists the names of claims that no custom claim can have.

/// The names of the registered claims (RFC 7519 § 4.1), of the claims of access tokens (RFC 9068 § 2.2), and of the
/// claims of this crate.
const RESERVED_NAMES: [&str; 19] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "auth_time",
    "acr",
    "amr",
    "scope",
    "groups",
    "roles",
    "entitlements",
    "sid",
    "email",
    "email_verified",
    "claims_version",
];

/// Returns the reserved name that equals `name` byte for byte; `None` if `name` is not reserved.
pub(crate) fn reserved_name(name: &str) -> Option<&'static str> {
    RESERVED_NAMES
        .into_iter()
        .find(|reserved| *reserved == name)
}
