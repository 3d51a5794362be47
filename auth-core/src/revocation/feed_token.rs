//! Who may read which sessions have ended: whoever shows that it holds the secret.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::claims::seconds;
use crate::jws::Jws;
use crate::verifier::require_text;
use crate::{Error, Keyring};

/// One `typ` for each kind of token (RFC 8725 § 3.11): this one can never pass for an access token, nor the reverse.
const TYPE: &str = "revocations+jwt";
/// Seconds. Long enough for one request, short enough to be of no use to whoever finds it in a log.
const LIFETIME: i64 = 60;
const LEEWAY: f64 = 5.0;

/// Issues and verifies the tokens that open `GET /api/auth/revocations`, and nothing else: HS256 JWTs of type
/// `revocations+jwt` with `aud` (the issuer of the access tokens), `iat` and `exp`, good for 60 seconds.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use auth_core::revocation::FeedTokens;
/// use auth_core::{Error, Keyring, Secret};
///
/// let tokens = FeedTokens::new(Keyring::new(Secret::generate()?), "api-server")?;
/// let now = SystemTime::now();
/// let token = tokens.issue(now)?;
/// assert_eq!(tokens.verify(&token, now), Ok(()));
/// assert_eq!(tokens.verify(&token, now + Duration::from_secs(65)), Err(Error::Expired));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct FeedTokens {
    keyring: Keyring,
    issuer: String,
}

/// Each claim once, or serde refuses it.
#[derive(Serialize, Deserialize)]
struct Payload<'a> {
    aud: &'a str,
    iat: i64,
    exp: i64,
}

impl FeedTokens {
    /// For a server that issues access tokens as `issuer`, under any secret of the keyring.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if `issuer` is empty.
    pub fn new(keyring: Keyring, issuer: impl Into<String>) -> Result<Self, Error> {
        Ok(Self {
            keyring,
            issuer: require_text(issuer.into(), "the issuer must not be empty")?,
        })
    }

    /// Also accepts the tokens of services that hold nothing but their own secret,
    /// [`Secret::for_audience`](crate::Secret::for_audience). Defaults to no services.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if an audience is empty.
    pub fn with_services<A: AsRef<str>>(
        mut self,
        audiences: impl IntoIterator<Item = A>,
    ) -> Result<Self, Error> {
        let own = self.keyring.clone();
        for audience in audiences {
            let services = own.for_audience(audience.as_ref())?;
            self.keyring = self.keyring.with_previous_of(services);
        }
        Ok(self)
    }

    /// A token for one request. A credential: do not log it.
    ///
    /// # Errors
    ///
    /// [`Error::Crypto`] if it cannot be written, which does not happen.
    pub fn issue(&self, now: SystemTime) -> Result<String, Error> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a clock within 2^53 s of 1970"
        )]
        let iat = seconds(now).floor() as i64;
        let payload = serde_json::to_vec(&Payload {
            aud: &self.issuer,
            iat,
            exp: iat.saturating_add(LIFETIME),
        });
        let payload = payload.map_err(|_impossible| Error::Crypto)?;
        Ok(self.keyring.current().sign_as(TYPE, &payload))
    }

    /// Whether one of our secrets made it, for this purpose and issuer, within the last minute (leeway: 5 seconds).
    ///
    /// # Errors
    ///
    /// As [`TokenVerifier::verify`](crate::TokenVerifier::verify), but for [`Error::Revoked`].
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<(), Error> {
        let jws = Jws::split(token)?;
        jws.authenticate(&self.keyring, Some(TYPE))?;
        jws.with_payload(|text| self.check(text, seconds(now)))
    }

    #[expect(clippy::cast_precision_loss, reason = "compared with seconds")]
    fn check(&self, text: &str, now: f64) -> Result<(), Error> {
        let payload: Payload<'_> = serde_json::from_str(text)
            .map_err(|_fault| Error::MalformedToken("The token payload is not acceptable"))?;
        if payload.aud != self.issuer {
            return Err(Error::InvalidClaim("aud"));
        }
        if payload.exp.saturating_sub(payload.iat) > LIFETIME {
            return Err(Error::InvalidClaim("exp"));
        }
        if payload.iat as f64 > now + LEEWAY {
            return Err(Error::NotYetValid);
        }
        if now >= payload.exp as f64 + LEEWAY {
            return Err(Error::Expired);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::FeedTokens;
    use crate::{Error, Keyring, Secret, Subject, TokenIssuer, TokenVerifier};

    const SUBJECT: Subject<'_> = Subject {
        id: "42",
        email: "ada@example.com",
        session_id: "7",
    };

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn keyring() -> Keyring {
        Keyring::new(Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap())
    }

    fn tokens() -> FeedTokens {
        FeedTokens::new(keyring(), "api-server").unwrap()
    }

    #[test]
    fn it_is_good_for_a_minute_and_the_leeway() {
        let token = tokens().issue(now()).unwrap();
        let at = |seconds| tokens().verify(&token, now() + Duration::from_secs(seconds));
        assert_eq!(at(0), Ok(()));
        assert_eq!(at(64), Ok(()));
        assert_eq!(at(65), Err(Error::Expired));
        let before = |seconds| tokens().verify(&token, now() - Duration::from_secs(seconds));
        assert_eq!(before(5), Ok(()));
        assert_eq!(before(6), Err(Error::NotYetValid));
    }

    #[test]
    fn neither_kind_of_token_passes_for_the_other() {
        // The audience is the name of the issuer, so that nothing but the type tells them apart.
        let issuer = TokenIssuer::new(
            keyring(),
            "api-server",
            "api-server",
            Duration::from_secs(60),
        );
        let access = issuer.unwrap().issue(&SUBJECT, now()).unwrap().token;
        let refused = tokens().verify(&access, now());
        assert!(
            matches!(refused, Err(Error::UnacceptableHeader(_))),
            "{refused:?}"
        );
        let verifier = TokenVerifier::new(keyring(), "api-server", "api-server").unwrap();
        let refused = verifier.verify(&tokens().issue(now()).unwrap(), now());
        assert!(
            matches!(refused, Err(Error::UnacceptableHeader(_))),
            "{refused:?}"
        );
    }

    #[test]
    fn a_previous_secret_opens_and_a_stranger_s_does_not() {
        let rotated = Keyring::new(Secret::generate().unwrap());
        let old = Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap();
        let server = FeedTokens::new(rotated.clone().with_previous([old]), "api-server").unwrap();
        assert_eq!(
            server.verify(&tokens().issue(now()).unwrap(), now()),
            Ok(())
        );
        let stranger = FeedTokens::new(Keyring::new(Secret::generate().unwrap()), "api-server");
        let token = stranger.unwrap().issue(now()).unwrap();
        assert_eq!(server.verify(&token, now()), Err(Error::SignatureMismatch));
    }

    #[test]
    fn a_service_s_own_secret_opens_only_where_the_service_is_known() {
        let own = keyring().for_audience("reports").unwrap();
        let token = FeedTokens::new(own, "api-server").unwrap().issue(now());
        let token = token.unwrap();
        for (services, expected) in [
            (&["billing", "reports"] as &[_], Ok(())),
            (&["billing"], Err(Error::SignatureMismatch)),
            (&[], Err(Error::SignatureMismatch)),
        ] {
            let server = tokens().with_services(services).unwrap();
            assert_eq!(server.verify(&token, now()), expected, "{services:?}");
        }
        assert!(tokens().with_services([""]).is_err());
    }

    #[test]
    fn one_for_another_server_is_refused() {
        let other = FeedTokens::new(keyring(), "other-server").unwrap();
        let token = other.issue(now()).unwrap();
        assert_eq!(
            tokens().verify(&token, now()),
            Err(Error::InvalidClaim("aud"))
        );
    }

    #[test]
    fn one_that_would_live_longer_is_refused() {
        let long = br#"{"aud":"api-server","iat":1800000000,"exp":1800000061}"#;
        let token = keyring().current().sign_as(super::TYPE, long);
        assert_eq!(
            tokens().verify(&token, now()),
            Err(Error::InvalidClaim("exp"))
        );
    }
}
