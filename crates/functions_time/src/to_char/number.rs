//! Number templates and to_char of numbers.

use super::date::ordinal_suffix;
use base::{Error, Result, err};
use types::NumericBuf;

/// A part of a number template.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Node {
    /// `9`, or `0` which prints leading zeros from here on.
    Digit { zero: bool },
    /// `.` or `D`
    Point,
    /// `,` or `G`
    Group,
    /// `L`
    Currency,
    /// `S`
    Sign,
    /// `MI`
    Minus,
    /// `PL`
    Plus,
    /// `SG`
    AnySign,
    /// `TH` (true) or `th`
    Ordinal(bool),
    /// Anything else.
    Text(char),
}

/// A parsed template.
#[derive(Clone, Debug, Default)]
pub(super) struct Template {
    pub(super) nodes: Vec<Node>,
    pub(super) digits_before: usize,
    pub(super) digits_after: usize,
    /// The digit position, from 0, from which on zeros are printed.
    pub(super) zero_from: Option<usize>,
    pub(super) has_point: bool,
    /// FM
    pub(super) fill: bool,
    /// B
    pub(super) blank: bool,
    /// PR
    pub(super) brackets: bool,
    /// S: whether it stands before the digits.
    pub(super) sign_first: Option<bool>,
    pub(super) has_minus: bool,
    pub(super) has_plus: bool,
    /// V and the digits behind it.
    pub(super) multiplier: Option<usize>,
    /// EEEE
    pub(super) scientific: bool,
    /// RN (true) or rn
    pub(super) roman: Option<bool>,
}

fn syntax(message: &str) -> Error {
    err!(SYNTAX_ERROR, "{message}")
}

const KEYWORDS: &[&str] = &[
    "EEEE", "FM", "MI", "PL", "PR", "RN", "SG", "SP", "TH", "9", "0", ".", ",", "B", "C", "D", "E",
    "G", "L", "S", "V",
];

/// Parses a template.
pub(super) fn parse(template: &str) -> Result<Template> {
    let mut out = Template::default();
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        if c == '"' {
            rest = &rest[1..];
            while let Some(c) = rest.chars().next() {
                rest = &rest[c.len_utf8()..];
                match c {
                    '"' => break,
                    '\\' => {
                        if let Some(c) = rest.chars().next() {
                            rest = &rest[c.len_utf8()..];
                            out.nodes.push(Node::Text(c));
                        }
                    }
                    c => out.nodes.push(Node::Text(c)),
                }
            }
            continue;
        }
        let keyword = KEYWORDS.iter().find(|k| {
            rest.get(..k.len()).is_some_and(|head| head == **k || head == k.to_ascii_lowercase())
        });
        match keyword {
            Some(keyword) => {
                let lower = rest.starts_with(|c: char| c.is_ascii_lowercase());
                rest = &rest[keyword.len()..];
                out.keyword(keyword, lower)?;
            }
            None => {
                rest = &rest[c.len_utf8()..];
                out.nodes.push(Node::Text(c));
            }
        }
    }
    Ok(out)
}

impl Template {
    fn count_digit(&mut self) {
        if let Some(behind) = &mut self.multiplier {
            *behind += 1;
        } else if self.has_point {
            self.digits_after += 1;
        } else {
            self.digits_before += 1;
        }
    }

    fn keyword(&mut self, keyword: &str, lower: bool) -> Result<()> {
        if self.scientific && !matches!(keyword, "FM") {
            return Err(syntax("\"EEEE\" must be the last pattern used"));
        }
        match keyword {
            "9" => {
                if self.brackets {
                    return Err(syntax("\"9\" must be ahead of \"PR\""));
                }
                self.count_digit();
                self.nodes.push(Node::Digit { zero: false });
            }
            "0" => {
                if self.brackets {
                    return Err(syntax("\"0\" must be ahead of \"PR\""));
                }
                if !self.has_point && self.zero_from.is_none() {
                    self.zero_from = Some(self.digits_before + self.multiplier.unwrap_or(0));
                }
                self.count_digit();
                self.nodes.push(Node::Digit { zero: true });
            }
            "." | "D" => {
                if self.has_point {
                    return Err(syntax("multiple decimal points"));
                }
                if self.multiplier.is_some() {
                    return Err(syntax("cannot use \"V\" and decimal point together"));
                }
                self.has_point = true;
                self.nodes.push(Node::Point);
            }
            "," | "G" => self.nodes.push(Node::Group),
            "L" | "C" => self.nodes.push(Node::Currency),
            "B" => self.blank = true,
            "FM" => self.fill = true,
            "S" => {
                if self.sign_first.is_some() {
                    return Err(syntax("cannot use \"S\" twice"));
                }
                if self.has_minus || self.has_plus || self.brackets {
                    return Err(syntax(
                        "cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together",
                    ));
                }
                self.sign_first = Some(self.digits_before == 0 && !self.has_point);
                self.nodes.push(Node::Sign);
            }
            "MI" | "PL" | "SG" => {
                if self.sign_first.is_some() {
                    return Err(syntax(&format!("cannot use \"S\" and \"{keyword}\" together")));
                }
                self.has_minus |= keyword != "PL";
                self.has_plus |= keyword != "MI";
                self.nodes.push(match keyword {
                    "MI" => Node::Minus,
                    "PL" => Node::Plus,
                    _ => Node::AnySign,
                });
            }
            "PR" => {
                if self.sign_first.is_some() || self.has_minus || self.has_plus {
                    return Err(syntax(
                        "cannot use \"PR\" and \"S\"/\"PL\"/\"MI\"/\"SG\" together",
                    ));
                }
                self.brackets = true;
            }
            "RN" => self.roman = Some(!lower),
            "TH" => self.nodes.push(Node::Ordinal(!lower)),
            "V" => {
                if self.has_point {
                    return Err(syntax("cannot use \"V\" and decimal point together"));
                }
                self.multiplier = Some(0);
            }
            "EEEE" => {
                if self.fill
                    || self.sign_first.is_some()
                    || self.has_minus
                    || self.has_plus
                    || self.brackets
                    || self.roman.is_some()
                    || self.multiplier.is_some()
                {
                    return Err(syntax("\"EEEE\" is incompatible with other formats").detail(
                        "\"EEEE\" may only be used together with digit and decimal point patterns.",
                    ));
                }
                self.scientific = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// The text of a number.
    pub(super) fn format(&self, value: &NumericBuf) -> Result<String> {
        if let Some(upper) = self.roman {
            return Ok(self.format_roman(value, upper));
        }
        if self.scientific {
            if !value.is_finite() {
                let width = self.digits_before + self.digits_after + 6;
                let point = self.digits_before + 1;
                return Ok((0..width)
                    .map(|i| {
                        if i == 0 {
                            ' '
                        } else if i == point {
                            '.'
                        } else {
                            '#'
                        }
                    })
                    .collect());
            }
            let text = value.format_scientific(self.digits_after as u16);
            return Ok(if value.is_negative() { text } else { format!(" {text}") });
        }
        let multiplied = match self.multiplier {
            Some(places) => value.mul(&NumericBuf::Small {
                mantissa: 10i128.pow(places.min(30) as u32),
                scale: 0,
            })?,
            None => value.clone(),
        };
        let rounded = multiplied.round(self.digits_after as i32);
        let text = rounded.abs().to_string();
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let room = self.digits_before + self.multiplier.unwrap_or(0);
        let whole = if whole == "0"
            && self.zero_from.is_none_or(|z| z + 1 < room)
            && room > 0
            && !self.keeps_zero(fraction)
        {
            ""
        } else {
            whole
        };
        let negative = rounded.is_negative() && rounded.is_finite()
            || matches!(rounded, NumericBuf::NegInfinity);
        let unknown = rounded.is_nan() && self.digits_after == 0;
        let overflow = !rounded.is_finite() && !unknown || whole.len() > room;
        let (whole, fraction) = if overflow {
            ("#".repeat(room), "#".repeat(self.digits_after))
        } else {
            (whole.to_owned(), fraction.to_owned())
        };
        Ok(self.lay_out(negative, &whole, &fraction, room))
    }

    /// Without digits behind the point a zero is printed.
    fn keeps_zero(&self, fraction: &str) -> bool {
        self.digits_after == 0 || fraction.is_empty()
    }

    fn lay_out(&self, negative: bool, whole: &str, fraction: &str, room: usize) -> String {
        let mut out = String::new();
        // The digit position at which the number begins.
        let first = (room - whole.len().min(room)).min(self.zero_from.unwrap_or(usize::MAX));
        let first = first.min(room);
        let mut position = 0usize;
        let mut begun = false;
        let begin = |out: &mut String, begun: &mut bool| {
            if !std::mem::replace(begun, true) {
                self.open(out, negative);
            }
        };
        // With FM the zeros at the end that 9 stands for go.
        let mut kept = fraction.len();
        if self.fill {
            let forced = self.forced_fraction();
            while kept > forced && fraction.as_bytes()[kept - 1] == b'0' {
                kept -= 1;
            }
        }
        // Nothing but zeros: one of them stays before the point.
        let whole =
            if self.fill && kept == 0 && whole.is_empty() && room > 0 { "0" } else { whole };
        let first = first.min(room - whole.len().min(room));
        let mut printed = 0usize;
        let mut in_fraction = false;
        for node in &self.nodes {
            match node {
                Node::Digit { .. } if in_fraction => {
                    if printed < kept {
                        out.push_str(&fraction[printed..=printed]);
                    }
                    printed += 1;
                }
                Node::Digit { .. } => {
                    if position < first {
                        if !self.fill {
                            out.push(' ');
                        }
                    } else {
                        begin(&mut out, &mut begun);
                        let index = (position + whole.len()).checked_sub(room);
                        out.push(index.map_or('0', |i| char::from(whole.as_bytes()[i])));
                    }
                    position += 1;
                }
                Node::Point => {
                    begin(&mut out, &mut begun);
                    if !(self.fill && kept == 0 && self.digits_after == 0) {
                        out.push('.');
                    }
                    in_fraction = true;
                }
                Node::Group => {
                    if begun {
                        out.push(',');
                    } else if !self.fill {
                        out.push(' ');
                    }
                }
                Node::Currency => out.push(' '),
                Node::Sign => {
                    if self.sign_first == Some(false) {
                        out.push(if negative { '-' } else { '+' });
                    }
                }
                Node::Minus => self.mark(&mut out, negative, '-'),
                Node::Plus => self.mark(&mut out, !negative, '+'),
                Node::AnySign => out.push(if negative { '-' } else { '+' }),
                Node::Ordinal(upper) => {
                    if !negative && self.digits_after == 0 && !whole.contains('#') {
                        out.push_str(ordinal_suffix(whole, *upper));
                    }
                }
                Node::Text(c) => out.push(*c),
            }
        }
        begin(&mut out, &mut begun);
        if self.brackets {
            self.mark(&mut out, negative, '>');
        }
        out
    }

    /// What stands right before the first digit.
    fn open(&self, out: &mut String, negative: bool) {
        if self.sign_first.is_none() && !self.has_minus && !self.brackets {
            self.mark(out, negative, '-');
        } else if self.brackets {
            self.mark(out, negative, '<');
        } else if self.sign_first == Some(true) {
            out.push(if negative { '-' } else { '+' });
        }
    }

    /// The character where it applies, else the blank that holds its place.
    fn mark(&self, out: &mut String, applies: bool, c: char) {
        if applies {
            out.push(c);
        } else if !self.fill {
            out.push(' ');
        }
    }

    /// The digits of the fraction up to the last `0` of the template.
    fn forced_fraction(&self) -> usize {
        let behind = self.nodes.iter().skip_while(|n| **n != Node::Point);
        let digits: Vec<bool> = behind
            .filter_map(|n| match n {
                Node::Digit { zero } => Some(*zero),
                _ => None,
            })
            .collect();
        digits.iter().rposition(|zero| *zero).map_or(0, |i| i + 1)
    }

    fn format_roman(&self, value: &NumericBuf, upper: bool) -> String {
        let text = match value.to_i64().and_then(to_roman) {
            Some(text) if upper => text,
            Some(text) => text.to_lowercase(),
            None => "#".repeat(15),
        };
        if self.fill { text } else { format!("{text:>15}") }
    }
}

/// A number from 1 to 3999 in Roman digits.
pub(super) fn to_roman(number: i64) -> Option<String> {
    const PARTS: [(i64, &str); 13] = [
        (1000, "M"),
        (900, "CM"),
        (500, "D"),
        (400, "CD"),
        (100, "C"),
        (90, "XC"),
        (50, "L"),
        (40, "XL"),
        (10, "X"),
        (9, "IX"),
        (5, "V"),
        (4, "IV"),
        (1, "I"),
    ];
    let mut rest = Some(number).filter(|number| (1..=3999).contains(number))?;
    let mut text = String::new();
    for (size, part) in PARTS {
        while rest >= size {
            text.push_str(part);
            rest -= size;
        }
    }
    Some(text)
}
