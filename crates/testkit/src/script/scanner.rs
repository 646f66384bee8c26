//! Where psql's own scanner sees the ends of statements.

/// What lexical unit a line begins in.
#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Plain,
    /// A comment, with the number of comments around it.
    Comment(usize),
    /// A literal in which `\` is an ordinary character.
    Quote,
    /// An `E''` literal.
    Escape,
    /// A quoted name.
    Name,
    /// A dollar-quoted literal with its delimiter.
    Dollar(String),
}

/// What one line executed.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub(super) statements: usize,
    /// psql's own commands.
    pub(super) commands: usize,
    /// Whether COPY data follow.
    pub(super) copies_in: bool,
}

/// The state between lines.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    state: State,
    /// The query buffer, comments before it left out.
    buffer: String,
    parentheses: usize,
    /// The nesting of `BEGIN ATOMIC` and the `CASE`s in it.
    blocks: usize,
    /// The first words of the statement, in lower case.
    words: Vec<String>,
    /// The `\;` in the buffer.
    joined: usize,
}

/// psql commands that send the query buffer.
const SENDING: [&str; 7] = ["g", "gx", "gset", "gexec", "gdesc", "crosstabview", "watch"];
/// psql commands whose argument is the rest of the line.
const WHOLE_LINE: [&str; 8] = ["!", "copy", "ef", "ev", "h", "help", "sf", "sv"];

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

impl Scanner {
    /// Whether the next line begins inside a literal, quoted name or comment.
    pub(super) fn in_quote(&self) -> bool {
        self.state != State::Plain
    }

    /// Whether the query buffer is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.state == State::Plain && self.buffer.trim().is_empty()
    }

    /// Takes one line without its end.
    pub(super) fn line(&mut self, line: &str) -> Done {
        let mut done = Done::default();
        let mut at = 0;
        while at < line.len() {
            at = match self.state {
                State::Plain => self.plain(line, at, &mut done),
                _ => self.quoted(line, at),
            };
        }
        if !self.buffer.is_empty() {
            self.buffer.push('\n');
        }
        done
    }

    /// Goes on inside a quoted unit; returns where it stopped.
    fn quoted(&mut self, line: &str, mut at: usize) -> usize {
        let bytes = line.as_bytes();
        while at < bytes.len() {
            let rest = &line[at..];
            let width = rest.chars().next().map_or(1, char::len_utf8);
            match &mut self.state {
                State::Plain => return at,
                State::Comment(depth) => {
                    if rest.starts_with("/*") {
                        *depth += 1;
                        at += 2;
                    } else if rest.starts_with("*/") {
                        at += 2;
                        match depth.checked_sub(1) {
                            Some(outer) => *depth = outer,
                            None => self.state = State::Plain,
                        }
                    } else {
                        at += width;
                    }
                    continue;
                }
                State::Dollar(tag) => {
                    if rest.starts_with(tag.as_str()) {
                        at += tag.len();
                        self.state = State::Plain;
                        continue;
                    }
                }
                State::Escape if bytes[at] == b'\\' => {
                    at += 1 + rest[1..].chars().next().map_or(0, char::len_utf8);
                    continue;
                }
                State::Escape | State::Quote | State::Name => {
                    let end = if self.state == State::Name { b'"' } else { b'\'' };
                    if bytes[at] == end {
                        if bytes.get(at + 1) == Some(&end) {
                            at += 2;
                            continue;
                        }
                        self.state = State::Plain;
                    }
                }
            }
            self.buffer.push_str(&line[at..at + width]);
            at += width;
        }
        at
    }

    /// Takes one unit outside quotes; returns where the next begins.
    fn plain(&mut self, line: &str, at: usize, done: &mut Done) -> usize {
        let bytes = line.as_bytes();
        let rest = &line[at..];
        let mut width = 1;
        match bytes[at] {
            b' ' | b'\t' | b'\r' if self.buffer.is_empty() => return at + 1,
            b'-' if rest.starts_with("--") => return line.len(),
            b'/' if rest.starts_with("/*") => {
                self.state = State::Comment(0);
                return at + 2;
            }
            b'\\' => return self.backslash(line, at, done),
            b'\'' => self.state = State::Quote,
            b'"' => self.state = State::Name,
            b'$' => {
                if let Some(tag) = dollar_tag(rest) {
                    self.state = State::Dollar(tag.to_string());
                    width = tag.len();
                }
            }
            b'(' => self.parentheses += 1,
            b')' => self.parentheses = self.parentheses.saturating_sub(1),
            b';' if self.parentheses == 0 && self.blocks == 0 => {
                self.send(done);
                return at + 1;
            }
            byte if is_word(byte) => {
                width = rest.bytes().take_while(|&b| is_word(b)).count();
                if rest[..width].eq_ignore_ascii_case("e") && bytes.get(at + 1) == Some(&b'\'') {
                    self.state = State::Escape;
                    width = 2;
                } else {
                    self.word(&rest[..width]);
                }
            }
            _ => {}
        }
        self.buffer.push_str(&rest[..width]);
        at + width
    }

    /// Notes a word: `BEGIN ATOMIC` bodies hold semicolons that end nothing.
    fn word(&mut self, word: &str) {
        let word = word.to_ascii_lowercase();
        let creates = self.words.first().is_some_and(|first| first == "create")
            && self.words.iter().skip(1).take(3).any(|w| w == "function" || w == "procedure");
        if creates && self.parentheses == 0 {
            match word.as_str() {
                "begin" => self.blocks += 1,
                "case" if self.blocks > 0 => self.blocks += 1,
                "end" => self.blocks = self.blocks.saturating_sub(1),
                _ => {}
            }
        }
        if self.words.len() < 4 {
            self.words.push(word);
        }
    }

    /// The statement in the buffer goes to the server.
    fn send(&mut self, done: &mut Done) {
        let lower = self.buffer.to_ascii_lowercase();
        if lower.starts_with("copy") {
            let words: Vec<&str> = lower.split_ascii_whitespace().collect();
            done.copies_in |= words.windows(2).any(|pair| pair == ["from", "stdin"]);
        }
        done.statements += 1 + self.joined;
        *self = Scanner::default();
    }

    /// A psql command, `\;` or `\:`; returns where it ends.
    fn backslash(&mut self, line: &str, at: usize, done: &mut Done) -> usize {
        let rest = &line[at + 1..];
        if let Some(separator @ (b';' | b':')) = rest.bytes().next() {
            self.joined += usize::from(separator == b';');
            self.buffer.push(char::from(separator));
            return at + 2;
        }
        let end = rest.find(|c: char| c.is_whitespace() || c == '\\').unwrap_or(rest.len());
        let name = &rest[..end];
        let arguments = at + 1 + end;
        if SENDING.contains(&name) {
            if self.is_empty() {
                done.statements += 1;
            } else {
                self.send(done);
            }
        } else {
            done.commands += 1;
        }
        if name == "copy" {
            let lower = line.to_ascii_lowercase();
            done.copies_in |= lower.contains("from stdin") || lower.contains("from pstdin");
        }
        if name == "r" || name == "reset" {
            *self = Scanner::default();
        }
        if WHOLE_LINE.contains(&name.trim_end_matches('+')) {
            return line.len();
        }
        arguments_end(line, arguments)
    }
}

/// Where the arguments that begin at `at` end: at the next command or the end of the line.
fn arguments_end(line: &str, at: usize) -> usize {
    let mut quote = None;
    let bytes = line.as_bytes();
    let mut here = at;
    while here < bytes.len() {
        match (quote, bytes[here]) {
            (Some(open), byte) if byte == open => quote = None,
            (Some(b'\''), b'\\') => here += 1,
            (None, byte @ (b'\'' | b'"' | b'`')) => quote = Some(byte),
            (None, b'\\') => {
                return if bytes.get(here + 1) == Some(&b'\\') { here + 2 } else { here };
            }
            _ => {}
        }
        here += 1;
    }
    line.len()
}

/// The opening delimiter of a dollar-quoted literal.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = rest[1..].find('$')? + 1;
    let tag = &rest[1..end];
    let starts_well = !tag.starts_with(|c: char| c.is_ascii_digit());
    (starts_well && tag.bytes().all(|b| is_word(b) && b != b'$')).then(|| &rest[..=end])
}
