//! Declares a URL path with its methods. The response to any other method lists these methods in `Allow`.

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Resource, Responder, guard, web};

use crate::problem::Problem;

/// Builds the routes of a URL path and its aliases.
pub(crate) struct Endpoint {
    resource: Resource,
    allow_header: String,
}

impl Endpoint {
    /// Creates an endpoint for URL patterns that are aliases of each other. The first pattern that matches is used. In
    /// the metrics, the first pattern is the name of all.
    pub(crate) fn at<const N: usize>(patterns: [&str; N]) -> Self {
        let name = patterns.first().copied().unwrap_or_default();
        Self {
            resource: web::resource(patterns.map(ToOwned::to_owned).to_vec()).name(name),
            allow_header: String::new(),
        }
    }

    /// Sets the name in the metrics.
    pub(crate) fn named(mut self, name: &str) -> Self {
        self.resource = self.resource.name(name);
        self
    }

    /// Routes `GET` to the handler, and also `HEAD`, a `GET` without a response body (RFC 9110 § 9.3.2).
    pub(crate) fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let guard = guard::Any(guard::Get()).or(guard::Head());
        self.route("GET, HEAD", web::route().guard(guard).to(handler))
    }

    /// Routes a method other than `GET` to the handler.
    pub(crate) fn on<F, Args>(self, method: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let method_name = method.to_string();
        self.route(&method_name, web::method(method).to(handler))
    }

    fn route(mut self, method_names: &str, route: actix_web::Route) -> Self {
        if !self.allow_header.is_empty() {
            self.allow_header.push_str(", ");
        }
        self.allow_header.push_str(method_names);
        self.resource = self.resource.route(route);
        self
    }
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        let allow_header = self.allow_header;
        self.resource
            .default_service(web::to(move || {
                let problem = Problem::method_not_allowed(&allow_header);
                async move { Err::<&str, _>(problem) }
            }))
            .register(config);
    }
}
