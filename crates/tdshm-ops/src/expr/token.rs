//! The text of an expression in tokens, as Python's own reader makes them.

use crate::Value;
use crate::error::ExprError;
use crate::expr::LONGEST_TEXT;
use crate::expr::tree::Span;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// A number or a text.
    Value(Value),
    /// A name or a keyword.
    Name(&'a str),
    /// An operator, a bracket, a comma or a dot.
    Sign(&'static str),
    End,
}

#[derive(Clone, Debug)]
pub(super) struct Placed<'a> {
    pub(super) token: Token<'a>,
    pub(super) span: Span,
}

/// Longer signs come first.
const SIGNS: [&str; 21] = [
    "**", "//", "<=", ">=", "==", "!=", "+", "-", "*", "/", "%", "<", ">", "(", ")", "[", "]", ",", ".", ":",
    "=",
];

/// The character at a byte, counted from 1.
pub(super) fn character(text: &str, byte: usize) -> usize {
    text.get(..byte).unwrap_or(text).chars().count().saturating_add(1)
}

/// A piece of text for a message, cut short when it is long.
pub(super) fn cut(piece: &str) -> String {
    const SHOWN: usize = 40;
    if piece.chars().count() <= SHOWN {
        return piece.into();
    }
    piece.chars().take(SHOWN).chain(['…']).collect()
}

/// All tokens, with [`Token::End`] as the last.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed<'_>>, ExprError> {
    if text.len() > LONGEST_TEXT {
        return Err(ExprError::TooLong { bytes: text.len(), limit: LONGEST_TEXT });
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let blank = rest.len().saturating_sub(rest.trim_start_matches([' ', '\t', '\r', '\n', '\x0c']).len());
        at = at.saturating_add(blank);
        let rest = text.get(at..).unwrap_or_default();
        let Some(first) = rest.chars().next() else {
            tokens.push(Placed { token: Token::End, span: Span { start: at, end: at } });
            return Ok(tokens);
        };
        let second_is_digit = rest.chars().nth(1).is_some_and(|next| next.is_ascii_digit());
        let (token, length) = if first.is_ascii_digit() || (first == '.' && second_is_digit) {
            number(text, at, rest)?
        } else if first == '\'' || first == '"' {
            quoted(text, at, rest, first)?
        } else if is_name(first) {
            name(text, at, rest)?
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), sign.len())
        } else {
            return Err(ExprError::Unexpected {
                at: character(text, at),
                found: first.to_string(),
                expected: "a value or an operator",
                remedy: match first {
                    '&' | '|' | '!' => "write and, or, not",
                    '^' => "write ** for powers",
                    '‘' | '’' | '“' | '”' => "write straight quotes",
                    _ => "take it away, or put a text in quotes",
                },
            });
        };
        let end = at.saturating_add(length);
        tokens.push(Placed { token, span: Span { start: at, end } });
        at = end;
    }
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The bytes at the front that fit.
fn run(text: &str, mut fits: impl FnMut(char) -> bool) -> usize {
    text.find(|character| !fits(character)).unwrap_or(text.len())
}

fn name<'a>(text: &str, at: usize, rest: &'a str) -> Result<(Token<'a>, usize), ExprError> {
    let length = run(rest, is_name);
    if rest.get(length..).is_some_and(|behind| behind.starts_with(['\'', '"'])) {
        return Err(ExprError::Unexpected {
            at: character(text, at),
            found: cut(rest.get(..length).unwrap_or_default()),
            expected: "a plain text",
            remedy: "take away the letter in front of the quote, and put texts together with + and str()",
        });
    }
    Ok((Token::Name(rest.get(..length).unwrap_or_default()), length))
}

/// Whether underscores stand between digits alone.
fn underscores_fit(digits: &str) -> bool {
    !digits.starts_with('_') && !digits.ends_with('_') && !digits.contains("__")
}

fn number<'a>(text: &str, at: usize, rest: &str) -> Result<(Token<'a>, usize), ExprError> {
    let refuse = |length: usize, remedy| {
        let number = cut(rest.get(..length).unwrap_or(rest));
        Err(ExprError::BadNumber { at: character(text, at), number, remedy })
    };
    const TOO_LARGE: &str = "whole numbers have 64 bits here, so write it with a point, such as 1e20";
    const MALFORMED: &str = "write 10, 0.5, 1e-3 or 0xFF";
    for (prefix, radix) in [("0x", 16), ("0X", 16), ("0b", 2), ("0B", 2), ("0o", 8), ("0O", 8)] {
        if let Some(digits) = rest.strip_prefix(prefix) {
            let length = run(digits, is_name);
            let all = length.saturating_add(2);
            let digits = digits.get(..length).unwrap_or_default();
            let digits = digits.strip_prefix('_').unwrap_or(digits);
            let plain: String = digits.chars().filter(|digit| *digit != '_').collect();
            if plain.is_empty()
                || !underscores_fit(digits)
                || !plain.chars().all(|digit| digit.is_digit(radix))
            {
                return refuse(all, MALFORMED);
            }
            return match i64::from_str_radix(&plain, radix) {
                Ok(value) => Ok((Token::Value(Value::Int(value)), all)),
                Err(_) => refuse(all, TOO_LARGE),
            };
        }
    }
    let is_digit = |character: char| character.is_ascii_digit() || character == '_';
    let behind = |length: usize| rest.get(length..).unwrap_or_default();
    let whole = run(rest, is_digit);
    let mut length = whole;
    let mut parts = [rest.get(..whole).unwrap_or_default(), "", ""];
    let mut is_float = false;
    if behind(length).starts_with('.') {
        is_float = true;
        length = length.saturating_add(1);
        let fraction = run(behind(length), is_digit);
        parts[1] = behind(length).get(..fraction).unwrap_or_default();
        length = length.saturating_add(fraction);
    }
    if behind(length).starts_with(['e', 'E']) {
        let sign =
            if behind(length).get(1..).is_some_and(|rest| rest.starts_with(['+', '-'])) { 2 } else { 1 };
        let digits = length.saturating_add(sign);
        let exponent = run(behind(digits), is_digit);
        if exponent > 0 {
            is_float = true;
            parts[2] = behind(digits).get(..exponent).unwrap_or_default();
            length = digits.saturating_add(exponent);
        }
    }
    if !parts.iter().all(|part| underscores_fit(part)) || behind(length).starts_with(is_name) {
        return refuse(length.saturating_add(run(behind(length), is_name)), MALFORMED);
    }
    let plain: String =
        rest.get(..length).unwrap_or_default().chars().filter(|digit| *digit != '_').collect();
    if is_float {
        return match plain.parse() {
            Ok(value) => Ok((Token::Value(Value::Float(value)), length)),
            Err(_) => refuse(length, MALFORMED),
        };
    }
    if plain.starts_with('0') && plain.chars().any(|digit| digit != '0') {
        return refuse(length, "take away the zeros in front");
    }
    match plain.parse() {
        Ok(value) => Ok((Token::Value(Value::Int(value)), length)),
        Err(_) => refuse(length, TOO_LARGE),
    }
}

fn quoted<'a>(text: &str, at: usize, rest: &str, quote: char) -> Result<(Token<'a>, usize), ExprError> {
    let unexpected = |found: String, expected, remedy| ExprError::Unexpected {
        at: character(text, at),
        found,
        expected,
        remedy,
    };
    let mut made = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((index, next)) = characters.next() {
        if next == quote {
            return Ok((Token::Value(Value::from(made)), index.saturating_add(1)));
        }
        if next == '\n' || next == '\r' {
            break;
        }
        if next != '\\' {
            made.push(next);
            continue;
        }
        let Some((_, escaped)) = characters.next() else { break };
        match escaped {
            '\\' | '\'' | '"' => made.push(escaped),
            'n' => made.push('\n'),
            't' => made.push('\t'),
            'r' => made.push('\r'),
            'x' | 'u' => {
                let digits = if escaped == 'x' { 2 } else { 4 };
                let hex: String = characters.by_ref().take(digits).map(|(_, digit)| digit).collect();
                let code = Some(&hex)
                    .filter(|hex| hex.len() == digits && hex.chars().all(|c| c.is_ascii_hexdigit()));
                match code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) {
                    Some(character) => made.push(character),
                    None => {
                        return Err(unexpected(
                            format!("\\{escaped}{}", cut(&hex)),
                            "a character by its number",
                            "write the character itself",
                        ));
                    }
                }
            }
            '0'..='7' | 'a' | 'b' | 'f' | 'v' | 'N' | 'U' | '\n' | '\r' => {
                return Err(unexpected(
                    format!("\\{}", escaped.escape_default()),
                    "\\n, \\t, \\r, \\\\, \\', \\\", \\x41 or \\u00e4",
                    "write the character itself, or two backslashes for one",
                ));
            }
            // Python keeps the backslash of what it does not know.
            _ => made.extend(['\\', escaped]),
        }
    }
    Err(unexpected(cut(rest), "a closing quote", "add it"))
}
