//! The side that opens a segment which somebody else created.

mod builder;
mod lending;

use std::time::Duration;

use crate::error::{Error, ErrorState, SegmentError};
use crate::lock::NamedLock;
use crate::mem::Region;
use crate::name::ShortName;
use crate::notice::bell::Word;
use crate::notice::{Entry, Extension};
use crate::segment::link::{Info, Link, News};
use crate::segment::read::ReadGuard;
use crate::segment::wreck::Wreck;
use crate::step::step;
use crate::sys::{self, Outcome, Peek, Process};
use crate::wire::info::Postfix;

pub use builder::SegmentReceiverBuilder;
pub(super) use lending::Lending;

/// How often a receiver looks for a frame that differs, where nobody wakes it.
const POLL: Duration = Duration::from_millis(1);
/// How often a receiver looks for a sender, while there is none.
const POLL_ABSENT: Duration = Duration::from_millis(10);
/// How often a receiver that finds nothing new asks whether the sender lives (wire §6).
const LIFE_EVERY: Duration = Duration::from_millis(100);
/// How long nothing is new before the names are looked up again (wire §6).
const NAMES_AFTER: Duration = Duration::from_millis(250);

/// How long nothing is new from a sender of which nobody knows whether it lives, before everything that keeps its objects
/// alive is closed for a moment, on systems where a handle does (wire §6).
const CLOSED_AFTER: Duration = Duration::from_secs(1);
/// How long it stays closed: the first part of each second of the system's clock, so that all receivers of this machine have
/// closed it at the same time, and none keeps it alive for another.
const CLOSED_FOR: Duration = Duration::from_millis(50);

/// How long the sequence stands still before the bytes are compared, on systems where a foreign program may have taken the
/// object from a living sender (wire §6).
const DOUBT_AFTER: Duration = Duration::from_millis(500);

/// A segment that another program created, or will create: this one reads.
///
/// It may be opened before its sender is there. Every [`lock`](Self::lock) looks whether the sender has
/// come, moved its data to another object, or gone, and follows.
///
/// # Platform
///
/// Windows: what is open here keeps the objects of a foreign program alive after it crashed, and that program is refused
/// its own name when it comes back. So whatever is open of a foreign sender that shows nothing new for a second
/// is closed and opened again, by all receivers of the machine at the same moments.
///
/// macOS: a foreign sender may take over the objects of a living one without a word. A [`ChopReceiver`](crate::ChopReceiver)
/// that sees the frames stand still for half a second compares the bytes under the lock, and where they changed it
/// treats the sender as foreign from then on.
///
/// # Source
///
/// wire §3, §4.
///
/// ```
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("docread{}", std::process::id());
/// let mut segment = tdshm::SegmentReceiver::open(&name)?;
/// assert!(segment.lock()?.is_none(), "nobody is there yet");
///
/// let mut sender = tdshm::SegmentSender::create(&name, 64)?;
/// sender.lock()?.view().copy_from(b"hello");
/// let mut bytes = [0; 5];
/// if let Some(held) = segment.lock()? {
///     held.view().copy_to(&mut bytes);
/// } // unlocked: now take your time
/// assert_eq!(&bytes, b"hello");
/// # drop((sender, segment));
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[doc(alias("UT_SharedMem", "shm_open", "OpenFileMapping"))]
pub struct SegmentReceiver {
    pub(super) short: ShortName,
    pub(super) info_name: String,
    pub(super) limit: Duration,
    /// Never takes a lock nor an entry, whatever it may.
    pub(super) observe: bool,
    pub(super) data_lock: Option<NamedLock>,
    pub(super) link: Option<Link>,
    pub(super) state: ErrorState,
    pub(super) openings: u64,
    pub(super) attachments: u64,
    /// How often a sender moved its data.
    pub(super) moves: u64,
    /// How often the data lock had been left by the dead.
    pub(super) abandonments: u64,
    /// The attachment and the number of the frame that `wait_timeout` told of last.
    pub(super) counted: Option<(u64, u64)>,
    outcome: Outcome,
    idle: Idle,
    /// The sender that is open here, or was last, has died.
    pub(super) died: bool,
    /// The lock had been abandoned, and was let go of before anybody was told.
    untold: bool,
    /// What the dead left half written, so that it is seen when somebody else writes there.
    wreck: Option<Wreck>,
    /// The postfix of a foreign sender that was let go of for a moment.
    pub(super) reopening: Option<Postfix>,
    /// A dead owner whose objects are not opened again.
    pub(super) shunned: Option<Process>,
    /// Nothing has been new for so long that a foreign program may have the object.
    doubtful: bool,
    /// What becomes of memory whose address was lent; `None`: nothing, it goes.
    pub(super) lending: Option<Box<Lending>>,
}

/// How long nothing has been new, as of the looks that found nothing; coarse, because it is asked often.
#[derive(Clone, Copy, Debug, Default)]
struct Idle {
    since: Option<Duration>,
    next: Duration,
    /// When there is doubt next.
    doubt: Duration,
}

/// Whether there is a sender, as of the last look.
///
/// # Source
///
/// wire §3, §6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Attached {
    /// There is, and its segment is open here.
    Yes,
    /// There has not been one, as far as this receiver saw.
    NotYet,
    /// There was one, and it left.
    Left,
    /// There was one, and its process died. Its last frame may still be read; whoever takes the name over is
    /// followed. Known of senders of this library alone: nobody can tell whether a foreign one lives.
    Died,
}

impl SegmentReceiver {
    /// Opens the segment `name`, whose sender may come later.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] alone: that nobody sends yet is a state, not an error.
    pub fn open(name: &str) -> Result<Self, Error> {
        Self::builder(name).open()
    }

    /// Opens a segment with other settings than the usual ones.
    pub fn builder(name: &str) -> SegmentReceiverBuilder {
        SegmentReceiverBuilder::new(name)
    }

    /// The short name.
    #[must_use]
    pub fn name(&self) -> &ShortName {
        &self.short
    }

    /// Whether there was a sender at the last look.
    #[must_use]
    pub fn attached(&self) -> Attached {
        match (&self.link, self.openings) {
            (Some(_), _) if self.died => Attached::Died,
            (Some(_), _) => Attached::Yes,
            (None, _) if self.reopening.is_some() => Attached::Yes,
            (None, 0) => Attached::NotYet,
            (None, _) if self.died => Attached::Died,
            (None, _) => Attached::Left,
        }
    }

    /// Whether it only observes: because it was [asked to](SegmentReceiverBuilder::observe), or because this user may
    /// read the sender's objects and not write them, which is known from the first look that found them on. The sender
    /// does not know of it then.
    ///
    /// # Source
    ///
    /// wire §11, ours.
    #[must_use]
    #[inline]
    pub fn is_observer(&self) -> bool {
        self.observe || matches!(&self.link, Some(Link { info: Some(Info { lock: None, .. }), .. }))
    }

    /// The state that TouchDesigner's own class would report after the last look.
    #[must_use]
    #[doc(alias = "getErrorState")]
    pub fn state(&self) -> ErrorState {
        self.state
    }

    /// Changes how long is waited for a lock from now on.
    pub fn set_lock_limit(&mut self, limit: Duration) {
        self.limit = limit;
    }

    /// Lets go of everything that is open, so that the sender neither waits for this receiver nor keeps its objects for
    /// it. The next read opens it again.
    pub fn close(&mut self) {
        self.let_go(ErrorState::DoesNotExist);
        if let Some(lending) = &mut self.lending {
            lending.kept = None;
        }
        self.data_lock = None;
        self.reopening = None;
    }

    /// How many senders' info segments have been opened here: frames are counted in each anew.
    #[inline]
    pub(crate) fn attachments(&self) -> u64 {
        self.attachments
    }

    /// What the sender counts; `None` for a foreign one, and for a dead one, whose object a foreign one may have
    /// taken over (wire §11).
    #[inline]
    pub(crate) fn notices(&self) -> Option<Extension<'_>> {
        match &self.link {
            Some(Link { info: Some(info), .. }) if info.extended && !self.died && info.robbed.is_none() => {
                Extension::room(info.object.region())
            }
            _ => None,
        }
    }

    /// This receiver's entry with the sender.
    #[inline]
    pub(crate) fn entry(&self) -> Option<Entry<'_>> {
        self.link.as_ref()?.info.as_ref()?.entry()
    }

    /// The word that changes with every frame: taken before a look, so that nothing is lost between it and a
    /// [`sleep`](Self::sleep).
    pub(crate) fn wake_word(&self) -> Option<u32> {
        Some(self.notices()?.wake_word()?.get())
    }

    /// Sleeps until there may be something new, and for `limit` at most: on the sender's bell, if the word was
    /// taken before the look that found nothing, and by the clock otherwise.
    pub(crate) fn sleep(&self, seen: Option<u32>, limit: Duration) {
        if let (Some(seen), Some(entry), Some(notices)) = (seen, self.entry(), self.notices()) {
            if let Some(Link { info: Some(info), .. }) = &self.link {
                notices.sleep(&info.bell, entry, seen, limit.min(longest_sleep()));
            }
            return;
        }
        let pause = if self.link.is_some() { POLL } else { POLL_ABSENT };
        std::thread::sleep(pause.min(limit));
    }

    /// How many data segments have been opened here: what lies in another one is another frame.
    #[inline]
    pub(crate) fn openings(&self) -> u64 {
        self.openings
    }

    /// Takes the data lock for one read, waiting up to the receiver's limit; `None` while there is no sender.
    ///
    /// # Errors
    ///
    /// [`Error::Lock`] when the data lock is not to be had; [`Error::Segment`] when something stands there
    /// that is not a segment, or may not be opened, or where this is an [observer](Self::is_observer). Trying again is
    /// always allowed.
    #[doc(alias = "getMemory")]
    pub fn lock(&mut self) -> Result<Option<ReadGuard<'_>>, Error> {
        // What is new is the caller's to know.
        self.was_idle();
        self.forget_lent();
        if self.acquire()? { Ok(self.adopt()) } else { Ok(None) }
    }

    /// As [`lock`](Self::lock) without a guard. After `true` the caller calls [`release`](Self::release) or
    /// [`adopt`](Self::adopt) on this thread, on every path, with nothing between that could panic.
    #[inline]
    pub(crate) fn acquire(&mut self) -> Result<bool, Error> {
        // Twice: a sender that left may have a successor already.
        for _ in 0..2 {
            if self.link.is_none() && !self.attach()? {
                return Ok(false);
            }
            if self.is_observer() {
                return Err(self.may_not_lock().into());
            }
            let Some(lock) = &self.data_lock else { return Ok(false) };
            let outcome = lock.acquire(self.limit).map_err(|error| *error)?;
            self.abandonments = self.abandonments.wrapping_add(u64::from(outcome == Outcome::Abandoned));
            self.outcome = if std::mem::take(&mut self.untold) { Outcome::Abandoned } else { outcome };
            step!("read: locked");
            let there = match self.news() {
                News::None => Ok(true),
                News::Moved | News::Left => self.follow(),
            };
            match there {
                Ok(true) if !self.is_torn() => return Ok(true),
                // Nobody writes while this process has the lock, so an odd sequence was left by the dead.
                Ok(torn) => {
                    self.release_to_retry();
                    if torn {
                        return Ok(false);
                    }
                }
                Err(error) => {
                    self.release_to_retry();
                    return Err(error);
                }
            }
        }
        Ok(false)
    }

    #[cold]
    fn may_not_lock(&self) -> SegmentError {
        SegmentError::OnlyObserved {
            name: self.short.to_string(),
            why: "frames are copied (`read`, `try_next`, `next_timeout`), and never borrowed under the lock",
        }
    }

    /// Whether the last write was never finished, for whoever holds the lock.
    #[inline]
    fn is_torn(&mut self) -> bool {
        let extension = match &self.link {
            Some(Link { info: Some(info), .. }) if info.extended => Extension::room(info.object.region()),
            _ => None,
        };
        match extension.and_then(Extension::sequence) {
            Some(sequence) if sequence & 1 == 1 => self.is_wreck(sequence),
            _ => false,
        }
    }

    /// Whether what was never finished lies there as it was left: a foreign sender that took the object over
    /// from the dead knows nothing of the sequence (wire §11).
    #[cold]
    fn is_wreck(&mut self, sequence: u64) -> bool {
        let Some(region) = self.region() else { return true };
        match &self.wreck {
            Some(wreck) if wreck.is_of(self.openings, sequence) => !self.died || wreck.lies_in(region),
            _ => {
                self.wreck = Some(Wreck::of(region, self.openings, sequence));
                true
            }
        }
    }

    /// Whether a lock was found abandoned since the last frame that said so.
    #[inline]
    pub(crate) fn take_untold(&mut self) -> bool {
        std::mem::take(&mut self.untold)
    }

    /// Says that something was new.
    #[inline]
    pub(crate) fn was_news(&mut self) {
        self.idle.since = None;
    }

    /// Says that nothing was new. From time to time this looks whether the sender lives and whether the names
    /// still lead to what is open here; where they do not, it lets go, and the next look starts over (wire §6).
    #[inline]
    pub(crate) fn was_idle(&mut self) {
        let now = sys::coarse_instant();
        if self.idle.since.is_none() || now >= self.idle.next {
            self.look_for_the_sender(now);
        }
    }

    #[cold]
    fn look_for_the_sender(&mut self, now: Duration) {
        let Some(since) = self.idle.since else {
            self.idle = Idle {
                since: Some(now),
                next: now.saturating_add(LIFE_EVERY),
                doubt: now.saturating_add(DOUBT_AFTER),
            };
            return;
        };
        let names_at = since.saturating_add(NAMES_AFTER);
        self.idle.next = now.saturating_add(LIFE_EVERY);
        if now < names_at {
            self.idle.next = self.idle.next.min(names_at);
        }
        if sys::LIVE_SENDERS_ARE_ROBBED && now >= self.idle.doubt {
            self.idle.doubt = now.saturating_add(DOUBT_AFTER);
            self.doubtful = true;
        }
        let Some(link) = &self.link else { return };
        let orphaned = link.info.as_ref().is_some_and(Info::is_orphaned);
        if self.has_left() {
            return; // it said so before it had no owner, and the next look follows
        }
        self.died = orphaned;
        if now < names_at {
            return;
        }
        if sys::NAMES_DIE_WITH_HANDLES {
            self.idle.next = self.idle.next.min(Duration::from_secs(now.as_secs().saturating_add(1)));
            self.close_for_a_moment(now, now.saturating_sub(since));
            return;
        }
        let info_moved = match &link.info {
            Some(info) => !info.object.leads_here() || !link.data.leads_here(),
            // Without one so far: has one come?
            None => Peek::open(&self.info_name).is_ok() || !link.data.leads_here(),
        };
        if info_moved || self.data_lock.as_ref().is_some_and(|lock| !lock.leads_here()) {
            self.let_go(ErrorState::InfoDoesNotExist);
        }
    }

    /// Where handles keep objects alive, the names lead to what is open here for as long as it is. So that nothing of
    /// the dead is kept, all of it is closed, unless the sender is known to live; whoever reads opens it again.
    #[cold]
    fn close_for_a_moment(&mut self, now: Duration, idle: Duration) {
        let Some(link) = &self.link else { return };
        let known_to_live = link.info.as_ref().is_some_and(|info| info.extended) && !self.died;
        if known_to_live {
            return;
        }
        // Without an info segment so far: has one come?
        let named = link.info.is_none() && Peek::open(&self.info_name).is_ok();
        if !named && (idle < CLOSED_AFTER || !is_time_to_close(now)) {
            return;
        }
        let postfix = link.info.as_ref().map(Info::postfix).unwrap_or_default();
        self.reopening = (!self.died && !named).then_some(postfix);
        if let Some(info) = link.info.as_ref().filter(|_| self.died) {
            // Whoever else has it open still lets go as well.
            self.shunned = info.owner();
        }
        self.let_go(ErrorState::InfoDoesNotExist);
        self.data_lock = None;
    }

    /// Whether what was closed for a moment should stay closed, for those who can wait.
    pub(crate) fn stays_closed(&self) -> bool {
        self.reopening.is_some() && is_time_to_close(sys::coarse_instant())
    }

    /// Whether it is time to compare what lies there with what was read from a sender that has not counted any further:
    /// once each time that it becomes so.
    #[inline]
    pub(crate) fn take_doubt(&mut self) -> bool {
        sys::LIVE_SENDERS_ARE_ROBBED && std::mem::take(&mut self.doubtful)
    }

    /// Says that something else lies there than the sender counted: from now on it is a foreign one.
    #[cold]
    pub(crate) fn was_robbed(&mut self) {
        if let Some(Link { info: Some(info), .. }) = &mut self.link {
            info.robbed = Extension::room(info.object.region()).and_then(Extension::sequence);
            tracing::warn!(
                target: "tdshm::segment", name = %self.short,
                "a foreign program has taken over the segment of a living sender"
            );
        }
    }

    pub(crate) fn release(&self) {
        if let Some(lock) = &self.data_lock {
            lock.release();
        }
    }

    /// As [`release`](Self::release), to take it again at once: what was learnt of its last holder counts then.
    pub(crate) fn release_to_retry(&mut self) {
        self.untold = self.abandoned();
        self.release();
    }

    /// The guard for what [`acquire`](Self::acquire) took.
    #[inline]
    pub(crate) fn adopt(&self) -> Option<ReadGuard<'_>> {
        let lock = self.data_lock.as_ref()?;
        let guard = lock.adopt();
        let region = self.region()?;
        let lending = self.lending.as_deref();
        Some(ReadGuard { guard, region, lending, outcome: self.outcome })
    }

    /// Lets go of what was kept for an address that has been replaced since.
    #[inline]
    pub(super) fn forget_lent(&mut self) {
        if let Some(lending) = &mut self.lending {
            lending.forget();
        }
    }

    /// The sender's data, as it is open here.
    #[inline]
    pub(crate) fn region(&self) -> Option<Region<'_>> {
        self.link.as_ref().map(|link| link.data.region())
    }

    /// Whether the lock that [`acquire`](Self::acquire) took had been abandoned.
    #[inline]
    pub(crate) fn abandoned(&self) -> bool {
        self.outcome == Outcome::Abandoned
    }

    /// Looks for a sender without taking the data lock: attaches, follows, or notices that it left.
    pub(crate) fn look(&mut self) -> Result<bool, Error> {
        // Twice: a sender that left may have a successor already.
        for _ in 0..2 {
            if self.link.is_none() && !self.attach()? {
                return Ok(false);
            }
            match self.news() {
                News::None => return Ok(true),
                News::Moved | News::Left if self.follow()? => return Ok(true),
                News::Moved | News::Left => {}
            }
        }
        Ok(false)
    }

    /// Whether the sender has said that it left.
    #[inline]
    pub(crate) fn has_left(&self) -> bool {
        matches!(&self.link, Some(Link { info: Some(info), .. }) if info.has_left())
    }

    /// Whether the info block says anything else than what is open: then [`look`](Self::look).
    #[inline]
    pub(crate) fn has_moved(&self) -> bool {
        !matches!(self.news(), News::None)
    }

    /// Closes what is open here. Whether its sender died is known still: that is why there is none, until one comes.
    pub(super) fn let_go(&mut self, state: ErrorState) {
        if let (Some(link), Some(lending)) = (&self.link, &mut self.lending) {
            lending.retire(&link.data);
        }
        self.link = None;
        self.idle = Idle::default();
        self.state = state;
    }
}

/// Whether this is the part of the second in which receivers keep closed what is not known to live.
fn is_time_to_close(now: Duration) -> bool {
    Duration::from_nanos(now.subsec_nanos().into()) < CLOSED_FOR
}

/// How long one sleep lasts at most, so that whoever sleeps looks by itself now and then.
fn longest_sleep() -> Duration {
    #[cfg(tdshm_steps)]
    if crate::step::sleeps_on() {
        return Duration::MAX;
    }
    LIFE_EVERY
}
