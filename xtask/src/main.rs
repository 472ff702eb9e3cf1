//! The tasks of the workspace: `cargo xtask test` runs what must be green, the rest are its parts and its longer
//! brothers. Each task is one file.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a command line tool speaks on standard output")]

mod api;
mod bench;
mod cross;
mod debian;
mod doctests;
mod headers;
mod import_library;
mod install;
mod lint;
mod package;
mod peers;
mod process;
mod python;
mod soak;
mod steps;
mod test;
mod wheel;
mod wine;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// The tasks of the tdshm workspace.
#[derive(Debug, Parser)]
#[command(bin_name = "cargo xtask", arg_required_else_help = true)]
struct Args {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Everything that must be green: here, type-checked for macOS, and as Windows programs
    Test(test::Options),
    /// The house rules that no compiler checks: dependencies, manifests, unsafe code, documents
    Lint,
    /// What the published crates offer, compared with the text that was agreed on
    Api(api::Options),
    /// The C header, compared with the sources it is made from
    Headers(headers::Options),
    /// The crates as they would be published: packed, installed in an empty folder, and run
    Package,
    /// The C and C++ libraries, with their headers and what build systems look for, into a folder
    Install(install::Options),
    /// The same packed for publication: an archive for each system, and their checksums
    Archive(install::ArchiveOptions),
    /// The tests across processes, many times over and in parallel, then the long ones
    Soak(soak::Options),
    /// The benchmarks
    Bench(bench::Options),
    /// The wheels of the Python package: for this system, and on Linux for Windows as well
    Wheel,
}

fn main() -> ExitCode {
    if let Some(status) = api::as_rustdoc() {
        return status;
    }
    match run(&Args::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: &Task) -> anyhow::Result<()> {
    let workspace = Workspace::here()?;
    match task {
        Task::Test(options) => test::run(&workspace, options),
        Task::Lint => lint::run(&workspace),
        Task::Api(options) => api::run(&workspace, options),
        Task::Headers(options) => headers::run(&workspace, options),
        Task::Package => package::run(&workspace),
        Task::Install(options) => install::run(&workspace, options),
        Task::Archive(options) => install::archive(&workspace, options),
        Task::Soak(options) => soak::run(&workspace, options),
        Task::Bench(options) => bench::run(&workspace, options),
        Task::Wheel => wheel::run(&workspace),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Args::command().debug_assert();
    }
}
