//! What a receiver has open of its sender: how it gets there, and how it follows (wire §3, §4).

use core::sync::atomic::{Ordering, fence};

use zerocopy::IntoBytes;

use crate::error::{Error, ErrorState, SegmentError, object_error};
use crate::lock::NamedLock;
use crate::mem::OutOfBounds;
use crate::name::ShortName;
use crate::notice::{Entry, Extension, Process};
use crate::segment::receiver::SegmentReceiver;
use crate::segment::sender::lock_info;
use crate::step::step;
use crate::sys::{Access, Object, ObjectError};
use crate::wire::info::{self, InfoBlock, Postfix};

/// How often the info block is read again where it changes while the data is being opened without its lock: a sender
/// that moves so often is broken.
const LOOKS: usize = 64;

/// The objects of one sender.
#[derive(Debug)]
pub(super) struct Link {
    /// `None`: a foreign sender that has no info segment.
    pub(super) info: Option<Info>,
    pub(super) data: Object,
}

#[derive(Debug)]
pub(super) struct Info {
    pub(super) object: Object,
    /// `None`: an observer, which takes no lock.
    pub(super) lock: Option<NamedLock>,
    /// The postfix field as it was when the data was opened.
    pub(super) seen: [u8; info::POSTFIX_BYTES],
    /// Blocks before version 2 have no detach field.
    pub(super) says_detach: bool,
    /// Whether the sender's extension was there when it was attached.
    pub(super) extended: bool,
    /// This receiver's entry in it; `None`: all were taken.
    pub(super) entry: Option<usize>,
}

/// What the info block says, compared with what is open.
pub(super) enum News {
    None,
    Moved,
    Left,
}

impl Drop for Info {
    /// Gives the entry back. Under the info lock where it is free; a drop does not wait for it.
    fn drop(&mut self) {
        let Some(entry) = self.entry() else { return };
        let held = self.lock.as_ref().map(NamedLock::try_lock);
        entry.release();
        drop(held);
    }
}

impl Info {
    pub(super) fn entry(&self) -> Option<Entry<'_>> {
        Some(Extension::room(self.object.region())?.entry(self.entry?))
    }

    #[inline]
    pub(super) fn has_left(&self) -> bool {
        let detach = self.object.region().load_u8(info::DETACH_OFFSET);
        fence(Ordering::Acquire);
        self.says_detach && detach == Ok(1)
    }
}

impl SegmentReceiver {
    /// Compares what is open with what the info block says, without its lock.
    #[inline(always)]
    pub(super) fn news(&self) -> News {
        let Some(Link { info: Some(info), .. }) = &self.link else { return News::None };
        if info.has_left() {
            return News::Left;
        }
        match info.object.region().equals(info::POSTFIX_OFFSET, &info.seen) {
            Ok(true) => News::None,
            _ => News::Moved,
        }
    }

    /// Goes where the info block says. `false`: the sender has left. May be called with the data lock held:
    /// the info lock comes after it (wire §5).
    pub(super) fn follow(&mut self) -> Result<bool, Error> {
        match self.news() {
            News::None => return Ok(true),
            News::Left => {
                self.let_go(ErrorState::InfoDoesNotExist);
                return Ok(false);
            }
            News::Moved => {}
        }
        let Some(Link { info: Some(info), data }) = &mut self.link else { return Ok(true) };
        let held = match &info.lock {
            Some(lock) => Some(lock_info(lock, &self.short, self.limit)?),
            None => None,
        };
        step!("follow: info locked");
        let seen = Postfix::parse(&info.seen);
        let state = match locate(&self.short, &self.info_name, &info.object, seen)? {
            Located::At { block, moved } => {
                if let Some(moved) = moved {
                    *data = moved;
                    self.openings = self.openings.wrapping_add(1);
                }
                info.seen = block.postfix;
                info.extended = Extension::of(info.object.region()).is_some();
                self.died = false;
                return Ok(true);
            }
            Located::Nowhere(state) => state,
        };
        drop(held);
        self.let_go(state);
        Ok(false)
    }

    /// Opens the segment of a sender, info first, data next. `false`: there is none.
    pub(super) fn attach(&mut self) -> Result<bool, Error> {
        if self.data_lock.as_ref().is_none_or(|lock| !lock.leads_here()) {
            // A lock is made only where there is something to lock.
            self.data_lock = None;
        }
        let link = match self.open_info() {
            Ok(object) => match self.attach_with_info(object)? {
                Some(link) => link,
                None => return Ok(false),
            },
            Err(ObjectError::Absent) => match Object::open(&self.short.data_segment(), 1) {
                // Some foreign senders publish no info segment. But a sender that came, or left, between the two
                // looks has one or had one, and must not be taken for such: look again.
                Ok(data)
                    if matches!(
                        Object::open(&self.info_name, info::BLOCK_BYTES),
                        Err(ObjectError::Absent)
                    ) && data.leads_here() =>
                {
                    if self.observe {
                        return Err(self.uncounted().into());
                    }
                    Link { info: None, data }
                }
                Ok(_) => return Ok(false),
                Err(ObjectError::Absent) => {
                    self.state = match self.attachments {
                        0 => ErrorState::DoesNotExist,
                        _ => ErrorState::InfoDoesNotExist,
                    };
                    return Ok(false);
                }
                Err(error) => return Err(object_error(error, &self.short.data_segment(), 1).into()),
            },
            Err(error) => return Err(object_error(error, &self.info_name, info::BLOCK_BYTES).into()),
        };
        let observes = link.info.as_ref().is_some_and(|info| info.lock.is_none());
        if self.data_lock.is_none() && !observes {
            self.data_lock = Some(NamedLock::open_with(&self.short.data_lock(), Access::PRIVATE)?);
        }
        self.link = Some(link);
        self.state = ErrorState::None;
        self.attachments = self.attachments.wrapping_add(1);
        self.openings = self.openings.wrapping_add(1);
        Ok(true)
    }

    /// The info segment, for reading alone where this receiver observes, or may do nothing else.
    fn open_info(&self) -> Result<Object, ObjectError> {
        if self.observe {
            return Object::open_to_read(&self.info_name, info::BLOCK_BYTES);
        }
        match Object::open(&self.info_name, info::BLOCK_BYTES) {
            Err(ObjectError::NotOurs(reason)) => Object::open_to_read(&self.info_name, info::BLOCK_BYTES)
                .map_err(|_| ObjectError::NotOurs(reason)),
            other => other,
        }
    }

    /// Attaches under one hold of the info lock, and says that this receiver understands resizing. An observer takes
    /// neither lock nor entry, and says nothing.
    fn attach_with_info(&mut self, object: Object) -> Result<Option<Link>, Error> {
        let lock = if object.region().is_writable() {
            Some(NamedLock::open_with(&self.short.info_lock(), Access::PRIVATE)?)
        } else {
            None
        };
        let held = match &lock {
            Some(lock) => Some(lock_info(lock, &self.short, self.limit)?),
            None => None,
        };
        step!("attach: info locked");
        let (block, data) = match locate(&self.short, &self.info_name, &object, None)? {
            Located::At { block, moved: Some(data) } => (block, data),
            Located::At { moved: None, .. } => return Ok(None),
            Located::Nowhere(state) => {
                self.state = state;
                return Ok(None);
            }
        };
        let extension = Extension::of(object.region());
        let extended = extension.is_some();
        let mut entry = None;
        if lock.is_none() {
            if !extended {
                return Err(self.uncounted().into());
            }
        } else {
            entry = extension.and_then(|extension| extension.register(Process::current(), &object));
            if entry.is_none()
                && let Ok(supported) = object.region().atomic_u8(info::SUPPORTED_OFFSET)
            {
                supported.store(1, Ordering::Relaxed);
            }
        }
        step!("attach: registered");
        drop(held);
        step!("attach: attached");
        let says_detach = block.version.get() >= info::VERSION;
        Ok(Some(Link {
            info: Some(Info { object, lock, seen: block.postfix, says_detach, extended, entry }),
            data,
        }))
    }

    /// Why an observer cannot read what a foreign sender writes.
    #[cold]
    fn uncounted(&self) -> SegmentError {
        SegmentError::OnlyObserved {
            name: self.short.to_string(),
            why: "its sender does not count its frames, so only its lock tells whether one is whole, and this receiver \
                  may not take it",
        }
    }
}

/// Where the data is.
enum Located {
    /// There; `None`: where it was before.
    At { block: InfoBlock, moved: Option<Object> },
    /// Nowhere.
    Nowhere(ErrorState),
}

/// Opens the data that an info block leads to, unless its postfix is the one that was `seen`: for writing as well, where
/// the info segment is, and then the caller holds its lock. Without the lock the block may change meanwhile, and then
/// this starts over.
fn locate(
    short: &ShortName,
    info_name: &str,
    object: &Object,
    seen: Option<Postfix>,
) -> Result<Located, Error> {
    let open = if object.region().is_writable() { Object::open } else { Object::open_to_read };
    for _ in 0..LOOKS {
        let block = read_block(object, info_name)?;
        if block.detached() {
            return Ok(Located::Nowhere(ErrorState::InfoDoesNotExist));
        }
        let postfix = postfix(&block, info_name)?;
        if Some(postfix) == seen {
            return Ok(Located::At { block, moved: None });
        }
        let name = short.data_segment_with(postfix);
        let opened = open(&name, 1);
        fence(Ordering::Acquire);
        let unchanged = read_block(object, info_name)?.as_bytes() == block.as_bytes();
        match opened {
            Ok(data) if unchanged => return Ok(Located::At { block, moved: Some(data) }),
            Err(ObjectError::Absent) if unchanged => break,
            Err(error) if unchanged => return Err(object_error(error, &name, 1).into()),
            _ => {}
        }
    }
    Ok(Located::Nowhere(ErrorState::DoesNotExist))
}

/// Copies the info block once and checks its magic.
fn read_block(object: &Object, name: &str) -> Result<InfoBlock, SegmentError> {
    let region = object.region();
    let too_small = |OutOfBounds| SegmentError::TooSmall {
        object: name.to_owned(),
        bytes: region.len(),
        needed: info::BLOCK_BYTES,
    };
    let block: InfoBlock = region.read(0).map_err(too_small)?;
    if block.magic.get() == info::MAGIC {
        return Ok(block);
    }
    Err(SegmentError::BadInfo {
        object: name.to_owned(),
        field: "magic",
        value: u64::from(block.magic.get().cast_unsigned()),
        expected: u64::from(info::MAGIC.cast_unsigned()),
    })
}

fn postfix(block: &InfoBlock, name: &str) -> Result<Postfix, SegmentError> {
    Postfix::parse(&block.postfix).ok_or_else(|| SegmentError::BadInfo {
        object: name.to_owned(),
        field: "first byte of the postfix",
        value: block.postfix.first().copied().unwrap_or_default().into(),
        expected: 0,
    })
}
