//! The file of the patch, and whether it was saved.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How often it is looked at.
pub(crate) const EVERY: Duration = Duration::from_millis(100);

/// When it was saved, and how long it is.
type Stamp = (Option<SystemTime>, u64);

/// A file that may be saved while somebody else writes it: it counts once it stayed the same between two looks.
#[derive(Debug)]
pub(crate) struct Watched {
    path: PathBuf,
    text: String,
    /// Of the text.
    read: Option<Stamp>,
    /// Of the last look.
    seen: Option<Stamp>,
    next_look: Instant,
}

impl Watched {
    /// Watches a file that held this text just now.
    pub(crate) fn new(path: &Path, text: String) -> Self {
        // When the text was saved is not known: the first look reads again, and finds the same.
        Self { path: path.to_owned(), text, read: None, seen: None, next_look: Instant::now() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// What the file holds now, if that is something else than before.
    pub(crate) fn changed(&mut self) -> Option<String> {
        if Instant::now() < self.next_look {
            return None;
        }
        self.next_look = Instant::now().checked_add(EVERY)?;
        // An editor that replaces the file has it away for a moment.
        let meta = fs::metadata(&self.path).ok()?;
        let stamp = (meta.modified().ok(), meta.len());
        let stays = self.seen.replace(stamp) == Some(stamp);
        if !stays || self.read == Some(stamp) {
            return None;
        }
        let text = String::from_utf8_lossy(&fs::read(&self.path).ok()?).into_owned();
        self.read = Some(stamp);
        if text == self.text {
            return None;
        }
        self.text.clone_from(&text);
        Some(text)
    }
}
