//! Tests flags, environment variables and `.env`: their settings, which overrides which, and the text of `--help`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use api_server::config::Settings;
use auth_core::public_key::{Algorithm, SigningKey};
use clap::CommandFactory as _;

use harness::{OTHER_SECRET, Outcome, SECRET, WorkDir};

/// The settings, one per line. Columns: flag, environment variable, default (`-` for none), an invalid value, a valid
/// value (`""` for the empty text).
const SETTINGS_TABLE: &str = r#"
    bind                   BIND_ADDR              127.0.0.1:8080         nowhere  127.0.0.1:0
    metrics-addr           METRICS_ADDR           -                      9090     127.0.0.1:0
    database-url           DATABASE_URL           sqlite://data/auth.db  x        sqlite://x.db
    database-pool-size     DATABASE_POOL_SIZE     10                     0        5
    auth-secret            AUTH_SECRET            -                      short    kX3vTq8ZrLw5Yb2Nc7Hd4Gf9Sa1Pm6Je
    auth-secrets-previous  AUTH_SECRETS_PREVIOUS  -                      short    eJ6mP1aS9fG4dH7cN2bY5wLrZ8qTv3Xk
    auth-signing-key       AUTH_SIGNING_KEY       -                      /no/key  key.pem
    auth-verifying-keys    AUTH_VERIFYING_KEYS    -                      /no/key  key.pem,key.pem
    auth-issuer            AUTH_ISSUER            api-server             ""       us
    auth-audience          AUTH_AUDIENCE          api                    ""       them
    token-audiences        TOKEN_AUDIENCES        -                      a,,b     reports
    access-token-ttl       ACCESS_TOKEN_TTL       15m                    soon     1m
    session-ttl            SESSION_TTL            7d                     later    1d
    session-max-ttl        SESSION_MAX_TTL        -                      never    30d
    revocation-stale-after REVOCATION_STALE_AFTER -                      2s       3s
    max-tasks-per-user     MAX_TASKS_PER_USER     10000                  0        1000000
    max-connections        MAX_CONNECTIONS        4096                   0        1000000
    header-timeout         HEADER_TIMEOUT         10s                    0s       2s
    body-timeout           BODY_TIMEOUT           10s                    0s       2s
    idle-timeout           IDLE_TIMEOUT           75s                    0s       2s
    response-timeout       RESPONSE_TIMEOUT       30s                    0s       2s
    max-waiting-hashes     MAX_WAITING_HASHES     1024                   0        2
    max-waiting-hashes-per-network MAX_WAITING_HASHES_PER_NETWORK 56     0        2
    max-waiting-queries    MAX_WAITING_QUERIES    1024                   0        300
    max-waiting-queries-per-account MAX_WAITING_QUERIES_PER_ACCOUNT 256  0        2
    max-failed-logins-per-network MAX_FAILED_LOGINS_PER_NETWORK 300     0        off
    max-registrations-per-network MAX_REGISTRATIONS_PER_NETWORK 300     none     1000
    max-mail-requests-per-network MAX_MAIL_REQUESTS_PER_NETWORK 300     none     1000
    bcrypt-cost            BCRYPT_COST            12                     99       4
    allow-weak-hashing     ALLOW_WEAK_HASHING     false                  perhaps  true
    password-blocklist     PASSWORD_BLOCKLIST     -                      /no/list /dev/null
    tls-cert               TLS_CERT               -                      /no/cert ""
    tls-key                TLS_KEY                -                      /no/key  ""
    shutdown-delay         SHUTDOWN_DELAY         0s                     61s      1500ms
    public-url             PUBLIC_URL             -                      ftp://x  https://x.example
    allowed-origins        ALLOWED_ORIGINS        -                      *        https://y.example
    trusted-proxies        TRUSTED_PROXIES        -                      10.0.0   10.0.0.0/8
    email-verification     EMAIL_VERIFICATION     optional               perhaps  required
    smtp-url               SMTP_URL               -                      mx.x     smtps://mx.example
    mail-from              MAIL_FROM              -                      nobody   no-reply@x.example
    mail-reply-to          MAIL_REPLY_TO          -                      nobody   help@x.example
    mail-templates         MAIL_TEMPLATES         -                      /no/dir  /usr
    better-auth-delete-user BETTER_AUTH_DELETE_USER false             perhaps  true
    pages                  PAGES                  true                   perhaps  false
    log-format             LOG_FORMAT             text                   xml      json
    rust-log               RUST_LOG               info                   a=b=c    warn
    otel-exporter-otlp-endpoint OTEL_EXPORTER_OTLP_ENDPOINT -            nowhere  http://127.0.0.1:9
    otel-exporter-otlp-headers OTEL_EXPORTER_OTLP_HEADERS -              key      key=value
    otel-service-name      OTEL_SERVICE_NAME      api-server             ""       auth
"#;

struct Setting {
    flag: &'static str,
    variable: &'static str,
    default: Option<&'static str>,
    invalid_value: &'static str,
    valid_value: &'static str,
}

fn settings() -> Vec<Setting> {
    let rows = SETTINGS_TABLE.lines().filter(|line| !line.is_empty());
    rows.map(|row| {
        let cells: Vec<_> = row.split_whitespace().collect();
        Setting {
            flag: cells[0],
            variable: cells[1],
            default: Some(cells[2]).filter(|cell| *cell != "-"),
            invalid_value: cells[3].trim_matches('"'),
            valid_value: cells[4].trim_matches('"'),
        }
    })
    .collect()
}

/// The setting that is invalid in every call of [`run`], so that the server never starts.
const ALWAYS_INVALID: &str = "SESSION_TTL";

/// Selects one of the two values of each setting.
#[derive(Clone, Copy)]
enum ValueKind {
    Invalid,
    /// The valid value, except that `ALWAYS_INVALID` gets its invalid value.
    Valid,
}

impl Setting {
    fn value(&self, kind: ValueKind) -> &'static str {
        match kind {
            ValueKind::Valid if self.variable != ALWAYS_INVALID => self.valid_value,
            _ => self.invalid_value,
        }
    }
}

/// Runs the program with values of these kinds in `.env`, in the environment and in flags. `None` sets no value.
fn run(
    dotenv_kind: ValueKind,
    variable_kind: Option<ValueKind>,
    flag_kind: Option<ValueKind>,
) -> Outcome {
    let work_dir = WorkDir::new();
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    work_dir.write_private("key.pem", key.to_pem().unwrap().as_bytes());
    let to_line =
        |setting: &Setting| format!("{}='{}'\n", setting.variable, setting.value(dotenv_kind));
    work_dir.write(".env", settings().iter().map(to_line).collect::<String>());
    let mut program = work_dir.bare_program();
    for setting in settings() {
        if let Some(kind) = variable_kind {
            program = program.set(setting.variable, setting.value(kind));
        }
        if let Some(kind) = flag_kind {
            let flag = format!("--{}", setting.flag);
            program = program.args(&[&flag, setting.value(kind)]);
        }
    }
    program.run()
}

fn rejected_variables(outcome: &Outcome) -> Vec<&str> {
    assert_eq!(outcome.code, Some(2), "{}", outcome.output());
    let messages = outcome
        .stderr
        .lines()
        .filter_map(|line| line.split_once(": "));
    let mut variables: Vec<_> = messages.map(|(variable, _)| variable).collect();
    variables.sort_unstable();
    variables
}

fn all_variables() -> Vec<&'static str> {
    let mut variables: Vec<_> = settings()
        .into_iter()
        .map(|setting| setting.variable)
        .collect();
    variables.sort_unstable();
    variables
}

#[test]
fn flags_variables_and_defaults_are_those_of_the_table() {
    let command = Settings::command();
    let actual: Vec<_> = command
        .get_arguments()
        .map(|argument| {
            let default = argument.get_default_values().first();
            (
                argument.get_long(),
                argument.get_env().and_then(|variable| variable.to_str()),
                default.and_then(|value| value.to_str()),
            )
        })
        .collect();
    let settings = settings();
    let expected = settings
        .iter()
        .map(|setting| (Some(setting.flag), Some(setting.variable), setting.default));
    assert_eq!(actual, expected.collect::<Vec<_>>());
}

#[test]
fn help_documents_every_setting() {
    let work_dir = WorkDir::new();
    for arguments in [
        &["--help"][..],
        &["serve", "--help"],
        &["migrate", "--help"],
    ] {
        let outcome = work_dir
            .bare_program()
            .args(arguments)
            .run()
            .assert_succeeded();
        assert_eq!(outcome.stderr, "");
        // Line breaks become spaces, because their positions do not matter.
        let words: Vec<_> = outcome.stdout.split_whitespace().collect();
        let help = words.join(" ");
        for setting in settings() {
            let found_entry = help.split(" --").find(|entry| {
                let text_after_flag = entry.strip_prefix(setting.flag);
                text_after_flag
                    .is_some_and(|text| text.starts_with(' ') && entry.contains("[env: "))
            });
            let entry =
                found_entry.unwrap_or_else(|| panic!("--{} is missing: {help}", setting.flag));
            assert!(
                entry.contains(&format!("[env: {}", setting.variable)),
                "{entry}"
            );
            let description = entry.split(" [env").next().unwrap();
            assert!(
                description.split(' ').count() > 4,
                "not documented: {entry}"
            );
            if let Some(default) = setting.default {
                assert!(entry.contains(&format!("[default: {default}]")), "{entry}");
            }
        }
    }
    assert_eq!(work_dir.names(), [""; 0]);
}

#[test]
fn help_shows_no_secret_of_the_environment() {
    let work_dir = WorkDir::new();
    let program = work_dir.program().set_all(&[
        ("AUTH_SECRET", SECRET),
        ("AUTH_SECRETS_PREVIOUS", OTHER_SECRET),
        ("DATABASE_URL", "postgres://ada:hunter2@db.example/auth"),
        ("SMTP_URL", "smtps://ada:hunter2@mx.example"),
    ]);
    let output = program.args(&["--help"]).run().assert_succeeded().output();
    for secret in [SECRET, OTHER_SECRET, "hunter2"] {
        assert!(!output.contains(secret), "{output}");
    }
}

#[test]
fn every_setting_is_read_from_dotenv() {
    assert_eq!(
        rejected_variables(&run(ValueKind::Invalid, None, None)),
        all_variables()
    );
    assert_eq!(
        rejected_variables(&run(ValueKind::Valid, None, None)),
        [ALWAYS_INVALID]
    );
}

#[test]
fn a_variable_overrides_dotenv() {
    assert_eq!(
        rejected_variables(&run(ValueKind::Invalid, Some(ValueKind::Valid), None)),
        [ALWAYS_INVALID]
    );
    assert_eq!(
        rejected_variables(&run(ValueKind::Valid, Some(ValueKind::Invalid), None)),
        all_variables()
    );
}

#[test]
fn a_flag_overrides_a_variable() {
    let outcome = run(
        ValueKind::Invalid,
        Some(ValueKind::Invalid),
        Some(ValueKind::Valid),
    );
    assert_eq!(rejected_variables(&outcome), [ALWAYS_INVALID]);
    let outcome = run(
        ValueKind::Valid,
        Some(ValueKind::Valid),
        Some(ValueKind::Invalid),
    );
    assert_eq!(rejected_variables(&outcome), all_variables());
}

#[test]
fn an_invalid_line_of_dotenv_is_reported_by_number_and_not_printed() {
    for line in [
        "AUTH_SECRET=correct horse hunter2",
        "AUTH_SECRET='hunter2",
        "AUTH_SECRET=\"hunter2",
        "AUTH SECRET=hunter2",
        "hunter2",
        "hunter2=hunter2 hunter2",
        "AUTH_SECRET hunter2",
        "1=hunter2",
    ] {
        let work_dir = WorkDir::new();
        work_dir.write(
            ".env",
            format!("# settings\n\nAUTH_ISSUER=us\n{line}\nLOG_FORMAT=text\n"),
        );
        let outcome = work_dir.program().run();
        assert_eq!(outcome.code, Some(2), "{line}: {}", outcome.output());
        assert!(
            !outcome.output().contains("hunter2"),
            "{line}: {}",
            outcome.output()
        );
        assert!(
            outcome.stderr.contains(".env, line 4"),
            "{line}: {}",
            outcome.stderr
        );
        assert!(
            outcome.stderr.contains("NAME='value'"),
            "{line}: {}",
            outcome.stderr
        );
        assert_eq!(work_dir.names(), [".env"]);
    }
}

#[test]
fn a_dotenv_that_is_a_folder_is_rejected() {
    let work_dir = WorkDir::new();
    std::fs::create_dir(work_dir.path(".env")).unwrap();
    work_dir.program().run().assert_failed(2, &[".env"]);
}

#[test]
fn a_variable_that_is_not_text_is_reported_without_its_value() {
    let work_dir = WorkDir::new();
    let program = work_dir
        .program()
        .set("AUTH_SECRET", OsStr::from_bytes(b"hunter2\xff"));
    let outcome = program.set("AUTH_ISSUER", OsStr::from_bytes(b"\xff")).run();
    let message = "AUTH_SECRET, AUTH_ISSUER: is not text; write it in UTF-8";
    outcome.assert_failed(2, &[message]);
    assert!(!outcome.output().contains("hunter2"));
}

#[test]
fn an_unknown_argument_is_rejected() {
    let work_dir = WorkDir::new();
    for arguments in [
        &["--bnid", "127.0.0.1:0"][..],
        &["sevre"],
        &["keys"],
        &["serve", "now"],
    ] {
        let outcome = work_dir.program().args(arguments).run();
        assert_eq!(outcome.code, Some(2), "{arguments:?}: {}", outcome.output());
        assert!(outcome.stderr.contains("--help") || outcome.stderr.contains("Usage"));
        assert_eq!(work_dir.names(), [""; 0]);
    }
}
