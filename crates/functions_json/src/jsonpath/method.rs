//! Methods, but for those of dates and times.

use super::evaluate::{Evaluator, Found, Status, fail};
use super::value::{Value, number_text};
use base::{Result, err};
use memory::Bump;
use types::jsonpath::{Item, Method};
use types::numeric::typmod_of;
use types::{Datum, Numeric, NumericBuf, float, scalar};

/// Why a method has no value.
enum Refused {
    /// The value is of a kind that the method does not take.
    Kind,
    /// The text does not fit the type.
    Argument(String, &'static str),
    /// NaN or an infinity.
    NotFinite,
}

type Converted<T> = std::result::Result<T, Refused>;

impl<'v> Evaluator<'_, 'v> {
    pub(super) fn method(
        &mut self,
        method: Method,
        args: &'v [Item],
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
    ) -> Result<Status> {
        match method {
            Method::Type => self.next(chain, Value::String(value.type_name()), found),
            Method::Size => {
                let len = match value.array_len() {
                    Some(len) => len,
                    None if self.lax => 1,
                    None => fail!(
                        self,
                        SQL_JSON_ARRAY_NOT_FOUND,
                        "jsonpath item method .size() can only be applied to an array"
                    ),
                };
                let len = Value::number(&NumericBuf::from_i128(len as i128), &self.bump)?;
                self.next(chain, len, found)
            }
            Method::Abs | Method::Floor | Method::Ceiling => {
                let Value::Number(number) = value else {
                    fail!(
                        self,
                        NON_NUMERIC_SQL_JSON_ITEM,
                        "jsonpath item method .{}() can only be applied to a numeric value",
                        method.name()
                    );
                };
                let number = Numeric::from_datum(&number)?.load();
                let number = match method {
                    Method::Abs => number.abs(),
                    Method::Floor => number.floor(),
                    _ => number.ceil(),
                };
                let number = Value::number(&number, &self.bump)?;
                self.next(chain, number, found)
            }
            Method::KeyValue => self.key_value(chain, value, found),
            Method::String => {
                let text = match value {
                    Value::String(text) => text,
                    Value::Null | Value::Container(_) => fail!(
                        self,
                        NON_NUMERIC_SQL_JSON_ITEM,
                        "jsonpath item method .string() can only be applied to a boolean, string, numeric, or datetime value"
                    ),
                    value => {
                        let text = value.text(self.bump.account())?;
                        self.bump.alloc_str(text.as_deref().unwrap_or(""))?
                    }
                };
                self.next(chain, Value::String(text), found)
            }
            Method::Datetime
            | Method::Date
            | Method::Time
            | Method::TimeTz
            | Method::Timestamp
            | Method::TimestampTz => self.moment(method, args, chain, value, found),
            Method::Double
            | Method::Bigint
            | Method::Boolean
            | Method::Decimal
            | Method::Integer
            | Method::Number => self.conversion(method, args, chain, value, found),
        }
    }

    fn conversion(
        &mut self,
        method: Method,
        args: &'v [Item],
        chain: &'v [Item],
        value: Value<'v>,
        found: &mut Found<'v>,
    ) -> Result<Status> {
        let name = method.name();
        let converted = match method {
            Method::Double => double(value, self.bump)?,
            Method::Bigint => integer(value, "bigint", i64::MIN, i64::MAX, self.bump)?,
            Method::Integer => {
                integer(value, "integer", i32::MIN.into(), i32::MAX.into(), self.bump)?
            }
            Method::Boolean => boolean(value)?.map(Value::Bool),
            _ => match numeric(value)? {
                Err(refused) => Err(refused),
                Ok(number) if method == Method::Decimal && !args.is_empty() => {
                    let precision = whole(args.first());
                    let scale = if args.len() > 1 { whole(args.get(1)) } else { Some(0) };
                    let (Some(precision), Some(scale)) = (precision, scale) else {
                        let which = if precision.is_none() { "precision" } else { "scale" };
                        fail!(
                            self,
                            NON_NUMERIC_SQL_JSON_ITEM,
                            "{which} of jsonpath item method .{name}() is out of range for type integer"
                        );
                    };
                    fitted(number, precision, scale, self.bump)?
                }
                Ok(number) => Ok(Value::number(&number, &self.bump)?),
            },
        };
        match converted {
            Ok(value) => self.next(chain, value, found),
            Err(Refused::Kind) if method == Method::Boolean => fail!(
                self,
                NON_NUMERIC_SQL_JSON_ITEM,
                "jsonpath item method .{name}() can only be applied to a boolean, string, or numeric value"
            ),
            Err(Refused::Kind) => fail!(
                self,
                NON_NUMERIC_SQL_JSON_ITEM,
                "jsonpath item method .{name}() can only be applied to a string or numeric value"
            ),
            Err(Refused::Argument(text, type_name)) => fail!(
                self,
                NON_NUMERIC_SQL_JSON_ITEM,
                "argument \"{text}\" of jsonpath item method .{name}() is invalid for type {type_name}"
            ),
            Err(Refused::NotFinite) => fail!(
                self,
                NON_NUMERIC_SQL_JSON_ITEM,
                "NaN or Infinity is not allowed for jsonpath item method .{name}()"
            ),
        }
    }
}

fn double<'v>(value: Value<'v>, bump: &'v Bump) -> Result<Converted<Value<'v>>> {
    let text = match value {
        Value::Number(number) => number_text(&number)?,
        Value::String(text) => text.to_owned(),
        _ => return Ok(Err(Refused::Kind)),
    };
    Ok(match float::parse_f64(&text) {
        Err(_) => Err(Refused::Argument(text, "double precision")),
        Ok(number) if !number.is_finite() => Err(Refused::NotFinite),
        Ok(_) if matches!(value, Value::Number(_)) => Ok(value),
        Ok(number) => Ok(Value::number(&NumericBuf::from_f64(number), &bump)?),
    })
}

fn integer<'v>(
    value: Value<'v>,
    type_name: &'static str,
    min: i64,
    max: i64,
    bump: &'v Bump,
) -> Result<Converted<Value<'v>>> {
    let number = match value {
        Value::Number(number) => Numeric::from_datum(&number)?.load().to_i64(),
        Value::String(text) => scalar::parse_int8(text).ok(),
        _ => return Ok(Err(Refused::Kind)),
    };
    Ok(match number.filter(|number| (min..=max).contains(number)) {
        Some(number) => Ok(Value::number(&NumericBuf::from_i128(number.into()), &bump)?),
        None => Err(Refused::Argument(
            value.text(bump.account())?.map_or(String::new(), |text| text.to_string()),
            type_name,
        )),
    })
}

fn boolean(value: Value<'_>) -> Result<Converted<bool>> {
    let refused = |text: String| Err(Refused::Argument(text, "boolean"));
    Ok(match value {
        Value::Bool(b) => Ok(b),
        Value::Number(number) => {
            let text = number_text(&number)?;
            match scalar::parse_int4(&text) {
                Ok(number) => Ok(number != 0),
                Err(_) => refused(text),
            }
        }
        // Unlike the type's input this allows no blanks.
        Value::String(text) => match scalar::parse_bool(text) {
            Ok(b) if !text.starts_with(scalar::is_space) && !text.ends_with(scalar::is_space) => {
                Ok(b)
            }
            _ => refused(text.to_owned()),
        },
        _ => Err(Refused::Kind),
    })
}

fn numeric(value: Value<'_>) -> Result<Converted<NumericBuf>> {
    let number = match value {
        Value::Number(number) => Numeric::from_datum(&number)?.load(),
        Value::String(text) => match NumericBuf::parse(text) {
            Ok(number) => number,
            Err(_) => return Ok(Err(Refused::Argument(text.to_owned(), "numeric"))),
        },
        _ => return Ok(Err(Refused::Kind)),
    };
    Ok(if number.is_finite() { Ok(number) } else { Err(Refused::NotFinite) })
}

/// A literal as an integer.
pub(super) fn whole(item: Option<&Item>) -> Option<i32> {
    match item {
        Some(Item::Number(number)) => number.to_i64().and_then(|n| i32::try_from(n).ok()),
        _ => None,
    }
}

/// A number of a precision and a scale.
fn fitted<'v>(
    number: NumericBuf,
    precision: i32,
    scale: i32,
    bump: &'v Bump,
) -> Result<Converted<Value<'v>>> {
    if !(1..=1000).contains(&precision) {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "NUMERIC precision {precision} must be between 1 and 1000"
        ));
    }
    if !(-1000..=1000).contains(&scale) {
        return Err(err!(
            INVALID_PARAMETER_VALUE,
            "NUMERIC scale {scale} must be between -1000 and 1000"
        ));
    }
    let arena = &bump;
    let datum: Datum<'_> = number.to_datum(arena)?;
    Ok(match number.apply_typmod(typmod_of(precision, scale)) {
        Ok(number) => Ok(Value::number(&number, arena)?),
        Err(_) => Err(Refused::Argument(number_text(&datum)?, "numeric")),
    })
}
