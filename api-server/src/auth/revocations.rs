//! `GET /api/auth/revocations`

use std::future::{Ready, ready};
use std::time::SystemTime;

use actix_web::dev::Payload;
use actix_web::http::header::{AUTHORIZATION, HeaderValue};
use actix_web::web::{Data, Json};
use actix_web::{FromRequest, HttpRequest};
use auth_core::bearer;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use crate::db::{DbConnection, QueryResult};
use crate::http::query::QueryString;
use crate::problem::Problem;
use crate::sessions::Sessions;
use crate::sessions::revocation::store;
use crate::sessions::revocation::store::Revocation;

const PAGE: i64 = 1000;

/// A caller that proved that it holds the secret.
pub(crate) struct SecretHolder;

impl SecretHolder {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let sessions = request
            .app_data::<Data<Sessions>>()
            .ok_or_else(|| Problem::internal("the server was built without sessions"))?;
        let headers = request.headers().get_all(AUTHORIZATION);
        let token = bearer::token(headers.map(HeaderValue::as_bytes))?;
        let keys = sessions.keys.current();
        keys.feed_tokens.verify(token, sessions.now())?;
        Ok(Self)
    }
}

impl FromRequest for SecretHolder {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RevocationsQuery {
    /// `next` of the answer before; 0, or none, for everything that is still of use.
    #[validate(range(min = 0, code = "out_of_range", message = "must not be negative"))]
    #[param(minimum = 0, default = 0)]
    after: Option<i64>,
}

/// Ended sessions, in the order of their ends.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevocationPage {
    revocations: Vec<EndedSession>,
    /// What to ask `after` next time. Lower than what was asked if the database was set back to a backup.
    #[schema(example = 17)]
    next: i64,
    /// Whether there are more right now; at most 1000 are answered at once.
    more: bool,
}

#[derive(Serialize, ToSchema)]
struct EndedSession {
    /// As in the tokens to refuse.
    sid: String,
    /// Seconds since 1970, as in tokens. Afterwards none of the session is alive.
    #[schema(example = 1_795_180_971)]
    exp: u64,
}

/// Which sessions have ended, for services that verify tokens themselves. Needs a token of type `revocations+jwt`,
/// which only a holder of the secret can make.
#[utoipa::path(
    get, path = "/api/auth/revocations", tag = "session", operation_id = "listRevocations",
    params(RevocationsQuery),
    responses((status = 200, description = "Sessions that ended", body = RevocationPage)),
    security(("revocations" = [])),
)]
pub(crate) async fn list(
    _: SecretHolder,
    sessions: Data<Sessions>,
    query: QueryString<RevocationsQuery>,
) -> Result<Json<RevocationPage>, Problem> {
    let after = query.0.after.unwrap_or_default();
    let page = sessions
        .db
        .read(move |connection| newer(connection, after))
        .await?;
    Ok(Json(page))
}

fn newer(connection: &mut DbConnection, after: i64) -> QueryResult<RevocationPage> {
    let last = store::newest_sequence(connection)?;
    // A number above the last is from before the database was restored from a backup: that caller starts over.
    let after = if after > last { 0 } else { after };
    let page = store::newer_than(connection, after, PAGE)?;
    let more = i64::try_from(page.len()).is_ok_and(|length| length == PAGE);
    let next = match page.last() {
        Some(newest) if more => newest.sequence,
        // Every revocation up to `last` is on this page, or has expired and was purged.
        newest => newest.map_or(last, |newest| newest.sequence.max(last)),
    };
    Ok(RevocationPage {
        revocations: page.into_iter().map(EndedSession::from).collect(),
        next,
        more,
    })
}

impl From<Revocation> for EndedSession {
    fn from(revocation: Revocation) -> Self {
        let until = revocation.forget_after.to_system_time();
        let until = until.duration_since(SystemTime::UNIX_EPOCH);
        Self {
            sid: revocation.session_id,
            exp: until.map_or(0, |until| until.as_secs()),
        }
    }
}
