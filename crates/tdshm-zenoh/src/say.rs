//! Sentences on standard error.

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Whether only what went wrong is said.
static QUIET: AtomicBool = AtomicBool::new(false);
/// The status line that stands on the screen, to be drawn again below what is said.
static STATUS: Mutex<String> = Mutex::new(String::new());

/// Characters of a status line: what most terminals show on one line.
const WIDEST: usize = 118;

/// From here on only what went wrong is said, or everything.
pub(crate) fn be_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Says one sentence about what happens.
pub(crate) fn line(what: impl Display) {
    if !QUIET.load(Ordering::Relaxed) {
        write(&what.to_string());
    }
}

/// Says one sentence about what went wrong.
pub(crate) fn error(what: impl Display) {
    write(&what.to_string());
}

/// Puts a line in place of the last one, where somebody looks. Nothing takes it away.
pub(crate) fn status(what: &str) {
    if QUIET.load(Ordering::Relaxed) || !io::stderr().is_terminal() {
        return;
    }
    let what: String = printable(what).chars().take(WIDEST).collect();
    let mut status = STATUS.lock().unwrap_or_else(PoisonError::into_inner);
    // Where standard error has gone, nobody wants to know.
    let _ = write!(io::stderr().lock(), "\r\x1b[K{what}");
    *status = what;
}

/// How much is said of what others can cause as often as they like; all of it is counted.
#[derive(Debug, Default)]
pub(crate) struct Moderate {
    since: Option<Instant>,
    said: u32,
}

impl Moderate {
    /// In that time no more than so many things are said.
    const WITHIN: (Duration, u32) = (Duration::from_secs(10), 16);

    /// Whether one more may be said.
    pub(crate) fn may(&mut self) -> bool {
        let (time, most) = Self::WITHIN;
        if self.since.is_none_or(|since| since.elapsed() >= time) {
            (self.since, self.said) = (Some(Instant::now()), 0);
        }
        let may = self.said < most;
        self.said = self.said.saturating_add(1);
        may
    }
}

fn write(what: &str) {
    let status = STATUS.lock().unwrap_or_else(PoisonError::into_inner);
    let clear = if status.is_empty() { "" } else { "\r\x1b[K" };
    let _ = write!(io::stderr().lock(), "{clear}tdshm-net: {}\n{status}", printable(what));
}

/// What comes from the network must not move anybody's cursor.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Prints one line of data.
pub(crate) fn data(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// `1 frame`, `2 frames`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// Bytes in decimal units.
pub(crate) fn bytes(number: f64) -> String {
    match number {
        n if n >= 1e9 => format!("{:.1} GB", n / 1e9),
        n if n >= 1e6 => format!("{:.1} MB", n / 1e6),
        n if n >= 1e3 => format!("{:.1} kB", n / 1e3),
        n => format!("{n:.0} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_so_much_is_said_at_a_time() {
        let mut moderate = Moderate::default();
        assert_eq!((0..100).filter(|_| moderate.may()).count(), 16);
        moderate.since = Instant::now().checked_sub(Duration::from_secs(11));
        assert!(moderate.may());
    }

    #[test]
    fn what_others_write_stays_in_its_line() {
        assert_eq!(printable("a\x1b[2J\nb"), "a\u{fffd}[2J\u{fffd}b");
        assert_eq!((count(1, "frame"), count(0, "frame")), ("1 frame".into(), "0 frames".into()));
        assert_eq!((bytes(999.0), bytes(8.3e6)), ("999 B".into(), "8.3 MB".into()));
    }
}
