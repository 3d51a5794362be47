//! Tests invalid lifetimes, hash costs and log settings.

use harness::WorkDir;

use super::{assert_each_rejected, assert_rejected, assert_starts};

#[test]
fn lifetimes_are_whole_seconds_up_to_400_days() {
    let invalid_values = [
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
        assert_each_rejected(variable, &invalid_values, "from 1s to 400d");
    }
    // An empty `SESSION_MAX_TTL` is valid and means that there is no limit.
    assert_each_rejected("SESSION_MAX_TTL", &invalid_values[1..], "from 1s to 400d");
    let too_short_or_long = ["2s", "2999ms", "400d 1s", "soon"];
    assert_each_rejected(
        "REVOCATION_STALE_AFTER",
        &too_short_or_long,
        "from 3s to 400d",
    );
    assert_starts(&[("ACCESS_TOKEN_TTL", "400d"), ("SESSION_TTL", "400d")]);
    assert_starts(&[("REVOCATION_STALE_AFTER", "3s")]);
}

#[test]
fn a_session_lives_at_least_as_long_as_its_tokens() {
    let short_session_ttl = [("ACCESS_TOKEN_TTL", "61m"), ("SESSION_TTL", "1h")];
    assert_rejected(
        &short_session_ttl,
        "SESSION_TTL",
        "is shorter than ACCESS_TOKEN_TTL",
    );
    assert_starts(&[("ACCESS_TOKEN_TTL", "60m"), ("SESSION_TTL", "1h")]);
    let short_session_max_ttl = [("ACCESS_TOKEN_TTL", "61m"), ("SESSION_MAX_TTL", "1h")];
    assert_rejected(
        &short_session_max_ttl,
        "SESSION_MAX_TTL",
        "is shorter than ACCESS_TOKEN_TTL",
    );
    for session_max_ttl in ["60m", ""] {
        assert_starts(&[
            ("ACCESS_TOKEN_TTL", "60m"),
            ("SESSION_MAX_TTL", session_max_ttl),
        ]);
    }
}

#[test]
fn timeouts_of_connections_are_100_milliseconds_to_an_hour() {
    for variable in [
        "HEADER_TIMEOUT",
        "BODY_TIMEOUT",
        "IDLE_TIMEOUT",
        "RESPONSE_TIMEOUT",
    ] {
        let invalid_values = ["", "0s", "99ms", "1h 1ms", "10", "-1s", "soon"];
        assert_each_rejected(variable, &invalid_values, "from 100ms to 1h");
        assert_starts(&[(variable, "100ms")]);
        assert_starts(&[(variable, "1h")]);
    }
}

#[test]
fn lengths_of_queues_are_1_to_1000000() {
    for variable in [
        "MAX_WAITING_HASHES",
        "MAX_WAITING_HASHES_PER_NETWORK",
        "MAX_WAITING_QUERIES",
        "MAX_WAITING_QUERIES_PER_ACCOUNT",
    ] {
        let invalid_values = ["", "0", "1000001", "-1", "1.5", "off"];
        assert_each_rejected(variable, &invalid_values, "from 1 to 1000000");
    }
    for variable in ["MAX_WAITING_HASHES", "MAX_WAITING_HASHES_PER_NETWORK"] {
        assert_starts(&[(variable, "1")]);
        assert_starts(&[(variable, "1000000")]);
    }
}

#[test]
fn one_account_cannot_fill_the_queue_of_the_database() {
    for (total, per_account) in [("2", "1"), ("1000000", "999999"), ("257", "256")] {
        let settings = [
            ("MAX_WAITING_QUERIES", total),
            ("MAX_WAITING_QUERIES_PER_ACCOUNT", per_account),
        ];
        assert_starts(&settings);
    }
    for (total, per_account) in [("1", "1"), ("256", "256"), ("255", "256")] {
        let settings = [
            ("MAX_WAITING_QUERIES", total),
            ("MAX_WAITING_QUERIES_PER_ACCOUNT", per_account),
        ];
        assert_rejected(
            &settings,
            "MAX_WAITING_QUERIES_PER_ACCOUNT",
            "lower than MAX_WAITING_QUERIES",
        );
    }
    // The default of one account is 256.
    assert_rejected(
        &[("MAX_WAITING_QUERIES", "256")],
        "MAX_WAITING_QUERIES_PER_ACCOUNT",
        "lower than MAX_WAITING_QUERIES",
    );
}

#[test]
fn the_bcrypt_cost_is_10_to_15() {
    for cost in ["", "3", "16", "-12", "abc", "12.5"] {
        assert_each_rejected("BCRYPT_COST", &[cost], "10 to 15");
        let settings = [("BCRYPT_COST", cost), ("ALLOW_WEAK_HASHING", "true")];
        assert_rejected(&settings, "BCRYPT_COST", "10 to 15");
    }
    assert_each_rejected("BCRYPT_COST", &["4", "9"], "ALLOW_WEAK_HASHING=true");
    for (cost, allow_weak) in [
        ("4", "true"),
        ("9", "true"),
        ("10", "false"),
        ("15", "false"),
    ] {
        assert_starts(&[("BCRYPT_COST", cost), ("ALLOW_WEAK_HASHING", allow_weak)]);
    }
}

#[test]
fn allow_weak_hashing_is_true_or_false() {
    assert_each_rejected(
        "ALLOW_WEAK_HASHING",
        &["", "yes", "1", "TRUE"],
        "true or false",
    );
}

#[test]
fn the_log_format_is_text_or_json() {
    assert_each_rejected("LOG_FORMAT", &["", "xml", "JSON"], "use text or json");
}

#[test]
fn an_invalid_log_filter_is_rejected() {
    assert_each_rejected(
        "RUST_LOG",
        &["a=b=c", "info,api_server=loud", "info/[/"],
        "use a filter such as",
    );
    for filter in ["off", "warn,api_server::access=debug"] {
        let work_dir = WorkDir::new();
        let program = work_dir.program().set("RUST_LOG", filter);
        program.args(&["migrate"]).run().assert_succeeded();
    }
}
