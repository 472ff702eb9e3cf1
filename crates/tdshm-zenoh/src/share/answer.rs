//! A thread that answers whoever asks: zenoh's own threads only bring the questions.

use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use zenoh::query::Query;

use crate::share::stream::Stream;
use crate::thread;

/// Questions that wait; those beyond are not answered, which whoever asked takes for silence.
const MOST_QUESTIONS: usize = 256;

/// What somebody asks of a stream.
pub(super) enum Question {
    /// The last frame.
    Frame(Arc<Stream>, Query),
    /// What is known of it.
    Info(Arc<Stream>, Query),
    /// Nothing: this is the end.
    End,
}

/// The thread, and the way to it.
pub(super) struct Answering {
    to: SyncSender<Question>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Answering {
    pub(super) fn start() -> anyhow::Result<Self> {
        let (to, from) = mpsc::sync_channel(MOST_QUESTIONS);
        let thread = thread::start("answers", move || {
            for question in from {
                match question {
                    Question::Frame(stream, query) => stream.answer_frame(query),
                    Question::Info(stream, query) => stream.answer_info(&query),
                    Question::End => break,
                }
            }
        })?;
        Ok(Self { to, thread: Mutex::new(Some(thread)) })
    }

    /// Where questions go.
    pub(super) fn asker(&self) -> SyncSender<Question> {
        self.to.clone()
    }

    pub(super) fn end(&self) {
        // A thread that has ended hears nothing.
        let _ = self.to.send(Question::End);
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // One that panicked has said so.
            let _ = thread.join();
        }
    }
}
