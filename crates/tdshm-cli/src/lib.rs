//! The command `tdshm`: streams channels and images into shared memory, shows what arrives, and says what is there.
//!
//! [`run`] is the whole program; the binary hands it the arguments and gives its [`Exit`] to the system. Data goes
//! to standard output, everything said about it to standard error.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `args` | the flags, as data |
//! | `cmd` | one file a subcommand |
//! | `source` | what is sent: a wave made up as it goes, or a recording at its own speed |
//! | `wave`, `pattern`, `pace` | the shapes of waves; the test pattern; when the next frame is due |
//! | `bundled` | the recording that comes with the command |
//! | `output` | frames as tables, CSV, JSON lines and bars; the terminal, its colours and its width |
//! | `monitor` | all segments, looked at again and again, and the views of that |
//! | `say`, `stop` | sentences on standard error; signals |
#![forbid(unsafe_code)]

mod args;
mod bundled;
mod cmd;
mod monitor;
mod output;
mod pace;
mod pattern;
mod say;
mod source;
mod stop;
mod wave;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::{Command, ExitCode};

use clap::Parser;

use crate::output::colour;

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

/// How this very command is started once more, which the subcommands `demo` and `doctor` do: a program, and the arguments in front
/// of its own.
///
/// ```
/// // A front end in Python: `python3 -m tdshm`.
/// let again = tdshm_cli::Again::by("python3", ["-m", "tdshm"]);
/// assert_eq!(tdshm_cli::run_as(["tdshm", "list", "--frobnicate"], &again).code(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// `None`: the program that runs.
    program: Option<OsString>,
    args: Vec<OsString>,
}

impl Again {
    /// By the program that runs, without further arguments: right where its `main` calls [`run`].
    #[must_use]
    pub fn by_itself() -> Self {
        Self::default()
    }

    /// By that program, looked for as the system does, with those arguments in front.
    pub fn by<A: Into<OsString>>(program: impl Into<OsString>, args: impl IntoIterator<Item = A>) -> Self {
        Self { program: Some(program.into()), args: args.into_iter().map(Into::into).collect() }
    }
}

impl Again {
    /// This very command once more, without its arguments.
    fn command(&self) -> anyhow::Result<Command> {
        let program = match &self.program {
            Some(program) => program.clone(),
            None => std::env::current_exe()
                .map_err(|error| anyhow::anyhow!("cannot find this program, to start it again: {error}"))?
                .into_os_string(),
        };
        let mut command = Command::new(program);
        command.args(&self.args);
        Ok(command)
    }
}

/// Runs the command with `args`, the first of which is the program's own name, and returns when it is over.
///
/// From then on SIGINT, SIGTERM and SIGHUP of this process only ask a running command to end. The subcommands
/// `demo` and `doctor` start the current executable a second time: where that is another program, see [`run_as`].
///
/// ```
/// assert_eq!(tdshm_cli::run(["tdshm", "send"]).code(), 2); // the name is missing
/// ```
pub fn run<I, T>(args: I) -> Exit
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    run_as(args, &Again::by_itself())
}

/// As [`run`], in a program of which this command is only a part: `again` starts the command once more.
pub fn run_as<I, T>(args: I, again: &Again) -> Exit
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let args: Vec<OsString> = args.into_iter().map(Into::into).collect();
    // Help and errors of the parser are coloured, too.
    colour::choose(colour::asked(&args));
    let result = match args::Args::try_parse_from(args) {
        Ok(args) => {
            colour::choose(args.color);
            say::be_quiet(args.quiet);
            cmd::run(args.command, again)
        }
        Err(error) => Err(error.into()),
    };
    result.unwrap_or_else(|error| explain(&error))
}

fn explain(error: &anyhow::Error) -> Exit {
    if let Some(usage) = error.downcast_ref::<clap::Error>() {
        // Help and version come this way too.
        let printed = usage.print().and_then(|()| io::stdout().flush());
        return match printed {
            _ if usage.use_stderr() => Exit::Usage,
            Ok(()) => Exit::Done,
            Err(error) => explain_output(&error),
        };
    }
    match error.downcast_ref::<io::Error>() {
        // Only output fails without saying what it was.
        Some(error) => explain_output(error),
        None => {
            say::error(error);
            Exit::Failed
        }
    }
}

fn explain_output(error: &io::Error) -> Exit {
    // Whoever read the output has enough of it.
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Exit::Done;
    }
    say::error(format_args!("cannot write the output: {error}: send it somewhere else"));
    Exit::Failed
}
