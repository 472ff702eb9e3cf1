//! Names as people count: 2 before 10.

use std::cmp::Ordering;

/// Numbers in names compare by their value, everything else letter by letter, capitals or not. Names that are the same
/// so far differ by their bytes, so that the order is one.
pub(in crate::file) fn compare(a: &str, b: &str) -> Ordering {
    let (mut left, mut right) = (a, b);
    while !left.is_empty() && !right.is_empty() {
        let (one, other) = (part(&mut left), part(&mut right));
        let order = match (number(one), number(other)) {
            // Of numbers without leading zeros the longer one is the larger.
            (Some(one), Some(other)) => one.len().cmp(&other.len()).then_with(|| one.cmp(other)),
            _ => one.to_lowercase().cmp(&other.to_lowercase()),
        };
        if order.is_ne() {
            return order;
        }
    }
    left.len().cmp(&right.len()).then_with(|| a.cmp(b))
}

/// Takes digits off the beginning, or one letter.
fn part<'t>(text: &mut &'t str) -> &'t str {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let letter = text.chars().next().map_or(0, char::len_utf8);
    let end = if digits > 0 { digits } else { letter };
    let (part, rest) = text.split_at(end);
    *text = rest;
    part
}

/// Digits, without zeros in front.
fn number(part: &str) -> Option<&str> {
    part.starts_with(|c: char| c.is_ascii_digit()).then(|| part.trim_start_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_by_their_value() {
        let ordered = [
            "9.png",
            "10.png",
            "a.png",
            "A1.png",
            "a2.png",
            "a02.png",
            "a10b2.png",
            "a10b10.png",
            "b99999999999999999999998.png",
            "b99999999999999999999999.png",
            "b100000000000000000000000.png",
            "ü.png",
        ];
        let mut names: Vec<&str> = ordered.iter().rev().copied().collect();
        names.sort_by(|a, b| compare(a, b));
        // Those that differ in nothing but zeros have some order, and always the same.
        let same = |name: &str| name.replace("a02", "a2");
        assert_eq!(
            names.iter().map(|name| same(name)).collect::<Vec<_>>(),
            ordered.iter().map(|name| same(name)).collect::<Vec<_>>()
        );
        assert_eq!(compare("a1", "a1"), Ordering::Equal);
        assert_ne!(compare("a1", "A1"), Ordering::Equal);
    }
}
