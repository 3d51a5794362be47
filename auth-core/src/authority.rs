//! Defines the authority that identifies the caller of a request.

use std::fmt;
use std::sync::Arc;

use crate::credentials::{Credentials, Field, Headers};
use crate::{Refusal, Verification, trace};

/// Identifies the caller of a request by the request's credentials, locally or by asking a remote authority.
pub trait Authenticate: Send + Sync + 'static {
    /// Returns the caller who sent these credentials, or the refusal to respond with.
    fn authenticate(&self, credentials: &Credentials<'_>) -> Verification;
}

/// The authority that identifies the callers of a service: a [`TokenVerifier`](crate::TokenVerifier),
/// [several](crate::Issuers), or any implementation of [`Authenticate`]. Clones share one implementation.
///
/// ```
/// use auth_core::{Authority, Keyring, Secret, TokenVerifier};
///
/// let verifier = TokenVerifier::new(Keyring::new(Secret::generate()?), "api-server", "api")?;
/// let authority = Authority::from(verifier);
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Authority(Arc<dyn Authenticate>);

impl Authority {
    /// Wraps an implementation of [`Authenticate`].
    pub fn new(implementation: impl Authenticate) -> Self {
        Self(Arc::new(implementation))
    }

    /// Identifies the caller by the request's header fields. Refuses the caller with a 403 if the request has an
    /// `X-User-Id` field that is not the caller's id.
    pub fn authenticate(&self, headers: &dyn Headers) -> Verification {
        let verification =
            trace::record_verification(self.0.authenticate(&Credentials::new(headers)));
        let visit_user_ids = |visit: &mut dyn FnMut(&[u8])| {
            headers.for_each_value(Field::UserId, &mut |id| visit(id));
        };
        verification.require_ids(&visit_user_ids, Refusal::user_id_mismatch)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::{Authenticate, Authority, Verification};
    use crate::credentials::{Credentials, Field, Headers};
    use crate::{Caller, Refusal};

    /// Identifies every caller as user 42. The result is [`Verification::Pending`], as if a server had to be asked.
    struct RemoteAuthority;

    impl Authenticate for RemoteAuthority {
        fn authenticate(&self, _: &Credentials<'_>) -> Verification {
            let caller = Caller::new("42".to_owned(), 0);
            Verification::Pending(Box::pin(async { Ok(caller) }))
        }
    }

    /// A request with these values of `X-User-Id`.
    struct UserIdRequest(&'static [&'static str]);

    impl Headers for UserIdRequest {
        fn for_each_value<'a>(&'a self, field: Field, visit: &mut dyn FnMut(&'a [u8])) {
            if field == Field::UserId {
                self.0.iter().for_each(|id| visit(id.as_bytes()));
            }
        }
    }

    /// Polls the verification once. Returns the caller's id or the refusal.
    fn poll_user_id(verification: Verification) -> Result<String, Refusal> {
        let mut context = Context::from_waker(Waker::noop());
        match pin!(verification).poll(&mut context) {
            Poll::Ready(result) => result.map(|caller| caller.sub),
            Poll::Pending => panic!("the future is ready at once"),
        }
    }

    #[test]
    fn x_user_id_must_match_the_caller_of_a_remote_authority_too() {
        let authenticate =
            |ids| poll_user_id(Authority::new(RemoteAuthority).authenticate(&UserIdRequest(ids)));
        for matching_ids in [&[] as &[_], &["42"], &["42", "42"]] {
            assert_eq!(
                authenticate(matching_ids),
                Ok("42".to_owned()),
                "{matching_ids:?}"
            );
        }
        for mismatched_ids in [&["43"] as &[_], &["42", "43"], &[""]] {
            assert_eq!(
                authenticate(mismatched_ids),
                Err(Refusal::user_id_mismatch()),
                "{mismatched_ids:?}"
            );
        }
    }

    #[test]
    fn a_pending_result_is_a_500_for_code_that_cannot_await() {
        let verification = Authority::new(RemoteAuthority).authenticate(&UserIdRequest(&[]));
        assert_eq!(verification.into_ready().unwrap_err().status(), 500);
    }
}
