//! The terminal while the monitor has it, and giving it back as it was: at the end, after a panic, and for a while when
//! somebody stops the program.

use std::io::{self, BufWriter, Stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::Show;
use crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Rect, Size};
use ratatui::{Frame, Terminal};

/// What is written at once: standard output's own buffer is small.
const BUFFER: usize = 1 << 16;

/// Whether this program has the terminal.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal, taken. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
}

impl Screen {
    pub(super) fn take() -> io::Result<Self> {
        enter()?;
        let terminal =
            match Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(BUFFER, io::stdout()))) {
                Ok(terminal) => terminal,
                Err(error) => {
                    give_back();
                    return Err(error);
                }
            };
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |what| {
            // First, so that what is said stands where it stays.
            give_back();
            before(what);
        }));
        Ok(Self { terminal })
    }

    /// Draws what is different.
    pub(super) fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(draw).map(|_| ())
    }

    /// Draws everything anew the next time: nobody knows what is on the screen.
    pub(super) fn is_lost(&mut self) -> io::Result<()> {
        let Size { width, height } = self.terminal.size()?;
        // As after a change of its size; `clear` would ask the terminal where its cursor is, and wait for the answer.
        self.terminal.resize(Rect { x: 0, y: 0, width, height })
    }

    /// Takes the terminal once more: whoever had it meanwhile left it in another state.
    pub(super) fn retake(&mut self) -> io::Result<()> {
        enter()?;
        self.is_lost()
    }

    /// Gives the terminal back, lets `away` happen, and takes it again.
    #[cfg(unix)]
    pub(super) fn lend(&mut self, away: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        give_back();
        let happened = away();
        enter()?;
        self.is_lost()?;
        happened
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    enable_raw_mode()?;
    TAKEN.store(true, Ordering::Release);
    execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture).inspect_err(|_| give_back())
}

/// Once, whoever comes first.
fn give_back() {
    if !TAKEN.swap(false, Ordering::AcqRel) {
        return;
    }
    // The terminal may have gone, and then nobody misses it.
    let _ = execute!(io::stdout(), DisableMouseCapture, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}
