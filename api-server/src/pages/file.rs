//! Defines a file that is embedded in the program, both uncompressed and compressed.

use actix_web::http::header::{
    ACCEPT_ENCODING, AcceptEncoding, CONTENT_ENCODING, CONTENT_TYPE, Encoding, Header as _, VARY,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

pub(super) struct EmbeddedFile {
    pub(super) name: &'static str,
    pub(super) content_type: &'static str,
    pub(super) plain_bytes: &'static [u8],
    pub(super) gzip_bytes: &'static [u8],
}

impl EmbeddedFile {
    /// Creates a response without a body. The caller adds the body, which [`bytes`](Self::bytes) returns.
    pub(super) fn respond(&self, request: &HttpRequest) -> HttpResponseBuilder {
        let mut response = HttpResponse::Ok();
        response
            .insert_header((CONTENT_TYPE, self.content_type))
            .insert_header((VARY, ACCEPT_ENCODING.as_str()));
        if accepts_gzip(request) {
            response.insert_header((CONTENT_ENCODING, "gzip"));
        }
        response
    }

    /// Returns the body in the encoding that [`respond`](Self::respond) declares.
    pub(super) fn bytes(&self, request: &HttpRequest) -> &'static [u8] {
        if accepts_gzip(request) {
            self.gzip_bytes
        } else {
            self.plain_bytes
        }
    }
}

fn accepts_gzip(request: &HttpRequest) -> bool {
    request.headers().contains_key(ACCEPT_ENCODING)
        && AcceptEncoding::parse(request).is_ok_and(|accept_encoding| {
            let encodings = [Encoding::gzip(), Encoding::identity()];
            accept_encoding.negotiate(encodings.iter()) == Some(Encoding::gzip())
        })
}
