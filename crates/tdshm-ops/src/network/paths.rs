//! From paths to operators and back (operators §0, §10.1).

use crate::network::state::State;
use crate::op::Family;
use crate::pattern::Pattern;
use crate::value::OpId;

impl State {
    /// The full path: `/project1/out1`; of the one at the top `/`.
    pub(crate) fn path(&self, id: OpId) -> String {
        let mut names = Vec::new();
        let mut at = self.get(id);
        while let Some(node) = at {
            if node.parent.is_none() {
                break;
            }
            names.push(&*node.name);
            at = node.parent.and_then(|parent| self.get(parent));
        }
        let mut path = String::new();
        for name in names.iter().rev() {
            path.push('/');
            path.push_str(name);
        }
        if path.is_empty() { "/".into() } else { path }
    }

    /// Where a path in a parameter or an expression of this operator begins: `.` and `..` count from the operator itself,
    /// a name is looked up beside it.
    pub(crate) fn seen_from(&self, id: OpId, path: &str) -> OpId {
        let begins_with_dots = matches!(path.split('/').next(), Some("." | ".."));
        if begins_with_dots { id } else { self.get(id).and_then(|node| node.parent).unwrap_or(State::ROOT) }
    }

    /// Where a path begins that a script looks up from this operator: inside a component, and as
    /// [`seen_from`](Self::seen_from) anything else.
    fn looked_up_from(&self, id: OpId, path: &str) -> OpId {
        match self.get(id) {
            Some(node) if node.spec.family == Family::Comp => id,
            _ => self.seen_from(id, path),
        }
    }

    /// The first operator that a script means by a path or a pattern, looked up from this operator.
    pub(crate) fn find_in(&self, id: OpId, path: &str) -> Option<OpId> {
        self.find(self.looked_up_from(id, path), path).or_else(|| self.find_all_in(id, path).first().copied())
    }

    /// All operators that a script means by patterns, looked up from this operator.
    pub(crate) fn find_all_in(&self, id: OpId, patterns: &str) -> Vec<OpId> {
        self.find_all_from(|pattern| self.looked_up_from(id, pattern), patterns)
    }

    /// The operator that a path without wildcards means, seen from inside a component. The empty path means none.
    pub(crate) fn find(&self, from: OpId, path: &str) -> Option<OpId> {
        if path.is_empty() {
            return None;
        }
        // No name begins with a digit.
        if path.starts_with(|c: char| c.is_ascii_digit()) {
            let id = OpId(path.parse().ok()?);
            return self.get(id).map(|_| id);
        }
        let mut at = if path.starts_with('/') { State::ROOT } else { from };
        for name in path.split('/') {
            at = match name {
                "" | "." => at,
                ".." => self.get(at)?.parent?,
                name => *self.get(at)?.by_name.get(name)?,
            };
        }
        self.get(at).map(|_| at)
    }

    /// All operators that patterns mean, separated by blanks; each segment of a path is a pattern of its own. In the order
    /// of the patterns, each once. A number is that of an operator (operators §10.1).
    pub(crate) fn find_all_from(&self, from: impl Fn(&str) -> OpId, patterns: &str) -> Vec<OpId> {
        let mut found = Vec::new();
        for pattern in patterns.split_ascii_whitespace() {
            let from = from(pattern);
            if let Some(only) = self.find(from, pattern) {
                if !found.contains(&only) {
                    found.push(only);
                }
                continue;
            }
            let mut level = vec![if pattern.starts_with('/') { State::ROOT } else { from }];
            for name in pattern.split('/').filter(|name| !name.is_empty() && *name != ".") {
                level = self.one_level(&level, name);
            }
            for id in level {
                if !found.contains(&id) {
                    found.push(id);
                }
            }
        }
        found
    }

    fn one_level(&self, level: &[OpId], name: &str) -> Vec<OpId> {
        if name == ".." {
            return level.iter().filter_map(|&id| self.get(id)?.parent).collect();
        }
        let Ok(pattern) = Pattern::parse(name) else { return Vec::new() };
        level
            .iter()
            .filter_map(|&id| self.get(id))
            .flat_map(|node| &node.children)
            .filter(|&&child| self.get(child).is_some_and(|node| pattern.matches(&node.name)))
            .copied()
            .collect()
    }
}
