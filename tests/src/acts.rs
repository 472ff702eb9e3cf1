//! What a peer does besides obeying step by step: whole errands, and what only a process can do to itself.

use std::str::SplitWhitespace;
use std::time::Duration;

use tdshm::{DryRun, Error, Fate, NamedLock, SegmentSender};

use crate::foreign::{Block, ForeignReceiver, Names};
use crate::frames;

/// Numbers that only look random, the same for every run with the same seed.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number, below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit.max(1)
    }
}

/// A frame as the bytes of a channel block, with names of its own where `named`.
#[must_use]
pub fn block_bytes(seed: u32, count: usize, length: usize, named: bool) -> Vec<u8> {
    let names = frames::names(seed, count);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rate = 1.0 + seed as f32;
    let block = Block::new(count, &frames::flat(seed, count, length), rate, named.then_some(&names[..]));
    let mut bytes = block.header();
    bytes.extend(block.samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes.extend(block.names.iter().flat_map(|name| [name.as_slice(), b"\0"].concat()));
    bytes
}

/// Obeys; `None`: there is no such command.
///
/// | command | what it does | answer |
/// | --- | --- | --- |
/// | `clean NAME`, `clean-dry NAME` | sweeps | `ok` and how many objects were removed |
/// | `list` | the short names of all segments there are | `ok NAME…` |
/// | `move-many NAME N SEED` | a sender of N frames, sizes up and down at random, most of them a resize | `ok` |
/// | `follow-ours NAME N` | a receiver of ours, until frame N: each whole, with its rate, none before the last one | `ok FRAMES` |
/// | `follow-foreign NAME N` | the same by hand, under the data lock | `ok FRAMES` |
/// | `follow-asleep NAME` | a receiver that sleeps for every frame, until one of another shape than the first | `ok FRAMES` |
/// | `nets-out NAME HOW N SEED` | a network that sends N frames from two operators, `local` or `global`: see [`nets`](crate::nets) | `ok` |
/// | `nets-mixed NAME N SEED` | a network that sends N frames of channels and of images in Global memory: see [`nets_top`](crate::nets_top) | `ok` |
/// | `processor-time` | Windows | `ok` and the microseconds that this process has had a processor |
/// | `fork` | a child that sleeps until this process's input ends | `ok PID` |
pub fn obey(command: &str, words: &mut SplitWhitespace<'_>) -> Option<Result<String, Error>> {
    let mut word = || words.next().expect("all words of the command");
    Some(match command {
        "clean" | "clean-dry" => {
            let dry = if command == "clean" { DryRun::No } else { DryRun::Yes };
            tdshm::clean(&[word()], dry)
                .map(|swept| swept.iter().filter(|swept| swept.fate == Fate::Removed).count().to_string())
        }
        "out-of-reach" => {
            let of = word();
            tdshm::clean(&[of], DryRun::No).and_then(|swept| {
                let swept = swept.into_iter().filter(|swept| matches!(swept.fate, Fate::OutOfReach { .. }));
                let swept = swept.map(|swept| swept.object).collect::<Vec<_>>();
                let left_out = tdshm::survey()?.left_out.iter().any(|(name, _)| name.as_str() == of);
                Ok(format!("{left_out} {}", swept.join(" ")))
            })
        }
        "list" => tdshm::list().map(|reports| {
            let names: Vec<String> = reports.iter().map(|report| report.name.to_string()).collect();
            names.join(" ")
        }),
        "move-many" => move_many(word(), word().parse().expect("N"), word().parse().expect("SEED")),
        "nets-out" => {
            let (name, how) = (word(), word());
            crate::nets::send_pairs(name, how, word().parse().expect("N"), word().parse().expect("SEED"));
            Ok(String::new())
        }
        "nets-mixed" => {
            crate::nets_top::send_mixed(word(), word().parse().expect("N"), word().parse().expect("SEED"));
            Ok(String::new())
        }
        "follow-ours" => follow(word(), word().parse().expect("N")),
        "follow-foreign" => follow_foreign(word(), word().parse().expect("N")),
        "follow-asleep" => follow_asleep(word()),
        #[cfg(target_os = "linux")]
        "fork" => Ok(fork().to_string()),
        #[cfg(windows)]
        "processor-time" => Ok(crate::system::processor_time().as_micros().to_string()),
        _ => return None,
    })
}

fn move_many(name: &str, count: u32, seed: u64) -> Result<String, Error> {
    let mut dice = Dice::new(seed);
    let mut out = SegmentSender::builder(name, 4096).room_ceiling(0).create()?;
    for number in 1..=count {
        let channels = 1 + dice.below(5) as usize;
        let largest = if dice.below(8) == 0 { 20_000 } else { 700 };
        let bytes = block_bytes(number, channels, dice.below(largest) as usize + 1, dice.below(2) == 0);
        if bytes.len() > out.mapped_bytes() || dice.below(3) != 0 {
            out.resize(bytes.len(), |view| {
                view.copy_from(&bytes);
            })?;
        } else {
            out.lock()?.view().copy_from(&bytes);
        }
    }
    // The others read the last frame, and then this one is told to go on.
    std::mem::forget(out);
    Ok(String::new())
}

fn follow(name: &str, last: u32) -> Result<String, Error> {
    let mut input = tdshm::ChopReceiver::open(name)?;
    let (mut frames_seen, mut before) = (0_u32, 0);
    while before < last {
        let Some(frame) = input.next_timeout(Duration::from_secs(600))? else { continue };
        let seed = frames::seed_of(frame.samples(), frame.num_channels(), frame.len_samples());
        let seed = seed.unwrap_or_else(|| panic!("torn, after {before}"));
        assert!(seed > before, "{seed} after {before}");
        assert_eq!(frame.sample_rate(), 1.0 + seed as f32, "the rate of another frame");
        if frame.names().first().is_some_and(|name| name.starts_with('s')) {
            assert_eq!(frame.names().len(), frame.num_channels());
        }
        (frames_seen, before) = (frames_seen + 1, seed);
    }
    Ok(frames_seen.to_string())
}

/// Sleeps for every frame, until one of another shape than the first comes.
fn follow_asleep(name: &str) -> Result<String, Error> {
    let mut input = tdshm::ChopReceiver::open(name)?;
    let (mut received, mut shape) = (0_u32, None);
    loop {
        let frame = input.next_timeout(Duration::from_secs(600))?.expect("frames come until the last one");
        received += 1;
        if *shape.get_or_insert(frame.num_channels()) != frame.num_channels() {
            return Ok(received.to_string());
        }
    }
}

fn follow_foreign(name: &str, last: u32) -> Result<String, Error> {
    let lock = NamedLock::open(&Names::of(name).data_lock)?;
    let mut input = loop {
        match ForeignReceiver::attach(name) {
            Some(input) => break input,
            None => std::thread::yield_now(),
        }
    };
    let (mut frames_seen, mut before) = (0_u32, 0);
    while before < last {
        let held = lock.lock_timeout(Duration::from_secs(600))?;
        let block = input.read();
        drop(held);
        std::thread::yield_now(); // a lock is not fair, and whoever polls under it starves the others
        let Some(block) = block else { continue };
        let samples: Vec<f32> = block
            .samples
            .chunks_exact(4)
            .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")))
            .collect();
        let seed = frames::seed_of(&samples, block.count, block.length);
        let seed = seed.unwrap_or_else(|| panic!("torn, after {before}"));
        assert!(seed >= before, "{seed} after {before}");
        assert_eq!(block.rate, 1.0 + seed as f32, "the rate of another frame");
        if let Some(names) = block.names {
            let names: Vec<String> = names.into_iter().map(|name| String::from_utf8(name).unwrap()).collect();
            assert_eq!(names, frames::names(seed, block.count), "misnamed");
        }
        frames_seen += u32::from(seed > before);
        before = seed;
    }
    Ok(frames_seen.to_string())
}

#[cfg(target_os = "linux")]
/// A child that has all descriptors of this process and sleeps until the input that both have ends.
fn fork() -> i32 {
    // SAFETY: the child calls nothing but `poll`, `close` and `_exit`, which are allowed after a fork of a program with
    // several threads.
    let pid = unsafe { libc::fork() };
    if pid != 0 {
        return pid;
    }
    let mut input = libc::pollfd { fd: 0, events: 0, revents: 0 };
    loop {
        // SAFETY: one live `pollfd`. It asks for nothing, so it returns when the other end has been closed.
        let ready = unsafe { libc::poll(&raw mut input, 1, -1) };
        if ready > 0 {
            // SAFETY: ends the child at once, without touching what it has from its parent.
            unsafe { libc::_exit(0) };
        }
    }
}
