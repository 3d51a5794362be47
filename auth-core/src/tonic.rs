//! Implements the guards as interceptors for tonic, and converts refusals to gRPC statuses.

use std::sync::Arc;

use http::HeaderMap;
use tonic::body::Body;
use tonic::metadata::{MetadataMap, MetadataValue};
use tonic::server::NamedService;
use tonic::service::Interceptor;
use tonic::{Code, Request, Status};

use crate::layer::{RefusalBody, RequireCallerService, RequirementService};
use crate::trace::record_refusal;
use crate::{Caller, Refusal, RequireCaller, RequireRole, RequireScope};

/// For local verification only: an interceptor cannot await a remote authority, but [`RequireCaller`] as a layer can.
impl Interceptor for RequireCaller {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let headers: &HeaderMap = request.metadata().as_ref();
        let caller = self.authority().authenticate(headers).into_ready()?;
        request.extensions_mut().insert(caller);
        Ok(request)
    }
}

/// Works only behind [`RequireCaller`], which may be an interceptor or a layer.
impl Interceptor for RequireRole {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        self.check(Caller::of(&request)?)?;
        Ok(request)
    }
}

/// Works only behind [`RequireCaller`], which may be an interceptor or a layer.
impl Interceptor for RequireScope {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        self.check(Caller::of(&request)?)?;
        Ok(request)
    }
}

impl Caller {
    /// Returns the caller of a gRPC request that has passed [`RequireCaller`].
    ///
    /// # Errors
    ///
    /// [`Refusal::internal_error`], which becomes `INTERNAL`, if the service does not use [`RequireCaller`].
    pub fn of<T>(request: &Request<T>) -> Result<&Self, Refusal> {
        let cause = "the service has no auth_core::RequireCaller as its interceptor or layer";
        let caller = request.extensions().get();
        caller.ok_or_else(|| record_refusal(Refusal::internal_error(cause)))
    }
}

impl RefusalBody for Body {
    fn refuse(refusal: Refusal) -> http::Response<Self> {
        Status::from(refusal).into_http()
    }
}

impl<S: NamedService> NamedService for RequireCallerService<S> {
    const NAME: &'static str = S::NAME;
}

impl<S: NamedService> NamedService for RequirementService<S> {
    const NAME: &'static str = S::NAME;
}

/// The code becomes `UNAUTHENTICATED`, `PERMISSION_DENIED`, `INVALID_ARGUMENT`, `UNAVAILABLE` or `INTERNAL`. The
/// details are the problem document, the metadata are the header fields, and the source, for the log, is the refusal.
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
            if let Ok(metadata_value) = MetadataValue::try_from(value) {
                metadata.insert(name, metadata_value);
            }
        }
        let (detail, body) = (refusal.detail().into_owned(), refusal.body());
        let mut status = Self::with_details_and_metadata(code, detail, body.into(), metadata);
        status.set_source(Arc::new(refusal));
        status
    }
}
