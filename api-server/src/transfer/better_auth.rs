//! Reads users, their passwords and, on demand, tasks from a database of Better Auth.

use std::io::Write;

use auth_core::password::PasswordHash;

use super::TransferError;
use super::import::ImportWriter;
use super::imported_task::{ImportedTask, TaskRecord};
use super::imported_user::{ImportedUser, MAX_ID_BYTES, RejectReason, UserRecord};
use crate::db::{CellError, DatabaseUrl, Reader, SHORT_TEXT_BYTES, Table, TextRow};

/// Where the source is and what its tables are called.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BetterAuth {
    pub(crate) url: DatabaseUrl,
    pub(crate) users: Table,
    pub(crate) accounts: Table,
    pub(crate) tasks: Option<Table>,
    /// `email_verified` instead of `emailVerified`.
    pub(crate) snake_case: bool,
}

/// A source in which every table and column was found.
pub(super) struct CheckedSource {
    reader: Reader,
    users: Query,
    /// With the name of the table.
    tasks: Option<(Query, String)>,
}

/// The expressions to select and the tables to select them from.
struct Query {
    expressions: Vec<String>,
    from: String,
}

/// A table and its columns, which a statement names as `alias."column"`.
struct Columns<'a> {
    table: &'a Table,
    alias: &'static str,
    /// Names and types.
    found: Vec<(String, String)>,
    missing: Vec<String>,
}

impl BetterAuth {
    /// Connects and checks that every table and column is there, before anything is written.
    pub(super) fn open(&self) -> Result<CheckedSource, TransferError> {
        let url = &self.url;
        self.check().map_err(|error| {
            format!("cannot import from {url} (--from): {error}\nNothing was imported.").into()
        })
    }

    fn check(&self) -> Result<CheckedSource, TransferError> {
        let mut reader = Reader::open(&self.url)?;
        let users = self.users_query(&mut reader)?;
        let tasks = match &self.tasks {
            None => None,
            Some(table) => {
                let query = self.tasks_query(&mut reader, table)?;
                Some((query, table.as_str().to_owned()))
            }
        };
        Ok(CheckedSource {
            reader,
            users,
            tasks,
        })
    }

    /// A column as Better Auth calls it, or as its snake case.
    fn name(&self, camel: &str) -> String {
        if !self.snake_case {
            return camel.to_owned();
        }
        let mut snake = String::new();
        for letter in camel.chars() {
            if letter.is_ascii_uppercase() {
                snake.push('_');
            }
            snake.push(letter.to_ascii_lowercase());
        }
        snake
    }

    /// One row a user, whatever the accounts hold. The oldest first, so that of two users with one address the older is
    /// imported.
    fn users_query(&self, reader: &mut Reader) -> Result<Query, TransferError> {
        let mut user = Columns::of(reader, &self.users, "u")?;
        let mut account = Columns::of(reader, &self.accounts, "c")?;
        let id = user.take(&[&self.name("id")]);
        let email = user.take(&[&self.name("email")]);
        let name = user.take(&[&self.name("name")]);
        let verified = user.take(&[&self.name("emailVerified")]);
        let image = user.take(&[&self.name("image")]);
        let created = user.take(&[&self.name("createdAt")]);
        let updated = user.take(&[&self.name("updatedAt")]);
        let owner = account.take(&[&self.name("userId")]);
        let account_id = account.take(&[&self.name("accountId")]);
        let provider = account.take(&[&self.name("providerId")]);
        let password = account.take(&[&self.name("password")]);
        user.finish(self.snake_case)?;
        account.finish(self.snake_case)?;

        let expressions = vec![
            Reader::text(&id.sql, MAX_ID_BYTES),
            Reader::text(&email.sql, 254),
            Reader::text(&name.sql, 4 * 200),
            Reader::text(&verified.sql, SHORT_TEXT_BYTES),
            Reader::text(&image.sql, 4 * 2048),
            reader.time(&created.sql, &created.kind),
            reader.time(&updated.sql, &updated.kind),
            Reader::text("a.accounts", SHORT_TEXT_BYTES),
            "a.account_id".to_owned(),
            "a.password".to_owned(),
        ];
        let same = same("a.owner", &owner.kind, &id.sql, &id.kind);
        let from = format!(
            "{users} u LEFT JOIN (SELECT {owner} AS owner, count(*) AS accounts, max({account_id}) AS account_id, \
             max({password}) AS password FROM {accounts} c WHERE CAST({provider} AS text) = 'credential' \
             GROUP BY {owner}) a ON {same} ORDER BY {created}, {id}",
            users = self.users.quoted(),
            accounts = self.accounts.quoted(),
            owner = owner.sql,
            account_id = Reader::text(&account_id.sql, MAX_ID_BYTES),
            password = Reader::text(&password.sql, MAX_ID_BYTES),
            provider = provider.sql,
            created = created.sql,
            id = id.sql,
        );
        Ok(Query { expressions, from })
    }

    /// The oldest first: ids are given in this order, and the list is ordered by id.
    fn tasks_query(&self, reader: &mut Reader, table: &Table) -> Result<Query, TransferError> {
        let mut user = Columns::of(reader, &self.users, "u")?;
        let mut task = Columns::of(reader, table, "t")?;
        let user_id = user.take(&[&self.name("id")]);
        let email = user.take(&[&self.name("email")]);
        let id = task.take(&["id"]);
        let owner = task.take(&["owner_id", "user_id"]);
        let title = task.take(&["title"]);
        let description = task.take(&["description"]);
        let completed = task.take(&["is_completed", "completed"]);
        let created = task.take(&["created_at"]);
        let updated = task.take(&["updated_at"]);
        task.finish(true)?;

        let expressions = vec![
            Reader::text(&id.sql, MAX_ID_BYTES),
            Reader::text(&owner.sql, MAX_ID_BYTES),
            Reader::text(&email.sql, 254),
            Reader::text(&title.sql, 4096),
            Reader::text(&description.sql, 4 * 10_000),
            Reader::text(&completed.sql, SHORT_TEXT_BYTES),
            reader.time(&created.sql, &created.kind),
            reader.time(&updated.sql, &updated.kind),
        ];
        let same = same(&owner.sql, &owner.kind, &user_id.sql, &user_id.kind);
        let from = format!(
            "{} t LEFT JOIN {} u ON {same} ORDER BY {}, {}",
            table.quoted(),
            self.users.quoted(),
            created.sql,
            id.sql,
        );
        Ok(Query { expressions, from })
    }
}

/// Ids of two types cannot be compared; as texts they can, without an index.
fn same(one: &str, its_kind: &str, other: &str, others_kind: &str) -> String {
    if its_kind == others_kind {
        return format!("{one} = {other}");
    }
    format!("CAST({one} AS text) = CAST({other} AS text)")
}

/// A column as a statement names it, and its type.
#[derive(Default)]
struct Column {
    sql: String,
    kind: String,
}

impl<'a> Columns<'a> {
    fn of(
        reader: &mut Reader,
        table: &'a Table,
        alias: &'static str,
    ) -> Result<Self, TransferError> {
        let found = reader.columns(table)?;
        if found.is_empty() {
            return Err(format!("there is no table {}", table.quoted()).into());
        }
        let found = found.into_iter().map(|column| (column.name, column.kind));
        Ok(Self {
            table,
            alias,
            found: found.collect(),
            missing: Vec::new(),
        })
    }

    /// The first of these names that the table has.
    fn take(&mut self, names: &[&str]) -> Column {
        for name in names {
            if let Some((_, kind)) = self.found.iter().find(|(found, _)| found == name) {
                return Column {
                    sql: format!("{}.\"{name}\"", self.alias),
                    kind: kind.clone(),
                };
            }
        }
        self.missing.push(names.join(" or "));
        Column::default()
    }

    fn finish(self, is_snake_case: bool) -> Result<(), TransferError> {
        if self.missing.is_empty() {
            return Ok(());
        }
        let found: Vec<_> = self.found.iter().map(|(name, _)| name.as_str()).collect();
        let looks_snake = found.contains(&"created_at");
        let hint = match (is_snake_case, looks_snake) {
            (false, true) => "; try --snake-case",
            _ => "",
        };
        Err(format!(
            "the table {} has no column {}, but {}{hint}",
            self.table.quoted(),
            self.missing.join(", "),
            found.join(", "),
        )
        .into())
    }
}

impl CheckedSource {
    pub(super) fn read<W: Write>(
        &mut self,
        writer: &mut ImportWriter<W>,
    ) -> Result<(), TransferError> {
        writer.remember_users();
        let Query { expressions, from } = &self.users;
        self.reader
            .for_each(expressions, from, |row| writer.user(&id(row), user(row)))?;
        if let Some((Query { expressions, from }, table)) = &self.tasks {
            writer.set_source(table)?;
            self.reader
                .for_each(expressions, from, |row| writer.task(&id(row), task(row)))?;
        }
        Ok(())
    }
}

/// Names the row in a report, whatever its id holds.
fn id(row: &TextRow) -> String {
    match row.text(0) {
        Ok(Some(id)) => id,
        Ok(None) => "NULL".to_owned(),
        Err(error) => format!("({error})"),
    }
}

/// In the order of the expressions.
fn user(row: &TextRow) -> Result<ImportedUser, RejectReason> {
    let id = required(row, 0, "id")?;
    let password_hash = match optional(row, 7, "account")?.as_deref() {
        None | Some("0") => None,
        Some("1") => {
            if optional(row, 8, "account's accountId")?.as_ref() != Some(&id) {
                return Err("its credential account has an accountId that is not its id, so it cannot sign in there either".to_owned());
            }
            optional(row, 9, "password hash")?
        }
        Some(count) => return Err(format!("it has {count} credential accounts")),
    };
    let text = UserRecord {
        id,
        email: required(row, 1, "email")?,
        name: optional(row, 2, "name")?,
        email_verified: truth(row, 3, "emailVerified")?,
        image: optional(row, 4, "image")?,
        created_at: required(row, 5, "createdAt")?,
        updated_at: required(row, 6, "updatedAt")?,
        password_hash,
    };
    text.check(PasswordHash::import)
}

fn task(row: &TextRow) -> Result<ImportedTask, RejectReason> {
    let no_owner = || "its owner is not among the users there".to_owned();
    let text = TaskRecord {
        id: required(row, 0, "id")?,
        user_id: optional(row, 1, "owner")?.ok_or_else(no_owner)?,
        user_email: optional(row, 2, "owner's email")?.ok_or_else(no_owner)?,
        title: required(row, 3, "title")?,
        description: optional(row, 4, "description")?,
        completed: truth(row, 5, "completion")?,
        created_at: required(row, 6, "created_at")?,
        updated_at: required(row, 7, "updated_at")?,
    };
    text.check()
}

fn optional(row: &TextRow, column: usize, what: &str) -> Result<Option<String>, RejectReason> {
    row.text(column)
        .map_err(|error: CellError| format!("its {what} {error}"))
}

fn required(row: &TextRow, column: usize, what: &str) -> Result<String, RejectReason> {
    optional(row, column, what)?.ok_or_else(|| format!("its {what} is NULL"))
}

fn truth(row: &TextRow, column: usize, what: &str) -> Result<bool, RejectReason> {
    match required(row, column, what)?.as_str() {
        "true" | "t" | "1" => Ok(true),
        "false" | "f" | "0" => Ok(false),
        _ => Err(format!("its {what} is neither true nor false")),
    }
}
