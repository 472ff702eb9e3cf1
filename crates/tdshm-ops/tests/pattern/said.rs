//! What people are told: every error and every warning, word by word.

use tdshm_ops::{Pattern, PatternError};

#[test]
fn errors_say_where_what_and_what_to_do() {
    for (text, said) in [
        (
            "chan[1-99999999999999999999]",
            "character 5: the number 99999999999999999999 in brackets is beyond the limit of 18446744073709551615: \
             give a smaller one",
        ),
        (
            "(tx | ty",
            "character 1: the parenthesis ( has no partner: add it, or put a name that contains ( in double quotes",
        ),
        (
            "ä tx)",
            "character 5: the parenthesis ) has no partner: add it, or put a name that contains ) in double quotes",
        ),
        (
            "~ tx",
            "character 1: ~ has no pattern on its left: add one, or put a name that contains ~ in double quotes",
        ),
        (
            "tx || ty",
            "character 4: | has no pattern on its right: add one, or put a name that contains | in double quotes",
        ),
        (
            "tx & (ty ~)",
            "character 10: ~ has no pattern on its right: add one, or put a name that contains ~ in double quotes",
        ),
        (
            "tx ^()",
            "character 5: () has no pattern inside: add one, or put a name that contains () in double quotes",
        ),
    ] {
        assert_eq!(Pattern::parse(text).unwrap_err().to_string(), said, "{text}");
    }
    for (error, said) in [
        (
            PatternError::TooLong { bytes: 65_537, limit: 65_536 },
            "the pattern is 65537 bytes long, and the limit is 65536: use wildcards such as chan* or chan[1-100]",
        ),
        (
            PatternError::TooDeep { at: 65, depth: 65, limit: 64 },
            "character 65: 65 parentheses are open, and the limit is 64: take some of them away",
        ),
        (
            PatternError::TooManySelected { positions: 66_000, limit: 65_536 },
            "the terms select 66000 channels, and the limit is 65536: each term adds all of its matches, so take \
             away those that match the same",
        ),
    ] {
        assert_eq!(error.to_string(), said);
    }
}

fn said(text: &str) -> Vec<String> {
    Pattern::parse(text).unwrap().warnings().iter().map(ToString::to_string).collect()
}

#[test]
fn what_is_meant_is_not_warned_of() {
    for text in [
        "tx",
        "tx,ty",
        "tx, ty",
        "*",
        "^tx",
        "^tx ^ty",
        "* ^t? ^r?",
        "chan[1-12:2] r[xyz] [1,2,13]",
        "chan[7]",
        "chan[0]",
        "chan[0-10:02]",
        "a-b geo1:tx h?/pinch chan.x",
        "\"two words\" \"temp (C)\" \"a^b\" \"a.*\"",
        "?x & r? | t?",
        "* ~ chan[1-3] ~ tx",
        "t? | (r? & ?x)",
        "^chan* & ^t?",
        "[-]x [,] [ä]",
    ] {
        assert_eq!(said(text), [""; 0], "{text}");
    }
}

#[test]
fn what_most_likely_means_something_else_is() {
    for (text, expected) in [
        ("", "the pattern is empty and matches nothing: write * for all names"),
        (" , ", "the pattern is empty and matches nothing: write * for all names"),
        (
            "[a-c]*",
            "[a-c] stands for one of the characters in it, '-' among them: ranges and lists are for numbers alone, so write \
             every letter, as in [xyz]",
        ),
        (
            "t[x,y]",
            "[x,y] stands for one of the characters in it, ',' among them: ranges and lists are for numbers alone, so write \
             every letter, as in [xyz]",
        ),
        (
            "chan[0-15:2:5]",
            "[0-15:2:5] stands for one of the characters in it, '-' among them: ranges and lists are for numbers alone, so \
             write every letter, as in [xyz]",
        ),
        (
            "t[^xy]",
            "[^xy] stands for one of the characters in it, '^' among them: to leave names out, add a term that begins with ^",
        ),
        (
            "chan[123]",
            "[123] stands for that one number, not one of its digits: write it without brackets, or the digits with commas, \
             as in [1,2,3]",
        ),
        (
            "chan[01-03]",
            "zeros at the front of a number do not count in [01-03], which stands for numbers without them: write \
             them before the bracket, as in chan0[1-9]",
        ),
        (
            "chan[]",
            "[] stands for one of no characters: put letters, numbers or a range between the brackets",
        ),
        (
            "chan[1-3",
            "[1-3 has no ] before the next blank, so its [ is an ordinary character: close it, and write no blanks \
             in brackets",
        ),
        (
            "chan1-3]",
            "chan1-3] has a ] without its [, an ordinary character then: open the bracket before it",
        ),
        (
            "\"two words",
            "the double quote before \"two words\" has no partner, so it is an ordinary character: close it",
        ),
        (
            "t.*",
            ".* in t.* is ordinary text, as patterns are no regular expressions: write * for any characters",
        ),
        (
            "t.+",
            ".+ in t.+ is ordinary text, as patterns are no regular expressions: write ?* for one character or more",
        ),
        (
            "chan\\d",
            "\\ in chan\\d is ordinary text, as patterns are no regular expressions: write a character without it, \
             or in brackets",
        ),
        (
            "tx$",
            "$ in tx$ is ordinary text, as patterns are no regular expressions: a pattern always matches the whole \
             name",
        ),
        (
            "!tx",
            "! in !tx is ordinary text, as patterns are no regular expressions: write ^ to leave names out",
        ),
        (
            "t{xy}",
            "{} in t{xy} is ordinary text, as patterns are no regular expressions: write each of the names, with \
             blanks between them",
        ),
        ("@lights", "@lights is an ordinary name here, as only operators have groups: list the names"),
        ("* ^ tx", "^ with nothing behind it leaves nothing out: write the pattern right behind it"),
        ("t*^ty", "the ^ inside t*^ty is an ordinary character: write a blank before it to leave names out"),
        (
            "^ry tx r*",
            "^ry comes first and keeps all other names, to which tx only adds: write tx before ^ry to take away \
             from it",
        ),
        (
            "t? r? & ?x",
            "there is no operator before r?, and beside | & ~ a blank is none: it is taken as |, so write that",
        ),
        (
            "t? | r? ^ry",
            "there is no operator before ^ry, and beside | & ~ a blank is none: it adds all names but those, so \
             write ~ instead of ^ to take them away",
        ),
        (
            "t? | r? & ?x",
            "| is applied before &, as operators go from left to right: use parentheses to show what is meant",
        ),
        ("^tx | ^ty", "| ^ty adds all names but those: write & ^ty to keep only what is left without them"),
    ] {
        let said = said(text);
        assert!(said.iter().any(|said| said == expected), "{text}: {said:#?}");
    }
}

#[test]
fn long_parts_are_cut_and_many_mistakes_are_not_all_told() {
    let long = said(&format!("{}$", "x".repeat(1000)));
    assert!(long[0].starts_with(&format!("$ in {}… is", "x".repeat(40))), "{long:?}");
    let many: Vec<String> = (0..100).map(|index| format!("chan{index}$")).collect();
    assert_eq!(said(&many.join(" ")).len(), 16);
    assert_eq!(said("a$ a$ a$").len(), 1);
}

#[test]
fn terms_that_concern_no_name_are_named() {
    let names = ["tx", "ty", "chan01"];
    for (text, expected) in [
        ("tx t*", &[][..]),
        ("nosuch tx", &["nosuch matches nothing: look at the names that there are"][..]),
        ("t* ^rx", &["^rx leaves nothing out: look at the names that there are"]),
        ("t* ~ rx", &["rx leaves nothing out: look at the names that there are"]),
        ("T*", &["T* matches nothing: upper and lower case differ, and there is tx"]),
        ("CHAN[1-3] *", &["CHAN[1-3] matches nothing: look at the names that there are"]),
        ("\"tx ty\"", &["\"tx ty\" matches nothing: look at the names that there are"]),
    ] {
        let unmatched = Pattern::parse(text).unwrap().unmatched(&names);
        let said: Vec<String> = unmatched.iter().map(ToString::to_string).collect();
        assert_eq!(said, expected, "{text}");
    }
    assert_eq!(Pattern::parse(&"x* y* ".repeat(50)).unwrap().unmatched(&names).len(), 2);
}
