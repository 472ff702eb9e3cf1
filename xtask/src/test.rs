//! `cargo xtask test`: everything that must be green: on this system, type-checked for macOS, and as Windows programs.
//!
//! Every part leaves out what stands apart from the workspace, but the last one, which is about nothing else.

mod browser;
mod c;
mod macos;
mod native;
mod python;
mod windows;
mod zenoh;

pub(crate) use self::zenoh::DOC as APART_DOC;

use std::env::consts::EXE_SUFFIX;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use clap::ValueEnum;

use crate::process::{outcome, works};
use crate::steps::{Outcome, run_all};
use crate::workspace::{ALL, Workspace};

/// The command's program.
const COMMAND: &str = "tdshm";

/// What to test.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Test only these parts [default: all]
    #[arg(long, value_enum, value_delimiter = ',', value_name = "PART")]
    only: Vec<Part>,
}

/// A part that stands alone. They run in this order: what fails cheaply comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Format, lints, tests, documentation and the demo, on this system
    Native,
    /// Type-checked for both kinds of Mac, warnings being errors
    Macos,
    /// In C and C++, on this system: headers, programs against Rust, sanitizers, valgrind, CMake, pkg-config
    C,
    /// The Python package, from its wheel, with the oldest and the newest Python here
    Python,
    /// The page of `tdshm serve`, in Chromium
    Browser,
    /// As Windows programs, run by Wine: lints, tests, the demo
    Windows,
    /// The network: `tdshm-zenoh` with its command, its lints and its tests, between hosts and with Python's client
    Zenoh,
}

/// Runs every step; a step that cannot run is reported as such, and fails where `CI` is set.
///
/// # Errors
///
/// When a step failed.
pub(crate) fn run(ws: &Workspace, options: &Options) -> Result<()> {
    let strict = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    let wine = windows::Setup::new(ws);
    let c_and_cpp = c::Setup::new(ws);
    let python = python::Setup::new(ws);
    let browser = browser::Setup::new(ws);
    let steps = parts(options).into_iter().flat_map(|part| match part {
        Part::Native => native::steps(ws),
        Part::Macos => macos::steps(ws),
        Part::C => c::steps(&c_and_cpp),
        Part::Python => python::steps(&python),
        Part::Browser => browser::steps(&browser),
        Part::Windows => windows::steps(&wine),
        Part::Zenoh => zenoh::steps(ws, &wine),
    });
    run_all(steps.collect(), strict)
}

/// On Windows the native part is the Windows part.
fn parts(options: &Options) -> Vec<Part> {
    let here = |part: &Part| !cfg!(windows) || *part != Part::Windows;
    let wanted = |part: &Part| options.only.is_empty() || options.only.contains(part);
    Part::value_variants().iter().copied().filter(|part| here(part) && wanted(part)).collect()
}

/// Runs a cargo with clippy, warnings being errors; `cargo` gives it for its arguments.
fn clippy(ws: &Workspace, cargo: impl FnOnce(&[&str]) -> Command, exclude: &[&str]) -> Outcome {
    let excluded = excluded(exclude);
    let args = [&["clippy", "--all-targets", "--locked"], &ALL[..], &excluded, &["--", "-D", "warnings"]];
    with_component(ws, "clippy", "clippy", || cargo(&args.concat()))
}

/// The arguments of a cargo that builds the command with the tests in C++: a selection of what `test_args` builds. cargo
/// gives each package what all that are selected ask of it, so the command alone would be compiled anew, and a fifth of what
/// it is made of with it.
fn command_args() -> Vec<&'static str> {
    [&["build", "--locked"], &ALL[..], &["--bin", COMMAND, "--test", c::TESTS]].concat()
}

/// Builds the command as the tests have it; gives its place.
fn command(ws: &Workspace) -> Result<PathBuf, Outcome> {
    match outcome(ws.cargo(command_args())) {
        Outcome::Passed => Ok(ws.target().join("debug").join(format!("{COMMAND}{EXE_SUFFIX}"))),
        other => Err(other),
    }
}

/// The arguments that leave packages out.
fn excluded<'p>(packages: &[&'p str]) -> Vec<&'p str> {
    packages.iter().flat_map(|package| ["--exclude", package]).collect()
}

/// Runs what rustup's `component` brings as cargo's `subcommand`; adds the component when it is absent.
fn with_component(
    ws: &Workspace,
    component: &str,
    subcommand: &str,
    command: impl FnOnce() -> Command,
) -> Outcome {
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
    outcome(command())
}

/// The arguments of a cargo that runs all tests but those in the documentation: with nextest where it is there.
fn test_args(ws: &Workspace) -> Vec<&'static str> {
    [runner(ws), &ALL].concat()
}

/// The same without the packages.
fn runner(ws: &Workspace) -> &'static [&'static str] {
    if has_nextest(ws) {
        &["nextest", "run", "--locked"]
    } else {
        // What nextest runs too; the examples in the documentation have a step of their own.
        &["test", "--locked", "--lib", "--bins", "--tests", "--examples"]
    }
}

/// Runs a cargo that runs tests: most of them wait for other programs, so there are two for each processor.
fn run_tests(mut cargo: Command) -> Outcome {
    const THREADS: &str = "NEXTEST_TEST_THREADS";
    if std::env::var_os(THREADS).is_none() {
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        cargo.env(THREADS, processors.saturating_mul(2).to_string());
    }
    outcome(cargo)
}

/// Whether cargo-nextest is installed.
fn has_nextest(ws: &Workspace) -> bool {
    works(ws.cargo(["nextest", "--version"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_run_in_their_order_whatever_order_was_asked_for() {
        let of = |only: &[Part]| parts(&Options { only: only.to_vec() });
        let all =
            [Part::Native, Part::Macos, Part::C, Part::Python, Part::Browser, Part::Windows, Part::Zenoh];
        assert_eq!(of(&[]), all);
        assert_eq!(of(&[Part::Windows, Part::Native]), [Part::Native, Part::Windows]);
        assert_eq!(of(&[Part::Macos]), [Part::Macos]);
    }
}
