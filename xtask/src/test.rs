//! `cargo xtask test`: everything that must be green, in the order in which failures are cheapest.

use std::process::{Command, Stdio};

use anyhow::Result;

use crate::steps::{Outcome, Step, run_all};
use crate::workspace::Workspace;
use crate::{api, doctests, lint, package};

/// Runs every step; a step that cannot run is reported as such, and fails where `CI` is set.
///
/// # Errors
///
/// When a step failed.
pub(crate) fn run(ws: &Workspace) -> Result<()> {
    let strict = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    let nextest = works(ws.cargo(["nextest", "--version"]));
    let tests: &[&str] = if nextest {
        &["nextest", "run", "--workspace", "--locked"]
    } else {
        // What nextest runs too; the examples in the documentation have a step of their own.
        &["test", "--workspace", "--locked", "--lib", "--bins", "--tests", "--examples"]
    };
    let steps = vec![
        Step::new("format", || with_component(ws, "rustfmt", "fmt", &["fmt", "--all", "--check"])),
        Step::new("lint", || match lint::run(ws) {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(format!("{error:#}")),
        }),
        Step::new("clippy", || {
            let args = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
            with_component(ws, "clippy", "clippy", &args)
        }),
        Step::new("tests", || outcome(ws.cargo(tests.iter().copied()))),
        Step::new("doc tests", || doctests::step(ws)),
        Step::new("documentation", || {
            let mut doc = ws.cargo(["doc", "--workspace", "--no-deps", "--locked"]);
            doc.env("RUSTDOCFLAGS", "-D warnings");
            outcome(doc)
        }),
        Step::new("public surface", || api::step(ws)),
        Step::new("package", || match package::run(ws) {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(format!("{error:#}")),
        }),
        Step::new("demo", || {
            outcome(ws.cargo(["run", "--release", "--locked", "--", "demo", "--seconds", "2"]))
        }),
    ];
    run_all(steps, strict)
}

/// Runs cargo's `subcommand`, which rustup's `component` brings; adds the component when it is absent.
fn with_component(ws: &Workspace, component: &str, subcommand: &str, args: &[&str]) -> Outcome {
    let there = || works(ws.cargo([subcommand, "--version"]));
    if !there() {
        println!("    {component} is not installed: trying `rustup component add {component}`");
        let mut rustup = Command::new("rustup");
        rustup.args(["component", "add", component]).current_dir(ws.root());
        // Whether it worked shows below, in what is there afterwards.
        let _ = rustup.status();
        if !there() {
            return Outcome::NotRun(format!("install {component}, for example with rustup"));
        }
    }
    outcome(ws.cargo(args.iter().copied()))
}

/// Whether a command starts and succeeds; nothing is shown.
fn works(mut command: Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

fn outcome(mut command: Command) -> Outcome {
    match command.status() {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(format!("`{}` ended with {status}", shown(&command))),
        Err(error) => Outcome::Failed(format!("`{}` did not start: {error}", shown(&command))),
    }
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let args = command.get_args().map(|arg| arg.to_string_lossy());
    std::iter::once("cargo".into()).chain(args).collect::<Vec<_>>().join(" ")
}
