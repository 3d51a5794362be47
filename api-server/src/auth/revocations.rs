//! Handles `GET /api/auth/revocations`.

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

use crate::db::Timestamp;
use crate::http::query::QueryString;
use crate::problem::Problem;
use crate::sessions::Sessions;
use crate::sessions::revocation::page;
use crate::sessions::revocation::store::{FeedPage, Revocation, RevocationTarget};

/// The most revocations without a number in one response. A response has such revocations only while no numbers can be
/// assigned.
const MAX_UNNUMBERED: i64 = 1000;

/// A caller with a token of type `revocations+jwt`. The token is signed with a secret of the server, or with a key that
/// is derived from such a secret: the key of a service in `TOKEN_AUDIENCES`, or a feed credential, which `keys derive
/// --feed` prints.
pub(crate) struct RevocationReader;

impl RevocationReader {
    fn authenticate(request: &HttpRequest) -> Result<Self, Problem> {
        let sessions = request
            .app_data::<Data<Sessions>>()
            .ok_or_else(|| Problem::internal("the server was built without its sessions"))?;
        let headers = request.headers().get_all(AUTHORIZATION);
        let token = bearer::token(headers.map(HeaderValue::as_bytes))?;
        let keys = sessions.keys.current();
        keys.feed_tokens.verify(token, sessions.now())?;
        Ok(Self)
    }
}

impl FromRequest for RevocationReader {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::authenticate(request))
    }
}

#[derive(Debug, Deserialize, Validate, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RevocationsQuery {
    /// `next` of the previous response; 0, the default, lists everything that has not expired.
    #[validate(range(min = 0, code = "out_of_range", message = "must not be negative"))]
    #[param(minimum = 0, default = 0)]
    after: Option<i64>,
}

/// Ended sessions and users with stale tokens, each in the order of the changes.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevocationPage {
    revocations: Vec<EndedSession>,
    /// Users whose roles or claims changed, or whose address was verified or changed.
    stale: Vec<StaleUser>,
    /// `after` of the next request; may be lower than in this request after the database was
    /// replaced by an older one.
    #[schema(example = 17)]
    next: i64,
    /// Whether there are more already: a response has at most 1000 entries, or 2000 while some have no number yet.
    more: bool,
    /// Only after a restore of a backup: all tokens whose claim `iat` is lower are to be rejected as well. Seconds
    /// since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 1_795_180_971)]
    issued_before: Option<i64>,
}

#[derive(Serialize, ToSchema)]
struct EndedSession {
    /// The claim `sid` of the tokens to reject.
    sid: String,
    /// Seconds since 1970, as in tokens. After that time all tokens of the session have expired.
    #[schema(example = 1_795_180_971)]
    exp: u64,
}

#[derive(Serialize, ToSchema)]
struct StaleUser {
    /// The claim `sub` of the tokens to reject.
    sub: String,
    /// The tokens with a lower claim `claims_version`, or without this claim, are stale.
    #[schema(example = 1)]
    claims_version: u64,
    /// Seconds since 1970, as in tokens. After that time all stale tokens have expired.
    #[schema(example = 1_795_180_971)]
    exp: u64,
}

/// List the sessions that have ended, and the users whose tokens are stale, for services that verify tokens themselves.
/// Needs a token of type `revocations+jwt`, signed with the secret or with a key that is derived from the secret.
#[utoipa::path(
    get, path = "/api/auth/revocations", tag = "session", operation_id = "listRevocations",
    params(RevocationsQuery),
    responses((status = 200, description = "Ended sessions, and users with stale tokens", body = RevocationPage)),
    security(("revocations" = [])),
)]
pub(crate) async fn list(
    _: RevocationReader,
    sessions: Data<Sessions>,
    query: QueryString<RevocationsQuery>,
) -> Result<Json<RevocationPage>, Problem> {
    // All readers of the feed have one share of the database, which anonymous clients of their networks cannot use up.
    let db = sessions.db.of_endpoint("/api/auth/revocations");
    let after_sequence = query.0.after.unwrap_or_default();
    let page = page::read(&db, after_sequence, MAX_UNNUMBERED).await?;
    Ok(Json(page.into()))
}

impl From<FeedPage> for RevocationPage {
    fn from(page: FeedPage) -> Self {
        let newest_sequence = page.state.newest_sequence;
        let last_revocation = page.revocations.last();
        let last_sequence = last_revocation.map_or(newest_sequence, |last| last.sequence);
        let next = if page.has_more {
            last_sequence
        } else {
            // Every revocation up to `newest_sequence` is on this page, was on an earlier one, or was purged.
            last_sequence.max(newest_sequence)
        };
        let issued_before = page.state.issued_before;
        let mut entries = page.revocations;
        entries.extend(page.unnumbered);
        Self {
            issued_before: issued_before.map(Timestamp::unix_seconds_rounded_up),
            ..Self::new(entries, next, page.has_more)
        }
    }
}

impl RevocationPage {
    fn new(entries: Vec<Revocation>, next: i64, more: bool) -> Self {
        let mut page = Self {
            revocations: Vec::with_capacity(entries.len()),
            stale: Vec::new(),
            next,
            more,
            issued_before: None,
        };
        for entry in entries {
            let forget_after = entry.forget_after.to_system_time();
            let since_1970 = forget_after.duration_since(SystemTime::UNIX_EPOCH);
            let exp = since_1970.map_or(0, |duration| duration.as_secs());
            match entry.target {
                RevocationTarget::Session(sid) => page.revocations.push(EndedSession { sid, exp }),
                RevocationTarget::StaleUser { id, claims_version } => page.stale.push(StaleUser {
                    sub: id,
                    claims_version,
                    exp,
                }),
            }
        }
        page
    }
}
