//! Reads how long a response may be kept (RFC 9111 § 5.2.2).

use std::time::Duration;

/// The shortest time between two regular requests.
const MIN_INTERVAL: Duration = Duration::from_secs(60);
/// The longest time between two regular requests.
const MAX_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// The time between two regular requests without a `max-age`.
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5 * 60);

/// Returns the time until the next regular request, from the values of all `Cache-Control` header fields.
///
/// Limits `max-age` to 1 to 60 minutes: 0 would cause a request after every response, and with a long `max-age` a
/// withdrawn key would stay valid for as long. Without a valid `max-age`, the time is 5 minutes; with `no-store` or
/// `no-cache`, 1 minute. Of several values, the one with the shortest time counts.
pub(super) fn refresh_interval<'v>(values: impl Iterator<Item = &'v [u8]>) -> Duration {
    let mut interval = None;
    for value in values {
        let text = String::from_utf8_lossy(value).to_ascii_lowercase();
        for directive in text.split(',').map(str::trim) {
            let shorter = match directive.split_once('=') {
                None if matches!(directive, "no-store" | "no-cache") => Some(MIN_INTERVAL),
                Some(("max-age", seconds)) => parse_seconds(seconds),
                _ => None,
            };
            interval = shorter.into_iter().chain(interval).min();
        }
    }
    interval
        .unwrap_or(DEFAULT_INTERVAL)
        .clamp(MIN_INTERVAL, MAX_INTERVAL)
}

/// Parses a number of seconds, which may be quoted (RFC 9111 § 5.2). A number that is too large becomes the largest
/// possible one.
fn parse_seconds(text: &str) -> Option<Duration> {
    let digits = text.trim_matches('"');
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| Duration::from_secs(digits.parse().unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::refresh_interval;

    fn seconds(values: &[&str]) -> u64 {
        refresh_interval(values.iter().map(|value| value.as_bytes())).as_secs()
    }

    #[test]
    fn max_age_is_limited_to_1_to_60_minutes() {
        for (value, expected) in [
            ("max-age=0", 60),
            ("max-age=59", 60),
            ("max-age=60", 60),
            ("max-age=61", 61),
            ("max-age=3599", 3599),
            ("max-age=3600", 3600),
            ("max-age=3601", 3600),
            ("max-age=99999999999999999999999", 3600),
            ("public, max-age=300, must-revalidate", 300),
            ("Public,MAX-AGE=300", 300),
            ("max-age=\"300\"", 300),
            ("max-age=900, max-age=300", 300),
            ("no-store", 60),
            ("no-cache, max-age=900", 60),
        ] {
            assert_eq!(seconds(&[value]), expected, "{value}");
        }
    }

    #[test]
    fn without_a_valid_max_age_the_interval_is_5_minutes() {
        for values in [
            &[] as &[&str],
            &[""],
            &["public"],
            &["max-age"],
            &["max-age="],
            &["max-age=-1"],
            &["max-age=+90"],
            &["max-age=9e9"],
            &["s-maxage=900"],
            &["x-max-age=900"],
            &["\u{fc}"],
        ] {
            assert_eq!(seconds(values), 300, "{values:?}");
        }
    }

    #[test]
    fn of_several_header_fields_the_shortest_time_counts() {
        assert_eq!(seconds(&["max-age=900", "max-age=120"]), 120);
        assert_eq!(seconds(&["max-age=120", "public", "max-age=900"]), 120);
    }
}
