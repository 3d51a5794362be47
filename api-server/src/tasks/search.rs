//! Searches tasks for a text, ignoring case. The search is the same for both engines and takes time linear in the
//! length of the texts. The engines' own `LIKE` and `strpos` take many times longer on texts chosen by an attacker.

use memchr::memmem::Finder;

use super::task::Task;

/// Searches many tasks for one text.
pub(super) struct Matcher {
    needle: Finder<'static>,
    /// The lower-case form of the text that is searched; kept so that its memory is reused for the next text.
    lowercase: Vec<u8>,
}

impl Matcher {
    pub(super) fn new(text: &str) -> Self {
        let mut lowercase = Vec::new();
        write_lowercase(text, &mut lowercase);
        Self {
            needle: Finder::new(&lowercase).into_owned(),
            lowercase,
        }
    }

    /// Whether the title or the description contains the text.
    pub(super) fn matches(&mut self, task: &Task) -> bool {
        let texts = [Some(&task.title), task.description.as_ref()];
        texts.into_iter().flatten().any(|text| self.is_in(text))
    }

    fn is_in(&mut self, text: &str) -> bool {
        self.lowercase.clear();
        write_lowercase(text, &mut self.lowercase);
        self.needle.find(&self.lowercase).is_some()
    }
}

/// Converts each character on its own, so that a text which contains another still contains it in lower case.
/// `str::to_lowercase` converts Σ at
/// the end of a word to another character than Σ within a word.
fn write_lowercase(text: &str, lowercase: &mut Vec<u8>) {
    lowercase.extend_from_slice(text.as_bytes());
    if text.is_ascii() {
        lowercase.make_ascii_lowercase();
        return;
    }
    lowercase.clear();
    let mut utf8 = [0; 4];
    for character in text.chars().flat_map(char::to_lowercase) {
        lowercase.extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::{Matcher, write_lowercase};

    fn lowercase(text: &str) -> String {
        let mut bytes = Vec::new();
        write_lowercase(text, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn each_character_is_converted_on_its_own() {
        assert_eq!(lowercase("ÉTUDE ΟΔΟΣ"), "étude οδοσ");
        assert_eq!(lowercase("Buy MILK"), "buy milk");
        // The only character whose lower-case form has two characters.
        assert_eq!(lowercase("İ"), "i\u{307}");
    }

    #[test]
    fn a_matcher_searches_many_texts() {
        let mut matcher = Matcher::new("MiLk");
        for (text, found) in [("Buy milk", true), ("Butter", false), ("É MILK", true)] {
            assert_eq!(matcher.is_in(text), found, "{text}");
        }
        assert!(Matcher::new("").is_in(""));
    }
}
