//! Arithmetic as Python does it: whole numbers and others kept apart, `//` and `%` rounding down.

use core::cmp::Ordering;
use core::fmt::{self, Write};

use crate::Value;
use crate::expr::tree::Arithmetic;

/// Why there is no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    DivisionByZero,
    /// Beyond 64 bits, or beyond what a float holds.
    TooLarge,
    /// Python would go on with complex numbers.
    Complex,
    /// Outside what the function is defined for.
    Domain,
    NotFinite,
    NotANumber,
    TooLong,
    OutOfRange,
}

impl Fault {
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::DivisionByZero => "it divides by zero, so test for that with if and else",
            Self::TooLarge => {
                "the result does not fit 64 bits, so use smaller numbers, or write them with a point"
            }
            Self::Complex => "a power of a negative number with a fraction is no real number, so use abs()",
            Self::Domain => {
                "the function is not defined there, so limit what it is given with max() or min()"
            }
            Self::NotFinite => {
                "what is not finite has no whole number, so test for that with math.isfinite()"
            }
            Self::NotANumber => "this text is no number, so write one such as '1.5'",
            Self::TooLong => "the text would be longer than 65536 bytes, so make a shorter one",
            Self::OutOfRange => "the text has no such character, so compare with len() first",
        }
    }
}

/// A number as Python sees it: a bool is a whole number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Int(i64),
    Float(f64),
}

impl Number {
    pub(super) fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(Self::Int(i64::from(*value))),
            Value::Int(value) => Some(Self::Int(*value)),
            Value::Float(value) => Some(Self::Float(*value)),
            Value::None | Value::Str(_) | Value::Op(_) => None,
        }
    }

    /// A text as `int()` and `float()` read it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let plain = text.trim();
        match plain.parse() {
            Ok(value) => Some(Self::Int(value)),
            Err(_) => plain.parse().ok().map(Self::Float),
        }
    }

    pub(super) fn float(self) -> f64 {
        match self {
            #[expect(clippy::cast_precision_loss, reason = "Python's float() rounds as well")]
            Self::Int(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// Exactly, as Python compares whole numbers with others.
    pub(super) fn compare(self, other: Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(&right)),
            (Self::Float(left), Self::Float(right)) => left.partial_cmp(&right),
            (Self::Int(left), Self::Float(right)) => compare(left, right),
            (Self::Float(left), Self::Int(right)) => compare(right, left).map(Ordering::reverse),
        }
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Self {
        match number {
            Number::Int(value) => Self::Int(value),
            Number::Float(value) => Self::Float(value),
        }
    }
}

fn compare(whole: i64, float: f64) -> Option<Ordering> {
    /// 2^63, which no `i64` reaches.
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if float.is_nan() {
        return None;
    }
    if float >= BEYOND {
        return Some(Ordering::Less);
    }
    if float < -BEYOND {
        return Some(Ordering::Greater);
    }
    #[expect(clippy::cast_possible_truncation, reason = "it lies within 64 bits, as was just found")]
    let cut = float.trunc() as i64;
    let fraction = float - float.trunc();
    Some(whole.cmp(&cut).then(if fraction > 0.0 {
        Ordering::Less
    } else if fraction < 0.0 {
        Ordering::Greater
    } else {
        Ordering::Equal
    }))
}

/// A float without a fraction, as a whole number.
pub(super) fn whole(value: f64) -> Result<i64, Fault> {
    if !value.is_finite() {
        return Err(Fault::NotFinite);
    }
    let limit = -(i64::MIN as f64);
    if value >= limit || value < -limit {
        return Err(Fault::TooLarge);
    }
    #[expect(clippy::cast_possible_truncation, reason = "it lies within 64 bits, as was just found")]
    let value = value as i64;
    Ok(value)
}

pub(super) fn arithmetic(operator: Arithmetic, left: Number, right: Number) -> Result<Number, Fault> {
    match (left, right) {
        (Number::Int(left), Number::Int(right)) => integers(operator, left, right),
        (left, right) => floats(operator, left.float(), right.float()).map(Number::Float),
    }
}

fn integers(operator: Arithmetic, left: i64, right: i64) -> Result<Number, Fault> {
    let result = match operator {
        Arithmetic::Add => left.checked_add(right),
        Arithmetic::Subtract => left.checked_sub(right),
        Arithmetic::Multiply => left.checked_mul(right),
        Arithmetic::Divide => return divide(left, right).map(Number::Float),
        Arithmetic::FloorDivide | Arithmetic::Modulo if right == 0 => return Err(Fault::DivisionByZero),
        Arithmetic::FloorDivide => left.checked_div(right).and_then(|quotient| {
            let rest = remainder(left, right);
            if rest != 0 && (rest < 0) != (right < 0) { quotient.checked_sub(1) } else { Some(quotient) }
        }),
        Arithmetic::Modulo => {
            let rest = remainder(left, right);
            if rest != 0 && (rest < 0) != (right < 0) { rest.checked_add(right) } else { Some(rest) }
        }
        Arithmetic::Power if right < 0 => {
            return floats(operator, Number::Int(left).float(), Number::Int(right).float())
                .map(Number::Float);
        }
        Arithmetic::Power => power(left, right),
    };
    result.map(Number::Int).ok_or(Fault::TooLarge)
}

/// The rest, with the sign of `left`. That of `i64::MIN` and -1 is 0, although their quotient does not fit.
fn remainder(left: i64, right: i64) -> i64 {
    left.checked_rem(right).unwrap_or_default()
}

fn power(base: i64, exponent: i64) -> Option<i64> {
    match (base, u32::try_from(exponent)) {
        (0 | 1, _) if exponent > 0 => Some(base),
        (-1, _) => Some(if exponent.wrapping_rem(2) == 0 { 1 } else { -1 }),
        (_, Ok(exponent)) => base.checked_pow(exponent),
        (_, Err(_)) => None,
    }
}

/// The float nearest to the true quotient, also where the numbers themselves are no floats.
fn divide(left: i64, right: i64) -> Result<f64, Fault> {
    /// Up to here every whole number is a float.
    const EXACT: u64 = 1 << 53;
    let (above, below) = (left.unsigned_abs(), right.unsigned_abs());
    if below == 0 {
        return Err(Fault::DivisionByZero);
    }
    if above <= EXACT && below <= EXACT {
        return Ok(Number::Int(left).float() / Number::Int(right).float());
    }
    // As many digits as fit, so that one rounding remains; the last digit says whether more would follow.
    let above = u128::from(above);
    let shift = above.leading_zeros();
    let shifted = above.checked_shl(shift).unwrap_or_default();
    let below = u128::from(below);
    let quotient = shifted.checked_div(below).unwrap_or_default();
    let rest = shifted.checked_rem(below).unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "this is the one rounding")]
    let rounded = (quotient | u128::from(rest != 0)) as f64;
    let result = rounded * 0.5_f64.powi(i32::try_from(shift).unwrap_or_default());
    Ok(if (left < 0) == (right < 0) { result } else { -result })
}

fn floats(operator: Arithmetic, left: f64, right: f64) -> Result<f64, Fault> {
    match operator {
        Arithmetic::Add => Ok(left + right),
        Arithmetic::Subtract => Ok(left - right),
        Arithmetic::Multiply => Ok(left * right),
        Arithmetic::Divide | Arithmetic::FloorDivide | Arithmetic::Modulo if right == 0.0 => {
            Err(Fault::DivisionByZero)
        }
        Arithmetic::Divide => Ok(left / right),
        Arithmetic::FloorDivide => Ok(floor_and_rest(left, right).0),
        Arithmetic::Modulo => Ok(floor_and_rest(left, right).1),
        Arithmetic::Power => {
            if left == 0.0 && right < 0.0 {
                return Err(Fault::DivisionByZero);
            }
            if left < 0.0 && left.is_finite() && right.is_finite() && right.fract() != 0.0 {
                return Err(Fault::Complex);
            }
            finite(left.powf(right), left.is_finite() && right.is_finite())
        }
    }
}

/// A result that is infinite although what it was made of is not does not fit.
pub(super) fn finite(result: f64, from_finite: bool) -> Result<f64, Fault> {
    if from_finite && result.is_infinite() { Err(Fault::TooLarge) } else { Ok(result) }
}

/// `(left // right, left % right)`: the rest has the sign of `right`, and both together are exact as far as floats are.
fn floor_and_rest(left: f64, right: f64) -> (f64, f64) {
    let mut rest = left % right;
    let mut quotient = (left - rest) / right;
    if rest == 0.0 {
        rest = 0.0_f64.copysign(right);
    } else if (right < 0.0) != (rest < 0.0) {
        rest += right;
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return (0.0_f64.copysign(left / right), rest);
    }
    let floor = quotient.floor();
    (if quotient - floor > 0.5 { floor + 1.0 } else { floor }, rest)
}

/// Python's `round(value, digits)` of a whole number: a half goes to the even neighbour.
pub(super) fn round_integer(value: i64, digits: i64) -> Result<i64, Fault> {
    let places = match u32::try_from(digits.saturating_neg()) {
        Ok(places) if places > 0 => places,
        Ok(_) => return Ok(value),
        Err(_) => return Ok(if digits > 0 { value } else { 0 }),
    };
    let Some(unit) = 10_i128.checked_pow(places.min(30)) else { return Ok(0) };
    let value = i128::from(value);
    let below = value.div_euclid(unit);
    let rest = value.rem_euclid(unit);
    let twice = rest.saturating_mul(2);
    let up = twice > unit || (twice == unit && below.rem_euclid(2) == 1);
    let rounded = below.saturating_add(i128::from(up)).saturating_mul(unit);
    i64::try_from(rounded).map_err(|_| Fault::TooLarge)
}

/// Python's `round(value, digits)` of a float, decided on its exact decimal digits: a half goes to the even neighbour.
pub(super) fn round_float(value: f64, digits: i64) -> Result<f64, Fault> {
    // A float has at most 1074 digits behind the point, of which those beyond 323 never matter, and 309 in front.
    if !value.is_finite() || digits > 323 {
        return Ok(value);
    }
    if digits < -308 {
        return Ok(0.0_f64.copysign(value));
    }
    let mut decimals = Decimals::default();
    if let Ok(places) = usize::try_from(digits) {
        return match write!(decimals, "{value:.places$}") {
            Ok(()) => finite(decimals.value().unwrap_or(value), true),
            Err(_) => Ok(value),
        };
    }
    let places = usize::try_from(digits.unsigned_abs()).unwrap_or_default();
    if write!(decimals, "{:.0}", value.trunc().abs()).is_err() {
        return Ok(value);
    }
    let rounded = decimals.round(places, value.fract() != 0.0).unwrap_or_default();
    finite(rounded.copysign(value), true)
}

/// The digits of a float, on the stack.
struct Decimals {
    bytes: [u8; 700],
    length: usize,
}

impl Default for Decimals {
    fn default() -> Self {
        Self { bytes: [0; 700], length: 0 }
    }
}

impl Decimals {
    fn value(&self) -> Option<f64> {
        core::str::from_utf8(self.bytes.get(..self.length)?).ok()?.parse().ok()
    }

    /// Zeros instead of the last `places` digits; `more` says whether something follows behind them.
    fn round(&mut self, places: usize, more: bool) -> Option<f64> {
        // One zero in front takes what is carried, and the others what is short of digits.
        let mut all = Self::default();
        let short = places.saturating_sub(self.length);
        all.length = short.checked_add(1)?.checked_add(self.length)?;
        let digits = all.bytes.get_mut(..all.length)?;
        digits.fill(b'0');
        digits.get_mut(short.checked_add(1)?..)?.copy_from_slice(self.bytes.get(..self.length)?);
        let (kept, dropped) = digits.split_at_mut(digits.len().checked_sub(places)?);
        let half = match dropped.split_first()? {
            (b'5', rest) if !more && rest.iter().all(|digit| *digit == b'0') => Ordering::Equal,
            (first, _) => {
                if *first >= b'5' {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
        };
        let is_odd = kept.last().is_some_and(|digit| digit.wrapping_rem(2) == 1);
        let up = half == Ordering::Greater || (half == Ordering::Equal && is_odd);
        dropped.fill(b'0');
        for digit in kept.iter_mut().rev().take_while(|_| up) {
            if *digit == b'9' {
                *digit = b'0';
            } else {
                *digit = digit.saturating_add(1);
                break;
            }
        }
        all.value()
    }
}

impl Write for Decimals {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length.checked_add(text.len()).ok_or(fmt::Error)?;
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

/// A number in a message: as short as it can be, with an exponent where it would have more digits than anybody reads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown(pub(crate) f64);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_finite() || self.0 == 0.0 || (1e-4..1e16).contains(&self.0.abs()) {
            write!(f, "{}", self.0)
        } else {
            write_float(self.0, f)
        }
    }
}

/// A float as Python's `str` shows it: the shortest text that gives the same number again.
pub(crate) fn write_float(value: f64, to: &mut impl Write) -> fmt::Result {
    if value.is_nan() {
        return to.write_str("nan");
    }
    if value.is_infinite() || value == 0.0 || (1e-4..1e16).contains(&value.abs()) {
        return if value.is_infinite() { write!(to, "{value}") } else { write_plain(value, to) };
    }
    // The exponent has a sign and two digits at least.
    let mut decimals = Decimals::default();
    write!(decimals, "{value:e}")?;
    let text =
        core::str::from_utf8(decimals.bytes.get(..decimals.length).unwrap_or_default()).unwrap_or_default();
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    write!(to, "{digits}e{sign}{exponent:0>2}")
}

/// All digits, and `.0` where there is no fraction.
fn write_plain(value: f64, to: &mut impl Write) -> fmt::Result {
    if value.fract() == 0.0 { write!(to, "{value:.1}") } else { write!(to, "{value}") }
}
