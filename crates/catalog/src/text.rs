//! Arrays in their text form, one dimension.

/// The elements of `{a,"b c"}`; no distinction of NULL.
pub(crate) fn text_array(text: &str) -> Vec<String> {
    let inner = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    if inner.is_empty() {
        return Vec::new();
    }
    let mut list = Vec::new();
    let (mut element, mut quoted, mut escaped) = (String::new(), false, false);
    for c in inner.chars() {
        match c {
            _ if escaped => {
                element.push(c);
                escaped = false;
            }
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => list.push(std::mem::take(&mut element)),
            _ => element.push(c),
        }
    }
    list.push(element);
    list
}
