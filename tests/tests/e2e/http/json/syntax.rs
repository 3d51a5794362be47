//! Tests bodies that are not JSON, are not an object, or have members of the wrong type.

use std::time::Duration;

use e2e::{App, on_both_engines};
use serde_json::json;

on_both_engines! {
    a_body_that_is_not_json_is_400,
    a_body_that_is_not_an_object_is_400,
    a_value_of_the_wrong_type_is_reported_with_its_field,
    a_duplicate_field_is_reported,
    unknown_fields_are_ignored_at_any_depth,
    no_invalid_body_changes_anything,
}

async fn a_body_that_is_not_json_is_400(app: App) {
    let ada = app.user("ada").await;
    for body in [
        "",
        " ",
        "not JSON",
        "{",
        "{}{}",
        "{} x",
        r#"{"title":"a"}]"#,
        r#"{"title":"a",}"#,
        r#"{"title":'a'}"#,
        r"{title:1}",
        r#"{"title":"a"#,
        r#"{"title":"\x"}"#,
        r#"{"title":"\ud83d"}"#,
        "{\"title\":\"a\nb\"}",
        r#"{"title":NaN}"#,
        r#"{"title":"a","x":01}"#,
        "// comment\n{}",
        "\u{feff}{\"title\":\"a\"}",
    ] {
        let rejection = ada.post("/api/tasks", body).await;
        let problem = rejection.problem(400, "INVALID_JSON");
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail.starts_with("The body is not JSON: "),
            "{body}: {detail}"
        );
    }
    for bytes in [
        b"{\"title\":\"\xff\"}".as_slice(),
        b"\xff\xfe{\0}\0",
        b"{\"\xed\xa0\x80\":1}",
    ] {
        let request = ada.post("/api/tasks", bytes);
        let rejection = request.header("content-type", "application/json").await;
        let problem = rejection.problem(400, "INVALID_JSON");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with("The body is not UTF-8: "), "{detail}");
    }
    let deeply_nested_body = format!(r#"{{"title":"a","x":{}"#, "[".repeat(60_000));
    ada.post("/api/tasks", deeply_nested_body)
        .await
        .problem(400, "INVALID_JSON");
}

async fn a_body_that_is_not_an_object_is_400(app: App) {
    let ada = app.user("ada").await;
    for body in [
        "[]",
        r#"["Buy milk"]"#,
        r#"["Buy milk",null]"#,
        "null",
        "5",
        "true",
        r#""a""#,
    ] {
        let rejection = ada.post("/api/tasks", body).await;
        let problem = rejection.problem(400, "INVALID_REQUEST");
        assert_eq!(problem["detail"], "The body must be a JSON object");
    }
}

async fn a_value_of_the_wrong_type_is_reported_with_its_field(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let path = ada.task(&task["id"]);
    for value in [
        json!(5),
        json!(1.5),
        json!(true),
        json!([]),
        json!({}),
        json!([["a"]]),
    ] {
        for field in ["title", "description"] {
            let rejection = ada.patch(&path, json!({ field: value })).await;
            rejection.invalid(field, "invalid_type", "must be a string");
        }
        for field in ["email", "password", "name"] {
            let request = app
                .anonymous()
                .post("/api/auth/register", json!({ field: value }));
            request
                .await
                .invalid(field, "invalid_type", "must be a string");
        }
    }
    // A text is not accepted as a boolean, not even the text `true`.
    for value in ["true", "expected ", "a, expected b at line 1", "`x`"] {
        let rejection = ada.patch(&path, json!({ "completed": value })).await;
        rejection.invalid("completed", "invalid_type", "must be a boolean");
    }
}

async fn a_duplicate_field_is_reported(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let path = ada.task(&task["id"]);
    for (field, body) in [
        ("title", r#"{"title":"a","title":"b"}"#),
        ("completed", r#"{"completed":true,"completed":false}"#),
        ("completed", r#"{"completed":true,"is_completed":false}"#),
    ] {
        let rejection = ada.patch(&path, body).await;
        rejection.invalid(field, "duplicate", "must be there only once");
    }
    assert_eq!(ada.all_tasks().await, json!([task]));
}

async fn unknown_fields_are_ignored_at_any_depth(app: App) {
    let ada = app.user("ada").await;
    let deep_array = format!("{}{}", "[".repeat(100), "]".repeat(100));
    let body =
        format!(r#"{{"x":{deep_array},"title":"a","":null,"__proto__":{{"y":[1e308,-0]}}}}"#);
    ada.post("/api/tasks", body).await.created();
}

async fn no_invalid_body_changes_anything(app: App) {
    let ada = app.user("ada").await;
    let task = ada.new_task("Buy milk").await;
    let account = ada.get("/api/auth/account").await.ok();
    app.clock.advance(Duration::from_secs(1));
    for body in [
        "",
        "{",
        "[]",
        r#"{"title":5,"name":5}"#,
        r#"{"title":" ","name":"\u0000"}"#,
    ] {
        for request in [
            ada.patch("/api/auth/account", body),
            ada.post("/api/tasks", body),
            ada.put(&ada.task(&task["id"]), body),
            ada.patch(&ada.task(&task["id"]), body),
        ] {
            let status = request.await.status();
            assert!(matches!(status, 400 | 422), "{status}");
        }
    }
    assert_eq!(ada.all_tasks().await, json!([task]));
    assert_eq!(ada.get("/api/auth/account").await.ok(), account);
}
