//! The file of the patch, and whether it was saved.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How often it is looked at.
pub(crate) const EVERY: Duration = Duration::from_millis(100);

/// Looks that find nothing to read before that is told.
const MISSING: u32 = 3;

/// When it was saved, and how long it is.
type Stamp = (Option<SystemTime>, u64);

/// What is new about the file.
#[derive(Debug)]
pub(crate) enum News {
    /// It holds another text.
    Text(String),
    /// It cannot be read any more, and why.
    Gone(io::Error),
    /// It can be read again.
    Back,
}

/// A file that may be saved while somebody else writes it: it counts once it stayed the same between two looks.
#[derive(Debug)]
pub(crate) struct Watched {
    path: PathBuf,
    text: String,
    /// Of the text.
    read: Option<Stamp>,
    /// Of the last look.
    seen: Option<Stamp>,
    /// Looks in a row that found nothing to read.
    missing: u32,
    next_look: Instant,
}

impl Watched {
    /// Watches a file that held this text just now.
    pub(crate) fn new(path: &Path, text: String) -> Self {
        // When the text was saved is not known: the first look reads again, and finds the same.
        Self { path: path.to_owned(), text, read: None, seen: None, missing: 0, next_look: Instant::now() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What became of the file since it was asked last, if anything.
    pub(crate) fn news(&mut self) -> Option<News> {
        if Instant::now() < self.next_look {
            return None;
        }
        self.next_look = Instant::now().checked_add(EVERY)?;
        match self.look() {
            Ok(news) => news,
            Err(error) => {
                self.seen = None;
                self.missing = self.missing.saturating_add(1);
                // An editor that replaces the file has it away for a moment.
                (self.missing == MISSING).then_some(News::Gone(error))
            }
        }
    }

    fn look(&mut self) -> io::Result<Option<News>> {
        let meta = fs::metadata(&self.path)?;
        if !meta.is_file() && !meta.is_dir() {
            return Ok(None); // what came through a pipe does not come again
        }
        let stamp = (meta.modified().ok(), meta.len());
        let stays = self.seen == Some(stamp);
        if !stays || self.read == Some(stamp) && self.missing == 0 {
            self.seen = Some(stamp);
            return Ok(None);
        }
        let text = String::from_utf8_lossy(&fs::read(&self.path)?).into_owned();
        if std::mem::take(&mut self.missing) >= MISSING {
            return Ok(Some(News::Back)); // what it holds is for the next look
        }
        self.read = Some(stamp);
        if text == self.text {
            return Ok(None);
        }
        self.text.clone_from(&text);
        Ok(Some(News::Text(text)))
    }
}
