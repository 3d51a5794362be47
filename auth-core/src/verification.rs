//! Defines the result of authenticating a request, known at once or pending.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::{Caller, Refusal, trace};

/// The result of authenticating a request, as a future. The result of local verification is ready at once, without a
/// boxed future, unless keys must be requested.
#[non_exhaustive]
pub enum Verification {
    /// The result is known.
    Ready(Result<Caller, Refusal>),
    /// The result is not known yet: a remote authority determines the result.
    Pending(PendingVerification),
    /// The result is not known yet, because the keys of the issuer are being requested. Code that cannot await the
    /// result uses the refusal.
    PendingRefresh(PendingVerification, Refusal),
}

/// A verification that waits for a remote authority or for the keys of an issuer.
pub type PendingVerification = Pin<Box<dyn Future<Output = Result<Caller, Refusal>> + Send>>;

impl Verification {
    /// Refuses the request, and records the refusal.
    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self::Ready(Err(trace::record_refusal(refusal)))
    }

    /// Returns the result, for code that cannot await a future.
    ///
    /// # Errors
    ///
    /// The refusal of the request; [`Refusal::internal_error`] if only a remote authority knows the result.
    pub fn into_ready(self) -> Result<Caller, Refusal> {
        match self {
            Self::Ready(result) => result,
            Self::PendingRefresh(_, refusal) => Err(trace::record_refusal(refusal)),
            Self::Pending(_) => Err(trace::record_refusal(Refusal::internal_error(
                "a remote authority cannot be awaited here; use a local verifier",
            ))),
        }
    }

    /// Refuses a caller unless every visited id equals the caller's id, byte for byte.
    pub(crate) fn require_ids(self, visit_ids: &VisitIds<'_>, refuse: fn() -> Refusal) -> Self {
        match self {
            Self::Ready(Ok(caller)) => {
                let mut all_match = true;
                visit_ids(&mut |id| all_match &= id == caller.sub.as_bytes());
                if all_match {
                    Self::Ready(Ok(caller))
                } else {
                    Self::refused(refuse())
                }
            }
            Self::Ready(result) => Self::Ready(result),
            Self::Pending(pending) => Self::Pending(require_ids(pending, visit_ids, refuse)),
            Self::PendingRefresh(pending, refusal) => {
                Self::PendingRefresh(require_ids(pending, visit_ids, refuse), refusal)
            }
        }
    }
}

fn require_ids(
    pending: PendingVerification,
    visit_ids: &VisitIds<'_>,
    refuse: fn() -> Refusal,
) -> PendingVerification {
    let mut required_ids = Vec::new();
    visit_ids(&mut |id| required_ids.push(id.to_vec()));
    Box::pin(async move {
        let caller = pending.await?;
        let all_match = required_ids.iter().all(|id| id == caller.sub.as_bytes());
        if all_match {
            Ok(caller)
        } else {
            Err(trace::record_refusal(refuse()))
        }
    })
}

/// A function that calls its argument with each of several user ids.
pub(crate) type VisitIds<'a> = dyn Fn(&mut dyn FnMut(&[u8])) + 'a;

impl Future for Verification {
    type Output = Result<Caller, Refusal>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Pending(pending) | Self::PendingRefresh(pending, _) => {
                pending.as_mut().poll(context)
            }
            Self::Ready(result) => {
                let later_result = Err(Refusal::internal_error("a verification was polled twice"));
                Poll::Ready(std::mem::replace(result, later_result))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::Verification;
    use crate::Caller;

    #[test]
    fn a_result_is_returned_once() {
        let caller = Caller::new("42".to_owned(), 0);
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
