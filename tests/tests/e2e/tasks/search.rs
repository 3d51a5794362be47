//! Tests searches: `GET /api/{user_id}/tasks?q=…`.

use std::time::{Duration, Instant};

use e2e::{App, Client, on_both_engines};
use serde_json::{Value, json};

use super::insert_tasks;

on_both_engines! {
    a_search_covers_title_and_description,
    a_search_ignores_case,
    a_search_ignores_case_beyond_ascii,
    a_search_finds_the_exact_text_in_any_script,
    wildcards_are_ordinary_characters,
    quotes_are_ordinary_characters,
    an_empty_search_finds_every_task,
    a_search_text_has_at_most_200_characters,
    a_search_combines_with_the_filters_completed_and_limit,
    a_hostile_search_takes_less_than_eight_times_as_long_as_a_plain_search,
    a_letter_that_is_longer_in_lower_case_is_found,
}

/// Percent-encodes every byte of a text.
fn percent_encode(text: &str) -> String {
    let encoded_bytes = text.bytes().map(|byte| format!("%{byte:02x}"));
    encoded_bytes.collect::<Vec<_>>().concat()
}

/// Returns the titles that a search finds, oldest first.
async fn search_titles(client: &Client, text: &str) -> Vec<String> {
    let response = client
        .get(&format!("/api/tasks?q={}", percent_encode(text)))
        .await;
    let mut tasks: Vec<_> = response.ok().as_array().unwrap().clone();
    tasks.reverse();
    let to_title = |task: &serde_json::Value| task["title"].as_str().unwrap().to_owned();
    tasks.iter().map(to_title).collect()
}

async fn a_search_covers_title_and_description(app: App) {
    let ada = app.user("ada").await;
    for (title, description) in [
        ("Buy milk", None),
        ("Shop", Some("for milk")),
        ("Sleep", None),
    ] {
        let body = json!({ "title": title, "description": description });
        ada.post("/api/tasks", body).await.created();
    }
    assert_eq!(search_titles(&ada, "milk").await, ["Buy milk", "Shop"]);
    assert_eq!(search_titles(&ada, "buy m").await, ["Buy milk"]);
    assert_eq!(search_titles(&ada, "e").await, ["Sleep"]);
    assert!(search_titles(&ada, "milkshop").await.is_empty());
}

async fn a_search_ignores_case(app: App) {
    let ada = app.user("ada").await;
    ada.new_task("Buy MILK").await;
    for text in ["Buy MILK", "buy milk", "BUY MILK", "mIlK"] {
        assert_eq!(search_titles(&ada, text).await, ["Buy MILK"], "{text}");
    }
}

async fn a_search_ignores_case_beyond_ascii(app: App) {
    let ada = app.user("ada").await;
    for title in ["Étude", "ПРИВЕТ", "Ωmega"] {
        ada.new_task(title).await;
    }
    for (text, title) in [("étude", "Étude"), ("Привет", "ПРИВЕТ"), ("ωMEGA", "Ωmega")]
    {
        assert_eq!(search_titles(&ada, text).await, [title], "{text}");
    }
}

async fn a_search_finds_the_exact_text_in_any_script(app: App) {
    let ada = app.user("ada").await;
    let titles = [
        "Étude",
        "ΟΔΟΣ",
        "ΟΔΟΣΑ",
        "İstanbul",
        "ẞ",
        "Straße",
        "買い物",
        "שלום",
        "😀👍🏽",
        "e\u{301}",
    ];
    for title in titles {
        ada.new_task(title).await;
    }
    for title in titles {
        assert!(
            search_titles(&ada, title).await.contains(&title.to_owned()),
            "{title}"
        );
    }
    // The lower-case form of Σ is ς at the end of a word and σ elsewhere. The search finds both words.
    assert_eq!(search_titles(&ada, "ΟΔΟΣ").await, ["ΟΔΟΣ", "ΟΔΟΣΑ"]);
}

async fn wildcards_are_ordinary_characters(app: App) {
    let ada = app.user("ada").await;
    let titles = [
        "50% off",
        "50 off",
        "snake_case",
        "snakeXcase",
        r"C:\temp",
        "C:temp",
        r"\%",
    ];
    for title in titles {
        ada.new_task(title).await;
    }
    for (text, expected) in [
        ("%", vec!["50% off", r"\%"]),
        ("0% o", vec!["50% off"]),
        ("_", vec!["snake_case"]),
        ("e_c", vec!["snake_case"]),
        (r"\", vec![r"C:\temp", r"\%"]),
        (r":\t", vec![r"C:\temp"]),
        (r"\%", vec![r"\%"]),
        (r"\_", vec![]),
        ("%%", vec![]),
        ("*", vec![]),
    ] {
        assert_eq!(search_titles(&ada, text).await, expected, "{text}");
    }
}

async fn quotes_are_ordinary_characters(app: App) {
    let ada = app.user("ada").await;
    let titles = [
        "it's",
        r#"say "hi""#,
        "'; DROP TABLE tasks; --",
        "a\nb",
        "1 OR 1=1",
    ];
    for title in titles {
        ada.new_task(title).await;
    }
    for title in titles {
        assert_eq!(search_titles(&ada, title).await, [title]);
    }
    assert_eq!(
        search_titles(&ada, "'").await,
        ["it's", "'; DROP TABLE tasks; --"]
    );
    assert!(search_titles(&ada, "' OR '1'='1").await.is_empty());
}

async fn an_empty_search_finds_every_task(app: App) {
    let ada = app.user("ada").await;
    ada.new_task("a").await;
    assert_eq!(search_titles(&ada, "").await, ["a"]);
    assert_eq!(ada.get("/api/tasks?q").await.ok(), ada.all_tasks().await);
}

async fn a_search_text_has_at_most_200_characters(app: App) {
    let ada = app.user("ada").await;
    let title = "é".repeat(200);
    ada.new_task(&title).await;
    for length in [199, 200] {
        let found_titles = search_titles(&ada, &"é".repeat(length)).await;
        assert_eq!(found_titles, [title.as_str()]);
    }
    let too_long_text = percent_encode(&"é".repeat(201));
    let refused = ada.get(&format!("/api/tasks?q={too_long_text}")).await;
    refused.invalid("q", "too_long", "must be at most 200 characters");
    let refused = ada.get("/api/tasks?q=a%00b").await;
    let message = "must not contain the NUL character";
    refused.invalid("q", "invalid_character", message);
}

async fn a_search_combines_with_the_filters_completed_and_limit(app: App) {
    let (ada, eve) = (app.user("ada").await, app.user("eve").await);
    eve.new_task("Buy milk").await;
    let (open_task, second_task) = (ada.new_task("milk 1").await, ada.new_task("milk 2").await);
    ada.new_task("bread").await;
    let complete_path = format!("{}/complete", ada.task(&second_task["id"]));
    let finished_task = ada.request("PATCH", &complete_path).await.ok();
    let found_tasks = ada.get("/api/tasks?q=milk").await.ok();
    assert_eq!(found_tasks, json!([finished_task, open_task]));
    let found_open_tasks = ada.get("/api/tasks?q=milk&completed=false").await.ok();
    assert_eq!(found_open_tasks, json!([open_task]));
    let first_found_task = ada.get("/api/tasks?q=milk&limit=1").await.ok();
    assert_eq!(first_found_task, json!([finished_task]));
}

/// Searches for a text that no task contains. Returns how long the search took.
async fn search_time(client: &Client, text: &str) -> Duration {
    let started = Instant::now();
    let found_tasks = client.get(&format!("/api/tasks?q={text}")).await.ok();
    assert_eq!(found_tasks, Value::Array(Vec::new()), "{text}");
    started.elapsed()
}

async fn a_hostile_search_takes_less_than_eight_times_as_long_as_a_plain_search(app: App) {
    let ada = app.user("ada").await;
    insert_tasks(&app, &ada, 300, &"a".repeat(10_000));
    let text_with_b_at_the_end = format!("{}b", "a".repeat(199));
    let text_with_b_at_the_start = format!("b{}", "a".repeat(199));
    let text_with_b_in_the_middle = format!("{}b{}", "a".repeat(99), "a".repeat(100));
    for text in [
        &text_with_b_at_the_end,
        &text_with_b_at_the_start,
        &text_with_b_in_the_middle,
    ] {
        let mut ratios = Vec::new();
        // Takes the least of five ratios, because other processes may slow down some of the searches.
        for _ in 0..5 {
            let plain_time = search_time(&ada, "bread").await;
            ratios.push(search_time(&ada, text).await.as_secs_f64() / plain_time.as_secs_f64());
        }
        let least_ratio = ratios.iter().copied().fold(f64::INFINITY, f64::min);
        assert!(least_ratio < 8.0, "{text}: {ratios:?}");
    }
}

async fn a_letter_that_is_longer_in_lower_case_is_found(app: App) {
    let ada = app.user("ada").await;
    let title = "İ".repeat(200);
    let task = ada.new_task(&title).await;
    for text in ["%C4%B0".repeat(200), "i%CC%87".repeat(100)] {
        let found_tasks = ada.get(&format!("/api/tasks?q={text}")).await.ok();
        assert_eq!(found_tasks, Value::from(vec![task.clone()]));
    }
}
