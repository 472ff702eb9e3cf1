//! Senders and receivers of images that share no code with ours, written by hand from the protocol's description
//! (wire §9). Every number here is typed from the tables, on purpose a second time.

use crate::foreign::{self, ForeignReceiver, ForeignSender, Mapping, Names, POSTFIX_AT};

/// An image block since 2022, field by field: all of them may be set wrong.
#[derive(Clone, Debug)]
pub struct TopBlock {
    /// At 0.
    pub magic: u32,
    /// At 4.
    pub version: i32,
    /// At 8.
    pub width: i32,
    /// At 12.
    pub height: i32,
    /// At 16 and 20.
    pub aspect: (f32, f32),
    /// At 24.
    pub pixel_format: u32,
    /// At 32; `None`: the bytes of the pixels.
    pub data_size: Option<i64>,
    /// At 40.
    pub data_offset: i32,
    /// At 44 and 48, which version 2 has.
    pub colour: Option<(u32, u32)>,
    /// What is written at `data_offset`, the bottom row first.
    pub pixels: Vec<u8>,
}

impl TopBlock {
    /// A block of version 1 as TouchDesigner lays it out.
    #[must_use]
    pub fn new(width: i32, height: i32, pixel_format: u32, pixels: Vec<u8>) -> Self {
        Self {
            magic: 0xd95e_f835,
            version: 1,
            width,
            height,
            aspect: (1.0, 1.0),
            pixel_format,
            data_size: None,
            data_offset: 48,
            colour: None,
            pixels,
        }
    }

    /// The header: 48 bytes, or 56 with the fields of colour.
    #[must_use]
    pub fn header(&self) -> Vec<u8> {
        let mut bytes = self.magic.to_le_bytes().to_vec();
        for field in [self.version, self.width, self.height] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(self.aspect.0.to_le_bytes());
        bytes.extend(self.aspect.1.to_le_bytes());
        bytes.extend(self.pixel_format.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend(self.data_size.unwrap_or(self.pixels.len() as i64).to_le_bytes());
        bytes.extend(self.data_offset.to_le_bytes());
        if let Some((primaries, transfer)) = self.colour {
            bytes.extend(primaries.to_le_bytes());
            bytes.extend(transfer.to_le_bytes());
            bytes.extend([0; 4]);
        } else {
            bytes.extend([0; 4]);
        }
        bytes
    }

    /// Writes the header, then what of the pixels fits the mapping, wherever the offset leads.
    pub fn write_to(&self, mapping: &Mapping) {
        put(mapping, 0, &self.header());
        if let Ok(at) = usize::try_from(self.data_offset) {
            put(mapping, at, &self.pixels);
        }
    }
}

/// Writes what fits.
pub fn put(mapping: &Mapping, at: usize, bytes: &[u8]) {
    let room = mapping.len().saturating_sub(at);
    if room > 0 {
        mapping.write(at, &bytes[..bytes.len().min(room)]);
    }
}

/// The header from before 2022, with these ten fields; aspects are 1.
#[must_use]
pub fn legacy_header(version: i32, size: (i32, i32), formats: [i32; 3], data_offset: i32) -> Vec<u8> {
    let mut bytes = 0xe95d_f673_u32.to_le_bytes().to_vec();
    for field in [version, size.0, size.1] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(1_f32.to_le_bytes());
    bytes.extend(1_f32.to_le_bytes());
    for field in formats.into_iter().chain([data_offset]) {
        bytes.extend(field.to_le_bytes());
    }
    bytes
}

/// Bytes of a pixel (wire §9.1).
fn bytes_per_pixel(format: u32) -> Option<usize> {
    Some(match format {
        9 | 0xf_0001 => 1,
        16 | 70 | 76 | 0xf_0002 | 0xf_0003 | 0xf_0005 => 2,
        37 | 43 | 44 | 50 | 64 | 77 | 83 | 100 | 122 | 0xf_0004 | 0xf_0006 | 0xf_0007 => 4,
        91 | 97 | 103 | 0xf_0008 => 8,
        109 => 16,
        _ => return None,
    })
}

/// Bytes of a pixel (wire §9.2).
fn legacy_bytes_per_pixel(data_format: u32, data_type: u32) -> Option<usize> {
    let channels = match data_format {
        0x1903 | 0x1906 | 0x1909 => 1,
        0x8227 | 0x190a => 2,
        0x1907 | 0x80e0 => 3,
        0x1908 | 0x80e1 | 0x8000 => 4,
        _ => return None,
    };
    let bytes = match data_type {
        0x1401 => 1,
        0x1403 | 0x140b => 2,
        0x1406 => 4,
        _ => return None,
    };
    Some(channels * bytes)
}

/// What an image block holds, read by hand.
#[derive(Clone, Debug, PartialEq)]
pub struct TopParsed {
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// Version, and the number of the format; of a header from before 2022 0, and 0.
    pub kind: (i32, u32),
    /// Where the pixels lie.
    pub data_offset: usize,
    /// The pixels, as they lie.
    pub pixels: Vec<u8>,
}

impl TopParsed {
    /// The rows, the bottom one first.
    pub fn rows(&self) -> std::slice::Chunks<'_, u8> {
        self.pixels.chunks((self.pixels.len() / self.height).max(1))
    }
}

/// Reads a block by hand out of everything that is mapped. `None`: it breaks a rule of section 9.3.
#[must_use]
pub fn parse_top(mapped: &[u8]) -> Option<TopParsed> {
    let u32_at = |at: usize| Some(u32::from_le_bytes(mapped.get(at..at + 4)?.try_into().ok()?));
    let i32_at = |at: usize| Some(u32_at(at)?.cast_signed());
    let side = |at: usize| usize::try_from(i32_at(at)?).ok().filter(|side| (1..=32768).contains(side));
    let version = i32_at(4)?;
    let (width, height) = (side(8)?, side(12)?);
    if version < 1 {
        return None;
    }
    let (kind, data_offset, least, bytes) = match u32_at(0)? {
        0xd95e_f835 => {
            let said = i64::from_le_bytes(mapped.get(32..40)?.try_into().ok()?);
            let format = u32_at(24)?;
            let bytes = bytes_per_pixel(format).map_or(said, |bytes| (width * height * bytes) as i64);
            if bytes != said {
                return None;
            }
            ((version.min(2), format), i32_at(40)?, 44, usize::try_from(said).ok()?)
        }
        0xe95d_f673 => {
            let at = i32_at(36)?;
            let rest = || mapped.len().checked_sub(usize::try_from(at).ok()?);
            let bytes = match legacy_bytes_per_pixel(u32_at(24)?, u32_at(28)?) {
                Some(bytes) => width * height * bytes,
                None => rest()?,
            };
            ((0, 0), at, 40, bytes)
        }
        _ => return None,
    };
    let data_offset = usize::try_from(data_offset).ok().filter(|at| *at >= least && at % 4 == 0)?;
    let pixels = mapped.get(data_offset..data_offset.checked_add(bytes)?)?.to_vec();
    Some(TopParsed { width, height, kind, data_offset, pixels })
}

impl ForeignSender {
    /// Goes on in another data segment of `size` bytes, as a resize does (wire §4): new object, then the postfix.
    pub fn move_images_to(&mut self, postfix: &str, size: usize, block: &TopBlock) {
        let moved = Mapping::create(&format!("{}{postfix}", self.names.data), size);
        block.write_to(&moved);
        self.info
            .as_ref()
            .expect("it has an info segment")
            .write(POSTFIX_AT, &foreign::postfix_field(postfix));
        self.data.unlink();
        self.data = moved;
    }
}

/// A foreign receiver of images: it looks the way the reference one does, without locks.
#[derive(Debug)]
pub struct ForeignTop {
    receiver: ForeignReceiver,
    info: Mapping,
    data: Mapping,
    data_name: String,
    postfix: String,
}

impl ForeignTop {
    /// Attaches, and says that it understands resizing. `None`: there is no sender.
    #[must_use]
    pub fn attach(short: &str) -> Option<Self> {
        let receiver = ForeignReceiver::attach(short)?;
        let names = Names::of(short);
        let info = Mapping::open(&names.info)?;
        let postfix = foreign::postfix_of(&info);
        let data = Mapping::open(&format!("{}{postfix}", names.data))?;
        Some(Self { receiver, info, data, data_name: names.data, postfix })
    }

    /// Whether the sender has left.
    #[must_use]
    pub fn detached(&self) -> bool {
        self.receiver.detached()
    }

    /// The block that lies there; follows a resize. `None`: the sender has gone, or the block breaks a rule.
    pub fn read(&mut self) -> Option<TopParsed> {
        if self.detached() {
            return None;
        }
        let postfix = foreign::postfix_of(&self.info);
        if postfix != self.postfix {
            self.data = Mapping::open(&format!("{}{postfix}", self.data_name))?;
            self.postfix = postfix;
        }
        parse_top(&self.data.bytes())
    }
}
