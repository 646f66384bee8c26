//! Numbers with units.

/// The units of memory in bytes, largest first.
const MEMORY: [(&str, f64); 5] = [
    ("TB", 1_099_511_627_776.0),
    ("GB", 1_073_741_824.0),
    ("MB", 1_048_576.0),
    ("kB", 1024.0),
    ("B", 1.0),
];
/// The units of time in microseconds, largest first.
const TIME: [(&str, f64); 6] = [
    ("d", 86_400_000_000.0),
    ("h", 3_600_000_000.0),
    ("min", 60_000_000.0),
    ("s", 1_000_000.0),
    ("ms", 1000.0),
    ("us", 1.0),
];

/// The units that a setting with this base unit knows, and the base unit in the smallest of them.
fn family(base: &str) -> Option<(&'static [(&'static str, f64)], f64)> {
    if let Some((_, scale)) = TIME.iter().find(|(unit, _)| *unit == base) {
        return Some((&TIME, *scale));
    }
    let (count, unit) = base.split_at(base.find(|c: char| !c.is_ascii_digit())?);
    let (_, scale) = MEMORY.iter().find(|(known, _)| *known == unit)?;
    let count: f64 = if count.is_empty() { 1.0 } else { count.parse().ok()? };
    Some((&MEMORY, scale * count))
}

/// Why a text is no number; what HINT says, if anything.
pub type Hint = Option<&'static str>;

const TOO_LARGE: &str = "Value exceeds integer range.";

fn unit_hint(base: &str) -> Hint {
    match family(base) {
        Some((units, _)) if std::ptr::eq(units, TIME.as_slice()) => Some(
            "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".",
        ),
        Some(_) => {
            Some("Valid units for this parameter are \"B\", \"kB\", \"MB\", \"GB\", and \"TB\".")
        }
        None => None,
    }
}

/// The number at the beginning of a text, decimal, hexadecimal or octal, and what follows it.
fn leading_number(text: &str) -> Option<(f64, &str)> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    let digits_end = |s: &str, radix: u32| s.find(|c: char| !c.is_digit(radix)).unwrap_or(s.len());
    if let Some(hex) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        let end = digits_end(hex, 16);
        let number = u64::from_str_radix(&hex[..end], 16).ok()?;
        return Some((sign * to_f64(number), &hex[end..]));
    }
    let whole = digits_end(unsigned, 10);
    let after = &unsigned[whole..];
    let has_fraction = after.starts_with('.');
    let exponent =
        exponent_len(if has_fraction { &after[1 + digits_end(&after[1..], 10)..] } else { after });
    if unsigned.starts_with('0') && whole > 1 && !has_fraction && exponent == 0 {
        let end = digits_end(unsigned, 8);
        let number = u64::from_str_radix(&unsigned[..end], 8).ok()?;
        return Some((sign * to_f64(number), &unsigned[end..]));
    }
    let fraction = if has_fraction { 1 + digits_end(&after[1..], 10) } else { 0 };
    if whole == 0 && fraction < 2 {
        return None;
    }
    let end = whole + fraction + exponent;
    let number: f64 = unsigned[..end].parse().ok()?;
    Some((sign * number, &unsigned[end..]))
}

/// Whole numbers beyond 2^53 are far beyond every range: their last digits do not matter.
#[expect(clippy::cast_precision_loss, reason = "see the comment")]
fn to_f64(number: u64) -> f64 {
    number as f64
}

fn exponent_len(text: &str) -> usize {
    let Some(rest) = text.strip_prefix(['e', 'E']) else { return 0 };
    let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    let count = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    if count == 0 { 0 } else { 1 + rest.len() - digits.len() + count }
}

/// A number in base units.
fn parse(text: &str, unit: Option<&str>) -> Result<f64, Hint> {
    let (number, rest) = leading_number(text.trim_start()).ok_or(None)?;
    let rest = rest.trim();
    if rest.is_empty() {
        return Ok(number);
    }
    let base = unit.ok_or(None)?;
    let (units, base_scale) = family(base).ok_or(None)?;
    let Some((_, scale)) = units.iter().find(|(known, _)| *known == rest) else {
        return Err(unit_hint(base));
    };
    let value = number * scale / base_scale;
    // A fraction of a larger unit counts in the next smaller unit, as 0.1GB in MB.
    match units.iter().skip_while(|(known, _)| *known != rest).nth(1) {
        Some((_, smaller)) if number.fract() != 0.0 => {
            Ok((number * scale / smaller).round_ties_even() * smaller / base_scale)
        }
        _ => Ok(value),
    }
}

/// A whole number in base units (`kB`, `ms`), rounded. It has 32 bits unless `max` has more.
///
/// # Errors
/// What HINT says where the text is no such number.
pub fn parse_integer(text: &str, unit: Option<&str>, max: i64) -> Result<i64, Hint> {
    let number = parse(text, unit)?.round_ties_even();
    if !number.is_finite() || number.abs() > (1_u64 << 53) as f64 {
        return Err(Some(TOO_LARGE));
    }
    // In range: checked just above.
    #[expect(clippy::cast_possible_truncation, reason = "checked above")]
    let number = number as i64;
    match number > max.max(i64::from(i32::MAX)) || number < i64::from(i32::MIN) {
        true => Err(Some(TOO_LARGE)),
        false => Ok(number),
    }
}

/// A number in base units.
pub(super) fn parse_real(text: &str, unit: Option<&str>) -> Result<f64, Hint> {
    let number = parse(text, unit)?;
    if number.is_finite() { Ok(number) } else { Err(None) }
}

/// The largest unit in which a number is whole, and that number.
fn with_largest_unit(value: f64, base: &str) -> Option<(f64, &'static str)> {
    let (units, base_scale) = family(base)?;
    let smallest = value * base_scale;
    units
        .iter()
        .map(|(unit, scale)| (smallest / scale, *unit))
        .find(|(number, _)| (number.round_ties_even() / number - 1.0).abs() <= 1e-8)
}

/// A whole number as SHOW prints it.
pub(super) fn show_integer(value: i64, unit: Option<&str>) -> String {
    match unit.filter(|_| value > 0).and_then(|base| with_largest_unit(value as f64, base)) {
        Some((number, unit)) => format!("{}{unit}", number.round_ties_even()),
        None => value.to_string(),
    }
}

/// A number as SHOW prints it.
pub(super) fn show_real(value: f64, unit: Option<&str>) -> String {
    match unit.filter(|_| value > 0.0).and_then(|base| with_largest_unit(value, base)) {
        Some((number, unit)) => format!("{}{unit}", general(number)),
        None => general(value),
    }
}

/// C's `%g`: six significant digits.
pub(super) fn general(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return format!("{value}");
    }
    let scientific = format!("{value:.5e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| -> String {
        if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text.to_owned()
        }
    };
    if (-4..6).contains(&exponent) {
        let digits = usize::try_from(5 - exponent).unwrap_or(0);
        trim(&format!("{value:.digits$}"))
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{}e{sign}{:02}", trim(mantissa), exponent.abs())
    }
}
