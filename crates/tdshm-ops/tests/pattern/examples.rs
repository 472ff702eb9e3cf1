//! The worked examples of operators §5.6, all of them, in their order.

use tdshm_ops::Pattern;

const UNIVERSE: &str = "tx ty tz rx ry rz TX tu chan1 chan2 chan3 chan5 chan10 chan12 blend_dark blend0_light blend7 \
                        blend13 foot_l left_foot h0/pinch h1/pinch geo1:tx geo2:ty ambient a-b";

/// Pattern and matches; `all`, or `-` before those that are left out.
#[rustfmt::skip]
const EXAMPLES: [(&str, &str); 60] = [
    ("chan2", "chan2"),
    ("chan3 tx ty tz", "tx ty tz chan3"),
    ("*", "all"),
    ("chan*", "chan1 chan2 chan3 chan5 chan10 chan12"),
    ("?", ""),
    ("??", "tx ty tz rx ry rz TX tu"),
    ("t?", "tx ty tz tu"),
    ("T?", "TX"),
    ("*foot*", "foot_l left_foot"),
    ("foot*", "foot_l"),
    ("*foot", "left_foot"),
    ("r[xyz]", "rx ry rz"),
    ("t[uvwxyz]", "tx ty tz tu"),
    ("[tr]x", "tx rx"),
    ("[tr][xy]", "tx ty rx ry"),
    ("chan[1-3]", "chan1 chan2 chan3"),
    ("chan[1-12]", "chan1 chan2 chan3 chan5 chan10 chan12"),
    ("chan[1-12:2]", "chan1 chan3 chan5"),
    ("chan[1,5,12]", "chan1 chan5 chan12"),
    ("chan[1-2,10]", "chan1 chan2 chan10"),
    ("chan1*", "chan1 chan10 chan12"),
    ("chan?", "chan1 chan2 chan3 chan5"),
    ("chan??", "chan10 chan12"),
    ("blend[0-9]", "blend7"),
    ("blend[0-9]*", "blend0_light blend7 blend13"),
    ("*[0-9]", "chan1 chan2 chan3 chan5 chan10 chan12 blend7 blend13"),
    ("*[1-3]", "chan1 chan2 chan3 chan12 blend13"),
    ("*_*", "blend_dark blend0_light foot_l left_foot"),
    ("^tx", "-tx"),
    ("^chan*", "-chan1 chan2 chan3 chan5 chan10 chan12"),
    ("* ^t? ^r?", "-tx ty tz rx ry rz tu"),
    ("chan* ^chan[1-3]", "chan5 chan10 chan12"),
    ("^chan[1-3] chan*", "all"),
    ("^t? ^r? tx", "-ty tz rx ry rz tu"),
    ("^tx ^ty", "-tx ty"),
    ("chan[1-3] chan2", "chan1 chan2 chan3"),
    ("tz ty tx", "tx ty tz"),
    ("tx,ty", "tx ty"),
    ("nosuch", ""),
    ("nosuch tx", "tx"),
    ("h?/pinch", "h0/pinch h1/pinch"),
    ("h[0-1]/*", "h0/pinch h1/pinch"),
    ("*/*", "h0/pinch h1/pinch"),
    ("*:t?", "geo1:tx geo2:ty"),
    ("geo[1-2]:t[xy]", "geo1:tx geo2:ty"),
    ("a-b", "a-b"),
    ("[a-c]*", "chan1 chan2 chan3 chan5 chan10 chan12 ambient a-b"),
    ("\"tx ty\"", ""),
    ("tx | ty", "tx ty"),
    ("t? & ?x", "tx"),
    ("* ~ chan[1,5,10]", "-chan1 chan5 chan10"),
    ("blend* ~ blend[0-9]*", "blend_dark"),
    ("(* ~ chan*) & *a*", "blend_dark ambient a-b"),
    ("chan* ~ (chan1* | chan2)", "chan3 chan5"),
    ("t? | r? & ?x", "tx rx"),
    ("?x & r? | t?", "tx ty tz rx tu"),
    ("t? | (r? & ?x)", "tx ty tz rx tu"),
    ("^chan* & ^t?", "-chan1 chan2 chan3 chan5 chan10 chan12 tx ty tz tu"),
    ("^tx | ^ty", "all"),
    ("chan[01-03]", "chan1 chan2 chan3"),
];

#[test]
fn all_sixty() {
    let universe: Vec<&str> = UNIVERSE.split(' ').collect();
    assert_eq!(universe.len(), 26);
    for (index, (text, matches)) in EXAMPLES.iter().enumerate() {
        let expected: Vec<&str> = match (*matches, matches.strip_prefix('-')) {
            ("all", _) => universe.clone(),
            (_, Some(without)) => {
                let without: Vec<&str> = without.split(' ').collect();
                universe.iter().copied().filter(|name| !without.contains(name)).collect()
            }
            (matches, None) => matches.split_whitespace().collect(),
        };
        let pattern: Pattern = text.parse().unwrap();
        let picked: Vec<&str> = pattern.select(&universe).iter().map(|index| universe[*index]).collect();
        assert_eq!(picked, expected, "example {}: {text}", index + 1);
        for name in &universe {
            assert_eq!(
                pattern.matches(name),
                expected.contains(name),
                "example {}: {text}: {name}",
                index + 1
            );
        }
        assert_eq!((pattern.to_string().as_str(), pattern.as_str()), (*text, *text));
    }
}

/// Those that are asked to warn do, and none of the others that say what they mean.
#[test]
fn the_examples_that_warn() {
    let warn: Vec<usize> = EXAMPLES
        .iter()
        .enumerate()
        .filter(|(_, (text, _))| !Pattern::parse(text).unwrap().warnings().is_empty())
        .map(|(index, _)| index + 1)
        .collect();
    // A first ^ (33, 34), a range of letters (47), operators whose order matters (55), | ^ (59), zeros (60).
    assert_eq!(warn, [33, 34, 47, 55, 59, 60]);
}

#[test]
fn the_order_of_the_terms() {
    let names = ["c1", "c2", "c3", "c4", "c5"];
    for (text, expected) in [
        ("c2 c5 c3 c3", &[1, 4, 2, 2][..]),
        ("c4 c*", &[3, 0, 1, 2, 3, 4]),
        ("c[3-1] c1", &[0, 1, 2, 0]),
        ("c5 c1 c5 ^c5 c2", &[0, 1]),
        ("^c1 c1", &[1, 2, 3, 4, 0]),
        ("c3 | c1", &[0, 2]),
        ("", &[]),
    ] {
        let pattern = Pattern::parse(text).unwrap();
        assert_eq!(pattern.select_in_term_order(&names).unwrap(), expected, "{text}");
    }
}
