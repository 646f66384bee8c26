//! Commands of the configuration, in which `%` and a letter stand for something.

/// `pattern` with each `%x` replaced by what `values` has for `x`, and `%%` by `%`. Letters that are
/// not there stay.
pub(crate) fn replaced(pattern: &str, values: &[(char, &str)]) -> String {
    let mut text = String::new();
    let mut rest = pattern.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            text.push(c);
            continue;
        }
        match rest.next() {
            Some('%') | None => text.push('%'),
            Some(letter) => match values.iter().find(|(known, _)| *known == letter) {
                Some((_, value)) => text.push_str(value),
                None => text.extend(['%', letter]),
            },
        }
    }
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn letters_are_replaced_where_they_are_known() {
        let values = [('p', "pg_wal/000000010000000000000002"), ('f', "000000010000000000000002")];
        let text = super::replaced("cp %p '/a%%b/%f' %x %", &values);
        assert_eq!(text, "cp pg_wal/000000010000000000000002 '/a%b/000000010000000000000002' %x %");
    }
}
