//! Extracts the language that a browser prefers, for mails and for pages that the server renders.

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::ACCEPT_LANGUAGE;
use actix_web::{FromRequest, HttpRequest};

use crate::mail::language::Language;

/// The language of the header `Accept-Language`; `None` if the header names no [`Language`].
pub(crate) struct AcceptedLanguage(pub(crate) Option<Language>);

impl AcceptedLanguage {
    pub(crate) fn of(request: &HttpRequest) -> Self {
        let header = request.headers().get(ACCEPT_LANGUAGE);
        let text = header.and_then(|header| header.to_str().ok());
        Self(text.and_then(Language::from_accept_language))
    }
}

impl FromRequest for AcceptedLanguage {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}
