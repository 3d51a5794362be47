//! Finds the columns of the tables to import.

use super::TransferError;
use crate::db::{self, Reader, TableName};

/// A table and its columns. A statement refers to a column as `alias."column"`.
pub(super) struct TableColumns<'a> {
    table: &'a TableName,
    alias: &'static str,
    columns: Vec<db::Column>,
    /// The names of the required columns that the table does not have; `a or b` if either column would do.
    missing_names: Vec<String>,
}

/// The SQL expression and the SQL type of a column.
#[derive(Default)]
pub(super) struct SqlColumn {
    pub(super) sql: String,
    pub(super) kind: String,
}

impl SqlColumn {
    /// Returns a column of this type with another expression.
    pub(super) fn with_expression(&self, sql: &str) -> Self {
        Self {
            sql: sql.to_owned(),
            kind: self.kind.clone(),
        }
    }
}

impl<'a> TableColumns<'a> {
    /// Reads the names and types of the columns of a table. Fails if there is no such table.
    pub(super) fn read(
        reader: &mut Reader,
        table: &'a TableName,
        alias: &'static str,
    ) -> Result<Self, TransferError> {
        let columns = reader.columns(table)?;
        if columns.is_empty() {
            return Err(format!("there is no table {}", table.quoted()).into());
        }
        Ok(Self {
            table,
            alias,
            columns,
            missing_names: Vec::new(),
        })
    }

    /// Returns the column with the first of these names that the table has. If the table has none of these columns,
    /// records the names as missing, and returns an empty column.
    pub(super) fn require(&mut self, names: &[&str]) -> SqlColumn {
        if let Some(column) = names.iter().find_map(|name| self.find(name)) {
            return column;
        }
        self.missing_names.push(names.join(" or "));
        SqlColumn::default()
    }

    /// Returns the column with this name, if the table has it.
    pub(super) fn find(&self, name: &str) -> Option<SqlColumn> {
        let column = self.columns.iter().find(|column| column.name == name)?;
        Some(SqlColumn {
            sql: format!("{}.\"{name}\"", self.alias),
            kind: column.kind.clone(),
        })
    }

    pub(super) fn check_none_missing(self, is_snake_case: bool) -> Result<(), TransferError> {
        if self.missing_names.is_empty() {
            return Ok(());
        }
        let column_names: Vec<_> = self
            .columns
            .iter()
            .map(|column| column.name.as_str())
            .collect();
        let has_snake_case = column_names.contains(&"created_at");
        let hint = match (is_snake_case, has_snake_case) {
            (false, true) => "; try --snake-case",
            _ => "",
        };
        Err(format!(
            "the table {} has no column {}, but {}{hint}",
            self.table.quoted(),
            self.missing_names.join(", "),
            column_names.join(", "),
        )
        .into())
    }
}

/// Returns the SQL condition that two ids are equal. Ids of different types are compared as text, without an index.
pub(super) fn id_equality(left: &SqlColumn, right: &SqlColumn) -> String {
    let (left_sql, right_sql) = (&left.sql, &right.sql);
    if left.kind == right.kind {
        return format!("{left_sql} = {right_sql}");
    }
    format!("CAST({left_sql} AS text) = CAST({right_sql} AS text)")
}
