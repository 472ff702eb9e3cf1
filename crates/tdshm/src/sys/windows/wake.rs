//! Waking receivers: one auto-reset event for each entry (wire §11, ours).
//!
//! An event that is set while nobody sleeps stays set until the next one who would, so a receiver that says that it
//! waits, and finds the word unchanged after that, cannot miss what comes later.

use std::collections::BTreeMap;
use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use windows_sys::Win32::System::Threading::{CreateEventW, SetEvent, WaitForSingleObject};

use crate::sys::windows::mutex::milliseconds;
use crate::sys::windows::wide;

/// How long a receiver sleeps whose event cannot be had.
const WITHOUT_EVENT: Duration = Duration::from_millis(1);

/// The events of one segment, opened when they are needed.
#[derive(Debug)]
pub(crate) struct Bell {
    prefix: String,
    events: Mutex<BTreeMap<usize, Arc<OwnedHandle>>>,
}

impl Bell {
    /// The bell of a segment, whose events have names that begin with `prefix`.
    pub(crate) fn new(prefix: String) -> Self {
        Self { prefix, events: Mutex::default() }
    }

    /// Sleeps in the receiver's entry number `entry` until that is woken, unless `word` is another one than `seen`
    /// already, and for `limit` at most.
    pub(crate) fn sleep(&self, entry: usize, word: &AtomicU32, seen: u32, limit: Duration) {
        let event = self.event(entry);
        if word.load(Ordering::Acquire) != seen {
            return;
        }
        match event {
            // SAFETY: the handle is open while `event` lives. Woken or too late: whoever sleeps looks again.
            Ok(event) => drop(unsafe { WaitForSingleObject(event.as_raw_handle(), milliseconds(limit)) }),
            Err(_) => std::thread::sleep(limit.min(WITHOUT_EVENT)),
        }
    }

    /// Wakes the receivers that sleep in those `entries`. Whether they did the system does not tell, so this says 0.
    pub(crate) fn wake(&self, _word: &AtomicU32, entries: impl Iterator<Item = usize>) -> usize {
        for event in entries.filter_map(|entry| self.event(entry).ok()) {
            // SAFETY: the handle is open while `event` lives. It was opened with the right to set it.
            unsafe { SetEvent(event.as_raw_handle()) };
        }
        0
    }

    fn event(&self, entry: usize) -> io::Result<Arc<OwnedHandle>> {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(event) = events.get(&entry) {
            return Ok(Arc::clone(event));
        }
        let event = Arc::new(open_event(&format!("{}{entry}", self.prefix))?);
        events.insert(entry, Arc::clone(&event));
        Ok(event)
    }
}

/// Opens the event of that name, or makes it where it is missing: not set, and reset by whoever it wakes.
fn open_event(name: &str) -> io::Result<OwnedHandle> {
    let name = wide(name);
    // SAFETY: no attributes means the default security; `name` ends in a NUL and lives to the end of this function.
    let handle = unsafe { CreateEventW(std::ptr::null(), 0, 0, name.as_ptr()) };
    if handle.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the function gave this handle to its caller alone, and it is open.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}
