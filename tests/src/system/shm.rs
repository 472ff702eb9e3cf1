//! macOS by hand: objects of `shm_open`, the name directory for those whose names are longer than 31 bytes, and the lock of a
//! mutex, a condition and a flag (wire §1, §2, §5, §7), typed from the tables a second time.
//!
//! All of it is POSIX, so it is built on Linux as well, where it meets the peers that rehearse macOS.

use std::ffi::CString;
use std::ptr::NonNull;

const LONGEST: usize = 31;
const DIRECTORY: &str = "TD1zzSharedNameDirectory";
const DIRECTORY_LOCK: &str = "TD1zzSharedNameLock";
const DIRECTORY_BYTES: usize = 65_536;
const HEADER: usize = 24;

/// The objects whose names begin with a prefix: on macOS all there are, elsewhere those of one rehearsal.
#[derive(Clone, Debug, Default)]
pub struct Shm {
    prefix: String,
}

impl Shm {
    /// Those that begin so.
    #[must_use]
    pub fn of(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    fn path(&self, token: &str) -> CString {
        // Elsewhere the system wants the slash that macOS programs leave out.
        let slash = if cfg!(target_os = "macos") { "" } else { "/" };
        CString::new(format!("{slash}{}{token}", self.prefix)).expect("a name without NUL")
    }

    /// Makes an object of `len` bytes, which must not be there yet.
    #[must_use]
    pub fn create(&self, name: &str, len: usize) -> Object {
        let token = self.token(name, true).expect("it is added");
        self.create_short(&token, len).unwrap_or_else(|| panic!("{name} is there already"))
    }

    /// Opens an object that is there; `None` where it is not.
    #[must_use]
    pub fn open(&self, name: &str) -> Option<Object> {
        self.open_short(&self.token(name, false)?)
    }

    /// Removes a name.
    pub fn unlink(&self, name: &str) {
        if let Some(token) = self.token(name, false) {
            let path = self.path(&token);
            // SAFETY: it ends with NUL.
            unsafe { libc::shm_unlink(path.as_ptr()) };
        }
    }

    fn create_short(&self, token: &str, len: usize) -> Option<Object> {
        let path = self.path(token);
        // SAFETY: it ends with NUL; the mode is passed as the variadic function wants it.
        let file =
            unsafe { libc::shm_open(path.as_ptr(), libc::O_RDWR | libc::O_CREAT | libc::O_EXCL, 0o600) };
        if file < 0 {
            return None;
        }
        // SAFETY: an open descriptor; here a size can be set once.
        assert_eq!(unsafe { libc::ftruncate(file, len as libc::off_t) }, 0, "{token} can be sized");
        Some(Object::map(file))
    }

    fn open_short(&self, token: &str) -> Option<Object> {
        let path = self.path(token);
        // SAFETY: it ends with NUL.
        let file = unsafe { libc::shm_open(path.as_ptr(), libc::O_RDWR, 0) };
        (file >= 0).then(|| Object::map(file))
    }

    /// What the system calls that object: its name, or what the directory has for it. A missing name is added if asked.
    fn token(&self, name: &str, add: bool) -> Option<String> {
        if name.len() <= LONGEST {
            return Some(name.to_owned());
        }
        let lock = self.make_lock_short(DIRECTORY_LOCK);
        lock.lock();
        let token = self.token_in_directory(name, add);
        lock.unlock();
        token
    }

    fn token_in_directory(&self, name: &str, add: bool) -> Option<String> {
        let directory = match self.open_short(DIRECTORY) {
            Some(directory) => directory,
            None if !add => return None,
            None => {
                let directory = self.create_short(DIRECTORY, DIRECTORY_BYTES)?;
                for (at, number) in [(0, DIRECTORY_BYTES - HEADER), (8, 0), (16, 1)] {
                    directory.write(at, &(number as u64).to_le_bytes());
                }
                directory
            }
        };
        let entries = directory.entries();
        if let Some((_, token)) = entries.iter().find(|(known, _)| known == name) {
            return Some(token.clone());
        }
        if !add {
            return None;
        }
        let unused = |token: &String| entries.iter().all(|(_, known)| known != token);
        let token = (0..).map(|number| format!("TD44e33-{number}")).find(unused)?;
        let used = directory.u64(8) as usize;
        let entry = format!("{name}\0{token}\0");
        assert!(used + entry.len() <= directory.u64(0) as usize, "the directory is full");
        directory.write(HEADER + used, entry.as_bytes());
        directory.write(8, &((used + entry.len()) as u64).to_le_bytes());
        Some(token)
    }

    /// The objects that have `part` in their names, as far as they can be found: in the directory, and the short ones of
    /// a segment that is called so.
    #[must_use]
    pub fn names_with(&self, part: &str) -> Vec<String> {
        let mut names: Vec<String> = ["TouchSHM{}", "TouchSHM{}Mutex", "TouchSHM{}4jhd783h"]
            .into_iter()
            .chain(["TouchSHMTouchSHM{}4jhd783h", "TouchSHMTouchSHM{}4jhd783hMutex"])
            .map(|pattern| pattern.replace("{}", part))
            .filter(|name| name.len() <= LONGEST)
            .collect();
        if let Some(directory) = self.open_short(DIRECTORY) {
            let entries = directory.entries().into_iter().map(|(name, _)| name);
            names.extend(entries.filter(|name| name.contains(part)));
        }
        names.retain(|name| self.open(name).is_some());
        names
    }

    /// Makes a lock, or opens the one that is there.
    #[must_use]
    pub fn make_lock(&self, name: &str) -> Lock {
        self.make_lock_short(&self.token(name, true).expect("it is added"))
    }

    fn make_lock_short(&self, token: &str) -> Lock {
        if let Some(object) = self.create_short(token, size_of::<Fields>()) {
            let lock = Lock { object };
            lock.set_up();
            return lock;
        }
        loop {
            // Its maker gives it a size, and then makes what lies in it.
            let object = self.open_short(token).expect("locks are never removed");
            if object.len() >= size_of::<Fields>()
                && object.read(0, size_of::<Fields>()).iter().any(|byte| *byte != 0)
            {
                return Lock { object };
            }
            std::thread::yield_now();
        }
    }
}

/// An object, mapped whole for reading and writing.
#[derive(Debug)]
pub struct Object {
    base: NonNull<u8>,
    len: usize,
}

// SAFETY: an address and a length; every access is a copy, and unmapping may happen on any thread.
unsafe impl Send for Object {}
// SAFETY: as for `Send`; what is shared with threads is shared with other programs anyway.
unsafe impl Sync for Object {}

impl Object {
    /// Maps a descriptor, and closes it.
    fn map(file: libc::c_int) -> Self {
        let mut status = std::mem::MaybeUninit::<libc::stat>::zeroed();
        // SAFETY: an open descriptor, and room for what is written.
        assert_eq!(unsafe { libc::fstat(file, status.as_mut_ptr()) }, 0);
        // SAFETY: integers, of which zero is one, and which the call filled.
        let len = unsafe { status.assume_init() }.st_size as usize;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a null address lets the system choose; it checks the length and the descriptor.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), len.max(1), access, libc::MAP_SHARED, file, 0) };
        assert_ne!(base, libc::MAP_FAILED, "it can be mapped");
        // SAFETY: the caller's own, closed once; the mapping stays.
        unsafe { libc::close(file) };
        Self { base: NonNull::new(base.cast()).expect("not at address 0"), len }
    }

    /// Where it is.
    #[must_use]
    pub fn base(&self) -> NonNull<u8> {
        self.base
    }

    /// Its size in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn at(&self, offset: usize, len: usize) -> *mut u8 {
        assert!(
            offset.checked_add(len).is_some_and(|end| end <= self.len),
            "{offset} + {len} in {}",
            self.len
        );
        self.base.as_ptr().wrapping_add(offset)
    }

    /// Copies bytes in.
    pub fn write(&self, offset: usize, bytes: &[u8]) {
        let to = self.at(offset, bytes.len());
        // SAFETY: `at` puts all of it inside the mapping; `bytes` is this program's own memory.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    }

    /// Copies bytes out.
    #[must_use]
    pub fn read(&self, offset: usize, len: usize) -> Vec<u8> {
        let (mut bytes, from) = (vec![0; len], self.at(offset, len));
        // SAFETY: as in `write`, the other way round.
        unsafe { std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), len) };
        bytes
    }

    fn u64(&self, offset: usize) -> u64 {
        u64::from_le_bytes(self.read(offset, 8).try_into().expect("eight bytes"))
    }

    /// The names in a directory, with their tokens.
    fn entries(&self) -> Vec<(String, String)> {
        let used = self.read(HEADER, self.u64(8) as usize);
        let texts: Vec<_> = used.split(|byte| *byte == 0).map(|text| String::from_utf8_lossy(text)).collect();
        let (pairs, _) = texts.as_chunks::<2>();
        pairs.iter().map(|[name, token]| (name.to_string(), token.to_string())).collect()
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        // SAFETY: exactly what `map` mapped, once; every access borrows `self`, so none comes after.
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.len.max(1)) };
    }
}

/// What a lock is, in this order.
#[repr(C)]
struct Fields {
    mutex: libc::pthread_mutex_t,
    condition: libc::pthread_cond_t,
    locked: bool,
}

/// A lock as the vendor's programs have it: without any record. It stays when this goes.
#[derive(Debug)]
pub struct Lock {
    object: Object,
}

impl Lock {
    fn fields(&self) -> *mut Fields {
        self.object.at(0, size_of::<Fields>()).cast()
    }

    fn mutex(&self) -> *mut libc::pthread_mutex_t {
        // SAFETY: inside the mapping, which begins at a page.
        unsafe { &raw mut (*self.fields()).mutex }
    }

    fn condition(&self) -> *mut libc::pthread_cond_t {
        // SAFETY: as above.
        unsafe { &raw mut (*self.fields()).condition }
    }

    fn locked(&self) -> &std::sync::atomic::AtomicBool {
        // SAFETY: as above; the reference lives as long as the mapping. Whoever looks at it has the mutex.
        let locked = unsafe { &raw mut (*self.fields()).locked };
        // SAFETY: as above; nothing but booleans is written there.
        unsafe { std::sync::atomic::AtomicBool::from_ptr(locked) }
    }

    fn set_up(&self) {
        let mut attributes = std::mem::MaybeUninit::<libc::pthread_condattr_t>::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: room of the right type, alive to the end of this function.
        assert_eq!(unsafe { libc::pthread_condattr_init(attributes) }, 0);
        // SAFETY: initialised above; a documented value.
        assert_eq!(unsafe { libc::pthread_condattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED) }, 0);
        // SAFETY: initialised above; nobody uses the condition yet.
        assert_eq!(unsafe { libc::pthread_cond_init(self.condition(), attributes) }, 0);
        let mut attributes = std::mem::MaybeUninit::<libc::pthread_mutexattr_t>::uninit();
        let attributes = attributes.as_mut_ptr();
        // SAFETY: as above.
        assert_eq!(unsafe { libc::pthread_mutexattr_init(attributes) }, 0);
        // SAFETY: as above.
        let shared = unsafe { libc::pthread_mutexattr_setpshared(attributes, libc::PTHREAD_PROCESS_SHARED) };
        assert_eq!(shared, 0);
        // SAFETY: as above; whoever looks for a made lock looks for this one's bytes.
        assert_eq!(unsafe { libc::pthread_mutex_init(self.mutex(), attributes) }, 0);
    }

    /// Takes it, however long that takes.
    pub fn lock(&self) {
        // SAFETY: made by whoever made the object.
        assert_eq!(unsafe { libc::pthread_mutex_lock(self.mutex()) }, 0);
        while self.locked().load(std::sync::atomic::Ordering::Relaxed) {
            // SAFETY: the same; this thread has the mutex.
            assert_eq!(unsafe { libc::pthread_cond_wait(self.condition(), self.mutex()) }, 0);
        }
        self.locked().store(true, std::sync::atomic::Ordering::Relaxed);
        // SAFETY: this thread has it.
        assert_eq!(unsafe { libc::pthread_mutex_unlock(self.mutex()) }, 0);
    }

    /// Lets go of it.
    pub fn unlock(&self) {
        // SAFETY: as in `lock`.
        assert_eq!(unsafe { libc::pthread_mutex_lock(self.mutex()) }, 0);
        self.locked().store(false, std::sync::atomic::Ordering::Relaxed);
        // SAFETY: as in `lock`.
        assert_eq!(unsafe { libc::pthread_cond_signal(self.condition()) }, 0);
        // SAFETY: this thread has it.
        assert_eq!(unsafe { libc::pthread_mutex_unlock(self.mutex()) }, 0);
    }
}
