//! Rust sources without what only people read.

/// What the scanner is inside of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Code,
    LineComment,
    BlockComment(usize),
    /// A string, with the number of `#` round a raw one; `None` when backslashes escape.
    Text(Option<usize>),
}

/// The source with comments, strings and characters blanked out; every line keeps its number.
pub(super) fn code_only(source: &str) -> String {
    let chars: Vec<char> = source.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let mut code = String::with_capacity(source.len());
    let mut inside = Inside::Code;
    let mut index = 0_usize;
    while index < chars.len() {
        let (here, next) = (at(index), at(index.saturating_add(1)));
        let mut taken = 1;
        let mut shown = false;
        inside = match inside {
            Inside::Code => match (here, next) {
                ('/', '/') => Inside::LineComment,
                ('/', '*') => {
                    taken = 2;
                    Inside::BlockComment(1)
                }
                ('"', _) => Inside::Text(None),
                ('r', '"' | '#') if !ends_in_word(&code) || code.ends_with(['b', 'c']) => {
                    let hashes =
                        chars.iter().skip(index.saturating_add(1)).take_while(|c| **c == '#').count();
                    // `r#name` is a name, not a string.
                    if at(index.saturating_add(hashes).saturating_add(1)) == '"' {
                        taken = hashes.saturating_add(2);
                        Inside::Text(Some(hashes))
                    } else {
                        shown = true;
                        Inside::Code
                    }
                }
                ('\'', _) => {
                    taken = character(&chars, index);
                    // Anything else is a lifetime.
                    shown = taken == 1;
                    Inside::Code
                }
                _ => {
                    shown = true;
                    Inside::Code
                }
            },
            Inside::LineComment if here == '\n' => Inside::Code,
            Inside::BlockComment(depth) => match (here, next) {
                ('/', '*') => {
                    taken = 2;
                    Inside::BlockComment(depth.saturating_add(1))
                }
                ('*', '/') => {
                    taken = 2;
                    if depth == 1 { Inside::Code } else { Inside::BlockComment(depth.saturating_sub(1)) }
                }
                _ => inside,
            },
            Inside::Text(None) => match here {
                '\\' => {
                    taken = 2;
                    inside
                }
                '"' => Inside::Code,
                _ => inside,
            },
            Inside::Text(Some(hashes)) if here == '"' => {
                let closing =
                    chars.iter().skip(index.saturating_add(1)).take(hashes).filter(|c| **c == '#').count();
                if closing == hashes {
                    taken = hashes.saturating_add(1);
                    Inside::Code
                } else {
                    inside
                }
            }
            same => same,
        };
        for &char in chars.iter().skip(index).take(taken) {
            code.push(if shown || char == '\n' { char } else { ' ' });
        }
        index = index.saturating_add(taken);
    }
    code
}

/// Characters in the literal that begins with the quote at `index`; 1 when it begins a lifetime.
fn character(chars: &[char], index: usize) -> usize {
    let rest = chars.get(index.saturating_add(1)..).unwrap_or_default();
    match rest {
        ['\\', escaped @ ..] => {
            // The escaped character itself may be a quote.
            let length = escaped.iter().skip(1).take_while(|c| !matches!(c, '\'' | '\n')).count();
            length.saturating_add(4)
        }
        [_, '\'', ..] => 3,
        _ => 1,
    }
}

fn ends_in_word(code: &str) -> bool {
    code.chars().next_back().is_some_and(is_word)
}

/// Whether `word` stands in `line` as a whole word; gives what follows it, for each place.
pub(super) fn after_word<'l>(line: &'l str, word: &str) -> impl Iterator<Item = &'l str> {
    line.match_indices(word).filter_map(move |(start, found)| {
        let (before, rest) = line.split_at_checked(start)?;
        let after = rest.strip_prefix(found)?;
        let whole = !ends_in_word(before) && !after.starts_with(is_word);
        whole.then_some(after)
    })
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that are left.
    fn words(source: &str) -> Vec<String> {
        let code = code_only(source);
        assert_eq!(code.lines().count(), source.lines().count(), "{source}");
        code.split(|c| !is_word(c)).filter(|w| !w.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn comments_go() {
        assert_eq!(words("a // x\n/// x\nb /* x /* x */ x\n x */ c / d"), ["a", "b", "c", "d"]);
    }

    #[test]
    fn strings_and_characters_go_and_lifetimes_stay() {
        assert_eq!(
            words(r#"a "x \" x // x" b 'x' c '\'' d '"' e '\u{e9}' f b"x" g"#),
            ["a", "b", "c", "d", "e", "f", "b", "g"]
        );
        assert_eq!(
            words("fn f<'a>(x: &'a str, y: &'static str)"),
            ["fn", "f", "a", "x", "a", "str", "y", "static", "str"]
        );
        assert_eq!(
            words("a r\"x\\\" b r#\"x \" x\n\"# c br##\"x\"# x\"## r#type"),
            ["a", "b", "c", "b", "r", "type"]
        );
        assert_eq!(words("for\"x\" bar"), ["for", "bar"]);
    }

    #[test]
    fn what_does_not_end_is_no_trouble() {
        for open in ["/* x", "\"x", "r#\"x", "'", "'\\", "r", "r##", "//"] {
            assert!(words(open).len() <= 1, "{open}");
        }
    }

    #[test]
    fn whole_words_only() {
        let after: Vec<&str> = after_word("unsafe_code unsafe { my_unsafe } unsafe", "unsafe").collect();
        assert_eq!(after, [" { my_unsafe } unsafe", ""]);
    }
}
