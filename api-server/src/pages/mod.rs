//! The pages at `/`, from files that are part of the program: one document for every page, and what it loads.

mod file;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::web::Path;
use actix_web::{HttpRequest, HttpResponse};

use file::File;

use crate::problem::{Code, Problem};

// What `build.rs` wrote: FOLDER, SHELL and ASSETS.
include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The addresses that the document's script knows.
pub(crate) const ADDRESSES: [&str; 6] = [
    "/",
    "/sign-in",
    "/sign-up",
    "/tasks",
    "/account",
    "/sessions",
];

/// Nothing inline, nothing from elsewhere, and no text can become HTML or a script.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types 'none'";

/// The address changes with the content.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// The pattern of the addresses of what the document loads.
pub(crate) fn asset_address() -> String {
    format!("{FOLDER}/{{name}}")
}

pub(crate) async fn page(request: HttpRequest) -> HttpResponse {
    SHELL
        .respond(&request)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .body(SHELL.bytes(&request))
}

pub(crate) async fn asset(
    request: HttpRequest,
    name: Path<String>,
) -> Result<HttpResponse, Problem> {
    let file = ASSETS.iter().find(|file| file.name == name.as_str());
    let file = file.ok_or_else(|| Problem::new(Code::NotFound, "Nothing has this address"))?;
    Ok(file
        .respond(&request)
        .insert_header((CACHE_CONTROL, IMMUTABLE))
        .body(file.bytes(&request)))
}
