//! On this system.

use std::process::Command;

use super::{COMMAND, clippy, command, run_tests, test_args, with_component};
use crate::peers::peers;
use crate::process::{find, outcome, works};
use crate::python::{Environment, pythons};
use crate::steps::{Outcome, Step};
use crate::workspace::{ALL, Workspace};
use crate::{api, debian, doctests, lint, package};

/// What the tests of OSC speak with.
const PYTHON_OSC: &str = "python-osc>=1.9,<2";

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
        Step::new("liblo", || {
            let there =
                || !cfg!(target_os = "linux") || find(&["oscsend"]).is_some() && find(&["oscdump"]).is_some();
            debian::ensure("liblo's tools", &["liblo-tools"], there)
                .err()
                .map_or(Outcome::Passed, Outcome::NotRun)
        }),
        Step::new("python-osc", || python_osc(ws).err().unwrap_or(Outcome::Passed)),
        Step::new("tests", || run_tests(ws.cargo(test_args(ws)))),
        Step::new("doc tests", || doctests::step(ws)),
        Step::new("documentation", || {
            let mut doc = ws.cargo([&["doc", "--no-deps", "--locked"], &ALL[..]].concat());
            doc.env("RUSTDOCFLAGS", "-D warnings");
            outcome(doc)
        }),
        Step::new("public surface", || api::step(ws, api::Which::Together)),
        Step::new("package", || done(package::run(ws))),
        Step::new("demo", || demo(ws)),
    ]
}

/// What the first page says: `cargo run --release -- demo`. It is run with the program that the tests have: optimised it has
/// just been run by those who install it.
fn demo(ws: &Workspace) -> Outcome {
    let programs = ws.default_programs();
    if programs != [COMMAND] {
        return Outcome::Failed(format!("`cargo run` does not know which program is meant: {programs:?}"));
    }
    match command(ws) {
        Ok(program) => {
            let mut demo = Command::new(program);
            demo.args(["demo", "--seconds", "2"]);
            outcome(demo)
        }
        Err(outcome) => outcome,
    }
}

/// A Python with python-osc, where the tests of the command look for it: another program that speaks OSC.
fn python_osc(ws: &Workspace) -> Result<(), Outcome> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let folder = ws.target().join("python").join("osc");
    let mut has_it = Command::new(folder.join("bin").join("python"));
    has_it.args(["-I", "-c", "import pythonosc"]);
    if works(has_it) {
        return Ok(());
    }
    let python = pythons().map_err(Outcome::NotRun)?.pop();
    let python = python.ok_or_else(|| Outcome::NotRun("no Python is there any more".to_owned()))?;
    Environment::fresh(&python, folder)?.install(&[PYTHON_OSC.as_ref()])
}

/// What another task of this program came to.
fn done(result: anyhow::Result<()>) -> Outcome {
    match result {
        Ok(()) => Outcome::Passed,
        Err(error) => Outcome::Failed(format!("{error:#}")),
    }
}
