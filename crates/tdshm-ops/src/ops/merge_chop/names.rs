//! What merged channels are called, and where each comes from (operators §3.3).

use std::collections::HashMap;
use std::sync::Arc;

use crate::clip::{ChannelNames, Clip};

/// Worked out again where the names of an input, or the rule, changed.
#[derive(Debug, Default)]
pub(super) struct MergedNames {
    rule: Arc<str>,
    of: Vec<ChannelNames>,
    names: ChannelNames,
    picked: Vec<(usize, usize)>,
}

impl MergedNames {
    pub(super) fn names(&self) -> &ChannelNames {
        &self.names
    }

    /// Which channel of which input each channel is.
    pub(super) fn picked(&self) -> &[(usize, usize)] {
        &self.picked
    }

    pub(super) fn work_out(&mut self, inputs: &[Arc<Clip>], rule: &Arc<str>) {
        let mut is_same = self.rule == *rule && self.of.len() == inputs.len();
        for (old, input) in self.of.iter_mut().zip(inputs) {
            if !old.same(input.names()) {
                is_same = is_same && *old == *input.names();
                // From now on it is the same object, and the next look at it is short.
                *old = input.names().clone();
            }
        }
        if is_same {
            return;
        }
        self.rule = Arc::clone(rule);
        self.of.clear();
        self.of.extend(inputs.iter().map(|input| input.names().clone()));
        self.picked.clear();
        let mut names: Vec<Arc<str>> = Vec::new();
        let mut taken: HashMap<Arc<str>, usize> = HashMap::new();
        let mut runs = HashMap::new();
        for (input, input_names) in self.of.iter().enumerate() {
            for (channel, name) in input_names.iter().enumerate() {
                let name = match (taken.get(name), &**rule) {
                    (None, _) => Arc::from(name),
                    (Some(_), "keepfirst") => continue,
                    (Some(&at), "keeplast") => {
                        if let Some(place) = self.picked.get_mut(at) {
                            *place = (input, channel);
                        }
                        continue;
                    }
                    (Some(_), _) => free_name(name, &taken, &mut runs),
                };
                taken.insert(Arc::clone(&name), names.len());
                names.push(name);
                self.picked.push((input, channel));
            }
        }
        self.names = ChannelNames::new(names);
    }
}

/// A name that is free: the number at its end counted up, or a number behind it. `runs` says for each name without its
/// number between which two there is none that is free.
fn free_name(
    name: &str,
    taken: &HashMap<Arc<str>, usize>,
    runs: &mut HashMap<String, (u64, u64)>,
) -> Arc<str> {
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let begin: u64 = name.get(base.len()..).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    let run =
        runs.get(base).copied().filter(|run| (run.0..=run.1).contains(&begin)).unwrap_or((begin, begin));
    let mut number = run.1;
    loop {
        // Behind the last number it begins again; there are fewer names than numbers.
        number = number.wrapping_add(1);
        let free: Arc<str> = format!("{base}{number}").into();
        if !taken.contains_key(&free) {
            runs.insert(base.to_owned(), (run.0, number));
            return free;
        }
    }
}
