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

    /// Where a relative path of this operator begins: inside a component, beside anything else.
    pub(crate) fn inside_or_beside(&self, id: OpId) -> OpId {
        match self.get(id) {
            Some(node) if node.spec.family == Family::Comp => id,
            Some(node) => node.parent.unwrap_or(State::ROOT),
            None => State::ROOT,
        }
    }

    /// Where a relative path in a parameter of this operator begins: beside it, also for a component.
    pub(crate) fn beside(&self, id: OpId) -> OpId {
        self.get(id).and_then(|node| node.parent).unwrap_or(State::ROOT)
    }

    /// The operator that a path without wildcards means, seen from inside a component. The empty path means none.
    pub(crate) fn find(&self, from: OpId, path: &str) -> Option<OpId> {
        if path.is_empty() {
            return None;
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
    /// of the patterns, each once.
    pub(crate) fn find_all(&self, from: OpId, patterns: &str) -> Vec<OpId> {
        let mut found = Vec::new();
        for pattern in patterns.split_ascii_whitespace() {
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
