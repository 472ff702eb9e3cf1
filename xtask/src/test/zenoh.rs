//! What stands apart: `tdshm-zenoh`, compiled, looked at and tested by itself.

mod macos;

use super::windows::Setup as Windows;
use super::{run_tests, runner, with_component};
use crate::api::{self, Which};
use crate::process::{find, outcome, works};
use crate::python::{Environment, pythons};
use crate::steps::{Outcome, Step};
use crate::workspace::{APART, Workspace};
use crate::{debian, package};

/// Python's client, which shares no code of ours, and what the examples need besides.
const PACKAGES: &[&str] = &["eclipse-zenoh>=1.10,<2", "numpy"];

/// Every warning is an error.
const CLIPPY: &[&str] = &["clippy", "--all-targets", "--locked", "-p", APART, "--", "-D", "warnings"];

/// There are no examples; but where they are asked for, cargo gives dependencies what tests ask of them, as clippy had them.
/// Otherwise it looks at a hundred of them anew.
pub(crate) const DOC: &[&str] =
    &["doc", "--no-deps", "--locked", "-p", APART, "--lib", "--bins", "--examples"];

pub(super) fn steps<'a>(ws: &'a Workspace, windows: &'a Windows<'a>) -> Vec<Step<'a>> {
    let mut steps = vec![
        Step::new("zenoh: clippy", || {
            with_component(ws, "clippy", "clippy", || ws.cargo(CLIPPY.iter().copied()))
        }),
        Step::new("zenoh: Python's client", || python(ws).err().unwrap_or(Outcome::Passed)),
        Step::new("zenoh: openssl", || {
            let there = || find(&["openssl"]).is_some();
            debian::ensure("openssl", &["openssl"], there).map_or_else(Outcome::NotRun, |()| Outcome::Passed)
        }),
        Step::new("zenoh: tests", || {
            let mut tests = ws.cargo([runner(ws), &["-p", APART]].concat());
            if let Ok(python) = python(ws) {
                tests.env("TDSHM_ZENOH_PYTHON", python.python().get_program());
            }
            run_tests(tests)
        }),
        Step::new("zenoh: doc tests", || outcome(ws.cargo(["test", "--doc", "--locked", "-p", APART]))),
        Step::new("zenoh: documentation", || {
            let mut doc = ws.cargo(DOC.iter().copied());
            doc.env("RUSTDOCFLAGS", "-D warnings");
            outcome(doc)
        }),
        Step::new("zenoh: public surface", || api::step(ws, Which::Apart)),
        Step::new("zenoh: packed files", || match package::check_files(ws, &ws.published_apart()) {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(format!("{error:#}")),
        }),
    ];
    steps.extend(macos::steps(ws));
    // On Windows the steps above are these.
    if !cfg!(windows) {
        steps.push(Step::new("zenoh: Windows, clippy", || {
            windows.with(|ws, wine| {
                with_component(ws, "clippy", "clippy", || wine.cargo(ws, CLIPPY.iter().copied()))
            })
        }));
        steps.push(Step::new("zenoh: Windows, tests", || {
            windows.with(|ws, wine| run_tests(wine.cargo(ws, [runner(ws), &["-p", APART]].concat())))
        }));
    }
    steps
}

/// A Python with zenoh's client, made once.
fn python(ws: &Workspace) -> Result<Environment, Outcome> {
    let folder = ws.target().join("zenoh").join("python");
    let mut there = Environment::at(folder.clone()).python();
    there.args(["-c", "import numpy, zenoh"]);
    if works(there) {
        return Ok(Environment::at(folder));
    }
    let newest = pythons().map_err(Outcome::NotRun)?.pop();
    let newest = newest.ok_or_else(|| Outcome::NotRun("no Python is there any more".to_owned()))?;
    let made = Environment::fresh(&newest, folder)?;
    made.install(&PACKAGES.iter().map(AsRef::as_ref).collect::<Vec<_>>())?;
    Ok(made)
}
