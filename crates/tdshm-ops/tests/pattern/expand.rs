//! Names made from nothing: the worked examples of operators §5.7, and its limits.

use std::fmt::Write;

use proptest::prelude::*;
use tdshm_ops::pattern::Expansion;
use tdshm_ops::{Pattern, PatternError};

fn made(text: &str) -> String {
    Expansion::parse(text).unwrap().names().join(" ")
}

#[test]
fn the_worked_examples() {
    for (text, names) in [
        ("chan[1-3]", "chan1 chan2 chan3"),
        ("chan[1-11:2]", "chan1 chan3 chan5 chan7 chan9 chan11"),
        ("r[xyz]", "rx ry rz"),
        ("[tr][xyz]", "tx ty tz rx ry rz"),
        ("ch[1-2]n[2-6:2]", "ch1n2 ch1n4 ch1n6 ch2n2 ch2n4 ch2n6"),
        ("geo[1-2]:t[xy]", "geo1:tx geo1:ty geo2:tx geo2:ty"),
        ("gain band[4-6] off[lr]", "gain band4 band5 band6 offl offr"),
        ("c[1-10:2] ambient", "c1 c3 c5 c7 c9 ambient"),
        ("chan[3,1,2]", "chan3 chan1 chan2"),
    ] {
        assert_eq!(made(text), names, "{text}");
        assert!(Expansion::parse(text).unwrap().warnings().is_empty(), "{text}");
    }
}

#[test]
fn and_what_they_leave_open() {
    for (text, names) in [
        ("", ""),
        ("a,b", "a b"),
        ("a a", "a a"),
        ("c[3-1]", "c3 c2 c1"),
        ("c[1-3:0]", "c1 c2 c3"),
        ("c[01-03]", "c1 c2 c3"),
        ("[ä日]", "ä 日"),
        ("x[] y", "y"),
        ("x[][0-18446744073709551615]", ""),
        ("\"\" a", "a"),
        ("a|b (c) ~d&e ^f", "a|b (c) ~d&e ^f"),
        ("\"a b\"[1,2]", "a b1 a b2"),
        ("a*?", "a*?"),
    ] {
        assert_eq!(made(text), names, "{text}");
    }
    let said = Expansion::parse("a* t[x-z] {b}").unwrap();
    let said: Vec<String> = said.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 3, "{said:?}");
    assert_eq!(
        said[2],
        "* and ? in a* are ordinary characters, as names are made here and not matched: list the names, or use \
         brackets such as [1-3]"
    );
}

#[test]
fn explosions_are_refused_before_they_happen() {
    assert_eq!(Expansion::parse("c[1-65536]").unwrap().names().len(), 65_536);
    for (text, names) in [
        ("c[0-65536]".to_owned(), 65_537),
        ("a c[1-65536]".to_owned(), 65_537),
        ("[0-18446744073709551615]".to_owned(), u64::MAX),
        ("[1-99]".repeat(5000), u64::MAX),
    ] {
        let error = Expansion::parse(&text).unwrap_err();
        assert_eq!(error, PatternError::TooManyNames { names, limit: 65_536 }, "{text:.20}");
    }
    let error = Expansion::parse(&format!("{}[1-1000]", "x".repeat(30_000))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the names would be 30004000 bytes together, and the limit is 16777216: use fewer or shorter ones"
    );
    assert_eq!(
        Expansion::parse("c[0-65536]").unwrap_err().to_string(),
        "the text makes 65537 names, and the limit is 65536: use smaller ranges, or fewer brackets"
    );
    // As much as a text can ask for: many choices of one, in one name.
    let single = "[1]".repeat(21_000);
    assert_eq!(made(&single).len(), 21_000);
    let list = "1,".repeat(32_000);
    assert_eq!(Expansion::parse(&format!("[{list}2]")).unwrap().names().len(), 32_001);
}

/// Numbers of each bracket, as text.
fn brackets() -> impl Strategy<Value = Vec<Vec<u16>>> {
    prop::collection::vec(prop::collection::vec(0_u16..100, 1..4), 1..4)
}

proptest! {
    /// Lists multiply out as nested loops do, and a term matches whatever it makes.
    #[test]
    fn what_is_made_matches(lists in brackets()) {
        let mut text = String::new();
        let mut expected = vec![String::new()];
        for list in &lists {
            let numbers: Vec<String> = list.iter().map(ToString::to_string).collect();
            write!(text, "x[{}]", numbers.join(",")).unwrap();
            expected = expected.iter().flat_map(|name| numbers.iter().map(move |n| format!("{name}x{n}"))).collect();
        }
        prop_assert_eq!(Expansion::parse(&text).unwrap().into_names(), expected.clone());
        let pattern = Pattern::parse(&text).unwrap();
        prop_assert!(expected.iter().all(|name| pattern.matches(name)));
    }

    #[test]
    fn no_text_panics(text in "[\\[\\]^\"()|,:*? a\u{e4}0-9-]{0,60}") {
        if let Ok(made) = Expansion::parse(&text) {
            prop_assert!(made.names().len() <= 65_536 && made.warnings().len() <= 16);
        }
    }
}
