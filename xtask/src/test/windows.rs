//! As Windows programs, run by Wine.

use std::cell::OnceCell;

use super::{c, clippy, excluded, run_tests, test_args};
use crate::process::outcome;
use crate::steps::{Outcome, Step};
use crate::wine::Wine;
use crate::workspace::{ALL, Workspace};

/// What runs nowhere but where people build.
const NOT_FOR_WINDOWS: [&str; 1] = ["tdshm-xtask"];
/// What has no tests either: benchmarks have a task of their own.
const NOT_TESTED: [&str; 2] = ["tdshm-xtask", "tdshm-bench"];

/// How long a test may take: Wine needs several times as long for each object, and longer still on a busy machine.
const WATCHDOG_SECONDS: &str = "300";

/// What all steps need, found or installed when the first of them asks for it.
pub(super) struct Setup<'a> {
    ws: &'a Workspace,
    wine: OnceCell<Result<Wine, Outcome>>,
}

impl<'a> Setup<'a> {
    pub(super) fn new(ws: &'a Workspace) -> Self {
        Self { ws, wine: OnceCell::new() }
    }

    /// Does something in Wine, or says why there is none.
    pub(super) fn with(&self, act: impl FnOnce(&Workspace, &Wine) -> Outcome) -> Outcome {
        match self.wine.get_or_init(|| Wine::for_tests(self.ws)) {
            Ok(wine) => act(self.ws, wine),
            Err(outcome) => outcome.clone(),
        }
    }
}

pub(super) fn steps<'a>(setup: &'a Setup<'a>) -> Vec<Step<'a>> {
    let step = |name, act: fn(&Workspace, &Wine) -> Outcome| Step::new(name, move || setup.with(act));
    vec![
        step("Windows: Wine", |_, _| Outcome::Passed),
        step("Windows: clippy", |ws, wine| {
            clippy(ws, |args| wine.cargo(ws, args.iter().copied()), &NOT_FOR_WINDOWS)
        }),
        step("Windows: tests", |ws, wine| {
            let (built, program) = wine.build_peer_with_steps(ws);
            if built != Outcome::Passed {
                return built;
            }
            let mut tests = wine.cargo(ws, [test_args(ws), excluded(&NOT_TESTED)].concat());
            tests.env("TDSHM_PEER_WITH_STEPS", program).env("TDSHM_TEST_SECONDS", WATCHDOG_SECONDS);
            run_tests(tests)
        }),
        step("Windows: C++ and Rust", |ws, wine| c::on_windows(ws, wine, &NOT_TESTED, WATCHDOG_SECONDS)),
        step("Windows: doc tests", |ws, wine| {
            let args = [&["test", "--doc", "--locked"], &ALL[..], &excluded(&NOT_TESTED)].concat();
            outcome(wine.cargo(ws, args))
        }),
        step("Windows: demo", |ws, wine| {
            // The program that its tests have just used: cargo would build it anew with features of its own.
            let mut demo = wine.program(wine.built(ws, "tdshm"));
            demo.args(["demo", "--seconds", "2"]);
            outcome(demo)
        }),
    ]
}
