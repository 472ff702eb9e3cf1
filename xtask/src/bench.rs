//! `cargo xtask bench`: the benchmarks, which give ratios against baselines of the same run.

use anyhow::{Result, ensure};

use crate::steps::Outcome;
use crate::wine::Wine;
use crate::workspace::Workspace;

const PACKAGE: &str = "tdshm-bench";
/// What the figures of a Windows run are worth.
const NOTE: &str =
    "these figures are Wine's, not Windows': each use of a mutex or an event is a call to its server";

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Measure Windows programs, in Wine
    #[arg(long)]
    windows: bool,
    /// Passed on to `cargo bench`, for example the name of one benchmark
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
    let args = ["bench", "--package", PACKAGE, "--locked"];
    let args = args.into_iter().chain(options.args.iter().map(String::as_str));
    let status = if options.windows {
        let wine = Wine::set_up(ws).map_err(Outcome::into_error)?;
        println!("==> {NOTE}");
        let status = wine.cargo(ws, args).status()?;
        println!("==> {NOTE}");
        status
    } else {
        ws.cargo(args).status()?
    };
    ensure!(status.success(), "the benchmarks ended with {status}");
    Ok(())
}
