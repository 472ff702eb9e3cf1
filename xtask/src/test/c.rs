//! In C and C++: the headers by every compiler, programs on them under sanitizers and valgrind and against Rust, and
//! programs that find the installed library as strangers do.

mod build;
mod consumers;
mod headers;

use std::cell::OnceCell;
use std::path::PathBuf;
use std::process::Command;

use self::build::{Flavour, Programs};
use super::{COMMAND, command_args, excluded, has_nextest};
use crate::debian;
use crate::install::{self, Profile, System};
use crate::process::{find, outcome};
use crate::steps::{Outcome, Step};
use crate::wine::Wine;
use crate::workspace::{ALL, Workspace};

/// The program of the tests that need what is built here.
pub(super) const TESTS: &str = "cpp";

/// What Debian's packages are called, and the programs that they bring.
const TOOLS: &[(&str, &str)] = &[
    ("g++", "g++"),
    ("clang", "clang++"),
    ("cmake", "cmake"),
    ("pkg-config", "pkg-config"),
    ("valgrind", "valgrind"),
    ("gcc-mingw-w64-x86-64", "x86_64-w64-mingw32-gcc"),
    ("g++-mingw-w64-x86-64", "x86_64-w64-mingw32-g++"),
];

/// What all steps need, found, installed or built when the first of them asks for it.
pub(super) struct Setup<'a> {
    ws: &'a Workspace,
    tools: OnceCell<Result<(), Outcome>>,
    library: OnceCell<Result<PathBuf, Outcome>>,
}

impl<'a> Setup<'a> {
    pub(super) fn new(ws: &'a Workspace) -> Self {
        Self { ws, tools: OnceCell::new(), library: OnceCell::new() }
    }

    /// The compilers and what else there has to be.
    fn tools(&self) -> Result<(), Outcome> {
        let there = || TOOLS.iter().all(|(_, program)| find(&[program]).is_some());
        let packages: Vec<&str> = TOOLS.iter().map(|(package, _)| *package).collect();
        let ensure = || {
            debian::ensure("Compilers, CMake, pkg-config and valgrind", &packages, there)
                .map_err(Outcome::NotRun)
        };
        self.tools.get_or_init(ensure).clone()
    }

    /// The folder of the libraries, which are built once.
    fn library(&self) -> Result<PathBuf, Outcome> {
        self.tools()?;
        let build = || {
            install::build(self.ws, System::Here, Profile::Dev).map_err(|e| Outcome::Failed(format!("{e:#}")))
        };
        self.library.get_or_init(build).clone()
    }

    /// The programs of one kind.
    fn programs(&self, flavour: Flavour) -> Result<Programs, Outcome> {
        Programs::build(self.ws, flavour, &self.library()?)
    }
}

pub(super) fn steps<'a>(setup: &'a Setup<'a>) -> Vec<Step<'a>> {
    let step = |name, act: fn(&Setup<'_>) -> Result<(), Outcome>| {
        Step::new(name, move || act(setup).err().unwrap_or(Outcome::Passed))
    };
    vec![
        step("C: tools", |setup| setup.tools()),
        step("C: headers", |setup| {
            setup.tools()?;
            headers::compile(setup.ws)
        }),
        step("C++ and Rust", |setup| suites(setup, &setup.programs(Flavour::Plain)?)),
        step("C++ and Rust, sanitizers", |setup| suites(setup, &setup.programs(Flavour::Sanitized)?)),
        // What several processes do is seen by the sanitizers; here it would be all that takes its time.
        step("C++, valgrind", |setup| setup.programs(Flavour::Plain)?.under_valgrind()),
        step("C and C++, installed", |setup| {
            setup.tools()?;
            consumers::build_and_run(setup.ws)
        }),
    ]
}

/// Runs the tests that need the programs, with the programs of one kind on the other side.
fn suites(setup: &Setup<'_>, programs: &Programs) -> Result<(), Outcome> {
    let ws = setup.ws;
    let command = super::command(ws)?;
    let mut tests = ws.cargo(own_tests(ws, &[]));
    programs.environment(&mut tests);
    tests.env("TDSHM_COMMAND", command);
    passed(tests)
}

/// The same as Windows programs on both sides; `exclude` is what the tests there leave out.
pub(super) fn on_windows(ws: &Workspace, wine: &Wine, exclude: &[&str], watchdog: &str) -> Outcome {
    let run = || {
        let library = install::build(ws, System::Windows, Profile::Dev)
            .map_err(|e| Outcome::Failed(format!("{e:#}")))?;
        consumers::with_visual_cpp(ws, wine)?;
        let programs = Programs::build(ws, Flavour::Windows, &library)?;
        passed(wine.cargo(ws, [command_args(), excluded(exclude)].concat()))?;
        let mut tests = wine.cargo(ws, own_tests(ws, exclude));
        programs.environment(&mut tests);
        tests.env("TDSHM_COMMAND", wine.built(ws, COMMAND)).env("TDSHM_TEST_SECONDS", watchdog);
        passed(tests)
    };
    run().err().unwrap_or(Outcome::Passed)
}

/// The arguments of a cargo that runs the tests that are left out otherwise.
fn own_tests<'p>(ws: &Workspace, exclude: &[&'p str]) -> Vec<&'p str> {
    let (runner, ignored): (&[&str], &[&str]) = if has_nextest(ws) {
        (&["nextest", "run"], &["--run-ignored", "only"])
    } else {
        (&["test"], &["--", "--ignored"])
    };
    [runner, &["--locked"], &ALL, &excluded(exclude), &["--test", TESTS], ignored].concat()
}

fn passed(command: Command) -> Result<(), Outcome> {
    match outcome(command) {
        Outcome::Passed => Ok(()),
        other => Err(other),
    }
}
