//! Declares a URL path with its methods. The response to any other method lists these methods in `Allow`.

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::http::Method;
use actix_web::{FromRequest, Handler, Resource, Responder, Route, guard, web};

use crate::problem::Problem;

/// Builds the routes of a URL path and its aliases.
pub(crate) struct Endpoint {
    patterns: Vec<String>,
    name: String,
    /// The functions that create the routes, once for each pattern.
    routes: Vec<Box<dyn Fn() -> Route>>,
    allow_header: String,
}

impl Endpoint {
    /// Creates an endpoint for URL patterns that are aliases of each other. The first pattern that matches is used. In
    /// the metrics, the first pattern is the name of all, unless [`with_metric_name`](Self::with_metric_name) sets one.
    pub(crate) fn at<const N: usize>(patterns: [&str; N]) -> Self {
        Self {
            patterns: patterns.map(ToOwned::to_owned).to_vec(),
            name: patterns.first().copied().unwrap_or_default().to_owned(),
            routes: Vec::new(),
            allow_header: String::new(),
        }
    }

    /// Sets the name in the metrics.
    pub(crate) fn with_metric_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// Routes `GET` to the handler, and also `HEAD`, a `GET` without a response body (RFC 9110 § 9.3.2).
    pub(crate) fn get<F, Args>(self, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        self.route("GET, HEAD", move || {
            let guard = guard::Any(guard::Get()).or(guard::Head());
            web::route().guard(guard).to(handler.clone())
        })
    }

    /// Routes a method other than `GET` to the handler.
    pub(crate) fn on<F, Args>(self, method: Method, handler: F) -> Self
    where
        F: Handler<Args>,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        let method_name = method.to_string();
        self.route(&method_name, move || {
            web::method(method.clone()).to(handler.clone())
        })
    }

    fn route(mut self, method_names: &str, route: impl Fn() -> Route + 'static) -> Self {
        if !self.allow_header.is_empty() {
            self.allow_header.push_str(", ");
        }
        self.allow_header.push_str(method_names);
        self.routes.push(Box::new(route));
        self
    }
}

impl HttpServiceFactory for Endpoint {
    fn register(self, config: &mut AppService) {
        // One resource for each pattern: a resource with several patterns compiles each of them to a regular
        // expression, twice, and compares a request with all of them.
        for pattern in &self.patterns {
            let allow_header = self.allow_header.clone();
            let resource = web::resource(pattern.as_str()).name(&self.name);
            let routes = self.routes.iter().map(|route| route());
            routes
                .fold(resource, Resource::route)
                .default_service(web::to(move || {
                    let problem = Problem::method_not_allowed(&allow_header);
                    async move { Err::<&str, _>(problem) }
                }))
                .register(config);
        }
    }
}
