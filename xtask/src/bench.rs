//! `cargo xtask bench`: the benchmarks, which give ratios against baselines of the same run.

use anyhow::{Result, ensure};

use crate::workspace::Workspace;

const PACKAGE: &str = "tdshm-bench";

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
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
    let status = ws.cargo(args.into_iter().chain(options.args.iter().map(String::as_str))).status()?;
    ensure!(status.success(), "the benchmarks ended with {status}");
    Ok(())
}
