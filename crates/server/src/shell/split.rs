//! Dividing a script into statements, as psql does: at semicolons outside of quotes, comments,
//! dollar quotes, parentheses and BEGIN ATOMIC bodies.

/// One statement of a script.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Piece<'a> {
    /// Its text, without the semicolon.
    pub(super) text: &'a str,
    /// The line that its end stands on, from 1.
    pub(super) line: usize,
}

/// The next statement of a script from a place on, and the place behind it; none at the end.
pub(super) fn next(script: &str, mut from: usize) -> Option<(Piece<'_>, usize)> {
    while from < script.len() {
        let end = end_of(script, from);
        let behind = (end + 1).min(script.len());
        if let Some(piece) = piece(script, from, end) {
            return Some((piece, behind));
        }
        from = behind;
    }
    None
}

/// Whether the last statement of a text has its semicolon.
pub(super) fn is_complete(text: &str) -> bool {
    let probe = format!("{text}\nx");
    let mut at = 0;
    let mut last = "";
    while let Some((piece, behind)) = next(&probe, at) {
        (last, at) = (piece.text, behind);
    }
    last == "x"
}

/// Where the statement ends that begins at a place: at its semicolon.
fn end_of(script: &str, start: usize) -> usize {
    let mut at = start;
    let (mut depth, mut atomic) = (0usize, 0usize);
    let mut words: Vec<&str> = Vec::new();
    let bytes = script.as_bytes();
    while at < bytes.len() {
        let rest = &script[at..];
        let skipped = skip(rest, at > start && is_word(bytes[at - 1]));
        if skipped > 0 {
            at += skipped;
            continue;
        }
        match bytes[at] {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            b';' if depth == 0 && atomic == 0 => return at,
            byte if is_word(byte) => {
                let end = rest.find(|c: char| c.is_ascii() && !is_word(c as u8));
                let word = &rest[..end.unwrap_or(rest.len())];
                atomic = nesting(&words, word, atomic);
                words.push(word);
                at += word.len();
                continue;
            }
            _ => {}
        }
        at += rest.chars().next().map_or(1, char::len_utf8);
    }
    bytes.len()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// How deep a word stands in the body of a function that was written with BEGIN ATOMIC.
fn nesting(words: &[&str], word: &str, depth: usize) -> usize {
    let is = |text: &str| word.eq_ignore_ascii_case(text);
    let creates = words.first().is_some_and(|first| first.eq_ignore_ascii_case("create"));
    if !creates {
        return depth;
    }
    let after_begin = words.last().is_some_and(|last| last.eq_ignore_ascii_case("begin"));
    match () {
        () if is("atomic") && after_begin => depth + 1,
        () if is("case") && depth > 0 => depth + 1,
        () if is("end") && depth > 0 => depth - 1,
        () => depth,
    }
}

/// The bytes of a quoted thing or a comment that begins here; 0 when none does.
fn skip(rest: &str, in_word: bool) -> usize {
    let until = |mark: &str, from: usize| {
        rest[from..].find(mark).map_or(rest.len(), |at| from + at + mark.len())
    };
    let bytes = rest.as_bytes();
    match bytes {
        [b'-', b'-', ..] => until("\n", 2),
        [b'/', b'*', ..] => comment(bytes),
        [b'\'', ..] => until("'", 1),
        [b'"', ..] => until("\"", 1),
        [b'e' | b'E', b'\'', ..] if !in_word => escaped(bytes),
        [b'$', ..] if !in_word => match dollar_tag(rest) {
            Some(tag) => until(tag, tag.len()),
            None => 0,
        },
        _ => 0,
    }
}

/// A comment in C's way, which nests.
fn comment(bytes: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0usize);
    while at < bytes.len() {
        match &bytes[at..] {
            [b'/', b'*', ..] => {
                depth += 1;
                at += 2;
            }
            [b'*', b'/', ..] => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    at
}

/// `E'...'`
fn escaped(bytes: &[u8]) -> usize {
    let mut at = 2;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'\'' => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// `$tag$`, with both dollars.
fn dollar_tag(rest: &str) -> Option<&str> {
    let end = rest[1..].find('$')? + 1;
    let tag = &rest[1..end];
    let valid = !tag.starts_with(|c: char| c.is_ascii_digit()) && tag.bytes().all(is_word);
    valid.then(|| &rest[..=end])
}

/// The statement between two places; none where there are only blanks and comments.
fn piece(script: &str, start: usize, end: usize) -> Option<Piece<'_>> {
    let mut rest = script[start..end].trim_start();
    while rest.starts_with("--") || rest.starts_with("/*") {
        rest = rest[skip(rest, false).min(rest.len())..].trim_start();
    }
    let line = script[..end].bytes().filter(|byte| *byte == b'\n').count() + 1;
    (!rest.is_empty()).then_some(Piece { text: rest, line })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_inside_of_something_divide_nothing() {
        let script = "select ';'; select \"a;b\" -- ;\n from t; /* ; /* ; */ */ select $x$;$x$, E'\\';';\n\
                      create function f() returns int begin atomic select 1; select case when true \
                      then 1 end; end; create rule r as on insert to t do (select 1; select 2); ;\n last";
        let all = |script| {
            let mut at = 0;
            std::iter::from_fn(move || {
                let (piece, behind) = next(script, at)?;
                at = behind;
                Some(piece)
            })
            .collect::<Vec<Piece<'_>>>()
        };
        let found: Vec<&str> = all(script).into_iter().map(|piece| piece.text).collect();
        assert_eq!(found.len(), 6, "{found:?}");
        assert_eq!(found[0], "select ';'");
        assert_eq!(found[2], "select $x$;$x$, E'\\';'");
        assert!(found[3].ends_with("end"), "{}", found[3]);
        assert!(found[4].ends_with(')'));
        assert_eq!(found[5], "last");
        assert_eq!(all("a;\n\nb;")[1].line, 3);
        assert!(all(" -- nothing\n ; ").is_empty());
        assert!(is_complete("select ';';") && !is_complete("select ';"));
    }
}
