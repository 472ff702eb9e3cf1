//! A slow and plain reading of operators §5.1 to §5.3, and random texts that must mean the same to both.

use std::collections::BTreeSet;

use proptest::prelude::*;
use tdshm_ops::Pattern;

/// One element of a term.
#[derive(Clone, Debug)]
enum Element {
    Exactly(char),
    Any,
    One,
    Bracket(String),
}

#[derive(Clone, Debug)]
enum Token {
    Term { not: bool, elements: Vec<Element> },
    Sign(char),
}

type Names = BTreeSet<usize>;

fn tokens(text: &str) -> Vec<Token> {
    let text: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut term: Option<(bool, Vec<Element>)> = None;
    let mut quoted = false;
    let mut i = 0;
    while i < text.len() {
        let c = text[i];
        i += 1;
        let mut ends = None;
        let element = match c {
            '"' if quoted => {
                quoted = false;
                continue;
            }
            '"' if text[i..].contains(&'"') => {
                quoted = true;
                term.get_or_insert((false, Vec::new()));
                continue;
            }
            '*' => Some(Element::Any),
            '?' => Some(Element::One),
            '[' => {
                let stop = |c: char| c == ']' || if quoted { c == '"' } else { c.is_whitespace() };
                let end = (i..text.len()).find(|end| stop(text[*end]));
                match end.filter(|end| text[*end] == ']') {
                    Some(end) => {
                        let content = text[i..end].iter().collect();
                        i = end + 1;
                        Some(Element::Bracket(content))
                    }
                    None => Some(Element::Exactly('[')),
                }
            }
            c if quoted => Some(Element::Exactly(c)),
            c if c == ',' || c.is_whitespace() => None,
            '|' | '&' | '~' | ')' => {
                ends = Some(Token::Sign(c));
                None
            }
            '(' => {
                let all_but = i > 1 && text[i - 2] == '^' && matches!(&term, Some((true, e)) if e.is_empty());
                if all_but {
                    term = None;
                }
                ends = Some(Token::Sign(if all_but { '!' } else { '(' }));
                None
            }
            '^' if term.is_none() => {
                term = Some((true, Vec::new()));
                continue;
            }
            c => Some(Element::Exactly(c)),
        };
        match element {
            Some(element) => term.get_or_insert((false, Vec::new())).1.push(element),
            None => tokens.extend(term.take().map(|(not, elements)| Token::Term { not, elements })),
        }
        tokens.extend(ends);
    }
    tokens.extend(term.map(|(not, elements)| Token::Term { not, elements }));
    tokens
}

/// The numbers of a bracket one by one; `None` for a set of characters.
fn numbers(content: &str) -> Option<Vec<u64>> {
    let mut numbers = Vec::new();
    let number = |text: &str| {
        let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
        digits.then(|| text.parse::<u64>().unwrap())
    };
    for part in content.split(',') {
        let Some((first, rest)) = part.split_once('-') else {
            numbers.push(number(part)?);
            continue;
        };
        let (last, step) = match rest.split_once(':') {
            Some((last, step)) => (number(last)?, number(step)?.max(1)),
            None => (number(rest)?, 1),
        };
        let first = number(first)?;
        if first <= last {
            numbers.extend((first..=last).step_by(step as usize));
        } else {
            numbers.extend((last..=first).rev().step_by(step as usize));
        }
    }
    Some(numbers)
}

fn fits(elements: &[Element], name: &[char]) -> bool {
    let Some((first, rest)) = elements.split_first() else { return name.is_empty() };
    match first {
        Element::Exactly(c) => name.first() == Some(c) && fits(rest, &name[1..]),
        Element::One => !name.is_empty() && fits(rest, &name[1..]),
        Element::Any => (0..=name.len()).any(|taken| fits(rest, &name[taken..])),
        Element::Bracket(content) => match numbers(content) {
            None => name.first().is_some_and(|c| content.contains(*c)) && fits(rest, &name[1..]),
            Some(numbers) => (1..=name.len()).any(|taken| {
                let digits: String = name[..taken].iter().collect();
                // Written as a number is written.
                numbers.iter().any(|number| number.to_string() == digits) && fits(rest, &name[taken..])
            }),
        },
    }
}

fn matched(elements: &[Element], names: &[String]) -> Names {
    let fits = |name: &String| {
        let name: Vec<char> = name.chars().collect();
        !elements.is_empty() && fits(elements, &name)
    };
    (0..names.len()).filter(|index| fits(&names[*index])).collect()
}

/// A row of operands from left to right, up to the end or a closing parenthesis. `None`: no such expression.
fn row(tokens: &mut &[Token], names: &[String], inside: bool) -> Option<Names> {
    let all: Names = (0..names.len()).collect();
    let mut value: Option<Names> = None;
    let mut sign = None;
    loop {
        let (first, rest) = match tokens.split_first() {
            None if inside || sign.is_some() => return None,
            None => return value,
            Some(split) => split,
        };
        *tokens = rest;
        let operand = match first {
            Token::Term { not: false, elements } => matched(elements, names),
            Token::Term { not: true, elements } => &all - &matched(elements, names),
            Token::Sign('(') => row(tokens, names, true)?,
            Token::Sign('!') => &all - &row(tokens, names, true)?,
            Token::Sign(')') if inside && sign.is_none() => return value,
            Token::Sign(')') => return None,
            Token::Sign(_) if value.is_none() || sign.is_some() => return None,
            Token::Sign(c) => {
                sign = Some(*c);
                continue;
            }
        };
        value = Some(match (value, sign.take()) {
            (None, _) => operand,
            (Some(left), Some('&')) => &left & &operand,
            (Some(left), Some('~')) => &left - &operand,
            (Some(left), _) => &left | &operand,
        });
    }
}

/// The names that the text picks; `None` where it is no expression.
fn meaning(text: &str, names: &[String]) -> Option<Names> {
    let tokens = tokens(text);
    if tokens.iter().any(|token| matches!(token, Token::Sign(_))) {
        return row(&mut tokens.as_slice(), names, false);
    }
    let mut picked = Names::new();
    for (index, token) in tokens.iter().enumerate() {
        let Token::Term { not, elements } = token else { unreachable!() };
        if index == 0 && *not {
            picked = (0..names.len()).collect();
        }
        let matched = matched(elements, names);
        picked = if *not { &picked - &matched } else { &picked | &matched };
    }
    Some(picked)
}

fn names() -> impl Strategy<Value = Vec<String>> {
    let name = prop_oneof!["[ab1-3]{0,4}", "a(0?[0-9]|1[0-9])b?", "[abä0-9^|()~& \\[\\]\",:-]{0,4}"];
    prop::collection::vec(name, 0..12)
}

/// Terms as people write them, joined as people join them.
fn sensible() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[ab0-3]{1,2}",
        2 => Just("*".to_owned()),
        2 => Just("?".to_owned()),
        2 => "\\[[ab1]{1,3}\\]",
        3 => "\\[[0-9]{1,2}(-[0-9]{1,2}(:[0-3])?)?(,[0-9]{1,2}(-[0-9]{1,2}(:[0-3])?)?){0,2}\\]",
    ];
    let term = (prop::bool::weighted(0.3), prop::collection::vec(piece, 1..4))
        .prop_map(|(not, pieces)| format!("{}{}", if not { "^" } else { "" }, pieces.concat()));
    let join = || prop::sample::select(vec![" ", ", ", " | ", " & ", " ~ ", "|", "&", "~"]);
    let list = prop::collection::vec(term.clone(), 0..5).prop_map(|terms| terms.join(" "));
    let expression = term.prop_recursive(4, 24, 4, move |inner| {
        (prop::collection::vec((inner, join()), 1..4), prop::sample::select(vec!["", "^"])).prop_map(
            |(parts, not)| {
                let mut text = format!("{not}(");
                for (index, (part, join)) in parts.iter().enumerate() {
                    text.push_str(if index == 0 { "" } else { join });
                    text.push_str(part);
                }
                text.push(')');
                text
            },
        )
    });
    prop_oneof![list, expression]
}

fn compare(text: &str, names: &[String]) -> Result<(), TestCaseError> {
    let expected = meaning(text, names);
    let pattern = match Pattern::parse(text) {
        Ok(pattern) => pattern,
        Err(error) => {
            prop_assert!(expected.is_none(), "{:?}: {}", text, error);
            return Ok(());
        }
    };
    let Some(expected) = expected else { return Err(TestCaseError::fail(format!("{text:?} was read"))) };
    prop_assert_eq!(pattern.select(names), expected.iter().copied().collect::<Vec<_>>(), "{:?}", text);
    for (index, name) in names.iter().enumerate() {
        prop_assert_eq!(pattern.matches(name), expected.contains(&index), "{:?} {:?}", text, name);
    }
    let in_term_order = pattern.select_in_term_order(names).unwrap();
    let the_same: Names = in_term_order.into_iter().collect();
    prop_assert_eq!(the_same, expected, "{:?}", text);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn sensible_patterns_mean_the_same(text in sensible(), names in names()) {
        compare(&text, &names)?;
    }

    #[test]
    fn any_text_means_the_same(text in "[ab12ä*?\\[\\]^\",:| &~()-]{0,16}", names in names()) {
        compare(&text, &names)?;
    }
}

/// The plain reading itself, on what the specification says in words.
#[test]
fn the_plain_reading_is_one() {
    let names = ["chan1", "chan01", "chan10", "blend13", "TX"].map(str::to_owned);
    for (text, expected) in [
        ("chan[1-12]", Some(vec![0, 2])),
        ("blend[0-9]*", Some(vec![3])),
        ("t?", Some(vec![])),
        ("^chan1 chan*", Some(vec![0, 1, 2, 3, 4])),
        ("chan* ^chan1", Some(vec![1, 2])),
        ("chan* | TX & blend*", Some(vec![])),
        ("(chan1 |", None),
    ] {
        assert_eq!(meaning(text, &names), expected.map(|names| names.into_iter().collect()), "{text}");
    }
}
