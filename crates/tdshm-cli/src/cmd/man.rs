//! `tdshm man`: pages of the manual.

use std::fs;
use std::io;

use anyhow::{Context, anyhow};
use clap::error::ErrorKind as UsageKind;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::args::{self, Args, ManArgs, examples};
use crate::output::screen;
use crate::{Exit, say};

/// Prints a page, or writes all of them.
pub(crate) fn run(args: &ManArgs) -> anyhow::Result<Exit> {
    let mut command = Args::command().disable_help_subcommand(true);
    // Subcommands take the flags of all from it, and their full names.
    command.build();
    if let Some(folder) = &args.out {
        let mut written = 0_u64;
        let mut commands = vec![&command];
        while let Some(command) = commands.pop() {
            commands.extend(command.get_subcommands());
            let path = folder.join(format!("{}.1", title(command)));
            fs::write(&path, page(command)?)
                .with_context(|| format!("cannot write {}", path.display()))
                .map_err(|error| {
                    anyhow!("{error:#}: name a folder that is there, and that you may write to")
                })?;
            written = written.saturating_add(1);
        }
        say::line(format_args!("wrote {} to {}", say::count(written, "page"), folder.display()));
        return Ok(Exit::Done);
    }
    let mut wanted = &command;
    for name in &args.subcommand {
        wanted = match wanted.find_subcommand(name) {
            Some(subcommand) => subcommand,
            None => {
                let what = format!("there is no subcommand {name:?}: `tdshm help` lists them");
                return Err(args::wrong("man", UsageKind::InvalidSubcommand, what));
            }
        };
    }
    screen::write(&page(wanted)?)?;
    Ok(Exit::Done)
}

/// `tdshm-send`.
fn title(command: &Command) -> String {
    full_name(command).replace(' ', "-")
}

/// `tdshm send`.
fn full_name(command: &Command) -> &str {
    command.get_bin_name().unwrap_or(command.get_name())
}

fn page(command: &Command) -> io::Result<String> {
    let title = title(command);
    let below = examples::below(command.get_name());
    let version = concat!("tdshm ", env!("CARGO_PKG_VERSION"));
    let man = Man::new(command.clone().name(full_name(command).to_owned()));
    let man = man.title(title.to_uppercase()).source(version).manual("tdshm");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut page = String::from_utf8_lossy(&page).into_owned();
    page.push_str(".SH EXAMPLES\n");
    for (typed, what) in below.examples {
        page.push_str(&format!(".TP\n\\fB{}\\fR\n{}\n", escaped(typed), escaped(what)));
    }
    for (title, remark) in below.remarks {
        page.push_str(&format!(".SH \"{}\"\n{}\n", escaped(&title.to_uppercase()), escaped(remark)));
    }
    Ok(page)
}

/// Text that troff leaves alone.
fn escaped(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    // What stands first in a line would be a request.
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}
