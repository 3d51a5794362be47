//! Reads a whole database, also one of other software, without changing it. Its tables are named at run time, and no
//! cell is assumed to have the right type or a sensible size.

use std::fmt;

use diesel::deserialize::QueryableByName;
use diesel::sql_types::{Binary, Nullable};

use super::dialect;
use super::dialect::{DbConnection, EngineSql};
use super::url::DatabaseUrl;

/// The most that a name may have: PostgreSQL keeps 63 bytes.
const MAX_NAME_BYTES: usize = 63;
/// Enough for every way to write a time, a number or a truth value.
pub(crate) const SHORT_TEXT_BYTES: usize = 64;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The name of a table, perhaps with its schema, that can stand in a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table(String);

impl Table {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<_> = text.split('.').collect();
        if parts.len() > 2 || !parts.iter().all(|part| is_name(part)) {
            return Err(
                "use the name of a table, or SCHEMA.TABLE, of letters, digits, _, $ and -"
                    .to_owned(),
            );
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn quoted(&self) -> String {
        let parts = self.0.split('.').map(|part| format!("\"{part}\""));
        parts.collect::<Vec<_>>().join(".")
    }
}

fn is_name(text: &str) -> bool {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "_$-".contains(c);
    !text.is_empty() && text.len() <= MAX_NAME_BYTES && text.chars().all(is_letter)
}

/// Why a cell cannot be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CellError {
    TooLong,
    NotText,
}

impl fmt::Display for CellError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "is too long",
            Self::NotText => "is not text in UTF-8",
        })
    }
}

type Bytes = Option<Vec<u8>>;

#[derive(QueryableByName)]
struct Pair {
    #[diesel(sql_type = Nullable<Binary>)]
    c0: Bytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c1: Bytes,
}

#[derive(QueryableByName)]
struct Cells {
    #[diesel(sql_type = Nullable<Binary>)]
    c0: Bytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c1: Bytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c2: Bytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c3: Bytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c4: Bytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c5: Bytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c6: Bytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c7: Bytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c8: Bytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c9: Bytes,
}

/// As many expressions as [`Cells`] has columns.
pub(crate) const WIDTH: usize = 10;

/// One row, its columns as the expressions that [`Reader::for_each`] was given.
pub(crate) struct TextRow([Bytes; WIDTH]);

impl TextRow {
    /// `None` for NULL.
    pub(crate) fn text(&self, column: usize) -> Result<Option<String>, CellError> {
        let Some(Some(bytes)) = self.0.get(column) else {
            return Ok(None);
        };
        match bytes.split_first() {
            Some((b'=', text)) => match str::from_utf8(text) {
                Ok(text) => Ok(Some(text.to_owned())),
                Err(_not_utf8) => Err(CellError::NotText),
            },
            _ => Err(CellError::TooLong),
        }
    }
}

/// A column and what it was declared to be.
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: String,
}

/// A database that is only read, in one state of it.
pub(crate) struct Reader {
    connection: DbConnection,
    sql: &'static EngineSql,
}

impl Reader {
    /// Connects, and makes sure that the database can be read at all.
    pub(crate) fn open(url: &DatabaseUrl) -> Result<Self, BoxError> {
        if let Some(file) = url.file()
            && !file.is_file()
        {
            return Err(format!("there is no file {}", file.display()).into());
        }
        let connection = dialect::connect_to_read(url)?;
        let sql = dialect::engine_sql(&connection);
        let mut reader = Self { connection, sql };
        let mut health = Vec::new();
        reader.pairs(sql.health, |line, _| health.push(line))?;
        match health.as_slice() {
            [line] if line == "ok" => Ok(reader),
            [line] if line.contains('\0') => {
                Err("the database is in UTF-16; copy it into one in UTF-8: \
                sqlite3 OLD .dump | sqlite3 NEW"
                    .into())
            }
            broken => Err(format!("the database is damaged: {}", broken.join("; ")).into()),
        }
    }

    /// None if there is no such table.
    pub(crate) fn columns(&mut self, table: &Table) -> Result<Vec<Column>, BoxError> {
        let query = self.sql.columns.replace("{}", &table.quoted());
        let mut columns = Vec::new();
        self.pairs(&query, |name, kind| columns.push(Column { name, kind }))?;
        Ok(columns)
    }

    fn pairs(&mut self, query: &str, mut each: impl FnMut(String, String)) -> Result<(), BoxError> {
        let text = |bytes: Bytes| String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        dialect::for_each(&mut self.connection, query, |pair: Pair| {
            each(text(pair.c0), text(pair.c1));
            Ok::<_, BoxError>(())
        })
    }

    /// The expression as text that is no longer than `max` bytes or is found to be too long: a hostile row costs no more
    /// memory than a good one.
    pub(crate) fn text(expression: &str, max: usize) -> String {
        format!(
            "CASE WHEN octet_length(CAST({expression} AS text)) > {max} THEN '!' \
             ELSE '=' || CAST({expression} AS text) END"
        )
    }

    /// The expression as text that [`Timestamp::parse`](super::Timestamp::parse) takes.
    pub(crate) fn time(&self, expression: &str, kind: &str) -> String {
        let (kinds, as_text) = self.sql.time;
        if kinds.contains(&kind) {
            return Self::text(&as_text.replace("{}", expression), SHORT_TEXT_BYTES);
        }
        Self::text(expression, SHORT_TEXT_BYTES)
    }

    /// Reads the `expressions` (texts as [`text`](Self::text) and [`time`](Self::time) give them) of every row of `from`.
    pub(crate) fn for_each(
        &mut self,
        expressions: &[String],
        from: &str,
        mut each: impl FnMut(&TextRow) -> Result<(), BoxError>,
    ) -> Result<(), BoxError> {
        let mut columns = Vec::new();
        for number in 0..WIDTH {
            let expression = expressions
                .get(number)
                .map_or("CAST(NULL AS text)", String::as_str);
            let bytes = self.sql.bytes.replace("{}", expression);
            columns.push(format!("{bytes} AS c{number}"));
        }
        let query = format!("SELECT {} FROM {from}", columns.join(", "));
        dialect::for_each(&mut self.connection, &query, |cells: Cells| {
            let Cells {
                c0,
                c1,
                c2,
                c3,
                c4,
                c5,
                c6,
                c7,
                c8,
                c9,
            } = cells;
            each(&TextRow([c0, c1, c2, c3, c4, c5, c6, c7, c8, c9]))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn a_table_is_named_with_or_without_its_schema() {
        assert_eq!(Table::parse("user").unwrap().quoted(), "\"user\"");
        assert_eq!(
            Table::parse("Auth.users-2").unwrap().quoted(),
            "\"Auth\".\"users-2\""
        );
    }

    #[test]
    fn nothing_but_a_name_gets_into_a_statement() {
        for text in [
            "",
            ".",
            "a.",
            "a.b.c",
            "a b",
            "a\"",
            "a'",
            "a;",
            "a\\",
            "é",
            "a\0",
            &"a".repeat(64),
        ] {
            assert!(Table::parse(text).is_err(), "{text:?}");
        }
    }
}
