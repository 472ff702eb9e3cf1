//! Sending and receiving with patience: without Python's lock where it may take long, and so that Ctrl-C ends it.

use std::collections::VecDeque;
use std::time::Duration;

use pyo3::PyClass;
use pyo3::prelude::*;
use tdshm::{Error, LockError, Sent};

use crate::errors::{Class, raise, raise_argument, refuse};
use crate::handle::Handle;
use crate::time::{Deadline, SLICE, Stop, detach, is_ending};

/// Up to so many bytes are copied while this thread has Python's lock: that takes less time than to let go of it.
pub(crate) const SMALL: usize = 32 << 10;

/// What sends.
pub(crate) trait Sends: Send {
    fn set_lock_limit(&mut self, limit: Duration);
}

impl Sends for tdshm::ChopSender {
    fn set_lock_limit(&mut self, limit: Duration) {
        Self::set_lock_limit(self, limit);
    }
}

impl Sends for tdshm::TopSender {
    fn set_lock_limit(&mut self, limit: Duration) {
        Self::set_lock_limit(self, limit);
    }
}

/// How long a sender waits for a lock that somebody else holds.
#[derive(Debug)]
pub(crate) struct Patience {
    /// `None`: for ever.
    limit: Option<Duration>,
    /// What the sender knows of that; `None`: nothing.
    told: Option<Duration>,
}

impl Patience {
    pub(crate) fn new(limit: Option<Duration>) -> Self {
        Self { limit, told: None }
    }

    /// Sends: what is small at once, without letting go of Python's lock, if nobody holds the segment's.
    #[inline]
    pub(crate) fn attempt<S: Sends>(
        &mut self,
        py: Python<'_>,
        sender: &mut S,
        small: bool,
        mut send: impl FnMut(&mut S) -> Result<Sent, Error> + Send,
    ) -> PyResult<()> {
        if small {
            self.tell(sender, Duration::ZERO);
            match send(sender) {
                Ok(_) => return Ok(()),
                Err(Error::Lock(LockError::Timeout { .. })) => {}
                Err(error) => return Err(raise_argument(error)),
            }
        }
        self.attempt_slowly(py, sender, send)
    }

    #[inline(never)]
    fn attempt_slowly<S: Sends>(
        &mut self,
        py: Python<'_>,
        sender: &mut S,
        mut send: impl FnMut(&mut S) -> Result<Sent, Error> + Send,
    ) -> PyResult<()> {
        // Limits that stay the same are told once.
        let mut deadline = None;
        loop {
            let slice = deadline.map_or_else(|| self.limit.map_or(SLICE, |l| l.min(SLICE)), Deadline::slice);
            self.tell(sender, slice);
            let begun = deadline.unwrap_or_else(|| Deadline::after(self.limit));
            match detach(py, || send(sender)) {
                Ok(_) => return Ok(()),
                Err(Error::Lock(LockError::Timeout { name, holder, waited })) => {
                    py.check_signals()?;
                    if begun.is_over() || is_ending() {
                        let waited = self.limit.unwrap_or(waited);
                        return Err(raise(LockError::Timeout { name, holder, waited }));
                    }
                }
                Err(error) => return Err(raise_argument(error)),
            }
            deadline = Some(begun);
        }
    }

    #[inline]
    fn tell<S: Sends>(&mut self, sender: &mut S, limit: Duration) {
        if self.told != Some(limit) {
            sender.set_lock_limit(limit);
            self.told = Some(limit);
        }
    }
}

/// What receives.
pub(crate) trait Source: Send + 'static {
    /// What it takes from the core.
    type Taken: Send;
    /// What it makes of that.
    type Frame: PyClass<Frozen = pyo3::pyclass::boolean_struct::True> + Sync;

    /// The newest frame, new or not.
    fn read(&mut self) -> Result<Option<Self::Taken>, Error>;
    /// The next one that is new.
    fn next(&mut self, limit: Duration) -> Result<Option<Self::Taken>, Error>;
    /// How much it is.
    fn size_bytes(taken: &Self::Taken) -> usize;
    /// For Python. No code of the caller's runs.
    fn frame(&mut self, py: Python<'_>, taken: Self::Taken) -> PyResult<Py<Self::Frame>>;
}

/// A source, and the frames that were waited for by somebody who then went away.
#[derive(Debug)]
pub(crate) struct Inbox<S: Source> {
    pub(crate) source: S,
    unread: VecDeque<Py<S::Frame>>,
    /// Bytes of the last frame.
    last: usize,
}

impl<S: Source> Inbox<S> {
    pub(crate) fn new(source: S) -> Self {
        Self { source, unread: VecDeque::new(), last: 0 }
    }

    /// Takes something, without Python's lock where that takes long.
    fn take(
        &mut self,
        py: Python<'_>,
        small: bool,
        take: impl FnOnce(&mut S) -> Result<Option<S::Taken>, Error> + Send,
    ) -> PyResult<Option<Py<S::Frame>>> {
        let source = &mut self.source;
        let taken = if small && self.last <= SMALL { take(source) } else { detach(py, || take(source)) };
        let Some(taken) = taken.map_err(raise)? else { return Ok(None) };
        self.last = S::size_bytes(&taken);
        self.source.frame(py, taken).map(Some)
    }
}

impl<S: Source> Handle<Inbox<S>> {
    /// The newest frame, new or not.
    pub(crate) fn read(&self, py: Python<'_>) -> PyResult<Option<Py<S::Frame>>> {
        self.lock(py)?.take(py, true, S::read)
    }

    /// The next frame that is new.
    pub(crate) fn wait(
        &self,
        py: Python<'_>,
        deadline: Deadline,
        stop: Option<&Stop>,
    ) -> PyResult<Option<Py<S::Frame>>> {
        loop {
            let mut inbox = self.lock(py)?;
            if let Some(frame) = inbox.unread.pop_front() {
                return Ok(Some(frame));
            }
            let slice = deadline.slice();
            let frame = inbox.take(py, slice.is_zero(), |source| source.next(slice))?;
            // Whoever waits for the receiver gets it before the next look.
            inbox.release();
            if frame.is_some() {
                return Ok(frame);
            }
            py.check_signals()?;
            if is_ending() {
                return Err(refuse(Class::Closed, "the interpreter ends"));
            }
            if deadline.is_over() || stop.is_some_and(Stop::is_set) {
                return Ok(None);
            }
        }
    }

    /// The same, where to be closed is an end and not an error.
    pub(crate) fn wait_to_end(&self, py: Python<'_>, stop: Option<&Stop>) -> PyResult<Option<Py<S::Frame>>> {
        match self.wait(py, Deadline::after(None), stop) {
            Err(_) if self.is_closed() || is_ending() => Ok(None),
            waited => waited,
        }
    }

    /// Puts back a frame that nobody got.
    pub(crate) fn unread(&self, py: Python<'_>, frame: Py<S::Frame>) -> PyResult<()> {
        self.lock(py)?.unread.push_back(frame);
        Ok(())
    }

    /// Closes it.
    pub(crate) fn close(&self, py: Python<'_>) -> PyResult<()> {
        let inbox = self.take(py)?;
        if let Some(Inbox { source, .. }) = inbox {
            detach(py, || drop(source));
        }
        Ok(())
    }
}
