//! Any text at all: a pattern or a typed error, soon, and never a panic.

use proptest::prelude::*;
use tdshm_ops::{Pattern, PatternError};

fn use_all(text: &str, names: &[String]) {
    let Ok(pattern) = Pattern::parse(text) else { return };
    let picked = pattern.select(names);
    assert!(picked.is_sorted() && picked.iter().all(|index| *index < names.len()));
    let _ = pattern.select_in_term_order(names);
    assert!(pattern.warnings().len() <= 16 && pattern.unmatched(names).len() <= 16);
    for warning in pattern.warnings().iter().chain(&pattern.unmatched(names)) {
        assert!(warning.to_string().chars().count() < 400, "{warning}");
    }
    assert_eq!(Pattern::parse(&pattern.to_string()).as_ref(), Ok(&pattern));
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,80}", names in prop::collection::vec("\\PC{0,20}", 0..6)) {
        use_all(&text, &names);
    }

    #[test]
    fn no_signs_panic(text in "[\\[\\]^\"()|&~,:*?@! \n\u{e4}0-9-]{0,80}", names in prop::collection::vec(".{0,9}", 0..6)) {
        use_all(&text, &names);
    }
}

/// Texts as long as they may be, of what could be read again and again.
#[test]
fn the_longest_texts_are_read() {
    let limit = 65_536;
    for unit in [
        "[", "]", "\"", "[\"", "\"[", "[a ", "[]", "^", "a", "a ", "*", "* ", "?", "(", "()", "a|", "[1,",
        "ä",
    ] {
        let text = unit.repeat(limit / unit.len());
        use_all(&text, &["a".to_owned(), "1".repeat(100)]);
    }
    let text = "x".repeat(limit + 1);
    assert_eq!(Pattern::parse(&text), Err(PatternError::TooLong { bytes: limit + 1, limit }));
    // 32 768 terms on a thousand names.
    let names: Vec<String> = (0..1000).map(|index| format!("chan{index}")).collect();
    assert_eq!(Pattern::parse(&"x ".repeat(limit / 2)).unwrap().select(&names), [0; 0]);
}

/// Nothing goes back over what it has read: exponents of 30 and more are no trouble.
#[test]
fn no_name_is_slow() {
    let name = "a".repeat(20_000);
    let nested = format!("{}*a*a*a*a*b{}", "(".repeat(64), ")".repeat(64));
    let many = ["*a*a*a*a*a*a*b"; 50].join(" | ");
    let numbers = format!("{}b", "*[0-9,1-99:7]".repeat(30));
    for text in ["*a*a*a*a*b", &"*a".repeat(400), &format!("{}b", "*?".repeat(100)), &nested, &many, &numbers]
    {
        let pattern = Pattern::parse(text).unwrap();
        assert_eq!(pattern.matches(&name), !text.contains('b'), "{text:.40}");
    }
    assert!(!Pattern::parse(&numbers).unwrap().matches(&"7".repeat(5000)));
}

#[test]
fn parentheses_have_a_limit() {
    let nested = |depth: usize| format!("{}a{}", "^(".repeat(depth), ")".repeat(depth));
    assert!(Pattern::parse(&nested(64)).unwrap().matches("a"));
    assert!(!Pattern::parse(&nested(63)).unwrap().matches("a"));
    let error = PatternError::TooDeep { at: 130, depth: 65, limit: 64 };
    assert_eq!(Pattern::parse(&nested(65)), Err(error));
}

#[test]
fn what_comes_many_times_has_a_limit() {
    let names: Vec<String> = (0..1000).map(|index| format!("chan{index}")).collect();
    let select = |terms: usize| Pattern::parse(&"* ".repeat(terms)).unwrap().select_in_term_order(&names);
    assert_eq!(select(65).unwrap().len(), 65_000);
    let error = select(66).unwrap_err();
    assert_eq!(error, PatternError::TooManySelected { positions: 66_000, limit: 65_536 });
    // As many as there are names are never too many.
    let names = vec!["x"; 100_000];
    assert_eq!(Pattern::parse("*").unwrap().select_in_term_order(&names).unwrap().len(), 100_000);
}
