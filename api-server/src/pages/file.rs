//! An embedded file, plain and compressed.

use actix_web::http::header::{
    ACCEPT_ENCODING, AcceptEncoding, CONTENT_ENCODING, CONTENT_TYPE, Encoding, Header as _, VARY,
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

pub(super) struct File {
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) plain: &'static [u8],
    pub(super) gzip: &'static [u8],
}

impl File {
    /// Starts the response; the caller adds the body.
    pub(super) fn respond(&self, request: &HttpRequest) -> HttpResponseBuilder {
        let mut response = HttpResponse::Ok();
        response
            .insert_header((CONTENT_TYPE, self.kind))
            .insert_header((VARY, ACCEPT_ENCODING.as_str()));
        if takes_gzip(request) {
            response.insert_header((CONTENT_ENCODING, "gzip"));
        }
        response
    }

    pub(super) fn bytes(&self, request: &HttpRequest) -> &'static [u8] {
        if takes_gzip(request) {
            self.gzip
        } else {
            self.plain
        }
    }
}

fn takes_gzip(request: &HttpRequest) -> bool {
    request.headers().contains_key(ACCEPT_ENCODING)
        && AcceptEncoding::parse(request).is_ok_and(|accepted| {
            let ours = [Encoding::gzip(), Encoding::identity()];
            accepted.negotiate(ours.iter()) == Some(Encoding::gzip())
        })
}
