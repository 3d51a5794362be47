//! Who decides whether a request may pass.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use crate::credentials::{Credentials, Field, Headers};
use crate::{Caller, Refusal, TokenVerifier};

/// Tells who sent a request from its credentials; locally or by asking somebody.
pub trait Authenticate: Send + Sync + 'static {
    /// Who sent a request with these credentials, or why it may not pass.
    fn authenticate(&self, credentials: &Credentials<'_>) -> Verification;
}

/// A future verdict; of local verification it is there at once, without an allocation.
#[non_exhaustive]
pub enum Verification {
    /// The verdict.
    Ready(Result<Caller, Refusal>),
    /// Somebody has to be asked.
    Pending(Pending),
}

/// A verdict that somebody else has to be asked for.
pub type Pending = Pin<Box<dyn Future<Output = Result<Caller, Refusal>> + Send>>;

impl Verification {
    /// The verdict, where there is no way to wait for one.
    ///
    /// # Errors
    ///
    /// The refusal; [`Refusal::fault`] if somebody would have to be asked.
    pub fn now(self) -> Result<Caller, Refusal> {
        match self {
            Self::Ready(verdict) => verdict,
            Self::Pending(_) => Err(Refusal::fault(
                "this place cannot wait for a remote authority; use a local verifier here",
            )),
        }
    }

    /// Refuses a caller whose id is not each of `ids`, byte for byte.
    pub(crate) fn only_for(self, ids: &Ids<'_>, otherwise: fn() -> Refusal) -> Self {
        match self {
            Self::Ready(Ok(caller)) => {
                let mut is_own = true;
                ids(&mut |id| is_own &= id == caller.sub.as_bytes());
                Self::Ready(if is_own { Ok(caller) } else { Err(otherwise()) })
            }
            Self::Ready(refused) => Self::Ready(refused),
            Self::Pending(pending) => {
                let mut named = Vec::new();
                ids(&mut |id| named.push(id.to_vec()));
                Self::Pending(Box::pin(async move {
                    let caller = pending.await?;
                    let is_own = named.iter().all(|id| id == caller.sub.as_bytes());
                    if is_own { Ok(caller) } else { Err(otherwise()) }
                }))
            }
        }
    }
}

/// Calls its argument with each of some ids.
pub(crate) type Ids<'a> = dyn Fn(&mut dyn FnMut(&[u8])) + 'a;

impl Future for Verification {
    type Output = Result<Caller, Refusal>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Pending(pending) => pending.as_mut().poll(context),
            Self::Ready(verdict) => {
                let spent = Err(Refusal::fault("a verdict was asked for twice"));
                Poll::Ready(std::mem::replace(verdict, spent))
            }
        }
    }
}

/// Whom a service asks about its callers: a [`TokenVerifier`], or anything that can [`Authenticate`]. Clones share it.
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
    /// An authority of one's own.
    pub fn new(authenticate: impl Authenticate) -> Self {
        Self(Arc::new(authenticate))
    }

    /// Who sent a request with this header. One whose `X-User-Id` contradicts the token is refused with 403.
    pub fn admit(&self, headers: &dyn Headers) -> Verification {
        let verification = self.0.authenticate(&Credentials::new(headers));
        let named = |visit: &mut dyn FnMut(&[u8])| headers.each(Field::UserId, &mut |id| visit(id));
        verification.only_for(&named, Refusal::contradicted)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

/// The system's clock, and no cookie.
impl From<TokenVerifier> for Authority {
    fn from(verifier: TokenVerifier) -> Self {
        LocalVerifier::new(verifier).into()
    }
}

impl From<LocalVerifier> for Authority {
    fn from(verifier: LocalVerifier) -> Self {
        Self::new(verifier)
    }
}

/// A [`TokenVerifier`] with a clock, that reads the token from the request. It asks nobody.
#[derive(Clone)]
pub struct LocalVerifier {
    verifier: TokenVerifier,
    clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    cookie: Option<&'static str>,
}

impl LocalVerifier {
    /// By the system's clock, from the `Authorization` header alone.
    #[must_use]
    pub fn new(verifier: TokenVerifier) -> Self {
        Self {
            verifier,
            clock: Arc::new(SystemTime::now),
            cookie: None,
        }
    }

    /// Takes the time from `clock`. Defaults to the system's.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Reads the token from the cookie of this name if there is no `Authorization` header. Defaults to no cookie.
    ///
    /// A browser sends cookies whoever makes it send the request: a service that takes them must itself refuse
    /// state-changing requests of other origins.
    #[must_use]
    pub const fn with_cookie(mut self, name: &'static str) -> Self {
        self.cookie = Some(name);
        self
    }

    fn verify(&self, credentials: &Credentials<'_>) -> Result<Caller, Refusal> {
        let (token, _) = credentials.token(self.cookie)?;
        Ok(self.verifier.verify(token, (self.clock)())?.into())
    }
}

impl fmt::Debug for LocalVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalVerifier")
            .field("verifier", &self.verifier)
            .field("cookie", &self.cookie)
            .finish_non_exhaustive()
    }
}

impl Authenticate for LocalVerifier {
    fn authenticate(&self, credentials: &Credentials<'_>) -> Verification {
        Verification::Ready(self.verify(credentials))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::{Authenticate, Authority, Verification};
    use crate::credentials::{Credentials, Field, Headers};
    use crate::{Caller, Refusal};

    /// Knows everybody as 42, but has to ask.
    struct Remote;

    impl Authenticate for Remote {
        fn authenticate(&self, _: &Credentials<'_>) -> Verification {
            let caller = Caller::new("42".to_owned(), String::new(), String::new(), 0);
            Verification::Pending(Box::pin(async { Ok(caller) }))
        }
    }

    /// A request with these `X-User-Id`.
    struct Named(&'static [&'static str]);

    impl Headers for Named {
        fn each<'a>(&'a self, field: Field, visit: &mut dyn FnMut(&'a [u8])) {
            if field == Field::UserId {
                self.0.iter().for_each(|id| visit(id.as_bytes()));
            }
        }
    }

    fn outcome(verification: Verification) -> Result<String, Refusal> {
        let mut context = Context::from_waker(Waker::noop());
        match pin!(verification).poll(&mut context) {
            Poll::Ready(verdict) => verdict.map(|caller| caller.sub),
            Poll::Pending => panic!("it waits for nobody"),
        }
    }

    #[test]
    fn a_remote_authoritys_caller_may_not_be_contradicted_either() {
        let admit = |named| outcome(Authority::new(Remote).admit(&Named(named)));
        for own in [&[] as &[_], &["42"], &["42", "42"]] {
            assert_eq!(admit(own), Ok("42".to_owned()), "{own:?}");
        }
        for other in [&["43"] as &[_], &["42", "43"], &[""]] {
            assert_eq!(admit(other), Err(Refusal::contradicted()), "{other:?}");
        }
    }

    #[test]
    fn where_nobody_can_wait_a_remote_authority_is_a_fault_and_no_pass() {
        let refusal = Authority::new(Remote).admit(&Named(&[])).now().unwrap_err();
        assert_eq!(refusal.status(), 500);
    }

    #[test]
    fn a_verdict_is_given_once() {
        let caller = Caller::new("42".to_owned(), String::new(), String::new(), 0);
        let mut verification = pin!(Verification::Ready(Ok(caller)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(matches!(
            verification.as_mut().poll(&mut context),
            Poll::Ready(Ok(_))
        ));
        assert!(matches!(
            verification.as_mut().poll(&mut context),
            Poll::Ready(Err(refusal)) if refusal.status() == 500
        ));
    }
}
