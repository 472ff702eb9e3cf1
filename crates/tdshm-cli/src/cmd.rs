//! The subcommands, one file each.

mod bridge;
mod clean;
mod completions;
mod convert;
mod demo;
mod doctor;
mod info;
mod list;
mod man;
pub(crate) mod names;
mod play;
mod record;
mod run;
mod send;
#[cfg(feature = "web")]
mod serve;
mod snap;
mod top;
mod watch;

use std::path::Path;
use std::time::Duration;

use anyhow::anyhow;
use tdshm_io::McapError;
use tdshm_io::file::Format;
use tdshm_io::file::sequence::holds_pictures;

use crate::args::Command;
use crate::stop::Stop;
use crate::{Again, Exit};

/// How long a lock is waited for. Shorter than the usual 5 seconds: Ctrl-C waits as long.
pub(crate) const LOCK_LIMIT: Duration = Duration::from_secs(1);

/// What is wrong with a recording, and which one it is.
fn of_recording(path: &Path, error: McapError) -> anyhow::Error {
    match error {
        McapError::Open { .. } | McapError::Create { .. } => error.into(),
        error => anyhow!("{}: {error}", path.display()),
    }
}

/// Whether its extension is one of channels or pictures, and not of recordings.
fn is_convertible(path: &Path) -> bool {
    holds_pictures(path) || Format::of(path).is_ok_and(|format| format != Format::Recording)
}

/// Runs a subcommand.
pub(crate) fn run(command: Command, again: &Again) -> anyhow::Result<Exit> {
    match command {
        Command::Demo(args) => demo::run(&args, again, &Stop::on_signals()?),
        Command::Send(args) => send::run(&args, &Stop::on_signals()?),
        Command::Watch(args) => watch::run(&args, &Stop::on_signals()?),
        Command::Run(args) => run::run(&args, &Stop::on_signals()?),
        Command::Record(args) => record::run(&args, &Stop::on_signals()?),
        Command::Play(args) => play::run(&args, &Stop::on_signals()?),
        Command::Doctor(args) => doctor::run(&args, again, &Stop::on_signals()?),
        Command::Convert(args) => convert::run(&args, &Stop::on_signals()?),
        Command::Top(args) => top::run(&args, &Stop::on_signals()?),
        #[cfg(feature = "web")]
        Command::Serve(args) => serve::run(&args, &Stop::on_signals()?),
        Command::Bridge(args) => bridge::run(&args, &Stop::on_signals()?),
        Command::Snap(args) => snap::run(&args, &Stop::on_signals()?),
        // These hold nothing that would have to be detached: a signal may end them as it does.
        Command::Info(args) => info::run(&args),
        Command::List(args) => list::run(&args),
        Command::Clean(args) => clean::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}
