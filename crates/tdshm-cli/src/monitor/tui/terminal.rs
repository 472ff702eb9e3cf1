//! The terminal while the monitor has it, and giving it back as it was: at the end, after a panic, and for a while when
//! somebody stops the program.

use std::io::{self, BufWriter, Stdout, Write};
use std::mem::ManuallyDrop;
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::Show;
use crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::backend::CrosstermBackend;
use ratatui::layout::{Rect, Size};
use ratatui::{Frame, Terminal};

#[cfg(unix)]
use super::graphics;
use super::graphics::Dots;

/// How long a terminal may take to answer. What it says later would be taken for keys.
#[cfg(unix)]
const ANSWERED_WITHIN: std::time::Duration = std::time::Duration::from_millis(400);

/// What is written at once: standard output's own buffer is small.
const BUFFER: usize = 1 << 16;

/// Whether this program has the terminal.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal, taken. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct Screen {
    /// Not dropped: that would show the cursor, which `give_back` does, and complain on a terminal that has gone, which panics.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<BufWriter<Stdout>>>>,
    /// What takes away what is not made of letters.
    goodbye: &'static str,
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
        Ok(Self { terminal: ManuallyDrop::new(terminal), goodbye: "" })
    }

    /// Asks the terminal whether it shows dots, before anybody else reads what it answers.
    #[cfg(unix)]
    pub(super) fn dots(&self) -> io::Result<Option<Dots>> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        use std::time::Instant;
        self.write(graphics::QUESTION)?;
        let (begin, input, mut answer) = (Instant::now(), io::stdin(), Vec::new());
        loop {
            let left = ANSWERED_WITHIN.saturating_sub(begin.elapsed());
            let limit = Timespec { tv_sec: 0, tv_nsec: left.subsec_nanos().into() };
            let ready = poll(&mut [PollFd::new(&input, PollFlags::IN)], Some(&limit));
            if left.is_zero() || !matches!(ready, Ok(1..)) {
                return Ok(None);
            }
            let mut bytes = [0; 256];
            let read = rustix::io::read(&input, &mut bytes)?;
            answer.extend_from_slice(bytes.get(..read).unwrap_or_default());
            match graphics::answered(&String::from_utf8_lossy(&answer)) {
                Some(dots) => return Ok(dots),
                None if read == 0 => return Ok(None),
                None => {}
            }
        }
    }

    /// A console answers nobody.
    #[cfg(not(unix))]
    #[allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "elsewhere it can fail")]
    pub(super) fn dots(&self) -> io::Result<Option<Dots>> {
        Ok(None)
    }

    /// Says what takes away what is not made of letters.
    pub(super) fn take_away(&mut self, goodbye: &'static str) {
        self.goodbye = goodbye;
    }

    /// Writes what is not made of letters.
    pub(super) fn write(&self, text: &str) -> io::Result<()> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()
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
        if TAKEN.load(Ordering::Acquire) {
            // The terminal may have gone.
            let _ = self.write(self.goodbye);
        }
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
