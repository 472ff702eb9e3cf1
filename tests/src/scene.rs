//! One test: its names, its processes, its watchdog, and the cleaning up after it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::Child;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::peer::Peer;
use crate::program::Program;
use crate::system;

/// How long a test may take before it is given up, in seconds, where the environment does not say.
const LIMIT_SECONDS: u64 = 60;

static COUNTER: AtomicU32 = AtomicU32::new(1);
/// All of this process, for the watchdog: its abort ends the other tests of the process as well.
static STAGES: Mutex<Vec<Weak<Stage>>> = Mutex::new(Vec::new());

/// What a test makes and has to remove again, and what it is doing.
#[derive(Debug)]
pub(crate) struct Stage {
    title: &'static str,
    name: String,
    children: Mutex<Vec<Arc<Mutex<Child>>>>,
    /// They read what the children print, up to its end.
    readers: Mutex<Vec<JoinHandle<()>>>,
    waiting: Mutex<String>,
}

impl Stage {
    /// Notes what is waited for, for the watchdog's message.
    pub(crate) fn waits_for(&self, what: impl Into<String>) {
        *lock(&self.waiting) = what.into();
    }

    pub(crate) fn owns(&self, child: Arc<Mutex<Child>>) {
        lock(&self.children).push(child);
    }

    /// The lines of what a child prints, as they come.
    pub(crate) fn lines_of(&self, output: impl Read + Send + 'static) -> Receiver<String> {
        let (sender, lines) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        lock(&self.readers).push(reader);
        lines
    }

    /// Ends the children and removes the objects. Never panics: it runs on the way out of a panic as well.
    fn clear(&self) {
        for child in lock(&self.children).drain(..) {
            let mut child = lock(&child);
            let _ = child.kill();
            let _ = child.wait();
        }
        if !system::DIES_WITH_HANDLES {
            self.sweep();
        }
        let _ = std::fs::remove_dir_all(scratch_of(&self.name));
    }

    fn sweep(&self) {
        for object in objects_of(&self.name) {
            system::remove_object(&object);
        }
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn scratch_of(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("tdshm-{name}"))
}

fn objects_of(name: &str) -> Vec<String> {
    let mut names = system::object_names(name);
    names.sort();
    names
}

/// One test's surroundings. Dropping it ends the test's processes and removes its objects.
#[derive(Debug)]
pub struct Scene {
    stage: Arc<Stage>,
    watchdog: Option<Watchdog>,
}

/// Barks when a test takes too long. Its thread ends when `alive` has gone.
#[derive(Debug)]
struct Watchdog {
    alive: Sender<()>,
    thread: JoinHandle<()>,
}

impl Scene {
    /// Begins a test. `title` is what the watchdog calls it.
    #[must_use]
    pub fn new(title: &'static str) -> Self {
        Self::lasting(title, Duration::ZERO)
    }

    /// Begins a test that goes on for `time` on purpose, which the watchdog allows beyond its limit.
    #[must_use]
    pub fn lasting(title: &'static str, time: Duration) -> Self {
        // Short, because the info lock's name is 29 bytes longer; with an end, so that no name holds another.
        let name = format!("t{:x}n{}z", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let stage = Arc::new(Stage {
            title,
            name,
            children: Mutex::default(),
            readers: Mutex::default(),
            waiting: Mutex::new("nothing in particular".to_owned()),
        });
        lock(&STAGES).push(Arc::downgrade(&stage));
        stage.clear(); // a killed test that had this process id may have left something
        let (alive, watched) = mpsc::channel::<()>();
        let watched_stage = Arc::clone(&stage);
        let thread = std::thread::spawn(move || {
            let seconds = std::env::var("TDSHM_TEST_SECONDS").ok().and_then(|text| text.parse().ok());
            let seconds = time.as_secs() + seconds.unwrap_or(LIMIT_SECONDS);
            if watched.recv_timeout(Duration::from_secs(seconds)) == Err(RecvTimeoutError::Timeout) {
                let waiting = lock(&watched_stage.waiting).clone();
                let text =
                    format!("\n\nWATCHDOG: {title}: not done after {seconds} s, waiting for {waiting}\n");
                // Straight to the descriptor: what `eprintln` captures would be lost in the abort.
                let _ = std::io::stderr().write_all(text.as_bytes());
                for stage in lock(&STAGES).iter().filter_map(Weak::upgrade) {
                    stage.clear();
                }
                std::process::abort();
            }
        });
        Self { stage, watchdog: Some(Watchdog { alive, thread }) }
    }

    /// The test's own short name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.stage.name
    }

    /// The title.
    #[must_use]
    pub fn title(&self) -> &str {
        self.stage.title
    }

    /// Starts another process.
    #[must_use]
    pub fn peer(&self) -> Peer {
        Peer::start(&self.stage)
    }

    /// Starts a foreign program, one of those in the folder `foreign`: `TDSHM_` and its name in capitals says where it
    /// is, or else it is looked for where this test's program is, and above.
    #[must_use]
    pub fn foreign(&self, program: &str, args: &[&str]) -> Peer {
        Peer::start_foreign(&self.stage, program, args)
    }

    /// Starts another process that dies when it reaches a step (`--cfg tdshm_steps`): `NAME`, or `NAME:N` for the
    /// N-th time.
    #[must_use]
    pub fn dying_peer(&self, step: &str) -> Peer {
        Peer::start_dying(&self.stage, step)
    }

    /// Starts another process whose receivers never look by themselves, as others do ten times a second: they sleep until
    /// the sender wakes them.
    #[must_use]
    pub fn peer_that_sleeps_on(&self) -> Peer {
        Peer::start_sleeping_on(&self.stage)
    }

    /// Starts another process that stops when it reaches a step, as by `kill -STOP`.
    #[cfg(unix)]
    #[must_use]
    pub fn stopping_peer(&self, step: &str) -> Peer {
        Peer::start_stopping(&self.stage, step)
    }

    /// Starts any program, which ends with this scene: `path` is what cargo says, `args` what a user would type.
    #[must_use]
    pub fn program(&self, path: &str, args: &[&str]) -> Program {
        Program::start(&self.stage, path, args)
    }

    /// Starts another process that works as on macOS, with a name directory and objects of this test's own.
    #[must_use]
    pub fn macos_peer(&self) -> Peer {
        Peer::start_on_macos(&self.stage, &self.macos_namespace(), None)
    }

    /// As [`macos_peer`](Self::macos_peer), and it dies when it reaches a step.
    #[must_use]
    pub fn dying_macos_peer(&self, step: &str) -> Peer {
        Peer::start_on_macos(&self.stage, &self.macos_namespace(), Some(step))
    }

    /// What the names of all objects of this test's macOS begin with.
    fn macos_namespace(&self) -> String {
        format!("{}-", self.stage.name)
    }

    /// The objects of this test's macOS, by hand.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn macos_by_hand(&self) -> system::shm::Shm {
        system::shm::Shm::of(&self.macos_namespace())
    }

    /// The path of an object of this test's macOS.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn macos_path(&self, object: &str) -> PathBuf {
        PathBuf::from(system::SHM).join(self.macos_namespace() + object)
    }

    /// Waits until `condition` holds; `what` is for the watchdog.
    pub fn until(&self, what: &str, mut condition: impl FnMut() -> bool) {
        self.stage.waits_for(what);
        while !condition() {
            std::thread::yield_now();
        }
    }

    /// Notes what the test does next, for the watchdog.
    pub fn doing(&self, what: &str) {
        self.stage.waits_for(what);
    }

    /// The objects there are with this test's name in theirs, sorted.
    #[must_use]
    pub fn objects(&self) -> Vec<String> {
        objects_of(&self.stage.name)
    }

    /// Whether there is an object of this test: `{}` in `pattern` stands for the short name.
    #[must_use]
    pub fn has(&self, pattern: &str) -> bool {
        self.objects().contains(&pattern.replace("{}", &self.stage.name))
    }

    /// Removes this test's objects, as somebody does who cleans up between two programs.
    pub fn sweep(&self) {
        self.stage.sweep();
    }

    /// The path of an object of this test: `{}` in `pattern` stands for the short name.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn path(&self, pattern: &str) -> PathBuf {
        PathBuf::from(system::SHM).join(pattern.replace("{}", &self.stage.name))
    }

    /// A folder for this test's other files, outside of where objects are.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        let path = scratch_of(&self.stage.name);
        std::fs::create_dir_all(&path).expect("a folder for this test's files");
        path
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        lock(&STAGES).retain(|stage| !stage.ptr_eq(&Arc::downgrade(&self.stage)));
        self.stage.clear();
        // No thread of ours may be on its way out while the process ends: Windows takes that, but in Wine 8 about one such
        // process in a hundred hangs or crashes after all is done, whatever its tests have come to.
        self.stage.waits_for("the end of what its processes print");
        for reader in lock(&self.stage.readers).drain(..) {
            let _ = reader.join();
        }
        if let Some(Watchdog { alive, thread }) = self.watchdog.take() {
            drop(alive);
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")] // elsewhere objects remove themselves
mod tests {
    use super::*;

    #[test]
    fn a_scene_removes_what_bears_its_name_also_on_a_panic() {
        let (name, path) = {
            let scene = Scene::new("cleans up");
            let path = scene.path("TouchSHM{}");
            let name = scene.name().to_owned();
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
                std::fs::write(scene.path("TouchSHM{}"), "x").unwrap();
                std::fs::create_dir(scene.path("TouchSHM{}Mutex")).unwrap();
                assert_eq!(scene.objects().len(), 2);
                std::panic::resume_unwind(Box::new("as a failed test does"));
            }));
            assert!(result.is_err());
            (name, path)
        };
        assert!(!path.exists());
        assert!(objects_of(&name).is_empty());
    }
}
