//! `cargo xtask wheel`: the wheels of the Python package, one for this system, and Windows' where it can be built here.

use std::path::PathBuf;

use anyhow::Result;

use crate::cross::{Cross, WINDOWS};
use crate::debian;
use crate::process::find;
use crate::python::wheel;
use crate::steps::{Outcome, Step, run_all};
use crate::workspace::Workspace;

const LINKER: &str = "x86_64-w64-mingw32-gcc";

/// Builds them into `target/wheels`.
///
/// # Errors
///
/// When one could not be built.
pub(crate) fn run(ws: &Workspace) -> Result<()> {
    let mut steps = vec![Step::new("wheel for this system", || built(here(ws)))];
    if cfg!(target_os = "linux") {
        steps.push(Step::new("wheel for Windows", || built(windows(ws))));
    }
    run_all(steps, false)
}

fn built(wheel: Result<PathBuf, Outcome>) -> Outcome {
    match wheel {
        Ok(path) => {
            println!("    {}", path.display());
            Outcome::Passed
        }
        Err(outcome) => outcome,
    }
}

/// On Linux the tag says which glibc the functions that are used came with: maturin finds out.
fn here(ws: &Workspace) -> Result<PathBuf, Outcome> {
    wheel(ws, &ws.target().join("wheels").join("here"), &["--release"])
}

fn windows(ws: &Workspace) -> Result<PathBuf, Outcome> {
    debian::ensure("MinGW-w64", &["gcc-mingw-w64-x86-64"], || find(&[LINKER]).is_some())
        .map_err(Outcome::NotRun)?;
    // What rustup adds: maturin calls the cargo that it finds.
    Cross::to(ws, WINDOWS).map_err(Outcome::NotRun)?;
    wheel(ws, &ws.target().join("wheels").join("windows"), &["--release", "--target", WINDOWS])
}
