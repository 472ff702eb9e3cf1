//! The same expressions, given to the real Python: what both can say must be the same, to the last bit.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::hostile::PIECES;
use super::network::eval;
use crate::Value;
use crate::expr::Expr;

/// One line in, one line out.
const PROGRAM: &str = "
import math, struct, sys
def show(value):
    kind = type(value).__name__
    if kind == 'float':
        return 'float ' + ('nan' if value != value else struct.pack('>d', value).hex())
    if kind == 'complex':
        return 'error'
    return kind + ' ' + str(value)
for line in sys.stdin:
    mode, text = line.rstrip('\\n').split(' ', 1)
    try:
        if mode == 'parse':
            compile(text.strip(), 'x', 'eval')
            print('ok')
        else:
            print(show(eval(text)))
    except Exception:
        print('error')
";

/// What Python says to each line, or nothing where there is no Python.
fn python(lines: &str) -> Option<Vec<String>> {
    let mut child = Command::new("python3")
        .args(["-I", "-W", "ignore", "-c", PROGRAM])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .ok()?;
    let mut input = child.stdin.take().unwrap();
    let lines = lines.to_owned();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{output:?}");
    Some(String::from_utf8(output.stdout).unwrap().lines().map(Into::into).collect())
}

fn show(value: &Value) -> String {
    match value {
        Value::None => "NoneType None".into(),
        Value::Bool(_) => format!("bool {value}"),
        Value::Int(_) => format!("int {value}"),
        Value::Float(value) if value.is_nan() => "float nan".into(),
        Value::Float(value) => format!("float {:016x}", value.to_bits()),
        Value::Str(text) => format!("str {text}"),
        Value::Op(_) => "operator".into(),
    }
}

fn number() -> impl Strategy<Value = String> {
    const LITERALS: [&str; 28] = [
        "0",
        "1",
        "2",
        "3",
        "7",
        "10",
        "-1",
        "-3",
        "0.0",
        "-0.0",
        "0.5",
        "1.5",
        "2.5",
        "-2.5",
        "0.1",
        "2.675",
        "1e16",
        "1e-5",
        "1e300",
        "123456.789",
        "True",
        "False",
        "9007199254740993",
        "4611686018427387904",
        "0x7F",
        "1_000",
        "math.pi",
        "math.inf",
    ];
    let leaf = proptest::sample::select(&LITERALS[..]).prop_map(String::from);
    leaf.prop_recursive(5, 24, 3, |inner| {
        let operators = proptest::sample::select(
            &["+", "-", "*", "/", "//", "%", "<", "<=", "==", "!=", ">", ">=", " and ", " or "][..],
        );
        let functions = proptest::sample::select(
            &[
                "abs", "int", "float", "bool", "round", "math.floor", "math.ceil", "math.trunc", "math.sqrt", "math.sin",
                "math.atan", "math.fabs", "math.radians", "math.isnan", "len(str(-7.5e20))*", "-", "+", "not ",
            ][..],
        );
        let digits = -4..5_i32;
        proptest::prop_oneof![
            4 => (inner.clone(), operators.clone(), inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            2 => (inner.clone(), operators, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            2 => (functions, inner.clone()).prop_map(|(name, a)| format!("{name}({a})")),
            1 => (inner.clone(), digits.clone()).prop_map(|(a, digits)| format!("round({a}, {digits})")),
            1 => (inner.clone(), digits).prop_map(|(a, power)| format!("({a}) ** {power}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("math.fmod({a}, {b})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("{a} if {b} else {c}")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("max({a}, {b}, {c})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("{a} < {b} <= {c}")),
            1 => (inner.clone(), inner).prop_map(|(a, b)| format!("str({a}) + 'é' + str({b})")),
        ]
    })
}

fn runner() -> TestRunner {
    TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn values_are_the_same() {
    let mut runner = runner();
    let strategy = number();
    let texts: Vec<String> = (0..6000).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    let mut lines = String::new();
    for text in &texts {
        writeln!(lines, "eval {text}").unwrap();
    }
    let Some(answers) = python(&lines) else {
        eprintln!("not run: there is no python3 here");
        return;
    };
    assert_eq!(answers.len(), texts.len());
    let (mut beyond, mut errors) = (0, 0);
    for (text, answer) in texts.iter().zip(answers) {
        let ours = eval(text);
        let error = ours.as_ref().err().map(ToString::to_string).unwrap_or_default();
        if error.contains("64 bits") || error.contains("no real number") {
            beyond += 1;
            continue;
        }
        errors += usize::from(ours.is_err());
        assert_eq!(ours.map_or_else(|_| "error".into(), |value| show(&value)), answer, "{text}: {error}");
    }
    assert!(beyond < texts.len() / 5 && errors < texts.len() / 3, "{beyond} beyond 64 bits, {errors} errors");
}

#[test]
fn what_is_read_here_is_python() {
    let mut runner = runner();
    let strategy = proptest::collection::vec(proptest::sample::select(&PIECES[..]), 1..9);
    let texts = (0..60_000).map(|_| strategy.new_tree(&mut runner).unwrap().current().concat());
    let read: Vec<String> = texts.filter(|text| Expr::parse(text).is_ok()).collect();
    assert!(read.len() > 500, "{}", read.len());
    let mut lines = String::new();
    for text in &read {
        writeln!(lines, "parse {text}").unwrap();
    }
    let Some(answers) = python(&lines) else {
        eprintln!("not run: there is no python3 here");
        return;
    };
    for (text, answer) in read.iter().zip(answers) {
        assert_eq!(answer, "ok", "{text}");
    }
}
