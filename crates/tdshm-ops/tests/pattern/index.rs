//! Numbers: the worked examples of operators §5.4, and a plain reading of ranges.

use proptest::prelude::*;
use tdshm_ops::PatternError;
use tdshm_ops::pattern::IndexPattern;

fn index(text: &str) -> IndexPattern {
    text.parse().unwrap()
}

#[test]
fn the_worked_examples() {
    for (text, max, expected) in [
        ("7", 10, vec![7]),
        ("*", 3, vec![0, 1, 2, 3]),
        ("^20", 22, (0..20).chain(21..23).collect()),
        ("[3-5]", 10, vec![3, 4, 5]),
        ("^[1-8]", 10, vec![0, 9, 10]),
        ("[0-15:2]", 20, vec![0, 2, 4, 6, 8, 10, 12, 14]),
        ("[0-15:2:5]", 20, vec![0, 1, 5, 6, 10, 11, 15]),
        ("[*:3]", 9, vec![0, 3, 6, 9]),
        ("[*:2:4]", 9, vec![0, 1, 4, 5, 8, 9]),
        ("100-120:2 !0-9", 200, (100..=120).step_by(2).collect()),
        ("[100-120:2] ~ [0-9]", 200, (100..=120).step_by(2).collect()),
    ] {
        assert_eq!(index(text).select(max + 1), expected, "{text}");
        assert_eq!(index(text).select_in_order(max + 1), expected, "{text}");
        assert!(index(text).warnings().is_empty(), "{text}");
    }
}

#[test]
fn the_worked_examples_with_an_order() {
    for (text, max, expected) in [
        ("[9-0]", 9, vec![9, 8, 7, 6, 5, 4, 3, 2, 1, 0]),
        ("[9-0:2]", 9, vec![9, 7, 5, 3, 1]),
        ("[0-10:4,3,7]", 10, vec![0, 4, 8, 3, 7]),
        ("[15-0:2:5]", 15, vec![15, 14, 10, 9, 5, 4, 0]),
        ("^[*:3]", 10, vec![1, 2, 4, 5, 7, 8, 10]),
    ] {
        assert_eq!(index(text).select_in_order(max + 1), expected, "{text}");
        let mut sorted = expected;
        sorted.sort_unstable();
        assert_eq!(index(text).select(max + 1), sorted, "{text}");
    }
}

#[test]
fn and_what_they_leave_open() {
    for (text, count, expected) in [
        ("", 3, &[][..]),
        ("\"\"", 3, &[]),
        ("*", 0, &[]),
        ("3", 3, &[]),
        ("5 2,2 5", 9, &[5, 2]),
        ("* ^1 1", 4, &[0, 2, 3, 1]),
        ("^1 1", 3, &[0, 2, 1]),
        ("[5-99]", 7, &[5, 6]),
        ("[99-5]", 7, &[6, 5]),
        ("[99-5:3]", 10, &[9, 6]),
        ("[18446744073709551615-0]", 2, &[1, 0]),
        ("[0-5:0]", 9, &[0, 1, 2, 3, 4, 5]),
        ("[0-5:2:0]", 9, &[0, 1, 2, 3, 4, 5]),
        ("[0-5:0:2]", 9, &[]),
        ("[*,3]", 3, &[0, 1, 2]),
        ("*:2", 5, &[0, 2, 4]),
        ("([0-5] & [*:2]) | 1", 9, &[0, 1, 2, 4]),
    ] {
        assert_eq!(index(text).select_in_order(count), expected, "{text}");
    }
    assert!(index("[*:2]").matches(usize::MAX - 1));
    assert_eq!(index("1 2").to_string(), index("1 2").as_str());
}

#[test]
fn what_is_no_number_is_refused() {
    for text in [
        "two",
        "?",
        "1*",
        "[ab]",
        "[]",
        "-3",
        "3-",
        "[1-5:1:2:3]",
        "[3:2]",
        "1.5",
        "**",
        "[1][2]",
        "[*-3]",
        "1-",
    ] {
        let error = IndexPattern::parse(text).unwrap_err();
        assert_eq!(error, PatternError::NotANumber { at: 1, term: text.to_owned() }, "{text}");
    }
    assert_eq!(
        IndexPattern::parse("0 two").unwrap_err().to_string(),
        "character 3: two is no number: write one, such as 7, a bracket such as [0-15:2], or * for all"
    );
    for text in ["[0-99999999999999999999]", "[*:99999999999999999999]", "99999999999999999999"] {
        let error = IndexPattern::parse(text).unwrap_err();
        assert!(matches!(error, PatternError::NumberTooLarge { at: 1, .. }), "{text}: {error}");
        let error = IndexPattern::parse(&format!("1, {text}")).unwrap_err();
        assert!(matches!(error, PatternError::NumberTooLarge { at: 4, .. }), "{text}: {error}");
    }
    assert!(IndexPattern::parse("1 |").is_err());
}

proptest! {
    /// A walk from the first number to the last.
    #[test]
    fn ranges_are_walks(first in 0_usize..30, last in 0_usize..30, take in 0_usize..5, of in 0_usize..6, count in 0_usize..40) {
        let mut walk: Vec<usize> = if first <= last { (first..=last).collect() } else { (last..=first).rev().collect() };
        let mut step = 0;
        walk.retain(|number| {
            let taken = step % of.max(1) < take;
            step += 1;
            taken && *number < count
        });
        prop_assert_eq!(index(&format!("[{first}-{last}:{take}:{of}]")).select_in_order(count), walk);
    }

    #[test]
    fn no_text_panics(text in "[\\[\\]^\"()|&~!,:*? 0-9-]{0,40}", count in 0_usize..50) {
        if let Ok(pattern) = IndexPattern::parse(&text) {
            let mut in_order = pattern.select_in_order(count);
            in_order.sort_unstable();
            prop_assert_eq!(in_order, pattern.select(count), "{}", text);
        }
    }
}
