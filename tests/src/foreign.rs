//! Programs that share no code with ours, written by hand from the protocol's description (wire §1 to §3, §5,
//! §8): named objects, mapped. Every number here is typed from the tables, on purpose a second time.
//!
//! The switches of [`Foreign`] are the ways in which other people's senders differ from TouchDesigner's.

#[cfg(target_os = "linux")]
pub use crate::system::{ABI, MUTEX_AT, MUTEX_BYTES};
pub use crate::system::{MadeLock, make_lock};
use crate::system::{Memory, WIDE};

/// An object, mapped whole for reading and writing.
#[derive(Debug)]
pub struct Mapping {
    memory: Memory,
}

// SAFETY: an address and a length; every access is a copy, and unmapping may happen on any thread.
unsafe impl Send for Mapping {}
// SAFETY: as for `Send`; what is shared with threads is shared with other programs anyway.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Makes an object of `len` bytes, which must not be there yet. On Windows it has whole pages.
    #[must_use]
    pub fn create(name: &str, len: usize) -> Self {
        Self { memory: Memory::create(name, len) }
    }

    /// Opens an object that is there; `None` where it is not.
    #[must_use]
    pub fn open(name: &str) -> Option<Self> {
        Some(Self { memory: Memory::open(name)? })
    }

    /// Its size in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn at(&self, offset: usize, len: usize) -> *mut u8 {
        assert!(
            offset.checked_add(len).is_some_and(|end| end <= self.len()),
            "{offset} + {len} in {}",
            self.len()
        );
        self.memory.base().as_ptr().wrapping_add(offset)
    }

    /// Copies bytes in.
    pub fn write(&self, offset: usize, bytes: &[u8]) {
        let to = self.at(offset, bytes.len());
        // SAFETY: `at` puts all of it inside the mapping, which lives as long as `self`; `bytes` is a slice of
        // this program's own memory, so the two do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
    }

    /// Copies bytes out.
    #[must_use]
    pub fn read(&self, offset: usize, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        let from = self.at(offset, len);
        // SAFETY: as in `write`, the other way round; `bytes` has `len` bytes and is this program's own.
        unsafe { std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), len) };
        bytes
    }

    /// Everything.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.read(0, self.len())
    }

    /// A little-endian 32-bit number.
    #[must_use]
    pub fn u32(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.read(offset, 4).try_into().expect("four bytes"))
    }

    /// A word by which two sides coordinate.
    #[must_use]
    pub fn word(&self, at: usize) -> &std::sync::atomic::AtomicU32 {
        assert!(at.is_multiple_of(4));
        // SAFETY: `at` puts it inside the mapping, which begins at a page and lives as long as `self`.
        unsafe { std::sync::atomic::AtomicU32::from_ptr(self.at(at, 4).cast()) }
    }

    /// Removes the name, where it does not go with the last handle.
    pub fn unlink(&self) {
        self.memory.unlink();
    }
}

/// The object names of a short name (wire §1).
#[derive(Clone, Debug)]
pub struct Names {
    /// The data segment, before the first resize.
    pub data: String,
    /// The data lock.
    pub data_lock: String,
    /// The info segment.
    pub info: String,
    /// The info segment as several third-party senders misname it.
    pub info_single: String,
    /// The info lock.
    pub info_lock: String,
}

impl Names {
    /// Derives them.
    #[must_use]
    pub fn of(short: &str) -> Self {
        Self {
            data: format!("TouchSHM{short}"),
            data_lock: format!("TouchSHM{short}Mutex"),
            info: format!("TouchSHMTouchSHM{short}4jhd783h"),
            info_single: format!("TouchSHM{short}4jhd783h"),
            info_lock: format!("TouchSHMTouchSHM{short}4jhd783hMutex"),
        }
    }
}

/// A channel block, field by field (wire §8): all of them may be set wrong.
#[derive(Clone, Debug)]
pub struct Block {
    /// At 0.
    pub magic: u32,
    /// At 4.
    pub version: i32,
    /// At 8; `None`: what it is.
    pub size: Option<i32>,
    /// At 12.
    pub num_chans: i32,
    /// At 16.
    pub length: i32,
    /// At 20.
    pub rate: f32,
    /// At 24.
    pub names_sent: i32,
    /// At 28.
    pub channel_data_offset: i32,
    /// At 32.
    pub name_data_offset: i32,
    /// What is written at `channel_data_offset`.
    pub samples: Vec<f32>,
    /// What is written at `name_data_offset`, each with a NUL behind it.
    pub names: Vec<Vec<u8>>,
}

impl Block {
    /// A block as TouchDesigner lays it out: samples at 36, names behind them.
    #[must_use]
    pub fn new(count: usize, samples: &[f32], rate: f32, names: Option<&[&str]>) -> Self {
        let length = samples.len().checked_div(count).unwrap_or(0);
        assert_eq!(count * length, samples.len());
        Self {
            magic: 0x12ED_54CF,
            version: 1,
            size: None,
            num_chans: count as i32,
            length: length as i32,
            rate,
            names_sent: names.is_some().into(),
            channel_data_offset: 36,
            name_data_offset: 36 + 4 * samples.len() as i32,
            samples: samples.to_vec(),
            names: names.unwrap_or_default().iter().map(|name| name.as_bytes().to_vec()).collect(),
        }
    }

    /// The header's 36 bytes.
    #[must_use]
    pub fn header(&self) -> Vec<u8> {
        let names: usize = self.names.iter().map(|name| name.len() + 1).sum();
        let size = self.size.unwrap_or((36 + 4 * self.samples.len() + names) as i32);
        let mut bytes = self.magic.to_le_bytes().to_vec();
        for field in [self.version, size, self.num_chans, self.length] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(self.rate.to_le_bytes());
        for field in [self.names_sent, self.channel_data_offset, self.name_data_offset] {
            bytes.extend(field.to_le_bytes());
        }
        assert_eq!(bytes.len(), 36);
        bytes
    }

    /// Writes what of it fits the mapping, wherever the offsets lead.
    pub fn write_to(&self, mapping: &Mapping) {
        let put = |at: i32, bytes: &[u8]| {
            let Ok(at) = usize::try_from(at) else { return };
            let room = mapping.len().saturating_sub(at);
            if room > 0 {
                mapping.write(at, &bytes[..bytes.len().min(room)]);
            }
        };
        let samples: Vec<u8> = self.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        put(self.channel_data_offset, &samples);
        let names: Vec<u8> = self.names.iter().flat_map(|name| [name.as_slice(), b"\0"].concat()).collect();
        put(self.name_data_offset, &names);
        put(0, &self.header());
    }
}

/// What a block holds, read by hand.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    /// Channels.
    pub count: usize,
    /// Samples in each.
    pub length: usize,
    /// Samples per second.
    pub rate: f32,
    /// The bytes of all samples.
    pub samples: Vec<u8>,
    /// The names, where they were sent.
    pub names: Option<Vec<Vec<u8>>>,
}

/// Reads a block by hand out of everything that is mapped. `None`: it breaks a rule of section 8, or leads out
/// of the mapping.
#[must_use]
pub fn parse(mapped: &[u8]) -> Option<Parsed> {
    let i32_at = |at: usize| Some(i32::from_le_bytes(mapped.get(at..at + 4)?.try_into().ok()?));
    let usize_at = |at: usize| usize::try_from(i32_at(at)?).ok();
    if i32_at(0)? != 0x12ED_54CF || i32_at(4)? < 1 {
        return None;
    }
    let (count, length) = (usize_at(12)?, usize_at(16)?);
    let rate = f32::from_bits(i32_at(20)? as u32);
    let (samples_at, names_at) = (usize_at(28)?, i32_at(32)?);
    if !(rate.is_finite() && rate > 0.0) || samples_at < 36 || samples_at % 4 != 0 {
        return None;
    }
    let samples =
        mapped.get(samples_at..samples_at.checked_add(count.checked_mul(length)?.checked_mul(4)?)?)?;
    let names = if count == 0 {
        Some(Vec::new()) // wherever none of them lie
    } else if i32_at(24)? == 1 {
        let mut at = usize::try_from(names_at).ok().filter(|at| *at >= 36)?;
        let mut names = Vec::new();
        for _ in 0..count {
            let end = mapped.get(at..)?.iter().position(|byte| *byte == 0)? + at;
            names.push(mapped[at..end].to_vec());
            at = end + 1;
        }
        Some(names)
    } else {
        None
    };
    Some(Parsed { count, length, rate, samples: samples.to_vec(), names })
}

/// The info segment of a foreign sender.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Info {
    /// An info block with the doubled prefix, as TouchDesigner makes it.
    #[default]
    Doubled,
    /// The same under the name with the single prefix, where nobody finds it.
    SinglePrefix,
    /// None.
    Missing,
    /// These bytes instead, under the right name.
    Bytes(Vec<u8>),
}

/// How a foreign sender is made.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// The data segment's size.
    pub size: usize,
    /// Its info segment.
    pub info: Info,
    /// Whether it makes the lock objects, or leaves that to others.
    pub locks: bool,
}

impl Default for Foreign {
    fn default() -> Self {
        Self { size: 4096, info: Info::default(), locks: false }
    }
}

/// A foreign sender. It leaves its objects behind unless told to leave.
#[derive(Debug)]
pub struct ForeignSender {
    /// The object names.
    pub names: Names,
    /// The data segment.
    pub data: Mapping,
    /// The info segment.
    pub info: Option<Mapping>,
    _locks: Vec<MadeLock>,
}

// The info block of this system's programs, typed from the table of wire §3 a second time.
/// Its bytes.
pub const INFO_BYTES: usize = if WIDE { 76 } else { 44 };
/// Where its postfix stands.
pub const POSTFIX_AT: usize = if WIDE { 10 } else { 9 };
/// Bytes of each of the 32 characters there.
pub const CHARACTER: usize = if WIDE { 2 } else { 1 };
/// Where its detach stands.
pub const DETACH_AT: usize = if WIDE { 74 } else { 41 };

/// An info block (wire §3): magic, version 2, supported 0, a postfix, detach.
#[must_use]
pub fn info_block(postfix: &str, detach: u8) -> Vec<u8> {
    let mut bytes = vec![0; INFO_BYTES];
    bytes[..4].copy_from_slice(&0x56ed_34ba_u32.to_le_bytes());
    bytes[4..8].copy_from_slice(&2_i32.to_le_bytes());
    let postfix = postfix_field(postfix);
    bytes[POSTFIX_AT..POSTFIX_AT + postfix.len()].copy_from_slice(&postfix);
    bytes[DETACH_AT] = detach;
    bytes
}

/// The postfix field with these letters.
#[must_use]
pub fn postfix_field(postfix: &str) -> Vec<u8> {
    let mut field = vec![0; 32 * CHARACTER];
    for (character, letter) in field.chunks_exact_mut(CHARACTER).zip(postfix.bytes()) {
        character[0] = letter;
    }
    field
}

/// The letters in the postfix field of an info segment.
#[must_use]
pub fn postfix_of(info: &Mapping) -> String {
    let field = info.read(POSTFIX_AT, 32 * CHARACTER);
    let letters = field.chunks_exact(CHARACTER).map(|character| character[0] as char);
    letters.take_while(|letter| *letter != '\0').collect()
}

impl Foreign {
    /// Makes the objects: info first, data next.
    #[must_use]
    pub fn start(&self, short: &str) -> ForeignSender {
        let names = Names::of(short);
        let locks = if self.locks {
            vec![make_lock(&names.info_lock), make_lock(&names.data_lock)]
        } else {
            Vec::new()
        };
        let make = |name: &str, bytes: &[u8]| {
            let mapping = Mapping::create(name, bytes.len());
            mapping.write(0, bytes);
            mapping
        };
        let info = match &self.info {
            Info::Doubled => Some(make(&names.info, &info_block("", 0))),
            Info::SinglePrefix => Some(make(&names.info_single, &info_block("", 0))),
            Info::Missing => None,
            Info::Bytes(bytes) => Some(make(&names.info, bytes)),
        };
        let data = Mapping::create(&names.data, self.size);
        ForeignSender { names, data, info, _locks: locks }
    }
}

impl ForeignSender {
    /// Writes a block, without any lock.
    pub fn send(&self, block: &Block) {
        block.write_to(&self.data);
    }

    /// Goes on in another data segment of `size` bytes, as a resize does (wire §4): new object, then the postfix.
    pub fn move_to(&mut self, postfix: &str, size: usize, block: &Block) {
        let moved = Mapping::create(&format!("{}{postfix}", self.names.data), size);
        block.write_to(&moved);
        self.info.as_ref().expect("it has an info segment").write(POSTFIX_AT, &postfix_field(postfix));
        self.data.unlink();
        self.data = moved;
    }

    /// Leaves: detach, then the names.
    pub fn leave(self) {
        if let Some(info) = &self.info {
            info.write(DETACH_AT, &[1]);
            info.unlink();
        }
        self.data.unlink();
    }
}

/// A foreign receiver: it looks the way the reference one does, without locks.
#[derive(Debug)]
pub struct ForeignReceiver {
    info: Mapping,
    data: Mapping,
    data_name: String,
    postfix: String,
}

impl ForeignReceiver {
    /// Attaches, and says that it understands resizing. `None`: there is no sender.
    #[must_use]
    pub fn attach(short: &str) -> Option<Self> {
        let names = Names::of(short);
        let info = Mapping::open(&names.info)?;
        if info.u32(0) != 0x56ed_34ba || info.read(DETACH_AT, 1) == [1] {
            return None;
        }
        info.write(8, &[1]);
        let (postfix, data) = Self::data(&info, &names.data)?;
        Some(Self { info, data, data_name: names.data, postfix })
    }

    fn data(info: &Mapping, name: &str) -> Option<(String, Mapping)> {
        let postfix = postfix_of(info);
        let data = Mapping::open(&format!("{name}{postfix}"))?;
        Some((postfix, data))
    }

    /// Whether the sender said that it has gone.
    #[must_use]
    pub fn detached(&self) -> bool {
        self.info.read(DETACH_AT, 1) == [1]
    }

    /// The block that lies there; follows a resize. `None`: the sender has gone, or the block breaks a rule.
    pub fn read(&mut self) -> Option<Parsed> {
        if self.detached() {
            return None;
        }
        if postfix_of(&self.info) != self.postfix {
            (self.postfix, self.data) = Self::data(&self.info, &self.data_name)?;
        }
        parse(&self.data.bytes())
    }
}
