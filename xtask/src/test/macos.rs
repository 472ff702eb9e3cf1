//! For macOS: nothing can be linked or run away from a Mac, but everything can be type-checked.

use super::clippy;
use crate::cross::Cross;
use crate::steps::{Outcome, Step};
use crate::workspace::Workspace;

/// Both kinds of Mac.
const TARGETS: [(&str, &str); 2] =
    [("macOS, Apple silicon", "aarch64-apple-darwin"), ("macOS, Intel", "x86_64-apple-darwin")];

pub(super) fn steps<'a>(ws: &'a Workspace) -> Vec<Step<'a>> {
    let step = |(name, target)| Step::new(name, move || check(ws, target));
    TARGETS.into_iter().map(step).collect()
}

fn check(ws: &Workspace, target: &'static str) -> Outcome {
    match Cross::to(ws, target) {
        Ok(cross) => clippy(ws, |args| cross.cargo(ws, args.iter().copied()), &[]),
        Err(missing) => Outcome::NotRun(missing),
    }
}
