//! Defines the parts of requests and responses that the endpoints for mails with a token share.

use serde::Serialize;
use utoipa::ToSchema;

use crate::accounts::mail_proof::MailProof;
use crate::accounts::mail_request::MailChallenge;
use crate::problem::Problem;
use crate::problem::violation::FieldViolation;

/// The response to a request for a mail. It is the same whether or not a mail is sent.
#[derive(Serialize, ToSchema)]
pub(crate) struct MailRequested {
    /// Send it back with the code in the mail.
    challenge_id: String,
    /// The lifetime of the link and of the code in seconds.
    #[schema(example = 3600)]
    expires_in: u64,
}

impl From<MailChallenge> for MailRequested {
    fn from(challenge: MailChallenge) -> Self {
        Self {
            challenge_id: challenge.challenge_id,
            expires_in: challenge.expires_in,
        }
    }
}

/// Returns the token, or the code with its challenge. Fails unless the request has exactly one of the two.
pub(super) fn parse_proof(
    token: Option<String>,
    challenge_id: Option<String>,
    code: Option<String>,
) -> Result<MailProof, Problem> {
    match (token, challenge_id, code) {
        (Some(token), None, None) => Ok(MailProof::Token(token)),
        (None, Some(challenge_id), Some(code)) => Ok(MailProof::Code { challenge_id, code }),
        (None, Some(_), None) => Err(REQUIRED.at("code")),
        (None, None, Some(_)) => Err(REQUIRED.at("challenge_id")),
        (None, None, None) => Err(TOKEN_OR_CODE_REQUIRED.at("token")),
        (Some(_), _, _) => Err(TOKEN_AND_CODE.at("token")),
    }
}

const REQUIRED: FieldViolation = FieldViolation::new("required", "is required");
const TOKEN_OR_CODE_REQUIRED: FieldViolation =
    FieldViolation::new("required", "is required, or challenge_id and code instead");
const TOKEN_AND_CODE: FieldViolation = FieldViolation::new(
    "conflict",
    "must not be sent together with challenge_id or code",
);
