//! Whether output is coloured.

use std::ffi::OsStr;
use std::io;

use anstream::{AutoStream, ColorChoice};

use crate::args::Color;

/// From here on output is coloured as `--color` says, this command's and that of the parser: help, and what is wrong
/// with arguments. Where it is auto, NO_COLOR, CLICOLOR_FORCE, CLICOLOR and the terminal decide, in this order.
pub(crate) fn choose(color: Color) {
    let choice = match color {
        Color::Auto => ColorChoice::Auto,
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    choice.write_global();
    // A console of Windows has to be told that there will be escape sequences. One that cannot be told is none.
    #[cfg(windows)]
    let _ = crossterm::ansi_support::supports_ansi();
}

/// What `--color` says among arguments that may not parse.
pub(crate) fn asked(args: &[impl AsRef<OsStr>]) -> Color {
    let words = args.iter().map(|arg| arg.as_ref().to_str().unwrap_or_default());
    let mut words = words.take_while(|word| *word != "--");
    let mut asked = None;
    while let Some(word) = words.next() {
        asked = match word.strip_prefix("--color") {
            Some("") => words.next(),
            Some(value) => value.strip_prefix('=').or(asked),
            None => asked,
        };
    }
    match asked {
        Some("always") => Color::Always,
        Some("never") => Color::Never,
        _ => Color::Auto,
    }
}

/// Whether standard output is.
pub(crate) fn of_stdout() -> bool {
    AutoStream::choice(&io::stdout()) != ColorChoice::Never
}

/// Whether standard error is.
pub(crate) fn of_stderr() -> bool {
    AutoStream::choice(&io::stderr()) != ColorChoice::Never
}

/// Text in a style, by its numbers in an escape sequence, where there are colours.
pub(crate) fn paint(colours: bool, style: &str, text: &str) -> String {
    if colours { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_found() {
        for (args, color) in [
            (&["tdshm", "--color", "never", "list"][..], Color::Never),
            (&["tdshm", "list", "--color=always"], Color::Always),
            (&["tdshm", "list", "--color=always", "--color=auto"], Color::Auto),
            (&["tdshm", "info", "--", "--color=never"], Color::Auto),
            (&["tdshm", "--colour=never", "--color"], Color::Auto),
        ] {
            assert_eq!(asked(args), color, "{args:?}");
        }
    }
}
