//! The program `tdshm-net`. Everything is in the library.
#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    tdshm_zenoh::run(std::env::args_os()).into()
}
