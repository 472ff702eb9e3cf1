//! The extension behind the info block (wire §11) as a program sees it that shares no code with ours, and what the
//! tests of it have in common.

use std::time::Duration;

use tdshm::{ChopReceiver, ChopSender};

use crate::foreign::{Mapping, Names};
pub use crate::system::start_time;
use crate::{Peer, Scene, Seen, frames};

/// Far longer than the watchdog's: nobody may have to wait for a time limit.
pub const EVER: Duration = Duration::from_secs(600);

// The extension, typed from the table of wire §11 a second time.
/// Whether a receiver without an entry has attached: 1 byte.
pub const SUPPORTED: u64 = 8;
/// The sequence.
pub const SEQUENCE: u64 = 272;
/// Frames written.
pub const FRAMES: u64 = 280;
/// The wake word.
pub const WAKE: u64 = 296;
/// The sender's process id.
pub const OWNER: u64 = 304;
/// Its start time.
pub const OWNER_START: u64 = 312;
/// The number of waiters.
pub const WAITERS: u64 = 320;
/// The first entry.
pub const RECEIVERS: u64 = 384;
/// Bytes of an entry.
pub const ENTRY: u64 = 64;
/// Entries.
pub const ENTRIES: u64 = 16;
/// A flag of an entry: waits for a frame.
pub const WAITING: u32 = 1;
/// A flag of an entry: wants the next write held back (decision 003).
pub const READING: u32 = 2;

/// The info object, read and written by hand.
#[derive(Debug)]
pub struct Info(pub Mapping);

impl Info {
    /// Opens it.
    #[must_use]
    pub fn of(scene: &Scene) -> Self {
        Self(Mapping::open(&Names::of(scene.name()).info).expect("there is an info segment"))
    }

    /// Reads 32 bits.
    #[must_use]
    pub fn u32(&self, at: u64) -> u32 {
        self.0.u32(at as usize)
    }

    /// Reads 64 bits.
    #[must_use]
    pub fn u64(&self, at: u64) -> u64 {
        u64::from_le_bytes(self.0.read(at as usize, 8).try_into().expect("eight bytes"))
    }

    /// Whether `supported` is set.
    #[must_use]
    pub fn supported(&self) -> bool {
        self.u32(SUPPORTED) & 0xff != 0
    }

    /// Writes bytes.
    pub fn set(&self, at: u64, bytes: &[u8]) {
        self.0.write(at as usize, bytes);
    }

    /// The process ids in the entries.
    #[must_use]
    pub fn entries(&self) -> Vec<u32> {
        (0..ENTRIES).map(|entry| self.u32(RECEIVERS + entry * ENTRY)).collect()
    }

    /// How many entries are taken.
    #[must_use]
    pub fn registered(&self) -> usize {
        self.entries().iter().filter(|pid| **pid != 0).count()
    }

    /// Where the entry of a process begins.
    #[must_use]
    pub fn entry_of(&self, pid: u32) -> u64 {
        let index = self.entries().iter().position(|found| *found == pid).expect("it is registered");
        RECEIVERS + index as u64 * ENTRY
    }
}

/// A process that waits for a frame, asleep.
#[must_use]
pub fn waiter(scene: &Scene, info: &Info) -> Peer {
    let mut peer = scene.peer();
    peer.ask(&format!("receiver {}", scene.name()));
    peer.see("try-next");
    sleep_in_next(scene, info, &mut peer);
    peer
}

/// Makes a process that receives wait for a frame, asleep.
pub fn sleep_in_next(scene: &Scene, info: &Info, peer: &mut Peer) {
    peer.begin("next 600000");
    let flags = info.entry_of(peer.pid()) + 4;
    scene.until("a peer to wait for a frame", || info.u32(flags) & WAITING != 0);
}

/// Sends a frame of 4 channels and 8 samples.
pub fn send(out: &mut ChopSender, seed: u32) {
    out.send_flat(&frames::flat(seed, 4, 8), 8).unwrap();
}

/// Waits for the next frame: its seed, its number, and how many were missed.
pub fn next(input: &mut ChopReceiver) -> (Option<u32>, Option<u64>, Option<u64>) {
    let frame = input.next_timeout(EVER).unwrap().expect("a frame comes");
    (Seen::of(frame).seed, frame.number(), frame.missed())
}
