//! A model that looks by itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::{Model, Options};

/// A [`Model`] on a thread of its own, so that nothing is missed while a view draws or waits for its terminal or network.
#[derive(Debug)]
pub(crate) struct Live {
    model: Arc<Mutex<Model>>,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Live {
    pub(crate) fn start(options: Options) -> Self {
        let model = Arc::new(Mutex::new(Model::new(options)));
        let over = Arc::new(AtomicBool::new(false));
        let thread = {
            let (model, over) = (Arc::clone(&model), Arc::clone(&over));
            thread::spawn(move || {
                while !over.load(Ordering::Acquire) {
                    let next = lock(&model).tick(Instant::now());
                    thread::park_timeout(next.saturating_duration_since(Instant::now()));
                }
            })
        };
        Self { model, over, thread: Some(thread) }
    }

    /// Lets `look` see the model. Meanwhile nothing is read, so it does not take long: neither draws nor waits.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&mut Model) -> T) -> T {
        look(&mut lock(&self.model))
    }

    /// Whether its thread goes on, which it does unless this program has a mistake in it.
    pub(crate) fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Looks now at what is due, such as what has just been [followed](Model::follow).
    pub(crate) fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        self.wake();
        if let Some(thread) = self.thread.take() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

/// A view that panicked has changed nothing by halves.
fn lock(model: &Mutex<Model>) -> MutexGuard<'_, Model> {
    model.lock().unwrap_or_else(PoisonError::into_inner)
}
