//! The examples in the documentation: they run, and leave nothing behind.

use std::collections::BTreeSet;

use crate::steps::Outcome;
use crate::workspace::{ALL, Workspace};

/// Where Linux keeps shared memory; elsewhere it has no folder to look into.
const FOLDER: &str = "/dev/shm";
/// The short names of segments in the documentation begin like this, unless nobody makes them.
const NAMES: &str = "doc";

/// Runs them, and looks for objects that were not there before.
pub(crate) fn step(ws: &Workspace) -> Outcome {
    let before = objects();
    match ws.cargo([&["test", "--doc", "--locked"], &ALL[..]].concat()).status() {
        Ok(status) if status.success() => {}
        Ok(status) => return Outcome::Failed(format!("`cargo test --doc` ended with {status}")),
        Err(error) => return Outcome::Failed(format!("`cargo test --doc` did not start: {error}")),
    }
    let left: Vec<String> = objects().difference(&before).cloned().collect();
    if left.is_empty() {
        return Outcome::Passed;
    }
    Outcome::Failed(format!(
        "the examples left {} in {FOLDER}: drop what they made and call `tdshm::clean` in hidden lines at their end",
        left.join(", ")
    ))
}

/// The objects that examples in the documentation make.
fn objects() -> BTreeSet<String> {
    let Ok(entries) = std::fs::read_dir(FOLDER) else { return BTreeSet::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| is_from_documentation(name))
        .collect()
}

fn is_from_documentation(object: &str) -> bool {
    let short = object.trim_start_matches("TouchSHM");
    short.len() < object.len() && short.starts_with(NAMES)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whose_objects_are_looked_at() {
        for object in ["TouchSHMdoc12", "TouchSHMdoclock12Mutex", "TouchSHMTouchSHMdocin124jhd783h"] {
            assert!(is_from_documentation(object), "{object}");
        }
        for object in ["TouchSHMtdoc12", "doc12", "TouchSHM", "TouchSHMcircle"] {
            assert!(!is_from_documentation(object), "{object}");
        }
    }
}
