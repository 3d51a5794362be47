//! Searches tasks for a text, ignoring case. The server searches, not the database: so the search finds the same tasks
//! with SQLite and with PostgreSQL, and takes time linear in the length of the texts. A search in SQL, such as with
//! `LIKE`, takes many times longer on texts chosen by an attacker.

use memchr::memmem::Finder;

use super::task::Task;

/// Searches many tasks for one text.
pub(super) struct Matcher {
    needle: Finder<'static>,
    /// The lower-case form of the text that was searched last. The next text reuses the memory.
    lowercase_text: Vec<u8>,
}

impl Matcher {
    pub(super) fn new(text: &str) -> Self {
        let mut lowercase_text = Vec::new();
        write_lowercase(text, &mut lowercase_text);
        Self {
            needle: Finder::new(&lowercase_text).into_owned(),
            lowercase_text,
        }
    }

    /// Returns whether the title or the description of the task contains the searched text.
    pub(super) fn matches(&mut self, task: &Task) -> bool {
        let texts = [Some(&task.title), task.description.as_ref()];
        texts.into_iter().flatten().any(|text| self.is_match(text))
    }

    fn is_match(&mut self, text: &str) -> bool {
        self.lowercase_text.clear();
        write_lowercase(text, &mut self.lowercase_text);
        self.needle.find(&self.lowercase_text).is_some()
    }
}

/// Writes the lower-case form of each character separately to `output`, which must be empty. `str::to_lowercase` would
/// convert Σ at the end of a word to another character than Σ within a word, so that a search for the beginning of a
/// word could fail.
fn write_lowercase(text: &str, output: &mut Vec<u8>) {
    output.extend_from_slice(text.as_bytes());
    if text.is_ascii() {
        output.make_ascii_lowercase();
        return;
    }
    output.clear();
    let mut utf8 = [0; 4];
    for character in text.chars().flat_map(char::to_lowercase) {
        output.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::{Matcher, write_lowercase};

    fn to_lowercase(text: &str) -> String {
        let mut bytes = Vec::new();
        write_lowercase(text, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn each_character_is_converted_separately() {
        assert_eq!(to_lowercase("ÉTUDE ΟΔΟΣ"), "étude οδοσ");
        assert_eq!(to_lowercase("Buy MILK"), "buy milk");
        // The only character whose lower-case form has two characters.
        assert_eq!(to_lowercase("İ"), "i\u{307}");
    }

    #[test]
    fn a_matcher_searches_many_texts() {
        let mut matcher = Matcher::new("MiLk");
        for (text, expected) in [("Buy milk", true), ("Butter", false), ("É MILK", true)] {
            assert_eq!(matcher.is_match(text), expected, "{text}");
        }
        assert!(Matcher::new("").is_match(""));
    }
}
