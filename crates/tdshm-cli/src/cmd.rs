//! The subcommands, one file each.

mod clean;
mod completions;
mod demo;
mod doctor;
mod info;
mod list;
mod man;
mod run;
mod send;
#[cfg(feature = "web")]
mod serve;
mod snap;
mod watch;

use std::time::Duration;

use crate::args::Command;
use crate::stop::Stop;
use crate::{Again, Exit};

/// How long a lock is waited for. Shorter than the usual 5 seconds: Ctrl-C waits as long.
const LOCK_LIMIT: Duration = Duration::from_secs(1);

/// Runs a subcommand.
pub(crate) fn run(command: Command, again: &Again) -> anyhow::Result<Exit> {
    match command {
        Command::Demo(args) => demo::run(&args, again, &Stop::on_signals()?),
        Command::Send(args) => send::run(&args, &Stop::on_signals()?),
        Command::Watch(args) => watch::run(&args, &Stop::on_signals()?),
        Command::Run(args) => run::run(&args, &Stop::on_signals()?),
        Command::Doctor(args) => doctor::run(&args, again, &Stop::on_signals()?),
        #[cfg(feature = "web")]
        Command::Serve(args) => serve::run(&args, &Stop::on_signals()?),
        Command::Snap(args) => snap::run(&args, &Stop::on_signals()?),
        // These hold nothing that would have to be detached: a signal may end them as it does.
        Command::Info(args) => info::run(&args),
        Command::List(args) => list::run(&args),
        Command::Clean(args) => clean::run(&args),
        Command::Completions(args) => completions::run(&args),
        Command::Man(args) => man::run(&args),
    }
}
