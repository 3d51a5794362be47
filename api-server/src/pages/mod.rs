//! Serves the pages from embedded files: one HTML document for all pages, and its assets (scripts, styles and icon).

mod file;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};

use file::File;

use crate::problem::{Code, Problem};

// `build.rs` generates this file, which defines ASSETS_FOLDER, DOCUMENT and ASSETS.
include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The paths of the pages. Every path returns the same document, whose script displays the page.
pub(crate) const PATHS: [&str; 8] = [
    "/",
    "/sign-in",
    "/sign-up",
    "/forgot-password",
    "/reset",
    "/tasks",
    "/account",
    "/sessions",
];

/// Forbids inline scripts and styles, content from other origins, forms that the browser submits, frames around a page,
/// and scripts that turn text into HTML or code.
const PAGE_CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types 'none'";

/// Lets caches keep an asset for a year. If any file changes, all assets get new paths, because each path contains a
/// hash of all files.
const CACHE_ONE_YEAR: &str = "public, max-age=31536000, immutable";

/// Returns the route pattern of the assets.
pub(crate) fn asset_pattern() -> String {
    format!("{ASSETS_FOLDER}/{{name}}")
}

pub(crate) async fn page(request: HttpRequest) -> HttpResponse {
    DOCUMENT
        .respond(&request)
        .insert_header((CONTENT_SECURITY_POLICY, PAGE_CSP))
        .body(DOCUMENT.bytes(&request))
}

pub(crate) async fn asset(
    request: HttpRequest,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    let asset = ASSETS.iter().find(|file| file.name == name.as_str());
    let file = asset.ok_or_else(|| Problem::new(Code::NotFound, "Nothing has this address"))?;
    Ok(file
        .respond(&request)
        .insert_header((CACHE_CONTROL, CACHE_ONE_YEAR))
        .body(file.bytes(&request)))
}
