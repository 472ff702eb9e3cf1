//! A block of lines that is drawn again and again in the same place of a terminal.

use std::env;
use std::io::{self, IsTerminal, Write};

use crossterm::cursor::{Hide, MoveTo, MoveToPreviousLine, Show};
use crossterm::terminal::{self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use crossterm::{Command, QueueableCommand};

/// Columns that are assumed where there is no terminal to ask.
const USUAL_COLUMNS: usize = 80;

/// Columns and rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) columns: usize,
    pub(crate) rows: usize,
}

/// A terminal that can be drawn on. The cursor is hidden from the first drawing on, and comes back when this
/// is dropped.
#[derive(Debug)]
pub(crate) struct Screen {
    colours: bool,
    /// Lines drawn last, and the size they were drawn for.
    drawn: Option<(u16, Size)>,
    hidden: bool,
}

impl Screen {
    /// Standard output, if it is a terminal that can move its cursor.
    pub(crate) fn of_stdout() -> Option<Self> {
        let dumb = env::var_os("TERM").is_some_and(|term| term == "dumb");
        let able = io::stdout().is_terminal() && !dumb;
        let colours = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        able.then_some(Self { colours, drawn: None, hidden: false })
    }

    /// Whether colours are welcome.
    pub(crate) fn colours(&self) -> bool {
        self.colours
    }

    /// Its size now.
    pub(crate) fn size() -> Size {
        match terminal::size() {
            Ok((columns, rows)) if columns > 0 && rows > 0 => {
                Size { columns: columns.into(), rows: rows.into() }
            }
            _ => Size { columns: columns(), rows: 24 },
        }
    }

    /// Draws `lines`, each no wider than the terminal, where the last ones were. Lines that do not fit its
    /// height are left out: make no more than `size.rows - 1`.
    pub(crate) fn draw(&mut self, size: Size, lines: &[String]) -> io::Result<()> {
        let mut text = String::new();
        add(&mut text, BeginSynchronizedUpdate);
        if !self.hidden {
            self.hidden = true;
            add(&mut text, Hide);
        }
        match self.drawn {
            // A terminal that is resized wraps its lines anew: nobody knows where they are.
            Some((_, before)) if before != size => {
                add(&mut text, Clear(ClearType::All));
                add(&mut text, MoveTo(0, 0));
            }
            Some((height, _)) if height > 0 => add(&mut text, MoveToPreviousLine(height)),
            _ => {}
        }
        let lines = lines.get(..size.rows.saturating_sub(1)).unwrap_or(lines);
        for line in lines {
            // Cleared first: behind a full line the cursor still stands on its last column.
            add(&mut text, Clear(ClearType::UntilNewLine));
            text.push_str(line.trim_end());
            text.push('\n');
        }
        add(&mut text, Clear(ClearType::FromCursorDown));
        add(&mut text, EndSynchronizedUpdate);
        self.drawn = Some((u16::try_from(lines.len()).unwrap_or(u16::MAX), size));
        write(&text)
    }

    /// Leaves what is drawn where it is: the next drawing begins below.
    pub(crate) fn forget(&mut self) {
        self.drawn = None;
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.hidden {
            let mut out = io::stdout().lock();
            // The terminal may have gone.
            let _ = out.queue(Show).and_then(|out| out.flush());
        }
    }
}

fn add(text: &mut String, command: impl Command) {
    // Writing into a string cannot fail.
    let _ = command.write_ansi(text);
}

/// Prints text as it is.
pub(crate) fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// How wide lines may be: the terminal's columns, or the usual ones.
pub(crate) fn columns() -> usize {
    match terminal::size() {
        Ok((columns, _)) if columns > 0 && io::stdout().is_terminal() => columns.into(),
        _ => USUAL_COLUMNS,
    }
}

/// Whether the terminal understands more than ASCII, as far as the environment says.
pub(crate) fn is_unicode() -> bool {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    cfg!(windows) || locale.is_none_or(|locale| locale.to_ascii_lowercase().replace('-', "").contains("utf8"))
}
