//! The lock of macOS: a mutex, a condition and a flag in a named object, as the vendor's programs have it (wire §5).
//!
//! The mutex is held for no longer than a look at the flag; whoever sets the flag has the lock. Nothing in that tells
//! that a holder died, so ours write down who they are, behind what the vendor's programs look at: whoever finds the
//! flag set and the process in the record dead has the lock, and is told.
//!
//! # Waiting
//!
//! Ours never sleep on the condition, they only signal it. A sleeper gets the mutex back before it returns, for which
//! it waits without a limit, and macOS knows neither a mutex that survives its holder nor one that can be waited for
//! with a limit: a program killed within the few instructions that it has the mutex for would stop us for ever. They
//! try, and rest between the tries, up to a millisecond ([`Pause`]).
//!
//! # Coming first
//!
//! The vendor's object has no mark that says it is ready, and whoever opens it between its creation, its sizing and
//! the making of the mutex has nothing, or zeroes. The size is waited for. Of the mutex and the condition it is known
//! that no made one is all zero: macOS begins each with a signature, which it writes last, and others have at least
//! the bit for "shared between processes". What cannot be seen is a foreign maker's last store, of `false` to the
//! flag that is `false` already; who saw it at work lets [`SETTLE`] pass. Makers of ours leave the flag alone, and
//! write down who they are, so that what a dead one left is made by the next. What a foreign one has not made within
//! [`PATIENCE`] counts as left as well: nobody else ever could use that name again.

use std::cell::Cell;
use std::mem::offset_of;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use crate::mem::Region;
use crate::step::step;
use crate::sys::posix::map::Map;
use crate::sys::posix::pause::Pause;
use crate::sys::posix::whole::Whole;
use crate::sys::posix::{process, shm};
use crate::sys::{
    self, Access, Life, LockFailure, LockLayout, LockOpenError, LockWord, ObjectError, Outcome, Process,
    RecordLayout,
};

/// How long a lock that is being made is waited for.
const READY_LIMIT: Duration = Duration::from_secs(5);
/// How long a foreign maker may take between its steps, which follow each other at once.
const PATIENCE: Duration = Duration::from_secs(1);
/// What is left to a foreign maker whose mutex and condition have just been seen to become ready.
const SETTLE: Duration = Duration::from_millis(10);
/// How often a waiter asks whether the holder lives.
const LIFE_EVERY: Duration = Duration::from_millis(20);
/// How often the inner mutex is tried by those who do not wait: somebody else's look at the flag is no holder.
const TRIES: u32 = 64;
/// How long letting go waits for the inner mutex, which is held for some instructions: then its holder was stopped.
const RELEASE_LIMIT: Duration = Duration::from_millis(500);

/// What the object begins with. The order is the wire's, the measures are the system's.
#[repr(C)]
struct Fields {
    mutex: libc::pthread_mutex_t,
    condition: libc::pthread_cond_t,
    locked: bool,
}

const MUTEX_AT: usize = offset_of!(Fields, mutex);
const CONDITION_AT: usize = offset_of!(Fields, condition);
const LOCKED_AT: usize = offset_of!(Fields, locked);
const FIELDS_BYTES: usize = size_of::<Fields>();

fn this_process() -> Process {
    Process { pid: process::id(), start: process::start() }
}

/// This thread's number, in this process: never 0, and never given twice.
fn this_thread() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    thread_local! {
        static NUMBER: Cell<u64> = const { Cell::new(0) };
    }
    match NUMBER.get() {
        0 => {
            let number = LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            NUMBER.set(number);
            number
        }
        number => number,
    }
}

/// The lock, open in this process.
#[derive(Debug)]
pub(crate) struct CondLock {
    map: Map,
    layout: RecordLayout,
    /// Tells the object from others that had or get its name; 0: it has no room for that.
    identity: u64,
    /// The thread that holds it through this very mapping, 0 for none, and its process, because a forked child has a
    /// copy. The record in the object says so too, but strangers may write there.
    held: AtomicU64,
    held_by: AtomicU32,
}

/// How one try went.
enum Attempt {
    Taken(Outcome),
    /// Somebody holds it: who, if it is one of ours.
    Held(Option<Process>),
    /// The inner mutex was not free.
    Busy,
    /// The inner mutex is none.
    Broken,
}

impl CondLock {
    /// Opens the lock in the object of that name, of at most [`shm::LONGEST_NAME`] bytes; where it is missing it is
    /// made with the access `make`, or is [`ObjectError::Absent`].
    pub(crate) fn open(name: &str, make: Option<Access>, layout: &LockLayout) -> Result<Self, LockOpenError> {
        Self::open_patiently(name, make, layout, PATIENCE)
    }

    /// As [`open`](Self::open), with another patience for foreign makers.
    pub(in crate::sys) fn open_patiently(
        name: &str,
        make: Option<Access>,
        layout: &LockLayout,
        patience: Duration,
    ) -> Result<Self, LockOpenError> {
        let mut pause = Pause::new(READY_LIMIT.max(patience));
        loop {
            let late = pause.elapsed() >= patience;
            match Self::try_open(name, make, layout.record, late).map_err(LockOpenError::Object)? {
                Some((lock, Maker::Ours)) => return Ok(lock),
                Some((lock, Maker::Foreign)) => {
                    if pause.has_rested() {
                        std::thread::sleep(SETTLE);
                    }
                    return Ok(lock);
                }
                None if pause.rest() => {}
                None => {
                    let advice = "whoever made it did not go on: end that program, and try again";
                    return Err(LockOpenError::NotALock { field: "mutex", value: 0, expected: 1, advice });
                }
            }
        }
    }

    /// `None`: somebody is making it.
    fn try_open(
        name: &str,
        make: Option<Access>,
        layout: RecordLayout,
        late: bool,
    ) -> Result<Option<(Self, Maker)>, ObjectError> {
        let (object, created) = match (shm::open(name), make) {
            (Err(ObjectError::Absent), Some(access)) => match shm::create(name, access) {
                Ok(object) => (object, true),
                Err(ObjectError::Exists) => return Ok(None),
                Err(error) => return Err(error),
            },
            (object, _) => (object?, false),
        };
        step!("mac lock: created");
        let mut ours = created;
        if shm::bytes(&object)? == 0 {
            if !(created || late) {
                return Ok(None);
            }
            ours = shm::size_once(&object, layout.object_bytes)?;
        }
        step!("mac lock: sized");
        let bytes = shm::bytes(&object)?;
        if bytes < FIELDS_BYTES {
            return Err(ObjectError::TooSmall { bytes, needed: FIELDS_BYTES });
        }
        let map = Map::new(std::os::fd::AsFd::as_fd(&object), bytes).map_err(ObjectError::Map)?;
        let region = map.region();
        if !is_made(region) {
            if !claim(region, &layout, ours || late) {
                return Ok(None);
            }
            step!("mac lock: claimed");
            make_condition(region)?;
            step!("mac lock: condition");
            make_mutex(region)?;
        }
        let maker = region.atomic_u32(layout.maker_at).map_or(0, |maker| maker.load(Ordering::Relaxed));
        let maker = if maker == 0 { Maker::Foreign } else { Maker::Ours };
        let identity = identity(region, &layout);
        let (held, held_by) = (AtomicU64::new(0), AtomicU32::new(0));
        Ok(Some((Self { map, layout, identity, held, held_by }, maker)))
    }

    /// Takes the lock, waiting up to `limit`.
    #[inline]
    pub(crate) fn acquire(&self, limit: Duration) -> Result<Outcome, LockFailure> {
        match self.attempt(None) {
            Attempt::Taken(outcome) => Ok(outcome),
            first => self.acquire_slowly(first, limit),
        }
    }

    #[cold]
    fn acquire_slowly(&self, mut attempt: Attempt, limit: Duration) -> Result<Outcome, LockFailure> {
        if self.is_held_here() {
            return Err(LockFailure::AlreadyHeld);
        }
        let mut pause = Pause::new(limit);
        let (mut tries, mut asked, mut dead) = (0_u32, None, None);
        // Of the last look at the flag, if there was one.
        let mut seen: Option<Option<Process>> = None;
        loop {
            match attempt {
                Attempt::Taken(outcome) => return Ok(outcome),
                Attempt::Broken => return Err(LockFailure::Unrecoverable),
                Attempt::Busy => {}
                Attempt::Held(holder) => {
                    seen = Some(holder);
                    let now = pause.elapsed();
                    let due = asked.is_none_or(|asked| now.saturating_sub(asked) >= LIFE_EVERY);
                    if let Some(holder) = holder.filter(|_| due) {
                        asked = Some(now);
                        if !holder.lives() {
                            dead = Some(holder);
                            step!("mac lock: found dead");
                            attempt = self.attempt(dead);
                            continue;
                        }
                    }
                }
            }
            tries = tries.saturating_add(1);
            let busy = seen.is_none() && tries < TRIES;
            if !pause.rest() {
                match seen {
                    None if busy => std::thread::yield_now(),
                    None if !limit.is_zero() => return Err(LockFailure::Stuck),
                    _ => {
                        return Err(LockFailure::Timeout { holder: seen.flatten().map(|holder| holder.pid) });
                    }
                }
            }
            attempt = self.attempt(dead);
        }
    }

    /// Tries once; `dead` has been seen to hold it, and to be dead.
    #[inline]
    fn attempt(&self, dead: Option<Process>) -> Attempt {
        match self.try_inner() {
            0 => {}
            libc::EBUSY => return Attempt::Busy,
            _ => return Attempt::Broken,
        }
        step!("mac lock: inner");
        let Some(locked) = self.locked() else { return Attempt::Broken };
        let attempt = if locked.load(Ordering::Acquire) == 0 {
            Attempt::Taken(Outcome::Clean)
        } else {
            match self.record() {
                Some(holder) if dead == Some(holder) => Attempt::Taken(Outcome::Abandoned),
                holder => Attempt::Held(holder),
            }
        };
        if let Attempt::Taken(_) = attempt {
            self.write_record(this_process());
            step!("mac lock: recorded");
            locked.store(1, Ordering::Relaxed);
            self.held_by.store(process::id(), Ordering::Relaxed);
            self.held.store(this_thread(), Ordering::Relaxed);
        }
        self.release_inner();
        step!("mac lock: taken");
        attempt
    }

    /// Whether [`release`](Self::release) is known to be what `fence(SeqCst)` is, too.
    pub(crate) const RELEASE_FENCES: bool = false;

    /// Lets go of the lock. Only the thread that acquired it may; on any other nothing happens.
    pub(crate) fn release(&self) {
        if !self.is_held_through_this() {
            return;
        }
        self.held.store(0, Ordering::Relaxed);
        // With the inner mutex first: whoever is killed while it waits for that can still be named. Where it cannot be had
        // the lock is let go of nevertheless, which is safe for its holder to do; what it may cost is that a foreign
        // waiter, which is about to fall asleep, misses the signal and sleeps until its own limit.
        let mut pause = Pause::new(RELEASE_LIMIT);
        let has_inner = loop {
            match self.try_inner() {
                0 => break true,
                libc::EBUSY if pause.rest() => {}
                _ => break false,
            }
        };
        self.clear_record();
        step!("mac unlock: record cleared");
        if let Some(locked) = self.locked() {
            locked.store(0, Ordering::Release);
        }
        step!("mac unlock: flag cleared");
        // SAFETY: the condition was made by whoever made the object (`is_made`), lies inside the mapping (`open` asks
        // for the bytes) and stays mapped while `self` lives.
        unsafe { libc::pthread_cond_signal(self.condition()) };
        if has_inner {
            self.release_inner();
        }
    }

    /// The process that holds it, as its record says: a look without the inner mutex.
    pub(crate) fn holder(&self) -> Option<u32> {
        self.record().map(|holder| holder.pid)
    }

    /// Whether the object of that name is this lock's.
    pub(crate) fn lies_in(&self, name: &str) -> bool {
        let Ok(object) = shm::open(name) else { return false };
        let Ok(bytes @ 1..) = shm::bytes(&object) else { return false };
        let Ok(map) = Map::new(std::os::fd::AsFd::as_fd(&object), bytes) else { return false };
        match map.region().atomic_u64(self.layout.identity_at) {
            Ok(identity) => identity.load(Ordering::Relaxed) == self.identity,
            Err(_) => self.identity == 0,
        }
    }

    /// Whether this thread holds it, through this mapping.
    fn is_held_through_this(&self) -> bool {
        self.held.load(Ordering::Relaxed) == this_thread()
            && self.held_by.load(Ordering::Relaxed) == process::id()
    }

    /// Whether this thread holds it, through whichever mapping.
    fn is_held_here(&self) -> bool {
        let me = this_process();
        let thread = || self.u64(self.layout.thread_at).map_or(0, |thread| thread.load(Ordering::Relaxed));
        // The number is written before the record that it belongs to.
        self.is_held_through_this() || (self.record() == Some(me) && thread() == this_thread())
    }

    fn mutex(&self) -> *mut libc::pthread_mutex_t {
        self.map.region().as_ptr().wrapping_add(MUTEX_AT).cast()
    }

    fn condition(&self) -> *mut libc::pthread_cond_t {
        self.map.region().as_ptr().wrapping_add(CONDITION_AT).cast()
    }

    fn locked(&self) -> Option<&AtomicU8> {
        self.map.region().atomic_u8(LOCKED_AT).ok()
    }

    #[inline]
    fn try_inner(&self) -> i32 {
        // SAFETY: the mutex was made by whoever made the object (`is_made`), lies inside the mapping (`open` asks for
        // the bytes) at a page's beginning, and stays mapped while `self` lives. Where strangers wrote over it the C
        // library refuses it by its signature or kind.
        unsafe { libc::pthread_mutex_trylock(self.mutex()) }
    }

    #[inline]
    fn release_inner(&self) {
        // SAFETY: as in `try_inner`, by the thread that has just taken it there.
        unsafe { libc::pthread_mutex_unlock(self.mutex()) };
    }

    fn u32(&self, offset: usize) -> Option<&AtomicU32> {
        self.map.region().atomic_u32(offset).ok()
    }

    fn u64(&self, offset: usize) -> Option<&AtomicU64> {
        self.map.region().atomic_u64(offset).ok()
    }

    /// `None`: nobody, or a foreign program.
    fn record(&self) -> Option<Process> {
        let magic = self.u64(self.layout.at)?.load(Ordering::Acquire);
        let pid = self.u32(self.layout.pid_at)?.load(Ordering::Relaxed);
        let start = self.u64(self.layout.start_at)?.load(Ordering::Relaxed);
        (magic == u64::from_le_bytes(self.layout.magic) && pid != 0).then_some(Process { pid, start })
    }

    #[inline]
    fn write_record(&self, holder: Process) {
        if let (Some(magic), Some(pid), Some(start)) =
            (self.u64(self.layout.at), self.u32(self.layout.pid_at), self.u64(self.layout.start_at))
        {
            if let Some(thread) = self.u64(self.layout.thread_at) {
                thread.store(this_thread(), Ordering::Relaxed);
            }
            start.store(holder.start, Ordering::Relaxed);
            pid.store(holder.pid, Ordering::Relaxed);
            magic.store(u64::from_le_bytes(self.layout.magic), Ordering::Release);
        }
    }

    #[inline]
    fn clear_record(&self) {
        if let (Some(magic), Some(pid), Some(start)) =
            (self.u64(self.layout.at), self.u32(self.layout.pid_at), self.u64(self.layout.start_at))
        {
            magic.store(0, Ordering::Relaxed);
            pid.store(0, Ordering::Relaxed);
            start.store(0, Ordering::Relaxed);
        }
    }

    #[cfg(all(test, target_os = "linux"))]
    pub(in crate::sys) fn region(&self) -> Region<'_> {
        self.map.region()
    }

    /// Takes the inner mutex and keeps it, as a program does that is killed with it.
    #[cfg(all(test, target_os = "linux"))]
    pub(in crate::sys) fn keep_inner(&self) {
        while self.try_inner() != 0 {
            std::thread::yield_now();
        }
    }

    /// Holds it as a program does that was killed between clearing the record and the flag, or a foreign one.
    #[cfg(all(test, target_os = "linux"))]
    pub(in crate::sys) fn forget_record(&self) {
        self.clear_record();
    }
}

/// What the object of that name says, without its inner mutex.
pub(crate) fn word_of(name: &str, layout: &LockLayout) -> Result<LockWord, ObjectError> {
    let whole = Whole::open_to_read(name)?;
    let region = whole.region();
    let bytes = region.len();
    let needed = FIELDS_BYTES;
    let Ok(locked) = region.load_u8(LOCKED_AT) else { return Err(ObjectError::TooSmall { bytes, needed }) };
    if locked == 0 {
        return Ok(LockWord::Free);
    }
    let layout = &layout.record;
    let magic: [u8; 8] = region.read(layout.at).unwrap_or_default();
    let pid: u32 = region.read(layout.pid_at).unwrap_or_default();
    let start: u64 = region.read(layout.start_at).unwrap_or_default();
    let holder = (magic == layout.magic && pid != 0).then_some(Process { pid, start });
    Ok(match holder {
        Some(holder) if !holder.lives() => LockWord::Abandoned,
        holder => LockWord::Held(holder.map(|holder| holder.pid)),
    })
}

/// Whose object a lock is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Maker {
    Ours,
    Foreign,
}

/// Whether the mutex and the condition have been made: see the module.
fn is_made(region: Region<'_>) -> bool {
    let is_blank = |at: usize, bytes: usize| {
        (at..at.saturating_add(bytes))
            .all(|at| region.atomic_u8(at).is_ok_and(|b| b.load(Ordering::Acquire) == 0))
    };
    !is_blank(MUTEX_AT, size_of::<libc::pthread_mutex_t>())
        && !is_blank(CONDITION_AT, size_of::<libc::pthread_cond_t>())
}

/// Becomes the one who makes the mutex and the condition. With `free`, also where nobody says that he does.
fn claim(region: Region<'_>, layout: &RecordLayout, free: bool) -> bool {
    let (Ok(maker), Ok(started)) =
        (region.atomic_u32(layout.maker_at), region.atomic_u64(layout.maker_start_at))
    else {
        return free; // an object without room for it, made by nobody of ours
    };
    let before = maker.load(Ordering::Acquire);
    let start = started.load(Ordering::Acquire);
    let may = match (before, start) {
        (0, _) => free,
        (_, 0) => free && sys::life(before, 0) == Life::Dead,
        (_, start) => sys::life(before, start) == Life::Dead,
    };
    if !may || maker.compare_exchange(before, process::id(), Ordering::AcqRel, Ordering::Relaxed).is_err() {
        return false;
    }
    started.store(process::start(), Ordering::Release);
    true
}

/// The object's random number, given by the first of ours that opens it; 0 where it has no room.
fn identity(region: Region<'_>, layout: &RecordLayout) -> u64 {
    let Ok(identity) = region.atomic_u64(layout.identity_at) else { return 0 };
    let random = getrandom::u64().unwrap_or_else(|_| {
        std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::time::Instant::now())
    });
    match identity.compare_exchange(0, random | 1, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => random | 1,
        Err(known) => known,
    }
}

fn result(code: i32) -> Result<(), ObjectError> {
    let source = std::io::Error::from_raw_os_error(code);
    if code == 0 { Ok(()) } else { Err(ObjectError::Os { operation: "make the mutex of", source }) }
}

fn make_mutex(region: Region<'_>) -> Result<(), ObjectError> {
    let mutex = region.as_ptr().wrapping_add(MUTEX_AT).cast();
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: `attributes` points to room of the right type, alive to the end of this function.
    result(unsafe { libc::pthread_mutexattr_init(attributes) })?;
    // SAFETY: initialised by the line above; this one value is documented.
    result(unsafe { libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED) })?;
    // SAFETY: the mutex lies inside a mapping of at least `FIELDS_BYTES` (`try_open`), at a page's beginning; it is
    // all zero, and whoever makes it has claimed that, so nobody uses it; the attributes are initialised.
    result(unsafe { libc::pthread_mutex_init(mutex, attributes) })?;
    // SAFETY: initialised above and not used after.
    result(unsafe { libc::pthread_mutexattr_destroy(attributes) })
}

fn make_condition(region: Region<'_>) -> Result<(), ObjectError> {
    let condition = region.as_ptr().wrapping_add(CONDITION_AT).cast();
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_condattr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: `attributes` points to room of the right type, alive to the end of this function.
    result(unsafe { libc::pthread_condattr_init(attributes) })?;
    // SAFETY: initialised by the line above; this one value is documented.
    result(unsafe { libc::pthread_condattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED) })?;
    // SAFETY: as in `make_mutex`; `repr(C)` aligns the field in an object that begins with a page.
    result(unsafe { libc::pthread_cond_init(condition, attributes) })?;
    // SAFETY: initialised above and not used after.
    result(unsafe { libc::pthread_condattr_destroy(attributes) })
}
