//! Builds the page that rejects a URL whose `callbackURL` is not trusted.

use actix_web::http::header::{CONTENT_LANGUAGE, CONTENT_TYPE, VARY};
use actix_web::{HttpResponse, HttpResponseBuilder};

use super::ASSETS_FOLDER;
use crate::http::middleware::PreserveBody;
use crate::mail::language::Language;

struct Texts {
    title: &'static str,
    reason: &'static str,
    remedy: &'static str,
    home: &'static str,
}

const ENGLISH: Texts = Texts {
    title: "This link is not valid",
    reason: "It leads to a site that this server does not know, so it may be forged. Nothing was changed. If the link \
        is from a mail, open it there again, without changing it.",
    remedy: "For the operator: <code>callbackURL</code> must occur once, as a path of this server or as a URL whose \
        origin is in <code>ALLOWED_ORIGINS</code>.",
    home: "To the first page",
};

const GERMAN: Texts = Texts {
    title: "Dieser Link ist ungültig",
    reason: "Er führt zu einer Seite, die dieser Server nicht kennt, und ist vielleicht gefälscht. Es wurde nichts \
        geändert. Wenn der Link aus einer E-Mail ist, öffnen Sie ihn dort noch einmal, unverändert.",
    remedy: "Für den Betreiber: <code>callbackURL</code> muss einmal vorkommen, als Pfad dieses Servers oder als URL, \
        deren Origin in <code>ALLOWED_ORIGINS</code> steht.",
    home: "Zur Startseite",
};

/// Adds the headers and the body to a response. The body contains no text from the request.
pub(super) fn respond(mut response: HttpResponseBuilder, language: Language) -> HttpResponse {
    let mut refusal = response
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_LANGUAGE, language.as_str()))
        .insert_header((VARY, "accept-language"))
        .body(document(language));
    refusal.extensions_mut().insert(PreserveBody(None));
    refusal
}

fn document(language: Language) -> String {
    let texts = match language {
        Language::English => ENGLISH,
        Language::German => GERMAN,
    };
    let Texts {
        title,
        reason,
        remedy,
        home,
    } = texts;
    let tag = language.as_str();
    format!(
        "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
        <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
        <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
        <link rel=\"icon\" href=\"{ASSETS_FOLDER}/icon.svg\" type=\"image/svg+xml\">\n\
        <link rel=\"stylesheet\" href=\"{ASSETS_FOLDER}/style.css\">\n</head>\n<body>\n<main>\n\
        <section class=\"card\">\n<h1>{title}</h1>\n<p class=\"notice\">{reason}</p>\n\
        <p class=\"aside\">{remedy}</p>\n<a class=\"button\" href=\"/\">{home}</a>\n\
        </section>\n</main>\n</body>\n</html>\n"
    )
}
