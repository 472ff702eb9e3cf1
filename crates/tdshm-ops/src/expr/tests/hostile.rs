//! Texts that nobody writes in good faith.

use proptest::prelude::*;

use super::network::{Network, eval, message};
use crate::ExprError;
use crate::expr::{DEEPEST, Expr, LONGEST_TEXT};

#[test]
fn nothing_lies_too_deep() {
    let wrap = |front: &str, inner: &str, back: &str, times: usize| {
        format!("{}{inner}{}", front.repeat(times), back.repeat(times))
    };
    let shapes = [
        ("(", "1", ")"),
        ("-", "1", ""),
        ("not ", "1", ""),
        ("", "1", "+1"),
        ("1+", "1", ""),
        ("2**", "1", ""),
        ("", "1", "**1"),
        ("1 if 1 else ", "1", ""),
        ("", "1", " if 1 else 1"),
        ("", "me", ".x"),
        ("", "me", "[0]"),
        ("abs(", "1", ")"),
        ("op('", "x", "')"),
        ("me[", "0", "]"),
        ("", "1", " or 1"),
        ("max(0,", "1", ")"),
    ];
    // On the stack that the first thread of a program has on Windows, where what is allowed must fit.
    let check = move || {
        for (front, inner, back) in shapes {
            for times in [10, DEEPEST - 2, DEEPEST, DEEPEST + 1, 300] {
                match Expr::parse(&wrap(front, inner, back, times)) {
                    Ok(expr) => {
                        let _ = expr.clone().eval(&mut Network);
                    }
                    Err(ExprError::TooDeep { limit, .. }) => assert!(times + 2 >= limit, "{front} {times}"),
                    Err(other) => assert!(front == "op('", "{front}{inner}{back}: {other}"),
                }
            }
        }
    };
    std::thread::Builder::new().stack_size(1024 * 1024).spawn(check).unwrap().join().unwrap();
    assert_eq!(
        message(&wrap("(", "1", ")", 500)),
        "character 41: the parts of the expression lie more than 40 deep in one another: put some of them into other \
         parameters",
    );
}

#[test]
fn nothing_is_too_long() {
    let long = format!("'{}'", "x".repeat(LONGEST_TEXT));
    assert_eq!(
        message(&long),
        "the expression is 4098 bytes long, and the limit is 4096: put parts of it into other parameters",
    );
    assert!(eval(&long[..LONGEST_TEXT - 1]).unwrap_err().to_string().contains("a closing quote"));
    // Flat, and as long as it may be.
    let sum = format!("max({}0)", "1, ".repeat(1300));
    assert_eq!(eval(&sum).unwrap(), 1.into());
    let texts = "'xxxxxxxxxx' * 6554";
    assert!(message(texts).ends_with("longer than 65536 bytes, so make a shorter one"));
    assert!(message("'x' * 65536 + 'x'").ends_with("longer than 65536 bytes, so make a shorter one"));
    assert!(eval("'x' * 9223372036854775807").is_err());
}

pub(super) const PIECES: [&str; 58] = [
    "op('lfo1')",
    "op('no')",
    "me",
    "parent()",
    "root",
    "absTime",
    "['tx']",
    "[0]",
    "[1, 'value']",
    "op('table1')",
    ".par",
    ".Speed",
    ".eval()",
    ".time",
    ".frame",
    ".name",
    ".digits",
    ".chan(0)",
    "math.floor(",
    "max(",
    "min(",
    "round(",
    "str(",
    "int(",
    "float(",
    "len(",
    "abs(",
    "bool(",
    "tdu.remap(",
    ")",
    "(",
    "[",
    "]",
    ",",
    " if ",
    " else ",
    " and ",
    " or ",
    "not ",
    " is ",
    " in ",
    "+",
    "-",
    "*",
    "/",
    "//",
    "%",
    "**",
    "<",
    "==",
    ">=",
    "'a'",
    "\"\"",
    "1",
    "0",
    "2.5",
    "-9223372036854775807",
    "1e308",
];

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,80}") {
        check(&text)?;
    }

    #[test]
    fn any_row_of_tokens_is_read_or_refused(pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..24)) {
        check(&pieces.concat())?;
    }

    #[test]
    fn a_reading_does_not_depend_on_blanks(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..12),
    ) {
        let (plain, spaced) = (eval(&pieces.join(" ")), eval(&pieces.join(" \t ")));
        prop_assert_eq!(plain.is_ok(), spaced.is_ok());
        if let (Ok(plain), Ok(spaced)) = (plain, spaced) {
            prop_assert_eq!(format!("{plain:?}"), format!("{spaced:?}"));
        }
    }
}

fn check(text: &str) -> Result<(), TestCaseError> {
    let characters = text.chars().count();
    let expr = match Expr::parse(text) {
        Ok(expr) => expr,
        Err(error) => {
            prop_assert!(error.at() >= 1 && error.at() <= characters.saturating_add(1), "{error}");
            prop_assert!(!error.to_string().is_empty());
            return Ok(());
        }
    };
    prop_assert_eq!(expr.text(), text);
    prop_assert_eq!(&Expr::parse(&expr.to_string()).unwrap(), &expr);
    if let Err(error) = expr.eval(&mut Network) {
        prop_assert!(error.at() >= 1 && error.at() <= characters, "{error}");
    }
    Ok(())
}
