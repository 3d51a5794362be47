//! Builds the links in mails.

use super::kind::MailKind;

/// Returns the link with this token; `None` for a kind without a token. The token is the fragment, which a browser does
/// not send: so it is in no log of a server or proxy, and in no `Referer` header.
pub(crate) fn link(kind: MailKind, public_url: &str, token: &str) -> Option<String> {
    let origin = public_url.trim_end_matches('/');
    kind.page().map(|page| format!("{origin}{page}#{token}"))
}

#[cfg(test)]
mod tests {
    use super::link;
    use crate::mail::kind::MailKind;

    #[test]
    fn each_kind_with_a_token_has_a_page_of_its_own() {
        let links = MailKind::ALL.map(|kind| link(kind, "https://api.example", "T.x_-1"));
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
        let reset_link = link(MailKind::PasswordReset, "http://127.0.0.1:8080/", "T");
        assert_eq!(reset_link.as_deref(), Some("http://127.0.0.1:8080/reset#T"));
    }

    #[test]
    fn a_kind_has_a_link_exactly_if_it_carries_a_token() {
        for kind in MailKind::ALL {
            assert_eq!(
                link(kind, "https://a.example", "T").is_some(),
                kind.carries_token()
            );
        }
    }
}
