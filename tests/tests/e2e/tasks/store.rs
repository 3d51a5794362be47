//! Tests the query plan of PostgreSQL for a list of tasks if one user has most of the tasks.

use e2e::{App, on_postgres};

on_postgres! {
    a_list_uses_the_index_even_if_another_user_has_most_of_the_tasks,
}

/// If one user has most of the tasks, the planner's own estimate would favor a scan of the tasks of all users. A
/// setting in the migration (`n_distinct`) makes the planner use the index.
async fn a_list_uses_the_index_even_if_another_user_has_most_of_the_tasks(app: App) {
    let ada = app.user("ada").await;
    let busy_user = app.user("busy").await;
    ada.new_task("Buy tea").await;
    let mut session = app.database().open_session();
    session.execute(&format!(
        "INSERT INTO tasks (user_id, title, completed, created_at, updated_at)
         SELECT '{}', 'Buy milk', false, now(), now() FROM generate_series(1, 20000);
         ANALYZE tasks;
         SET plan_cache_mode = force_generic_plan;
         PREPARE page (text, bigint, bigint) AS
             SELECT title FROM tasks WHERE user_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3;
         CREATE FUNCTION plan() RETURNS text LANGUAGE plpgsql AS $$
         DECLARE line text; plan text := '';
         BEGIN
             FOR line IN EXECUTE 'EXPLAIN EXECUTE page (''{}'', 9223372036854775807, 101)'
             LOOP plan := plan || line; END LOOP;
             RETURN plan;
         END $$",
        busy_user.id(),
        ada.id(),
    ));
    let plan = session.value("SELECT plan()").unwrap();
    assert!(plan.contains("tasks_user_id_id"), "{plan}");
    assert!(!plan.contains("tasks_pkey"), "{plan}");
}
