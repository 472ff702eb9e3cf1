//! A block of lines that is drawn again and again in the same place of a terminal.

use std::env;
use std::io::{self, IsTerminal, Write};

use crossterm::cursor::{Hide, MoveTo, MoveToPreviousLine, Show};
use crossterm::terminal::{BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate};
use crossterm::{Command, QueueableCommand};
use terminal_size::{Height, Width};

use crate::output::colour;

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
        able.then_some(Self { colours: colour::of_stdout(), drawn: None, hidden: false })
    }

    /// Whether colours are welcome.
    pub(crate) fn colours(&self) -> bool {
        self.colours
    }

    /// Its size now; fewer columns where COLUMNS says so.
    pub(crate) fn size() -> Size {
        let Size { columns, rows } = terminal_size().unwrap_or(Size { columns: 80, rows: 24 });
        // More than there are would wrap, and the cursor would not find its way back.
        Size { columns: columns_wanted().unwrap_or(columns).min(columns), rows }
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

/// How wide lines may be: what COLUMNS says, or the terminal; `None` where there is neither.
pub(crate) fn columns() -> Option<usize> {
    columns_wanted().or_else(|| terminal_size().map(|size| size.columns))
}

/// What the environment says about columns.
fn columns_wanted() -> Option<usize> {
    env::var("COLUMNS").ok()?.trim().parse().ok().filter(|columns| *columns > 0)
}

/// The size of the terminal that standard output is.
fn terminal_size() -> Option<Size> {
    let (Width(columns), Height(rows)) = terminal_size::terminal_size_of(io::stdout())?;
    (columns > 0 && rows > 0).then(|| Size { columns: columns.into(), rows: rows.into() })
}

/// Whether the terminal understands more than ASCII, as far as the environment says.
pub(crate) fn is_unicode() -> bool {
    let set = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG"));
    cfg!(windows) || locale.is_none_or(|locale| locale.to_ascii_lowercase().replace('-', "").contains("utf8"))
}
