//! Finding a text in a task, in any case, on both engines alike and in time that is linear in what is read: the
//! `LIKE` and `strpos` of the engines can be made to take a multiple of it by a hostile text.

use memchr::memmem::Finder;

use super::task::Task;

/// Finds one text in many tasks.
pub(super) struct Matcher {
    needle: Finder<'static>,
    /// Kept from text to text for its memory.
    lowered: Vec<u8>,
}

impl Matcher {
    pub(super) fn new(text: &str) -> Self {
        let mut lowered = Vec::new();
        lower(text, &mut lowered);
        Self {
            needle: Finder::new(&lowered).into_owned(),
            lowered,
        }
    }

    /// Whether the title or the description has the text.
    pub(super) fn finds(&mut self, task: &Task) -> bool {
        let texts = [Some(&task.title), task.description.as_ref()];
        texts.into_iter().flatten().any(|text| self.is_in(text))
    }

    fn is_in(&mut self, text: &str) -> bool {
        self.lowered.clear();
        lower(text, &mut self.lowered);
        self.needle.find(&self.lowered).is_some()
    }
}

/// Letter by letter, so that a part of a text stays a part of it: Σ at the end of a whole word becomes another letter
/// than within it.
fn lower(text: &str, lowered: &mut Vec<u8>) {
    lowered.extend_from_slice(text.as_bytes());
    if text.is_ascii() {
        lowered.make_ascii_lowercase();
        return;
    }
    lowered.clear();
    let mut utf8 = [0; 4];
    for letter in text.chars().flat_map(char::to_lowercase) {
        lowered.extend_from_slice(letter.encode_utf8(&mut utf8).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::{Matcher, lower};

    fn lowered(text: &str) -> String {
        let mut bytes = Vec::new();
        lower(text, &mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_part_of_a_text_stays_a_part_of_it() {
        assert_eq!(lowered("ÉTUDE ΟΔΟΣ"), "étude οδοσ");
        assert_eq!(lowered("Buy MILK"), "buy milk");
        // The one letter that grows.
        assert_eq!(lowered("İ"), "i\u{307}");
    }

    #[test]
    fn one_matcher_finds_its_text_again_and_again() {
        let mut matcher = Matcher::new("MiLk");
        for (text, found) in [("Buy milk", true), ("Butter", false), ("É MILK", true)] {
            assert_eq!(matcher.is_in(text), found, "{text}");
        }
        assert!(Matcher::new("").is_in(""));
    }
}
