//! Statements as the log may show them.

use std::borrow::Cow;

const WORD: &str = "password";
/// What stands in the place of a password.
const HIDDEN: &str = "'<hidden>'";

/// The statement without the literals behind the word PASSWORD.
///
/// It reads no syntax, because what failed to parse is logged, too: a literal that does not end
/// reaches to the end of the text, and the word in a comment hides what stands behind it.
pub(crate) fn without_passwords(text: &str) -> Cow<'_, str> {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = find_word(rest) {
        let (before, behind) = rest.split_at(at + WORD.len());
        let literal = behind.trim_start();
        let blank = &behind[..behind.len() - literal.len()];
        shown.push_str(before);
        rest = behind;
        if let Some(bytes) = literal_bytes(literal) {
            shown.push_str(blank);
            shown.push_str(HIDDEN);
            rest = &literal[bytes..];
        }
    }
    if shown.is_empty() {
        return Cow::Borrowed(text);
    }
    shown.push_str(rest);
    Cow::Owned(shown)
}

fn find_word(text: &str) -> Option<usize> {
    text.as_bytes().windows(WORD.len()).position(|part| part.eq_ignore_ascii_case(WORD.as_bytes()))
}

/// The length of the string literal that the text begins with.
fn literal_bytes(text: &str) -> Option<usize> {
    let prefix = ["e", "E", "u&", "U&", "n", "N", ""]
        .into_iter()
        .find(|prefix| text.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('\'')));
    if let Some(prefix) = prefix {
        let escapes = prefix.eq_ignore_ascii_case("e");
        let mut chars = text.char_indices().skip(prefix.len() + 1).peekable();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' if escapes => drop(chars.next()),
                '\'' if chars.next_if(|(_, next)| *next == '\'').is_none() => return Some(at + 1),
                _ => {}
            }
        }
        return Some(text.len());
    }
    let end = text.strip_prefix('$')?.find('$')? + 2;
    let (tag, body) = text.split_at(end);
    Some(body.find(tag).map_or(text.len(), |at| end + at + end))
}

#[cfg(test)]
mod tests {
    use super::without_passwords;

    #[test]
    fn no_form_of_a_literal_behind_the_word_is_shown() {
        for (text, shown) in [
            ("SELECT 'a'", "SELECT 'a'"),
            ("ALTER ROLE a PASSWORD NULL", "ALTER ROLE a PASSWORD NULL"),
            ("ALTER ROLE a PASSWORD 'x' LOGIN", "ALTER ROLE a PASSWORD '<hidden>' LOGIN"),
            ("alter role a password\n 'it''s' LOGIN", "alter role a password\n '<hidden>' LOGIN"),
            (r"create user b Password E'\'x' LOGIN", "create user b Password '<hidden>' LOGIN"),
            (
                "CREATE USER b PASSWORD $q$x'$q$; SELECT 'y'",
                "CREATE USER b PASSWORD '<hidden>'; SELECT 'y'",
            ),
            ("CREATE USER b PASSWORD 'never ends", "CREATE USER b PASSWORD '<hidden>'"),
            ("CREATE USER b PASSWORD $$never ends", "CREATE USER b PASSWORD '<hidden>'"),
            ("a PASSWORD 'ä'; b PASSWORD'y'", "a PASSWORD '<hidden>'; b PASSWORD'<hidden>'"),
        ] {
            assert_eq!(without_passwords(text), shown);
        }
    }
}
