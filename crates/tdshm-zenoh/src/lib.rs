//! `tdshm-net`: the segments of this machine for others, and those of others here, over [zenoh](https://zenoh.io).
//!
//! [`run`] is the whole command; the binary hands it the arguments. [`encoding`] is what goes over the wire, for programs that
//! want to read or write streams themselves.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `encoding` | keys, stamps, payloads: pure functions of bytes |
//! | `session` | zenoh's configuration, and the session that follows from it |
//! | `share` | a thread a segment, which publishes its frames while somebody listens; who asks gets the last one |
//! | `mirror` | a thread a stream, which makes it a segment of this machine, and never keeps more than the newest frame |
//! | `list` | what is shared where |
//! | `thread` | a stream and its thread, of either side |
//! | `args`, `wanted` | the flags, and what stands for hosts and segments in them |
//! | `status`, `output`, `say`, `stop` | what is counted; lines on standard output; sentences on standard error; signals |
//!
//! zenoh has threads of its own and calls back on them: there a message is put where one of our threads finds it. Only a single
//! small frame of channels goes into its segment there and then, where nobody has its lock: waking a thread would take longer.
//! No lock of ours is held while anything is handed to the network.
#![forbid(unsafe_code)]

mod args;
pub mod encoding;
mod list;
mod mirror;
mod output;
mod say;
mod session;
mod share;
mod status;
mod stop;
mod thread;
mod wanted;

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::Parser;

/// How long a lock of a segment is waited for.
const LOCK_LIMIT: Duration = Duration::from_secs(1);
/// How often something is said about streams, and written with `--json`.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// What this program is called: a segment that it sends is a mirror of another machine's, and is not shared again.
const PROGRAM: &str = "tdshm-net";

/// The variable with which zenoh's threads are set up, and what this program gives it where nobody else has: a message is handled
/// on the thread that hears of it first. As zenoh comes, that one wakes a second one, which takes as long as the whole of a segment's
/// way; there are two, so that one which writes a large image holds nobody up.
pub const RUNTIME: (&str, &str) = ("ZENOH_RUNTIME", "(net: (worker_threads: 2), rx: (handover: net))");

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
    /// A signal of that number ended it, after everything was detached: status 128 and the number, so 130 after Ctrl-C.
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
/// ```
/// assert_eq!(tdshm_zenoh::run(["tdshm-net", "mirror"]).code(), 2); // what to mirror is missing
/// ```
pub fn run<I, T>(args: I) -> Exit
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let args = match args::Args::try_parse_from(args) {
        Ok(args) => args,
        Err(usage) => {
            let failed = usage.use_stderr();
            // Where nobody reads the help, nobody misses it.
            let _ = usage.print();
            return if failed { Exit::Usage } else { Exit::Done };
        }
    };
    say::be_quiet(args.quiet);
    let result = match &args.command {
        args::Command::Share(share) => share::run(share),
        args::Command::Mirror(mirror) => mirror::run(mirror),
        args::Command::List(list) => list::run(list),
    };
    result.unwrap_or_else(|error| {
        match error.downcast_ref::<io::Error>() {
            // Whoever read the output has enough of it.
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => return Exit::Done,
            // Only output fails without saying what it was.
            Some(error) => {
                say::error(format_args!("cannot write the output: {error}: send it somewhere else"));
            }
            None => say::error(format_args!("{error:#}")),
        }
        Exit::Failed
    })
}

/// The clock of this machine, in nanoseconds since the Unix epoch.
fn now_ns() -> u64 {
    since_epoch(SystemTime::now())
}

fn since_epoch(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}
