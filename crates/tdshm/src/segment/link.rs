//! What a receiver has open of its sender: how it gets there, and how it follows (wire §3, §4).

use core::sync::atomic::{Ordering, fence};
use std::time::Duration;

use crate::error::{Error, ErrorState, SegmentError, object_error};
use crate::lock::NamedLock;
use crate::name::ShortName;
use crate::notice::{Entry, Extension};
use crate::segment::block;
use crate::segment::receiver::SegmentReceiver;
use crate::segment::sender::lock_info;
use crate::step::step;
use crate::sys::{Bell, Object, ObjectError, Process};
use crate::wire::info::{self, InfoBlock, Layout, Postfix, SeenPostfix};

/// How often the info block is read again where it changes while the data is being opened without its lock: a sender
/// that moves so often is broken.
const LOOKS: usize = 64;

/// How long a sender that says that it leaves has the info lock at most, as far as a receiver waits for it.
const LEAVING: Duration = Duration::from_millis(20);

/// The objects of one sender.
#[derive(Debug)]
pub(super) struct Link {
    /// Before the info segment, which is to go last where objects go with their handles.
    pub(super) data: Object,
    /// `None`: a foreign sender that has no info segment.
    pub(super) info: Option<Info>,
}

#[derive(Debug)]
pub(super) struct Info {
    pub(super) object: Object,
    /// `None`: an observer, which takes no lock.
    pub(super) lock: Option<NamedLock>,
    /// Which layout its block had when the data was opened.
    layout: Layout,
    /// The postfix field as it was then.
    seen: SeenPostfix,
    /// What it said.
    postfix: Postfix,
    /// Blocks before version 2 have no detach field.
    says_detach: bool,
    /// Whether the sender's extension was there when it was attached.
    pub(super) extended: bool,
    /// The sequence at which a foreign program was seen to write there, as which the sender counts from then on.
    pub(super) robbed: Option<u64>,
    /// This receiver's entry in it; `None`: all were taken.
    entry: Option<usize>,
    /// What it sleeps on.
    pub(super) bell: Bell,
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
    /// What its sender moved its data to last.
    pub(super) fn postfix(&self) -> Postfix {
        self.postfix
    }

    /// Who is recorded as the owner.
    pub(super) fn owner(&self) -> Option<Process> {
        Extension::room(self.object.region()).and_then(Extension::owner)
    }

    /// Whether nobody who counts here owns it any more.
    pub(super) fn is_orphaned(&self) -> bool {
        self.extended && !self.object.is_owned(self.owner())
    }

    pub(super) fn entry(&self) -> Option<Entry<'_>> {
        Some(Extension::room(self.object.region())?.entry(self.entry?))
    }

    #[inline]
    pub(super) fn has_left(&self) -> bool {
        let says = |at| self.object.region().load_u8(at) == Ok(1);
        let layout = self.layout();
        let left = says(layout.detach_at()) || layout.other_detach_at().is_some_and(says);
        fence(Ordering::Acquire);
        self.says_detach && left
    }

    /// Which layout its block has: known beforehand where there is only one.
    #[inline]
    fn layout(&self) -> Layout {
        if block::NATIVE == Layout::Narrow { Layout::Narrow } else { self.layout }
    }

    /// Remembers what the block says.
    fn saw(&mut self, block: &InfoBlock, postfix: Postfix) {
        self.layout = block.layout;
        self.seen = block.seen;
        self.postfix = postfix;
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
        let region = info.object.region();
        if info.seen.is_still(info.layout(), |at, seen| region.equals(at, seen)) {
            News::None
        } else {
            News::Moved
        }
    }

    /// Goes where the info block says. `false`: the sender has left. May be called with the data lock held:
    /// the info lock comes after it (wire §5).
    pub(super) fn follow(&mut self) -> Result<bool, Error> {
        match self.news() {
            News::None => return Ok(true),
            News::Left => {
                self.died = self.was_left_by_another();
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
        match locate(&self.short, &self.info_name, &info.object, Some(info.postfix))? {
            Located::At { block, postfix, moved } => {
                if let Some(moved) = moved {
                    if let Some(lending) = &mut self.lending {
                        lending.retire(data);
                    }
                    *data = *moved;
                    self.moves = self.moves.wrapping_add(1);
                    self.openings = self.openings.wrapping_add(1);
                }
                let extension = Extension::of(info.object.region());
                let extended = extension.is_some();
                // Whoever moves the data without going on with the sequence is the foreign program.
                let sequence = extension.and_then(Extension::sequence);
                let robbed = info.robbed.filter(|robbed| Some(*robbed) == sequence);
                drop(held);
                info.saw(&block, postfix);
                info.extended = extended;
                info.robbed = robbed;
                self.died = false;
                Ok(true)
            }
            Located::Nowhere(state) => {
                let died = if info.has_left() { info.owner().is_some() } else { info.is_orphaned() };
                drop(held);
                self.died = died;
                self.let_go(state);
                Ok(false)
            }
        }
    }

    /// Whether the sender that is said to have left died, and somebody who cleaned up said so: who leaves clears the
    /// owner too, under the same hold of the info lock.
    #[cold]
    fn was_left_by_another(&self) -> bool {
        let Some(Link { info: Some(info), .. }) = &self.link else { return false };
        if !info.extended {
            return false;
        }
        let held = info.lock.as_ref().map(|lock| lock_info(lock, &self.short, LEAVING));
        if matches!(held, Some(Ok(_))) {
            return info.has_left() && info.owner().is_some();
        }
        // It may be leaving in this moment.
        info.owner().is_some_and(|owner| !owner.lives()) && info.owner().is_some()
    }

    /// Opens the segment of a sender, info first, data next. `false`: there is none.
    pub(super) fn attach(&mut self) -> Result<bool, Error> {
        if self.data_lock.as_ref().is_none_or(|lock| !lock.leads_here()) {
            // A lock is made only where there is something to lock.
            self.data_lock = None;
        }
        let reopening = self.reopening.take();
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
                        Object::open(&self.info_name, info::LEAST_BYTES),
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
                Err(error) => return Err(object_error(error, &self.short.data_segment()).into()),
            },
            Err(error) => return Err(object_error(error, &self.info_name).into()),
        };
        let observes = link.info.as_ref().is_some_and(|info| info.lock.is_none());
        if self.data_lock.is_none() && !observes {
            self.data_lock = NamedLock::open_as_guest(&self.short.data_lock())?;
            if self.data_lock.is_none() {
                self.state = ErrorState::DoesNotExist;
                return Ok(false);
            }
        }
        // What a foreign sender had written when its objects were let go of for a moment is not new.
        let postfix = link.info.as_ref().map(Info::postfix).unwrap_or_default();
        let is_foreign = link.info.as_ref().is_none_or(|info| !info.extended);
        if !(is_foreign && reopening == Some(postfix)) {
            self.openings = self.openings.wrapping_add(1);
        }
        self.link = Some(link);
        self.died = false;
        self.state = ErrorState::None;
        self.attachments = self.attachments.wrapping_add(1);
        Ok(true)
    }

    /// The info segment, for reading alone where this receiver observes, or may do nothing else.
    fn open_info(&self) -> Result<Object, ObjectError> {
        if self.observe {
            return Object::open_to_read(&self.info_name, info::LEAST_BYTES);
        }
        match Object::open(&self.info_name, info::LEAST_BYTES) {
            Err(ObjectError::NotOurs(reason)) => Object::open_to_read(&self.info_name, info::LEAST_BYTES)
                .map_err(|_| ObjectError::NotOurs(reason)),
            other => other,
        }
    }

    /// Attaches under one hold of the info lock, and says that this receiver understands resizing. An observer takes
    /// neither lock nor entry, and says nothing.
    fn attach_with_info(&mut self, object: Object) -> Result<Option<Link>, Error> {
        let lock = if object.region().is_writable() {
            match NamedLock::open_as_guest(&self.short.info_lock())? {
                // Its sender has not come so far, or the names were lost with the directory: the next look is another one.
                None => {
                    self.state = ErrorState::InfoDoesNotExist;
                    return Ok(None);
                }
                lock => lock,
            }
        } else {
            None
        };
        let held = match &lock {
            Some(lock) => Some(lock_info(lock, &self.short, self.limit)?),
            None => None,
        };
        step!("attach: info locked");
        let (block, postfix, data) = match locate(&self.short, &self.info_name, &object, None)? {
            Located::At { block, postfix, moved: Some(data) } => (block, postfix, *data),
            Located::At { moved: None, .. } => return Ok(None),
            Located::Nowhere(state) => {
                self.state = state;
                return Ok(None);
            }
        };
        let extension = Extension::of(object.region());
        if let Some(shunned) = self.shunned {
            if extension.and_then(Extension::owner) == Some(shunned) {
                self.state = ErrorState::InfoDoesNotExist;
                return Ok(None);
            }
            self.shunned = None;
        }
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
        Ok(Some(Link {
            info: Some(Info {
                object,
                lock,
                layout: block.layout,
                seen: block.seen,
                postfix,
                says_detach: block.says_detach(),
                extended,
                robbed: None,
                entry,
                bell: Bell::new(self.short.wake_events()),
            }),
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
    At { block: InfoBlock, postfix: Postfix, moved: Option<Box<Object>> },
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
    let region = object.region();
    let open = if region.is_writable() { Object::open } else { Object::open_to_read };
    for _ in 0..LOOKS {
        let block = read_block(object, info_name)?;
        if block.detached() {
            return Ok(Located::Nowhere(ErrorState::InfoDoesNotExist));
        }
        let postfix = block::postfix(&block, info_name)?;
        if Some(postfix) == seen {
            return Ok(Located::At { block, postfix, moved: None });
        }
        let name = short.data_segment_with(postfix);
        let opened = open(&name, 1);
        fence(Ordering::Acquire);
        let unchanged = block.seen.is_still(block.layout, |at, seen| region.equals(at, seen))
            && !read_block(object, info_name)?.detached();
        match opened {
            Ok(data) if unchanged => return Ok(Located::At { block, postfix, moved: Some(Box::new(data)) }),
            Err(ObjectError::Absent) if unchanged => break,
            Err(error) if unchanged => return Err(object_error(error, &name).into()),
            _ => {}
        }
    }
    Ok(Located::Nowhere(ErrorState::DoesNotExist))
}

/// Copies the info block once and checks its magic.
fn read_block(object: &Object, name: &str) -> Result<InfoBlock, SegmentError> {
    let region = object.region();
    block::read(region).map_err(|error| block::no_block(error, name, region.len()))
}
