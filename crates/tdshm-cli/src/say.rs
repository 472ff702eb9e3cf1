//! Sentences on standard error.

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::output::colour::{self, paint};
use crate::output::{printable, progress};

/// Whether only what went wrong is said.
static QUIET: AtomicBool = AtomicBool::new(false);

/// From here on only what went wrong is said, or everything.
pub(crate) fn be_quiet(quiet: bool) {
    QUIET.store(quiet, Ordering::Relaxed);
}

/// Whether only what went wrong is said.
pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Says one sentence about what happens.
pub(crate) fn line(what: impl Display) {
    if !is_quiet() {
        write(&format!("tdshm: {}\n", printable(&what.to_string())));
    }
}

/// Says one sentence about what went wrong.
pub(crate) fn error(what: impl Display) {
    let who = paint(colour::of_stderr(), "1;31", "tdshm:");
    write(&format!("{who} {}\n", printable(&what.to_string())));
}

/// Puts lines before a person who takes part, whatever else is said.
pub(crate) fn to_person(lines: &str) {
    write(lines);
}

/// Where standard error has gone, nobody wants to know.
fn write(text: &str) {
    progress::without_bar(|| {
        let _ = io::stderr().lock().write_all(text.as_bytes());
    });
}

/// A name as one would type it in a shell.
pub(crate) fn quoted(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '+' | '=' | '@' | '%');
    if name.starts_with('-') {
        return format!("-- {}", quoted_always(name));
    }
    if name.chars().all(plain) { name.to_owned() } else { quoted_always(name) }
}

#[cfg(not(windows))]
fn quoted_always(name: &str) -> String {
    format!("'{}'", name.replace('\'', "'\\''"))
}

/// As above: what both shells of Windows take for one word.
#[cfg(windows)]
fn quoted_always(name: &str) -> String {
    format!("\"{name}\"")
}

/// `1 frame`, `2 frames`.
pub(crate) fn count(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// [`count`] of what is counted in memory.
pub(crate) fn count_of(number: usize, thing: &str) -> String {
    count(u64::try_from(number).unwrap_or(u64::MAX), thing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_for_the_shell_where_they_need_it() {
        assert_eq!(quoted("mocap_1"), "mocap_1");
        let expected = if cfg!(windows) {
            [r#""my cam""#, r#""it's""#, r#"-- "-x""#]
        } else {
            ["'my cam'", r"'it'\''s'", "-- '-x'"]
        };
        assert_eq!(["my cam", "it's", "-x"].map(quoted), expected);
    }

    #[test]
    fn one_is_not_many() {
        assert_eq!((count(1, "frame"), count(0, "frame")), ("1 frame".into(), "0 frames".into()));
    }
}
