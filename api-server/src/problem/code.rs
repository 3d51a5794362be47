//! The stable names of everything that can go wrong.

use actix_web::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $status:ident $name:literal,)*) => {
        /// The `code` of a problem.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
        // Not a `rename` for each, which the document's derive does not see in a macro.
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
    /// The request makes no sense as a whole.
    InvalidRequest = BAD_REQUEST "INVALID_REQUEST",
    /// No credentials were sent.
    Unauthorized = UNAUTHORIZED "UNAUTHORIZED",
    /// The credentials are not a token of ours.
    InvalidToken = UNAUTHORIZED "INVALID_TOKEN",
    /// The token was good once.
    TokenExpired = UNAUTHORIZED "TOKEN_EXPIRED",
    /// The session of the token was ended.
    TokenRevoked = UNAUTHORIZED "TOKEN_REVOKED",
    /// Wrong password or unknown address; the response does not tell which.
    InvalidEmailOrPassword = UNAUTHORIZED "INVALID_EMAIL_OR_PASSWORD",
    /// A refresh token came twice; the session was ended.
    RefreshTokenReused = UNAUTHORIZED "REFRESH_TOKEN_REUSED",
    /// The session of the refresh token has expired or was ended.
    SessionExpired = UNAUTHORIZED "SESSION_EXPIRED",
    /// The caller is known and may not.
    Forbidden = FORBIDDEN "FORBIDDEN",
    /// A request with cookies from somewhere we do not know.
    UntrustedOrigin = FORBIDDEN "UNTRUSTED_ORIGIN",
    /// The current password is wrong.
    InvalidPassword = FORBIDDEN "INVALID_PASSWORD",
    /// Nothing has this address.
    NotFound = NOT_FOUND "NOT_FOUND",
    /// The caller has no such task.
    TaskNotFound = NOT_FOUND "TASK_NOT_FOUND",
    /// The caller has no such session.
    SessionNotFound = NOT_FOUND "SESSION_NOT_FOUND",
    /// The address exists; the method does not.
    MethodNotAllowed = METHOD_NOT_ALLOWED "METHOD_NOT_ALLOWED",
    /// The body did not arrive in time.
    RequestTimeout = REQUEST_TIMEOUT "REQUEST_TIMEOUT",
    /// One account per address.
    UserAlreadyExists = CONFLICT "USER_ALREADY_EXISTS",
    /// The account has as many tasks as it may.
    TaskLimitReached = CONFLICT "TASK_LIMIT_REACHED",
    /// The body is larger than 64 KiB.
    BodyTooLarge = PAYLOAD_TOO_LARGE "BODY_TOO_LARGE",
    /// The body is not declared as JSON.
    UnsupportedMediaType = UNSUPPORTED_MEDIA_TYPE "UNSUPPORTED_MEDIA_TYPE",
    /// Fields are not acceptable; `errors` says which.
    ValidationError = UNPROCESSABLE_ENTITY "VALIDATION_ERROR",
    /// Too many attempts that failed, registrations, or requests of one account at once; `Retry-After` says when to come back.
    TooManyRequests = TOO_MANY_REQUESTS "TOO_MANY_REQUESTS",
    /// A fault of ours.
    InternalServerError = INTERNAL_SERVER_ERROR "INTERNAL_SERVER_ERROR",
    /// More work than the server can take on.
    Overloaded = SERVICE_UNAVAILABLE "OVERLOADED",
    /// The database is away.
    DatabaseUnavailable = SERVICE_UNAVAILABLE "DATABASE_UNAVAILABLE",
}
