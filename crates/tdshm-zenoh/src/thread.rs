//! A stream and the thread that it has, on either side.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use anyhow::anyhow;

/// Starts a thread of that name.
pub(crate) fn start<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<JoinHandle<T>> {
    // The names of streams are what others make of them, and a name of a thread must not hold a 0.
    let name = name.replace('\0', "?");
    let started = thread::Builder::new().name(name).spawn(run);
    started.map_err(|error| anyhow!("the system starts no more threads: {error}: end some programs"))
}

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

#[cfg(test)]
mod tests {
    #[test]
    fn a_thread_may_have_any_name() {
        assert_eq!(super::start("a\0b", || 7).unwrap().join().unwrap(), 7);
    }
}
