//! The trace to which a request belongs, by the header `traceparent` (W3C Trace Context, level 1).
//!
//! A request without the header belongs to a new trace if this server exports spans, and otherwise to no trace: its
//! request id identifies it. While a request with a trace is handled, every log line of its task has the trace id.

use std::fmt;

use uuid::Uuid;

/// The number of bytes of `traceparent` in version 00.
const TRACEPARENT_LENGTH: usize = 55;

tokio::task_local! {
    static CURRENT: TraceContext;
}

/// A trace, and the span of this server in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TraceContext {
    /// 32 lower-case hexadecimal digits, not all zero.
    trace_id: String,
    /// 16 lower-case hexadecimal digits, not all zero.
    span_id: String,
    /// The span of the caller in the trace; `None` in a new trace.
    #[cfg(feature = "otlp")]
    caller_span_id: Option<String>,
    /// The flag `sampled`: whether the spans of this trace should be recorded.
    is_sampled: bool,
}

impl TraceContext {
    /// Continues the trace of this header value. Begins a new trace if the value is invalid.
    pub(crate) fn continue_or_begin(traceparent: &[u8]) -> Self {
        Self::parse(traceparent).unwrap_or_else(|| Self::begin(false))
    }

    /// Begins a new trace.
    pub(crate) fn begin(is_sampled: bool) -> Self {
        Self {
            trace_id: Uuid::new_v4().simple().to_string(),
            span_id: new_span_id(),
            #[cfg(feature = "otlp")]
            caller_span_id: None,
            is_sampled,
        }
    }

    /// Parses the value strictly, and makes a new span. A version after 00 may have more fields, which are ignored.
    fn parse(traceparent: &[u8]) -> Option<Self> {
        let text = str::from_utf8(traceparent).ok()?;
        let mut fields = text.split('-');
        let version = fields.next().filter(|field| is_hex(field, 2))?;
        let trace_id = fields.next().filter(|field| is_id(field, 32))?;
        #[cfg_attr(
            not(feature = "otlp"),
            expect(unused_variables, reason = "only an exported span contains it")
        )]
        let caller_span_id = fields.next().filter(|field| is_id(field, 16))?;
        let flags = fields.next().filter(|field| is_hex(field, 2))?;
        let is_known_length = version != "00" || text.len() == TRACEPARENT_LENGTH;
        let flags = u8::from_str_radix(flags, 16).ok()?;
        (version != "ff" && is_known_length).then(|| Self {
            trace_id: trace_id.to_owned(),
            span_id: new_span_id(),
            #[cfg(feature = "otlp")]
            caller_span_id: Some(caller_span_id.to_owned()),
            is_sampled: flags & 1 == 1,
        })
    }

    pub(crate) fn trace_id(&self) -> &str {
        &self.trace_id
    }

    #[cfg(feature = "otlp")]
    pub(crate) fn span_id(&self) -> &str {
        &self.span_id
    }

    #[cfg(feature = "otlp")]
    pub(crate) fn caller_span_id(&self) -> Option<&str> {
        self.caller_span_id.as_deref()
    }

    /// Returns whether the span of this server should be recorded.
    #[cfg(feature = "otlp")]
    pub(crate) const fn is_sampled(&self) -> bool {
        self.is_sampled
    }

    /// Runs a future with this trace as the current one.
    pub(crate) async fn scope<F: Future>(self, future: F) -> F::Output {
        CURRENT.scope(self, future).await
    }

    /// Calls a function with the trace of the current task; returns `None` without a trace.
    pub(crate) fn with_current<T>(function: impl FnOnce(&Self) -> T) -> Option<T> {
        CURRENT.try_with(function).ok()
    }
}

/// Writes the value of `traceparent`, with the span of this server.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flags = u8::from(self.is_sampled);
        write!(f, "00-{}-{}-{flags:02x}", self.trace_id, self.span_id)
    }
}

/// Returns 16 random hexadecimal digits, never all zero: they include the variant bits of a UUID, which are `10`.
fn new_span_id() -> String {
    let (_, random) = Uuid::new_v4().as_u64_pair();
    format!("{random:016x}")
}

fn is_hex(field: &str, length: usize) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    field.len() == length && field.bytes().all(is_digit)
}

fn is_id(field: &str, length: usize) -> bool {
    is_hex(field, length) && field.bytes().any(|byte| byte != b'0')
}

#[cfg(test)]
mod tests {
    use super::TraceContext;

    const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN_ID: &str = "00f067aa0ba902b7";

    fn continues(value: &str) -> bool {
        TraceContext::continue_or_begin(value.as_bytes()).trace_id() == TRACE_ID
    }

    #[test]
    fn a_valid_value_continues_the_trace_with_a_span_of_its_own() {
        for (flags, own_flags) in [
            ("00", "00"),
            ("01", "01"),
            ("03", "01"),
            ("ff", "01"),
            ("fe", "00"),
        ] {
            let value = format!("00-{TRACE_ID}-{SPAN_ID}-{flags}");
            let trace = TraceContext::continue_or_begin(value.as_bytes());
            let own_value = trace.to_string();
            let fields: Vec<_> = own_value.split('-').collect();
            assert_eq!(
                (fields[0], fields[1], fields[3]),
                ("00", TRACE_ID, own_flags)
            );
            assert_ne!(fields[2], SPAN_ID);
            assert!(continues(&own_value), "{own_value}");
        }
    }

    #[test]
    fn a_later_version_may_have_more_fields() {
        for value in [
            format!("01-{TRACE_ID}-{SPAN_ID}-01"),
            format!("cc-{TRACE_ID}-{SPAN_ID}-01-what-comes-later"),
            format!("fe-{TRACE_ID}-{SPAN_ID}-01-"),
        ] {
            assert!(continues(&value), "{value}");
        }
    }

    #[test]
    fn an_invalid_value_begins_a_new_trace() {
        for value in [
            String::new(),
            "-".repeat(55),
            format!("00-{TRACE_ID}-{SPAN_ID}"),
            format!("00-{TRACE_ID}-{SPAN_ID}-"),
            format!("00-{TRACE_ID}-{SPAN_ID}-0"),
            format!("00-{TRACE_ID}-{SPAN_ID}-012"),
            format!("00-{TRACE_ID}-{SPAN_ID}-01-"),
            format!("00-{TRACE_ID}-{SPAN_ID}-01-later"),
            format!("ff-{TRACE_ID}-{SPAN_ID}-01"),
            format!("cc-{TRACE_ID}-{SPAN_ID}-01.later"),
            format!("0-{TRACE_ID}-{SPAN_ID}-01"),
            format!("000-{TRACE_ID}-{SPAN_ID}-01"),
            format!("00-{}-{SPAN_ID}-01", "b".repeat(31)),
            format!("00-{TRACE_ID}0-{SPAN_ID}-01"),
            format!("00-{TRACE_ID}-{}-01", "b".repeat(15)),
            format!("00-{TRACE_ID}-{SPAN_ID}0-01"),
            format!("00-{}-{SPAN_ID}-01", "0".repeat(32)),
            format!("00-{TRACE_ID}-{}-01", "0".repeat(16)),
            format!("00-{}-{SPAN_ID}-01", TRACE_ID.to_uppercase()),
            format!("00-{TRACE_ID}-{SPAN_ID}-0g"),
            format!("00-{TRACE_ID}-{SPAN_ID}-+1"),
            format!(" 00-{TRACE_ID}-{SPAN_ID}-01"),
            format!("00-{TRACE_ID}-{SPAN_ID}-01 "),
            format!("00_{TRACE_ID}_{SPAN_ID}_01"),
            format!("00-é{}-{SPAN_ID}-01", "b".repeat(30)),
        ] {
            let trace = TraceContext::continue_or_begin(value.as_bytes());
            assert_ne!(trace.trace_id(), TRACE_ID, "{value}");
            assert_eq!(TraceContext::parse(value.as_bytes()), None, "{value}");
            assert!(
                TraceContext::parse(trace.to_string().as_bytes()).is_some(),
                "{trace}"
            );
        }
        assert_eq!(TraceContext::parse(b"00-\xff"), None);
    }

    #[test]
    fn new_traces_and_spans_differ() {
        let new_trace = || TraceContext::continue_or_begin(b"");
        let (first, second) = (new_trace(), new_trace());
        assert_ne!(first.trace_id, second.trace_id);
        assert_ne!(first.span_id, second.span_id);
    }

    #[tokio::test]
    async fn only_the_scope_of_a_trace_has_a_current_trace() {
        let current_id = || TraceContext::with_current(|trace| trace.trace_id().to_owned());
        assert_eq!(current_id(), None);
        let trace = TraceContext::continue_or_begin(b"");
        let id = trace.trace_id().to_owned();
        assert_eq!(trace.scope(async { current_id() }).await, Some(id));
        assert_eq!(current_id(), None);
    }
}
