//! New names: the worked examples of operators §5.8, and what they leave open.

use proptest::prelude::*;
use tdshm_ops::PatternError;
use tdshm_ops::pattern::{Rename, Renamed};

fn renamed(names: &str, from: &str, to: &str) -> Renamed {
    let names: Vec<&str> = names.split_whitespace().collect();
    Rename::parse(from, to).unwrap().apply(&names).unwrap()
}

#[test]
fn the_worked_examples() {
    for (names, from, to, expected) in [
        (
            "left_side_monitor right_side_projector",
            "*_side_*",
            "*(1)_floor_*(0)",
            "monitor_floor_left projector_floor_right",
        ),
        ("c1 c3 c5 c7 c9 ambient", "c* ambient", "b[1-5] amb", "b1 b2 b3 b4 b5 amb"),
        ("ch1 ch2", "ch?", "t?", "t1 t2"),
        ("chan1 chan2", "*", "op:*", "op:chan1 op:chan2"),
        ("ch1", "*h*", "*han*", "chan1"),
        ("bob1 bob2", "bob*", "carol*", "carol1 carol2"),
        ("ch1 ch2 ch3", "*[1-3:2]", "foot[11-13:2]", "foot11 ch2 foot13"),
        ("a b c", "*", "x y z", "x y z"),
        ("a c", "a b c", "x y z", "x z"),
        ("a b c", "a b c", "x[1-2]", "x1 x2 c"),
        ("a b", "*", "", "a b"),
        ("a b c", "*", "foo", "foo b c"),
    ] {
        let renamed = renamed(names, from, to);
        assert_eq!(renamed.names.join(" "), expected, "{from} to {to}");
        assert!(renamed.warnings.is_empty(), "{from} to {to}: {:?}", renamed.warnings);
    }
}

#[test]
fn and_what_they_leave_open() {
    for (names, from, to, expected) in [
        // The order of the channels never changes, the order of the terms pairs them.
        ("b a", "a b", "x y", "y x"),
        ("b a", "a b", "x[1-2]", "x2 x1"),
        // A name that is not there keeps its place in a list as well.
        ("a c", "a b c", "x[1-3]", "x1 x3"),
        // The first term that matches has it.
        ("a1 a2", "a1 a*", "first rest*", "first rest2"),
        // Only what the whole pattern picks.
        ("a1 a2 a3", "a* ^a2", "b*", "b1 a2 b3"),
        ("a1 a2 b1", "a? | b?", "c[1-3]", "c1 c2 c3"),
        ("b1 a2 a1", "a? | b?", "c[1-3]", "c1 c2 c3"),
        ("a1 b1", "a* b*", "x:*", "x:1 x:1"),
        ("a1 b1", "^a1", "x", "a1 x"),
        ("a1 b1 c", "^(a*)", "x y", "a1 x y"),
        ("a1 b1", "^a1 & b*", "x*", "a1 x1"),
        ("a1 a2", "a* ~ a?1", "x*", "x1 x2"),
        // As little as it can, the first wildcard first.
        ("a_b_c", "*_*", "*(1)", "b_c"),
        ("a12", "*[0-99]*", "*(0)-*(1)", "a-2"),
        ("aä日b", "a?*b", "?(0)*(0)*", "ä日日"),
        ("ab", "**b", "*(0)|*(1)", "|a"),
        ("ab", "\"a\"?", "\"x ?\"", "x b"),
        ("ab", "a?", "x(?)", "x(b)"),
        ("a1 a2", "a?", "[xy]?", "x1 y2"),
        ("a", "b", "c", "a"),
        ("a", "", "c", "a"),
    ] {
        assert_eq!(renamed(names, from, to).names.join(" "), expected, "{names}: {from} to {to}");
    }
}

#[test]
fn what_most_likely_went_wrong_is_said() {
    let said = |names, from, to| {
        let renamed = renamed(names, from, to);
        renamed.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(
        said("a1", "a*", "b*(1)?"),
        "*(1) stands for nothing, as From has no such wildcard there: count those of one kind from 0"
    );
    assert_eq!(
        said("a1 b x y y", "a1 b", "x x"),
        "more than one channel is called x now: give them different names"
    );
    assert_eq!(said("a1 a1", "b", "c"), "");
    let rename = Rename::parse("[a-c]*", "x[a-d]*").unwrap();
    assert_eq!(rename.warnings().len(), 2, "{:?}", rename.warnings());
}

#[test]
fn what_grows_without_end_is_refused() {
    assert!(Rename::parse(&"?".repeat(256), "x").is_ok());
    let error = Rename::parse(&"?".repeat(257), "x").unwrap_err();
    assert_eq!(error, PatternError::TooManyParts { parts: 257, limit: 256 });
    assert_eq!(
        error.to_string(),
        "a term of From has 257 wildcards, brackets and texts, and the limit is 256: write a shorter one"
    );
    assert!(matches!(Rename::parse("*", "c[0-65536]"), Err(PatternError::TooManyNames { .. })));
    let error = Rename::parse("*", &"*(0)".repeat(16_000)).unwrap().apply(&["x".repeat(2000)]).unwrap_err();
    assert_eq!(error, PatternError::TooMuchText { bytes: 32_000_000, limit: 16 << 20 });
    // A term of which many ways lead to the name.
    let name = "a".repeat(10_000);
    let renamed = Rename::parse(&"*a".repeat(128), "*(127)").unwrap().apply(&[&name]).unwrap();
    assert_eq!(renamed.names, [&name[128..]]);
}

proptest! {
    /// Whatever a term matched, its wildcards and the text between them give it back.
    #[test]
    fn a_name_is_its_parts(parts in prop::collection::vec("[ab1]{0,3}", 1..5), name in "[ab1]{0,8}") {
        let from = parts.join("*");
        let to = from.clone();
        let picked = tdshm_ops::Pattern::parse(&from).unwrap().matches(&name);
        let renamed = Rename::parse(&from, &to).unwrap().apply(&[&name]).unwrap();
        prop_assert_eq!(&renamed.names, std::slice::from_ref(&name));
        // And it is renamed at all only if it is matched.
        let other = Rename::parse(&from, "(*)").unwrap().apply(&[&name]).unwrap();
        prop_assert_eq!(other.names[0] != name, picked);
    }

    #[test]
    fn no_texts_panic(
        from in "[\\[\\]^\"()|,*? a\u{e4}0-9-]{0,20}",
        to in "[\\[\\]^\"()|,*? a\u{e4}0-9-]{0,20}",
        names in prop::collection::vec("[a\u{e4}0-9()]{0,6}", 0..5),
    ) {
        if let Ok(rename) = Rename::parse(&from, &to) {
            prop_assert_eq!(rename.apply(&names).unwrap().names.len(), names.len());
        }
    }
}
