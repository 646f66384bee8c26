//! Splits date, time and interval input into fields, and knows the words.

/// What a field looks like; only its first characters decide.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Look {
    /// Digits, perhaps with one point.
    Number,
    /// Digits with separators, or a word with them: a date or a zone name.
    Date,
    /// Digits with colons.
    Time,
    /// A sign and digits.
    Signed,
    /// Letters.
    Word,
    /// A sign and letters.
    SignedWord,
}

/// A field in lower case.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Field {
    pub(super) look: Look,
    pub(super) text: String,
}

/// No input has more fields than this.
const FIELDS_MAX: usize = 25;
/// No input is longer than this; longer ones have a wrong syntax.
const TEXT_BYTES_MAX: usize = 128;

struct Scanner<'t> {
    bytes: &'t [u8],
    at: usize,
    taken: String,
}

impl Scanner<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn take(&mut self) {
        self.taken.push(char::from(self.peek().to_ascii_lowercase()));
        self.at += 1;
    }

    fn take_while(&mut self, accept: impl Fn(u8) -> bool) {
        while self.at < self.bytes.len() && accept(self.peek()) {
            self.take();
        }
    }

    fn digits_first(&mut self) -> Look {
        self.take_while(|b| b.is_ascii_digit());
        match self.peek() {
            b':' => {
                self.take_while(|b| b.is_ascii_digit() || b == b':' || b == b'.');
                Look::Time
            }
            separator @ (b'-' | b'/' | b'.') => {
                self.take();
                if !self.peek().is_ascii_digit() {
                    self.take_while(|b| b.is_ascii_alphanumeric() || b == separator);
                    return Look::Date;
                }
                self.take_while(|b| b.is_ascii_digit());
                if self.peek() == separator {
                    self.take_while(|b| b.is_ascii_digit() || b == separator);
                    return Look::Date;
                }
                if separator == b'.' { Look::Number } else { Look::Date }
            }
            _ => Look::Number,
        }
    }

    fn letters_first(&mut self) -> Look {
        self.take_while(|b| b.is_ascii_alphabetic());
        let compound = match self.peek() {
            b'-' | b'/' | b'.' => true,
            b'+' | b'0'..=b'9' => word(&self.taken).is_none(),
            _ => false,
        };
        if !compound {
            return Look::Word;
        }
        self.take_while(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'/' | b'_' | b'.' | b':')
        });
        Look::Date
    }

    fn sign_first(&mut self) -> Option<Look> {
        self.take();
        while self.peek().is_ascii_whitespace() {
            self.at += 1;
        }
        if self.peek().is_ascii_digit() {
            self.take_while(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'-'));
            Some(Look::Signed)
        } else if self.peek().is_ascii_alphabetic() {
            self.take_while(|b| b.is_ascii_alphabetic());
            Some(Look::SignedWord)
        } else {
            None
        }
    }
}

/// The fields of an input; none if it has a character or a number of fields that no date has.
pub(super) fn fields(text: &str) -> Option<Vec<Field>> {
    if text.len() > TEXT_BYTES_MAX {
        return None;
    }
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0, taken: String::new() };
    let mut out = Vec::new();
    while scanner.at < scanner.bytes.len() {
        let look = match scanner.peek() {
            b if b.is_ascii_whitespace() || b == 0x0b => {
                scanner.at += 1;
                continue;
            }
            b'0'..=b'9' => scanner.digits_first(),
            b'.' => {
                scanner.take();
                scanner.take_while(|b| b.is_ascii_digit());
                Look::Number
            }
            b if b.is_ascii_alphabetic() => scanner.letters_first(),
            b'+' | b'-' => scanner.sign_first()?,
            b if b.is_ascii_punctuation() => {
                scanner.at += 1;
                continue;
            }
            _ => return None,
        };
        if out.len() == FIELDS_MAX {
            return None;
        }
        out.push(Field { look, text: std::mem::take(&mut scanner.taken) });
    }
    Some(out)
}

/// What a word of a date or time means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    Infinity,
    NegInfinity,
    Epoch,
    Now,
    Today,
    Tomorrow,
    Yesterday,
    AllBalls,
    Month(i32),
    Weekday,
    Am,
    Pm,
    Ad,
    Bc,
    /// `dst` after a zone.
    Dst,
    /// `t` before an ISO time.
    IsoTime,
    /// `j`, `jd`, `julian` before a day number.
    Julian,
    /// A unit that ISO forms could have; no input uses it.
    Unit,
    /// `at`, `on`
    Noise,
}

/// Long words count by their first ten letters.
const WORD_BYTES_MAX: usize = 10;

/// The meaning of a word of a date or time.
pub(super) fn word(text: &str) -> Option<Word> {
    let text = text.get(..WORD_BYTES_MAX).unwrap_or(text);
    Some(match text {
        "infinity" | "+infinity" => Word::Infinity,
        "-infinity" => Word::NegInfinity,
        "epoch" => Word::Epoch,
        "now" => Word::Now,
        "today" => Word::Today,
        "tomorrow" => Word::Tomorrow,
        "yesterday" => Word::Yesterday,
        "allballs" => Word::AllBalls,
        "jan" | "january" => Word::Month(1),
        "feb" | "february" => Word::Month(2),
        "mar" | "march" => Word::Month(3),
        "apr" | "april" => Word::Month(4),
        "may" => Word::Month(5),
        "jun" | "june" => Word::Month(6),
        "jul" | "july" => Word::Month(7),
        "aug" | "august" => Word::Month(8),
        "sep" | "sept" | "september" => Word::Month(9),
        "oct" | "october" => Word::Month(10),
        "nov" | "november" => Word::Month(11),
        "dec" | "december" => Word::Month(12),
        "sun" | "sunday" | "mon" | "monday" | "tue" | "tues" | "tuesday" | "wed" | "weds"
        | "wednesday" | "thu" | "thur" | "thurs" | "thursday" | "fri" | "friday" | "sat"
        | "saturday" => Word::Weekday,
        "am" => Word::Am,
        "pm" => Word::Pm,
        "ad" => Word::Ad,
        "bc" => Word::Bc,
        "dst" => Word::Dst,
        "t" => Word::IsoTime,
        "j" | "jd" | "julian" => Word::Julian,
        "d" | "dow" | "doy" | "h" | "isodow" | "isoyear" | "m" | "mm" | "s" | "y" => Word::Unit,
        "at" | "on" => Word::Noise,
        _ => return None,
    })
}

/// A unit of an interval, and of `extract` and `date_trunc`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unit {
    Microsecond,
    Millisecond,
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
}

/// The interval unit of a word.
pub fn unit(text: &str) -> Option<Unit> {
    let text = text.get(..WORD_BYTES_MAX).unwrap_or(text);
    Some(match text {
        "us" | "usec" | "usecs" | "useconds" | "microsecon" => Unit::Microsecond,
        "ms" | "msec" | "msecs" | "mseconds" | "millisecon" => Unit::Millisecond,
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Second,
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Minute,
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Hour,
        "d" | "day" | "days" => Unit::Day,
        "w" | "week" | "weeks" => Unit::Week,
        "mon" | "mons" | "month" | "months" => Unit::Month,
        "qtr" | "quarter" => Unit::Quarter,
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Year,
        "dec" | "decs" | "decade" | "decades" => Unit::Decade,
        "c" | "cent" | "century" | "centuries" => Unit::Century,
        "mil" | "mils" | "millennium" | "millennia" => Unit::Millennium,
        _ => return None,
    })
}

/// The leading integer of a text and what follows; none if there is no digit.
pub(super) fn leading_integer(text: &str) -> Option<(i128, &str)> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return None;
    }
    let end = text.len() - unsigned.len() + digits;
    let (head, rest) = text.split_at(end);
    let head = head.strip_prefix('+').unwrap_or(head);
    // More than 38 digits are out of every range that callers check.
    Some((head.parse().unwrap_or(i128::MAX), rest))
}

/// The value of `.digits`, below 1; none if something else follows the point.
pub(super) fn fraction(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('.')?;
    if digits.is_empty() {
        return Some(0.0);
    }
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// `.digits` of a second in microseconds, rounded.
pub(super) fn fraction_micros(text: &str) -> Option<i32> {
    fraction(text).map(|f| (f * 1e6).round_ties_even() as i32)
}
