//! Finds the end of a chunked body (RFC 9112 § 7.1). Accepts what actix-http accepts, to find the same end as
//! actix-http.

/// A position in a chunked body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChunkPosition {
    /// Inside the size of a chunk; contains the value of the digits so far, or `None` before the first digit.
    Size(Option<u64>),
    /// In the white space after the digits of this size.
    SizePadding(u64),
    Extension(u64),
    SizeLf(u64),
    /// Inside a chunk of which this number of bytes, at least 1, is missing.
    Data(u64),
    DataCr,
    DataLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    EndLf,
    End,
    Malformed,
}

impl ChunkPosition {
    /// The position before the first chunk.
    pub(super) const START: Self = Self::Size(None);

    /// Moves past the bytes, at most to the end of the body or past the first malformed byte. Returns the number of
    /// bytes it moved past.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> usize {
        let mut index = 0;
        while let Some(&byte) = bytes.get(index) {
            match *self {
                Self::End | Self::Malformed => break,
                Self::Data(missing) => {
                    let available = bytes.len() - index;
                    let length = usize::try_from(missing)
                        .map_or(available, |missing| missing.min(available));
                    let missing = missing.saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
                    *self = if missing == 0 {
                        Self::DataCr
                    } else {
                        Self::Data(missing)
                    };
                    index += length;
                }
                position => {
                    *self = position.after(byte);
                    index += 1;
                }
            }
        }
        index
    }

    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Size(None), _) => {
                hex_digit(byte).map_or(Self::Malformed, |digit| Self::Size(Some(digit)))
            }
            (Self::Size(Some(size)) | Self::SizePadding(size), b' ' | b'\t') => {
                Self::SizePadding(size)
            }
            (Self::Size(Some(size)) | Self::SizePadding(size), b';')
            | (Self::Extension(size), b'\t' | b' '..=b'~' | 0x80..) => Self::Extension(size),
            (Self::Size(Some(size)) | Self::SizePadding(size) | Self::Extension(size), b'\r') => {
                Self::SizeLf(size)
            }
            (Self::Size(Some(size)), _) => {
                size_after(size, byte).map_or(Self::Malformed, |size| Self::Size(Some(size)))
            }
            (Self::SizeLf(0) | Self::TrailerLf, b'\n') => Self::TrailerStart,
            (Self::SizeLf(size), b'\n') => Self::Data(size),
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::START,
            (Self::TrailerStart, b'\r') => Self::EndLf,
            (Self::Trailer, b'\r') => Self::TrailerLf,
            (Self::TrailerStart | Self::Trailer, _) => Self::Trailer,
            (Self::EndLf, b'\n') => Self::End,
            _ => Self::Malformed,
        }
    }
}

fn hex_digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

fn size_after(size: u64, byte: u8) -> Option<u64> {
    size.checked_mul(16)?.checked_add(hex_digit(byte)?)
}

#[cfg(test)]
mod tests {
    use super::ChunkPosition;

    /// Returns the position after the bytes, and how many of them belong to the body. Also checks that both do not
    /// depend on how the bytes are divided.
    fn after(bytes: &[u8]) -> (ChunkPosition, usize) {
        let mut position = ChunkPosition::START;
        let length = position.advance(bytes);
        let mut by_bytes = ChunkPosition::START;
        let lengths = bytes.iter().map(|byte| by_bytes.advance(&[*byte]));
        assert_eq!(lengths.sum::<usize>(), length, "{}", bytes.escape_ascii());
        assert_eq!(by_bytes, position, "{}", bytes.escape_ascii());
        (position, length)
    }

    #[test]
    fn a_body_ends_after_the_last_chunk_and_the_trailers() {
        for body in [
            "0\r\n\r\n",
            "5\r\nabcde\r\n0\r\n\r\n",
            "A;name=\"x\"\r\n0123456789\r\n1 \r\nx\r\n000\r\n\r\n",
            "1\r\n\n\r\n0\r\nTrailer: a\r\nOther: b\r\n\r\n",
            "4\r\n\r\n\r\n\r\n0\r\n\r\n",
        ] {
            let next_request = format!("{body}GET / HTTP/1.1\r\n");
            assert_eq!(
                after(next_request.as_bytes()),
                (ChunkPosition::End, body.len()),
                "{body:?}"
            );
        }
    }

    #[test]
    fn a_body_that_is_not_complete_has_no_end() {
        for body in [
            "",
            "5",
            "5\r\nabc",
            "5\r\nabcde\r\n",
            "0\r\n",
            "0\r\nTrailer: a\r\n",
        ] {
            let (position, length) = after(body.as_bytes());
            assert_eq!(length, body.len(), "{body:?}");
            assert!(
                !matches!(position, ChunkPosition::End | ChunkPosition::Malformed),
                "{body:?}"
            );
        }
    }

    #[test]
    fn no_body_follows_malformed_chunks() {
        for body in [
            "x\r\n",
            "\r\n",
            "5\n",
            "5\rx",
            "5;\n",
            "1\r\nab",
            "1\r\na\rb",
            "10000000000000000\r\n",
            "0\r\n\rx",
            "0\r\na\rb",
            "5 5\r\n",
        ] {
            let (position, _) = after(body.as_bytes());
            assert_eq!(position, ChunkPosition::Malformed, "{body:?}");
        }
    }
}
