//! Builds the links in mails.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::kind::MailKind;

/// Returns the link with this token; `None` for a kind without a token. The token is the fragment, which a browser does
/// not send, so that no server or proxy can log it with a request, and no `Referer` header has it. The page leads to
/// `callback_url` after the token was used.
pub(crate) fn link(
    kind: MailKind,
    public_url: &str,
    callback_url: Option<&str>,
    token: &str,
) -> Option<String> {
    let (origin, page) = (public_url.trim_end_matches('/'), kind.page()?);
    let query = callback_url.map_or_else(String::new, |url| {
        format!(
            "?callbackURL={}",
            utf8_percent_encode(url, NON_ALPHANUMERIC)
        )
    });
    Some(format!("{origin}{page}{query}#{token}"))
}

#[cfg(test)]
mod tests {
    use super::link;
    use crate::mail::kind::MailKind;

    #[test]
    fn each_kind_with_a_token_has_a_page_of_its_own() {
        let links = MailKind::ALL.map(|kind| link(kind, "https://api.example", None, "T.x_-1"));
        let expected = [
            Some("https://api.example/reset#T.x_-1"),
            Some("https://api.example/verify#T.x_-1"),
            Some("https://api.example/change-email#T.x_-1"),
            Some("https://api.example/delete-account#T.x_-1"),
            None,
            None,
            None,
            Some("https://api.example/undo-email-change#T.x_-1"),
        ];
        assert_eq!(links.each_ref().map(Option::as_deref), expected);
    }

    #[test]
    fn a_final_slash_of_the_public_url_is_not_doubled() {
        let reset_link = link(MailKind::PasswordReset, "http://127.0.0.1:8080/", None, "T");
        assert_eq!(reset_link.as_deref(), Some("http://127.0.0.1:8080/reset#T"));
    }

    #[test]
    fn the_callback_url_is_encoded_in_the_query() {
        let callback_url = Some("https://app.example/done?a=1&b=ü#c");
        let link = link(
            MailKind::EmailVerification,
            "https://api.example",
            callback_url,
            "T",
        );
        let query = "callbackURL=https%3A%2F%2Fapp%2Eexample%2Fdone%3Fa%3D1%26b%3D%C3%BC%23c";
        let expected = format!("https://api.example/verify?{query}#T");
        assert_eq!(link.as_deref(), Some(expected.as_str()));
    }

    #[test]
    fn a_kind_has_a_link_exactly_if_it_carries_a_token() {
        for kind in MailKind::ALL {
            assert_eq!(
                link(kind, "https://a.example", None, "T").is_some(),
                kind.carries_token()
            );
        }
    }
}
