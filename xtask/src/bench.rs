//! `cargo xtask bench`: the benchmarks, which give ratios against baselines of the same run.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, ensure};

use crate::install::{self, LINUX_LIBRARIES, Profile, System};
use crate::process::outcome;
use crate::python::{Environment, passed, pythons, wheel};
use crate::steps::Outcome;
use crate::wine::Wine;
use crate::workspace::Workspace;

const PACKAGE: &str = "tdshm-bench";
/// What figures of another machine would say, were it there.
const OF_WINE: &str = "These are figures of Wine, not of Windows: a mutex and an event are calls to its server there, in \
                       both columns, and the goals are those of Linux. What copies and looks cost is the same.";

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Run them as Windows programs, in Wine
    #[arg(long)]
    windows: bool,
    /// Measure the Python package, beside multiprocessing.shared_memory and memcpy
    #[arg(long, conflicts_with = "windows")]
    python: bool,
    /// Passed on to `cargo bench`, for example `--bench channels`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<String>,
}

/// Runs the benchmarks.
///
/// # Errors
///
/// When their package is not there, or one of them failed.
pub(crate) fn run(ws: &Workspace, options: &Options) -> Result<()> {
    ws.package(PACKAGE, "holds the benchmarks")?;
    if options.python {
        return python(ws).map_err(Outcome::into_error);
    }
    let args = ["bench", "--package", PACKAGE, "--locked"];
    let args = args.into_iter().chain(options.args.iter().map(String::as_str));
    let wine = options.windows.then(|| Wine::set_up(ws).map_err(Outcome::into_error)).transpose()?;
    let mut cargo = match &wine {
        Some(wine) => wine.cargo(ws, args),
        None => ws.cargo(args),
    };
    if wine.is_some() {
        println!("{OF_WINE}");
    }
    if wine.is_none() && cfg!(target_os = "linux") {
        cargo.env("TDSHM_BENCH_ROWS", rows(ws)?);
        // What the monitor costs is measured with the command itself.
        let built = ws.cargo(["build", "--release", "--locked", "--package", "tdshm-cli"]).status()?;
        ensure!(built.success(), "the command could not be built: {built}");
    }
    let status = cargo.status()?;
    ensure!(status.success(), "the benchmarks ended with {status}");
    if wine.is_some() {
        println!("{OF_WINE}");
    }
    Ok(())
}

/// Builds the program in C++.
fn rows(ws: &Workspace) -> Result<PathBuf> {
    let library = install::build(ws, System::Here, Profile::Release)?.join("libtdshm.a");
    let rows = ws.target().join("cpp").join("rows");
    std::fs::create_dir_all(ws.target().join("cpp"))?;
    let mut compiler = Command::new("g++");
    compiler.args(["-std=c++17", "-O2", "-Wall", "-Wextra", "-I"]);
    compiler.arg(ws.root().join("crates/tdshm-capi/include")).arg(ws.root().join("bench/cpp/rows.cpp"));
    compiler.arg(library).arg("-o").arg(&rows).args(LINUX_LIBRARIES.iter().map(|name| format!("-l{name}")));
    match outcome(compiler) {
        Outcome::Passed => Ok(rows),
        other => Err(other.into_error()),
    }
}

/// The wheel as it is released, with the newest Python of this machine.
fn python(ws: &Workspace) -> Result<(), Outcome> {
    let folder = ws.target().join("python");
    let wheel = wheel(ws, &folder.join("measured"), &["--release", "--compatibility", "linux"])?;
    let newest = pythons().map_err(Outcome::NotRun)?.pop();
    let newest = newest.ok_or_else(|| Outcome::NotRun("no Python was found".to_owned()))?;
    let environment = Environment::fresh(&newest, folder.join("bench"))?;
    environment.install(&["--force-reinstall".as_ref(), wheel.as_os_str()])?;
    let mut bench = environment.python();
    bench.arg(ws.root().join("bench/python/exchange.py")).current_dir(folder);
    passed(bench)
}
