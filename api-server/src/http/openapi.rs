//! The `OpenAPI` document: gathered from the handlers, completed with what all of them share.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{ContentType, LOCATION};
use actix_web::web::ServiceConfig;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::SwaggerUi;

use super::endpoint::Endpoint;
use crate::problem::{MEDIA_TYPE, ProblemBody};
use crate::{accounts, better_auth, health, sessions, tasks};

const ADDRESS: &str = "/api/openapi.json";

static DOCUMENT: LazyLock<String> = LazyLock::new(document);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "api-server",
        description = "Registers people, logs them in and out, and keeps each person's tasks.\n\n\
            Register or log in, take `access_token` from the answer and send it as `Authorization: Bearer …`. \
            Every error is a problem document (RFC 9457) with a stable `code`.\n\n\
            **To try it in the documentation page**: whoever is signed in on [the pages](/) is so here too, by cookie. \
            Otherwise open `POST /api/auth/login` (or `register`), *Try it out*, *Execute*, copy `access_token` from the \
            answer, press *Authorize* and paste it under *bearer*. It is good for 15 minutes, or what the server sets."
    ),
    paths(
        accounts::register::register,
        accounts::login::login,
        accounts::account::show,
        accounts::account::change,
        accounts::delete::delete,
        accounts::change_password::change_password,
        sessions::current::show,
        sessions::refresh::refresh,
        sessions::logout::logout,
        sessions::list::list,
        sessions::list::end,
        sessions::token::exchange,
        better_auth::token::show,
        sessions::ended::list,
        tasks::list::list,
        tasks::create::create,
        tasks::one::show,
        tasks::change::replace,
        tasks::change::change,
        tasks::one::delete,
        tasks::one::toggle,
        health::live,
        health::ready,
        show,
    ),
    components(schemas(ProblemBody, better_auth::BetterAuthError)),
    modifiers(&Shared, &Aliases)
)]
struct Api;

/// The document as text, ending in a line break.
///
/// Falls back to an empty object only if the document cannot be written as JSON, which the tests rule out.
#[must_use]
pub fn document() -> String {
    let mut text = Api::openapi()
        .to_pretty_json()
        .unwrap_or_else(|_| "{}".to_owned());
    text.push('\n');
    text
}

pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at([ADDRESS]).get(show))
        .service(Endpoint::at(["/docs"]).get(docs))
        .service(SwaggerUi::new("/docs/{_:.*}").config(utoipa_swagger_ui::Config::from(ADDRESS)));
}

/// This document.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "health", operation_id = "openapi",
    responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json")),
)]
pub(crate) async fn show() -> HttpResponse {
    HttpResponse::Ok()
        .content_type(ContentType::json())
        .body(DOCUMENT.as_str())
}

/// The page finds its files relative to `/docs/`.
async fn docs() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .json(serde_json::json!({ "location": "/docs/" }))
}

/// The bearer scheme, and a problem as the answer to whatever goes wrong.
struct Shared;

impl Modify for Shared {
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
            let operations = [
                &mut item.get,
                &mut item.post,
                &mut item.put,
                &mut item.patch,
                &mut item.delete,
            ];
            for operation in operations.into_iter().flatten() {
                describe_errors(operation);
                forbid_null_body(operation);
            }
        }
    }
}

fn describe_errors(operation: &mut Operation) {
    let speaks_better_auth = operation.security.as_ref().is_some_and(|security| {
        security.contains(&SecurityRequirement::new("better_auth", [""; 0]))
    });
    let form = if speaks_better_auth {
        ("application/json", "BetterAuthError")
    } else {
        (MEDIA_TYPE, "Problem")
    };
    let responses = &mut operation.responses.responses;
    if operation.security.is_some() {
        let refusal = error(form, "No token, or not a good one");
        responses.insert("401".to_owned(), refusal.into());
    }
    let refusal = error(form, "Any other refusal or fault");
    responses.insert("default".to_owned(), refusal.into());
}

fn error((media_type, schema): (&str, &str), description: &str) -> Response {
    let body = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema)));
    ResponseBuilder::new()
        .description(description)
        .content(media_type, body.build())
        .build()
}

/// An optional body is derived as one that may be `null`; it may only be left out.
fn forbid_null_body(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else {
        return;
    };
    for content in body.content.values_mut() {
        if let RefOr::T(content) = content
            && let Some(RefOr::T(Schema::OneOf(either))) = &mut content.schema
            && let Some(reference @ RefOr::Ref(_)) = either.items.first().cloned()
        {
            content.schema = Some(reference);
        }
    }
}

/// The other names of some addresses.
struct Aliases;

const ALIASES: &[(&str, &str)] = &[
    ("/api/auth/register", "/api/auth/signup"),
    ("/api/{user_id}/tasks", "/api/tasks"),
    ("/api/{user_id}/tasks", "/api/v1/tasks"),
    ("/api/{user_id}/tasks/{task_id}", "/api/tasks/{task_id}"),
    ("/api/{user_id}/tasks/{task_id}", "/api/v1/tasks/{task_id}"),
    (
        "/api/{user_id}/tasks/{task_id}/complete",
        "/api/tasks/{task_id}/complete",
    ),
    (
        "/api/{user_id}/tasks/{task_id}/complete",
        "/api/v1/tasks/{task_id}/complete",
    ),
];

/// `…/toggle` is `…/complete` by another method.
const TOGGLES: &[&str] = &["/api/{user_id}/tasks", "/api/tasks", "/api/v1/tasks"];

impl Modify for Aliases {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let paths = &mut api.paths.paths;
        for (number, (name, alias)) in ALIASES.iter().enumerate() {
            let Some(mut item) = paths.get(*name).cloned() else {
                continue;
            };
            let operations = [
                &mut item.get,
                &mut item.post,
                &mut item.put,
                &mut item.patch,
                &mut item.delete,
            ];
            for operation in operations.into_iter().flatten() {
                rename(operation, &number.to_string());
                if !alias.contains("{user_id}") {
                    forget_user_id(operation);
                }
            }
            paths.insert((*alias).to_owned(), item);
        }
        for (number, base) in TOGGLES.iter().enumerate() {
            let Some(mut item) = paths.get(&format!("{base}/{{task_id}}/complete")).cloned() else {
                continue;
            };
            item.post = item.patch.take();
            if let Some(operation) = &mut item.post {
                rename(operation, &format!("Post{number}"));
            }
            paths.insert(format!("{base}/{{task_id}}/toggle"), item);
        }
    }
}

/// Operation ids are unique.
fn rename(operation: &mut Operation, suffix: &str) {
    if let Some(id) = &mut operation.operation_id {
        id.push_str("Alias");
        id.push_str(suffix);
    }
}

fn forget_user_id(operation: &mut Operation) {
    if let Some(parameters) = &mut operation.parameters {
        parameters.retain(
            |parameter| !matches!(parameter, RefOr::T(parameter) if parameter.name == "user_id"),
        );
    }
}
