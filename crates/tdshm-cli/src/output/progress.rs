//! How far a recording has been played: a bar on standard error, where that is a terminal.

use std::env;
use std::io::{self, IsTerminal};
use std::sync::{Mutex, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use terminal_size::{Width, terminal_size_of};

use crate::output::{fit, screen, short};

/// Columns of a title that is worth it.
const LEAST_TITLE: usize = 8;
/// Columns where nobody says.
const USUAL_COLUMNS: usize = 80;

/// The bar that stands on the screen: whatever else is said there goes above it.
static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// A bar. It goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    seconds: f64,
    /// What the bar says, in tenths of seconds, and the round.
    said: Option<(u64, u64)>,
}

impl Progress {
    /// A bar of so many seconds, if it can be seen.
    pub(crate) fn start(title: &str, seconds: f64) -> Option<Self> {
        if !is_seen() {
            return None;
        }
        let bar = ProgressBar::with_draw_target(Some(tenths(seconds)), ProgressDrawTarget::stderr());
        let chars = if screen::is_unicode() { "█▉▊▋▌▍▎▏ " } else { "## " };
        let style = ProgressStyle::with_template("{prefix} ▕{wide_bar}▏ {msg}".replace(ends(), "|").as_str());
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars(chars));
        bar.set_prefix(shortened(title, columns()));
        *BAR.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Some(Self { bar, seconds, said: None })
    }

    /// It has come to that second, in that round, counted from 0.
    pub(crate) fn at(&mut self, seconds: f64, round: u64) {
        let now = (tenths(seconds), round);
        if self.said == Some(now) {
            return;
        }
        self.said = Some(now);
        let round = if round == 0 { String::new() } else { format!(", round {}", round.saturating_add(1)) };
        self.bar
            .set_message(format!("{seconds:.1} of {} s{round}", short((self.seconds * 10.0).round() / 10.0)));
        self.bar.set_position(now.0);
    }
}

/// A line that says how far something is that has no end yet. It goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Line(ProgressBar);

impl Line {
    /// A line, if it can be seen.
    pub(crate) fn start(title: &str) -> Option<Self> {
        if !is_seen() {
            return None;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{prefix}: {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_prefix(shortened(title, columns()));
        *BAR.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar.clone());
        Some(Self(bar))
    }

    /// Says it, in place of what it said before.
    pub(crate) fn say(&mut self, what: String) {
        self.0.set_message(what);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        *BAR.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.0.finish_and_clear();
    }
}

/// A title that leaves two thirds of the line to what is said.
fn shortened(title: &str, columns: usize) -> String {
    fit(title, (columns / 3).max(LEAST_TITLE)).trim_end().to_owned()
}

/// Columns of the terminal that standard error is.
fn columns() -> usize {
    terminal_size_of(io::stderr()).map_or(USUAL_COLUMNS, |(Width(columns), _)| usize::from(columns))
}

/// Whether standard error is a terminal that can show it.
fn is_seen() -> bool {
    let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
    !dumb && io::stderr().is_terminal()
}

/// What the ends of a bar are replaced with where the terminal knows only ASCII: nothing elsewhere.
fn ends() -> &'static [char] {
    if screen::is_unicode() { &[] } else { &['▕', '▏'] }
}

fn tenths(seconds: f64) -> u64 {
    (seconds * 10.0).round() as u64
}

impl Drop for Progress {
    fn drop(&mut self) {
        *BAR.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.bar.finish_and_clear();
    }
}

/// Writes to standard error while no bar stands in the way.
pub(crate) fn without_bar(write: impl FnOnce()) {
    let bar = BAR.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_titles_leave_room() {
        assert_eq!(shortened("take.mcap", 40), "take.mcap");
        assert_eq!(shortened("a_very_long_take.mcap", 40), "a_very_long_…");
        assert_eq!(shortened("take_1.mcap", 1), "take_1.…");
    }
}
