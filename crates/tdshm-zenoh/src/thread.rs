//! A stream and the thread that it has, on either side.

use std::sync::Arc;
use std::thread::JoinHandle;

/// A stream whose thread can be asked to end.
pub(crate) trait Ends {
    /// Asks it to, and wakes it.
    fn end(&self);
}

/// The thread of a stream.
#[derive(Debug)]
pub(crate) struct Handle<S> {
    stream: Arc<S>,
    thread: Option<JoinHandle<()>>,
}

impl<S: Ends> Handle<S> {
    pub(crate) fn new(stream: Arc<S>, thread: JoinHandle<()>) -> Self {
        Self { stream, thread: Some(thread) }
    }

    pub(crate) fn stream(&self) -> &S {
        &self.stream
    }

    /// Asks it to end.
    pub(crate) fn end(&self) {
        self.stream.end();
    }

    /// Waits until it has.
    pub(crate) fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}
