//! On this system.

use super::{clippy, test_args, with_component};
use crate::process::outcome;
use crate::steps::{Outcome, Step};
use crate::workspace::Workspace;
use crate::{api, doctests, lint, package};

/// The steps, in the order in which failures are cheapest.
pub(super) fn steps<'a>(ws: &'a Workspace) -> Vec<Step<'a>> {
    vec![
        Step::new("format", || {
            with_component(ws, "rustfmt", "fmt", || ws.cargo(["fmt", "--all", "--check"]))
        }),
        Step::new("lint", || done(lint::run(ws))),
        Step::new("clippy", || clippy(ws, |args| ws.cargo(args.iter().copied()), &[])),
        Step::new("peers", || peers(ws)),
        Step::new("tests", || outcome(ws.cargo(test_args(ws).iter().copied()))),
        Step::new("doc tests", || doctests::step(ws)),
        Step::new("documentation", || {
            let mut doc = ws.cargo(["doc", "--workspace", "--no-deps", "--locked"]);
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

/// The peers of the tests that are built with flags of their own. Tests build them where they are missing, but each of
/// them has only so long, and on a slow machine one build would take all of it.
fn peers(ws: &Workspace) -> Outcome {
    let kinds = [("steps", "--cfg tdshm_steps"), ("macos", "--cfg tdshm_macos --cfg tdshm_steps")];
    for (folder, flags) in kinds {
        if cfg!(not(target_os = "linux")) && folder == "macos" {
            continue; // what is rehearsed there is rehearsed on Linux alone
        }
        let mut cargo = ws.cargo(["build", "--locked", "--package", "tdshm-tests", "--bin", "peer"]);
        cargo.arg("--target-dir").arg(ws.target().join(folder));
        cargo.env("RUSTFLAGS", flags).env_remove("CARGO_ENCODED_RUSTFLAGS");
        let built = outcome(cargo);
        if built != Outcome::Passed {
            return built;
        }
    }
    Outcome::Passed
}

/// What another task of this program came to.
fn done(result: anyhow::Result<()>) -> Outcome {
    match result {
        Ok(()) => Outcome::Passed,
        Err(error) => Outcome::Failed(format!("{error:#}")),
    }
}
