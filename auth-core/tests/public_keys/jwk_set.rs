//! Tests JWK Set documents: what is used of them, what is skipped, and what makes a whole document unusable.

use auth_core::public_key::{
    Algorithm, JwkSet, KeySet, MAX_DOCUMENT_BYTES, MAX_KEYS, PublicKey, SkippedKey,
};
use serde_json::{Value, json};

use crate::fixtures::{invalid_key, public_key};

fn jwk(key_id: &str) -> Value {
    let mut jwk: Value = serde_json::from_str(&public_key(Algorithm::EdDsa).to_jwk()).unwrap();
    jwk["kid"] = key_id.into();
    jwk
}

fn parse(keys: &[Value]) -> JwkSet {
    JwkSet::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}

/// Parses a document with a valid key and this one. Asserts that only the valid one is used. Returns the other.
fn skipped(other_key: &str) -> SkippedKey {
    let document = format!(r#"{{"keys":[{other_key},{}]}}"#, jwk("valid"));
    let set = JwkSet::parse(document.as_bytes()).unwrap();
    let key_ids: Vec<&str> = set.keys().iter().map(PublicKey::key_id).collect();
    assert_eq!(key_ids, ["valid"], "{other_key}");
    let [skipped] = set.skipped() else {
        panic!("one key is skipped: {other_key}");
    };
    assert_eq!(skipped.index, 0);
    skipped.clone()
}

#[test]
fn a_bad_key_is_skipped_and_the_others_are_used() {
    for (other_key, expected) in [
        (
            r#"{"kty":"EC","crv":"P-521","kid":"a","x":"AA","y":"AA"}"#,
            "`crv`",
        ),
        (r#"{"kty":"EC","crv":"secp256k1","kid":"a"}"#, "`crv`"),
        (
            r#"{"kty":"AKP","alg":"ML-DSA-44","kid":"a","pub":"AA"}"#,
            "not supported",
        ),
        (
            r#"{"kty":"oct","kid":"a","k":"-ebuDNsVZ2iJtoZ-akfXTSCt4UO2cruLCsbWlBinggE"}"#,
            "secret",
        ),
        (
            r#"{"kty":"OKP","crv":"X25519","kid":"a","use":"enc"}"#,
            "`use`",
        ),
        (r#"{"kid":"a"}"#, "not supported"),
        ("{}", "not supported"),
        ("[]", "not one JSON object"),
        ("7", "not one JSON object"),
        ("null", "not one JSON object"),
        ("\"\"", "not one JSON object"),
        (r#"{"kid":"a","kty":1e999}"#, "not text"),
        (r#"{"kid":7,"kty":"OKP"}"#, "not text"),
        (r#"{"kid":null,"kty":"OKP"}"#, "not text"),
        (r#"{"kid":"a","kid":"b"}"#, "twice"),
        (r#"{"kid":"\ud800"}"#, "not text"),
        (r#"{"kty":"OKP","key_ops":"verify"}"#, "`key_ops`"),
    ] {
        let reason = skipped(other_key).reason.to_string();
        assert!(reason.contains(expected), "{other_key}: {reason}");
    }
}

#[test]
fn a_deeply_nested_key_is_skipped() {
    let nested = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let set = JwkSet::parse(format!(r#"{{"keys":[{nested},{}]}}"#, jwk("a")).as_bytes());
    assert_eq!(set.unwrap().keys().len(), 1);
    let in_member = format!(r#"{{"kid":"b","x5c":{nested}}}"#);
    assert!(
        skipped(&in_member)
            .reason
            .to_string()
            .contains("not supported")
    );
}

#[test]
fn a_key_without_id_is_skipped_because_no_token_can_name_it() {
    let mut nameless = jwk("");
    nameless.as_object_mut().unwrap().remove("kid");
    let reason = skipped(&nameless.to_string()).reason.to_string();
    assert!(reason.contains("has no `kid`"), "{reason}");
    assert!(
        skipped(&jwk("").to_string())
            .reason
            .to_string()
            .contains("empty")
    );
}

#[test]
fn keys_of_one_id_are_all_skipped_even_if_one_is_unusable() {
    let set = parse(&[
        jwk("a"),
        jwk("b"),
        jwk("a"),
        jwk("c"),
        json!({ "kid": "c" }),
    ]);
    let key_ids: Vec<&str> = set.keys().iter().map(PublicKey::key_id).collect();
    assert_eq!(key_ids, ["b"]);
    let reasons: Vec<String> = set.skipped().iter().map(ToString::to_string).collect();
    assert_eq!(reasons.len(), 4);
    let duplicate = "another key of the document has the same `kid`; neither is used";
    assert_eq!(reasons[0], format!(r#"key 0 (kid "a"): {duplicate}"#));
    assert_eq!(reasons[1], format!(r#"key 2 (kid "a"): {duplicate}"#));
    assert_eq!(reasons[2], format!(r#"key 3 (kid "c"): {duplicate}"#));
}

#[test]
fn the_report_is_one_line_of_log_for_each_key() {
    let report = skipped(r#"{"kid":"a\nb\u001b[31m","kty":"oct"}"#).to_string();
    assert_eq!(
        report,
        r#"key 0 (kid "a\nb\u{1b}[31m"): the key is a secret (`oct`); a set of public keys must not contain it"#
    );
    let nameless = skipped("7").to_string();
    assert_eq!(nameless, "key 0: the key is not one JSON object");
}

#[test]
fn other_members_of_the_document_are_ignored() {
    let document = format!(r#" {{"a":null,"keys":[{}],"b":[{{}}]}} "#, jwk("a"));
    assert_eq!(JwkSet::parse(document.as_bytes()).unwrap().keys().len(), 1);
}

#[test]
fn a_document_that_is_no_key_set_is_an_error() {
    let key = jwk("a").to_string();
    for document in [
        String::new(),
        "<html>".to_owned(),
        "{}".to_owned(),
        "[]".to_owned(),
        format!("[[{key}]]"),
        format!("[{key}]"),
        key.clone(),
        r#"{"keys":{}}"#.to_owned(),
        r#"{"keys":null}"#.to_owned(),
        format!(r#"{{"keys":[{key}],"keys":[]}}"#),
        format!(r#"{{"keys":[{key}]}}x"#),
        format!(r#"{{"keys":[{key},]}}"#),
        format!(r#"{{"keys":[{key}]"#),
        format!("\u{feff}{{\"keys\":[{key}]}}"),
    ] {
        let text = invalid_key(JwkSet::parse(document.as_bytes()));
        assert!(text.contains("not a JWK Set"), "{document}");
    }
    assert!(JwkSet::parse(b"{\"keys\":[],\"a\":\"\xff\"}").is_err());
}

#[test]
fn a_document_has_at_most_1_mib() {
    let document = json!({ "keys": [jwk("a")] }).to_string();
    let with_length = |length: usize| format!("{document}{}", " ".repeat(length - document.len()));
    assert!(JwkSet::parse(with_length(MAX_DOCUMENT_BYTES).as_bytes()).is_ok());
    let result = JwkSet::parse(with_length(MAX_DOCUMENT_BYTES + 1).as_bytes());
    assert!(invalid_key(result).contains("longer than 1 MiB"));
}

#[test]
fn a_document_has_at_most_64_keys_used_or_not() {
    let numbered = |count: usize| -> Vec<Value> {
        (0..count).map(|number| jwk(&number.to_string())).collect()
    };
    assert_eq!(parse(&numbered(MAX_KEYS)).keys().len(), 64);
    for keys in [
        numbered(MAX_KEYS + 1),
        numbered(1000),
        vec![json!({}); 65],
        vec![json!(7); 100_000],
    ] {
        let document = json!({ "keys": keys }).to_string();
        let text = invalid_key(JwkSet::parse(document.as_bytes()));
        assert!(text.contains("more than 64 keys"));
    }
}

#[test]
fn a_document_without_usable_key_is_no_key_set() {
    for keys in [
        &[] as &[Value],
        &[json!({ "kty": "oct", "kid": "a", "k": "AA" })],
    ] {
        let document = json!({ "keys": keys }).to_string();
        assert!(
            JwkSet::parse(document.as_bytes())
                .unwrap()
                .keys()
                .is_empty()
        );
        let text = invalid_key(KeySet::from_jwks(document.as_bytes()));
        assert!(text.contains("at least one usable key"));
    }
}
