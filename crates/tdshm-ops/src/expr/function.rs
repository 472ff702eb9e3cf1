//! The functions that an expression may call, one row each.

use core::cmp::Ordering;
use core::fmt;

use crate::Value;
use crate::expr::number::{Fault, Number, finite, round_float, round_integer, whole};

/// A function: what it is called, how many values it takes, and what it does.
#[derive(Debug)]
pub(super) struct Function {
    /// `math`, `tdu`, or nothing.
    pub(super) module: &'static str,
    pub(super) name: &'static str,
    pub(super) takes: Takes,
    pub(super) run: Run,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Run {
    /// Numbers alone.
    Numbers(fn(&[Number]) -> Result<Value, Fault>),
    /// Values of any kind; `None` when one is of the wrong kind.
    Values(fn(&[Value]) -> Result<Option<Value>, Fault>),
    /// One text.
    Text(fn(&str) -> Value),
    /// The first of any number of values that is not less (`Greater`) or greater (`Less`) than all others.
    Extreme(Ordering),
}

/// How many values a function takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Exactly(usize),
    Between(usize, usize),
    AtLeast(usize),
}

impl Takes {
    pub(super) fn allows(self, given: usize) -> bool {
        match self {
            Self::Exactly(count) => given == count,
            Self::Between(least, most) => (least..=most).contains(&given),
            Self::AtLeast(least) => given >= least,
        }
    }
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(count) => write!(f, "{count}"),
            Self::Between(least, most) => write!(f, "{least} to {most}"),
            Self::AtLeast(least) => write!(f, "at least {least}"),
        }
    }
}

/// The most values that a function takes, other than `min` and `max`.
pub(super) const MOST_VALUES: usize = 5;

/// The function of that name.
pub(super) fn function(module: &str, name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.module == module && function.name == name)
}

/// `math.pi` and its kind.
pub(super) fn constant(module: &str, name: &str) -> Option<f64> {
    match (module, name) {
        ("math", "pi") => Some(core::f64::consts::PI),
        ("math", "e") => Some(core::f64::consts::E),
        ("math", "tau") => Some(core::f64::consts::TAU),
        ("math", "inf") => Some(f64::INFINITY),
        ("math", "nan") => Some(f64::NAN),
        _ => None,
    }
}

/// What there is in a module, for a message.
pub(super) fn known(module: &str) -> String {
    let functions =
        FUNCTIONS.iter().filter(|function| function.module == module).map(|function| function.name);
    let constants = if module == "math" { "pi, e, tau, inf, nan, " } else { "" };
    format!("{constants}{}", functions.collect::<Vec<_>>().join(", "))
}

const fn numbers(
    module: &'static str,
    name: &'static str,
    takes: usize,
    run: fn(&[Number]) -> Result<Value, Fault>,
) -> Function {
    Function { module, name, takes: Takes::Exactly(takes), run: Run::Numbers(run) }
}

const fn python(
    name: &'static str,
    least: usize,
    run: fn(&[Value]) -> Result<Option<Value>, Fault>,
) -> Function {
    Function { module: "", name, takes: Takes::Between(least, 1), run: Run::Values(run) }
}

static FUNCTIONS: [Function; 41] = [
    numbers("", "abs", 1, |values| match values.first() {
        Some(Number::Int(value)) => value.checked_abs().map(Value::Int).ok_or(Fault::TooLarge),
        _ => Ok(Value::Float(at(values, 0).abs())),
    }),
    python("bool", 0, |values| Ok(Some(Value::Bool(values.first().is_some_and(Value::is_true))))),
    python("float", 0, |values| {
        let Some(value) = values.first() else { return Ok(Some(Value::Float(0.0))) };
        number(value).map(|number| number.map(|number| Value::Float(number.float())))
    }),
    python("int", 0, |values| match values.first() {
        None => Ok(Some(Value::Int(0))),
        Some(Value::Str(text)) => match Number::parse(text) {
            Some(Number::Int(value)) => Ok(Some(Value::Int(value))),
            _ => Err(Fault::NotANumber),
        },
        Some(value) => match Number::of(value) {
            Some(Number::Float(value)) => whole(value.trunc()).map(Value::Int).map(Some),
            Some(Number::Int(value)) => Ok(Some(Value::Int(value))),
            None => Ok(None),
        },
    }),
    Function {
        module: "",
        name: "len",
        takes: Takes::Exactly(1),
        run: Run::Text(|text| Value::Int(i64::try_from(text.chars().count()).unwrap_or(i64::MAX))),
    },
    Function { module: "", name: "max", takes: Takes::AtLeast(2), run: Run::Extreme(Ordering::Greater) },
    Function { module: "", name: "min", takes: Takes::AtLeast(2), run: Run::Extreme(Ordering::Less) },
    Function {
        module: "",
        name: "round",
        takes: Takes::Between(1, 2),
        run: Run::Numbers(|values| match (values.first(), values.get(1)) {
            (Some(Number::Int(value)), None) => Ok(Value::Int(*value)),
            (Some(Number::Int(value)), Some(Number::Int(digits))) => {
                round_integer(*value, *digits).map(Value::Int)
            }
            (Some(Number::Float(value)), None) => whole(value.round_ties_even()).map(Value::Int),
            (Some(Number::Float(value)), Some(Number::Int(digits))) => {
                round_float(*value, *digits).map(Value::Float)
            }
            // Digits with a fraction make no sense, and Python refuses them as well.
            _ => Err(Fault::Domain),
        }),
    },
    python("str", 0, |values| {
        Ok(match values.first() {
            None => Some(Value::from("")),
            Some(Value::Op(_)) => None,
            Some(Value::Str(text)) => Some(Value::Str(text.clone())),
            Some(value) => Some(Value::from(value.to_string())),
        })
    }),
    numbers("math", "acos", 1, |values| inside(at(values, 0), -1.0, 1.0).map(|x| Value::Float(x.acos()))),
    numbers("math", "asin", 1, |values| inside(at(values, 0), -1.0, 1.0).map(|x| Value::Float(x.asin()))),
    numbers("math", "atan", 1, |values| Ok(Value::Float(at(values, 0).atan()))),
    numbers("math", "atan2", 2, |values| Ok(Value::Float(at(values, 0).atan2(at(values, 1))))),
    numbers("math", "ceil", 1, |values| to_whole(values, f64::ceil)),
    numbers("math", "copysign", 2, |values| Ok(Value::Float(at(values, 0).copysign(at(values, 1))))),
    numbers("math", "cos", 1, |values| periodic(at(values, 0), f64::cos)),
    numbers("math", "cosh", 1, |values| growing(at(values, 0), f64::cosh)),
    numbers("math", "degrees", 1, |values| Ok(Value::Float(at(values, 0) * (180.0 / core::f64::consts::PI)))),
    numbers("math", "exp", 1, |values| growing(at(values, 0), f64::exp)),
    numbers("math", "fabs", 1, |values| Ok(Value::Float(at(values, 0).abs()))),
    numbers("math", "floor", 1, |values| to_whole(values, f64::floor)),
    numbers("math", "fmod", 2, |values| {
        let (left, right) = (at(values, 0), at(values, 1));
        let is_defined = left.is_nan() || right.is_nan() || (left.is_finite() && right != 0.0);
        if is_defined { Ok(Value::Float(left % right)) } else { Err(Fault::Domain) }
    }),
    numbers("math", "hypot", 2, |values| {
        let (left, right) = (at(values, 0), at(values, 1));
        finite(left.hypot(right), left.is_finite() && right.is_finite()).map(Value::Float)
    }),
    numbers("math", "isfinite", 1, |values| Ok(at(values, 0).is_finite().into())),
    numbers("math", "isinf", 1, |values| Ok(at(values, 0).is_infinite().into())),
    numbers("math", "isnan", 1, |values| Ok(at(values, 0).is_nan().into())),
    Function {
        module: "math",
        name: "log",
        takes: Takes::Between(1, 2),
        run: Run::Numbers(|values| {
            let logarithm = positive(at(values, 0))?.ln();
            if values.len() < 2 {
                return Ok(Value::Float(logarithm));
            }
            match positive(at(values, 1))?.ln() {
                0.0 => Err(Fault::DivisionByZero),
                base => Ok(Value::Float(logarithm / base)),
            }
        }),
    },
    numbers("math", "log10", 1, |values| positive(at(values, 0)).map(|x| Value::Float(x.log10()))),
    numbers("math", "log2", 1, |values| positive(at(values, 0)).map(|x| Value::Float(x.log2()))),
    numbers("math", "pow", 2, |values| {
        let (base, exponent) = (at(values, 0), at(values, 1));
        let both_finite = base.is_finite() && exponent.is_finite();
        if both_finite && ((base == 0.0 && exponent < 0.0) || (base < 0.0 && exponent.fract() != 0.0)) {
            return Err(Fault::Domain);
        }
        finite(base.powf(exponent), both_finite).map(Value::Float)
    }),
    numbers("math", "radians", 1, |values| Ok(Value::Float(at(values, 0) * (core::f64::consts::PI / 180.0)))),
    numbers("math", "sin", 1, |values| periodic(at(values, 0), f64::sin)),
    numbers("math", "sinh", 1, |values| growing(at(values, 0), f64::sinh)),
    numbers("math", "sqrt", 1, |values| {
        inside(at(values, 0), 0.0, f64::INFINITY).map(|x| Value::Float(x.sqrt()))
    }),
    numbers("math", "tan", 1, |values| periodic(at(values, 0), f64::tan)),
    numbers("math", "tanh", 1, |values| Ok(Value::Float(at(values, 0).tanh()))),
    numbers("math", "trunc", 1, |values| to_whole(values, f64::trunc)),
    Function {
        module: "tdu",
        name: "base",
        takes: Takes::Exactly(1),
        run: Run::Text(|text| {
            let digits = text.find(|character: char| character.is_ascii_digit());
            Value::from(text.get(..digits.unwrap_or(text.len())).unwrap_or_default())
        }),
    },
    numbers("tdu", "clamp", 3, |values| {
        let [value, least, most] = *values else { return Err(Fault::Domain) };
        let value = if value.compare(least) == Some(Ordering::Less) { least } else { value };
        Ok(if value.compare(most) == Some(Ordering::Greater) { most } else { value }.into())
    }),
    Function {
        module: "tdu",
        name: "digits",
        takes: Takes::Exactly(1),
        run: Run::Text(|text| last_number(text).map_or(Value::None, Value::Int)),
    },
    numbers("tdu", "remap", 5, |values| {
        let [value, from_least, from_most, to_least, to_most] =
            [0, 1, 2, 3, 4].map(|index| at(values, index));
        let range = from_most - from_least;
        if range == 0.0 {
            return Err(Fault::DivisionByZero);
        }
        Ok(Value::Float(to_least + (value - from_least) / range * (to_most - to_least)))
    }),
];

/// One of the values, as a float.
fn at(values: &[Number], index: usize) -> f64 {
    values.get(index).map_or(f64::NAN, |value| value.float())
}

/// As `float()` takes it.
fn number(value: &Value) -> Result<Option<Number>, Fault> {
    match value {
        Value::Str(text) => Number::parse(text).map(Some).ok_or(Fault::NotANumber),
        value => Ok(Number::of(value)),
    }
}

/// The last number in a name.
fn last_number(text: &str) -> Option<i64> {
    let end = text.rfind(|character: char| character.is_ascii_digit())?.saturating_add(1);
    let front = text.get(..end)?;
    let start = front.trim_end_matches(|character: char| character.is_ascii_digit()).len();
    front.get(start..)?.parse().ok()
}

fn inside(value: f64, least: f64, most: f64) -> Result<f64, Fault> {
    if value < least || value > most { Err(Fault::Domain) } else { Ok(value) }
}

fn positive(value: f64) -> Result<f64, Fault> {
    if value <= 0.0 { Err(Fault::Domain) } else { Ok(value) }
}

fn periodic(value: f64, function: fn(f64) -> f64) -> Result<Value, Fault> {
    if value.is_infinite() { Err(Fault::Domain) } else { Ok(Value::Float(function(value))) }
}

fn growing(value: f64, function: fn(f64) -> f64) -> Result<Value, Fault> {
    finite(function(value), value.is_finite()).map(Value::Float)
}

fn to_whole(values: &[Number], function: fn(f64) -> f64) -> Result<Value, Fault> {
    match values.first() {
        Some(Number::Int(value)) => Ok(Value::Int(*value)),
        _ => whole(function(at(values, 0))).map(Value::Int),
    }
}
