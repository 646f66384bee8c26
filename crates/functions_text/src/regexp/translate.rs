//! From PostgreSQL's regular expressions to those of the crate `regex`.

use super::Reading;
use base::{Error, Result, err};

/// The flags of a function's flags argument.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Flags {
    /// `i`
    pub(crate) fold: bool,
    /// `g`
    pub(crate) global: bool,
    /// `n`, `m`: `.` and negated brackets stop at newlines, `^` and `$` match at lines.
    pub(crate) dot_stops: bool,
    /// `n`, `m`, `w`
    pub(crate) lines: bool,
    /// `x`
    pub(crate) expanded: bool,
    /// `q`
    pub(crate) literal: bool,
}

impl Flags {
    /// Reads the letters of a flags argument.
    pub(crate) fn parse(letters: &str) -> Result<Flags> {
        let mut flags = Flags::default();
        for letter in letters.chars() {
            match letter {
                'g' => flags.global = true,
                other => {
                    if !flags.set(other) {
                        return Err(err!(
                            INVALID_PARAMETER_VALUE,
                            "invalid regular expression option: \"{other}\""
                        ));
                    }
                }
            }
        }
        Ok(flags)
    }

    fn set(&mut self, letter: char) -> bool {
        match letter {
            'i' => self.fold = true,
            'c' => self.fold = false,
            'm' | 'n' => (self.dot_stops, self.lines) = (true, true),
            'p' => (self.dot_stops, self.lines) = (true, false),
            's' => (self.dot_stops, self.lines) = (false, false),
            'w' => (self.dot_stops, self.lines) = (false, true),
            'x' => self.expanded = true,
            't' => self.expanded = false,
            'q' => self.literal = true,
            'b' | 'e' => {}
            _ => return false,
        }
        true
    }
}

/// A pattern in the syntax of `regex`.
pub(crate) struct Translated {
    pub(crate) text: String,
    pub(crate) reading: Reading,
    /// The shortest match is wanted.
    pub(crate) shortest: bool,
}

fn invalid(reason: &str) -> Error {
    err!(INVALID_REGULAR_EXPRESSION, "invalid regular expression: {reason}")
}

fn unsupported(what: &str) -> Error {
    Error::unsupported(format!("{what} in regular expressions are not supported yet"))
}

struct Translator<'p> {
    rest: &'p str,
    out: String,
    flags: Flags,
    /// Whether something stands before that a quantifier can count.
    atom: bool,
    depth: usize,
    /// The preference of the first quantified part, once met.
    greedy: Option<bool>,
    has_branches: bool,
}

/// Translates a pattern.
pub(crate) fn translate(pattern: &str, flags: &Flags) -> Result<Translated> {
    let mut flags = flags.clone();
    let mut rest = pattern;
    if let Some(literal) = rest.strip_prefix("***=") {
        flags.literal = true;
        rest = literal;
    } else if let Some(advanced) = rest.strip_prefix("***:") {
        rest = advanced;
    }
    if !flags.literal
        && let Some(options) = rest.strip_prefix("(?")
        && let Some(end) = options.find(')')
        && end > 0
        && options[..end].chars().all(|c| c.is_ascii_alphabetic())
    {
        for letter in options[..end].chars() {
            if !flags.set(letter) {
                return Err(invalid("invalid embedded option"));
            }
        }
        rest = &options[end + 1..];
    }
    if flags.literal {
        return Ok(Translated {
            text: regex::escape(rest),
            reading: Reading { fold: flags.fold, lines: false },
            shortest: false,
        });
    }
    let mut translator = Translator {
        rest,
        out: String::with_capacity(rest.len() + 8),
        flags,
        atom: false,
        depth: 0,
        greedy: None,
        has_branches: false,
    };
    translator.run()?;
    let shortest = !translator.has_branches && translator.greedy == Some(false);
    let Flags { fold, lines, .. } = translator.flags;
    Ok(Translated { text: translator.out, reading: Reading { fold, lines }, shortest })
}

impl Translator<'_> {
    fn next(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn run(&mut self) -> Result<()> {
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape()?,
                '[' => self.bracket()?,
                '(' => self.open()?,
                ')' if self.depth == 0 => return Err(invalid("parentheses () not balanced")),
                ')' => {
                    self.depth -= 1;
                    self.push_atom(")");
                }
                '|' => {
                    self.has_branches |= self.depth == 0;
                    self.out.push('|');
                    self.atom = false;
                }
                '*' | '+' | '?' => self.quantifier(c.to_string())?,
                '{' if self.rest.starts_with(|c: char| c.is_ascii_digit()) => self.bound()?,
                '{' | '}' | ']' => self.push_atom(&format!("\\{c}")),
                '.' => {
                    let dot = if self.flags.dot_stops { "[^\\n]" } else { "(?s:.)" };
                    self.push_atom(dot);
                }
                '^' | '$' => {
                    self.out.push(c);
                    self.atom = false;
                }
                c if self.flags.expanded && c.is_ascii_whitespace() => {}
                '#' if self.flags.expanded => {
                    let end = self.rest.find('\n').unwrap_or(self.rest.len());
                    self.rest = &self.rest[end..];
                }
                c => self.push_atom(&regex::escape(c.encode_utf8(&mut [0; 4]))),
            }
        }
        if self.depth > 0 { Err(invalid("parentheses () not balanced")) } else { Ok(()) }
    }

    fn push_atom(&mut self, text: &str) {
        self.out.push_str(text);
        self.atom = true;
    }

    fn open(&mut self) -> Result<()> {
        if let Some(after) = self.rest.strip_prefix("?:") {
            self.rest = after;
            self.out.push_str("(?:");
        } else if let Some(comment) = self.rest.strip_prefix("?#") {
            let end = comment.find(')').ok_or_else(|| invalid("parentheses () not balanced"))?;
            self.rest = &comment[end + 1..];
            return Ok(());
        } else if self.rest.starts_with("?=")
            || self.rest.starts_with("?!")
            || self.rest.starts_with("?<=")
            || self.rest.starts_with("?<!")
        {
            return Err(unsupported("lookahead and lookbehind constraints"));
        } else if self.rest.starts_with('?') {
            return Err(invalid("quantifier operand invalid"));
        } else {
            self.out.push('(');
        }
        self.depth += 1;
        self.atom = false;
        Ok(())
    }

    fn quantifier(&mut self, text: String) -> Result<()> {
        if !self.atom {
            return Err(invalid("quantifier operand invalid"));
        }
        self.out.push_str(&text);
        let lazy = self.rest.starts_with('?');
        if lazy {
            self.next();
            self.out.push('?');
        }
        self.greedy.get_or_insert(!lazy);
        if self.rest.starts_with(['*', '+', '?']) {
            return Err(invalid("quantifier operand invalid"));
        }
        Ok(())
    }

    fn bound(&mut self) -> Result<()> {
        let end = self.rest.find('}').ok_or_else(|| invalid("braces {} not balanced"))?;
        let body = &self.rest[..end];
        let (low, high) = match body.split_once(',') {
            None => (body, Some(body)),
            Some((low, "")) => (low, None),
            Some((low, high)) => (low, Some(high)),
        };
        let number = |text: &str| -> Result<u32> {
            let value: u32 = text.parse().map_err(|_| invalid("invalid repetition count(s)"))?;
            if value > 255 { Err(invalid("invalid repetition count(s)")) } else { Ok(value) }
        };
        let low = number(low)?;
        let high = high.map(number).transpose()?;
        if high.is_some_and(|high| high < low) {
            return Err(invalid("invalid repetition count(s)"));
        }
        self.rest = &self.rest[end + 1..];
        self.quantifier(match high {
            None => format!("{{{low},}}"),
            Some(high) => format!("{{{low},{high}}}"),
        })
    }

    fn escape(&mut self) -> Result<()> {
        let Some(c) = self.next() else {
            return Err(invalid("invalid escape \\ sequence"));
        };
        match c {
            'd' => self.push_atom("\\d"),
            's' => self.push_atom("\\s"),
            'w' => self.push_atom("\\w"),
            'D' => self.push_atom("\\D"),
            'S' => self.push_atom("\\S"),
            'W' => self.push_atom("\\W"),
            'A' => self.assertion("\\A"),
            'Z' => self.assertion("\\z"),
            'm' => self.assertion("\\b{start}"),
            'M' => self.assertion("\\b{end}"),
            'y' => self.assertion("\\b"),
            'Y' => self.assertion("\\B"),
            '1'..='9' => return Err(unsupported("back references")),
            _ => {
                let literal = self.character_escape(c)?;
                self.push_atom(&regex::escape(literal.encode_utf8(&mut [0; 4])));
            }
        }
        Ok(())
    }

    fn assertion(&mut self, text: &str) {
        self.out.push_str(text);
        self.atom = false;
    }

    fn hexadecimal(&mut self, digits: usize) -> Result<char> {
        let wrong = || invalid("invalid escape \\ sequence");
        let text = self.rest.get(..digits).ok_or_else(wrong)?;
        let code = u32::from_str_radix(text, 16).map_err(|_| wrong())?;
        self.rest = &self.rest[digits..];
        char::from_u32(code).ok_or_else(wrong)
    }

    fn character_escape(&mut self, c: char) -> Result<char> {
        Ok(match c {
            'a' => '\x07',
            'b' => '\x08',
            'B' => '\\',
            'e' => '\x1b',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '0' => '\0',
            'c' => {
                let c = self.next().ok_or_else(|| invalid("invalid escape \\ sequence"))?;
                char::from((c as u32 & 31) as u8)
            }
            'u' => self.hexadecimal(4)?,
            'U' => self.hexadecimal(8)?,
            'x' => {
                let digits = self.rest.bytes().take_while(u8::is_ascii_hexdigit).count();
                self.hexadecimal(digits.clamp(1, 6))?
            }
            c if c.is_ascii_alphanumeric() => {
                return Err(invalid("invalid escape \\ sequence"));
            }
            c => c,
        })
    }

    fn bracket(&mut self) -> Result<()> {
        let unbalanced = || invalid("brackets [] not balanced");
        for (word, assertion) in [("[:<:]]", "\\b{start}"), ("[:>:]]", "\\b{end}")] {
            if let Some(after) = self.rest.strip_prefix(word) {
                self.rest = after;
                self.assertion(assertion);
                return Ok(());
            }
        }
        let mut out = String::from("[");
        if let Some(after) = self.rest.strip_prefix('^') {
            self.rest = after;
            out.push('^');
            if self.flags.dot_stops {
                out.push_str("\\n");
            }
        }
        let mut first = true;
        loop {
            let c = self.next().ok_or_else(unbalanced)?;
            match c {
                ']' if !first => break,
                '[' if self.rest.starts_with(':') => {
                    let end = self.rest.find(":]").ok_or_else(unbalanced)?;
                    let class = &self.rest[1..end];
                    out.push_str(posix_class(class)?);
                    self.rest = &self.rest[end + 2..];
                }
                '[' if self.rest.starts_with(['.', '=']) => {
                    let mark = &self.rest[..1];
                    let close = format!("{mark}]");
                    let end = self.rest[1..].find(&close).ok_or_else(unbalanced)? + 1;
                    let element = &self.rest[1..end];
                    if element.chars().count() != 1 {
                        return Err(invalid("invalid collating element"));
                    }
                    out.push_str(&in_class(element));
                    self.rest = &self.rest[end + 2..];
                }
                '\\' => {
                    let c = self.next().ok_or_else(unbalanced)?;
                    match c {
                        'd' | 's' | 'w' | 'D' | 'S' | 'W' => {
                            out.push('\\');
                            out.push(c);
                        }
                        _ => {
                            let literal = self.character_escape(c)?;
                            out.push_str(&in_class(literal.encode_utf8(&mut [0; 4])));
                        }
                    }
                }
                '-' if !first && !self.rest.starts_with(']') => out.push('-'),
                c => out.push_str(&in_class(c.encode_utf8(&mut [0; 4]))),
            }
            first = false;
        }
        out.push(']');
        self.push_atom(&out);
        Ok(())
    }
}

fn in_class(text: &str) -> String {
    if text.chars().all(|c| c.is_ascii_punctuation()) {
        format!("\\{text}")
    } else {
        text.to_owned()
    }
}

fn posix_class(name: &str) -> Result<&'static str> {
    Ok(match name {
        "alpha" => "\\p{Alphabetic}",
        "upper" => "\\p{Uppercase}",
        "lower" => "\\p{Lowercase}",
        "digit" => "\\d",
        "alnum" => "\\p{Alphabetic}\\d",
        "space" => "\\s",
        "blank" => " \\t",
        "punct" => "\\p{P}$+<=>^`|~",
        "cntrl" => "\\p{Cc}",
        "graph" => "[^\\s\\p{Cc}\\p{Cn}\\p{Cs}]",
        "print" => "[^\\p{Cc}\\p{Cn}\\p{Cs}]",
        "xdigit" => "0-9A-Fa-f",
        "word" => "\\w",
        _ => return Err(invalid("invalid character class")),
    })
}
