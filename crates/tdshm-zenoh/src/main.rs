//! The program `tdshm-net`. Everything is in the library.

use std::process::ExitCode;

use tdshm_zenoh::RUNTIME;

fn main() -> ExitCode {
    let (variable, threads) = RUNTIME;
    if std::env::var_os(variable).is_none() {
        // SAFETY: nothing has been done in this process yet, so that it has one thread: nobody else looks at its environment.
        unsafe { std::env::set_var(variable, threads) };
    }
    tdshm_zenoh::run(std::env::args_os()).into()
}
