//! Tests the endpoints for tasks. Each file has the name of the file in `api-server/src/tasks/` that it tests.

mod complete;
mod create;
mod item;
mod list;
mod page;
mod quota;
mod search;
mod store;

use e2e::{App, Client};

/// Returns the three URL paths of a user's list of tasks.
fn base_paths(client: &Client) -> [String; 3] {
    let aliases = ["/api/tasks", "/api/v1/tasks"].map(ToOwned::to_owned);
    let [short_path, versioned_path] = aliases;
    [client.tasks(), short_path, versioned_path]
}

/// Adds `count` tasks with this description directly in the database, which is faster than requests.
fn insert_tasks(app: &App, client: &Client, count: usize, description: &str) {
    let row = format!(
        "('{}', 'Buy milk', '{description}', false, '2026-11-20 12:00:00', '2026-11-20 12:00:00')",
        client.id()
    );
    let mut session = app.database().open_session();
    for rows in vec![row; count].chunks(100) {
        session.execute(&format!(
            "INSERT INTO tasks (user_id, title, description, completed, created_at, updated_at) VALUES {}",
            rows.join(", ")
        ));
    }
}
