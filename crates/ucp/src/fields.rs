//! Structured fields of HTTP (RFC 8941), as far as they are used here: dictionaries of items and of lists of items.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use thiserror::Error;

use crate::limits::{MAX_HEADER, MAX_MEMBERS};

/// Why a header is no dictionary that is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum FieldError {
    /// Longer than is taken, or with more members.
    #[error("a header is longer than is taken")]
    TooLong,
    /// Not of the form, or with a name twice.
    #[error("a header is not of the form that was expected")]
    Malformed,
}

/// A value on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bare {
    Integer(i64),
    Text(String),
    Token(String),
    Bytes(Vec<u8>),
    Flag(bool),
}

/// Named values that belong to another.
pub(crate) type Params = Vec<(String, Bare)>;

/// What a member of a dictionary is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    One(Bare),
    List(Vec<(Bare, Params)>),
}

/// A member of a dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub value: Value,
    pub params: Params,
}

/// A dictionary, in its order. RFC 8941 lets the last of two members of the same name count; here none does, since
/// somebody on the way may have read the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dictionary(pub Vec<(String, Member)>);

impl Dictionary {
    /// Reads a header's value.
    pub fn read(text: &str) -> Result<Self, FieldError> {
        if text.len() > MAX_HEADER {
            return Err(FieldError::TooLong);
        }
        let mut reader = Reader { rest: text.trim_matches(' ').as_bytes() };
        let mut members: Vec<(String, Member)> = Vec::new();
        while !reader.rest.is_empty() {
            let name = reader.key()?;
            let member = reader.member()?;
            if members.iter().any(|(known, _)| *known == name) {
                return Err(FieldError::Malformed);
            }
            if members.len() == MAX_MEMBERS {
                return Err(FieldError::TooLong);
            }
            members.push((name, member));
            reader.spaces();
            if reader.rest.is_empty() {
                break;
            }
            reader.expect(b',')?;
            reader.spaces();
            if reader.rest.is_empty() {
                return Err(FieldError::Malformed);
            }
        }
        Ok(Self(members))
    }

    /// The value of this name, where it stands alone.
    pub fn one(&self, name: &str) -> Option<&Bare> {
        match &self.0.iter().find(|(known, _)| known == name)?.1.value {
            Value::One(bare) => Some(bare),
            Value::List(_) => None,
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn next(&mut self) -> Result<u8, FieldError> {
        let (first, rest) = self.rest.split_first().ok_or(FieldError::Malformed)?;
        self.rest = rest;
        Ok(*first)
    }

    fn expect(&mut self, byte: u8) -> Result<(), FieldError> {
        if self.next()? == byte { Ok(()) } else { Err(FieldError::Malformed) }
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t')) {
            self.rest = self.rest.get(1..).unwrap_or_default();
        }
    }

    fn while_is(&mut self, fits: impl Fn(u8) -> bool) -> &'a str {
        let end = self.rest.iter().position(|byte| !fits(*byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        std::str::from_utf8(taken).unwrap_or_default()
    }

    fn key(&mut self) -> Result<String, FieldError> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'*') {
            return Err(FieldError::Malformed);
        }
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.*".contains(&byte);
        Ok(self.while_is(fits).to_owned())
    }

    fn member(&mut self) -> Result<Member, FieldError> {
        let value = if self.peek() == Some(b'=') {
            self.next()?;
            if self.peek() == Some(b'(') { Value::List(self.list()?) } else { Value::One(self.bare()?) }
        } else {
            Value::One(Bare::Flag(true))
        };
        Ok(Member { value, params: self.params()? })
    }

    fn list(&mut self) -> Result<Vec<(Bare, Params)>, FieldError> {
        self.expect(b'(')?;
        let mut items = Vec::new();
        loop {
            while self.peek() == Some(b' ') {
                self.next()?;
            }
            if self.peek() == Some(b')') {
                self.next()?;
                return Ok(items);
            }
            if items.len() == MAX_MEMBERS {
                return Err(FieldError::TooLong);
            }
            items.push((self.bare()?, self.params()?));
            if !matches!(self.peek(), Some(b' ' | b')')) {
                return Err(FieldError::Malformed);
            }
        }
    }

    fn params(&mut self) -> Result<Params, FieldError> {
        let mut params = Params::new();
        while self.peek() == Some(b';') {
            self.next()?;
            while self.peek() == Some(b' ') {
                self.next()?;
            }
            let name = self.key()?;
            let value = if self.peek() == Some(b'=') {
                self.next()?;
                self.bare()?
            } else {
                Bare::Flag(true)
            };
            if params.len() == MAX_MEMBERS {
                return Err(FieldError::TooLong);
            }
            if params.iter().any(|(known, _)| *known == name) {
                return Err(FieldError::Malformed);
            }
            params.push((name, value));
        }
        Ok(params)
    }

    fn bare(&mut self) -> Result<Bare, FieldError> {
        match self.peek().ok_or(FieldError::Malformed)? {
            b'"' => self.text().map(Bare::Text),
            b':' => {
                self.next()?;
                let text = self.while_is(|byte| byte != b':');
                self.expect(b':')?;
                STANDARD.decode(text).map(Bare::Bytes).map_err(|_| FieldError::Malformed)
            }
            b'?' => {
                self.next()?;
                match self.next()? {
                    b'0' => Ok(Bare::Flag(false)),
                    b'1' => Ok(Bare::Flag(true)),
                    _ => Err(FieldError::Malformed),
                }
            }
            b'-' | b'0'..=b'9' => {
                let text = self.while_is(|byte| byte.is_ascii_digit() || byte == b'-' || byte == b'.');
                // Fifteen digits, by the RFC. Parts of numbers are not used here.
                let digits = text.strip_prefix('-').unwrap_or(text);
                let whole = (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
                text.parse().ok().filter(|_| whole).map(Bare::Integer).ok_or(FieldError::Malformed)
            }
            byte if byte.is_ascii_alphabetic() || byte == b'*' => {
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:/".contains(&byte);
                Ok(Bare::Token(self.while_is(fits).to_owned()))
            }
            _ => Err(FieldError::Malformed),
        }
    }

    fn text(&mut self) -> Result<String, FieldError> {
        self.expect(b'"')?;
        let mut text = String::new();
        loop {
            match self.next()? {
                b'"' => return Ok(text),
                b'\\' => match self.next()? {
                    byte @ (b'"' | b'\\') => text.push(char::from(byte)),
                    _ => return Err(FieldError::Malformed),
                },
                byte @ b' '..=b'~' => text.push(char::from(byte)),
                _ => return Err(FieldError::Malformed),
            }
        }
    }
}

impl fmt::Display for Bare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            Self::Token(text) => f.write_str(text),
            Self::Bytes(bytes) => write!(f, ":{}:", STANDARD.encode(bytes)),
            Self::Flag(flag) => write!(f, "?{}", u8::from(*flag)),
        }
    }
}

/// A list of items and its parameters, as a signature has them in its base.
pub(crate) fn write_list(items: &[(Bare, Params)], params: &Params) -> String {
    let mut text = String::from("(");
    for (at, (bare, own)) in items.iter().enumerate() {
        if at > 0 {
            text.push(' ');
        }
        text.push_str(&bare.to_string());
        write_params(own, &mut text);
    }
    text.push(')');
    write_params(params, &mut text);
    text
}

fn write_params(params: &Params, text: &mut String) {
    for (name, value) in params {
        text.push(';');
        text.push_str(name);
        if *value != Bare::Flag(true) {
            text.push('=');
            text.push_str(&value.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dictionaries_are_read() {
        let read = Dictionary::read(
            r#"a=1, b;x;y="q\"", c=("@method" "x";sf);created=-5;keyid="k", d=:AQI=:, e=?0, f=tok/en"#,
        )
        .unwrap();
        assert_eq!(read.one("a"), Some(&Bare::Integer(1)));
        assert_eq!(read.one("b"), Some(&Bare::Flag(true)));
        assert_eq!(read.one("d"), Some(&Bare::Bytes(vec![1, 2])));
        assert_eq!(read.one("e"), Some(&Bare::Flag(false)));
        assert_eq!(read.one("f"), Some(&Bare::Token("tok/en".into())));
        assert_eq!(read.one("c"), None);
        let Value::List(items) = &read.0[2].1.value else { panic!("a list") };
        assert_eq!(write_list(items, &read.0[2].1.params), r#"("@method" "x";sf);created=-5;keyid="k""#);
        assert_eq!(Dictionary::read(""), Ok(Dictionary::default()));
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "a=",
            "a=1,",
            "a=1,,b",
            "A=1",
            "a=1 b=2",
            "a=(1",
            "a=(1,2)",
            "a=\"x",
            "a=\"\\x\"",
            "a=:x",
            "a=:!:",
            "a=?2",
            "a=1.5",
            "a=1,a=2",
            "a;b;b",
            "=1",
            "a=\u{e9}",
            "a=\"\u{e9}\"",
            "a=1234567890123456",
            "a=--1",
            "a=-",
            "a=(\"x\"\"y\")",
        ] {
            assert_eq!(Dictionary::read(text), Err(FieldError::Malformed), "{text}");
        }
        let many: Vec<String> = (0..=MAX_MEMBERS).map(|at| format!("k{at}")).collect();
        assert_eq!(Dictionary::read(&many.join(",")), Err(FieldError::TooLong));
        assert_eq!(Dictionary::read(&"a".repeat(MAX_HEADER + 1)), Err(FieldError::TooLong));
        assert_eq!(Dictionary::read(&format!("a=({})", "1 ".repeat(MAX_MEMBERS + 1))), Err(FieldError::TooLong));
    }

    proptest! {
        #[test]
        fn any_header_is_read_or_refused(text in r#"[a-c=;,"()?:\\ \t0-9@-]{0,40}|.{0,20}"#) {
            let _ = Dictionary::read(&text);
        }

        #[test]
        fn any_text_stays_itself(text in "[ -~]{0,40}") {
            let written = format!("a={}", Bare::Text(text.clone()));
            let read = Dictionary::read(&written).unwrap();
            prop_assert_eq!(read.one("a"), Some(&Bare::Text(text)));
        }
    }
}
