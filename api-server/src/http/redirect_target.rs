//! Checks the URLs to which a page or a response may send the browser: `callbackURL` and similar values of a request.

use url::Url;

use crate::origin::Origin;

/// The longest redirect target, in bytes.
const MAX_TARGET_BYTES: usize = 2048;

/// Returns the redirect target if it is an unambiguous path on this server or URL of a trusted origin. The result is
/// the path or URL as the `url` crate parsed it, in ASCII, because a browser may parse the original text differently.
pub(crate) fn allowed_target(trusted_origins: &[Origin], text: &str) -> Option<String> {
    // The parser would remove line breaks, tabs, and white space around the URL, so they are rejected here.
    if text.chars().any(char::is_control) || text.trim() != text {
        return None;
    }
    let target = path_target(text).or_else(|| absolute_target(trusted_origins, text))?;
    (target.len() <= MAX_TARGET_BYTES).then_some(target)
}

/// Returns whether the URL has one of these origins. Ignores the path.
pub(crate) fn has_trusted_origin(trusted_origins: &[Origin], url: &Url) -> bool {
    let origin = url.origin().ascii_serialization();
    trusted_origins
        .iter()
        .any(|trusted_origin| trusted_origin.as_str() == origin)
}

fn absolute_target(trusted_origins: &[Origin], text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    // The scheme is checked too, because the origin of a `blob:` URL is the http origin of the page that created the
    // URL, and that origin may be trusted.
    let is_http = matches!(url.scheme(), "http" | "https");
    let has_credentials = !url.username().is_empty() || url.password().is_some();
    let is_unambiguous = !has_credentials && !text.contains('\\') && !is_ambiguous(&url);
    (is_http && is_unambiguous && has_trusted_origin(trusted_origins, &url)).then(|| url.into())
}

/// Returns the path in ASCII, with the query and the fragment; `None` if the text is no path, or if a browser or
/// other software could resolve it to another host.
fn path_target(text: &str) -> Option<String> {
    if !text.starts_with('/') || text.starts_with("//") || text.contains('\\') {
        return None;
    }
    let base = Url::parse("http://localhost/").ok()?;
    let url = base.join(text).ok()?;
    let is_local = url.origin() == base.origin() && !is_ambiguous(&url);
    let target = url.as_str().strip_prefix("http://localhost")?;
    is_local.then(|| target.to_owned())
}

/// Returns whether other software could read the path as another host or as the end of a header field.
fn is_ambiguous(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    // The parser turns `/.//host` into `//host`. The escapes of slash, backslash and control characters are harmful if
    // other software decodes the path once more.
    path.starts_with("//")
        || ["%2f", "%5c", "%0", "%1", "%7f"]
            .iter()
            .any(|escape| path.contains(escape))
}

#[cfg(test)]
mod tests {
    use super::{MAX_TARGET_BYTES, allowed_target};
    use crate::origin::Origin;

    fn allowed(text: &str) -> Option<String> {
        let origins = ["https://api.example", "https://app.example:8443"];
        let trusted_origins = origins.map(|origin| Origin::parse(origin).unwrap());
        allowed_target(&trusted_origins, text)
    }

    #[test]
    fn a_path_on_this_server_is_returned_in_ascii() {
        for path in [
            "/",
            "/a/b?c=%2F#d",
            "/a-b_c.d~e",
            "/a?next=//x",
            "/a?b=%0a",
            "/a:b@c",
        ] {
            assert_eq!(allowed(path).as_deref(), Some(path));
        }
        assert_eq!(allowed("/ä b").as_deref(), Some("/%C3%A4%20b"));
        assert_eq!(allowed("/a/../b").as_deref(), Some("/b"));
    }

    #[test]
    fn a_url_of_a_trusted_origin_is_returned_in_ascii() {
        for (text, target) in [
            ("https://api.example", "https://api.example/"),
            (
                "https://app.example:8443/a?b#c",
                "https://app.example:8443/a?b#c",
            ),
            ("HTTPS://API.example:443/ä", "https://api.example/%C3%A4"),
        ] {
            assert_eq!(allowed(text).as_deref(), Some(target));
        }
    }

    #[test]
    fn a_text_that_is_not_an_unambiguous_path_is_rejected() {
        for text in [
            "",
            "a",
            "//evil.example",
            "/\\evil.example",
            "/.//evil.example",
            "/a/..//evil.example",
            "/%2e//evil.example",
            "/%2Fevil.example",
            "/%5cevil.example",
            "/%0d%0aset-cookie:a=b",
            "/%00",
            "/%7F",
            "/a\nb",
            "/a\t",
            " /a",
        ] {
            assert_eq!(allowed(text), None, "{text}");
        }
    }

    #[test]
    fn a_url_elsewhere_or_with_another_scheme_is_rejected() {
        for text in [
            "https://evil.example",
            "http://api.example",
            "https://api.example.evil.example",
            "https://app.example",
            "https://app.example:8444/",
            "https://user@api.example/",
            "https://api.example@evil.example/",
            "https:\\\\api.example",
            "https://api.example//evil.example",
            "javascript:alert(1)",
            "data:text/html,a",
            "blob:https://api.example/a",
        ] {
            assert_eq!(allowed(text), None, "{text}");
        }
    }

    #[test]
    fn a_target_has_at_most_2048_bytes() {
        let longest = format!("/{}", "a".repeat(MAX_TARGET_BYTES - 1));
        assert_eq!(allowed(&longest), Some(longest.clone()));
        assert_eq!(allowed(&format!("{longest}a")), None);
    }
}
