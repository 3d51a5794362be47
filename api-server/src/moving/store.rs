//! Writing those who arrive. What is there already is left alone.

use std::collections::{HashMap, HashSet};

use auth_core::password::PasswordHash;
use diesel::prelude::*;

use super::person::Person;
use super::report::Outcome;
use super::todo::Todo;
use crate::accounts::email::{Email, canonical};
use crate::db::schema::{imported_tasks, imported_users, tasks, users};
use crate::db::{DbConnection, DbError, Timestamp, diagnose, on_either_engine, write_transaction};

#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
struct NewUser {
    id: String,
    email: String,
    name: Option<String>,
    image: Option<String>,
    email_verified: bool,
    password_hash: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

fn new_user(person: &Person) -> NewUser {
    let hash = person.password_hash.as_ref().map(PasswordHash::as_str);
    NewUser {
        id: person.id.clone(),
        email: person.email.as_str().to_owned(),
        name: person.name.clone(),
        image: person.image.clone(),
        email_verified: person.email_verified,
        password_hash: hash.map(ToOwned::to_owned),
        created_at: person.created_at,
        updated_at: person.updated_at,
    }
}

#[derive(Insertable)]
#[diesel(table_name = tasks, treat_none_as_default_value = false)]
struct NewTask {
    user_id: String,
    title: String,
    description: Option<String>,
    completed: bool,
    created_at: Timestamp,
    updated_at: Timestamp,
}

fn new_task(todo: &Todo) -> NewTask {
    NewTask {
        user_id: todo.user_id.clone(),
        title: todo.title.clone(),
        description: todo.description.clone(),
        completed: todo.completed,
        created_at: todo.created_at,
        updated_at: todo.updated_at,
    }
}

#[derive(Insertable)]
#[diesel(table_name = imported_tasks)]
struct Mark<'a> {
    user_id: &'a str,
    source: &'a str,
    source_id: &'a str,
}

/// Inserts all that can be inserted, in one transaction; one outcome for each. If they are to be remembered, who was
/// deleted here since an earlier time is not taken.
pub(super) fn take_people(
    connection: &mut DbConnection,
    people: &[Person],
    remember: bool,
) -> Result<Vec<Outcome>, DbError> {
    let outcomes = write_transaction(connection, |connection| {
        let ids: Vec<_> = people.iter().map(|person| person.id.as_str()).collect();
        let emails = people.iter().map(|person| &person.email);
        let older = emails.clone().filter_map(Email::with_u_labels);
        let emails: Vec<_> = older
            .chain(emails.map(|email| email.as_str().to_owned()))
            .collect();
        let mut known = Known::default();
        let same = users::id.eq_any(&ids).or(users::email.eq_any(&emails));
        let rows = users::table.filter(same).select((users::id, users::email));
        for (id, email) in rows.load::<(String, String)>(connection)? {
            known.add(id, canonical(email));
        }
        if remember {
            let before = imported_users::table.select(imported_users::id);
            let before = before.filter(imported_users::id.eq_any(&ids));
            known.before.extend(before.load::<String>(connection)?);
        }
        let mut new = Vec::with_capacity(people.len());
        let outcomes = people.iter().map(|person| {
            let outcome = known.judge(person);
            if matches!(outcome, Outcome::Taken) {
                known.add(person.id.clone(), person.email.as_str().to_owned());
                new.push(new_user(person));
            }
            outcome
        });
        let outcomes = outcomes.collect();
        on_either_engine!(connection, |either| diesel::insert_into(users::table)
            .values(&new)
            .execute(either))?;
        if remember {
            let marks = new.iter().map(|user| imported_users::id.eq(&user.id));
            let marks: Vec<_> = marks.collect();
            on_either_engine!(connection, |either| {
                let mark = diesel::insert_into(imported_users::table);
                mark.values(&marks).execute(either)
            })?;
        }
        Ok(outcomes)
    });
    outcomes.map_err(|error| diagnose(connection, error))
}

/// The users there are, as far as they matter to a batch.
#[derive(Default)]
struct Known {
    email_of: HashMap<String, String>,
    id_of: HashMap<String, String>,
    /// Who came at an earlier time.
    before: HashSet<String>,
}

impl Known {
    fn add(&mut self, id: String, email: String) {
        self.id_of.insert(email.clone(), id.clone());
        self.email_of.insert(id, email);
    }

    fn judge(&self, person: &Person) -> Outcome {
        let email = person.email.as_str();
        match (self.email_of.get(&person.id), self.id_of.get(email)) {
            (Some(theirs), _) if theirs == email => Outcome::Here,
            (Some(_), _) => {
                Outcome::Refused("its id is that of a user with another email here".to_owned())
            }
            (None, Some(id)) => {
                Outcome::Refused(format!("its email is that of the user {id:?} here"))
            }
            (None, None) if self.before.contains(&person.id) => {
                Outcome::Refused("its account was deleted here after an earlier import".to_owned())
            }
            (None, None) => Outcome::Taken,
        }
    }
}

/// As [`take_people`]. A task that came from `source` before is here already, even if it was changed or deleted since.
pub(super) fn take_todos(
    connection: &mut DbConnection,
    source: &str,
    todos: &[Todo],
) -> Result<Vec<Outcome>, DbError> {
    let outcomes = write_transaction(connection, |connection| {
        let owners = owners(connection, todos)?;
        let mut here = here(connection, source, todos)?;
        let mut outcomes = Vec::with_capacity(todos.len());
        let (mut new, mut marks) = (Vec::new(), Vec::new());
        for todo in todos {
            let key = (todo.user_id.clone(), todo.id.clone());
            let outcome = if owners.get(&todo.user_id) != Some(&todo.user_email) {
                Outcome::Refused("its owner is not among the users here".to_owned())
            } else if here.insert(key) {
                new.push(new_task(todo));
                marks.push(Mark {
                    user_id: &todo.user_id,
                    source,
                    source_id: &todo.id,
                });
                Outcome::Taken
            } else {
                Outcome::Here
            };
            outcomes.push(outcome);
        }
        on_either_engine!(connection, |either| {
            let tasks = diesel::insert_into(tasks::table).values(&new);
            let marks = diesel::insert_into(imported_tasks::table).values(&marks);
            tasks.execute(either).and_then(|_| marks.execute(either))
        })?;
        Ok(outcomes)
    });
    outcomes.map_err(|error| diagnose(connection, error))
}

/// The emails of the owners, by their ids.
fn owners(connection: &mut DbConnection, todos: &[Todo]) -> QueryResult<HashMap<String, String>> {
    let ids: HashSet<_> = todos.iter().map(|todo| todo.user_id.as_str()).collect();
    let rows = users::table
        .filter(users::id.eq_any(ids))
        .select((users::id, users::email))
        .load::<(String, String)>(connection)?;
    let rows = rows.into_iter();
    Ok(rows.map(|(id, email)| (id, canonical(email))).collect())
}

/// Owners and ids of the tasks that came before, or that were written here and now come home.
fn here(
    connection: &mut DbConnection,
    source: &str,
    todos: &[Todo],
) -> QueryResult<HashSet<(String, String)>> {
    let ids: HashSet<_> = todos.iter().map(|todo| todo.id.as_str()).collect();
    let owners: HashSet<_> = todos.iter().map(|todo| todo.user_id.as_str()).collect();
    let marks = imported_tasks::table
        .filter(imported_tasks::user_id.eq_any(owners))
        .filter(imported_tasks::source.eq(source))
        .filter(imported_tasks::source_id.eq_any(ids))
        .select((imported_tasks::user_id, imported_tasks::source_id))
        .load::<(String, String)>(connection)?;
    let mut here: HashSet<_> = marks.into_iter().collect();
    if source == super::json::SOURCE {
        here.extend(at_home(connection, todos)?);
    }
    Ok(here)
}

fn at_home(connection: &mut DbConnection, todos: &[Todo]) -> QueryResult<Vec<(String, String)>> {
    let numbered = |todo: &Todo| todo.id.parse().ok().map(|id: i64| (id, todo.created_at));
    let wanted: HashSet<_> = todos.iter().filter_map(numbered).collect();
    let rows = tasks::table
        .filter(tasks::id.eq_any(wanted.iter().map(|(id, _)| *id)))
        .select((tasks::id, tasks::user_id, tasks::created_at))
        .load::<(i64, String, Timestamp)>(connection)?;
    let same = rows
        .into_iter()
        .filter(|(id, _, created_at)| wanted.contains(&(*id, *created_at)))
        .map(|(id, user_id, _)| (user_id, id.to_string()));
    Ok(same.collect())
}
