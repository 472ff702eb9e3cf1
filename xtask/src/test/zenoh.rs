//! What stands apart: `tdshm-zenoh`, compiled, looked at and tested by itself.

use super::{runner, with_component};
use crate::debian;
use crate::process::{find, outcome, works};
use crate::python::{Environment, pythons};
use crate::steps::{Outcome, Step};
use crate::workspace::{APART, Workspace};

/// Python's client, which shares no code of ours, and what the examples need besides.
const PACKAGES: &[&str] = &["eclipse-zenoh>=1.10,<2", "numpy"];

pub(super) fn steps<'a>(ws: &'a Workspace) -> Vec<Step<'a>> {
    vec![
        Step::new("zenoh: clippy", || {
            with_component(ws, "clippy", "clippy", || {
                ws.cargo(["clippy", "--all-targets", "--locked", "-p", APART, "--", "-D", "warnings"])
            })
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
            outcome(tests)
        }),
        Step::new("zenoh: doc tests", || outcome(ws.cargo(["test", "--doc", "--locked", "-p", APART]))),
        Step::new("zenoh: documentation", || {
            let mut doc = ws.cargo(["doc", "--no-deps", "--locked", "-p", APART]);
            doc.env("RUSTDOCFLAGS", "-D warnings");
            outcome(doc)
        }),
    ]
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
