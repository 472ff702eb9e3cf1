//! The program `tdshm`. Everything is in the library, so that other front ends are the same command.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    tdshm_cli::run(std::env::args_os()).into()
}
