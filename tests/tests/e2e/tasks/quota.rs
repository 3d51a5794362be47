//! Tests the setting `MAX_TASKS_PER_USER`, which limits the tasks of an account.

use e2e::{App, Client, Engine, on_both_engines};
use futures_util::future::join_all;
use serde_json::{Value, json};

on_both_engines! {
    the_setting_limits_the_tasks_of_an_account,
    of_twenty_parallel_creations_only_the_seven_that_fit_succeed,
    an_account_above_the_limit_reads_changes_and_deletes_its_tasks,
    a_token_without_an_account_adds_no_task,
    the_limit_is_exact_where_the_server_begins_to_add_tasks_one_at_a_time,
}

async fn app_with_limit(engine: Engine, limit: &str) -> (App, Client) {
    let app = App::on(engine).set("max-tasks-per-user", limit).start();
    let ada = app.user("ada").await;
    (app, ada)
}

fn task_body() -> Value {
    json!({ "title": "Buy milk" })
}

async fn assert_limit_reached(client: &Client, limit: &str) {
    let refused = client.post("/api/tasks", task_body()).await;
    let problem = refused.problem(409, "TASK_LIMIT_REACHED");
    let detail =
        format!("This account has reached its limit of tasks ({limit}); delete some to add more");
    assert_eq!(problem["detail"], detail.as_str());
}

/// Adds tasks directly in the database, as an import does.
fn import_tasks(app: &App, client: &Client, count: usize) {
    let row = format!(
        "('{}', 'Buy milk', false, '2026-11-20 12:00:00', '2026-11-20 12:00:00')",
        client.id()
    );
    let rows = vec![row; count].join(", ");
    app.database().execute(&format!(
        "INSERT INTO tasks (user_id, title, completed, created_at, updated_at) VALUES {rows}"
    ));
}

async fn the_setting_limits_the_tasks_of_an_account(engine: Engine) {
    let (app, ada) = app_with_limit(engine, "3").await;
    for _ in 0..3 {
        ada.post("/api/tasks", task_body()).await.created();
    }
    assert_limit_reached(&ada, "3").await;
    // The limit applies to each account separately.
    app.user("eve").await.new_task("Buy tea").await;
    let newest_id = ada.all_tasks().await[0]["id"].clone();
    ada.delete(&ada.task(&newest_id)).await.ok();
    ada.post("/api/tasks", task_body()).await.created();
    assert_limit_reached(&ada, "3").await;
}

async fn of_twenty_parallel_creations_only_the_seven_that_fit_succeed(engine: Engine) {
    let (app, ada) = app_with_limit(engine, "15").await;
    let other_process = app
        .another_process()
        .set("max-tasks-per-user", "15")
        .start();
    let ada_on_other_process = other_process.bearer(ada.token());
    import_tasks(&app, &ada, 8);
    let creations = (0..20).map(|number| {
        let client = if number % 2 == 0 {
            &ada
        } else {
            &ada_on_other_process
        };
        client.post("/api/tasks", task_body()).into_future()
    });
    let mut added_count = 0;
    for response in join_all(creations).await {
        if response.status() == 201 {
            added_count += 1;
        } else {
            response.problem(409, "TASK_LIMIT_REACHED");
        }
    }
    assert_eq!(added_count, 7);
    assert_eq!(ada.all_tasks().await.as_array().unwrap().len(), 15);
}

async fn an_account_above_the_limit_reads_changes_and_deletes_its_tasks(engine: Engine) {
    let (app, ada) = app_with_limit(engine, "2").await;
    import_tasks(&app, &ada, 5);
    assert_limit_reached(&ada, "2").await;
    let tasks = ada.all_tasks().await;
    assert_eq!(tasks.as_array().unwrap().len(), 5);
    let body = json!({ "title": "Buy oat milk" });
    ada.patch(&ada.task(&tasks[0]["id"]), body).await.ok();
    for (deleted_count, task) in tasks.as_array().unwrap().iter().enumerate() {
        if deleted_count < 4 {
            assert_limit_reached(&ada, "2").await;
        }
        ada.delete(&ada.task(&task["id"])).await.ok();
    }
    ada.post("/api/tasks", task_body()).await.created();
}

async fn a_token_without_an_account_adds_no_task(engine: Engine) {
    let (app, _) = app_with_limit(engine, "1").await;
    let caller = app.bearer(app.token_for("unknown", "unknown@example.com"));
    let refused = caller.post("/api/tasks", task_body()).await;
    refused.problem(401, "INVALID_TOKEN");
}

async fn the_limit_is_exact_where_the_server_begins_to_add_tasks_one_at_a_time(engine: Engine) {
    // With a limit of 200, the server adds the tasks of an account one at a time from 136 tasks on (200 − 64).
    for task_count in [135, 136, 137] {
        let (app, ada) = app_with_limit(engine, "200").await;
        // After 64 additions the server counts the tasks, and remembers 64. The deletions below make this count too
        // high.
        for _ in 0..66 {
            ada.post("/api/tasks", task_body()).await.created();
        }
        for task in ada.all_tasks().await.as_array().unwrap().iter().take(6) {
            ada.delete(&ada.task(&task["id"])).await.ok();
        }
        import_tasks(&app, &ada, task_count - 60);
        ada.post("/api/tasks", task_body()).await.created();
        import_tasks(&app, &ada, 200 - task_count - 2);
        ada.post("/api/tasks", task_body()).await.created();
        assert_limit_reached(&ada, "200").await;
    }
}
