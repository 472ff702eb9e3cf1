//! On this system.

use super::{clippy, test_args, with_component};
use crate::peers::peers;
use crate::process::{find, outcome};
use crate::steps::{Outcome, Step};
use crate::workspace::{ALL, Workspace};
use crate::{api, debian, doctests, lint, package};

/// The steps, in the order in which failures are cheapest.
pub(super) fn steps<'a>(ws: &'a Workspace) -> Vec<Step<'a>> {
    vec![
        Step::new("format", || {
            with_component(ws, "rustfmt", "fmt", || ws.cargo(["fmt", "--all", "--check"]))
        }),
        Step::new("lint", || done(lint::run(ws))),
        Step::new("clippy", || clippy(ws, |args| ws.cargo(args.iter().copied()), &[])),
        Step::new("peers", || peers(ws)),
        Step::new("libsixel", || {
            match debian::ensure("libsixel", &["libsixel-bin"], || {
                !cfg!(target_os = "linux") || find(&["sixel2png"]).is_some()
            }) {
                Ok(()) => Outcome::Passed,
                Err(request) => Outcome::NotRun(request),
            }
        }),
        Step::new("tests", || outcome(ws.cargo(test_args(ws)))),
        Step::new("doc tests", || doctests::step(ws)),
        Step::new("documentation", || {
            let mut doc = ws.cargo([&["doc", "--no-deps", "--locked"], &ALL[..]].concat());
            doc.env("RUSTDOCFLAGS", "-D warnings");
            outcome(doc)
        }),
        Step::new("public surface", || api::step(ws)),
        Step::new("package", || done(package::run(ws))),
        Step::new("demo", || {
            outcome(ws.cargo(["run", "--release", "--locked", "--", "demo", "--seconds", "2"]))
        }),
    ]
}

/// What another task of this program came to.
fn done(result: anyhow::Result<()>) -> Outcome {
    match result {
        Ok(()) => Outcome::Passed,
        Err(error) => Outcome::Failed(format!("{error:#}")),
    }
}
