//! Tests every error code with a request that provokes the error, and compares the full body. The test
//! `every_code_is_provoked` fails if a code has no row in the call of `problems!`.

mod capacity;
mod credentials;
mod requests;

use std::collections::BTreeSet;

use e2e::Response;
use serde_json::json;

use self::capacity::*;
use self::credentials::*;
use self::requests::*;

/// Each row has the function that provokes the error, then the expected status, title, code and detail, and may have an
/// expected header.
macro_rules! problems {
    ($($provoke:ident => $status:literal $title:literal, $code:literal, $detail:literal
        $(, $header:literal: $value:expr)?;)+) => {
        const PROVOKED_CODES: &[&str] = &[$($code),+];

        $(mod $provoke {
            e2e::on_both_engines!(has_this_body);

            async fn has_this_body(engine: e2e::Engine) {
                let response = super::$provoke(engine).await;
                $(assert_eq!(response.header($header), Some(String::from($value).as_str()));)?
                super::assert_problem(response, $status, $title, $code, $detail);
            }
        })+
    };
}

problems! {
    a_body_that_is_not_json =>
        400 "Bad Request", "INVALID_JSON",
        "The body is not JSON: key must be a string at line 1 column 2";
    a_body_that_is_not_an_object =>
        400 "Bad Request", "INVALID_REQUEST",
        "The body must be a JSON object";
    a_used_token_of_a_mail =>
        400 "Bad Request", "INVALID_OR_EXPIRED_TOKEN",
        "The link or the code is not valid, was used already, or has expired; request another mail";
    no_token =>
        401 "Unauthorized", "UNAUTHORIZED",
        "Authentication is required",
        "www-authenticate": "Bearer realm=\"api\"";
    a_malformed_token =>
        401 "Unauthorized", "INVALID_TOKEN",
        "A token has exactly three parts",
        "www-authenticate": super::challenge("A token has exactly three parts");
    an_expired_token =>
        401 "Unauthorized", "TOKEN_EXPIRED",
        "The token has expired",
        "www-authenticate": super::challenge("The token has expired");
    a_wrong_password =>
        401 "Unauthorized", "INVALID_EMAIL_OR_PASSWORD",
        "Invalid email or password",
        "www-authenticate": super::challenge("Invalid email or password");
    the_token_of_a_revoked_session =>
        401 "Unauthorized", "TOKEN_REVOKED",
        "The session of the token has ended",
        "www-authenticate": "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"The session of the token has ended\"";
    a_stale_token =>
        401 "Unauthorized", "TOKEN_STALE",
        "The token is older than a change of its user; refresh the token",
        "www-authenticate": super::challenge("The token is older than a change of its user; refresh the token");
    a_refresh_token_two_rotations_old =>
        401 "Unauthorized", "REFRESH_TOKEN_REUSED",
        "The refresh token was used before, so the session was ended; log in again",
        "www-authenticate": "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"The refresh token was used before, so the session was ended; log in again\"";
    a_refresh_token_of_a_revoked_session =>
        401 "Unauthorized", "SESSION_EXPIRED",
        "The session is over; log in again",
        "www-authenticate": "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"The session is over; log in again\"";
    a_cookie_from_another_origin =>
        403 "Forbidden", "UNTRUSTED_ORIGIN",
        "A request with cookies must come from our own pages or from an origin in ALLOWED_ORIGINS";
    a_wrong_current_password =>
        403 "Forbidden", "INVALID_PASSWORD",
        "The current password is wrong";
    a_login_before_verification =>
        403 "Forbidden", "EMAIL_NOT_VERIFIED",
        "Verify your email address first: follow the link in the mail, or request another mail";
    a_verification_without_a_session =>
        403 "Forbidden", "PASSWORD_REQUIRED",
        "Enter the password of the account, or log in to the account first";
    the_tasks_of_another_user =>
        403 "Forbidden", "FORBIDDEN",
        "This address belongs to another user";
    a_token_without_the_scope =>
        403 "Forbidden", "INSUFFICIENT_SCOPE",
        "The token lacks a scope that this resource requires",
        "www-authenticate": r#"Bearer error="insufficient_scope", scope="sessions""#;
    an_unknown_path =>
        404 "Not Found", "NOT_FOUND",
        "Nothing has this address";
    an_unknown_task =>
        404 "Not Found", "TASK_NOT_FOUND",
        "There is no such task";
    an_unknown_session =>
        404 "Not Found", "SESSION_NOT_FOUND",
        "There is no such session";
    a_wrong_method =>
        405 "Method Not Allowed", "METHOD_NOT_ALLOWED",
        "This path supports GET, HEAD, PUT, PATCH, DELETE",
        "allow": "GET, HEAD, PUT, PATCH, DELETE";
    a_body_that_does_not_arrive =>
        408 "Request Timeout", "REQUEST_TIMEOUT",
        "The body did not arrive in time";
    an_email_address_that_has_an_account =>
        409 "Conflict", "USER_ALREADY_EXISTS",
        "An account with this address exists already";
    one_task_too_many =>
        409 "Conflict", "TASK_LIMIT_REACHED",
        "This account has reached its limit of tasks (1); delete some to add more";
    a_body_of_65537_bytes =>
        413 "Payload Too Large", "BODY_TOO_LARGE",
        "The body may have at most 65536 bytes";
    a_form =>
        415 "Unsupported Media Type", "UNSUPPORTED_MEDIA_TYPE",
        "Send the body as Content-Type: application/json, without Content-Encoding";
    a_task_without_a_title =>
        422 "Unprocessable Entity", "VALIDATION_ERROR",
        "Some fields are not acceptable";
    a_hundred_wrong_passwords =>
        429 "Too Many Requests", "TOO_MANY_REQUESTS",
        "Too many failed attempts for this address; please wait",
        "retry-after": "901";
    a_missing_table =>
        500 "Internal Server Error", "INTERNAL_SERVER_ERROR",
        "Something went wrong on our side; the request id names it in our log";
    more_logins_than_the_queue_accepts =>
        503 "Service Unavailable", "OVERLOADED",
        "The server has too much to do; please try again",
        "retry-after": "1";
    a_database_that_does_not_respond =>
        503 "Service Unavailable", "DATABASE_UNAVAILABLE",
        "The database does not answer; please try again",
        "retry-after": "2";
}

fn challenge(description: &str) -> String {
    format!(r#"Bearer realm="api", error="invalid_token", error_description="{description}""#)
}

#[track_caller]
fn assert_problem(response: Response, status: u16, title: &str, code: &str, detail: &str) {
    let mut expected = json!({
        "status": status, "title": title, "code": code, "detail": detail, "message": detail,
    });
    if code == "VALIDATION_ERROR" {
        let error = json!({ "field": "title", "code": "required", "message": "is required" });
        expected["errors"] = json!([error]);
    }
    assert_eq!(response.problem(status, code), expected);
}

/// Returns all error codes that the source of the server defines.
pub(crate) fn all_codes() -> BTreeSet<String> {
    let source = include_str!("../../../../api-server/src/problem/code.rs");
    let (_, code_rows) = source.split_once("\ncodes! {").unwrap();
    let codes = code_rows.lines().filter_map(|line| {
        let (_, code_and_end) = line.split_once('"')?;
        code_and_end.strip_suffix("\",")
    });
    codes.map(ToOwned::to_owned).collect()
}

#[test]
fn every_code_is_provoked() {
    let provoked_codes: BTreeSet<_> = PROVOKED_CODES.iter().map(ToString::to_string).collect();
    assert_eq!(provoked_codes, all_codes());
}
