//! real and double precision: arithmetic and the functions of chapter 9.3.

use crate::shim::{as_f64, raw};
use base::{Error, Result, err};
use expr::{Call, Datum, Entry};

#[cold]
pub(crate) fn overflow() -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: overflow")
}

#[cold]
pub(crate) fn underflow() -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "value out of range: underflow")
}

#[cold]
fn input_out_of_range() -> Error {
    err!(NUMERIC_VALUE_OUT_OF_RANGE, "input is out of range")
}

const ADD: u8 = 0;
const SUB: u8 = 1;
const MUL: u8 = 2;
const DIV: u8 = 3;

macro_rules! arithmetic {
    ($name:ident, $ty:ty, $doc:literal) => {
        #[doc = $doc]
        #[inline]
        fn $name<const OP: u8>(a: $ty, b: $ty) -> Result<$ty> {
            let value = match OP {
                ADD => a + b,
                SUB => a - b,
                MUL => a * b,
                _ => {
                    if b == 0.0 && !a.is_nan() {
                        return Err(crate::integer::division_by_zero());
                    }
                    a / b
                }
            };
            if value.is_infinite() && a.is_finite() && b.is_finite() {
                return Err(overflow());
            }
            if value == 0.0
                && ((OP == MUL && a != 0.0 && b != 0.0)
                    || (OP == DIV && a != 0.0 && !b.is_infinite()))
            {
                return Err(underflow());
            }
            Ok(value)
        }
    };
}

arithmetic!(wide, f64, "Double precision.");
arithmetic!(narrow, f32, "Real.");

fn op8<'m, const OP: u8>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    wide::<OP>(as_f64(&args[0])?, as_f64(&args[1])?).map(Datum::Float8)
}

fn op4<'m, const OP: u8>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    narrow::<OP>(args[0].float4()?, args[1].float4()?).map(Datum::Float4)
}

/// A function of one double; the result must be finite if the argument is.
fn checked(x: f64, y: f64) -> Result<Datum<'static>> {
    if y.is_infinite() && x.is_finite() {
        return Err(overflow());
    }
    Ok(Datum::Float8(y))
}

/// The angle functions refuse infinities and have no value for some others.
fn angle(x: f64, f: fn(f64) -> f64) -> Result<Datum<'static>> {
    if x.is_infinite() {
        return Err(input_out_of_range());
    }
    checked(x, f(x))
}

fn inverse(x: f64, f: fn(f64) -> f64) -> Result<Datum<'static>> {
    if !x.is_nan() && !(-1.0..=1.0).contains(&x) {
        return Err(input_out_of_range());
    }
    Ok(Datum::Float8(f(x)))
}

/// The power of two doubles.
pub(crate) fn power(x: f64, y: f64) -> Result<f64> {
    if x == 0.0 && y < 0.0 {
        return Err(err!(
            INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "zero raised to a negative power is undefined"
        ));
    }
    if x < 0.0 && y.is_finite() && y.floor() != y {
        return Err(err!(
            INVALID_ARGUMENT_FOR_POWER_FUNCTION,
            "a negative number raised to a non-integer power yields a complex result"
        ));
    }
    let value = x.powf(y);
    if x.is_finite() && y.is_finite() {
        if value.is_infinite() {
            return Err(overflow());
        }
        if value == 0.0 && x != 0.0 {
            return Err(underflow());
        }
    }
    Ok(value)
}

fn logarithm(x: f64, f: fn(f64) -> f64) -> Result<Datum<'static>> {
    if x == 0.0 {
        return Err(err!(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of zero"));
    }
    if x < 0.0 {
        return Err(err!(INVALID_ARGUMENT_FOR_LOG, "cannot take logarithm of a negative number"));
    }
    checked(x, f(x))
}

fn exp(x: f64) -> Result<Datum<'static>> {
    let y = x.exp();
    if x.is_finite() {
        if y.is_infinite() {
            return Err(overflow());
        }
        if y == 0.0 {
            return Err(underflow());
        }
    }
    Ok(Datum::Float8(y))
}

/// Sines and cosines of whole multiples of 30 and 45 degrees come out exact.
fn sin_degrees(x: f64) -> f64 {
    let mut r = x % 360.0;
    let mut sign = 1.0;
    if r < 0.0 {
        r = -r;
        sign = -1.0;
    }
    if r > 180.0 {
        r = 360.0 - r;
        sign = -sign;
    }
    if r > 90.0 {
        r = 180.0 - r;
    }
    sign * first_quadrant_sin(r)
}

fn cos_degrees(x: f64) -> f64 {
    let mut r = (x % 360.0).abs();
    let mut sign = 1.0;
    if r > 180.0 {
        r = 360.0 - r;
    }
    if r > 90.0 {
        r = 180.0 - r;
        sign = -1.0;
    }
    sign * first_quadrant_cos(r)
}

fn first_quadrant_sin(x: f64) -> f64 {
    if x <= 30.0 || x.is_nan() {
        (x.to_radians().sin() / 30f64.to_radians().sin()) / 2.0
    } else {
        first_quadrant_cos(90.0 - x)
    }
}

fn first_quadrant_cos(x: f64) -> f64 {
    if x <= 60.0 || x.is_nan() {
        let one_minus = |v: f64| 1.0 - v.to_radians().cos();
        1.0 - (one_minus(x) / one_minus(60.0)) / 2.0
    } else {
        first_quadrant_sin(90.0 - x)
    }
}

fn tan_degrees(x: f64) -> f64 {
    let (mut r, mut sign) = (x % 180.0, 1.0);
    if r < 0.0 {
        (r, sign) = (-r, -1.0);
    }
    if r > 90.0 {
        (r, sign) = (180.0 - r, -sign);
    }
    let one = first_quadrant_sin(45.0) / first_quadrant_cos(45.0);
    sign * (first_quadrant_sin(r) / first_quadrant_cos(r)) / one
}

fn cot_degrees(x: f64) -> f64 {
    let (mut r, mut sign) = (x % 180.0, 1.0);
    if r < 0.0 {
        (r, sign) = (-r, -1.0);
    }
    if r > 90.0 {
        (r, sign) = (180.0 - r, -sign);
    }
    let one = first_quadrant_cos(45.0) / first_quadrant_sin(45.0);
    sign * (first_quadrant_cos(r) / first_quadrant_sin(r)) / one
}

fn asin_degrees(x: f64) -> f64 {
    let quadrant = |x: f64| {
        if x <= 0.5 {
            x.asin() / 0.5f64.asin() * 30.0
        } else {
            90.0 - x.acos() / 0.5f64.acos() * 60.0
        }
    };
    if x >= 0.0 { quadrant(x) } else { -quadrant(-x) }
}

fn acos_degrees(x: f64) -> f64 {
    let quadrant = |x: f64| {
        if x <= 0.5 {
            90.0 - x.asin() / 0.5f64.asin() * 30.0
        } else {
            x.acos() / 0.5f64.acos() * 60.0
        }
    };
    if x >= 0.0 { quadrant(x) } else { 90.0 + asin_degrees(-x) }
}

fn atan_degrees(x: f64) -> f64 {
    x.atan() / 1f64.atan() * 45.0
}

/// The error function, by its series and its continued fraction.
pub(crate) fn erf(x: f64) -> f64 {
    if x.is_nan() {
        return x;
    }
    if x.abs() < 2.5 {
        let mut sum = x;
        let mut term = x;
        for n in 1..200 {
            term *= -x * x / f64::from(n);
            let next = term / f64::from(2 * n + 1);
            sum += next;
            if next.abs() < 1e-18 * sum.abs() {
                break;
            }
        }
        return sum * std::f64::consts::FRAC_2_SQRT_PI;
    }
    if x > 0.0 { 1.0 - erfc(x) } else { erfc(-x) - 1.0 }
}

/// The complementary error function.
pub(crate) fn erfc(x: f64) -> f64 {
    if x < 2.5 {
        return 1.0 - erf(x);
    }
    let mut fraction = 0.0;
    for n in (1..=120).rev() {
        fraction = f64::from(n) / 2.0 / (x + fraction);
    }
    (-x * x).exp() / (std::f64::consts::PI.sqrt() * (x + fraction))
}

/// The natural logarithm of the gamma function of a positive number (Lanczos, g = 7).
fn ln_gamma(x: f64) -> f64 {
    const C: [f64; 9] = [
        0.999_999_999_999_809_9,
        676.520_368_121_885_1,
        -1_259.139_216_722_402_8,
        771.323_428_777_653_1,
        -176.615_029_162_140_6,
        12.507_343_278_686_905,
        -0.138_571_095_265_720_12,
        9.984_369_578_019_572e-6,
        1.505_632_735_149_311_6e-7,
    ];
    if x < 0.5 {
        let s = (std::f64::consts::PI * x).sin().abs();
        return (std::f64::consts::PI / s).ln() - ln_gamma(1.0 - x);
    }
    let x = x - 1.0;
    let t = x + 7.5;
    let sum = C.iter().enumerate().skip(1).fold(C[0], |s, (i, c)| s + c / (x + i as f64));
    0.5 * (2.0 * std::f64::consts::PI).ln() + (x + 0.5) * t.ln() - t + sum.ln()
}

fn gamma(x: f64) -> Result<Datum<'static>> {
    if x == f64::NEG_INFINITY || (x == 0.0) || (x < 0.0 && x.floor() == x) {
        return Err(overflow());
    }
    if x.fract() == 0.0 && x > 0.0 && x < 171.0 {
        let product = (2..x as i32).fold(1.0, |p, k| p * f64::from(k));
        return Ok(Datum::Float8(product));
    }
    let value = ln_gamma(x).exp();
    let negative = x < 0.0 && (x.floor() as i64) % 2 != 0;
    let value = if negative { -value } else { value };
    if x.is_finite() && value == 0.0 {
        return Err(underflow());
    }
    checked(x, value)
}

fn width_bucket<'m>(_: &mut Call<'_, 'm>, args: &[Datum<'m>]) -> Result<Datum<'m>> {
    let invalid = |what: &str| Err(err!(INVALID_ARGUMENT_FOR_WIDTH_BUCKET_FUNCTION, "{what}"));
    let (x, low, high) = (args[0].float8()?, args[1].float8()?, args[2].float8()?);
    let count = args[3].int4()?;
    if count <= 0 {
        return invalid("count must be greater than zero");
    }
    if x.is_nan() || low.is_nan() || high.is_nan() {
        return invalid("operand, lower bound, and upper bound cannot be NaN");
    }
    if low.is_infinite() || high.is_infinite() {
        return invalid("lower and upper bounds must be finite");
    }
    if low == high {
        return invalid("lower bound cannot equal upper bound");
    }
    let above = || count.checked_add(1).ok_or_else(|| crate::integer::out_of_range(4));
    let (before, behind, share) = if low < high {
        (x < low, x >= high, (x / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0))
    } else {
        (x > low, x <= high, (low / 2.0 - x / 2.0) / (low / 2.0 - high / 2.0))
    };
    Ok(Datum::Int4(if before {
        0
    } else if behind {
        above()?
    } else {
        ((f64::from(count) * share) as i32).min(count - 1) + 1
    }))
}

macro_rules! double {
    ($name:literal, |$x:ident| $body:expr) => {
        raw!($name, |cx, args| {
            let $x = args[0].float8()?;
            $body
        })
    };
}

/// The tables of this module.
pub(crate) const TABLES: &[&[Entry]] = &[
    &[
        Entry::scalar("float8pl", op8::<ADD>),
        Entry::scalar("float8mi", op8::<SUB>),
        Entry::scalar("float8mul", op8::<MUL>),
        Entry::scalar("float8div", op8::<DIV>),
        Entry::scalar("float48pl", op8::<ADD>),
        Entry::scalar("float48mi", op8::<SUB>),
        Entry::scalar("float48mul", op8::<MUL>),
        Entry::scalar("float48div", op8::<DIV>),
        Entry::scalar("float84pl", op8::<ADD>),
        Entry::scalar("float84mi", op8::<SUB>),
        Entry::scalar("float84mul", op8::<MUL>),
        Entry::scalar("float84div", op8::<DIV>),
        Entry::scalar("float4pl", op4::<ADD>),
        Entry::scalar("float4mi", op4::<SUB>),
        Entry::scalar("float4mul", op4::<MUL>),
        Entry::scalar("float4div", op4::<DIV>),
        raw!("float4um", |cx, args| Ok(Datum::Float4(-args[0].float4()?))),
        raw!("float4abs", |cx, args| Ok(Datum::Float4(args[0].float4()?.abs()))),
        raw!("float4up", |cx, args| Ok(args[0])),
        raw!("float8up", |cx, args| Ok(args[0])),
        double!("float8um", |x| Ok(Datum::Float8(-x))),
        double!("float8abs", |x| Ok(Datum::Float8(x.abs()))),
    ],
    &[
        double!("dround", |x| Ok(Datum::Float8(x.round_ties_even()))),
        double!("dtrunc", |x| Ok(Datum::Float8(x.trunc()))),
        double!("dceil", |x| Ok(Datum::Float8(x.ceil()))),
        double!("dfloor", |x| Ok(Datum::Float8(x.floor()))),
        double!("dsign", |x| Ok(Datum::Float8(if x > 0.0 {
            1.0
        } else if x < 0.0 {
            -1.0
        } else {
            0.0
        }))),
        double!("dsqrt", |x| if x < 0.0 {
            Err(err!(
                INVALID_ARGUMENT_FOR_POWER_FUNCTION,
                "cannot take square root of a negative number"
            ))
        } else {
            Ok(Datum::Float8(x.sqrt()))
        }),
        double!("dcbrt", |x| Ok(Datum::Float8(x.cbrt()))),
        raw!("dpow", |cx, args| power(args[0].float8()?, args[1].float8()?).map(Datum::Float8)),
        double!("dexp", |x| exp(x)),
        double!("dlog1", |x| logarithm(x, f64::ln)),
        double!("dlog10", |x| logarithm(x, f64::log10)),
        double!("dsin", |x| angle(x, f64::sin)),
        double!("dcos", |x| angle(x, f64::cos)),
        double!("dtan", |x| angle(x, f64::tan)),
        double!("dcot", |x| if x.is_infinite() {
            Err(input_out_of_range())
        } else {
            Ok(Datum::Float8(1.0 / x.tan()))
        }),
        double!("dasin", |x| inverse(x, f64::asin)),
        double!("dacos", |x| inverse(x, f64::acos)),
        double!("datan", |x| Ok(Datum::Float8(x.atan()))),
        raw!("datan2", |cx, args| Ok(Datum::Float8(args[0].float8()?.atan2(args[1].float8()?)))),
        double!("dsind", |x| angle(x, sin_degrees)),
        double!("dcosd", |x| angle(x, cos_degrees)),
        double!("dtand", |x| if x.is_infinite() {
            Err(input_out_of_range())
        } else {
            Ok(Datum::Float8(tan_degrees(x)))
        }),
        double!("dcotd", |x| if x.is_infinite() {
            Err(input_out_of_range())
        } else {
            Ok(Datum::Float8(cot_degrees(x)))
        }),
        double!("dasind", |x| inverse(x, asin_degrees)),
        double!("dacosd", |x| inverse(x, acos_degrees)),
        double!("datand", |x| Ok(Datum::Float8(atan_degrees(x)))),
        raw!("datan2d", |cx, args| {
            let ratio = args[0].float8()?.atan2(args[1].float8()?);
            Ok(Datum::Float8(ratio / 1f64.atan() * 45.0))
        }),
        double!("dsinh", |x| Ok(Datum::Float8(x.sinh()))),
        double!("dcosh", |x| Ok(Datum::Float8(x.cosh()))),
        double!("dtanh", |x| Ok(Datum::Float8(x.tanh()))),
        double!("dasinh", |x| Ok(Datum::Float8(x.asinh()))),
        double!("dacosh", |x| if x < 1.0 {
            Err(input_out_of_range())
        } else {
            Ok(Datum::Float8(x.acosh()))
        }),
        double!("datanh", |x| if !(-1.0..=1.0).contains(&x) && !x.is_nan() {
            Err(input_out_of_range())
        } else {
            Ok(Datum::Float8(x.atanh()))
        }),
        double!("degrees", |x| checked(x, x / (std::f64::consts::PI / 180.0))),
        double!("radians", |x| checked(x, x * (std::f64::consts::PI / 180.0))),
        raw!("dpi", |cx, args| Ok(Datum::Float8(std::f64::consts::PI))),
        double!("derf", |x| Ok(Datum::Float8(erf(x)))),
        double!("derfc", |x| Ok(Datum::Float8(erfc(x)))),
        double!("dgamma", |x| gamma(x)),
        double!("dlgamma", |x| if x == 0.0 || (x < 0.0 && x.floor() == x && x.is_finite()) {
            Err(overflow())
        } else if x.is_infinite() {
            Ok(Datum::Float8(f64::INFINITY))
        } else {
            Ok(Datum::Float8(ln_gamma(x)))
        }),
        raw!("width_bucket_float8", |cx, args| width_bucket(cx, args)),
    ],
];
