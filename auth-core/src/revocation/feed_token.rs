//! Defines the tokens with which a service reads the revocation feed. A token proves knowledge of an accepted secret,
//! or of a credential that is derived from it.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::FeedSigner;
use crate::claims::{require_nonempty, unix_seconds, whole_unix_seconds};
use crate::jws::Jws;
use crate::{Error, Keyring};

/// The `typ` of a feed token. Each kind of JWT has its own `typ` (RFC 8725 § 3.11), so none is accepted as another.
pub(super) const FEED_TOKEN_TYPE: &str = "revocations+jwt";
/// The lifetime of a feed token, in seconds. A token is for one request, and a leaked token expires soon.
const LIFETIME_SECONDS: i64 = 60;
/// The allowed difference between the clocks of the service and the server, in seconds.
const LEEWAY_SECONDS: f64 = 5.0;

/// Issues and verifies the tokens for `GET /api/auth/revocations`: HS256 JWTs of type `revocations+jwt` with `aud` (the
/// issuer of the access tokens), `iat` and `exp`, valid for 60 seconds. Feed tokens authorise nothing else. The tokens
/// of a [`FeedCredential`](super::FeedCredential) also have its name as `sub`.
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
    signer: FeedSigner,
    /// The keys that are tried first: the keys of the signer, and the keys of the services. The keys of a credential
    /// are derived when its token is verified.
    accepted: Keyring,
    access_token_issuer: String,
}

/// The claims of a feed token. serde rejects a claim that occurs twice.
#[derive(Serialize, Deserialize)]
struct Payload<'a> {
    aud: &'a str,
    iat: i64,
    exp: i64,
    /// The name of the credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
}

impl FeedTokens {
    /// Creates an issuer and verifier for the feed of the server that issues access tokens as `access_token_issuer`. If
    /// `signer` is a keyring, its current secret signs, and every secret of the keyring verifies, as does every
    /// credential that is derived from one of them. If `signer` is a credential, it signs.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if `access_token_issuer` is empty.
    pub fn new(
        signer: impl Into<FeedSigner>,
        access_token_issuer: impl Into<String>,
    ) -> Result<Self, Error> {
        let signer = signer.into();
        Ok(Self {
            accepted: signer.keyring.clone(),
            signer,
            access_token_issuer: require_nonempty(
                access_token_issuer.into(),
                "the issuer must not be empty",
            )?,
        })
    }

    /// Also accepts the tokens of services that know only the secret that is derived for their audience
    /// ([`Secret::for_audience`](crate::Secret::for_audience)). Defaults to no service.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if an audience is empty.
    pub fn with_services<A: AsRef<str>>(
        mut self,
        audiences: impl IntoIterator<Item = A>,
    ) -> Result<Self, Error> {
        for audience in audiences {
            let service_keyring = self.signer.keyring.for_audience(audience.as_ref())?;
            self.accepted = self.accepted.with_previous_keyring(service_keyring);
        }
        Ok(self)
    }

    /// Issues a token for one request. The token is a credential: do not log it.
    ///
    /// # Errors
    ///
    /// [`Error::Crypto`] if the claims cannot be serialised, which does not happen.
    pub fn issue(&self, now: SystemTime) -> Result<String, Error> {
        let iat = whole_unix_seconds(now);
        let result = serde_json::to_vec(&Payload {
            aud: &self.access_token_issuer,
            iat,
            exp: iat.saturating_add(LIFETIME_SECONDS),
            sub: self.signer.name.as_deref(),
        });
        let payload = result.map_err(|_impossible| Error::Crypto)?;
        let key = self.signer.keyring.signing_key();
        Ok(key.sign_with_type(FEED_TOKEN_TYPE, &payload))
    }

    /// Verifies a token at the time `now`, with a leeway of 5 seconds.
    ///
    /// # Errors
    ///
    /// The errors of [`TokenVerifier::verify`](crate::TokenVerifier::verify), except those of revocations. A claim that
    /// is missing, occurs twice or has a wrong type is an [`Error::MalformedToken`].
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<(), Error> {
        let jws = Jws::split(token)?;
        match jws.verify(&self.accepted, Some(FEED_TOKEN_TYPE)) {
            Err(Error::SignatureMismatch) => self.verify_credential_mac(&jws)?,
            result => result?,
        }
        jws.with_payload(|json| self.check(json, unix_seconds(now)))
    }

    /// Verifies the MAC with the keys of the credential that `sub` names, one key per secret. `sub` is not verified
    /// before, and only selects the keys. The header was accepted before.
    fn verify_credential_mac(&self, jws: &Jws<'_>) -> Result<(), Error> {
        let keyring = jws.with_payload(|json| {
            let payload: Payload<'_> =
                serde_json::from_str(json).map_err(|_serde| Error::SignatureMismatch)?;
            let name = payload.sub.ok_or(Error::SignatureMismatch)?;
            let keyring = self.signer.keyring.for_feed_reader(name);
            keyring.map_err(|_not_a_name| Error::SignatureMismatch)
        })?;
        jws.verify_mac(&keyring, None)
    }

    /// Checks the claims at the time `now_seconds`, in seconds since 1970.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a loss beyond 2^53 s does not change the comparison"
    )]
    fn check(&self, json: &str, now_seconds: f64) -> Result<(), Error> {
        let payload: Payload<'_> = serde_json::from_str(json)
            .map_err(|_serde| Error::MalformedToken("The token payload is not acceptable"))?;
        if payload.aud != self.access_token_issuer {
            return Err(Error::InvalidClaim("aud"));
        }
        if payload.exp.saturating_sub(payload.iat) > LIFETIME_SECONDS {
            return Err(Error::InvalidClaim("exp"));
        }
        if payload.iat as f64 > now_seconds + LEEWAY_SECONDS {
            return Err(Error::NotYetValid);
        }
        if now_seconds >= payload.exp as f64 + LEEWAY_SECONDS {
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
        email_verified: None,
        session_id: "7",
    };

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
    }

    fn keyring() -> Keyring {
        Keyring::new(Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap())
    }

    fn feed_tokens() -> FeedTokens {
        FeedTokens::new(keyring(), "api-server").unwrap()
    }

    #[test]
    fn a_token_is_valid_for_60_seconds_plus_leeway() {
        let token = feed_tokens().issue(now()).unwrap();
        let verify_after =
            |seconds| feed_tokens().verify(&token, now() + Duration::from_secs(seconds));
        assert_eq!(verify_after(0), Ok(()));
        assert_eq!(verify_after(64), Ok(()));
        assert_eq!(verify_after(65), Err(Error::Expired));
        let verify_before =
            |seconds| feed_tokens().verify(&token, now() - Duration::from_secs(seconds));
        assert_eq!(verify_before(5), Ok(()));
        assert_eq!(verify_before(6), Err(Error::NotYetValid));
    }

    #[test]
    fn feed_tokens_and_access_tokens_are_not_interchangeable() {
        // The access token also has the `aud`, `iat` and `exp` of a feed token, so only its `typ` is wrong.
        let issuer = TokenIssuer::new(
            keyring(),
            "api-server",
            "api-server",
            Duration::from_secs(60),
        );
        let access_token = issuer.unwrap().issue(&SUBJECT, now()).unwrap().token;
        let result = feed_tokens().verify(&access_token, now());
        let wrong_type = Error::UnacceptableHeader("The token type is not accepted");
        assert_eq!(result, Err(wrong_type));
        let verifier = TokenVerifier::new(keyring(), "api-server", "api-server").unwrap();
        let verifier_result = verifier.verify(&feed_tokens().issue(now()).unwrap(), now());
        assert!(
            matches!(verifier_result, Err(Error::UnacceptableHeader(_))),
            "{verifier_result:?}"
        );
    }

    #[test]
    fn a_previous_secret_verifies_and_an_unrelated_secret_does_not() {
        let new_keyring = Keyring::new(Secret::generate().unwrap());
        let old_secret = Secret::new("wJ9vRkq2x8Yt4Lm7Zb1Nc5Hd3Gf6Sa0P").unwrap();
        let server = FeedTokens::new(
            new_keyring.clone().with_previous([old_secret]),
            "api-server",
        )
        .unwrap();
        assert_eq!(
            server.verify(&feed_tokens().issue(now()).unwrap(), now()),
            Ok(())
        );
        let unrelated_server =
            FeedTokens::new(Keyring::new(Secret::generate().unwrap()), "api-server");
        let token = unrelated_server.unwrap().issue(now()).unwrap();
        assert_eq!(server.verify(&token, now()), Err(Error::SignatureMismatch));
    }

    #[test]
    fn a_token_of_a_service_is_accepted_only_if_the_audience_is_configured() {
        let service_keyring = keyring().for_audience("reports").unwrap();
        let service = FeedTokens::new(service_keyring, "api-server").unwrap();
        let token = service.issue(now()).unwrap();
        for (services, expected) in [
            (&["billing", "reports"] as &[_], Ok(())),
            (&["billing"], Err(Error::SignatureMismatch)),
            (&[], Err(Error::SignatureMismatch)),
        ] {
            let server = feed_tokens().with_services(services).unwrap();
            assert_eq!(server.verify(&token, now()), expected, "{services:?}");
        }
        assert!(feed_tokens().with_services([""]).is_err());
    }

    #[test]
    fn a_token_for_another_server_is_rejected() {
        let other_server = FeedTokens::new(keyring(), "other-server").unwrap();
        let token = other_server.issue(now()).unwrap();
        assert_eq!(
            feed_tokens().verify(&token, now()),
            Err(Error::InvalidClaim("aud"))
        );
    }

    #[test]
    fn a_token_with_a_lifetime_above_60_seconds_is_rejected() {
        let payload = br#"{"aud":"api-server","iat":1800000000,"exp":1800000061}"#;
        let token = keyring()
            .signing_key()
            .sign_with_type(super::FEED_TOKEN_TYPE, payload);
        assert_eq!(
            feed_tokens().verify(&token, now()),
            Err(Error::InvalidClaim("exp"))
        );
    }
}
