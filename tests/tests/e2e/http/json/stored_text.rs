//! Tests that text in JSON is stored and returned exactly as sent.

use e2e::{App, on_both_engines};
use serde_json::json;

on_both_engines! {
    titles_descriptions_names_and_images_are_returned_exactly_as_sent,
    escapes_and_plain_characters_are_the_same_text,
}

const TEXTS: &[&str] = &[
    "Käse, Brötchen & Straße",
    // Precomposed and combining characters. The two texts that look like `café` stay different.
    "caf\u{e9}",
    "cafe\u{301}",
    "Z\u{351}\u{36b}\u{343}a\u{349}\u{32f}l\u{35a}g\u{300}o\u{301}",
    // Right-to-left text, with direction marks.
    "שָׁלוֹם עֲלֵיכֶם",
    "مرحبا \u{202b}abc\u{202c} بالعالم",
    "\u{200f}א\u{200e}",
    // Text in Asian scripts.
    "日本語とかな、ｶﾅ",
    "한국어 \u{1112}\u{1161}\u{11ab}",
    "ไทย हिन्दी தமிழ்",
    // Characters of four bytes in UTF-8, and emoji that consist of several characters.
    "😀🎉",
    "👩🏽‍🚀👨‍👩‍👧‍👦🏳️‍🌈🇩🇪",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𒀀 𠜎",
    // The replacement character, noncharacters, a private-use character, and invisible characters.
    "\u{fffd}\u{fffe}\u{e000}\u{10ffff}",
    "a\u{200b}b\u{feff}c\u{2028}d\u{2029}e",
    // Control characters.
    "a\u{1}\u{8}\u{b}\u{c}\u{1b}[31m\u{7f}\u{85}b",
    "a\tb\nc\r\nd",
    // Text that is code in some language.
    r#"\ " ' ` / \\ \n \u0041 %s %00 &amp; <script>alert(1)</script>"#,
    "'; DROP TABLE users; --",
    "${jndi:ldap://x} {{7*7}} #{1} $1 ? :a @b",
    "null",
    // Letters with unusual upper and lower case.
    "İIıi ẞß ﬁ Ǆ",
];

async fn titles_descriptions_names_and_images_are_returned_exactly_as_sent(app: App) {
    let ada = app.user("ada").await;
    let mut expected_tasks = Vec::new();
    for text in TEXTS {
        let body = json!({ "title": text, "description": text });
        let task = ada.post("/api/tasks", body).await.created();
        assert_eq!(task["title"], *text);
        assert_eq!(task["description"], *text);
        expected_tasks.insert(0, task);

        let body = json!({ "name": text, "image": text });
        let account = ada.patch("/api/auth/account", body).await.ok();
        assert_eq!(account["name"], *text);
        assert_eq!(account["image"], *text);
        assert_eq!(ada.get("/api/auth/account").await.ok(), account);
    }
    assert_eq!(ada.all_tasks().await, json!(expected_tasks));
    for task in expected_tasks {
        assert_eq!(ada.get(&ada.task(&task["id"])).await.ok(), task);
    }
}

async fn escapes_and_plain_characters_are_the_same_text(app: App) {
    let ada = app.user("ada").await;
    let body = r#"{"title":"\u00e9\ud83d\ude00\/\"\\ \u0041","description":"\b\f\n\r\t"}"#;
    let task = ada.post("/api/tasks", body).await.created();
    assert_eq!(task["title"], "é😀/\"\\ A");
    assert_eq!(task["description"], "\u{8}\u{c}\n\r\t");
}
