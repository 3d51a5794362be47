//! Reads users with their password hashes, and tasks if requested, from a database of Better Auth.

use std::io::Write;
use std::time::SystemTime;

use auth_core::Roles;
use auth_core::password::PasswordHash;

use super::TransferError;
use super::ban::ban_rejection;
use super::import::ImportWriter;
use super::imported_task::{ImportedTask, TaskRecord};
use super::imported_user::{ImportedUser, MAX_ID_BYTES, RejectReason, UserRecord, parse_time};
use super::source_columns::{TableColumns, id_equality};
use crate::db::{
    CellError, DatabaseUrl, MAX_SHORT_TEXT_BYTES, NULL_EXPRESSION, Reader, TableName, TextRow,
    Timestamp,
};
use crate::progress::{Progress, Unit};

/// The longest text of all roles of a user, in bytes: at most one comma follows each name.
const MAX_ROLES_BYTES: usize = Roles::MAX_ROLES * (Roles::MAX_NAME_BYTES + 1);

/// A database of Better Auth, and the names of the tables to import.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct BetterAuthSource {
    pub(crate) url: DatabaseUrl,
    pub(crate) users: TableName,
    pub(crate) accounts: TableName,
    pub(crate) tasks: Option<TableName>,
    /// Whether the columns of users and accounts have names such as `email_verified`, not `emailVerified`.
    pub(crate) snake_case: bool,
}

/// A source database that has every table and column that the import requires.
pub(super) struct CheckedSource {
    reader: Reader,
    users_query: Query,
    tasks_query: Option<TasksQuery>,
    /// The number of users, and of tasks if they are to be imported.
    row_count: u64,
}

/// The query for tasks, and the name of their table.
struct TasksQuery {
    query: Query,
    table_name: String,
}

/// The expressions of a SELECT statement, and the text after `FROM`.
struct Query {
    expressions: Vec<String>,
    from: String,
}

impl BetterAuthSource {
    /// Connects and checks that every required table and column exists, before the import writes anything.
    pub(super) fn open(&self, progress: &Progress) -> Result<CheckedSource, TransferError> {
        let url = &self.url;
        let _work = progress.start("check the source", Unit::Uncounted, None);
        self.check().map_err(|error| {
            format!("cannot import from {url} (--from): {error}\nNothing was imported.").into()
        })
    }

    fn check(&self) -> Result<CheckedSource, TransferError> {
        let mut reader = Reader::open(&self.url)?;
        let users_query = self.users_query(&mut reader)?;
        let tasks_query = match &self.tasks {
            None => None,
            Some(table) => Some(TasksQuery {
                query: self.tasks_query(&mut reader, table)?,
                table_name: table.as_str().to_owned(),
            }),
        };
        let mut row_count = reader.count_rows(&self.users.quoted())?;
        if let Some(table) = &self.tasks {
            row_count += reader.count_rows(&table.quoted())?;
        }
        Ok(CheckedSource {
            reader,
            users_query,
            tasks_query,
            row_count,
        })
    }

    /// Returns the name of a column of Better Auth, in snake case if [`snake_case`](Self::snake_case) is set.
    fn column_name(&self, camel_case: &str) -> String {
        if !self.snake_case {
            return camel_case.to_owned();
        }
        let mut snake_case = String::new();
        for letter in camel_case.chars() {
            if letter.is_ascii_uppercase() {
                snake_case.push('_');
            }
            snake_case.push(letter.to_ascii_lowercase());
        }
        snake_case
    }

    /// Returns the query that selects one row for each user, even if the user has no credential account or several. The
    /// oldest user comes first: if two acceptable users have the same email address, and no account here has it, the
    /// older one is imported.
    fn users_query(&self, reader: &mut Reader) -> Result<Query, TransferError> {
        let mut user_columns = TableColumns::read(reader, &self.users, "u")?;
        let mut account_columns = TableColumns::read(reader, &self.accounts, "c")?;
        let id = user_columns.require(&[&self.column_name("id")]);
        let email = user_columns.require(&[&self.column_name("email")]);
        let name = user_columns.require(&[&self.column_name("name")]);
        let email_verified = user_columns.require(&[&self.column_name("emailVerified")]);
        let image = user_columns.require(&[&self.column_name("image")]);
        let created_at = user_columns.require(&[&self.column_name("createdAt")]);
        let updated_at = user_columns.require(&[&self.column_name("updatedAt")]);
        let owner = account_columns.require(&[&self.column_name("userId")]);
        let account_id = account_columns.require(&[&self.column_name("accountId")]);
        let provider_id = account_columns.require(&[&self.column_name("providerId")]);
        let password = account_columns.require(&[&self.column_name("password")]);
        let admin_expressions = self.admin_expressions(reader, &user_columns);
        user_columns.check_none_missing(self.snake_case)?;
        account_columns.check_none_missing(self.snake_case)?;

        let mut expressions = vec![
            Reader::text_expression(&id.sql, MAX_ID_BYTES),
            Reader::text_expression(&email.sql, 254),
            Reader::text_expression(&name.sql, 4 * 200),
            Reader::text_expression(&email_verified.sql, MAX_SHORT_TEXT_BYTES),
            Reader::text_expression(&image.sql, 4 * 2048),
            reader.time_expression(&created_at.sql, &created_at.kind),
            reader.time_expression(&updated_at.sql, &updated_at.kind),
            Reader::text_expression("a.accounts", MAX_SHORT_TEXT_BYTES),
            "a.account_id".to_owned(),
            "a.password".to_owned(),
        ];
        expressions.extend(admin_expressions);
        let owner_condition = id_equality(&owner.with_expression("a.owner"), &id);
        let from = format!(
            "{users} u LEFT JOIN (SELECT {owner} AS owner, count(*) AS accounts, max({account_id}) AS account_id, \
             max({password}) AS password FROM {accounts} c WHERE CAST({provider} AS text) = 'credential' \
             GROUP BY {owner}) a ON {owner_condition} ORDER BY {created}, {id}",
            users = self.users.quoted(),
            accounts = self.accounts.quoted(),
            owner = owner.sql,
            account_id = Reader::text_expression(&account_id.sql, MAX_ID_BYTES),
            password = Reader::text_expression(&password.sql, MAX_ID_BYTES),
            provider = provider_id.sql,
            created = created_at.sql,
            id = id.sql,
        );
        Ok(Query { expressions, from })
    }

    /// Returns the expressions of the columns `role`, `banned` and `banExpires` of the admin plugin; NULL for each
    /// column that the table does not have.
    fn admin_expressions(&self, reader: &Reader, columns: &TableColumns) -> [String; 3] {
        let null = || NULL_EXPRESSION.to_owned();
        let text_of = |name: &str, max_bytes: usize| {
            let column = columns.find(name);
            column.map_or_else(null, |column| {
                Reader::text_expression(&column.sql, max_bytes)
            })
        };
        let ban_end = columns.find(&self.column_name("banExpires"));
        [
            text_of("role", MAX_ROLES_BYTES),
            text_of("banned", MAX_SHORT_TEXT_BYTES),
            ban_end.map_or_else(null, |end| reader.time_expression(&end.sql, &end.kind)),
        ]
    }

    /// Returns the query that selects the tasks, the oldest first. The tasks get new ids in this order, and the API
    /// lists tasks by id.
    fn tasks_query(&self, reader: &mut Reader, table: &TableName) -> Result<Query, TransferError> {
        let mut user_columns = TableColumns::read(reader, &self.users, "u")?;
        let mut task_columns = TableColumns::read(reader, table, "t")?;
        let user_id = user_columns.require(&[&self.column_name("id")]);
        let email = user_columns.require(&[&self.column_name("email")]);
        let id = task_columns.require(&["id"]);
        let owner = task_columns.require(&["owner_id", "user_id"]);
        let title = task_columns.require(&["title"]);
        let description = task_columns.require(&["description"]);
        let completed = task_columns.require(&["is_completed", "completed"]);
        let created_at = task_columns.require(&["created_at"]);
        let updated_at = task_columns.require(&["updated_at"]);
        task_columns.check_none_missing(true)?;

        let expressions = vec![
            Reader::text_expression(&id.sql, MAX_ID_BYTES),
            Reader::text_expression(&owner.sql, MAX_ID_BYTES),
            Reader::text_expression(&email.sql, 254),
            Reader::text_expression(&title.sql, 4096),
            Reader::text_expression(&description.sql, 4 * 10_000),
            Reader::text_expression(&completed.sql, MAX_SHORT_TEXT_BYTES),
            reader.time_expression(&created_at.sql, &created_at.kind),
            reader.time_expression(&updated_at.sql, &updated_at.kind),
        ];
        let owner_condition = id_equality(&owner, &user_id);
        let from = format!(
            "{} t LEFT JOIN {} u ON {owner_condition} ORDER BY {}, {}",
            table.quoted(),
            self.users.quoted(),
            created_at.sql,
            id.sql,
        );
        Ok(Query { expressions, from })
    }
}

impl CheckedSource {
    /// Passes every user to the writer, then every task if tasks are to be imported.
    pub(super) fn copy_to<W: Write>(
        &mut self,
        writer: &mut ImportWriter<W>,
    ) -> Result<(), TransferError> {
        let now = Timestamp::from(SystemTime::now());
        writer.remember_users();
        let total = Some(self.row_count);
        let work = writer.progress.start("import", Unit::Rows, total);
        let Query { expressions, from } = &self.users_query;
        self.reader.for_each_row(expressions, from, |row| {
            work.advance(1);
            writer.add_user(&row_id(row), read_user(row, now))
        })?;
        if let Some(TasksQuery { query, table_name }) = &self.tasks_query {
            let Query { expressions, from } = query;
            writer.set_source(table_name)?;
            self.reader.for_each_row(expressions, from, |row| {
                work.advance(1);
                writer.add_task(&row_id(row), read_task(row))
            })?;
        }
        Ok(())
    }
}

/// Returns the id of a row for the report, or a text that says why there is no id.
fn row_id(row: &TextRow) -> String {
    match row.text(0) {
        Ok(Some(id)) => id,
        Ok(None) => "NULL".to_owned(),
        Err(error) => format!("({error})"),
    }
}

const FOREIGN_ACCOUNT_ID: &str = "its credential account has an accountId that is not its id, so it cannot sign in \
     with Better Auth either";

/// Reads a user, whose cells are in the order of the expressions of `users_query`.
fn read_user(row: &TextRow, now: Timestamp) -> Result<ImportedUser, RejectReason> {
    let id = required_text(row, 0, "id")?;
    let password_hash = match optional_text(row, 7, "account")?.as_deref() {
        None | Some("0") => None,
        Some("1") => {
            if optional_text(row, 8, "account's accountId")?.as_ref() != Some(&id) {
                return Err(FOREIGN_ACCOUNT_ID.to_owned());
            }
            optional_text(row, 9, "password hash")?
        }
        Some(count) => return Err(format!("it has {count} credential accounts")),
    };
    let record = UserRecord {
        id,
        email: required_text(row, 1, "email")?,
        name: optional_text(row, 2, "name")?,
        email_verified: boolean(row, 3, "emailVerified")?,
        language: None,
        roles: optional_text(row, 10, "role")?.as_deref().map(role_names),
        claims: None,
        image: optional_text(row, 4, "image")?,
        created_at: required_text(row, 5, "createdAt")?,
        updated_at: required_text(row, 6, "updatedAt")?,
        password_hash,
    };
    let mut user = record.check(PasswordHash::import)?;
    user.ban = read_ban(row, now)?;
    Ok(user)
}

/// Returns why a banned user is not imported; `None` if there is no ban or the ban is over. Fails if a cell about the
/// ban is invalid.
fn read_ban(row: &TextRow, now: Timestamp) -> Result<Option<RejectReason>, RejectReason> {
    let is_banned = match optional_text(row, 11, "banned")? {
        None => false,
        Some(text) => parse_boolean(&text, "banned")?,
    };
    if !is_banned {
        return Ok(None);
    }
    let end_text = optional_text(row, 12, "banExpires")?;
    let end = end_text.map(|text| parse_time("ban's end", &text));
    Ok(ban_rejection(end.transpose()?, now))
}

/// Reads a task, whose cells are in the order of the expressions of `tasks_query`.
fn read_task(row: &TextRow) -> Result<ImportedTask, RejectReason> {
    let no_owner = || "its owner is not among the users there".to_owned();
    let record = TaskRecord {
        id: required_text(row, 0, "id")?,
        user_id: optional_text(row, 1, "owner")?.ok_or_else(no_owner)?,
        user_email: optional_text(row, 2, "owner's email")?.ok_or_else(no_owner)?,
        title: required_text(row, 3, "title")?,
        description: optional_text(row, 4, "description")?,
        completed: boolean(row, 5, "completion")?,
        created_at: required_text(row, 6, "created_at")?,
        updated_at: required_text(row, 7, "updated_at")?,
    };
    record.check()
}

/// Splits the text of Better Auth's column `role` at commas. Like Better Auth, removes no white space.
fn role_names(text: &str) -> Vec<String> {
    match text {
        "" => Vec::new(),
        text => text.split(',').map(ToOwned::to_owned).collect(),
    }
}

fn optional_text(row: &TextRow, index: usize, field: &str) -> Result<Option<String>, RejectReason> {
    row.text(index)
        .map_err(|error: CellError| format!("its {field} {error}"))
}

fn required_text(row: &TextRow, index: usize, field: &str) -> Result<String, RejectReason> {
    optional_text(row, index, field)?.ok_or_else(|| format!("its {field} is NULL"))
}

fn boolean(row: &TextRow, index: usize, field: &str) -> Result<bool, RejectReason> {
    parse_boolean(&required_text(row, index, field)?, field)
}

fn parse_boolean(text: &str, field: &str) -> Result<bool, RejectReason> {
    match text {
        "true" | "t" | "1" => Ok(true),
        "false" | "f" | "0" => Ok(false),
        _ => Err(format!("its {field} is neither true nor false")),
    }
}
