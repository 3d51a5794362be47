//! Reads the mails that the servers of a test have written to files.

use std::fs;

use crate::App;

/// A mail in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mail {
    /// The name of the file.
    pub name: String,
    /// The header and the body.
    pub text: String,
}

impl App {
    /// Returns the mails to this address, in the order of [`mails`](Self::mails).
    #[must_use]
    pub fn mails_to(&self, address: &str) -> Vec<Mail> {
        let mails = self.mails().into_iter();
        mails.filter(|mail| mail.header("To") == address).collect()
    }

    /// Returns all mails, the oldest first. Mails of the same second are sorted by their kinds, then by their ids.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        let Ok(entries) = fs::read_dir(self.database().mail_folder()) else {
            return Vec::new();
        };
        let paths = entries.map(|entry| entry.unwrap().path());
        let mut mails: Vec<_> = paths
            .filter(|path| path.extension() == Some("eml".as_ref()))
            .map(|path| Mail {
                name: path.file_name().unwrap().to_string_lossy().into_owned(),
                text: fs::read_to_string(&path).unwrap(),
            })
            .collect();
        mails.sort_by(|first, second| first.name.cmp(&second.name));
        mails
    }
}

impl Mail {
    /// Returns the value of a header field. The field must be on one line.
    #[must_use]
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let lines = self.text.lines().take_while(|line| !line.is_empty());
        let mut fields = lines.filter_map(|line| line.split_once(": "));
        let field = fields.find(|(field_name, _)| *field_name == name);
        field.unwrap_or_else(|| panic!("no {name}: {self:?}")).1
    }

    /// Returns the kind of the mail, which is a part of the name of the file.
    #[must_use]
    pub fn kind(&self) -> &str {
        self.name.split('-').nth(1).unwrap()
    }

    /// Returns the link in the plain text.
    #[must_use]
    #[track_caller]
    pub fn link(&self) -> &str {
        let mut lines = self.text.lines();
        let link = lines.find(|line| line.starts_with("http") && line.contains('#'));
        link.unwrap_or_else(|| panic!("no link: {self:?}"))
    }

    /// Returns the token in the link.
    #[must_use]
    #[track_caller]
    pub fn token(&self) -> &str {
        self.link().split_once('#').unwrap().1
    }

    /// Returns the code: the first line of eight capital letters and digits.
    #[must_use]
    #[track_caller]
    pub fn code(&self) -> &str {
        let is_symbol = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let mut lines = self.text.lines();
        let code = lines.find(|line| line.len() == 8 && line.bytes().all(is_symbol));
        code.unwrap_or_else(|| panic!("no code: {self:?}"))
    }
}
