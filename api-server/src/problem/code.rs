//! Defines the stable codes of errors.

use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $status:ident $name:literal,)*) => {
        /// The `code` of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        // One rule for all variants, because `ToSchema` does not see a `rename` that this macro writes for each
        // variant.
        #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
        pub(crate) enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

codes! {
    /// The body is not JSON.
    InvalidJson = BAD_REQUEST "INVALID_JSON",
    /// The request is malformed: for example, the body is not an object, or the query string is invalid.
    InvalidRequest = BAD_REQUEST "INVALID_REQUEST",
    /// The token or the code of a mail is not valid, was used already, or has expired.
    InvalidOrExpiredToken = BAD_REQUEST "INVALID_OR_EXPIRED_TOKEN",
    /// No credentials were sent.
    Unauthorized = UNAUTHORIZED "UNAUTHORIZED",
    /// The credentials are not a valid token of this server, or the account of the token does not exist.
    InvalidToken = UNAUTHORIZED "INVALID_TOKEN",
    /// The token was valid and has expired.
    TokenExpired = UNAUTHORIZED "TOKEN_EXPIRED",
    /// The session of the token was ended, or the token was issued before a backup of the database was restored.
    TokenRevoked = UNAUTHORIZED "TOKEN_REVOKED",
    /// The user's roles or other claims changed after the token was issued: refresh it.
    TokenStale = UNAUTHORIZED "TOKEN_STALE",
    /// The email address is unknown or the password is wrong; the response does not reveal which.
    InvalidEmailOrPassword = UNAUTHORIZED "INVALID_EMAIL_OR_PASSWORD",
    /// An old refresh token was used again, so the session was ended.
    RefreshTokenReused = UNAUTHORIZED "REFRESH_TOKEN_REUSED",
    /// The session has expired, was ended or does not exist.
    SessionExpired = UNAUTHORIZED "SESSION_EXPIRED",
    /// The caller is authenticated but not allowed to do this.
    Forbidden = FORBIDDEN "FORBIDDEN",
    /// The token may not be used for this; `WWW-Authenticate` names the scope.
    InsufficientScope = FORBIDDEN "INSUFFICIENT_SCOPE",
    /// A request with cookies came from an origin that is not trusted.
    UntrustedOrigin = FORBIDDEN "UNTRUSTED_ORIGIN",
    /// The password is right, but the email address must be verified first.
    EmailNotVerified = FORBIDDEN "EMAIL_NOT_VERIFIED",
    /// Only the user may do this: the password of the account or one of its sessions is required.
    PasswordRequired = FORBIDDEN "PASSWORD_REQUIRED",
    /// The current password is wrong.
    InvalidPassword = FORBIDDEN "INVALID_PASSWORD",
    /// The path does not exist.
    NotFound = NOT_FOUND "NOT_FOUND",
    /// The caller has no such task.
    TaskNotFound = NOT_FOUND "TASK_NOT_FOUND",
    /// The caller has no such session.
    SessionNotFound = NOT_FOUND "SESSION_NOT_FOUND",
    /// The path exists, but not with this method.
    MethodNotAllowed = METHOD_NOT_ALLOWED "METHOD_NOT_ALLOWED",
    /// The body did not arrive in time.
    RequestTimeout = REQUEST_TIMEOUT "REQUEST_TIMEOUT",
    /// The email address already has an account, or a user can still get it back by undoing a change.
    UserAlreadyExists = CONFLICT "USER_ALREADY_EXISTS",
    /// The account has the maximum number of tasks.
    TaskLimitReached = CONFLICT "TASK_LIMIT_REACHED",
    /// The body is larger than 64 KiB.
    BodyTooLarge = PAYLOAD_TOO_LARGE "BODY_TOO_LARGE",
    /// The body is not declared as JSON.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "UNSUPPORTED_MEDIA_TYPE",
    /// Fields are invalid; `errors` lists them.
    ValidationError = UNPROCESSABLE_ENTITY "VALIDATION_ERROR",
    /// Too many failed attempts, registrations, requests for mails, or concurrent requests of one account or network.
    /// `Retry-After` is set.
    TooManyRequests = TOO_MANY_REQUESTS "TOO_MANY_REQUESTS",
    /// An error of the server; its cause is in the log.
    InternalServerError = INTERNAL_SERVER_ERROR "INTERNAL_SERVER_ERROR",
    /// The server has too much work at the moment, or is stopping.
    Overloaded = SERVICE_UNAVAILABLE "OVERLOADED",
    /// The database does not respond, or the revocations are not up to date.
    DatabaseUnavailable = SERVICE_UNAVAILABLE "DATABASE_UNAVAILABLE",
}
