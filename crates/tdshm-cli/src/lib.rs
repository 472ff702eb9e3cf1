//! The command `tdshm`: streams channels into shared memory, shows what arrives, and says what is there.
//!
//! [`run`] is the whole program; the binary hands it the arguments and gives its [`Exit`] to the system. Data goes
//! to standard output, everything said about it to standard error.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `args` | the flags, as data |
//! | `cmd` | one file a subcommand |
//! | `source` | what is sent: a wave made up as it goes, or a recording at its own speed |
//! | `wave`, `pace` | the shapes of waves; when the next frame is due |
//! | `bundled` | the recording that comes with the command |
//! | `output` | frames as tables, CSV, JSON lines and bars; the terminal |
//! | `say`, `stop` | sentences on standard error; signals |
#![forbid(unsafe_code)]

mod args;
mod bundled;
mod cmd;
mod output;
mod pace;
mod say;
mod source;
mod stop;
mod wave;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::Parser;

/// How the command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exit {
    /// What was asked for is done, or nobody reads the output any more: status 0.
    Done,
    /// It failed, and a sentence on standard error says what to do: status 1.
    Failed,
    /// The arguments make no sense: status 2.
    Usage,
    /// A signal of that number ended it, after everything was detached: status 128 and the number, so 130
    /// after Ctrl-C.
    Signal(u8),
}

impl Exit {
    /// The exit status.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Signal(signal) => 128_u8.saturating_add(signal),
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Runs the command with `args`, the first of which is the program's own name, and returns when it is over.
///
/// From then on SIGINT, SIGTERM and SIGHUP of this process only ask a running command to end. The subcommand
/// `demo` starts the current executable a second time.
///
/// ```
/// assert_eq!(tdshm_cli::run(["tdshm", "send"]).code(), 2); // the name is missing
/// ```
pub fn run<I, T>(args: I) -> Exit
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let result = match args::Args::try_parse_from(args) {
        Ok(args) => cmd::run(args.command),
        Err(error) => Err(error.into()),
    };
    result.unwrap_or_else(|error| explain(&error))
}

fn explain(error: &anyhow::Error) -> Exit {
    if let Some(usage) = error.downcast_ref::<clap::Error>() {
        // Help and version come this way too. Where to print has gone: nobody reads it.
        let _ = usage.print();
        return if usage.use_stderr() { Exit::Usage } else { Exit::Done };
    }
    match error.downcast_ref::<io::Error>() {
        // Whoever read the output has enough of it.
        Some(error) if error.kind() == io::ErrorKind::BrokenPipe => return Exit::Done,
        // Only output fails without saying what it was.
        Some(error) => say::line(format_args!("cannot write the output: {error}: send it somewhere else")),
        None => say::line(error),
    }
    Exit::Failed
}
