//! Frames that are read ahead: a thread reads them, and no more than fit some memory.

use std::collections::VecDeque;
use std::fs::File;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tdshm_io::file::recording::{Frame, McapError, Reader};

use crate::say;
use crate::stop::{SLICE, Stop};

/// Bytes of blocks that are read ahead, or one block.
const AHEAD_BYTES: usize = 16 << 20;
/// Frames that are read ahead: small ones take more memory than their blocks.
const AHEAD_FRAMES: usize = 4096;

/// What part of a recording is played, and how often.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    /// The first and the last time, since the Unix epoch.
    pub(super) first: Duration,
    pub(super) last: Duration,
    /// When the last frame is due, if not before: for a bar.
    pub(super) through: Duration,
    /// From the beginning of a round to that of the next; `None`: there is one round.
    pub(super) round: Option<Duration>,
}

/// A frame, and when it is due: since the beginning of the first round, at the speed it was recorded.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) frame: Frame,
    pub(super) at: Duration,
    pub(super) round: u64,
}

/// What comes.
#[derive(Debug)]
pub(super) enum Come {
    Due(Due),
    /// There is nothing more, for want of frames or because of what is wrong with them.
    End(Result<(), McapError>),
}

/// What both sides see.
#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    come: VecDeque<Come>,
    bytes: usize,
    spares: Vec<Vec<u8>>,
    /// Parts of the file that were left out.
    left_out: u64,
    /// Nobody wants more.
    over: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts it behind the others once there is room. `false`: nobody wants more.
    fn put(&self, come: Come) -> bool {
        let bytes = bytes_of(&come);
        let mut state = self.state();
        let is_full = |state: &State| {
            let too_many =
                state.bytes.saturating_add(bytes) > AHEAD_BYTES || state.come.len() >= AHEAD_FRAMES;
            too_many && !state.come.is_empty()
        };
        while !state.over && is_full(&state) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.over {
            return false;
        }
        state.bytes = state.bytes.saturating_add(bytes);
        state.come.push_back(come);
        self.changed.notify_all();
        true
    }
}

fn bytes_of(come: &Come) -> usize {
    match come {
        Come::Due(due) => due.frame.block.len(),
        Come::End(_) => 0,
    }
}

/// The frames that a thread reads ahead. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Ahead(Arc<Shared>);

impl Ahead {
    /// Starts to read.
    pub(super) fn start(reader: Reader<File>, part: Part) -> Self {
        let shared = Arc::new(Shared::default());
        let its = Arc::clone(&shared);
        thread::spawn(move || {
            let ended = read(reader, part, &its);
            its.put(Come::End(ended));
        });
        Self(shared)
    }

    /// The next one; `None`: somebody asks to stop.
    pub(super) fn next(&self, stop: &Stop) -> Option<Come> {
        let mut state = self.0.state();
        loop {
            if let Some(come) = state.come.pop_front() {
                state.bytes = state.bytes.saturating_sub(bytes_of(&come));
                self.0.changed.notify_all();
                return Some(come);
            }
            if stop.requested().is_some() {
                return None;
            }
            state = self.0.changed.wait_timeout(state, SLICE).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// A block that has been sent: its memory is free.
    pub(super) fn give_back(&self, block: Vec<u8>) {
        let mut state = self.0.state();
        if state.spares.is_empty() {
            return state.spares.push(block);
        }
        // To give it back to the system takes time, in which the other thread may want to go on.
        drop(state);
        drop(block);
    }

    /// Parts of the file that were left out, so far.
    pub(super) fn left_out(&self) -> u64 {
        self.0.state().left_out
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.0.state().over = true;
        self.0.changed.notify_all();
    }
}

fn read(mut reader: Reader<File>, part: Part, to: &Shared) -> Result<(), McapError> {
    let mut round = 0_u64;
    let mut begin = Duration::ZERO;
    loop {
        let mut frames = 0_u64;
        loop {
            if let Some(spare) = to.state().spares.pop() {
                reader.give_back(spare);
            }
            match reader.next_frame() {
                Ok(Some(frame)) => {
                    frames = frames.saturating_add(1);
                    let at = begin.saturating_add(frame.received.saturating_sub(part.first));
                    if !to.put(Come::Due(Due { frame, at, round })) {
                        return Ok(());
                    }
                }
                Ok(None) => break,
                Err(error) if error.goes_on() => {
                    if round == 0 {
                        say::error(&error);
                        let mut state = to.state();
                        state.left_out = state.left_out.saturating_add(1);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        match part.round {
            // A round without frames would be one without end.
            Some(lasts) if frames > 0 => begin = begin.saturating_add(lasts),
            _ => return Ok(()),
        }
        round = round.saturating_add(1);
        reader.rewind()?;
    }
}
