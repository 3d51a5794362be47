//! Reads lines of bounded length.

use std::io::{self, BufRead};

/// One line of the input, without the `\n` at its end.
pub(super) enum Line {
    Text(String),
    TooLong,
    NotUtf8,
}

/// Reads the next line; `None` after the last line. Discards the text of a line of more than `max_bytes`.
pub(super) fn next_line(input: &mut impl BufRead, max_bytes: usize) -> io::Result<Option<Line>> {
    let (mut line_bytes, mut is_too_long, mut has_input) = (Vec::new(), false, false);
    loop {
        let chunk = input.fill_buf()?;
        if chunk.is_empty() {
            break;
        }
        has_input = true;
        let end = chunk.iter().position(|byte| *byte == b'\n');
        let part = chunk.get(..end.unwrap_or(chunk.len())).unwrap_or_default();
        is_too_long |= line_bytes.len() + part.len() > max_bytes;
        if !is_too_long {
            line_bytes.extend_from_slice(part);
        }
        let consumed_bytes = part.len() + usize::from(end.is_some());
        input.consume(consumed_bytes);
        if end.is_some() {
            break;
        }
    }
    Ok(has_input.then(|| match String::from_utf8(line_bytes) {
        _ if is_too_long => Line::TooLong,
        Ok(text) => Line::Text(text),
        Err(_not_utf8) => Line::NotUtf8,
    }))
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::{Line, next_line};

    #[test]
    fn lines_are_read_one_by_one_and_a_line_that_is_too_long_is_discarded() {
        let text = b"one\n\nfour!\nlast\xff\nend".as_slice();
        for capacity in [1, 2, 3, 100] {
            let mut input = BufReader::with_capacity(capacity, text);
            let mut lines = Vec::new();
            while let Some(line) = next_line(&mut input, 5).unwrap() {
                lines.push(match line {
                    Line::Text(text) => text,
                    Line::TooLong => "(too long)".to_owned(),
                    Line::NotUtf8 => "(not UTF-8)".to_owned(),
                });
            }
            assert_eq!(
                lines,
                ["one", "", "four!", "(not UTF-8)", "end"],
                "{capacity}"
            );
            let mut input = BufReader::with_capacity(capacity, text);
            next_line(&mut input, 3).unwrap();
            next_line(&mut input, 3).unwrap();
            assert!(matches!(
                next_line(&mut input, 3).unwrap(),
                Some(Line::TooLong)
            ));
        }
    }
}
