//! How a segment is created.

use std::time::Duration;

use crate::error::{Error, SegmentError};
use crate::lock::{LIMIT, NamedLock};
use crate::name::ShortName;
use crate::notice::Extension;
use crate::segment::draft::Drafts;
use crate::segment::sender::{SegmentSender, lock_info};
use crate::segment::takeover::{Claim, Request, claim};
use crate::step::step;
use crate::sys::{self, Access, Bell};

/// Blocks count their bytes in an `i32` (wire §8), and so does whoever reads them.
const LARGEST: usize = 0x7fff_ffff;
/// Up to here a resize reserves at least twice what is needed.
const CEILING: usize = 256 * 1024 * 1024;

/// How a segment is created: [`SegmentSender::builder`].
#[derive(Clone, Debug)]
#[must_use = "nothing exists until `create` is called"]
pub struct SegmentSenderBuilder {
    name: String,
    size_bytes: usize,
    /// What will do where memory is short.
    least_bytes: usize,
    access: Access,
    limit: Duration,
    ceiling: usize,
    force: bool,
    flags: u32,
    largest: usize,
}

impl SegmentSenderBuilder {
    pub(super) fn new(name: &str, size_bytes: usize) -> Self {
        Self {
            name: name.to_owned(),
            size_bytes,
            least_bytes: size_bytes,
            access: Access::PRIVATE,
            limit: LIMIT,
            ceiling: CEILING,
            force: false,
            flags: 0,
            largest: LARGEST,
        }
    }

    /// Unix permission bits of all four objects, `0o600` by default.
    ///
    /// `0o660` or `0o666` lets other users read and write; who may write may also shrink the objects, which
    /// kills whoever has them mapped. `0o640` or `0o644` lets them [observe](crate::SegmentReceiver::is_observer).
    ///
    /// # Platform
    ///
    /// Windows: no effect. macOS: objects that are there already keep the mode that they were made with, and the umask
    /// narrows that of new ones.
    pub fn mode(mut self, mode: u32) -> Self {
        self.access = Access { mode: mode & 0o777 };
        self
    }

    /// Takes the name also where a foreign sender has it, of which nobody can tell whether it lives. A sender of
    /// this library that lives is never robbed; one that died is always replaced.
    pub fn take_over(mut self, take_over: bool) -> Self {
        self.force = take_over;
        self
    }

    /// Up to how many bytes a resize reserves at least twice what is needed, 256 MiB by default.
    pub fn room_ceiling(mut self, bytes: usize) -> Self {
        self.ceiling = bytes;
        self
    }

    /// Another name.
    pub(crate) fn name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    pub(crate) fn flags(mut self, flags: u32) -> Self {
        self.flags = flags;
        self
    }

    /// Room for so many bytes, or, where memory is short, for `least_bytes`.
    pub(crate) fn room(mut self, wanted_bytes: usize, least_bytes: usize) -> Self {
        self.size_bytes = wanted_bytes.max(least_bytes);
        self.least_bytes = least_bytes;
        self
    }

    /// Bytes that a segment has at most.
    pub(crate) fn largest(mut self, bytes: usize) -> Self {
        self.largest = bytes;
        self
    }

    /// How long to wait for a lock, 5 seconds by default.
    pub fn lock_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Creates the segment.
    ///
    /// # Errors
    ///
    /// As [`SegmentSender::create`].
    pub fn create(self) -> Result<SegmentSender, Error> {
        let short = ShortName::new(&self.name)?;
        if self.least_bytes == 0 || self.least_bytes > self.largest {
            return Err(SegmentError::BadSize { bytes: self.least_bytes, limit: self.largest }.into());
        }
        let wanted = if self.size_bytes <= self.largest { self.size_bytes } else { self.least_bytes };
        let data_lock = NamedLock::open_own(&short.data_lock(), self.access)?;
        let info_lock = NamedLock::open_own(&short.info_lock(), self.access)?;
        step!("create: locks");
        let held = lock_info(&info_lock, &short, self.limit)?;
        step!("create: locked");
        let request = Request {
            short: &short,
            bytes: wanted,
            least: self.least_bytes,
            access: self.access,
            force: self.force,
            flags: self.flags,
        };
        let Claim { info, data, layout, postfix } = claim(&request)?;
        step!("create: claimed");
        let extended = Extension::of(info.region()).is_some();
        drop(held);
        Ok(SegmentSender {
            bell: Bell::new(short.wake_events()),
            short,
            data_lock,
            info_lock,
            data,
            info,
            layout,
            postfix,
            access: self.access,
            limit: self.limit,
            ceiling: self.ceiling,
            extended,
            looked: 0,
            stopped: 0,
            pid: sys::process::id(),
            gone: false,
            displaced: false,
            largest: self.largest,
            places: None,
            drafts: Drafts::default(),
            taken: 0,
            undivided_bytes: None,
            moves: 0,
            abandonments: 0,
            asked: false,
            held: false,
        })
    }
}
