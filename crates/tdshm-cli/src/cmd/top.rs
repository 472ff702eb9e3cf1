//! `tdshm top`: the monitor in a terminal.

use std::env;
use std::io::{self, IsTerminal};

use anyhow::bail;
use tdshm_ops::Pattern;

use crate::Exit;
use crate::args::top::TopArgs;
use crate::monitor::tui;
use crate::output::{colour, screen};
use crate::stop::Stop;

/// The most often that drawing makes sense.
const FASTEST: f64 = 240.0;

/// Shows the monitor until somebody quits.
pub(crate) fn run(args: &TopArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let segments = match args.patterns.join(" ") {
        text if text.trim().is_empty() => None,
        text => Some(Pattern::parse(&text)?),
    };
    let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    if dumb || !io::stdout().is_terminal() || !io::stdin().is_terminal() {
        bail!(
            "`tdshm top` draws on a terminal and takes its keys from one, and this is none: use `tdshm list` for what there \
             is, or `tdshm watch NAME` for what arrives"
        );
    }
    tui::run(segments, args.fps.min(FASTEST), args.letters, (colour::of_stdout(), screen::is_unicode()), stop)
}
