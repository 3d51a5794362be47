//! Finds the boundaries of requests in the bytes of an HTTP/1.1 connection (RFC 9112 § 2.2 and § 6).

use memchr::memchr;

use super::chunks::ChunkPosition;

/// The body of a request, as the header declares it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyLength {
    /// This number of bytes; 0 without a body.
    Bytes(u64),
    /// Up to the end of the trailers, which follow the last chunk (RFC 9112 § 7.1).
    Chunked,
}

/// A position in the bytes of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// Inside the header of a request, or before it.
    Header(HeaderPosition),
    /// After a complete header.
    HeaderEnd,
    /// Inside a body of which this number of bytes, at least 1, is missing.
    Body(u64),
    Chunks(ChunkPosition),
    /// After malformed chunks, or after a request that actix-http has read differently. Nothing more is read.
    Malformed,
}

/// A position in a header, relative to the line breaks that end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderPosition {
    /// Before the first byte that is not part of an empty line.
    Start,
    /// Inside a line that is not empty.
    Line,
    /// At the start of a line.
    LineStart,
    /// After a carriage return at the start of a line.
    LineStartCr,
}

impl Position {
    /// The position before the first byte of a connection.
    pub(super) const START: Self = Self::Header(HeaderPosition::Start);

    /// Returns the position after a header that declares this body.
    pub(super) const fn after_header(length: BodyLength) -> Self {
        match length {
            BodyLength::Bytes(0) => Self::START,
            BodyLength::Bytes(count) => Self::Body(count),
            BodyLength::Chunked => Self::Chunks(ChunkPosition::START),
        }
    }

    /// Moves past the given bytes, at most to the end of the header or of the body. Returns the number of bytes it
    /// moved past.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> usize {
        match self {
            Self::Header(position) => match position.advance(bytes) {
                Some(length) => {
                    *self = Self::HeaderEnd;
                    length
                }
                None => bytes.len(),
            },
            Self::Body(missing) => {
                let available = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                let length = usize::try_from(*missing)
                    .map_or(bytes.len(), |missing| missing.min(bytes.len()));
                *self = Self::after_header(BodyLength::Bytes(missing.saturating_sub(available)));
                length
            }
            Self::Chunks(position) => {
                let length = position.advance(bytes);
                match position {
                    ChunkPosition::End => *self = Self::START,
                    ChunkPosition::Malformed => *self = Self::Malformed,
                    _ => {}
                }
                length
            }
            Self::HeaderEnd | Self::Malformed => 0,
        }
    }
}

impl HeaderPosition {
    /// Moves past the bytes, at most to the end of the header. Returns the number of bytes up to this end, including
    /// the empty line; `None` if the bytes do not contain the end.
    fn advance(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut index = 0;
        while let Some(&byte) = bytes.get(index) {
            if *self == Self::Line {
                let rest = bytes.get(index..).unwrap_or_default();
                index += memchr(b'\n', rest)? + 1;
                *self = Self::LineStart;
                continue;
            }
            index += 1;
            *self = match (*self, byte) {
                (Self::Start, b'\r' | b'\n') => Self::Start,
                (Self::LineStart, b'\r') => Self::LineStartCr,
                (Self::LineStart | Self::LineStartCr, b'\n') => return Some(index),
                _ => Self::Line,
            };
        }
        None
    }
}

/// Returns the length of the body that a complete header declares: the number in `Content-Length`, or 0 without this
/// field. Returns `None` if the header has `Transfer-Encoding`, or has `Content-Length` twice or with a value that is
/// not a number.
pub(super) fn declared_length(header: &[u8]) -> Option<u64> {
    let mut length = None;
    let mut rest = header;
    while let Some(end) = memchr(b'\n', rest) {
        let (line, next_lines) = rest.split_at_checked(end + 1)?;
        rest = next_lines;
        // The first byte is enough to skip most lines.
        if !matches!(line.first(), Some(b'c' | b'C' | b't' | b'T')) {
            continue;
        }
        let (name, value) = line.split_at(memchr(b':', line).unwrap_or_default());
        if name.eq_ignore_ascii_case(b"transfer-encoding") {
            return None;
        }
        if name.eq_ignore_ascii_case(b"content-length") {
            let text = str::from_utf8(value.get(1..)?).ok()?.trim();
            if length.replace(text.parse().ok()?).is_some() {
                return None;
            }
        }
    }
    Some(length.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{BodyLength, Position, declared_length};

    /// Returns the length of the header, if the bytes contain its end. Also checks that the length does not depend on
    /// how the bytes are divided.
    fn header_length(bytes: &[u8]) -> Option<usize> {
        let mut position = Position::START;
        let length = position.advance(bytes);
        let whole = (position == Position::HeaderEnd).then_some(length);
        let mut position = Position::START;
        let moved: usize = bytes.iter().map(|byte| position.advance(&[*byte])).sum();
        let by_bytes = (position == Position::HeaderEnd).then_some(moved);
        assert_eq!(whole, by_bytes, "{}", bytes.escape_ascii());
        whole
    }

    #[test]
    fn an_empty_line_ends_a_header() {
        assert_eq!(
            header_length(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET"),
            Some(27)
        );
        assert_eq!(header_length(b"GET / HTTP/1.1\nHost: a\n\nGET"), Some(24));
        assert_eq!(header_length(b"GET / HTTP/1.1\nHost: a\n\r\nGET"), Some(25));
        assert_eq!(header_length(b"GET / HTTP/1.1\r\nHost: a\r\n\r"), None);
        assert_eq!(header_length(b"GET / HTTP/1.1\r\nHost: a\r\n\rx\r\n"), None);
    }

    #[test]
    fn empty_lines_before_a_header_do_not_end_it() {
        assert_eq!(header_length(b"\r\n\r\n\n\r\n"), None);
        assert_eq!(header_length(b"\r\n\r\nGET /\r\n\r\n"), Some(13));
    }

    #[test]
    fn a_body_ends_after_its_length_and_another_header_follows() {
        let mut position = Position::after_header(BodyLength::Bytes(5));
        assert_eq!(position.advance(b"abcd"), 4);
        assert_eq!(position, Position::Body(1));
        assert_eq!(position.advance(b"eGET /"), 1);
        assert_eq!(position, Position::START);
        assert_eq!(
            Position::after_header(BodyLength::Bytes(0)),
            Position::START
        );
    }

    #[test]
    fn a_chunked_body_ends_after_its_trailers() {
        let mut position = Position::after_header(BodyLength::Chunked);
        assert_eq!(position.advance(b"3\r\nabc\r\n0\r\n\r\nGET /"), 13);
        assert_eq!(position, Position::START);
        let mut position = Position::after_header(BodyLength::Chunked);
        position.advance(b"3\r\nabcd");
        assert_eq!(position, Position::Malformed);
        assert_eq!(position.advance(b"0\r\n\r\n"), 0);
    }

    #[test]
    fn only_a_single_plain_number_is_a_declared_length() {
        for (header, length) in [
            ("GET / HTTP/1.1\r\nCookie: a\r\n\r\n", Some(0)),
            ("POST / HTTP/1.1\r\nContent-Length: 17\r\n\r\n", Some(17)),
            ("POST / HTTP/1.1\r\ncontent-length:17\r\n\r\n", Some(17)),
            ("POST / HTTP/1.1\nCONTENT-LENGTH: 17 \n\n", Some(17)),
            (
                "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
                None,
            ),
            ("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", None),
            ("POST / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n", None),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                None,
            ),
            (
                "POST / HTTP/1.1\r\ntransfer-encoding: x\r\nContent-Length: 1\r\n\r\n",
                None,
            ),
        ] {
            assert_eq!(declared_length(header.as_bytes()), length, "{header:?}");
        }
    }
}
