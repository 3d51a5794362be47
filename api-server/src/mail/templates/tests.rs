//! Tests that every mail says what it must, and that broken templates are named.

use std::fs;
use std::path::Path;

use super::{FILES, MailText, SAMPLE_LINK, TemplateValues, Templates, sample_values};
use crate::mail::kind::MailKind;
use crate::mail::language::Language;

fn render_each(check: impl Fn(Language, MailKind, &MailText)) {
    let templates = Templates::load(None).unwrap();
    for language in Language::ALL {
        for kind in MailKind::ALL {
            let text = templates.render(kind.as_str(), &sample_values(language, kind));
            check(language, kind, &text.unwrap());
        }
    }
}

/// Loads the templates with a folder that contains only the file `name` with this text. The file replaces the built-in
/// template of the same name, if there is one.
fn load_with(name: &str, text: &str) -> Result<Templates, String> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), name, text);
    Templates::load(Some(folder.path()))
}

fn write(folder: &Path, name: &str, text: &str) {
    let file = folder.join(name);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn every_mail_contains_its_link_and_its_code() {
    render_each(|language, kind, text| {
        for content in [&text.plain, &text.html] {
            let context = format!("{language:?} {kind:?}\n{content}");
            assert_eq!(
                content.contains(SAMPLE_LINK),
                kind.carries_token(),
                "{context}"
            );
            assert_eq!(content.contains("ABCD2345"), kind.has_code(), "{context}");
            let names_end = content.contains(" time");
            assert_eq!(
                names_end,
                kind.carries_token(),
                "no end of validity: {context}"
            );
        }
    });
}

#[test]
fn every_mail_names_the_host_and_no_other_address() {
    render_each(|language, kind, text| {
        for content in [&text.subject, &text.plain, &text.html] {
            let context = format!("{language:?} {kind:?}\n{content}");
            assert!(content.contains("host.example"), "{context}");
            let without_link = content.replace(SAMPLE_LINK, "");
            for forbidden in [
                "http", "//", "www.", "<img", "url(", "src=", "<script", "@import",
            ] {
                assert!(!without_link.contains(forbidden), "{forbidden}: {context}");
            }
        }
    });
}

#[test]
fn no_mail_contains_template_syntax_or_a_missing_value() {
    render_each(|language, kind, text| {
        for content in [&text.subject, &text.plain, &text.html] {
            for forbidden in ["{{", "}}", "{%", "%}", "none", "undefined"] {
                let content = content.replace("text-decoration: none", "");
                assert!(
                    !content.contains(forbidden),
                    "{language:?} {kind:?}: {content}"
                );
            }
        }
    });
}

#[test]
fn every_mail_says_what_to_do_if_the_reader_did_not_ask_for_it() {
    render_each(|language, kind, text| {
        let phrase = match language {
            Language::English => "If it was not you, ",
            Language::German => "Wenn Sie das nicht waren, ",
        };
        for content in [&text.plain, &text.html] {
            let single_line = content.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(
                single_line.contains(phrase),
                "{language:?} {kind:?}: {content}"
            );
        }
    });
}

#[test]
fn subjects_are_short_and_differ() {
    let templates = Templates::load(None).unwrap();
    for language in Language::ALL {
        let subjects = MailKind::ALL.map(|kind| {
            let text = templates.render(kind.as_str(), &sample_values(language, kind));
            text.unwrap().subject
        });
        for (index, subject) in subjects.iter().enumerate() {
            assert!(subject.chars().count() <= 70, "{subject}");
            assert!(!subjects[..index].contains(subject), "{subject}");
        }
    }
}

#[test]
fn lines_of_text_fit_on_a_narrow_screen() {
    render_each(|language, kind, text| {
        let mut lines = text.plain.lines();
        let long_line = lines.find(|line| line.chars().count() > 78);
        assert_eq!(long_line, None, "{language:?} {kind:?}");
    });
}

#[test]
fn html_names_its_language_and_its_subject() {
    render_each(|language, _kind, text| {
        let language_attribute = format!("<html lang=\"{}\">", language.as_str());
        assert!(text.html.contains(&language_attribute), "{}", text.html);
        let title = format!("<title>{}</title>", text.subject);
        assert!(text.html.contains(&title), "{}", text.html);
        assert!(text.html.starts_with("<!doctype html>"), "{}", text.html);
    });
}

#[test]
fn each_file_of_a_kind_is_listed_for_both_languages() {
    let names: Vec<_> = FILES.into_iter().flatten().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), 3 + 3 + 6 * MailKind::ALL.len());
    for language in Language::ALL {
        for kind in MailKind::ALL {
            for extension in ["subject", "txt", "html"] {
                let name = format!("{}/{}.{extension}", language.as_str(), kind.as_str());
                assert!(names.contains(&name.as_str()), "{name}");
            }
        }
    }
}

#[test]
fn values_are_escaped_in_html_and_only_there() {
    let templates = Templates::load(None).unwrap();
    let values = TemplateValues {
        host: "<b>&\"'/",
        ..sample_values(Language::English, MailKind::PasswordChanged)
    };
    let text = templates.render("password_changed", &values).unwrap();
    assert!(text.plain.contains("<b>&\"'/"), "{}", text.plain);
    assert!(text.subject.contains("<b>&\"'/"), "{}", text.subject);
    assert!(
        text.html.contains("&lt;b&gt;&amp;&quot;&#39;/"),
        "{}",
        text.html
    );
    assert!(!text.html.contains("<b>"), "{}", text.html);
}

#[test]
fn an_own_file_replaces_only_the_file_of_the_same_name() {
    let own_text = "Neu: {{ link }} {{ code }} {{ expires }} {{ host }}";
    let templates = load_with("de/password_reset.txt", own_text).unwrap();
    let values = sample_values(Language::German, MailKind::PasswordReset);
    let text = templates.render("password_reset", &values).unwrap();
    let expected = format!("Neu: {SAMPLE_LINK} ABCD2345 time host.example");
    assert_eq!(text.plain, expected);
    let built_in = Templates::load(None).unwrap();
    let built_in_text = built_in.render("password_reset", &values).unwrap();
    assert_eq!(text.html, built_in_text.html);
    assert_eq!(text.subject, built_in_text.subject);
}

#[test]
fn an_own_layout_applies_to_every_mail() {
    let layout = "<i>{{ subject }}</i>{% block intro %}{% endblock %}{{ link or '' }}";
    let templates = load_with("layout.html", layout).unwrap();
    for language in Language::ALL {
        let values = sample_values(language, MailKind::EmailChange);
        let text = templates.render("email_change", &values).unwrap();
        assert!(text.html.starts_with("<i>"), "{}", text.html);
        assert!(text.html.contains(SAMPLE_LINK), "{}", text.html);
    }
}

#[test]
fn a_subject_of_several_lines_becomes_one_line() {
    let templates = load_with("en/test.subject", "a\r\nBcc: x@y.example\n\t b\n").unwrap();
    let values = sample_values(Language::English, MailKind::PasswordChanged);
    let text = templates.render("test", &values).unwrap();
    assert_eq!(text.subject, "a Bcc: x@y.example b");
}

#[test]
fn a_broken_template_is_named_with_its_line() {
    for (name, text, problem) in [
        (
            "en/email_change.txt",
            "a\n{{ link",
            "en/email_change.txt, line 2: syntax error",
        ),
        (
            "de/password_changed.html",
            "a\n\n{{ name }}",
            "de/password_changed.html, line 3: undefined",
        ),
        (
            "de/email_changed.txt",
            "{{ link.x }}",
            "de/email_changed.txt, line 1: undefined",
        ),
        (
            "en/base.html",
            "{% extends \"missing.html\" %}",
            "en/base.html, line 1: template not found",
        ),
        (
            "layout.html",
            "{% if link %}",
            "layout.html, line 1: syntax error",
        ),
        (
            "en/test.html",
            "{{ user_name }}",
            "en/test.html, line 1: undefined",
        ),
        (
            "en/email_change.subject",
            " \n",
            "en/email_change.subject: is empty",
        ),
        (
            "en/email_change.txt",
            "{{ code }}",
            "en/email_change.txt: lacks {{ link }}",
        ),
        (
            "de/email_changed.html",
            "x",
            "de/email_changed.html: lacks {{ link }}",
        ),
    ] {
        let error = load_with(name, text).unwrap_err();
        assert!(error.starts_with(problem), "{name}: {error}");
    }
}

#[test]
fn a_file_that_replaces_no_template_is_named() {
    for name in [
        "en/pasword_reset.txt",
        "base.html",
        "de/test.txt",
        "de/layout.html",
    ] {
        let error = load_with(name, "x").unwrap_err();
        assert!(error.starts_with(name), "{error}");
    }
    for name in [
        "README.md",
        "fr/password_reset.txt",
        "en/.password_reset.txt.swp",
    ] {
        load_with(name, "{{").unwrap();
    }
}

#[test]
fn a_folder_or_a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let error = Templates::load(Some(&missing)).unwrap_err();
    assert!(error.contains("missing"), "{error}");
    fs::create_dir_all(folder.path().join("en")).unwrap();
    fs::write(folder.path().join("en/test.txt"), b"\xff\xfe").unwrap();
    let error = Templates::load(Some(folder.path())).unwrap_err();
    assert!(error.contains("en/test.txt"), "{error}");
}
