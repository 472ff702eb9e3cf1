//! Whether keys are there, asked without crossterm: that reads on for ever from a terminal that has gone, and then nobody would
//! stop this program any more.

use std::io;
use std::time::Duration;

/// What the terminal has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// Nothing yet.
    None,
    /// Something to read.
    Some,
    /// Nothing any more: it was closed.
    #[cfg_attr(not(unix), allow(dead_code, reason = "a console goes with its programs"))]
    Gone,
}

#[cfg(unix)]
mod unix {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;

    use super::{Duration, Keys, io};
    use crate::stop::Stop;

    /// How often the guard looks whether it is still needed.
    const LOOK: Duration = Duration::from_millis(500);
    /// How long the program has to end by itself.
    const GRACE: Duration = Duration::from_secs(2);
    /// As after a SIGHUP.
    const HUNG_UP: i32 = 129;

    pub(in super::super) fn wait(limit: Duration) -> io::Result<Keys> {
        look(PollFlags::IN, limit)
    }

    fn look(what: PollFlags, limit: Duration) -> io::Result<Keys> {
        let input = io::stdin();
        let mut asked = [PollFd::new(&input, what)];
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        };
        match poll(&mut asked, Some(&limit)) {
            Ok(0) | Err(Errno::INTR) => return Ok(Keys::None),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let [asked] = asked;
        let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        Ok(if asked.revents().intersects(gone) { Keys::Gone } else { Keys::Some })
    }

    /// Ends the program where it cannot do so by itself, once it had the time: where its terminal goes in the very moment in
    /// which crossterm reads from it, or takes nothing more that is written to it, and somebody asks the program to stop.
    #[derive(Debug)]
    pub(in super::super) struct Guard(Arc<AtomicBool>);

    impl Guard {
        pub(in super::super) fn set(stop: &Stop) -> io::Result<Self> {
            let done = Arc::new(AtomicBool::new(false));
            let (seen, stop) = (Arc::clone(&done), stop.clone());
            thread::Builder::new().name("terminal".to_owned()).spawn(move || {
                let is_done = || seen.load(Ordering::Relaxed);
                while !is_done() {
                    let gone = look(PollFlags::empty(), LOOK).is_ok_and(|keys| keys == Keys::Gone);
                    let asked = stop.requested().map(|exit| i32::from(exit.code()));
                    if let Some(status) = asked.or(gone.then_some(HUNG_UP)) {
                        thread::sleep(GRACE);
                        if !is_done() {
                            // What writes nothing, so that the shell gets its lines and its echo back.
                            let _ = crossterm::terminal::disable_raw_mode();
                            std::process::exit(status);
                        }
                    }
                }
            })?;
            Ok(Self(done))
        }
    }

    impl Drop for Guard {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(unix)]
pub(super) use unix::{Guard, wait};

/// A console goes with its programs.
#[cfg(not(unix))]
pub(super) fn wait(limit: Duration) -> io::Result<Keys> {
    Ok(if crossterm::event::poll(limit)? { Keys::Some } else { Keys::None })
}
