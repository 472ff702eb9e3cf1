//! The info block: how a sender and its receivers resize and part (wire §3).
//!
//! It has two layouts: a narrow one, of macOS, Linux and Windows up to 2018, and the wide one of Windows since 2019,
//! whose postfix is UTF-16. Which of them a block has shows only in its postfix, so one that has none yet may be
//! either: then both places of `detach` count.

use core::ops::Range;

/// First field of every info block.
pub(crate) const MAGIC: i32 = 0x56ed_34ba;
/// The version that has the `detach` field.
pub(crate) const VERSION: i32 = 2;
/// Bytes that a block has at least: the narrow layout's.
pub(crate) const LEAST_BYTES: usize = 44;
/// Bytes that a block has at most: the wide layout's.
pub(crate) const MOST_BYTES: usize = 76;

const VERSION_OFFSET: usize = 4;
/// Where a receiver says that it understands resizing, in both layouts.
pub(crate) const SUPPORTED_OFFSET: usize = 8;
/// Characters of the postfix field, the NUL included.
pub(crate) const POSTFIX_CHARACTERS: usize = 32;

const NARROW_POSTFIX: Range<usize> = 9..41;
const NARROW_DETACH: usize = 41;
const WIDE_POSTFIX: Range<usize> = 10..74;
const WIDE_DETACH: usize = 74;
/// Where both layouts have their postfix.
const POSTFIXES: Range<usize> = 9..74;

/// Which of the two layouts a block has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// 44 bytes, 8-bit postfix.
    Narrow,
    /// 76 bytes, UTF-16 postfix.
    Wide,
    /// Nothing tells yet. Whoever writes it writes it wide.
    Either,
}

impl Layout {
    /// Which one these bytes have, on a system whose own programs write `native`: only Windows knows both.
    fn of(block: &[u8], native: Self) -> Self {
        if native == Self::Narrow {
            return Self::Narrow;
        }
        let byte = |at: usize| block.get(at).copied().unwrap_or(0);
        match (byte(NARROW_POSTFIX.start), byte(WIDE_POSTFIX.start)) {
            (0, 0) => Self::Either,
            (0, _) => Self::Wide, // its byte before the postfix is padding
            _ => Self::Narrow,
        }
    }

    /// The one to write.
    pub(crate) fn written(self) -> Self {
        if self == Self::Narrow { Self::Narrow } else { Self::Wide }
    }

    /// Bytes of the block.
    pub(crate) fn bytes(self) -> usize {
        if self == Self::Narrow { LEAST_BYTES } else { MOST_BYTES }
    }

    /// Where a sender says that it has gone: where it writes that.
    #[inline]
    pub(crate) fn detach_at(self) -> usize {
        if self == Self::Narrow { NARROW_DETACH } else { WIDE_DETACH }
    }

    /// The other place where it may say so, while nothing tells which layout it is.
    #[inline]
    pub(crate) fn other_detach_at(self) -> Option<usize> {
        (self == Self::Either).then_some(NARROW_DETACH)
    }

    /// Where its postfix stands, and what is written there.
    pub(crate) fn postfix_field(self, postfix: Postfix) -> (usize, PostfixField) {
        let mut field = PostfixField { bytes: [0; _], len: 0 };
        let (at, width) = if self == Self::Narrow { (NARROW_POSTFIX, 1) } else { (WIDE_POSTFIX, 2) };
        field.len = at.len();
        for (to, letter) in field.bytes.chunks_exact_mut(width).zip(postfix.0) {
            if let Some(to) = to.first_mut() {
                *to = letter;
            }
        }
        (at.start, field)
    }
}

/// The bytes of a postfix field in one of the layouts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PostfixField {
    bytes: [u8; WIDE_POSTFIX.end - WIDE_POSTFIX.start],
    len: usize,
}

impl PostfixField {
    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

/// What stood where a postfix stands, to be compared with what stands there later.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SeenPostfix {
    bytes: [u8; POSTFIXES.end - POSTFIXES.start],
}

impl SeenPostfix {
    fn of(block: &[u8]) -> Self {
        let mut bytes = [0; POSTFIXES.end - POSTFIXES.start];
        for (to, from) in bytes.iter_mut().zip(block.get(POSTFIXES.start..).unwrap_or_default()) {
            *to = *from;
        }
        Self { bytes }
    }

    /// Asks `equals` whether at an offset still stand these bytes.
    #[inline(always)]
    pub(crate) fn is_still<E>(
        &self,
        layout: Layout,
        equals: impl FnOnce(usize, &[u8]) -> Result<bool, E>,
    ) -> bool {
        let still = match layout {
            // Of constant length, so that the comparison becomes two loads.
            Layout::Narrow => match self.bytes.first_chunk::<POSTFIX_CHARACTERS>() {
                Some(narrow) => equals(NARROW_POSTFIX.start, narrow),
                None => return false,
            },
            Layout::Wide | Layout::Either => equals(POSTFIXES.start, &self.bytes),
        };
        matches!(still, Ok(true))
    }
}

/// Why bytes are no info block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoBlock {
    /// There are not enough of them.
    TooSmall,
    /// They begin with something else.
    Magic(i32),
}

/// What an info block says.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InfoBlock {
    pub(crate) version: i32,
    pub(crate) supported: u8,
    /// Or the first character of what no sender writes.
    pub(crate) postfix: Result<Postfix, u16>,
    pub(crate) detach: u8,
    pub(crate) layout: Layout,
    pub(crate) seen: SeenPostfix,
}

impl InfoBlock {
    /// What a sender writes when it comes: nothing supported, nothing detached, no postfix.
    pub(crate) fn fresh(layout: Layout) -> Self {
        Self {
            version: VERSION,
            supported: 0,
            postfix: Ok(Postfix::default()),
            detach: 0,
            layout,
            seen: SeenPostfix::of(&[]),
        }
    }

    /// Reads the first bytes of an info segment, [`MOST_BYTES`] of them where there are so many.
    pub(crate) fn parse(bytes: &[u8], native: Layout) -> Result<Self, NoBlock> {
        let i32_at = |at: usize| Some(i32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let magic = i32_at(0).filter(|_| bytes.len() >= LEAST_BYTES).ok_or(NoBlock::TooSmall)?;
        if magic != MAGIC {
            return Err(NoBlock::Magic(magic));
        }
        let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
        let layout = Layout::of(bytes, native);
        let postfix = match layout {
            Layout::Narrow => {
                let field = bytes.get(NARROW_POSTFIX).unwrap_or_default();
                Postfix::from_characters(field.iter().copied().map(u16::from))
            }
            Layout::Wide | Layout::Either => {
                let field = bytes.get(WIDE_POSTFIX).unwrap_or_default().chunks_exact(2);
                Postfix::from_characters(
                    field.filter_map(|unit| unit.first_chunk()).map(|unit| u16::from_le_bytes(*unit)),
                )
            }
        };
        let detach = match layout.other_detach_at() {
            Some(other) if byte(layout.detach_at()) == 0 => byte(other),
            _ => byte(layout.detach_at()),
        };
        Ok(Self {
            version: i32_at(VERSION_OFFSET).unwrap_or_default(),
            supported: byte(SUPPORTED_OFFSET),
            postfix,
            detach,
            layout,
            seen: SeenPostfix::of(bytes),
        })
    }

    /// Every field as it stands, for tools that show them: its offset, its name, its value. Where nothing tells which
    /// layout it is, as the wide one has them.
    pub(crate) fn fields(&self) -> [(usize, &'static str, String); 5] {
        let layout = self.layout.written();
        let postfix_at = if layout == Layout::Narrow { NARROW_POSTFIX.start } else { WIDE_POSTFIX.start };
        let postfix = match &self.postfix {
            Ok(postfix) => format!("{:?}", postfix.as_str()),
            Err(first) => format!("no letters, beginning with {first:#x}"),
        };
        [
            (0, "magic", format!("{MAGIC:#010x}")),
            (VERSION_OFFSET, "version", self.version.to_string()),
            (SUPPORTED_OFFSET, "supported", self.supported.to_string()),
            (postfix_at, "postfix", postfix),
            (layout.detach_at(), "detach", self.detach.to_string()),
        ]
    }

    /// The block byte for byte: the first [`Layout::bytes`] of these.
    pub(crate) fn encode(&self) -> [u8; MOST_BYTES] {
        let mut block = [0; MOST_BYTES];
        let layout = self.layout.written();
        let (postfix_at, postfix) = layout.postfix_field(self.postfix.unwrap_or_default());
        let mut put = |at: usize, bytes: &[u8]| {
            for (to, from) in block.iter_mut().skip(at).zip(bytes) {
                *to = *from;
            }
        };
        put(0, &MAGIC.to_le_bytes());
        put(VERSION_OFFSET, &self.version.to_le_bytes());
        put(SUPPORTED_OFFSET, &[self.supported]);
        put(postfix_at, postfix.as_slice());
        put(layout.detach_at(), &[self.detach]);
        block
    }

    /// Whether blocks of this version can say that the sender has gone.
    pub(crate) fn says_detach(&self) -> bool {
        self.version >= VERSION
    }

    /// Whether the sender has gone; blocks before version 2 cannot say so.
    pub(crate) fn detached(&self) -> bool {
        self.says_detach() && self.detach == 1
    }
}

/// What a data segment's name ends with after a resize: 31 letters `a` to `z`, or nothing (wire §1, §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Postfix([u8; POSTFIX_CHARACTERS]);

impl Postfix {
    /// Letters of a postfix.
    pub(crate) const LEN: usize = POSTFIX_CHARACTERS - 1;

    /// Reads the characters of the field up to their NUL. The error is the first character of something that no sender
    /// writes, such as a `/` or a missing NUL.
    fn from_characters(field: impl Iterator<Item = u16>) -> Result<Self, u16> {
        let mut letters = [0; POSTFIX_CHARACTERS];
        let mut first = 0;
        for (at, character) in field.enumerate() {
            if at == 0 {
                first = character;
            }
            if character == 0 {
                return Ok(Self(letters));
            }
            match (u8::try_from(character), letters.get_mut(at)) {
                (Ok(letter), Some(to)) if letter.is_ascii_graphic() && letter != b'/' => *to = letter,
                _ => return Err(first),
            }
        }
        Err(first)
    }

    /// One that was never used: 31 letters, 25 of them random, by which nobody meets the same one twice, and 6 that
    /// follow from these, by which ours are known from others' when the dead have left them behind.
    pub(crate) fn random() -> Self {
        let mut random = [0_u8; RANDOM_LETTERS];
        // Without the system's randomness the time and the address of a variable tell two programs apart.
        if getrandom::fill(&mut random).is_err() {
            let seed =
                std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::time::Instant::now());
            for (at, byte) in random.iter_mut().enumerate() {
                *byte = seed.rotate_left(u32::try_from(at).unwrap_or(0).wrapping_mul(5)).to_le_bytes()[0];
            }
        }
        let letters = random.map(|byte| letter(byte.into()));
        let mut field = [0; POSTFIX_CHARACTERS];
        for (to, letter) in field.iter_mut().zip(letters.into_iter().chain(check(&letters))) {
            *to = letter;
        }
        Self(field)
    }

    /// Whether these letters are a postfix that a sender of this library made.
    pub(crate) fn is_ours(letters: &str) -> bool {
        match letters.as_bytes().split_first_chunk::<RANDOM_LETTERS>() {
            Some((random, last)) => last == check(random) && random.iter().all(u8::is_ascii_lowercase),
            None => false,
        }
    }

    /// The letters.
    pub(crate) fn as_str(&self) -> &str {
        let end = self.0.iter().position(|&byte| byte == 0).unwrap_or(0);
        self.0.get(..end).and_then(|letters| core::str::from_utf8(letters).ok()).unwrap_or_default()
    }
}

/// Random letters of a postfix of ours; those behind them are its check letters.
const RANDOM_LETTERS: usize = Postfix::LEN - CHECK_LETTERS;
const CHECK_LETTERS: usize = 6;

/// One of 26.
fn letter(number: u64) -> u8 {
    b'a'.wrapping_add(u8::try_from(number.checked_rem(26).unwrap_or(0)).unwrap_or(0))
}

/// The check letters: FNV-1a of the random ones.
fn check(letters: &[u8; RANDOM_LETTERS]) -> [u8; CHECK_LETTERS] {
    let hash = letters.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, letter| {
        (hash ^ u64::from(*letter)).wrapping_mul(0x0100_0000_01b3)
    });
    let mut hash = hash ^ (hash >> 32);
    core::array::from_fn(|_| {
        let letter = letter(hash);
        hash /= 26;
        letter
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn postfix(letters: &str) -> Postfix {
        Postfix::from_characters(letters.bytes().map(u16::from).chain([0])).unwrap()
    }

    #[test]
    fn a_fresh_block_is_the_table_of_section_3() {
        for (layout, bytes) in [(Layout::Narrow, 44), (Layout::Wide, 76)] {
            let mut expected = [0_u8; MOST_BYTES];
            expected[..8].copy_from_slice(&[0xba, 0x34, 0xed, 0x56, 2, 0, 0, 0]);
            assert_eq!(InfoBlock::fresh(layout).encode(), expected);
            assert_eq!(layout.bytes(), bytes);
        }
    }

    #[test]
    fn every_field_stands_where_the_table_says() {
        let block = |layout| InfoBlock {
            supported: 1,
            postfix: Ok(postfix("abc")),
            detach: 1,
            ..InfoBlock::fresh(layout)
        };
        let narrow = block(Layout::Narrow).encode();
        assert_eq!((narrow[8], &narrow[9..13], narrow[41], narrow[74]), (1, &b"abc\0"[..], 1, 0));
        let wide = block(Layout::Wide).encode();
        assert_eq!((wide[8], &wide[9..17], wide[41], wide[74]), (1, &b"\0a\0b\0c\0\0"[..], 0, 1));
        for native in [Layout::Narrow, Layout::Wide] {
            let read = InfoBlock::parse(&narrow, native).unwrap();
            assert_eq!((read.layout, read.postfix), (Layout::Narrow, Ok(postfix("abc"))));
            assert!(read.detached());
        }
        let read = InfoBlock::parse(&wide, Layout::Wide).unwrap();
        assert_eq!((read.layout, read.postfix, read.detached()), (Layout::Wide, Ok(postfix("abc")), true));
    }

    #[test]
    fn without_a_postfix_both_places_of_detach_count() {
        let empty = InfoBlock::fresh(Layout::Wide).encode();
        for at in [41, 74] {
            let mut bytes = empty;
            assert_eq!(InfoBlock::parse(&bytes, Layout::Wide).unwrap().layout, Layout::Either);
            bytes[at] = 1;
            assert!(InfoBlock::parse(&bytes, Layout::Wide).unwrap().detached(), "at {at}");
            assert_eq!(InfoBlock::parse(&bytes, Layout::Narrow).unwrap().detached(), at == 41);
            bytes[4] = 1;
            assert!(!InfoBlock::parse(&bytes, Layout::Wide).unwrap().detached(), "version 1 cannot say so");
        }
        assert_eq!(Layout::Either.written(), Layout::Wide);
    }

    #[test]
    fn a_postfix_that_comes_is_seen_in_either_layout() {
        let empty = InfoBlock::fresh(Layout::Wide).encode();
        let before = InfoBlock::parse(&empty, Layout::Wide).unwrap();
        let is_still = |bytes: &[u8; MOST_BYTES]| {
            before.seen.is_still(before.layout, |at, seen| Ok::<_, ()>(&bytes[at..at + seen.len()] == seen))
        };
        assert!(is_still(&empty));
        for layout in [Layout::Narrow, Layout::Wide] {
            let moved = InfoBlock { postfix: Ok(postfix("q")), ..InfoBlock::fresh(layout) }.encode();
            assert!(!is_still(&moved), "{layout:?}");
        }
    }

    #[test]
    fn what_is_no_block_is_told() {
        let block = InfoBlock::fresh(Layout::Narrow).encode();
        assert_eq!(InfoBlock::parse(&block[..43], Layout::Narrow).unwrap_err(), NoBlock::TooSmall);
        assert!(InfoBlock::parse(&block[..44], Layout::Wide).is_ok());
        assert_eq!(InfoBlock::parse(&[7; 76], Layout::Wide).unwrap_err(), NoBlock::Magic(0x0707_0707));
    }

    #[test]
    fn ours_are_known_from_others() {
        for _ in 0..1000 {
            let ours = Postfix::random();
            assert!(Postfix::is_ours(ours.as_str()) && ours.as_str().len() == Postfix::LEN, "{ours:?}");
        }
        assert_ne!(Postfix::random(), Postfix::random());
        for others in ["", "abc", &"q".repeat(31), &"a".repeat(32), "zyxwvutsrqponmlkjihgfedcbazyxwv"] {
            assert!(!Postfix::is_ours(others), "{others}");
        }
    }

    #[test]
    fn a_postfix_is_letters_up_to_a_nul() {
        let read = |field: &[u16]| Postfix::from_characters(field.iter().copied());
        assert_eq!(read(&[0; 32]), Ok(Postfix::default()));
        assert_eq!(postfix("abc").as_str(), "abc");
        assert_eq!(postfix(&"z".repeat(31)).as_str().len(), 31);
        let z = u16::from(b'z');
        assert_eq!(read(&[z; 32]), Err(z), "no NUL inside the field");
        for wrong in [b'/'.into(), 0xff, 0x161] {
            assert_eq!(read(&[z, wrong, 0]), Err(z), "{wrong:#x}");
        }
    }
}
