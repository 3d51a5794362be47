//! The URL of a database, such as `DATABASE_URL`.

use std::fmt;
use std::path::{Path, PathBuf};

use super::postgres::PostgresUrl;

/// Location of the database, which also determines the engine: a SQLite file or a PostgreSQL server.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(pub(super) Location);

#[derive(Clone, PartialEq, Eq)]
pub(super) enum Location {
    /// Path of a SQLite file.
    File(PathBuf),
    Server(PostgresUrl),
}

impl DatabaseUrl {
    /// Parses `sqlite://PATH` (relative, or absolute as `sqlite:///…`) and `postgres://…` or `postgresql://…`.
    ///
    /// # Errors
    ///
    /// The error says what to write instead. It never contains the URL, which may contain a password.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if let Some(path) = text.strip_prefix("sqlite://") {
            return parse_sqlite_path(path).map(|path| Self(Location::File(path)));
        }
        let server_schemes = ["postgres://", "postgresql://"];
        if server_schemes.iter().any(|scheme| text.starts_with(scheme)) {
            return PostgresUrl::parse(text).map(|url| Self(Location::Server(url)));
        }
        Err("use sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE")
    }

    /// Returns the URL of a SQLite file. The path may have characters that [`parse`](Self::parse) rejects.
    pub(crate) fn of_file(path: &Path) -> Self {
        Self(Location::File(path.to_owned()))
    }

    /// Returns the path of the SQLite file with a suffix such as `-wal`; `None` for PostgreSQL.
    pub(crate) fn file_with_suffix(&self, suffix: &str) -> Option<PathBuf> {
        let mut path = self.file()?.as_os_str().to_owned();
        path.push(suffix);
        Some(PathBuf::from(path))
    }

    /// Returns the path of the SQLite file; `None` for PostgreSQL.
    #[must_use]
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Location::File(path) => Some(path),
            Location::Server(_) => None,
        }
    }
}

fn parse_sqlite_path(path: &str) -> Result<PathBuf, &'static str> {
    match path {
        "" => Err("name the file, as in sqlite://data/auth.db"),
        ":memory:" => {
            Err("an in-memory database would be a new one for every connection; name a file")
        }
        _ if path.contains('?') => {
            Err("options after the file name are not supported; leave out the ?")
        }
        _ => Ok(PathBuf::from(path)),
    }
}

/// Prints the URL without user, password and parameters.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Location::File(path) => write!(f, "sqlite://{}", path.display()),
            Location::Server(url) => url.fmt(f),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::DatabaseUrl;

    #[test]
    fn printing_shows_neither_user_nor_password() {
        let url = DatabaseUrl::parse("postgres://ada:hunter2@db.example:5433/auth?sslmode=require");
        assert_eq!(
            format!("{}", url.unwrap()),
            "postgres://db.example:5433/auth"
        );
    }

    #[test]
    fn sqlite_paths_are_relative_or_absolute() {
        for (text, path) in [
            ("sqlite://a/b.db", "a/b.db"),
            ("sqlite:///a/b.db", "/a/b.db"),
        ] {
            assert_eq!(
                DatabaseUrl::parse(text).unwrap().file().unwrap().to_str(),
                Some(path)
            );
        }
    }

    #[test]
    fn other_urls_are_rejected() {
        for text in [
            "",
            "auth.db",
            "sqlite:auth.db",
            "sqlite://",
            "sqlite://:memory:",
            "mysql://x",
            "sqlite://a?mode=ro",
        ] {
            assert!(DatabaseUrl::parse(text).is_err(), "{text}");
        }
    }
}
