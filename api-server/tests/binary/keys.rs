//! Tests `api-server keys derive`, and a service that uses the derived key.

use std::time::SystemTime;

use auth_core::{Error, Keyring, Secret, TokenVerifier};
use serde_json::json;

use harness::{OTHER_SECRET, Outcome, SECRET, WorkDir};

/// The key that another program derived from `SECRET` for the audience `reports`.
const REPORTS_KEY: &str = "wRHinUlIHIwXExCLY4_GxsM9CPd7p1hnz0cA6GmNRks";

fn run_keys_derive(work_dir: &WorkDir, settings: &[(&str, &str)], arguments: &[&str]) -> Outcome {
    let program = work_dir.bare_program().set_all(settings);
    program.args(&["keys", "derive"]).args(arguments).run()
}

/// Asserts that `keys derive` fails, that the error contains `remedy`, and that no file is created.
fn assert_rejected(settings: &[(&str, &str)], arguments: &[&str], remedy: &str) {
    let work_dir = WorkDir::new();
    let outcome = run_keys_derive(&work_dir, settings, arguments);
    outcome.assert_failed(2, &[remedy]);
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
        let outcome = run_keys_derive(&work_dir, settings, &["--audience", "reports"]).succeeded();
        assert_eq!(outcome.stdout, format!("{REPORTS_KEY}\n"));
        assert_eq!(outcome.stderr, "");
    }
    assert_eq!(work_dir.names(), [""; 0]);
}

#[test]
fn the_secret_is_read_from_the_same_places_as_by_the_server() {
    let work_dir = WorkDir::new();
    work_dir.write(".env", format!("AUTH_SECRET='{SECRET}'\n"));
    let outcome = run_keys_derive(&work_dir, &[], &["--audience=reports"]).succeeded();
    assert_eq!(outcome.stdout, format!("{REPORTS_KEY}\n"));

    let work_dir = WorkDir::new();
    work_dir.quick_server().stop();
    let file_content = std::fs::read(work_dir.path("data/auth.db.secret")).unwrap();
    let secret = Secret::new(file_content.trim_ascii()).unwrap();
    let outcome = run_keys_derive(&work_dir, &[], &["--audience=reports"]).succeeded();
    let key = secret.for_audience("reports").unwrap();
    assert_eq!(outcome.stdout.trim_end().as_bytes(), key.expose());
}

#[test]
fn invalid_audiences_are_rejected() {
    let valid_secret = &[("AUTH_SECRET", SECRET)];
    assert_rejected(valid_secret, &["--audience", ""], "--audience: ");
    assert_rejected(valid_secret, &["--audience", " reports"], "white space");
    assert_rejected(
        valid_secret,
        &["--audience", "api"],
        "AUTH_AUDIENCE is our own",
    );
    assert_rejected(valid_secret, &[], "--audience <NAME>");
    let valid_audience = &["--audience", "reports"];
    assert_rejected(&[("AUTH_SECRET", "short")], valid_audience, "AUTH_SECRET: ");
    assert_rejected(&[], valid_audience, "no file data/auth.db.secret");
    let postgres_url = &[("DATABASE_URL", "postgres://ada@127.0.0.1:1/auth")];
    assert_rejected(postgres_url, valid_audience, "is required with PostgreSQL");
    let invalid_url = &[("AUTH_SECRET", SECRET), ("DATABASE_URL", "x")];
    assert_rejected(invalid_url, valid_audience, "DATABASE_URL: ");
}

#[test]
fn a_service_with_its_key_verifies_the_tokens_that_the_server_issues_for_it() {
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
    assert_eq!(claims.email, user.email);
    let result = reports_verifier.verify(&token_for("billing"), now);
    assert_eq!(result, Err(Error::SignatureMismatch));
    let response = server.get("/api/auth/session", &token_for("reports"));
    assert_eq!(response.expect(401)["code"], "INVALID_TOKEN");
}
