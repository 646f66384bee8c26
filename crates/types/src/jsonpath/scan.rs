//! The tokens of a path.

use base::{Error, Result, err};

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    End,
    /// A special character that is no operator of two.
    Char(u8),
    String(String),
    /// A word that is no keyword.
    Word(String),
    /// A keyword in small letters, and as it was written.
    Keyword(&'static str, String),
    /// An integer's text.
    Int(String),
    /// Another number's text.
    Number(String),
    Variable(String),
    And,
    Or,
    Not,
    /// `**`
    Any,
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    GreaterOrEqual,
    Greater,
}

const KEYWORDS: [&str; 33] = [
    "is",
    "to",
    "abs",
    "lax",
    "date",
    "flag",
    "last",
    "null",
    "size",
    "time",
    "true",
    "type",
    "with",
    "false",
    "floor",
    "bigint",
    "double",
    "exists",
    "number",
    "starts",
    "strict",
    "string",
    "boolean",
    "ceiling",
    "decimal",
    "integer",
    "time_tz",
    "unknown",
    "datetime",
    "keyvalue",
    "timestamp",
    "like_regex",
    "timestamp_tz",
];

/// Reads tokens from a text.
pub(super) struct Scanner<'t> {
    text: &'t str,
    at: usize,
    /// What messages show of the last token; nothing means the end.
    near: (usize, usize),
}

fn is_special(b: u8) -> bool {
    b"?%$.[]{}()|&!=<>@#,*:-+/".contains(&b)
}

fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\n' | b'\r' | 0x0c)
}

fn is_other(b: u8) -> bool {
    !is_special(b) && !is_blank(b) && b != b'\\' && b != b'"'
}

/// The digits from a position on, single underscores between them; none without a first digit.
fn digits(bytes: &[u8], mut at: usize, is_digit: impl Fn(u8) -> bool) -> Option<usize> {
    if !bytes.get(at).is_some_and(|b| is_digit(*b)) {
        return None;
    }
    at += 1;
    loop {
        let after = at + usize::from(bytes.get(at) == Some(&b'_'));
        match bytes.get(after) {
            Some(b) if is_digit(*b) => at = after + 1,
            _ => return Some(at),
        }
    }
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str) -> Scanner<'t> {
        Scanner { text, at: 0, near: (0, 0) }
    }

    /// A syntax error at the last token.
    pub(super) fn error(&self, message: &str) -> Error {
        let near = self.text.get(self.near.0..self.near.1).unwrap_or("");
        if near.is_empty() {
            err!(SYNTAX_ERROR, "{message} at end of jsonpath input")
        } else {
            err!(SYNTAX_ERROR, "{message} at or near \"{near}\" of jsonpath input")
        }
    }

    fn fail<T>(&mut self, from: usize, to: usize, message: &str) -> Result<T> {
        let mut to = to.min(self.text.len());
        while !self.text.is_char_boundary(to) {
            to += 1;
        }
        self.near = (from, to);
        Err(self.error(message))
    }

    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token> {
        let bytes = self.text.as_bytes();
        loop {
            let Some(&b) = bytes.get(self.at) else {
                self.near = (self.at, self.at);
                return Ok(Token::End);
            };
            if is_blank(b) {
                self.at += 1;
            } else if bytes[self.at..].starts_with(b"/*") {
                self.comment()?;
            } else if b == b'"' {
                self.at += 1;
                return self.quoted().map(Token::String);
            } else if b == b'$' {
                return self.variable();
            } else if is_special(b) && !(b == b'.' && self.number_end().is_some()) {
                return Ok(self.special(b));
            } else if let Some(token) = self.word_or_number()? {
                return Ok(token);
            }
        }
    }

    fn comment(&mut self) -> Result<()> {
        match self.text[self.at + 2..].find("*/") {
            Some(length) => {
                self.at += length + 4;
                Ok(())
            }
            None => {
                let end = self.text.len();
                self.fail(end, end, "unexpected end of comment")
            }
        }
    }

    fn special(&mut self, b: u8) -> Token {
        const DOUBLE: [(&str, Token); 8] = [
            ("&&", Token::And),
            ("||", Token::Or),
            ("**", Token::Any),
            ("<=", Token::LessOrEqual),
            ("==", Token::Equal),
            ("<>", Token::NotEqual),
            ("!=", Token::NotEqual),
            (">=", Token::GreaterOrEqual),
        ];
        let rest = &self.text[self.at..];
        let (length, token) = match DOUBLE.iter().find(|(text, _)| rest.starts_with(text)) {
            Some((text, token)) => (text.len(), token.clone()),
            None => match b {
                b'<' => (1, Token::Less),
                b'>' => (1, Token::Greater),
                b'!' => (1, Token::Not),
                _ => (1, Token::Char(b)),
            },
        };
        self.near = (self.at, self.at + length);
        self.at += length;
        token
    }

    fn variable(&mut self) -> Result<Token> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        self.at += 1;
        if bytes.get(self.at) == Some(&b'"') {
            self.at += 1;
            return self.quoted().map(Token::Variable);
        }
        while bytes.get(self.at).is_some_and(|b| is_other(*b)) {
            self.at += 1;
        }
        self.near = (start, self.at);
        if self.at == start + 1 {
            return Ok(Token::Char(b'$'));
        }
        Ok(Token::Variable(self.text[start + 1..self.at].to_owned()))
    }

    /// A string behind its first quote.
    fn quoted(&mut self) -> Result<String> {
        let bytes = self.text.as_bytes();
        let mut out = String::new();
        loop {
            let plain = self.at;
            while bytes.get(self.at).is_some_and(|b| !matches!(b, b'"' | b'\\')) {
                self.at += 1;
            }
            out.push_str(&self.text[plain..self.at]);
            match bytes.get(self.at) {
                None => return self.fail(self.at, self.at, "unterminated quoted string"),
                Some(b'"') => {
                    self.near = (self.at, self.at + 1);
                    self.at += 1;
                    return Ok(out);
                }
                Some(_) => self.escape(&mut out)?,
            }
        }
    }

    /// The end of the integer of another base than ten that begins here.
    fn radix_end(&self) -> Option<usize> {
        let bytes = self.text.as_bytes();
        let at = self.at;
        if bytes[at] != b'0' {
            return None;
        }
        match bytes.get(at + 1)? | 0x20 {
            b'x' => digits(bytes, at + 2, |b| b.is_ascii_hexdigit()),
            b'o' => digits(bytes, at + 2, |b| matches!(b, b'0'..=b'7')),
            b'b' => digits(bytes, at + 2, |b| matches!(b, b'0' | b'1')),
            _ => None,
        }
    }

    /// The end of the decimal number that begins here, and whether it is an integer.
    fn number_end(&self) -> Option<(usize, bool)> {
        let bytes = self.text.as_bytes();
        let at = self.at;
        let decimal = |at| digits(bytes, at, |b| b.is_ascii_digit());
        let integer = if bytes[at] == b'0' { Some(at + 1) } else { decimal(at) };
        let (mut end, mut plain) = match (integer, bytes.get(integer.unwrap_or(at))) {
            (Some(end), Some(b'.')) => (decimal(end + 1).unwrap_or(end + 1), false),
            (Some(end), _) => (end, true),
            (None, Some(b'.')) => (decimal(at + 1)?, false),
            (None, _) => return None,
        };
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            if let Some(exponent) = decimal(end + 1 + sign) {
                (end, plain) = (exponent, false);
            }
        }
        Some((end, plain))
    }

    fn word_or_number(&mut self) -> Result<Option<Token>> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let run = bytes[start..].iter().take_while(|b| is_other(**b)).count();
        if let Some(end) = self.radix_end()
            && end - start >= run
        {
            self.at = end;
            self.near = (start, end);
            return Ok(Some(Token::Int(self.text[start..end].to_owned())));
        }
        if let Some((end, integer)) = self.number_end() {
            // The longest token wins, the number with one character too many before a word.
            let fails = matches!(bytes.get(end), Some(b'e' | b'E'))
                && matches!(bytes.get(end + 1), Some(b'+' | b'-'));
            let junk = bytes.get(end).is_some_and(|b| is_other(*b));
            if fails && end + 2 - start >= run {
                return self.fail(start, end + 2, "invalid numeric literal");
            }
            if junk && end + 1 - start >= run {
                return self.fail(start, end + 1, "trailing junk after numeric literal");
            }
            if end - start >= run {
                self.at = end;
                self.near = (start, end);
                let text = self.text[start..end].to_owned();
                return Ok(Some(if integer { Token::Int(text) } else { Token::Number(text) }));
            }
        }
        self.word()
    }

    /// A word; none if a comment follows it at once, which swallows it.
    fn word(&mut self) -> Result<Option<Token>> {
        let bytes = self.text.as_bytes();
        let mut out = String::new();
        loop {
            let plain = self.at;
            while bytes.get(self.at).is_some_and(|b| is_other(*b)) {
                self.at += 1;
            }
            out.push_str(&self.text[plain..self.at]);
            match bytes.get(self.at) {
                Some(b'\\') => self.escape(&mut out)?,
                Some(b'/') if bytes.get(self.at + 1) == Some(&b'*') => {
                    self.comment()?;
                    return Ok(None);
                }
                Some(b) if is_blank(*b) => {
                    let from = self.at;
                    while bytes.get(self.at).is_some_and(|b| is_blank(*b)) {
                        self.at += 1;
                    }
                    self.near = (from, self.at);
                    break;
                }
                _ => {
                    self.near = (self.at, self.at);
                    break;
                }
            }
        }
        let lower = out.to_ascii_lowercase();
        let keyword = KEYWORDS.iter().find(|keyword| **keyword == lower);
        let exact = matches!(lower.as_str(), "null" | "true" | "false");
        Ok(Some(match keyword {
            Some(keyword) if !exact || lower == out => Token::Keyword(keyword, out),
            _ => Token::Word(out),
        }))
    }

    /// Reads an escape and appends what it means.
    fn escape(&mut self, out: &mut String) -> Result<()> {
        let start = self.at;
        let rest = &self.text[start + 1..];
        let Some(c) = rest.chars().next() else {
            return self.fail(start, start + 1, "unexpected end after backslash");
        };
        let plain = match c {
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            'u' => return self.unicode(out),
            'x' => {
                let hex = rest.get(1..3).filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit()));
                let Some(code) = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()) else {
                    let one = rest.as_bytes().get(1).is_some_and(u8::is_ascii_hexdigit);
                    let end = start + 2 + usize::from(one);
                    return self.fail(start, end, "invalid hexadecimal character sequence");
                };
                self.at = start + 4;
                return push_code(code, out);
            }
            c => c,
        };
        out.push(plain);
        self.at = start + 1 + c.len_utf8();
        Ok(())
    }

    /// A run of `\uXXXX` and `\u{X}`.
    fn unicode(&mut self, out: &mut String) -> Result<()> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut codes = Vec::new();
        while bytes[self.at..].starts_with(b"\\u") {
            let braced = bytes.get(self.at + 2) == Some(&b'{');
            let from = self.at + 2 + usize::from(braced);
            let most = if braced { 6 } else { 4 };
            let count =
                bytes[from..].iter().take(most).take_while(|b| b.is_ascii_hexdigit()).count();
            let complete = if braced {
                count > 0 && bytes.get(from + count) == Some(&b'}')
            } else {
                count == 4
            };
            if !complete {
                return self.fail(start, from + count, "invalid Unicode escape sequence");
            }
            codes.push(u32::from_str_radix(&self.text[from..from + count], 16).unwrap_or(0));
            self.at = from + count + usize::from(braced);
        }
        push_codes(&codes, out)
    }
}

fn push_code(code: u32, out: &mut String) -> Result<()> {
    match char::from_u32(code) {
        Some('\0') => Err(err!(UNTRANSLATABLE_CHARACTER, "unsupported Unicode escape sequence")
            .detail("\\u0000 cannot be converted to text.")),
        Some(c) => {
            out.push(c);
            Ok(())
        }
        None => Err(err!(SYNTAX_ERROR, "invalid Unicode code point")),
    }
}

fn push_codes(codes: &[u32], out: &mut String) -> Result<()> {
    let invalid = |detail: &str| {
        err!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type jsonpath").detail(detail)
    };
    let low_must_follow = || invalid("Unicode low surrogate must follow a high surrogate.");
    let mut high = None;
    for &code in codes {
        match (code, high) {
            (0xD800..0xDC00, Some(_)) => {
                return Err(invalid("Unicode high surrogate must not follow a high surrogate."));
            }
            (0xD800..0xDC00, None) => high = Some(code),
            (0xDC00..0xE000, Some(first)) => {
                high = None;
                push_code(0x10000 + ((first & 0x3ff) << 10) + (code & 0x3ff), out)?;
            }
            (0xDC00..0xE000, None) | (_, Some(_)) => return Err(low_must_follow()),
            (code, None) => push_code(code, out)?,
        }
    }
    if high.is_some() { Err(low_must_follow()) } else { Ok(()) }
}
