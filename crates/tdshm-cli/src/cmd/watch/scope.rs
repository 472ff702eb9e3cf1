//! `--scope`: which channels are shown, and what to say about that.

use std::collections::HashSet;

use tdshm_ops::Pattern;

use crate::say;

/// Different sentences that are said before a sender whose names keep changing has been explained enough.
const MOST_SAID: usize = 32;
/// Channels that are named in a sentence.
const MOST_NAMES: usize = 16;
/// Characters of a name in a sentence.
const LONGEST_NAME: usize = 40;

/// What a pattern alone most likely does not mean.
pub(super) fn warnings(pattern: &Pattern) -> impl Iterator<Item = String> {
    pattern.warnings().iter().map(|warning| format!("scope: {warning}"))
}

/// A pattern, applied to the channels that arrive. It is applied again when their names change.
#[derive(Debug)]
pub(super) struct Scope {
    pattern: Pattern,
    /// The names it was last applied to.
    names: Vec<String>,
    picked: Vec<usize>,
    said: HashSet<String>,
}

impl Scope {
    pub(super) fn new(pattern: Pattern) -> Self {
        Self { pattern, names: Vec::new(), picked: Vec::new(), said: HashSet::new() }
    }

    /// The channels that are shown, by their positions.
    pub(super) fn picked(&self) -> &[usize] {
        &self.picked
    }

    /// Looks at the channels of a frame; what there is to say if they are other ones, each sentence once.
    pub(super) fn follow(&mut self, sender: &str, names: &[String]) -> Vec<String> {
        if self.names == names {
            return Vec::new();
        }
        let was_empty = !self.names.is_empty() && self.picked.is_empty();
        names.clone_into(&mut self.names);
        self.picked = self.pattern.select(names);
        if names.is_empty() {
            return Vec::new();
        }
        let mut sentences: Vec<String> = Vec::new();
        let there = || listed(names.iter().map(String::as_str));
        let unmatched = self.pattern.unmatched(names);
        sentences.extend(unmatched.iter().map(|warning| format!("scope: {warning}")));
        if self.picked.is_empty() {
            let count = say::count_of(names.len(), "channel");
            sentences.push(format!("the scope picks none of the {count} of {sender:?}: {}", there()));
            return self.unsaid(sentences);
        }
        if !unmatched.is_empty() {
            sentences.push(format!("the channels of {sender:?}: {}", there()));
        }
        if was_empty {
            let picked = self.picked.iter().filter_map(|index| names.get(*index)).map(String::as_str);
            sentences.push(format!("the scope picks of {sender:?} now: {}", listed(picked)));
        }
        self.unsaid(sentences)
    }

    /// Those that have not been said yet.
    fn unsaid(&mut self, mut sentences: Vec<String>) -> Vec<String> {
        let said = &mut self.said;
        sentences.retain(|sentence| said.len() < MOST_SAID && said.insert(sentence.clone()));
        sentences
    }
}

/// Names for a sentence: the first of them, and how many more there are.
fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    let mut names = names.fuse();
    let cut = |name: &str| match name.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.to_owned(),
    };
    let mut list = names.by_ref().take(MOST_NAMES).map(cut).collect::<Vec<_>>().join(" ");
    let more = names.count();
    if more > 0 {
        list.push_str(&format!(" … and {more} more"));
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &str) -> Vec<String> {
        names.split_whitespace().map(str::to_owned).collect()
    }

    fn scope(text: &str) -> Scope {
        Scope::new(Pattern::parse(text).unwrap())
    }

    #[test]
    fn it_is_applied_again_when_the_names_change() {
        let mut scope = scope("t* ^ty");
        assert_eq!(scope.follow("cam", &names("tx ty tz")), [""; 0]);
        assert_eq!(scope.picked(), [0, 2]);
        assert_eq!(scope.follow("cam", &names("tx ty tz")), [""; 0]);
        assert_eq!(
            scope.follow("cam", &names("rx ry")),
            [
                "scope: t* matches nothing: look at the names that there are",
                "scope: ^ty leaves nothing out: look at the names that there are",
                "the scope picks none of the 2 channels of \"cam\": rx ry"
            ]
        );
        assert_eq!(scope.picked(), [0; 0]);
        assert_eq!(scope.follow("cam", &names("ry ty tz")), ["the scope picks of \"cam\" now: tz"]);
        assert_eq!(scope.picked(), [2]);
        assert_eq!(scope.follow("cam", &[]), [""; 0]);
    }

    #[test]
    fn each_sentence_is_said_once_and_not_too_many() {
        let mut scope = scope("tx nosuch");
        assert_eq!(scope.follow("cam", &names("tx")).len(), 2);
        assert_eq!(scope.follow("cam", &names("tx ty")), ["the channels of \"cam\": tx ty"]);
        assert_eq!(scope.follow("cam", &names("tx")), [""; 0]);
        let changes = (0..100).map(|index| scope.follow("cam", &names(&format!("tx chan{index}"))).len());
        assert_eq!(changes.sum::<usize>(), MOST_SAID - 3);
        assert_eq!(scope.picked(), [0]);
    }

    #[test]
    fn a_list_is_short() {
        let many: Vec<String> = (1..=20).map(|index| format!("c{index}")).collect();
        let list = listed(many.iter().map(String::as_str));
        assert_eq!(list, "c1 c2 c3 c4 c5 c6 c7 c8 c9 c10 c11 c12 c13 c14 c15 c16 … and 4 more");
        assert_eq!(listed([["ä"; 50].concat().as_str()].into_iter()), format!("{}…", "ä".repeat(40)));
    }
}
