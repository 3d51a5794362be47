//! Serves the page at `/docs/` that displays the OpenAPI document, and the files of this page.

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use actix_web::HttpResponse;
use actix_web::http::header::{ContentEncoding, LOCATION};
use actix_web::web::{Bytes, Path};
use utoipa_swagger_ui::Config;

use super::DOCUMENT_PATH;
use crate::http::large_response::ChunkedBody;
use crate::problem::Problem;

static CONFIG: LazyLock<Arc<Config<'static>>> =
    LazyLock::new(|| Arc::new(Config::from(DOCUMENT_PATH)));

/// Redirects `/docs` to `/docs/`, because the page loads its files by relative URLs.
pub(crate) async fn redirect() -> HttpResponse {
    HttpResponse::PermanentRedirect()
        .insert_header((LOCATION, "/docs/"))
        .json(serde_json::json!({ "location": "/docs/" }))
}

/// Serves a file of Swagger UI; the page itself if the name is empty.
pub(crate) async fn show(file_name: Path<String>) -> Result<HttpResponse, Problem> {
    let file = utoipa_swagger_ui::serve(&file_name, Arc::clone(&CONFIG))
        .map_err(Problem::internal)?
        .ok_or_else(Problem::unknown_path)?;
    let mut response = HttpResponse::Ok();
    if file.gzpipped {
        response.insert_header(ContentEncoding::Gzip);
    }
    // Embedded bytes are not copied: the largest file has 0.4 MB, and a client may read it slowly.
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    Ok(response
        .content_type(file.content_type)
        .body(ChunkedBody::new(bytes)))
}
