//! Records the caller or the refusal of a request in the current span, with the feature `tracing`.

#[cfg(feature = "tracing")]
use crate::PendingVerification;
use crate::{Refusal, Verification};

/// Records `sub` and `sid` of the caller, or the `code` of the refusal, as soon as the verification has a result.
#[cfg(feature = "tracing")]
pub(crate) fn record_verification(verification: Verification) -> Verification {
    match verification {
        Verification::Ready(result) => Verification::Ready(record(result)),
        Verification::Pending(pending) => Verification::Pending(record_pending(pending)),
        // The refusal is only for code that cannot await the result. It is not recorded.
        Verification::PendingRefresh(pending, refusal) => {
            Verification::PendingRefresh(record_pending(pending), refusal)
        }
    }
}

#[cfg(not(feature = "tracing"))]
pub(crate) const fn record_verification(verification: Verification) -> Verification {
    verification
}

/// Records the `code` of a refusal.
#[cfg(feature = "tracing")]
pub(crate) fn record_refusal(refusal: Refusal) -> Refusal {
    tracing::Span::current().record("code", refusal.code());
    refusal
}

#[cfg(not(feature = "tracing"))]
pub(crate) const fn record_refusal(refusal: Refusal) -> Refusal {
    refusal
}

#[cfg(feature = "tracing")]
fn record_pending(pending: PendingVerification) -> PendingVerification {
    Box::pin(async move { record(pending.await) })
}

#[cfg(feature = "tracing")]
fn record(result: Result<crate::Caller, Refusal>) -> Result<crate::Caller, Refusal> {
    if let Ok(caller) = &result {
        let span = tracing::Span::current();
        span.record("sub", caller.sub.as_str());
        if let Some(sid) = &caller.sid {
            span.record("sid", sid.as_str());
        }
    }
    result.map_err(record_refusal)
}
