//! Settings that cannot be used: the variable is named, the remedy given, nothing started, no secret repeated.

use std::net::TcpListener;
use std::time::Duration;

use harness::{OTHER_SECRET, Outcome, PATIENCE, Place, SECRET};

/// A person waits for it, and so does a supervisor.
const AT_ONCE: Duration = Duration::from_secs(2);
const CLOSING: &str = "Nothing was started. See api-server --help for every setting.";

type Settings<'a> = &'a [(&'a str, &'a str)];

fn run(settings: Settings<'_>) -> Outcome {
    let place = Place::new();
    let outcome = place.program().set_all(settings).run();
    assert_eq!(outcome.stdout, "", "{settings:?}");
    assert_eq!(place.names(), [""; 0], "{settings:?}: something was made");
    outcome
}

/// The lines of a refusal, without the closing one.
fn complaints(outcome: &Outcome) -> Vec<&str> {
    assert_eq!(outcome.code, Some(2), "{}", outcome.output());
    assert!(outcome.took < AT_ONCE, "took {:?}", outcome.took);
    let mut lines: Vec<_> = outcome.stderr.lines().collect();
    assert_eq!(lines.pop(), Some(CLOSING), "{}", outcome.stderr);
    lines
}

/// That these settings are refused in exactly one line, for `variable`, with `remedy` in it.
fn refused(settings: Settings<'_>, variable: &str, remedy: &str) {
    let outcome = run(settings);
    let lines = complaints(&outcome);
    assert_eq!(lines.len(), 1, "{settings:?}: {lines:?}");
    let named = lines[0].strip_prefix(variable);
    let advice = named.and_then(|rest| rest.strip_prefix(": "));
    assert!(
        advice.is_some_and(|advice| advice.contains(remedy)),
        "{settings:?}: {lines:?}"
    );
}

fn each_refused(variable: &str, values: &[&str], remedy: &str) {
    for value in values {
        refused(&[(variable, value)], variable, remedy);
    }
}

fn starts(settings: Settings<'_>) {
    Place::new().program().set_all(settings).start();
}

#[test]
fn bind_addr_is_an_address_with_a_port() {
    let wrong = [
        "",
        "nowhere",
        "localhost:8080",
        "127.0.0.1",
        "127.0.0.1:",
        ":8080",
        "8080",
        "127.0.0.1:65536",
        "300.0.0.1:80",
        "http://127.0.0.1:8080",
    ];
    each_refused("BIND_ADDR", &wrong, "such as 127.0.0.1:8080");
}

#[test]
fn a_taken_port_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap().to_string();
    let place = Place::new();
    let outcome = place.program().set("BIND_ADDR", &addr).run();
    assert_eq!(outcome.code, Some(1), "{}", outcome.output());
    assert!(outcome.took < AT_ONCE, "took {:?}", outcome.took);
    for part in ["BIND_ADDR", &addr, "in use"] {
        assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
    }
}

#[test]
fn database_url_is_a_sqlite_file_or_a_postgres_server() {
    let wrong = [
        "",
        "auth.db",
        "sqlite:auth.db",
        "mysql://db/auth",
        "postgres:/db",
        "http://db",
    ];
    each_refused(
        "DATABASE_URL",
        &wrong,
        "use sqlite://PATH or postgres://USER",
    );
    each_refused("DATABASE_URL", &["sqlite://"], "name the file");
    each_refused("DATABASE_URL", &["sqlite://:memory:"], "in-memory");
    each_refused(
        "DATABASE_URL",
        &["sqlite://auth.db?mode=ro"],
        "leave out the ?",
    );
}

/// What libpq cannot read it quotes, and what it takes for a host it looks up and prints.
#[test]
fn a_postgres_url_that_libpq_would_misread_is_not_quoted() {
    for url in [
        "postgres://ada:hunter%zz2@db.example/auth",
        "postgres://ada:hunter2@[::1]x/auth",
        "postgres://ada:hunter2@[::1/auth",
        "postgres://ada:hunter/2@db.example/auth",
        "postgres://ada:77/hunter2@db.example/auth",
        "postgres://ada:77?hunter2@db.example/auth",
        "postgres://ada:hunter?2@db.example/auth",
        "postgres://ada:hunter#2@db.example/auth",
        "postgres://ada:hunter@2@db.example/auth",
        "postgres://ada:hunter 2@db.example/auth",
        "postgres://ada@db.example/auth?password=hunter%zz",
        "postgres://ada@db.example/auth?hunter2",
    ] {
        let settings = [("DATABASE_URL", url), ("AUTH_SECRET", SECRET)];
        refused(&settings, "DATABASE_URL", "%40");
        assert!(!run(&settings).stderr.contains("hunter"), "{url}");
    }
}

#[test]
fn an_unreachable_postgres_is_named_without_its_password() {
    // Nobody listens on a port that was free a moment ago.
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = free.local_addr().unwrap();
    drop(free);
    let url = format!("postgres://ada:hunter2@{addr}/auth");
    for command in ["serve", "migrate"] {
        let place = Place::new();
        let program = place.program().set("DATABASE_URL", &url).args(&[command]);
        let outcome = program.set("AUTH_SECRET", SECRET).run();
        assert_eq!(outcome.code, Some(1), "{}", outcome.output());
        assert!(outcome.took < AT_ONCE, "took {:?}", outcome.took);
        for part in [
            "DATABASE_URL",
            &format!("postgres://{addr}/auth"),
            "refused",
        ] {
            assert!(outcome.stderr.contains(part), "{}", outcome.stderr);
        }
        assert!(
            !outcome.output().contains("hunter2"),
            "{}",
            outcome.output()
        );
    }
}

#[test]
fn a_postgres_that_accepts_and_says_nothing_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://ada@{}/auth", silent.local_addr().unwrap());
    let outcome = run(&[("DATABASE_URL", &url), ("AUTH_SECRET", SECRET)]);
    assert_eq!(outcome.code, Some(1), "{}", outcome.output());
    assert!(outcome.took < PATIENCE / 10, "took {:?}", outcome.took);
    assert!(
        outcome.stderr.contains("DATABASE_URL"),
        "{}",
        outcome.stderr
    );
}

/// A file where a folder should be stops root as well.
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    for (settings, code) in [(&[][..], 2), (&[("AUTH_SECRET", SECRET)], 1)] {
        let place = Place::new();
        place.write("file", "");
        let program = place.program().set("DATABASE_URL", "sqlite://file/auth.db");
        let outcome = program.set_all(settings).run();
        assert_eq!(outcome.code, Some(code), "{}", outcome.output());
        assert!(outcome.took < AT_ONCE, "took {:?}", outcome.took);
        assert!(
            outcome.stderr.contains("DATABASE_URL"),
            "{}",
            outcome.stderr
        );
        assert!(outcome.stderr.contains("file"), "{}", outcome.stderr);
        assert_eq!(place.names(), ["file"]);
    }
}

#[test]
fn the_pool_has_1_to_1000_connections() {
    let wrong = ["", "0", "1001", "-1", "1.5", "abc", "99999999999999999999"];
    each_refused("DATABASE_POOL_SIZE", &wrong, "from 1 to 1000");
    for right in ["1", "1000"] {
        starts(&[("DATABASE_POOL_SIZE", right)]);
    }
}

#[test]
fn the_secret_is_long_and_no_sample() {
    let make_one = "make one with";
    let long_sample = "changeme-changeme-changeme-changeme";
    let repeated = "abab".repeat(10);
    for secret in [
        "",
        "hunter2",
        SECRET.get(..31).unwrap(),
        long_sample,
        &repeated,
    ] {
        let settings = [("AUTH_SECRET", secret)];
        refused(&settings, "AUTH_SECRET", make_one);
        let output = run(&settings).output();
        assert!(secret.is_empty() || !output.contains(secret), "{output}");
    }
    starts(&[("AUTH_SECRET", SECRET)]);
}

#[test]
fn without_a_secret_there_is_no_postgres() {
    let settings = [("DATABASE_URL", "postgres://ada:hunter2@127.0.0.1:1/auth")];
    refused(&settings, "AUTH_SECRET", "api-server keys generate");
    assert!(!run(&settings).output().contains("hunter2"));
}

#[test]
fn previous_secrets_are_as_good_as_the_current_one() {
    let good_and_bad = format!("{OTHER_SECRET},hunter2");
    for previous in [
        "hunter2",
        &good_and_bad,
        "changeme-changeme-changeme-changeme",
    ] {
        let settings = [("AUTH_SECRET", SECRET), ("AUTH_SECRETS_PREVIOUS", previous)];
        refused(&settings, "AUTH_SECRETS_PREVIOUS", "make one with");
        let output = run(&settings).output();
        assert!(
            !output.contains("hunter2") && !output.contains(OTHER_SECRET),
            "{output}"
        );
    }
    starts(&[
        ("AUTH_SECRET", SECRET),
        ("AUTH_SECRETS_PREVIOUS", OTHER_SECRET),
    ]);
}

#[test]
fn issuer_and_audience_are_not_empty() {
    for variable in ["AUTH_ISSUER", "AUTH_AUDIENCE"] {
        each_refused(variable, &["", " ", " api", "api\t"], "without white space");
    }
}

#[test]
fn token_audiences_are_other_services_by_name() {
    let between = "names between the commas";
    each_refused(
        "TOKEN_AUDIENCES",
        &[",", "reports,", ",reports", "a, ,b"],
        between,
    );
    for own in ["api", "reports,api", "api ,reports"] {
        refused(&[("TOKEN_AUDIENCES", own)], "TOKEN_AUDIENCES", "our own");
    }
    let settings = [("TOKEN_AUDIENCES", "them"), ("AUTH_AUDIENCE", "them")];
    refused(&settings, "TOKEN_AUDIENCES", "our own");
    for right in ["", " ", "reports", "reports, https://b.example/v1"] {
        starts(&[("TOKEN_AUDIENCES", right)]);
    }
}

#[test]
fn lifetimes_are_whole_seconds_up_to_400_days() {
    let wrong = [
        "",
        "0s",
        "401d",
        "abc",
        "15",
        "-1s",
        "1ms",
        "1500ms",
        "400d 1s",
        "9999999999999y",
    ];
    for variable in ["ACCESS_TOKEN_TTL", "SESSION_TTL"] {
        each_refused(variable, &wrong, "from 1s to 400d");
    }
    // An empty one is none.
    each_refused("SESSION_MAX_TTL", &wrong[1..], "from 1s to 400d");
    starts(&[("ACCESS_TOKEN_TTL", "400d"), ("SESSION_TTL", "400d")]);
}

#[test]
fn a_session_outlives_its_tokens() {
    let settings = [("ACCESS_TOKEN_TTL", "61m"), ("SESSION_TTL", "1h")];
    refused(&settings, "SESSION_TTL", "is shorter than ACCESS_TOKEN_TTL");
    starts(&[("ACCESS_TOKEN_TTL", "60m"), ("SESSION_TTL", "1h")]);
    let settings = [("ACCESS_TOKEN_TTL", "61m"), ("SESSION_MAX_TTL", "1h")];
    refused(
        &settings,
        "SESSION_MAX_TTL",
        "is shorter than ACCESS_TOKEN_TTL",
    );
    for longest in ["60m", ""] {
        starts(&[("ACCESS_TOKEN_TTL", "60m"), ("SESSION_MAX_TTL", longest)]);
    }
}

#[test]
fn the_bcrypt_cost_is_10_to_15() {
    for cost in ["", "3", "16", "-12", "abc", "12.5"] {
        each_refused("BCRYPT_COST", &[cost], "10 to 15");
        let weak = [("BCRYPT_COST", cost), ("ALLOW_WEAK_HASHING", "true")];
        refused(&weak, "BCRYPT_COST", "10 to 15");
    }
    each_refused("BCRYPT_COST", &["4", "9"], "ALLOW_WEAK_HASHING=true");
    for (cost, weak) in [
        ("4", "true"),
        ("9", "true"),
        ("10", "false"),
        ("15", "false"),
    ] {
        starts(&[("BCRYPT_COST", cost), ("ALLOW_WEAK_HASHING", weak)]);
    }
}

#[test]
fn weak_hashing_is_allowed_or_not() {
    each_refused(
        "ALLOW_WEAK_HASHING",
        &["", "yes", "1", "TRUE"],
        "true or false",
    );
}

#[test]
fn the_public_url_is_an_origin() {
    let wrong = [
        "",
        "garbage",
        "ftp://api.example.com",
        "https://api.example.com/path",
        "https://",
        "https://ada@api.example.com",
        "https://api.example.com?x=1",
        "//api.example.com",
        "https://*.example.com",
    ];
    each_refused("PUBLIC_URL", &wrong, "such as https://app.example.com");
    for right in ["https://api.example.com", "http://api.example.com:8080/"] {
        starts(&[("PUBLIC_URL", right)]);
    }
}

#[test]
fn allowed_origins_are_exact() {
    let wild = ["*", "https://a.example,*", "https://*.example"];
    each_refused("ALLOWED_ORIGINS", &wild, "list exact origins");
    let wrong = ["null", "https://a.example/path", "a.example", "file:///"];
    each_refused("ALLOWED_ORIGINS", &wrong, "such as https://app.example.com");
    for right in ["", "https://a.example, http://localhost:3000"] {
        starts(&[("ALLOWED_ORIGINS", right)]);
    }
}

#[test]
fn the_log_is_text_or_json() {
    each_refused("LOG_FORMAT", &["", "xml", "JSON"], "use text or json");
}

#[test]
fn the_log_filter_can_be_read() {
    each_refused(
        "RUST_LOG",
        &["a=b=c", "info,api_server=loud", "info/[/"],
        "use a filter such as",
    );
    for right in ["off", "warn,api_server::access=debug"] {
        let place = Place::new();
        let program = place.program().set("RUST_LOG", right);
        program.args(&["migrate"]).run().succeeded();
    }
}

#[test]
fn a_command_that_needs_less_is_refused_for_that_alone() {
    let place = Place::new();
    let wrong = [
        ("AUTH_SECRET", "short"),
        ("BIND_ADDR", "nowhere"),
        ("BCRYPT_COST", "99"),
    ];
    for arguments in [&["migrate"][..], &["openapi"], &["keys", "generate"]] {
        place
            .program()
            .set_all(&wrong)
            .args(arguments)
            .run()
            .succeeded();
    }
    for (variable, value) in [
        ("DATABASE_URL", "x"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "a=b=c"),
    ] {
        let outcome = place
            .program()
            .set(variable, value)
            .args(&["migrate"])
            .run();
        let lines = complaints(&outcome);
        assert!(
            lines.len() == 1 && lines[0].starts_with(variable),
            "{lines:?}"
        );
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let wrong = [
        ("BIND_ADDR", "nowhere"),
        ("DATABASE_URL", "mysql://ada:hunter2@db"),
        ("DATABASE_POOL_SIZE", "0"),
        ("AUTH_SECRET", "hunter2"),
        ("AUTH_SECRETS_PREVIOUS", "hunter2"),
        ("AUTH_ISSUER", ""),
        ("AUTH_AUDIENCE", ""),
        ("ACCESS_TOKEN_TTL", "0s"),
        ("SESSION_TTL", "401d"),
        ("SESSION_MAX_TTL", "401d"),
        ("BCRYPT_COST", "3"),
        ("ALLOW_WEAK_HASHING", "perhaps"),
        ("PUBLIC_URL", "ftp://hunter2"),
        ("ALLOWED_ORIGINS", "*"),
        ("LOG_FORMAT", "xml"),
        ("RUST_LOG", "a=b=c"),
    ];
    let outcome = run(&wrong);
    assert!(!outcome.stderr.contains("hunter2"), "{}", outcome.stderr);
    let lines = complaints(&outcome);
    let mut named: Vec<_> = lines
        .iter()
        .map(|line| line.split(": ").next().unwrap())
        .collect();
    let mut expected = wrong.map(|(variable, _)| variable);
    named.sort_unstable();
    expected.sort_unstable();
    assert_eq!(named, expected);
}
