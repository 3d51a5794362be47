//! Reads a mail as a mail program does: header, parts and encodings.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A mail or a part of a mail: the fields of the header, unfolded and with names in lower case, and the body.
pub(super) struct Entity {
    pub(super) header: BTreeMap<String, String>,
    body: String,
}

impl Entity {
    pub(super) fn parse(text: &str) -> Self {
        let (header, body) = text.split_once("\r\n\r\n").unwrap();
        let mut fields = BTreeMap::new();
        for line in header
            .replace("\r\n ", " ")
            .replace("\r\n\t", " ")
            .split("\r\n")
        {
            let (name, value) = line.split_once(": ").unwrap();
            let previous = fields.insert(name.to_ascii_lowercase(), value.to_owned());
            assert_eq!(previous, None, "{name} twice");
        }
        let body = body.to_owned();
        Self {
            header: fields,
            body,
        }
    }

    pub(super) fn field(&self, name: &str) -> &str {
        self.header.get(name).unwrap_or_else(|| panic!("no {name}"))
    }

    pub(super) fn parts(&self) -> Vec<Self> {
        let (_, boundary) = self
            .field("content-type")
            .split_once("boundary=\"")
            .unwrap();
        let boundary = boundary.split('"').next().unwrap();
        let (parts, rest) = self
            .body
            .split_once(&format!("\r\n--{boundary}--"))
            .unwrap();
        assert_eq!(rest.trim(), "");
        let parts = format!("\r\n{parts}");
        let separator = format!("\r\n--{boundary}\r\n");
        let parts = parts.split(&separator).skip(1);
        parts.map(Self::parse).collect()
    }

    pub(super) fn decoded_body(&self) -> String {
        match self.field("content-transfer-encoding") {
            "7bit" => self.body.clone(),
            "quoted-printable" => decode_quoted_printable(&self.body),
            "base64" => {
                let text: String = self.body.split_whitespace().collect();
                String::from_utf8(STANDARD.decode(text).unwrap()).unwrap()
            }
            other => panic!("{other}"),
        }
    }
}

fn decode_quoted_printable(text: &str) -> String {
    let joined = text.replace("=\r\n", "");
    let mut pieces = joined.split('=');
    let mut bytes = pieces.next().unwrap().as_bytes().to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at(2);
        bytes.push(u8::from_str_radix(digits, 16).unwrap());
        bytes.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(bytes).unwrap()
}

/// Decodes the words of a field that are encoded as UTF-8 in base64 (RFC 2047).
pub(super) fn decode_words(field: &str) -> String {
    let mut decoded = String::new();
    for (index, piece) in field.split("=?utf-8?b?").enumerate() {
        match piece.split_once("?=") {
            Some((word, rest)) if index > 0 => {
                decoded.push_str(&String::from_utf8(STANDARD.decode(word).unwrap()).unwrap());
                decoded.push_str(if rest.trim().is_empty() { "" } else { rest });
            }
            _ => decoded.push_str(piece),
        }
    }
    decoded
}
