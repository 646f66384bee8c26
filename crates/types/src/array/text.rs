//! Text input and output of arrays.

use super::elements::Elements;
use super::{Array, DIMENSIONS_MAX, Dimension};
use crate::datum::{Arena, Datum};
use crate::io::Io;
use crate::scalar::is_space;
use base::{Error, Result, err};
use memory::collections::{Output, Toll};

/// Appends the text form of an array.
///
/// # Errors
/// Those of the elements' type.
pub fn write(io: &Io<'_>, array: &Array<'_>, delimiter: u8, out: &mut Output<'_>) -> Result<()> {
    let dims = array.dimensions();
    if array.is_empty() {
        return out.extend_from_slice(b"{}");
    }
    if dims.iter().any(|d| d.lower != 1) {
        for dim in dims.iter() {
            out.extend_from_slice(format!("[{}:{}]", dim.lower, dim.upper()).as_bytes())?;
        }
        out.push(b'=')?;
    }
    let mut index = 0;
    write_level(io, array, &dims, delimiter, &mut index, out)
}

fn write_level(
    io: &Io<'_>,
    array: &Array<'_>,
    dims: &[Dimension],
    delimiter: u8,
    index: &mut usize,
    out: &mut Output<'_>,
) -> Result<()> {
    let Some((dim, inner)) = dims.split_first() else { return Ok(()) };
    out.push(b'{')?;
    for i in 0..dim.length {
        if i > 0 {
            out.push(delimiter)?;
        }
        if !inner.is_empty() {
            write_level(io, array, inner, delimiter, index, out)?;
            continue;
        }
        let value = array.get(*index)?;
        *index += 1;
        if value.is_null() {
            out.extend_from_slice(b"NULL")?;
            continue;
        }
        let at = out.len();
        io.write(array.element_type(), &value, out)?;
        if needs_quotes(&out[at..], delimiter) {
            out.quote(at, |byte| matches!(byte, b'"' | b'\\').then_some(b'\\'))?;
        }
    }
    out.push(b'}')
}

fn needs_quotes(text: &[u8], delimiter: u8) -> bool {
    text.is_empty()
        || text.eq_ignore_ascii_case(b"null")
        || text.iter().any(|b| {
            matches!(b, b'"' | b'\\' | b'{' | b'}') || *b == delimiter || is_space(char::from(*b))
        })
}

/// Reads the text form of an array of `element`.
///
/// # Errors
/// 22P02 "malformed array literal", 54000, 2202E and those of the elements' type.
pub fn parse<'m>(
    io: &Io<'_>,
    element: u32,
    delimiter: u8,
    typmod: i32,
    text: &str,
    arena: &dyn Arena<'m>,
) -> Result<Datum<'m>> {
    let toll = Toll::new(arena.account(), "ArrayElement");
    let mut parser = Parser { text, at: 0, delimiter: char::from(delimiter), toll };
    let bounds = parser.bounds()?;
    if !parser.rest().starts_with('{') {
        return Err(parser.malformed(if bounds.is_some() {
            "Array contents must start with \"{\"."
        } else {
            "Array value must start with \"{\" or dimension information."
        }));
    }
    let mut values = Elements::new(element, arena);
    let lengths = parser.braces(|item| {
        values.push(|arena| match item {
            None => Ok(Datum::Null),
            Some(text) => io.input(element, typmod, &text, arena),
        })
    })?;
    parser.skip_space();
    if !parser.rest().is_empty() {
        return Err(parser.malformed("Junk after closing right brace."));
    }
    let dims: Vec<Dimension> = match bounds {
        None if values.len() == 0 => Vec::new(),
        None => lengths.iter().map(|n| Dimension::from_one(*n)).collect(),
        Some(bounds) => {
            let same = bounds.len() == lengths.len()
                && bounds.iter().zip(&lengths).all(|(d, n)| d.length as usize == *n);
            if !same {
                return Err(
                    parser.malformed("Specified array dimensions do not match array contents.")
                );
            }
            bounds
        }
    };
    values.finish(&dims)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    delimiter: char,
    /// Pays for the element that is being read.
    toll: Toll,
}

#[derive(PartialEq)]
enum Item {
    Open,
    Close,
    Delimiter,
    Null,
    Text(String),
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn skip_space(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches(is_space).len();
    }

    fn malformed(&self, detail: &str) -> Error {
        err!(INVALID_TEXT_REPRESENTATION, "malformed array literal: \"{}\"", self.text)
            .detail(detail)
    }

    /// A subscript; none if there is no number.
    fn bound(&mut self) -> Result<Option<i32>> {
        let rest = self.rest();
        let sign = usize::from(rest.starts_with(['-', '+']));
        let digits = rest[sign..].bytes().take_while(u8::is_ascii_digit).count();
        if digits == 0 {
            return Ok(None);
        }
        let number = &rest[..sign + digits];
        self.at += number.len();
        number
            .parse()
            .map(Some)
            .map_err(|_| err!(PROGRAM_LIMIT_EXCEEDED, "array bound is out of integer range"))
    }

    /// `[1:2][3]=`; none if there is no such thing.
    fn bounds(&mut self) -> Result<Option<Vec<Dimension>>> {
        let mut dims = Vec::new();
        loop {
            self.skip_space();
            if !self.rest().starts_with('[') {
                break;
            }
            self.at += 1;
            if dims.len() >= DIMENSIONS_MAX {
                return Err(err!(
                    PROGRAM_LIMIT_EXCEEDED,
                    "number of array dimensions exceeds the maximum allowed ({DIMENSIONS_MAX})"
                ));
            }
            let missing = "\"[\" must introduce explicitly-specified array dimensions.";
            let Some(first) = self.bound()? else { return Err(self.malformed(missing)) };
            let (lower, upper) = if self.rest().starts_with(':') {
                self.at += 1;
                match self.bound()? {
                    Some(upper) => (first, upper),
                    None => return Err(self.malformed("Missing array dimension value.")),
                }
            } else {
                (1, first)
            };
            if !self.rest().starts_with(']') {
                return Err(self.malformed("Missing \"]\" after array dimensions."));
            }
            self.at += 1;
            if upper < lower {
                return Err(err!(
                    ARRAY_SUBSCRIPT_ERROR,
                    "upper bound cannot be less than lower bound"
                ));
            }
            let length = i64::from(upper) - i64::from(lower) + 1;
            let length = i32::try_from(length).map_err(|_| {
                err!(
                    PROGRAM_LIMIT_EXCEEDED,
                    "array size exceeds the maximum allowed ({})",
                    super::ELEMENTS_MAX
                )
            })?;
            dims.push(Dimension { length, lower });
        }
        if dims.is_empty() {
            return Ok(None);
        }
        if !self.rest().starts_with('=') {
            return Err(self.malformed("Missing \"=\" after array dimensions."));
        }
        self.at += 1;
        self.skip_space();
        super::check_dimensions(&dims)?;
        Ok(Some(dims))
    }

    fn item(&mut self) -> Result<Item> {
        self.skip_space();
        let Some(c) = self.rest().chars().next() else {
            return Err(self.malformed("Unexpected end of input."));
        };
        match c {
            '{' | '}' => {
                self.at += 1;
                Ok(if c == '{' { Item::Open } else { Item::Close })
            }
            c if c == self.delimiter => {
                self.at += c.len_utf8();
                Ok(Item::Delimiter)
            }
            '"' => self.quoted(),
            _ => self.bare(),
        }
    }

    fn append(&mut self, text: &mut String, c: char) -> Result<()> {
        self.toll.text_room(text, 4)?;
        text.push(c);
        Ok(())
    }

    fn quoted(&mut self) -> Result<Item> {
        let mut out = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, c)) => self.append(&mut out, c)?,
                    None => break,
                },
                '"' => {
                    self.at += at + 1;
                    self.skip_space();
                    let next = self.rest().chars().next();
                    if next.is_none_or(|c| c == self.delimiter || c == '}' || c == '{') {
                        return Ok(Item::Text(out));
                    }
                    return Err(self.malformed("Incorrectly quoted array element."));
                }
                c => self.append(&mut out, c)?,
            }
        }
        Err(self.malformed("Unexpected end of input."))
    }

    fn bare(&mut self) -> Result<Item> {
        let mut out = String::new();
        let mut kept = 0;
        let mut escaped = false;
        let mut chars = self.rest().char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '"' => return Err(self.malformed("Incorrectly quoted array element.")),
                '\\' => {
                    let Some((_, c)) = chars.next() else { break };
                    self.append(&mut out, c)?;
                    kept = out.len();
                    escaped = true;
                }
                c if c == '{' || c == '}' || c == self.delimiter => {
                    self.at += at;
                    out.truncate(kept);
                    if !escaped && out.eq_ignore_ascii_case("null") {
                        return Ok(Item::Null);
                    }
                    return Ok(Item::Text(out));
                }
                c => {
                    self.append(&mut out, c)?;
                    if !is_space(c) {
                        kept = out.len();
                    }
                }
            }
        }
        self.at = self.text.len();
        Err(self.malformed("Unexpected end of input."))
    }

    /// Reads the braces and gives each element to `take`; returns the lengths of the dimensions.
    fn braces(&mut self, mut take: impl FnMut(Option<String>) -> Result<()>) -> Result<Vec<usize>> {
        let ragged = "Multidimensional arrays must have sub-arrays with matching dimensions.";
        // The number of items met at each open level, and the length of a level once it is known.
        let mut counts: Vec<usize> = Vec::new();
        let mut lengths: Vec<Option<usize>> = Vec::new();
        // The level of the elements, once one has been met.
        let mut leaf: Option<usize> = None;
        let mut expect_item = true;
        let mut after_open = false;
        loop {
            let item = self.item()?;
            match item {
                Item::Open => {
                    if !expect_item {
                        return Err(self.malformed("Unexpected \"{\" character."));
                    }
                    if leaf.is_some_and(|l| counts.len() >= l) {
                        return Err(self.malformed(ragged));
                    }
                    if counts.len() >= DIMENSIONS_MAX {
                        return Err(err!(
                            PROGRAM_LIMIT_EXCEEDED,
                            "number of array dimensions exceeds the maximum allowed ({DIMENSIONS_MAX})"
                        ));
                    }
                    if let Some(outer) = counts.last_mut() {
                        *outer += 1;
                    }
                    counts.push(0);
                    if lengths.len() < counts.len() {
                        lengths.push(None);
                    }
                    after_open = true;
                    continue;
                }
                Item::Close => {
                    if expect_item && !after_open {
                        return Err(self.malformed("Unexpected \"}\" character."));
                    }
                    let level = counts.len() - 1;
                    let count = counts.pop().unwrap_or(0);
                    match lengths[level] {
                        None => lengths[level] = Some(count),
                        Some(known) if known != count => return Err(self.malformed(ragged)),
                        Some(_) => {}
                    }
                    if count == 0 && leaf.is_none() {
                        leaf = Some(level + 1);
                    }
                    expect_item = false;
                    after_open = false;
                    if counts.is_empty() {
                        let all: Vec<usize> = lengths.iter().map(|l| l.unwrap_or(0)).collect();
                        return Ok(if all.contains(&0) { vec![0; all.len()] } else { all });
                    }
                    continue;
                }
                Item::Delimiter => {
                    if expect_item {
                        return Err(self
                            .malformed(&format!("Unexpected \"{}\" character.", self.delimiter)));
                    }
                    expect_item = true;
                    continue;
                }
                Item::Null | Item::Text(_) => {
                    if !expect_item {
                        return Err(self.malformed("Unexpected array element."));
                    }
                    if leaf.is_some_and(|l| l != counts.len()) || lengths.len() > counts.len() {
                        return Err(self.malformed(ragged));
                    }
                    leaf = Some(counts.len());
                    if let Some(count) = counts.last_mut() {
                        *count += 1;
                    }
                    take(match item {
                        Item::Text(text) => Some(text),
                        _ => None,
                    })?;
                }
            }
            expect_item = false;
            after_open = false;
        }
    }
}
