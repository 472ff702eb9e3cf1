//! `tdshm completions`: scripts for shells.

use clap::{Command, CommandFactory, Id};
use clap_complete::generate;

use crate::Exit;
use crate::args::{Args, CompletionsArgs};
use crate::output::screen;

/// Prints the script of a shell. It knows subcommands, flags and their values; names of segments come and go, and are
/// not completed.
pub(crate) fn run(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    let mut command = Args::command();
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, without_hidden);
    }
    let mut script = Vec::new();
    generate(args.shell, &mut command, "tdshm", &mut script);
    screen::write(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}

/// The same command for a person: scripts would offer hidden flags, too.
fn without_hidden(command: Command) -> Command {
    let visible: Vec<_> = command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned().collect();
    let about = command.get_about().cloned().unwrap_or_default();
    // One holds all flags: it has no use here.
    let is_visible = |id: &Id| visible.iter().any(|arg| arg.get_id() == id);
    let groups: Vec<_> =
        command.get_groups().filter(|group| group.get_args().all(is_visible)).cloned().collect();
    let kinds = command.get_subcommands().cloned().map(without_hidden);
    Command::new(command.get_name().to_owned()).about(about).args(visible).groups(groups).subcommands(kinds)
}
