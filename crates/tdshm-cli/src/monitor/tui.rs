//! The monitor in a terminal: `tdshm top`.

mod app;
mod facts;
mod graphics;
mod keys;
mod list;
mod picture;
mod plot;
mod scope;
mod terminal;
mod view;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use tdshm_ops::Pattern;

use crate::Exit;
use crate::monitor::model::{Live, Options};
use crate::stop::{SLICE, Stop};

use app::{App, Next, Theme};
use graphics::{Change, Dots, Shown};
use keys::Keys;
use terminal::Screen;

/// Where the terminal is closed, whether or not anybody says so.
const SIGHUP: u8 = 1;

/// Shows the monitor until somebody quits, at most so many times a second.
pub(crate) fn run(
    segments: Option<Pattern>,
    fps: f64,
    letters: bool,
    theme: (bool, bool),
    stop: &Stop,
) -> anyhow::Result<Exit> {
    let (colours, unicode) = theme;
    let mut app = App::new(Theme { colours, unicode }, segments);
    let jobs = Jobs::listen()?;
    let live = Live::start(Options::default());
    #[cfg(unix)]
    let _guard = keys::Guard::set(stop).map_err(|error| anyhow!("cannot start a thread: {error}"))?;
    let mut screen = Screen::take().map_err(|error| anyhow!("cannot use this terminal: {error}"))?;
    let dots = if letters || !colours { None } else { screen.dots()? };
    app.picture_elsewhere = dots.is_some();
    if dots == Some(Dots::Kitty) {
        screen.take_away(graphics::KITTY_REMOVE);
    }
    let mut shown = Shown::default();
    let every = Duration::try_from_secs_f64(fps.recip()).unwrap_or(SLICE);
    let (mut drawn, mut drawn_at): (Option<Stamp>, Option<Instant>) = (None, None);
    loop {
        if let Some(exit) = stop.requested() {
            return Ok(exit);
        }
        if !live.is_alive() {
            return Ok(Exit::Failed); // its panic has said why
        }
        let next = happened(&mut app, &live, pause(drawn_at, every))?;
        match next {
            Some(Next::HangUp) => return Ok(Exit::Signal(SIGHUP)),
            Some(Next::Quit) => return Ok(Exit::Done),
            Some(Next::Suspend) => {
                jobs.suspend(&mut screen)?;
                shown.is_lost();
                drawn = None;
            }
            Some(Next::DrawAll) => {
                screen.is_lost()?;
                shown.is_lost();
                drawn = None;
            }
            Some(Next::GoOn) => drawn = None,
            None => {}
        }
        if jobs.asked_to_suspend() {
            jobs.suspend(&mut screen)?;
            shown.is_lost();
            drawn = None;
        }
        if jobs.went_on() {
            screen.retake()?;
            shown.is_lost();
            drawn = None;
        }
        if jobs.resized() {
            screen.is_lost()?;
            shown.is_lost();
            drawn = None;
        }
        let now = Instant::now();
        if drawn_at.is_some_and(|at| now.saturating_duration_since(at) < every) {
            continue;
        }
        let stamp = live.with(|model| {
            app.settle(model, now);
            let selected = app.selected.as_ref().and_then(|name| model.segment(name)?.content());
            (model.surveys(), selected.map_or(0, |content| content.taken()))
        });
        if drawn != Some(stamp) {
            drawn = Some(stamp);
            drawn_at = Some(now);
            screen.draw(|frame| live.with(|model| view::draw(frame, &mut app, model, now)))?;
            if let Some(dots) = dots {
                let letter = letter();
                let change = live.with(|model| {
                    let content = app.content(model).map(|(content, _)| content);
                    shown.follow(dots, &app, content, letter)
                });
                match change {
                    Change::Nothing => {}
                    Change::Write(text) => screen.write(&text)?,
                    Change::DrawAll => {
                        screen.is_lost()?;
                        drawn = None;
                    }
                }
            }
        }
    }
}

/// Dots of a letter, across and down; 0 where the terminal does not say.
fn letter() -> (usize, usize) {
    let size = crossterm::terminal::window_size().ok();
    let dots = |dots: u16, letters: u16| usize::from(dots.checked_div(letters).unwrap_or(0));
    size.map_or((0, 0), |size| (dots(size.width, size.columns), dots(size.height, size.rows)))
}

/// How often all was looked at, and how many frames were read: where both are as before there is nothing new to draw.
type Stamp = (u64, u64);

/// How long to wait for keys: until the next drawing, and no longer than a look whether to stop may take.
fn pause(drawn_at: Option<Instant>, every: Duration) -> Duration {
    let since = drawn_at.map_or(every, |at| at.elapsed());
    every.saturating_sub(since).clamp(Duration::from_millis(1), SLICE)
}

/// Waits for keys, the mouse, or another size; what is to happen, if anything came.
fn happened(app: &mut App, live: &Live, limit: Duration) -> io::Result<Option<Next>> {
    let mut limit = limit;
    let mut happened = None;
    loop {
        match keys::wait(limit)? {
            Keys::Gone => return Ok(Some(Next::HangUp)),
            // What crossterm has read already, or a part of a key.
            _ if crossterm::event::poll(Duration::ZERO)? => {}
            _ => return Ok(happened),
        }
        let event = crossterm::event::read()?;
        #[cfg(debug_assertions)]
        panic_if_asked(&event);
        let next = live.with(|model| app.happened(&event, model, Instant::now()));
        live.wake();
        if next != Next::GoOn {
            return Ok(Some(next));
        }
        (happened, limit) = (Some(next), Duration::ZERO);
    }
}

/// Where the tests ask for it: what a mistake in this program does to the terminal.
#[cfg(debug_assertions)]
#[allow(clippy::panic, reason = "that is what it is for")]
fn panic_if_asked(event: &crossterm::event::Event) {
    if let crossterm::event::Event::Key(key) = event
        && key.code == crossterm::event::KeyCode::Char('!')
        && std::env::var_os("TDSHM_TOP_PANICS").is_some()
    {
        panic!("asked to");
    }
}

/// What a shell does with jobs: stops them, and lets them go on.
#[derive(Debug, Default)]
struct Jobs {
    stop: Arc<AtomicBool>,
    go_on: Arc<AtomicBool>,
    /// Another size. It comes as an event too, unless a key came in the same moment.
    resized: Arc<AtomicBool>,
}

#[cfg(unix)]
impl Jobs {
    fn listen() -> anyhow::Result<Self> {
        use signal_hook::consts::{SIGCONT, SIGTSTP, SIGWINCH};
        let jobs = Self::default();
        let flags = [(SIGTSTP, &jobs.stop), (SIGCONT, &jobs.go_on), (SIGWINCH, &jobs.resized)];
        for (signal, flag) in flags {
            signal_hook::flag::register(signal, Arc::clone(flag))
                .map_err(|error| anyhow!("cannot listen for signals: {error}"))?;
        }
        Ok(jobs)
    }

    /// Gives the terminal back and stops, until somebody lets it go on.
    fn suspend(&self, screen: &mut Screen) -> io::Result<()> {
        screen.lend(|| signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP))?;
        self.go_on.store(false, Ordering::Relaxed);
        Ok(())
    }
}

#[cfg(not(unix))]
impl Jobs {
    #[allow(clippy::unnecessary_wraps, reason = "elsewhere it can fail")]
    fn listen() -> anyhow::Result<Self> {
        Ok(Self::default())
    }

    /// No such thing here.
    #[allow(clippy::unnecessary_wraps, clippy::unused_self, reason = "elsewhere it can fail")]
    fn suspend(&self, _screen: &mut Screen) -> io::Result<()> {
        Ok(())
    }
}

impl Jobs {
    fn asked_to_suspend(&self) -> bool {
        self.stop.swap(false, Ordering::Relaxed)
    }

    fn resized(&self) -> bool {
        self.resized.swap(false, Ordering::Relaxed)
    }

    /// Whether it was stopped in a way that cannot be noticed, and let go on.
    fn went_on(&self) -> bool {
        self.go_on.swap(false, Ordering::Relaxed)
    }
}
