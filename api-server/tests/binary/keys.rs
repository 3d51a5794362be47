//! Tests `api-server keys derive`, and a service that uses the derived key.

use std::time::{Duration, SystemTime};

use auth_core::revocation::{FeedCredential, FeedTokens};
use auth_core::{Error, Keyring, Secret, Subject, TokenIssuer, TokenVerifier};
use serde_json::json;

use harness::{OTHER_SECRET, Outcome, SECRET, WorkDir};

/// The key that another program derived from `SECRET` for the audience `reports`.
const REPORTS_KEY: &str = "wRHinUlIHIwXExCLY4_GxsM9CPd7p1hnz0cA6GmNRks";
/// The credential for the feed that another program derived from `SECRET` for the name `reports`.
const REPORTS_CREDENTIAL: &str = "feed.reports.FmoGAsjRcunebn7lA0CbB3QEb4Xsu1zeYvJ0aymdtdA";

fn run_keys_derive(work_dir: &WorkDir, settings: &[(&str, &str)], arguments: &[&str]) -> Outcome {
    let program = work_dir.bare_program().set_all(settings);
    program.args(&["keys", "derive"]).args(arguments).run()
}

/// Asserts that `keys derive` fails, that the error message contains `message_part` and not the secret, and that no
/// file is created.
fn assert_rejected(settings: &[(&str, &str)], arguments: &[&str], message_part: &str) {
    let work_dir = WorkDir::new();
    let outcome = run_keys_derive(&work_dir, settings, arguments);
    outcome.assert_failed(2, &[message_part]);
    assert_eq!(outcome.stdout, "");
    assert!(!outcome.stderr.contains(SECRET), "{}", outcome.stderr);
    assert_eq!(work_dir.names(), [""; 0]);
}

#[test]
fn keys_derive_prints_the_key_of_the_service_and_nothing_else() {
    let work_dir = WorkDir::new();
    let secret_setting = ("AUTH_SECRET", SECRET);
    for settings in [
        &[secret_setting][..],
        &[secret_setting, ("AUTH_SECRETS_PREVIOUS", OTHER_SECRET)],
        &[
            secret_setting,
            ("DATABASE_URL", "postgres://ada@127.0.0.1:1/auth"),
        ],
    ] {
        let outcome =
            run_keys_derive(&work_dir, settings, &["--audience", "reports"]).assert_succeeded();
        assert_eq!(outcome.stdout, format!("{REPORTS_KEY}\n"));
        assert_eq!(outcome.stderr, "");
    }
    assert_eq!(work_dir.names(), [""; 0]);
}

#[test]
fn keys_derive_prints_the_credential_of_the_service_for_the_feed() {
    let work_dir = WorkDir::new();
    let settings = &[("AUTH_SECRET", SECRET)];
    let outcome = run_keys_derive(&work_dir, settings, &["--feed", "reports"]).assert_succeeded();
    assert_eq!(outcome.stdout, format!("{REPORTS_CREDENTIAL}\n"));
    assert_eq!(outcome.stderr, "");
    assert_eq!(work_dir.names(), [""; 0]);
}

#[test]
fn a_credential_for_the_feed_opens_the_feed_and_nothing_else() {
    let work_dir = WorkDir::new();
    let program = work_dir.program().with_weak_hashing();
    let server = program.set("AUTH_SECRET", SECRET).start();
    let credential = FeedCredential::parse(REPORTS_CREDENTIAL).unwrap();
    let feed_tokens = FeedTokens::new(credential, "api-server").unwrap();
    let token = feed_tokens.issue(SystemTime::now()).unwrap();
    let page = server.get("/api/auth/revocations", &token).expect(200);
    assert_eq!(page["revocations"], json!([]));
    let user = server.register("ada@example.com", "correct horse battery staple");
    for path in ["/api/auth/session", "/api/auth/sessions", "/api/tasks"] {
        let response = server.get(path, &token).expect(401);
        assert_eq!(response["code"], "INVALID_TOKEN", "{path}");
    }
    let (_, key) = REPORTS_CREDENTIAL.rsplit_once('.').unwrap();
    let keyring = Keyring::new(Secret::new(key).unwrap());
    let issuer = TokenIssuer::new(keyring, "api-server", "api", Duration::from_secs(60)).unwrap();
    let subject = Subject {
        id: "42",
        email: &user.email,
        email_verified: None,
        session_id: "7",
    };
    let forged_token = issuer.issue(&subject, SystemTime::now()).unwrap().token;
    let response = server.get("/api/auth/session", &forged_token).expect(401);
    assert_eq!(response["code"], "INVALID_TOKEN");
}

#[test]
fn keys_derive_reads_the_secret_from_the_same_places_as_the_server() {
    let arguments = &["--audience=reports"];
    let dotenv_folder = WorkDir::new();
    dotenv_folder.write(".env", format!("AUTH_SECRET='{SECRET}'\n"));
    let dotenv_outcome = run_keys_derive(&dotenv_folder, &[], arguments).assert_succeeded();
    assert_eq!(dotenv_outcome.stdout, format!("{REPORTS_KEY}\n"));

    let secret_file_folder = WorkDir::new();
    secret_file_folder.quick_server().stop();
    let file_content = std::fs::read(secret_file_folder.path("data/auth.db.secret")).unwrap();
    let secret = Secret::new(file_content.trim_ascii()).unwrap();
    let file_outcome = run_keys_derive(&secret_file_folder, &[], arguments).assert_succeeded();
    let derived_key = secret.for_audience("reports").unwrap();
    let printed_key = file_outcome.stdout.trim_end();
    assert_eq!(printed_key.as_bytes(), derived_key.expose());
}

#[test]
fn keys_derive_rejects_invalid_arguments_and_settings() {
    let valid_secret = &[("AUTH_SECRET", SECRET)];
    assert_rejected(valid_secret, &["--audience", ""], "--audience: ");
    assert_rejected(valid_secret, &["--audience", " reports"], "white space");
    assert_rejected(
        valid_secret,
        &["--audience", "api"],
        "AUTH_AUDIENCE is our own",
    );
    assert_rejected(valid_secret, &[], "--audience <NAME>");
    let both = &["--audience", "reports", "--feed", "reports"];
    assert_rejected(valid_secret, both, "cannot be used with");
    for name in ["", "a b", "ré", &"r".repeat(65)] {
        assert_rejected(
            valid_secret,
            &["--feed", name],
            "--feed: use a name of 1 to 64",
        );
    }
    assert_rejected(&[], &["--feed", "reports"], "no file data/auth.db.secret");
    let valid_audience = &["--audience", "reports"];
    assert_rejected(&[("AUTH_SECRET", "short")], valid_audience, "AUTH_SECRET: ");
    assert_rejected(&[], valid_audience, "no file data/auth.db.secret");
    let postgres_url = &[("DATABASE_URL", "postgres://ada@127.0.0.1:1/auth")];
    assert_rejected(postgres_url, valid_audience, "is required with PostgreSQL");
    let invalid_url = &[("AUTH_SECRET", SECRET), ("DATABASE_URL", "x")];
    assert_rejected(invalid_url, valid_audience, "DATABASE_URL: ");
}

#[test]
fn a_service_with_a_derived_key_verifies_only_tokens_for_its_audience() {
    let work_dir = WorkDir::new();
    let program = work_dir.program().with_weak_hashing();
    let program = program.set("TOKEN_AUDIENCES", "reports,billing");
    let server = program.set("AUTH_SECRET", SECRET).start();
    let user = server.register("ada@example.com", "correct horse battery staple");
    let token_for = |audience: &str| {
        let body = json!({ "audience": audience });
        let response = server.post("/api/auth/token", &user.token, &body);
        response.expect(200)["access_token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let derived_keyring = Keyring::new(Secret::new(REPORTS_KEY).unwrap());
    let reports_verifier = TokenVerifier::new(derived_keyring, "api-server", "reports").unwrap();
    let now = SystemTime::now();
    let claims = reports_verifier.verify(&token_for("reports"), now).unwrap();
    assert_eq!(claims.email.as_deref(), Some(user.email.as_str()));
    let billing_result = reports_verifier.verify(&token_for("billing"), now);
    assert_eq!(billing_result, Err(Error::SignatureMismatch));
    let response = server.get("/api/auth/session", &token_for("reports"));
    assert_eq!(response.expect(401)["code"], "INVALID_TOKEN");
}
