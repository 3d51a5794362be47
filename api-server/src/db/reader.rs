//! Reads tables for export and import, without changing the database. The database may belong to other software, so the
//! names of tables are chosen at run time, and cells may have unexpected types and sizes.

use std::fmt;

use diesel::deserialize::QueryableByName;
use diesel::sql_types::{Binary, Nullable};

use super::dialect;
use super::dialect::{DbConnection, EngineSql};
use super::error::BoxError;
use super::url::DatabaseUrl;

/// The longest name of a table or schema, in bytes: the limit of PostgreSQL.
const MAX_NAME_BYTES: usize = 63;
/// The longest text of a time, a number or a boolean, in bytes. All supported formats are shorter.
pub(crate) const MAX_SHORT_TEXT_BYTES: usize = 64;

/// Name of a table, optionally with its schema. [`parse`](Self::parse) has checked that it is safe to quote in SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableName(String);

impl TableName {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<_> = text.split('.').collect();
        if parts.len() > 2 || !parts.iter().all(|part| is_identifier(part)) {
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

    /// Returns the name as a quoted SQL identifier.
    pub(crate) fn quoted(&self) -> String {
        let parts = self.0.split('.').map(|part| format!("\"{part}\""));
        parts.collect::<Vec<_>>().join(".")
    }
}

fn is_identifier(text: &str) -> bool {
    let is_allowed =
        |character: char| character.is_ascii_alphanumeric() || "_$-".contains(character);
    !text.is_empty() && text.len() <= MAX_NAME_BYTES && text.chars().all(is_allowed)
}

/// The reason why a cell cannot be decoded.
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

impl std::error::Error for CellError {}

/// The bytes of a cell; `None` for NULL.
type CellBytes = Option<Vec<u8>>;

/// A row of the queries `integrity_check` and `columns` of [`EngineSql`].
#[derive(QueryableByName)]
struct PairRow {
    #[diesel(sql_type = Nullable<Binary>)]
    c0: CellBytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c1: CellBytes,
}

/// A row of the query of [`Reader::for_each_row`].
#[derive(QueryableByName)]
struct CellsRow {
    #[diesel(sql_type = Nullable<Binary>)]
    c0: CellBytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c1: CellBytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c2: CellBytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c3: CellBytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c4: CellBytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c5: CellBytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c6: CellBytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c7: CellBytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c8: CellBytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c9: CellBytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c10: CellBytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c11: CellBytes,
    #[diesel(sql_type = Nullable<Binary>)]
    c12: CellBytes,
}

/// The most expressions that [`Reader::for_each_row`] can select: the number of columns of [`CellsRow`].
pub(crate) const MAX_EXPRESSIONS: usize = 13;
/// The expression for a column that the table does not have: NULL.
pub(crate) const NULL_EXPRESSION: &str = "CAST(NULL AS text)";

/// A row from [`Reader::for_each_row`], with one column per expression, in the order of the expressions.
pub(crate) struct TextRow([CellBytes; MAX_EXPRESSIONS]);

impl TextRow {
    /// Returns the text in a column; `None` for NULL.
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

pub(crate) struct Column {
    pub(crate) name: String,
    /// Name of the SQL type. The name of a built-in type is in lower case.
    pub(crate) kind: String,
}

/// A read-only connection with one open transaction, so that all reads see the same state of the database.
pub(crate) struct Reader {
    connection: DbConnection,
    sql: &'static EngineSql,
}

impl Reader {
    /// Connects to the database. On SQLite, also checks that the file is not damaged and that its encoding is UTF-8.
    pub(crate) fn open(url: &DatabaseUrl) -> Result<Self, BoxError> {
        if let Some(file) = url.file()
            && !file.is_file()
        {
            return Err(format!("there is no file {}", file.display()).into());
        }
        let connection = dialect::connect_to_read(url)?;
        let sql = dialect::engine_sql(&connection);
        let mut reader = Self { connection, sql };
        let mut results = Vec::new();
        reader.for_each_pair(sql.integrity_check, |result, _| results.push(result))?;
        match results.as_slice() {
            [result] if result == "ok" => Ok(reader),
            [result] if result.contains('\0') => {
                Err("the database is in UTF-16; copy it into one in UTF-8: \
                sqlite3 OLD .dump | sqlite3 NEW"
                    .into())
            }
            errors => Err(format!("the database is damaged: {}", errors.join("; ")).into()),
        }
    }

    /// Returns the columns of a table; empty if the table does not exist.
    pub(crate) fn columns(&mut self, table: &TableName) -> Result<Vec<Column>, BoxError> {
        let query = self.sql.columns.replace("{}", &table.quoted());
        let mut columns = Vec::new();
        self.for_each_pair(&query, |name, kind| columns.push(Column { name, kind }))?;
        Ok(columns)
    }

    /// Counts the rows of a table. `table_sql` is its name in SQL, quoted if needed.
    pub(crate) fn count_rows(&mut self, table_sql: &str) -> Result<u64, BoxError> {
        let count = Self::text_expression("count(*)", MAX_SHORT_TEXT_BYTES);
        let mut number = 0;
        self.for_each_row(&[count], table_sql, |row| {
            number = row.text(0)?.unwrap_or_default().parse()?;
            Ok(())
        })?;
        Ok(number)
    }

    /// Calls `handle_pair` with the two columns of each row.
    fn for_each_pair(
        &mut self,
        query: &str,
        mut handle_pair: impl FnMut(String, String),
    ) -> Result<(), BoxError> {
        let to_text =
            |bytes: CellBytes| String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned();
        dialect::for_each_row(&mut self.connection, query, |pair: PairRow| {
            handle_pair(to_text(pair.c0), to_text(pair.c1));
            Ok::<_, BoxError>(())
        })
    }

    /// Returns SQL that selects `=` and the text of `expression`, or NULL for NULL. Selects only `!` if the text is
    /// longer than `max_bytes`, so that a huge cell is not read into memory. [`TextRow::text`] decodes the selected
    /// value.
    pub(crate) fn text_expression(expression: &str, max_bytes: usize) -> String {
        format!(
            "CASE WHEN octet_length(CAST({expression} AS text)) > {max_bytes} THEN '!' \
             ELSE '=' || CAST({expression} AS text) END"
        )
    }

    /// Returns SQL that selects a time of SQL type `kind` as text for [`Timestamp::parse`](super::Timestamp::parse).
    pub(crate) fn time_expression(&self, expression: &str, kind: &str) -> String {
        if self.sql.time_types.contains(&kind) {
            let converted_time = self.sql.time_as_text.replace("{}", expression);
            return Self::text_expression(&converted_time, MAX_SHORT_TEXT_BYTES);
        }
        Self::text_expression(expression, MAX_SHORT_TEXT_BYTES)
    }

    /// Calls `handle_row` with the values of the `expressions` for each row of the FROM clause. The values must be
    /// those of [`text_expression`](Self::text_expression) or [`time_expression`](Self::time_expression), or NULL.
    /// Expressions beyond [`MAX_EXPRESSIONS`] are ignored.
    pub(crate) fn for_each_row(
        &mut self,
        expressions: &[String],
        from_clause: &str,
        mut handle_row: impl FnMut(&TextRow) -> Result<(), BoxError>,
    ) -> Result<(), BoxError> {
        let mut columns = Vec::new();
        for index in 0..MAX_EXPRESSIONS {
            let expression = expressions
                .get(index)
                .map_or(NULL_EXPRESSION, String::as_str);
            let bytes = self.sql.text_as_bytes.replace("{}", expression);
            columns.push(format!("{bytes} AS c{index}"));
        }
        let query = format!("SELECT {} FROM {from_clause}", columns.join(", "));
        dialect::for_each_row(&mut self.connection, &query, |cells: CellsRow| {
            let CellsRow {
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
                c10,
                c11,
                c12,
            } = cells;
            handle_row(&TextRow([
                c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12,
            ]))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::TableName;

    #[test]
    fn a_table_name_may_have_a_schema() {
        assert_eq!(TableName::parse("user").unwrap().quoted(), "\"user\"");
        assert_eq!(
            TableName::parse("Auth.users-2").unwrap().quoted(),
            "\"Auth\".\"users-2\""
        );
    }

    #[test]
    fn texts_that_are_no_table_names_are_rejected() {
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
            assert!(TableName::parse(text).is_err(), "{text:?}");
        }
    }
}
