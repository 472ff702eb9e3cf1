//! A robust `pthread_mutex_t` in a named object: the lock of Linux.
//!
//! The system notes in the mutex that its holder died, in whatever way, and tells the next one who takes it.

use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use std::time::Duration;
#[cfg(not(target_env = "gnu"))]
use std::time::Instant;

use crate::mem::{OutOfBounds, Region};
use crate::sys::linux::Object;
use crate::sys::posix::process;
use crate::sys::{
    Access, LockFailure, LockLayout, LockOpenError, LockWord, Make, ObjectError, Outcome, Party,
};

/// How often opening begins anew because the name changed hands meanwhile.
const TRIES: usize = 1000;

const STRANGER: &str = "something else has this name; remove it if no program uses it";
const GARBAGE: &str = "somebody has written over it; end all programs that use it, and remove it";
const OTHER: &str = "it was made by a program with another C library; use one build of tdshm for both sides";

const MUTEX_BYTES: usize = size_of::<libc::pthread_mutex_t>();

/// The lock, open in this process.
#[derive(Debug)]
pub(crate) struct Lock {
    /// Leaked when dropped while held: the holder's thread keeps the mutex's address in its robust list.
    object: ManuallyDrop<Object>,
    /// Where in it the mutex lies.
    mutex: NonNull<libc::pthread_mutex_t>,
    /// Where it says which process holds it; 0: nobody.
    holder: NonNull<AtomicU32>,
    /// Somebody in this process holds it through this very mapping. The record in the object says so too, but
    /// strangers may write there, and it decides nothing.
    held: AtomicBool,
}

// SAFETY: the two pointers lead to what lies between processes and is made for it, a mutex and an atomic word, and stay
// valid as long as the lock lives, on whichever thread. Who may unlock is the mutex's own business (`release`).
unsafe impl Send for Lock {}
// SAFETY: as above: both are used through shared references by several processes at once.
unsafe impl Sync for Lock {}

impl Lock {
    /// Whether [`release`](Self::release) orders what comes after it behind all that came before, as `fence(SeqCst)` does. Both
    /// C libraries let go of a mutex by an exchange, and on x86-64 that is such a fence.
    pub(crate) const RELEASE_FENCES: bool = cfg!(target_arch = "x86_64");

    /// Opens the lock of that name, or makes it where it is missing, whoever asks.
    pub(crate) fn open(
        name: &str,
        access: Access,
        layout: LockLayout,
        _party: Party,
    ) -> Result<Self, LockOpenError> {
        let bytes = needed(&layout);
        for _ in 0..TRIES {
            let object = match Object::open(name, bytes) {
                Err(ObjectError::Absent) => {
                    match Object::create(
                        name,
                        Make { bytes, least: bytes, access, owned: false, replaces: None },
                        |region| prepare(region, &layout),
                    ) {
                        Err(ObjectError::Exists) => continue,
                        other => other,
                    }
                }
                other => other,
            }
            .map_err(LockOpenError::Object)?;
            object.mark_in_use().map_err(LockOpenError::Object)?;
            // Between opening it and marking it, `clean` may have removed it as unused.
            if !object.leads_here() {
                continue;
            }
            check(object.region(), &layout)?;
            let at = |offset, bytes| {
                object.region().part(offset, bytes).ok().and_then(|part| NonNull::new(part.as_ptr()))
            };
            let holder = object.region().atomic_u32(layout.holder_at).ok().map(NonNull::from);
            let (Some(mutex), Some(holder)) = (at(layout.mutex_at, MUTEX_BYTES), holder) else {
                let small = ObjectError::TooSmall { bytes: object.region().len(), needed: bytes };
                return Err(LockOpenError::Object(small));
            };
            let held = AtomicBool::new(false);
            return Ok(Self { object: ManuallyDrop::new(object), mutex: mutex.cast(), holder, held });
        }
        // An empty object has the name, which no lock of ours ever is: whoever made it has not gone on.
        Err(LockOpenError::Object(ObjectError::TooSmall { bytes: 0, needed: bytes }))
    }

    fn mutex(&self) -> *mut libc::pthread_mutex_t {
        self.mutex.as_ptr()
    }

    #[inline]
    fn holder_word(&self) -> &AtomicU32 {
        // SAFETY: `open` took it from a word inside the mapping of `object`, aligned and writable, which stays mapped
        // as long as `self` lives.
        unsafe { self.holder.as_ref() }
    }

    /// Takes the lock, waiting up to `limit`.
    #[inline]
    pub(crate) fn acquire(&self, limit: Duration) -> Result<Outcome, LockFailure> {
        // SAFETY: the mutex was initialised before its object got its name (`prepare`), by the same C library
        // (`check`), lies inside the mapping (`open` asks for the bytes) and stays mapped while `self` lives.
        let code = unsafe { libc::pthread_mutex_trylock(self.mutex()) };
        match code {
            0 => Ok(self.taken(Outcome::Clean)),
            _ => self.acquire_slowly(code, limit),
        }
    }

    #[cold]
    fn acquire_slowly(&self, mut code: i32, limit: Duration) -> Result<Outcome, LockFailure> {
        if code == libc::EBUSY && !limit.is_zero() {
            code = wait(self.mutex(), limit);
        }
        match code {
            0 => Ok(self.taken(Outcome::Clean)),
            libc::EOWNERDEAD => {
                // SAFETY: as in `acquire`, and EOWNERDEAD says that this thread now holds the mutex, which is
                // what the function asks for.
                unsafe { libc::pthread_mutex_consistent(self.mutex()) };
                Ok(self.taken(Outcome::Abandoned))
            }
            libc::EDEADLK => Err(LockFailure::AlreadyHeld),
            libc::EBUSY | libc::ETIMEDOUT => Err(LockFailure::Timeout { holder: self.holder() }),
            _ => Err(LockFailure::Unrecoverable),
        }
    }

    #[inline]
    fn taken(&self, outcome: Outcome) -> Outcome {
        self.held.store(true, Ordering::Relaxed);
        self.holder_word().store(process::id(), Ordering::Relaxed);
        outcome
    }

    /// Lets go of the lock. Only the thread that acquired it may; on any other nothing happens.
    #[inline]
    pub(crate) fn release(&self) {
        let holder = self.holder_word();
        // In a forked child's copy it is the parent's, who has the lock.
        let ours = holder.load(Ordering::Relaxed) == process::id();
        if ours {
            holder.store(0, Ordering::Relaxed);
        }
        self.held.store(false, Ordering::Relaxed);
        // SAFETY: the mutex is valid as in `acquire`; being error-checking, it refuses a thread that does not
        // hold it.
        let code = unsafe { libc::pthread_mutex_unlock(self.mutex()) };
        debug_assert!(
            matches!(code, 0 | libc::EPERM),
            "unlocked by the thread that locked it, or by a forked copy of it"
        );
        if code == libc::EPERM && ours {
            // Another thread of this process has it still.
            holder.store(process::id(), Ordering::Relaxed);
            self.held.store(true, Ordering::Relaxed);
        }
        if code != 0 {
            fence(Ordering::SeqCst); // there was no exchange
        }
    }

    /// The process that holds it, as its record says.
    pub(crate) fn holder(&self) -> Option<u32> {
        Some(self.holder_word().load(Ordering::Relaxed)).filter(|pid| *pid != 0)
    }

    /// Sets the permission bits of its object, where it belongs to this user.
    pub(crate) fn set_mode(&self, access: Access) -> Result<(), ObjectError> {
        self.object.set_mode(access)
    }

    #[cfg(test)]
    pub(in crate::sys) fn region(&self) -> Region<'_> {
        self.object.region()
    }

    /// Whether the name still leads to this lock.
    pub(crate) fn leads_here(&self) -> bool {
        self.object.leads_here()
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.held.load(Ordering::Relaxed) {
            return; // a guard was leaked: unmapping would break its thread's robust list
        }
        // SAFETY: dropped once, here, and not used after.
        unsafe { ManuallyDrop::drop(&mut self.object) };
    }
}

/// Which C library's mutex this program's is.
fn abi(layout: &LockLayout) -> u32 {
    if cfg!(target_env = "musl") { layout.abi_musl } else { layout.abi_glibc }
}

fn mutex_bytes() -> u32 {
    u32::try_from(MUTEX_BYTES).unwrap_or(u32::MAX)
}

/// Bytes that a lock object has at least.
pub(crate) fn needed(layout: &LockLayout) -> usize {
    layout.mutex_at.saturating_add(MUTEX_BYTES)
}

/// Bytes of a lock object that [`word_of`] looks at, where there are so many.
pub(crate) const LOOKED_AT: usize = 128;

/// What the bytes of a lock object say of its holder, whose thread that is. `None`: nothing that can be understood.
///
/// Both C libraries keep the thread that holds a robust mutex in its first words, because the kernel looks for it there
/// when that thread ends.
pub(crate) fn word_of(
    bytes: &[u8; LOOKED_AT],
    layout: &LockLayout,
) -> Result<Option<LockWord>, LockOpenError> {
    /// Of `futex(2)`: the holder died, and nobody has taken it since.
    const OWNER_DIED: u32 = 0x4000_0000;
    /// Of `futex(2)`: the thread.
    const THREAD: u32 = 0x3fff_ffff;
    /// What the two keep there, or in the word that names the owner, when nobody made it consistent.
    const BROKEN_MUSL: u32 = 0x7fff_ffff;
    const BROKEN_GLIBC: u32 = 0x7fff_fffe;
    /// Of `pid_max` in `proc(5)`: no thread has a number from here on.
    const THREADS: u32 = 1 << 22;
    let word = |at: usize| {
        let word = bytes.get(at..).and_then(|bytes| bytes.first_chunk());
        word.map(|word| u32::from_le_bytes(*word)).unwrap_or_default()
    };
    let magic = bytes.first_chunk::<8>().copied().unwrap_or_default();
    if magic != layout.magic {
        let (value, expected) = (u64::from_le_bytes(magic), u64::from_le_bytes(layout.magic));
        return Err(LockOpenError::NotALock { field: "magic", value, expected, advice: STRANGER });
    }
    let second = |number: usize| word(layout.mutex_at.saturating_add(number.saturating_mul(4)));
    let found = word(layout.abi_at);
    let (lock, is_broken) = if found == layout.abi_musl {
        (second(1), second(1) == BROKEN_MUSL)
    } else if found == layout.abi_glibc {
        (second(0), second(2) == BROKEN_GLIBC)
    } else {
        return Ok(None);
    };
    if found != abi(layout) {
        let (value, expected) = (found.into(), abi(layout).into());
        return Err(LockOpenError::NotALock { field: "ABI", value, expected, advice: OTHER });
    }
    let (thread, owner_died) = (lock & THREAD, lock & OWNER_DIED != 0);
    // The kernel takes the thread out when it notes its death, and musl's next holder leaves the note beside its own.
    let is_garbage = thread >= THREADS || (owner_died && thread != 0 && found == layout.abi_glibc);
    Ok(Some(match lock {
        _ if is_broken => LockWord::Unrecoverable,
        _ if is_garbage => {
            let value = lock.into();
            return Err(LockOpenError::NotALock { field: "mutex word", value, expected: 0, advice: GARBAGE });
        }
        0 => LockWord::Free,
        _ if owner_died && thread == 0 => LockWord::Abandoned,
        _ => LockWord::Held(Some(thread).filter(|thread| *thread != 0)),
    }))
}

/// Writes the head and the mutex into an object that nobody else can see yet.
fn prepare(region: Region<'_>, layout: &LockLayout) -> Result<(), ObjectError> {
    let failed = |source| ObjectError::Os { operation: "make the mutex of", source };
    let mutex = region.part(layout.mutex_at, MUTEX_BYTES).map_err(|OutOfBounds| ObjectError::Absent)?;
    make_mutex(mutex.as_ptr().cast()).map_err(failed)?;
    region
        .write(layout.version_at, &layout.version)
        .and_then(|()| region.write(layout.abi_at, &abi(layout)))
        .and_then(|()| region.write(layout.mutex_bytes_at, &mutex_bytes()))
        .and_then(|()| region.write(0, &layout.magic))
        .map_err(|OutOfBounds| ObjectError::Absent)
}

fn make_mutex(mutex: *mut libc::pthread_mutex_t) -> Result<(), std::io::Error> {
    let result = |code| if code == 0 { Ok(()) } else { Err(std::io::Error::from_raw_os_error(code)) };
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: `attributes` points to room of the right type, alive to the end of this function.
    result(unsafe { libc::pthread_mutexattr_init(attributes) })?;
    // SAFETY: initialised by the line above; this one value is documented.
    result(unsafe { libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED) })?;
    // SAFETY: initialised above; this one value is documented.
    result(unsafe { libc::pthread_mutexattr_setrobust(attributes, libc::PTHREAD_MUTEX_ROBUST) })?;
    // SAFETY: initialised above; this one value is documented.
    result(unsafe { libc::pthread_mutexattr_settype(attributes, libc::PTHREAD_MUTEX_ERRORCHECK) })?;
    // SAFETY: the caller's pointer leads to `MUTEX_BYTES` of a mapping (`Region::part`), at a multiple of 64
    // from a page, in an object that has no name yet, so nobody else uses it; the attributes are initialised.
    result(unsafe { libc::pthread_mutex_init(mutex, attributes) })?;
    // SAFETY: initialised above and not used after.
    result(unsafe { libc::pthread_mutexattr_destroy(attributes) })
}

/// Refuses what would not be a mutex of this C library: locking it would corrupt memory.
fn check(region: Region<'_>, layout: &LockLayout) -> Result<(), LockOpenError> {
    let wrong = |field, value: u64, expected: u64, advice| {
        Err(LockOpenError::NotALock { field, value, expected, advice })
    };
    let read = |at| region.read::<u32>(at).unwrap_or_default();
    let magic: [u8; 8] = region.read(0).unwrap_or_default();
    if magic != layout.magic {
        return wrong("magic", u64::from_le_bytes(magic), u64::from_le_bytes(layout.magic), STRANGER);
    }
    let fields = [
        ("version", layout.version_at, layout.version),
        ("ABI", layout.abi_at, abi(layout)),
        ("mutex size", layout.mutex_bytes_at, mutex_bytes()),
    ];
    for (field, at, expected) in fields {
        let value = read(at);
        if value != expected {
            return wrong(field, value.into(), expected.into(), OTHER);
        }
    }
    Ok(())
}

/// Waits for the mutex on the monotonic clock, so that a clock that is set does not lengthen the wait.
#[cfg(target_env = "gnu")]
fn wait(mutex: *mut libc::pthread_mutex_t, limit: Duration) -> i32 {
    unsafe extern "C" {
        /// glibc 2.30 and later; the `libc` crate does not declare it for Linux.
        fn pthread_mutex_clocklock(
            mutex: *mut libc::pthread_mutex_t,
            clock: libc::clockid_t,
            until: *const libc::timespec,
        ) -> libc::c_int;
    }
    let until = deadline(rustix::time::ClockId::Monotonic, limit);
    // SAFETY: the mutex is valid as in `acquire`; `until` is a live timespec with nanoseconds below 10^9
    // (`deadline`); the declaration above is glibc's.
    unsafe { pthread_mutex_clocklock(mutex, libc::CLOCK_MONOTONIC, &raw const until) }
}

/// Waits in short steps of the clock that POSIX offers, and counts on the monotonic one.
#[cfg(not(target_env = "gnu"))]
fn wait(mutex: *mut libc::pthread_mutex_t, limit: Duration) -> i32 {
    let begin = Instant::now();
    loop {
        let left = limit.saturating_sub(begin.elapsed());
        let until = deadline(rustix::time::ClockId::Realtime, left.min(Duration::from_millis(50)));
        // SAFETY: the mutex is valid as in `acquire`; `until` is a live timespec with nanoseconds below 10^9.
        let code = unsafe { libc::pthread_mutex_timedlock(mutex, &raw const until) };
        if code != libc::ETIMEDOUT || begin.elapsed() >= limit {
            return code;
        }
    }
}

fn deadline(clock: rustix::time::ClockId, limit: Duration) -> libc::timespec {
    const SECOND: i64 = 1_000_000_000;
    let now = rustix::time::clock_gettime(clock);
    let nanoseconds = now.tv_nsec.saturating_add(limit.subsec_nanos().into());
    let carry = nanoseconds / SECOND;
    let seconds = i64::try_from(limit.as_secs()).unwrap_or(i64::MAX / 2);
    libc::timespec {
        tv_sec: now.tv_sec.saturating_add(seconds).saturating_add(carry),
        tv_nsec: nanoseconds % SECOND,
    }
}
