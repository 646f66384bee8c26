//! json: a checked text; the parser that json and jsonb share.
//!
//! The parser keeps its own stack, so that nesting costs no machine stack, and tells a [`Sink`]
//! what it meets. [`Node`] is a sink's tree with the raw text of every value.

use base::{Error, Result, err};
use memory::Account;
use memory::collections::{Output, Toll};
use std::borrow::Cow;

/// The deepest nesting.
const DEPTH_MAX: usize = 6400;

/// A value that is neither object nor array.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Scalar<'t> {
    Null,
    Bool(bool),
    /// The number's text.
    Number(&'t str),
    /// The string without quotes and escapes (with its escapes if the parser leaves them).
    String(Cow<'t, str>),
}

/// What the parser tells. Offsets are byte positions in the text.
pub trait Sink<'t> {
    /// `{` at `start`.
    ///
    /// # Errors
    /// Whatever stops the parser.
    fn object_start(&mut self, start: usize) -> Result<()>;
    /// A key of the innermost object.
    ///
    /// # Errors
    /// Whatever stops the parser.
    fn key(&mut self, key: Cow<'t, str>) -> Result<()>;
    /// `}` that ends at `end`.
    ///
    /// # Errors
    /// Whatever stops the parser.
    fn object_end(&mut self, end: usize) -> Result<()>;
    /// `[` at `start`.
    ///
    /// # Errors
    /// Whatever stops the parser.
    fn array_start(&mut self, start: usize) -> Result<()>;
    /// `]` that ends at `end`.
    ///
    /// # Errors
    /// Whatever stops the parser.
    fn array_end(&mut self, end: usize) -> Result<()>;
    /// A scalar from `start` to `end`.
    ///
    /// # Errors
    /// Whatever stops the parser.
    fn scalar(&mut self, value: Scalar<'t>, start: usize, end: usize) -> Result<()>;
    /// Who pays for a long string whose escapes are resolved.
    fn account(&self) -> Option<Account> {
        None
    }
}

/// A sink that only lets the parser check.
struct Check;

impl<'t> Sink<'t> for Check {
    fn object_start(&mut self, _: usize) -> Result<()> {
        Ok(())
    }
    fn key(&mut self, _: Cow<'t, str>) -> Result<()> {
        Ok(())
    }
    fn object_end(&mut self, _: usize) -> Result<()> {
        Ok(())
    }
    fn array_start(&mut self, _: usize) -> Result<()> {
        Ok(())
    }
    fn array_end(&mut self, _: usize) -> Result<()> {
        Ok(())
    }
    fn scalar(&mut self, _: Scalar<'t>, _: usize, _: usize) -> Result<()> {
        Ok(())
    }
}

/// Checks that a text is JSON.
///
/// # Errors
/// 22P02 with PostgreSQL's detail and context.
pub fn validate(text: &str) -> Result<()> {
    parse(text, false, &mut Check)
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token {
    End,
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    Comma,
    Colon,
    String,
    Number,
    True,
    False,
    Null,
}

struct Lexer<'t> {
    text: &'t str,
    unescape: bool,
    /// The token's bytes.
    start: usize,
    end: usize,
    string: Cow<'t, str>,
    line: usize,
    line_start: usize,
    /// Pays for the string.
    toll: Option<Toll>,
}

impl<'t> Lexer<'t> {
    fn error(&self, token: Token, detail: String) -> Error {
        err!(INVALID_TEXT_REPRESENTATION, "invalid input syntax for type json")
            .detail(detail)
            .context(self.context(token))
    }

    fn context(&self, token: Token) -> String {
        let mut from = self.line_start;
        while self.end - from >= 50 {
            from += 1;
            while !self.text.is_char_boundary(from) {
                from += 1;
            }
        }
        if from - self.line_start <= 3 {
            from = self.line_start;
        }
        let before = if from > self.line_start { "..." } else { "" };
        let next = self.text.as_bytes().get(self.end);
        let more = token != Token::End && next.is_some_and(|b| !matches!(b, b'\n' | b'\r'));
        let after = if more { "..." } else { "" };
        format!("JSON data, line {}: {before}{}{after}", self.line, &self.text[from..self.end])
    }

    fn shown(&self) -> &'t str {
        &self.text[self.start..self.end]
    }

    fn next(&mut self) -> Result<Token> {
        let bytes = self.text.as_bytes();
        let mut at = self.end;
        while let Some(&b) = bytes.get(at) {
            match b {
                b' ' | b'\t' | b'\r' => {}
                b'\n' => {
                    self.line += 1;
                    self.line_start = at + 1;
                }
                _ => break,
            }
            at += 1;
        }
        self.start = at;
        self.end = at;
        let Some(&b) = bytes.get(at) else { return Ok(Token::End) };
        self.end = at + 1;
        Ok(match b {
            b'{' => Token::ObjectStart,
            b'}' => Token::ObjectEnd,
            b'[' => Token::ArrayStart,
            b']' => Token::ArrayEnd,
            b',' => Token::Comma,
            b':' => Token::Colon,
            b'"' => {
                self.string()?;
                Token::String
            }
            b'-' | b'0'..=b'9' => {
                self.number()?;
                Token::Number
            }
            _ => return self.word(),
        })
    }

    fn word(&mut self) -> Result<Token> {
        let rest = &self.text[self.start..];
        let length = rest
            .find(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        if length == 0 {
            return Err(self.invalid_token());
        }
        self.end = self.start + length;
        match &rest[..length] {
            "true" => Ok(Token::True),
            "false" => Ok(Token::False),
            "null" => Ok(Token::Null),
            _ => Err(self.invalid_token()),
        }
    }

    fn invalid_token(&self) -> Error {
        self.error(Token::Null, format!("Token \"{}\" is invalid.", self.shown()))
    }

    fn number(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut at = self.start + usize::from(bytes[self.start] == b'-');
        let mut wrong = false;
        match bytes.get(at) {
            Some(b'0') => at += 1,
            Some(b'1'..=b'9') => at += digits(at),
            _ => wrong = true,
        }
        if !wrong && bytes.get(at) == Some(&b'.') {
            let n = digits(at + 1);
            wrong = n == 0;
            at += 1 + n;
        }
        if !wrong && matches!(bytes.get(at), Some(b'e' | b'E')) {
            at += 1;
            at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
            let n = digits(at);
            wrong = n == 0;
            at += n;
        }
        // Garbage that clings to the number belongs to the wrong token.
        let rest = &self.text[at..];
        let clinging = rest
            .find(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        self.end = at + clinging;
        if wrong || clinging > 0 { Err(self.invalid_token()) } else { Ok(()) }
    }

    fn string(&mut self) -> Result<()> {
        let bytes = self.text.as_bytes();
        let first = self.start + 1;
        let mut at = first;
        let mut plain = first;
        let mut built = String::new();
        let mut high: Option<u32> = None;
        loop {
            let b = bytes.get(at).copied();
            if high.is_some() && b != Some(b'\\') {
                self.end = at + b.map_or(0, |_| self.char_length(at));
                return Err(self.low_surrogate());
            }
            match b {
                None => {
                    self.end = at;
                    return Err(self.invalid_token());
                }
                Some(b'"') => break,
                Some(b'\\') => {
                    self.build(&mut built, &self.text[plain..at])?;
                    at = self.escape(at + 1, &mut built, &mut high)?;
                    plain = at;
                }
                Some(c) if c < 32 => {
                    self.end = at;
                    return Err(self.error(
                        Token::String,
                        format!("Character with value 0x{c:02x} must be escaped."),
                    ));
                }
                Some(_) => at += 1,
            }
        }
        self.end = at + 1;
        self.string = if plain == first || !self.unescape {
            Cow::Borrowed(&self.text[first..at])
        } else {
            self.build(&mut built, &self.text[plain..at])?;
            Cow::Owned(built)
        };
        Ok(())
    }

    /// Appends to a string and leaves room for a character.
    fn build(&mut self, built: &mut String, text: &str) -> Result<()> {
        if !self.unescape {
            return Ok(());
        }
        if let Some(toll) = &mut self.toll {
            toll.text_room(built, text.len() + 4)?;
        }
        built.push_str(text);
        Ok(())
    }

    fn char_length(&self, at: usize) -> usize {
        self.text[at..].chars().next().map_or(1, char::len_utf8)
    }

    fn low_surrogate(&self) -> Error {
        self.error(Token::String, "Unicode low surrogate must follow a high surrogate.".into())
    }

    /// Reads the escape after the backslash; returns the position after it.
    fn escape(&mut self, at: usize, built: &mut String, high: &mut Option<u32>) -> Result<usize> {
        let bytes = self.text.as_bytes();
        let Some(&b) = bytes.get(at) else {
            self.end = at;
            return Err(self.invalid_token());
        };
        if b == b'u' {
            return self.unicode_escape(at + 1, built, high);
        }
        if high.is_some() {
            self.end = at + self.char_length(at);
            return Err(self.low_surrogate());
        }
        let c = match b {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            _ => {
                self.start = at;
                self.end = at + self.char_length(at);
                return Err(self.error(
                    Token::String,
                    format!("Escape sequence \"\\{}\" is invalid.", self.shown()),
                ));
            }
        };
        if self.unescape {
            built.push(c);
        }
        Ok(at + 1)
    }

    fn unicode_escape(
        &mut self,
        at: usize,
        built: &mut String,
        high: &mut Option<u32>,
    ) -> Result<usize> {
        let bytes = self.text.as_bytes();
        let mut code = 0;
        for i in 0..4 {
            let digit = bytes.get(at + i).and_then(|b| char::from(*b).to_digit(16));
            let Some(digit) = digit else {
                if at + i >= bytes.len() {
                    self.end = bytes.len();
                    return Err(self.invalid_token());
                }
                self.end = at + i + self.char_length(at + i);
                return Err(self.error(
                    Token::String,
                    "\"\\u\" must be followed by four hexadecimal digits.".into(),
                ));
            };
            code = code * 16 + digit;
        }
        let after = at + 4;
        if !self.unescape {
            return Ok(after);
        }
        self.end = after;
        let is_low = (0xDC00..0xE000).contains(&code);
        match *high {
            Some(_) if (0xD800..0xDC00).contains(&code) => {
                return Err(self.error(
                    Token::String,
                    "Unicode high surrogate must not follow a high surrogate.".into(),
                ));
            }
            Some(first) if is_low => {
                *high = None;
                code = 0x10000 + ((first & 0x3ff) << 10) + (code & 0x3ff);
            }
            Some(_) => return Err(self.low_surrogate()),
            None if is_low => return Err(self.low_surrogate()),
            None if (0xD800..0xDC00).contains(&code) => {
                *high = Some(code);
                return Ok(after);
            }
            None => {}
        }
        if code == 0 {
            return Err(err!(UNTRANSLATABLE_CHARACTER, "unsupported Unicode escape sequence")
                .detail("\\u0000 cannot be converted to text.")
                .context(self.context(Token::String)));
        }
        built.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        Ok(after)
    }
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Value,
    ArrayFirst,
    ArrayNext,
    ObjectFirst,
    ObjectKey,
    ObjectNext,
    End,
}

fn unexpected(lexer: &Lexer<'_>, token: Token, state: State) -> Error {
    if token == Token::End {
        return lexer.error(token, "The input string ended unexpectedly.".into());
    }
    let expected = match state {
        State::Value => "JSON value",
        State::ArrayFirst => "array element or \"]\"",
        State::ArrayNext => "\",\" or \"]\"",
        State::ObjectFirst => "string or \"}\"",
        State::ObjectKey => "string",
        State::ObjectNext => "\",\" or \"}\"",
        State::End => "end of input",
    };
    lexer.error(token, format!("Expected {expected}, but found \"{}\".", lexer.shown()))
}

/// Parses a text and tells `sink`. With `unescape`, strings come without escapes and code points
/// that no text can hold are refused.
///
/// # Errors
/// 22P02, 22P05, 54001, and those of the sink.
pub fn parse<'t>(text: &'t str, unescape: bool, sink: &mut impl Sink<'t>) -> Result<()> {
    let mut lexer = Lexer {
        text,
        unescape,
        start: 0,
        end: 0,
        string: Cow::Borrowed(""),
        line: 1,
        line_start: 0,
        toll: sink.account().map(|account| Toll::new(account, "JsonString")),
    };
    // True for an object, false for an array.
    let mut open: Vec<bool> = Vec::new();
    let mut state = State::Value;
    loop {
        let token = lexer.next()?;
        match (state, token) {
            (State::End, Token::End) => return Ok(()),
            (State::ArrayFirst | State::ArrayNext, Token::ArrayEnd) => {
                sink.array_end(lexer.end)?;
                open.pop();
                state = after_value(&open);
            }
            (State::ObjectFirst | State::ObjectNext, Token::ObjectEnd) => {
                sink.object_end(lexer.end)?;
                open.pop();
                state = after_value(&open);
            }
            (State::ArrayNext, Token::Comma) => state = State::Value,
            (State::ObjectNext, Token::Comma) => state = State::ObjectKey,
            (State::ObjectFirst | State::ObjectKey, Token::String) => {
                sink.key(std::mem::replace(&mut lexer.string, Cow::Borrowed("")))?;
                let token = lexer.next()?;
                if token != Token::Colon {
                    if token == Token::End {
                        return Err(unexpected(&lexer, token, state));
                    }
                    return Err(lexer.error(
                        token,
                        format!("Expected \":\", but found \"{}\".", lexer.shown()),
                    ));
                }
                state = State::Value;
            }
            (State::Value | State::ArrayFirst, _) => {
                state = value(&mut lexer, token, state, &mut open, sink)?;
            }
            _ => return Err(unexpected(&lexer, token, state)),
        }
    }
}

fn after_value(open: &[bool]) -> State {
    match open.last() {
        None => State::End,
        Some(true) => State::ObjectNext,
        Some(false) => State::ArrayNext,
    }
}

fn value<'t>(
    lexer: &mut Lexer<'t>,
    token: Token,
    state: State,
    open: &mut Vec<bool>,
    sink: &mut impl Sink<'t>,
) -> Result<State> {
    let scalar = match token {
        Token::ObjectStart | Token::ArrayStart => {
            if open.len() >= DEPTH_MAX {
                return Err(err!(
                    INVALID_TEXT_REPRESENTATION,
                    "invalid input syntax for type json"
                )
                .detail("JSON nested too deep, maximum permitted depth is 6400."));
            }
            let is_object = token == Token::ObjectStart;
            open.push(is_object);
            return Ok(if is_object {
                sink.object_start(lexer.start)?;
                State::ObjectFirst
            } else {
                sink.array_start(lexer.start)?;
                State::ArrayFirst
            });
        }
        Token::String => Scalar::String(std::mem::replace(&mut lexer.string, Cow::Borrowed(""))),
        Token::Number => Scalar::Number(lexer.shown()),
        Token::True => Scalar::Bool(true),
        Token::False => Scalar::Bool(false),
        Token::Null => Scalar::Null,
        _ => return Err(unexpected(lexer, token, state)),
    };
    sink.scalar(scalar, lexer.start, lexer.end)?;
    Ok(after_value(open))
}

/// A value with its raw text.
#[derive(Clone, Debug)]
pub struct Node<'t> {
    /// The text of the value as it was written.
    pub raw: &'t str,
    /// What it is.
    pub kind: NodeKind<'t>,
}

/// What a [`Node`] is.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the names say it")]
pub enum NodeKind<'t> {
    Scalar(Scalar<'t>),
    Array(Vec<Node<'t>>),
    /// Keys in the order of the text, repeated ones included.
    Object(Vec<(Cow<'t, str>, Node<'t>)>),
}

/// The tree of a text, which an account pays for.
pub struct Tree<'t> {
    root: Node<'t>,
    _toll: Toll,
}

impl<'t> Tree<'t> {
    /// The value of the whole text.
    pub fn root(&self) -> &Node<'t> {
        &self.root
    }
}

struct TreeBuilder<'t> {
    text: &'t str,
    open: Vec<(usize, NodeKind<'t>)>,
    keys: Vec<Cow<'t, str>>,
    root: Option<Node<'t>>,
    toll: Toll,
}

/// Appends to a list whose room is charged.
fn push<T>(list: &mut Vec<T>, value: T, toll: &mut Toll) -> Result<()> {
    toll.room(list, 1)?;
    list.push(value);
    Ok(())
}

impl<'t> TreeBuilder<'t> {
    fn add(&mut self, node: Node<'t>) -> Result<()> {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some((_, NodeKind::Array(items))) => push(items, node, &mut self.toll)?,
            Some((_, NodeKind::Object(pairs))) => {
                push(pairs, (self.keys.pop().unwrap_or_default(), node), &mut self.toll)?;
            }
            Some((_, NodeKind::Scalar(_))) => {}
        }
        Ok(())
    }

    fn close(&mut self, end: usize) -> Result<()> {
        match self.open.pop() {
            Some((start, kind)) => self.add(Node { raw: &self.text[start..end], kind }),
            None => Ok(()),
        }
    }
}

impl<'t> Sink<'t> for TreeBuilder<'t> {
    fn object_start(&mut self, start: usize) -> Result<()> {
        self.open.push((start, NodeKind::Object(Vec::new())));
        Ok(())
    }
    fn key(&mut self, key: Cow<'t, str>) -> Result<()> {
        if let Cow::Owned(key) = &key {
            self.toll.add(key.capacity())?;
        }
        self.keys.push(key);
        Ok(())
    }
    fn object_end(&mut self, end: usize) -> Result<()> {
        self.close(end)
    }
    fn array_start(&mut self, start: usize) -> Result<()> {
        self.open.push((start, NodeKind::Array(Vec::new())));
        Ok(())
    }
    fn array_end(&mut self, end: usize) -> Result<()> {
        self.close(end)
    }
    fn scalar(&mut self, value: Scalar<'t>, start: usize, end: usize) -> Result<()> {
        if let Scalar::String(Cow::Owned(text)) = &value {
            self.toll.add(text.capacity())?;
        }
        self.add(Node { raw: &self.text[start..end], kind: NodeKind::Scalar(value) })
    }
    fn account(&self) -> Option<Account> {
        Some(self.toll.account().clone())
    }
}

/// The tree of a text.
///
/// # Errors
/// As [`parse`] with `unescape`; 53200.
pub fn tree<'t>(text: &'t str, account: &Account) -> Result<Tree<'t>> {
    let toll = Toll::new(account.clone(), "JsonTree");
    let mut builder = TreeBuilder { text, open: Vec::new(), keys: Vec::new(), root: None, toll };
    parse(text, true, &mut builder)?;
    let root = builder.root.ok_or_else(|| Error::internal("JSON text without a value"))?;
    Ok(Tree { root, _toll: builder.toll })
}

/// Writes a string as JSON, quoted and escaped.
///
/// # Errors
/// 53200
pub fn write_quoted(text: &str, out: &mut Output<'_>) -> Result<()> {
    /// A short text is not read twice.
    const SHORT_BYTES: usize = 64;
    let bytes = if text.len() <= SHORT_BYTES {
        6 * text.len()
    } else {
        let cost = |byte: u8| match byte {
            b'"' | b'\\' | 0x08 | 0x0c | b'\n' | b'\r' | b'\t' => 2,
            0..=0x1f => 6,
            _ => 1,
        };
        text.bytes().map(cost).sum()
    };
    write_string(text, out.room(bytes + 2)?);
    Ok(())
}

/// Appends a string as JSON, quoted and escaped.
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut plain = 0;
    for (i, &b) in bytes.iter().enumerate() {
        let escape: &[u8] = match b {
            b'"' => b"\\\"",
            b'\\' => b"\\\\",
            0x08 => b"\\b",
            0x0c => b"\\f",
            b'\n' => b"\\n",
            b'\r' => b"\\r",
            b'\t' => b"\\t",
            0..=0x1f => b"\\u00",
            _ => continue,
        };
        out.extend_from_slice(&bytes[plain..i]);
        out.extend_from_slice(escape);
        if escape.len() == 4 {
            crate::scalar::push_hex(b, out);
        }
        plain = i + 1;
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'"');
}
