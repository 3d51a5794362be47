//! Builds the OpenAPI document from the declarations of the handlers, and adds the parts that all operations share.

mod aliases;
pub(crate) mod page;

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::Bytes;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{Modify, OpenApi};

use crate::better_auth::api_error::BetterAuthError;
use crate::http::large_response::ChunkedBody;
use crate::problem::{MEDIA_TYPE, ProblemBody};
use crate::{auth, better_auth, health, tasks, well_known};
use aliases::Aliases;

const DOCUMENT_PATH: &str = "/api/openapi.json";

static DOCUMENT: LazyLock<String> = LazyLock::new(document);

/// The introduction of the document, the operation of this module, and the schemas of errors.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "api-server",
        description = "Registers users, logs them in and out, and stores the tasks of each user.\n\n\
            Register or log in, take `access_token` from the response and send it as `Authorization: Bearer …`. \
            Every error is a problem document (RFC 9457) with a stable `code`.\n\n\
            **To try it in the documentation page**: if you are signed in on [the pages](/), you are signed in here \
            too, by cookie. Otherwise open `POST /api/auth/login` (or `register`), *Try it out*, *Execute*, copy \
            `access_token` from the response, press *Authorize* and paste it under *bearer*. It is valid for 15 \
            minutes, unless the server is configured otherwise."
    ),
    paths(show),
    components(schemas(ProblemBody, BetterAuthError))
)]
struct Api;

/// Returns the document as JSON that ends in a line break.
///
/// Returns `{}` if the document cannot be serialized. A test checks that this does not happen.
#[must_use]
pub(crate) fn document() -> String {
    let mut api = Api::openapi();
    let declarations = [
        auth::Api::openapi(),
        better_auth::Api::openapi(),
        tasks::Api::openapi(),
        well_known::Api::openapi(),
        health::Api::openapi(),
    ];
    for declaration in declarations {
        api.merge(declaration);
    }
    SharedParts.modify(&mut api);
    Aliases.modify(&mut api);
    let mut text = api.to_pretty_json().unwrap_or_else(|_| "{}".to_owned());
    text.push('\n');
    text
}

/// This document.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "health", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")),
)]
pub(crate) async fn show() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(ChunkedBody::new(Bytes::from_static(DOCUMENT.as_bytes())))
}

/// Adds the security schemes and the error responses of every operation, and removes `null` from the request bodies.
struct SharedParts;

impl Modify for SharedParts {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        if let Some(components) = &mut api.components {
            let mut bearer = Http::new(HttpAuthScheme::Bearer);
            bearer.bearer_format = Some("JWT".to_owned());
            components.add_security_scheme("bearer", SecurityScheme::Http(bearer.clone()));
            bearer.description =
                Some("A token of type revocations+jwt, as auth-core makes it".to_owned());
            components.add_security_scheme("revocations", SecurityScheme::Http(bearer.clone()));
            bearer.bearer_format = None;
            bearer.description =
                Some("The session token of a client of Better Auth, or its cookie".to_owned());
            components.add_security_scheme("better_auth", SecurityScheme::Http(bearer));
        }
        for item in api.paths.paths.values_mut() {
            for operation in operations(item) {
                add_error_responses(operation);
                forbid_null_body(operation);
            }
        }
    }
}

/// Returns the operations of a path, for all methods that handlers declare.
fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let optional_operations = [
        &mut item.get,
        &mut item.post,
        &mut item.put,
        &mut item.patch,
        &mut item.delete,
    ];
    optional_operations.into_iter().flatten()
}

/// The media type and the schema of an error response.
#[derive(Clone, Copy)]
struct ErrorFormat {
    media_type: &'static str,
    schema: &'static str,
}

fn add_error_responses(operation: &mut Operation) {
    let is_better_auth = operation.security.as_ref().is_some_and(|security| {
        security.contains(&SecurityRequirement::new("better_auth", [""; 0]))
    });
    let format = if is_better_auth {
        ErrorFormat {
            media_type: "application/json",
            schema: "BetterAuthError",
        }
    } else {
        ErrorFormat {
            media_type: MEDIA_TYPE,
            schema: "Problem",
        }
    };
    let responses = &mut operation.responses.responses;
    if operation.security.is_some() {
        let unauthorized_response = error_response(format, "No token, or not a good one");
        responses.insert("401".to_owned(), unauthorized_response.into());
    }
    let default_response = error_response(format, "Any other refusal or fault");
    responses.insert("default".to_owned(), default_response.into());
}

fn error_response(format: ErrorFormat, description: &str) -> Response {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name(format.schema)));
    ResponseBuilder::new()
        .description(description)
        .content(format.media_type, body.build())
        .build()
}

/// Removes `null` from the schema of an optional body. The macro of utoipa allows `null`, but the handlers do not.
fn forbid_null_body(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else {
        return;
    };
    for content_or_ref in body.content.values_mut() {
        if let RefOr::T(content) = content_or_ref
            && let Some(RefOr::T(Schema::OneOf(one_of))) = &mut content.schema
            && let Some(reference @ RefOr::Ref(_)) = one_of.items.first().cloned()
        {
            content.schema = Some(reference);
        }
    }
}
