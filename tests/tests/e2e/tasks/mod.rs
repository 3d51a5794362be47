//! The addresses of tasks: a file for each, as in `api-server/src/tasks/`.

mod complete;
mod create;
mod item;
mod item_patch;
mod item_put;
mod list;
mod page;
mod page_size;
mod quota;
mod search;

/// The three addresses of a user's tasks.
fn bases(client: &e2e::Client) -> [String; 3] {
    let aliases = ["/api/tasks", "/api/v1/tasks"].map(ToOwned::to_owned);
    let [short, versioned] = aliases;
    [client.tasks(), short, versioned]
}
