mod change;
mod create;
mod fair;
mod limit;
mod list;
mod long_pages;
mod one;
mod pages;
mod replace;
mod search;
mod toggle;

/// The three addresses of somebody's tasks.
fn bases(client: &e2e::Client) -> [String; 3] {
    let aliases = ["/api/tasks", "/api/v1/tasks"].map(ToOwned::to_owned);
    let [short, versioned] = aliases;
    [client.tasks(), short, versioned]
}
