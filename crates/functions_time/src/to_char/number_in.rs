//! to_number: reading a number by a template.

use super::number::{Node, Template, to_roman};
use base::{Error, Result, err};
use types::NumericBuf;

fn roman(text: &str) -> Option<i64> {
    let digit = |c: char| {
        Some(match c.to_ascii_uppercase() {
            'I' => 1,
            'V' => 5,
            'X' => 10,
            'L' => 50,
            'C' => 100,
            'D' => 500,
            'M' => 1000,
            _ => return None,
        })
    };
    let values: Option<Vec<i64>> = text.trim().chars().map(digit).collect();
    let values = values.filter(|v| !v.is_empty())?;
    let signed = values
        .iter()
        .enumerate()
        .map(|(i, v)| if values.get(i + 1).is_some_and(|next| next > v) { -v } else { *v });
    let number = signed.sum();
    // There is one way to write a number.
    to_roman(number).filter(|written| *written == text.trim().to_uppercase()).map(|_| number)
}

/// Reads a number: digits where the template has digits, signs anywhere, everything else skipped.
///
/// # Errors
/// 22P02, 0A000
pub(super) fn read(template: &Template, text: &str) -> Result<NumericBuf> {
    if template.scientific {
        return Err(Error::unsupported("\"EEEE\" not supported for input"));
    }
    if template.roman.is_some() {
        return roman(text)
            .map(|v| NumericBuf::from_i128(v.into()))
            .ok_or_else(|| err!(INVALID_TEXT_REPRESENTATION, "invalid Roman numeral"));
    }
    let mut digits = String::new();
    let mut negative = false;
    let mut point = false;
    let mut chars = text.trim_start().chars().peekable();
    let mut sign = |c: Option<&char>| -> bool {
        match c {
            Some('-' | '<') => {
                negative = true;
                true
            }
            Some('+' | '>') => true,
            _ => false,
        }
    };
    for node in &template.nodes {
        match node {
            Node::Digit { .. } => {
                while sign(chars.peek()) {
                    chars.next();
                }
                if chars.peek() == Some(&' ') {
                    chars.next();
                }
                if template.has_point || !point {
                    match chars.peek() {
                        Some(c) if c.is_ascii_digit() => {
                            digits.push(*c);
                            chars.next();
                        }
                        _ => {}
                    }
                }
            }
            Node::Point => {
                // Digits that the template had no room for are read before the point as well.
                if chars.peek() == Some(&'.') {
                    chars.next();
                }
                if !point {
                    digits.push('.');
                }
                point = true;
            }
            Node::Group => {
                if chars.peek() == Some(&',') {
                    chars.next();
                }
            }
            Node::Sign | Node::Minus | Node::Plus | Node::AnySign => {
                if sign(chars.peek()) || chars.peek() == Some(&' ') {
                    chars.next();
                }
            }
            Node::Ordinal(_) => {
                chars.next();
                chars.next();
            }
            Node::Currency | Node::Text(_) => {
                if !chars
                    .peek()
                    .is_some_and(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-' | '+'))
                {
                    chars.next();
                }
            }
        }
    }
    while sign(chars.peek()) {
        chars.next();
    }
    let body = if digits.is_empty() || digits == "." { " ".to_owned() } else { digits };
    let signed = if negative { format!("-{}", body.trim()) } else { body };
    let mut value = NumericBuf::parse(&signed)?;
    if let Some(places) = template.multiplier {
        // A power of ten with 16 digits more, as PostgreSQL's.
        let scale = 16 + places.min(30) as u16;
        value = value.mul(&NumericBuf::Small { mantissa: 10i128.pow(16), scale })?;
    }
    Ok(value)
}
