//! Reads and searches lists of passwords that may not be set: a built-in list and a list of the operator.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use auth_core::password::Password;

/// The common passwords of acceptable length, in lower case and Unicode form NFKC, sorted by bytes. `blocklist/LICENSE`
/// names the source.
const COMMON_PASSWORDS: &str = include_str!("blocklist/common-passwords.txt");
/// The largest size of the file of a list, in bytes: about five million passwords of 12 characters. The limit bounds
/// the memory in which the list is kept.
const MAX_BYTES: u64 = 64 << 20;

/// A list of passwords; a search ignores case.
#[derive(Clone, Default)]
pub struct Blocklist {
    /// Sorted lines, each with its line break. The search reads this text directly, so the built-in list needs no heap.
    lines: Cow<'static, str>,
}

impl Blocklist {
    /// Returns the built-in list of common passwords.
    #[must_use]
    pub const fn common() -> Self {
        Self {
            lines: Cow::Borrowed(COMMON_PASSWORDS),
        }
    }

    /// Reads a list with one password per line. Ignores lines that cannot be a password.
    ///
    /// # Errors
    ///
    /// Fails with a text that names the file, the reason and, if a line is not UTF-8, the number of that line.
    pub fn read(file: &Path) -> Result<Self, String> {
        let path = file.display();
        let bytes = read_bounded(file).map_err(|error| format!("cannot read {path}: {error}"))?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_BYTES {
            return Err(format!("{path} is larger than 64 MiB; use a shorter list"));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let valid_bytes = error
                .as_bytes()
                .iter()
                .take(error.utf8_error().valid_up_to());
            let line_number = valid_bytes.filter(|byte| **byte == b'\n').count() + 1;
            format!("{path}, line {line_number}: is not UTF-8; convert the file")
        })?;
        Ok(Self::parse(&text))
    }

    fn parse(text: &str) -> Self {
        let content = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut passwords: Vec<_> = content.lines().filter_map(comparison_form).collect();
        passwords.sort_unstable();
        passwords.dedup();
        let mut lines =
            String::with_capacity(passwords.iter().map(|password| password.len() + 1).sum());
        for password in passwords {
            lines.extend([&password, "\n"]);
        }
        Self {
            lines: Cow::Owned(lines),
        }
    }

    /// Returns the number of passwords.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.lines().count()
    }

    /// Returns whether the list has no passwords.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Returns whether the password is on the list, ignoring case.
    #[must_use]
    pub fn contains(&self, password: &Password) -> bool {
        contains(&self.lines, &password.expose().to_lowercase())
    }
}

/// Shows only the number of passwords: a list may come from a breach.
impl fmt::Debug for Blocklist {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blocklist({} passwords)", self.len())
    }
}

/// Reads at most one byte more than [`MAX_BYTES`]: the extra byte shows that the file is too large.
fn read_bounded(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?
        .take(MAX_BYTES + 1)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Converts a line to the form in which passwords are compared. Returns `None` if the line cannot be a password.
fn comparison_form(line: &str) -> Option<String> {
    Some(Password::new(line).ok()?.expose().to_lowercase())
}

/// Searches sorted lines by binary search over the bytes. Each step moves back to the start of a line.
fn contains(lines: &str, password: &str) -> bool {
    let mut rest = lines.as_bytes();
    while !rest.is_empty() {
        let (first_half, _) = rest.split_at(rest.len() / 2);
        let line_start = first_half
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |line_break| line_break + 1);
        let (lines_before, from_line) = rest.split_at(line_start);
        let line = from_line
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        match password.as_bytes().cmp(line) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => rest = lines_before,
            std::cmp::Ordering::Greater => {
                rest = from_line.get(line.len() + 1..).unwrap_or_default();
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::{Blocklist, COMMON_PASSWORDS, contains};
    use auth_core::password::Password;

    fn is_common(text: &str) -> bool {
        Blocklist::common().contains(&Password::new(text).unwrap())
    }

    #[test]
    fn every_line_of_the_built_in_list_is_found_and_could_be_a_password() {
        for line in COMMON_PASSWORDS.lines() {
            assert!(is_common(line), "{line}");
        }
        assert!(Blocklist::common().len() > 8000);
    }

    #[test]
    fn the_built_in_list_is_sorted_without_duplicates() {
        let lines: Vec<_> = COMMON_PASSWORDS.lines().collect();
        assert!(lines.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(COMMON_PASSWORDS.ends_with('\n'));
    }

    #[test]
    fn a_text_that_is_not_on_the_list_is_not_found() {
        for text in [
            "",
            "0",
            "\n",
            "zzzzzzzzzzzz~",
            "passwor",
            "password\n",
            "correct horse",
        ] {
            assert!(!contains(COMMON_PASSWORDS, text), "{text:?}");
        }
        assert!(!contains("", "password"));
        assert!(contains("password\n", "password"));
    }

    #[test]
    fn case_and_character_width_are_ignored() {
        for text in [
            "password",
            "PassWord",
            "ｐａｓｓｗｏｒｄ",
            "12345678",
            "１２３４５６７８",
        ] {
            assert!(is_common(text), "{text}");
        }
        assert!(!is_common("pässword"));
    }

    #[test]
    fn a_list_may_have_any_order_and_line_breaks_of_unix_and_windows() {
        let list = Blocklist::parse(
            "\u{feff}Zebra stripes\r\n\nshort\nZEBRA STRIPES\nälter als du\nlast line",
        );
        assert_eq!(list.len(), 3);
        for text in ["zebra stripes", "Älter als du", "last line"] {
            assert!(list.contains(&Password::new(text).unwrap()), "{text}");
        }
        assert!(Blocklist::parse("").is_empty());
    }

    #[test]
    fn the_error_for_an_invalid_list_names_the_file_and_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("list.txt");
        let read_error = |file| Blocklist::read(file).unwrap_err();
        assert!(read_error(&file).contains("list.txt"));
        std::fs::write(&file, b"fine password\nb\xe4d password\n").unwrap();
        assert!(read_error(&file).contains("list.txt, line 2"));
        std::fs::File::create(&file)
            .unwrap()
            .set_len((64 << 20) + 1)
            .unwrap();
        assert!(read_error(&file).contains("64 MiB"));
    }
}
