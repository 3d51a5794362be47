//! Verifies a token or a code that a user received by mail.

use std::time::SystemTime;

use auth_core::mail_token::{Challenge, MailPurpose, MailTokens, UnverifiedMailToken};
use uuid::Uuid;

use super::Accounts;
use crate::client::Client;
use crate::db::{DbConnection, DbShare, QueryResult, Timestamp, write_transaction};
use crate::mail::attempt::expiry_seconds;
use crate::mail::challenge::store as challenges;
use crate::mail::challenge::store::ChallengeRow;
use crate::mail::kind::MailKind;
use crate::problem::{Code, Problem};
use crate::users::mail_key::generate_mail_key;
use crate::users::store::{self as users, MailKeyChange, MailUser};

/// A mail key for users who have none, so that verifying their codes takes as long as for other users. No mail was sent
/// with a token or a code of this key.
const PLACEHOLDER_MAIL_KEY: &str = "-------------------------------------------";

/// A token or a code that a user received by mail.
pub(crate) enum MailProof {
    /// The token in the link.
    Token(String),
    /// The code that was typed.
    Code { challenge_id: String, code: String },
}

/// Returns the error for an invalid token or code, whatever the reason.
pub(crate) fn invalid_proof() -> Problem {
    Problem::new(
        Code::InvalidOrExpiredToken,
        "The link or the code is not valid, was used already, or has expired; request another mail",
    )
}

/// Verifies a proof, without using it up. The transaction that uses the proof must make the returned change of the mail
/// key, which fails if a proof was used in the meantime. A code is counted as wrong before the comparison, and
/// uncounted if it is right.
pub(crate) async fn verify(
    accounts: &Accounts,
    kind: MailKind,
    proof: MailProof,
    client: &Client,
) -> Result<MailKeyChange, Problem> {
    let (key_change, _new_email) = verify_any(accounts, kind, proof, client).await?;
    Ok(key_change)
}

/// Does the same as [`verify`] for a change of the email address. Also returns the new address.
pub(crate) async fn verify_email_change(
    accounts: &Accounts,
    proof: MailProof,
    client: &Client,
) -> Result<(MailKeyChange, String), Problem> {
    verify_any(accounts, MailKind::EmailChange, proof, client).await
}

/// Verifies a proof. Returns the change of the mail key, and the new email address, which is empty unless the mail
/// confirms a change of the address.
async fn verify_any(
    accounts: &Accounts,
    kind: MailKind,
    proof: MailProof,
    client: &Client,
) -> Result<(MailKeyChange, String), Problem> {
    let db = accounts.sessions.db.of_network(client.network);
    let purpose = kind.purpose().ok_or_else(invalid_proof)?;
    let now = accounts.sessions.now();
    let tokens = accounts.sessions.keys.current().mail_tokens.clone();
    match proof {
        MailProof::Token(text) => {
            let token = MailTokens::parse(&text).map_err(|_malformed| invalid_proof())?;
            verify_token(db, &tokens, token, purpose, now).await
        }
        MailProof::Code { challenge_id, code } => {
            let id = Uuid::try_parse(&challenge_id).map_err(|_malformed| invalid_proof())?;
            let typed = TypedCode {
                challenge_id: id.to_string(),
                kind,
                purpose,
                code,
            };
            verify_code(db, tokens, typed, now).await
        }
    }
}

async fn verify_token(
    db: DbShare<'_>,
    tokens: &MailTokens,
    token: UnverifiedMailToken,
    purpose: MailPurpose,
    now: SystemTime,
) -> Result<(MailKeyChange, String), Problem> {
    let user_id = token.user_id().to_owned();
    // PostgreSQL rejects a text that contains NUL.
    if user_id.contains('\0') {
        return Err(invalid_proof());
    }
    let found_user = db
        .read(move |connection| users::find_mail_user(connection, &user_id))
        .await?;
    let user = found_user.ok_or_else(invalid_proof)?;
    let mail_key = user.mail_key.as_deref().unwrap_or(PLACEHOLDER_MAIL_KEY);
    let verified = tokens
        .verify(token, purpose, &user.user.email, mail_key, now)
        .map_err(|_invalid| invalid_proof())?;
    Ok((key_change(user)?, verified.detail))
}

/// A code with the challenge for which it was typed.
struct TypedCode {
    challenge_id: String,
    kind: MailKind,
    purpose: MailPurpose,
    code: String,
}

async fn verify_code(
    db: DbShare<'_>,
    tokens: MailTokens,
    typed: TypedCode,
    now: SystemTime,
) -> Result<(MailKeyChange, String), Problem> {
    let proven = db
        .write(move |connection| compare_code(connection, &tokens, &typed, now))
        .await?;
    let (user, new_email) = proven.ok_or_else(invalid_proof)?;
    Ok((key_change(user)?, new_email))
}

/// Returns the user and the new address if the code is right. The same statements run for a wrong code, a challenge
/// without a user and an unknown challenge, so that the response times do not differ.
fn compare_code(
    connection: &mut DbConnection,
    tokens: &MailTokens,
    typed: &TypedCode,
    now: SystemTime,
) -> QueryResult<Option<(MailUser, String)>> {
    write_transaction(connection, |connection| {
        let open = challenges::count_code_attempt(connection, &typed.challenge_id, typed.kind)?;
        let open = open.unwrap_or(ChallengeRow {
            user_id: None,
            new_email: None,
            expires_at: Timestamp::from_unix_micros(0),
        });
        let user_id = open.user_id.unwrap_or_default();
        let found = users::find_mail_user(connection, &user_id)?;
        let email = found.as_ref().map_or("", |user| user.user.email.as_str());
        let mail_key = found.as_ref().and_then(|user| user.mail_key.as_deref());
        let challenge = Challenge {
            id: &typed.challenge_id,
            purpose: typed.purpose,
            user_id: &user_id,
            expires_at: expiry_seconds(open.expires_at),
        };
        let mail_key = mail_key.unwrap_or(PLACEHOLDER_MAIL_KEY);
        let result = tokens.verify_code(&challenge, &typed.code, email, mail_key, now);
        let Some(user) = found.filter(|_| result.is_ok()) else {
            return Ok(None);
        };
        challenges::uncount_code_attempt(connection, &typed.challenge_id)?;
        Ok(Some((user, open.new_email.unwrap_or_default())))
    })
}

fn key_change(user: MailUser) -> Result<MailKeyChange, Problem> {
    Ok(MailKeyChange {
        user_id: user.user.id,
        email: user.user.email,
        old_key: user.mail_key.ok_or_else(invalid_proof)?,
        new_key: generate_mail_key()?,
    })
}
