//! tonic: an interceptor, what the layer needs, and refusals as gRPC statuses.

use std::sync::Arc;

use http::HeaderMap;
use tonic::body::Body;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::server::NamedService;
use tonic::service::Interceptor;
use tonic::{Code, Request, Status};

use crate::guard::{Guarded, Refusing};
use crate::{Caller, Refusal, RequireCaller};

/// Verifies locally; a remote authority cannot be waited for here, but can where [`RequireCaller`] is a layer.
impl Interceptor for RequireCaller {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let headers: &HeaderMap = request.metadata().as_ref();
        let caller = self.authority().admit(headers).now()?;
        request.extensions_mut().insert(caller);
        Ok(request)
    }
}

impl Caller {
    /// Who sent the gRPC request, once it has passed [`RequireCaller`] (tonic).
    ///
    /// # Errors
    ///
    /// `INTERNAL` if the service has no [`RequireCaller`] before it.
    pub fn of<T>(request: &Request<T>) -> Result<&Self, Refusal> {
        let cause = "the service has no auth_core::RequireCaller as its interceptor";
        let caller = request.extensions().get();
        caller.ok_or_else(|| Refusal::fault(cause))
    }
}

impl Refusing for Body {
    fn refuse(refusal: Refusal) -> http::Response<Self> {
        Status::from(refusal).into_http()
    }
}

impl<S: NamedService> NamedService for Guarded<S> {
    const NAME: &'static str = S::NAME;
}

/// `UNAUTHENTICATED`, `PERMISSION_DENIED`, `UNAVAILABLE` or `INTERNAL`. The details are the problem document, the
/// metadata the header fields; the source, for the log, is the refusal.
impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.status() {
            401 => Code::Unauthenticated,
            403 => Code::PermissionDenied,
            422 => Code::InvalidArgument,
            503 => Code::Unavailable,
            _ => Code::Internal,
        };
        let mut metadata = MetadataMap::new();
        for (name, value) in refusal.headers() {
            if let Ok(value) = MetadataValue::try_from(value) {
                metadata.insert(name, value);
            }
        }
        let (detail, body) = (refusal.detail().into_owned(), refusal.body());
        let mut status = Self::with_details_and_metadata(code, detail, body.into(), metadata);
        status.set_source(Arc::new(refusal));
        status
    }
}
