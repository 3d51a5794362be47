//! Serves the pages from embedded files: one HTML document for all pages, and its assets (scripts, styles and icon).

mod file;
mod refusal;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use url::form_urlencoded;

use file::EmbeddedFile;

use crate::http::language::AcceptedLanguage;
use crate::http::policy::HttpPolicy;
use crate::http::redirect_target::allowed_target;
use crate::origin::Origin;
use crate::problem::Problem;

// `build.rs` generates this file, which defines ASSETS_FOLDER, DOCUMENT and ASSETS.
include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The paths of the pages. They share one document, whose script displays the page of the path.
pub(crate) const PATHS: [&str; 12] = [
    "/",
    "/sign-in",
    "/sign-up",
    "/forgot-password",
    "/reset",
    "/verify",
    "/change-email",
    "/undo-email-change",
    "/delete-account",
    "/tasks",
    "/account",
    "/sessions",
];

/// The Content-Security-Policy of the pages. Forbids inline scripts and styles, content from other origins, forms that
/// the browser submits, frames around a page, and scripts that turn text into HTML or code.
const PAGE_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types 'none'";

/// Allows caches to keep an asset for a year. If any file changes, all assets get new paths, because each path contains
/// a hash of all files.
const CACHE_ONE_YEAR: &str = "public, max-age=31536000, immutable";

/// The name of the route of the assets in the metrics. Unlike the pattern, it is the same in every release.
pub(crate) const ASSET_ROUTE: &str = "/assets/{name}";

/// Returns the route pattern of the assets.
pub(crate) fn asset_pattern() -> String {
    format!("{ASSETS_FOLDER}/{{name}}")
}

/// Returns the HTML document of the pages. Its script sends the browser to the `callbackURL` of the query, so a URL
/// whose `callbackURL` is not trusted gets an error page without scripts.
pub(crate) async fn page(
    request: HttpRequest,
    policy: Data<HttpPolicy>,
    AcceptedLanguage(language): AcceptedLanguage,
) -> HttpResponse {
    if !has_trusted_callback(&policy.trusted_origins, request.query_string()) {
        let mut response = HttpResponse::Forbidden();
        response.insert_header((CONTENT_SECURITY_POLICY, PAGE_CSP));
        return refusal::respond(response, language.unwrap_or_default());
    }
    DOCUMENT
        .respond(&request)
        .insert_header((CONTENT_SECURITY_POLICY, PAGE_CSP))
        .body(DOCUMENT.bytes(&request))
}

/// Returns whether the query has no `callbackURL`, or exactly one that is empty or trusted. The parser of the page's
/// script (`URLSearchParams`) follows the same standard, so both read the same value.
fn has_trusted_callback(trusted_origins: &[Origin], query: &str) -> bool {
    let mut callbacks = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| name == "callbackURL")
        .map(|(_, value)| value);
    match (callbacks.next(), callbacks.next()) {
        (None, _) => true,
        (Some(url), None) => url.is_empty() || allowed_target(trusted_origins, &url).is_some(),
        (Some(_), Some(_)) => false,
    }
}

pub(crate) async fn asset(
    request: HttpRequest,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    let asset = ASSETS.iter().find(|file| file.name == name.as_str());
    let file = asset.ok_or_else(Problem::unknown_path)?;
    Ok(file
        .respond(&request)
        .insert_header((CACHE_CONTROL, CACHE_ONE_YEAR))
        .body(file.bytes(&request)))
}
