//! Holding a segment against the protocol's tables, field by field, for tools that find out what is wrong.
//!
//! Nothing is mapped, locked or created, as in `inspect`.

use crate::error::{Error, OsError, SegmentError, object_error};
use crate::name::{INFO_SUFFIX, PREFIX, ShortName};
use crate::segment::block;
use crate::segment::inspect::extension;
use crate::sys::{self, ObjectError, Peek};
use crate::wire::chop::{self, ChopHeader};
use crate::wire::global::GlobalHeader;
use crate::wire::info::{self, InfoBlock, Layout, Postfix};
use crate::wire::top;
use crate::wire::top_legacy;
use zerocopy::FromBytes;

/// What a segment says, field by field, and where it departs from the protocol.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Examination {
    /// The short name.
    pub name: ShortName,
    /// Whether its sender is one of this library.
    pub is_ours: bool,
    /// Whether the sender has said that it left.
    pub detached: bool,
    /// The info segment, then the data segment: those that are there.
    pub objects: Vec<ExaminedObject>,
    /// What departs from the protocol, in the order of the fields.
    pub deviations: Vec<Deviation>,
}

/// One object of a segment.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ExaminedObject {
    /// Its name.
    pub object: String,
    /// Its size in bytes.
    pub mapped_bytes: usize,
    /// What lies in it, in words.
    pub holds: &'static str,
    /// Its fields, in the order of their offsets.
    pub fields: Vec<ExaminedField>,
}

/// One field of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExaminedField {
    /// Bytes from the beginning of the block.
    pub offset: usize,
    /// Its name in the protocol's description.
    pub name: &'static str,
    /// What it holds, as text.
    pub value: String,
}

/// Something that is not as the protocol has it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Deviation {
    /// What it concerns, for programs.
    pub kind: DeviationKind,
    /// Whether it keeps others from reading the segment, or from following it when it moves or ends. Otherwise it is
    /// allowed, and only unusual.
    pub is_breach: bool,
    /// What it is, and what was expected.
    pub text: String,
}

/// What a deviation concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DeviationKind {
    /// There is no info segment.
    InfoMissing,
    /// The info segment has a name with the prefix once, where nobody looks for it.
    InfoMisnamed,
    /// What has the info segment's name holds no info block.
    InfoBroken,
    /// The info block's version.
    InfoVersion,
    /// A field of the info block that is 0 or 1.
    InfoFlag,
    /// The info block's postfix has characters of another width than this system's programs give it.
    InfoWidth,
    /// The letters of the info block's postfix.
    Postfix,
    /// There is no data segment where the info block leads to.
    DataMissing,
    /// What lies in the data segment is nothing that the protocol knows.
    DataUnknown,
    /// That field of the header of a channel block, or what follows from several of them.
    Channels(&'static str),
    /// The names behind the channels.
    Names,
    /// That field of the header of an image block, or what follows from several of them.
    Image(&'static str),
}

impl Examination {
    /// The field of that name in the object that has it.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.objects.iter().rev().flat_map(|object| &object.fields);
        fields.find(|field| field.name == name).map(|field| field.value.as_str())
    }

    fn breach(&mut self, kind: DeviationKind, text: String) {
        self.deviations.push(Deviation { kind, is_breach: true, text });
    }

    fn unusual(&mut self, kind: DeviationKind, text: String) {
        self.deviations.push(Deviation { kind, is_breach: false, text });
    }
}

/// Holds the segment `name` against the protocol's tables, without taking part: nobody waits for it, and nobody notices.
///
/// What is read may change while it is read: a deviation that does not stay was one moment of a write.
///
/// # Platform
///
/// As [`inspect`](crate::inspect). The narrow layout of the info block is the usual one everywhere but on Windows.
///
/// # Errors
///
/// [`Error::Name`]; [`SegmentError::DoesNotExist`] when there is neither an info nor a data segment; what may not be read.
///
/// # Source
///
/// wire §1, §3, §8, §9.
///
/// ```
/// # fn main() -> Result<(), tdshm::Error> {
/// # let name = format!("docexamine{}", std::process::id());
/// let mut out = tdshm::ChopSender::create(&name)?;
/// out.send(&[[0.5], [1.5]])?;
/// let found = tdshm::examine(&name)?;
/// assert_eq!(found.field("numChans"), Some("2"));
/// assert_eq!(found.deviations, []);
/// # drop(out);
/// # tdshm::clean(&[&name], tdshm::DryRun::No)?;
/// # Ok(())
/// # }
/// ```
pub fn examine(name: &str) -> Result<Examination, Error> {
    let name = ShortName::new(name)?;
    let mut found =
        Examination { name, is_ours: false, detached: false, objects: Vec::new(), deviations: Vec::new() };
    let postfix = examine_info(&mut found)?;
    let object = found.name.data_segment_with(postfix.unwrap_or_default());
    match Peek::open(&object) {
        Ok(peek) => examine_data(&mut found, object, &peek)?,
        Err(ObjectError::Absent) if found.objects.is_empty() => {
            return Err(SegmentError::DoesNotExist { name: found.name.as_str().to_owned() }.into());
        }
        Err(ObjectError::Absent) if !found.detached => {
            let text = format!("the data segment {object} is not there, which the info segment leads to");
            found.breach(DeviationKind::DataMissing, text);
        }
        Err(ObjectError::Absent) => {}
        Err(error) => return Err(object_error(error, &object).into()),
    }
    Ok(found)
}

/// Looks at the info segment, and says where the data are.
fn examine_info(found: &mut Examination) -> Result<Option<Postfix>, Error> {
    let object = found.name.info_segment();
    let peek = match Peek::open(&object) {
        Ok(peek) => peek,
        Err(ObjectError::Absent) => {
            let misnamed = format!("{PREFIX}{}{INFO_SUFFIX}", found.name.as_str());
            let single = Peek::open(&misnamed).is_ok();
            match single {
                true => found.breach(
                    DeviationKind::InfoMisnamed,
                    format!(
                        "the info segment is called {misnamed}, with {PREFIX} once: receivers look for {object}, and \
                         TouchDesigner reads nothing without it"
                    ),
                ),
                false => found.breach(
                    DeviationKind::InfoMissing,
                    format!(
                        "there is no info segment {object}: TouchDesigner reads nothing without it, and nobody learns \
                         that the sender moved or left"
                    ),
                ),
            }
            return Ok(None);
        }
        Err(error) => return Err(object_error(error, &object).into()),
    };
    let mapped_bytes = peek.bytes();
    let block = block::peek(&peek);
    let mut fields = Vec::new();
    if let Ok(block) = &block {
        let field = |(offset, name, value)| ExaminedField { offset, name, value };
        fields.extend(block.fields().map(field));
    }
    let holds = match block.as_ref().map(|block| block.layout) {
        Ok(Layout::Narrow) => "an info block with 8-bit characters",
        Ok(Layout::Wide) => "an info block with 16-bit characters",
        Ok(_) => "an info block; nothing tells 8-bit from 16-bit characters before it moves",
        Err(_) => "no info block",
    };
    found.is_ours = extension(&peek).is_some();
    found.objects.push(ExaminedObject { object: object.clone(), mapped_bytes, holds, fields });
    match block {
        Ok(block) => {
            found.detached = block.detached();
            check_info(found, &block, &peek);
            Ok(block.postfix.ok())
        }
        Err(error) => {
            found
                .breach(DeviationKind::InfoBroken, block::no_block(error, &object, mapped_bytes).to_string());
            Ok(None)
        }
    }
}

fn check_info(found: &mut Examination, block: &InfoBlock, peek: &Peek) {
    if block.version < info::VERSION {
        let text = format!(
            "the info block's version is {}: before {} it cannot say that the sender left",
            block.version,
            info::VERSION
        );
        found.breach(DeviationKind::InfoVersion, text);
    } else if block.version > info::VERSION {
        let (version, known) = (block.version, info::VERSION);
        let text = format!("the info block's version is {version}: later than {known}, which is known");
        found.unusual(DeviationKind::InfoVersion, text);
    }
    for (field, value) in [("supported", block.supported), ("detach", block.detach)] {
        if value > 1 {
            let text = format!("the info block's {field} is {value}: 0 and 1 are what it may be");
            found.breach(DeviationKind::InfoFlag, text);
        }
    }
    if sys::INFO_IS_WIDE && block.layout == Layout::Narrow {
        found.unusual(
            DeviationKind::InfoWidth,
            "the info block has 8-bit characters, as builds up to 2018 wrote it on Windows".to_owned(),
        );
    }
    match &block.postfix {
        Ok(postfix) if !postfix.as_str().is_empty() => {
            let letters = postfix.as_str();
            if letters.len() != Postfix::LEN || !letters.bytes().all(|letter| letter.is_ascii_lowercase()) {
                let text =
                    format!("the postfix is {letters:?}: {} letters from a to z are usual", Postfix::LEN);
                found.unusual(DeviationKind::Postfix, text);
            }
        }
        Ok(_) if !sys::INFO_IS_WIDE && has_wide_postfix(peek) => {
            found.breach(
                DeviationKind::InfoWidth,
                "the postfix is written with 16-bit characters, as on Windows: receivers here look for 8-bit ones, \
                 and lose the segment"
                    .to_owned(),
            );
        }
        Ok(_) => {}
        Err(first) => {
            // Two letters where one character of 16 bits belongs.
            let narrow = first.to_le_bytes().iter().all(u8::is_ascii_lowercase);
            let (kind, why) = match narrow {
                true => {
                    (DeviationKind::InfoWidth, ", two 8-bit letters where a character of 16 bits belongs")
                }
                false => (DeviationKind::Postfix, ""),
            };
            let what = "the postfix is no text that ends in a NUL";
            found.breach(kind, format!("{what}: it begins with {first:#x}{why}"));
        }
    }
}

/// Whether a block that has no narrow postfix has a wide one.
fn has_wide_postfix(peek: &Peek) -> bool {
    let mut bytes = [0; info::MOST_BYTES];
    let len = peek.read(0, &mut bytes).unwrap_or(0);
    let wide = InfoBlock::parse(bytes.get(..len).unwrap_or_default(), Layout::Wide);
    wide.is_ok_and(|block| {
        block.layout == Layout::Wide && block.postfix.is_ok_and(|postfix| !postfix.as_str().is_empty())
    })
}

fn examine_data(found: &mut Examination, object: String, peek: &Peek) -> Result<(), Error> {
    let mut bytes = [0; top::COLOUR_HEADER_BYTES];
    let read = |source| SegmentError::from(OsError { operation: "read", object: object.clone(), source });
    let len = peek.read(0, &mut bytes).map_err(read)?;
    let bytes = bytes.get(..len).unwrap_or_default();
    let mapped_bytes = peek.bytes();
    let field = |(offset, name, value): (usize, &'static str, crate::error::FieldValue)| ExaminedField {
        offset,
        name,
        value: value.to_string(),
    };
    let mut examined = ExaminedObject {
        object,
        mapped_bytes,
        holds: "something that is neither channels nor an image",
        fields: vec![],
    };
    let channels = ChopHeader::read_from_prefix(bytes).ok().map(|(header, _)| header);
    if let Some(header) = channels.filter(|header| header.magic() == chop::MAGIC) {
        examined.holds = "a channel block";
        examined.fields.extend(header.fields().map(field));
        found.objects.push(examined);
        check_channels(found, &header, peek);
    } else if let Some(fields) = top::fields(bytes) {
        examined.holds = "an image block";
        examined.fields.extend(fields.into_iter().map(field));
        found.objects.push(examined);
        check_image(found, bytes, mapped_bytes);
    } else if bytes.is_empty() {
        found.objects.push(examined);
        found.breach(
            DeviationKind::DataUnknown,
            "the data segment has 0 bytes, too few for a block".to_owned(),
        );
    } else if top::is_blank(bytes) {
        examined.holds = "nothing yet";
        found.objects.push(examined);
    } else if GlobalHeader::read_from_prefix(bytes).is_ok_and(|(header, _)| header.is_global()) {
        examined.holds = "all blocks of a program of this library";
        found.objects.push(examined);
    } else {
        found.objects.push(examined);
        let begins = match bytes.first_chunk() {
            Some(magic) => format!("begins with {:#010x}", u32::from_le_bytes(*magic)),
            None => format!("has {} bytes, too few for a block", bytes.len()),
        };
        let text = format!(
            "the data segment {begins}: channels begin with {:#010x}, images with {:#010x} or {:#010x}",
            chop::MAGIC,
            top::MAGIC,
            top_legacy::MAGIC
        );
        found.breach(DeviationKind::DataUnknown, text);
    }
    Ok(())
}

fn check_channels(found: &mut Examination, header: &ChopHeader, peek: &Peek) {
    let mut whole = *header;
    let layout = loop {
        match whole.check(peek.bytes()) {
            Ok(layout) => break layout,
            Err(error) => {
                let kind = DeviationKind::Channels(error.field);
                // What was mended, and is broken all the same, follows from another field.
                if found.deviations.iter().any(|deviation| deviation.kind == kind) {
                    return;
                }
                found.breach(kind, error.to_string());
                match whole.mended(error.field) {
                    Some(mended) => whole = mended,
                    None => return,
                }
            }
        }
    };
    if whole != *header {
        return; // what is unusual about the rest of it is the least
    }
    let (version, names_sent) = header.version_and_names_sent();
    if version != chop::VERSION {
        let text = format!("version is {version}: {} is the one that is known", chop::VERSION);
        found.unusual(DeviationKind::Channels("version"), text);
    }
    if !(0..=1).contains(&names_sent) {
        let text = format!("namesSent is {names_sent}: 0 and 1 are what it may be");
        found.unusual(DeviationKind::Channels("namesSent"), text);
    }
    if layout.samples_at != chop::HEADER_BYTES && !found.is_ours {
        let text = format!("channelDataOffset is {}: {} is usual", layout.samples_at, chop::HEADER_BYTES);
        found.unusual(DeviationKind::Channels("channelDataOffset"), text);
    }
    let samples_end = layout.samples_at.saturating_add(layout.samples_bytes());
    let mut end = samples_end;
    if let Some(names_at) = layout.names_at {
        if names_at != samples_end && !found.is_ours {
            let text =
                format!("nameDataOffset is {names_at}: right behind the samples, at {samples_end}, is usual");
            found.unusual(DeviationKind::Channels("nameDataOffset"), text);
        }
        match names_bytes(peek, names_at, layout.num_channels) {
            Some(bytes) => {
                end = samples_end.max(names_at.saturating_add(bytes));
                // Nothing but the NULs behind them.
                if bytes == layout.num_channels && bytes > 0 && !found.is_ours {
                    let text = format!(
                        "the names of {bytes} channels are announced, and all of them are empty: the sender has to write \
                         them, or to say that there are none (namesSent 0)"
                    );
                    found.unusual(DeviationKind::Names, text);
                }
            }
            None => {
                let text = format!(
                    "the names of {} channels are announced, and not all of them end in what is mapped: the sender has \
                     to write them, each with a NUL behind it",
                    layout.num_channels
                );
                return found.breach(DeviationKind::Names, text);
            }
        }
    }
    let claimed = header.block_bytes();
    if !found.is_ours && usize::try_from(claimed).ok() != Some(end) {
        let text = format!("size is {claimed}: the block takes {end} bytes");
        found.unusual(DeviationKind::Channels("size"), text);
    }
}

/// Bytes that so many names take, their NULs included; `None`: they do not end.
fn names_bytes(peek: &Peek, at: usize, count: usize) -> Option<usize> {
    let mut bytes = vec![0; peek.bytes().checked_sub(at)?];
    let len = peek.read(at, &mut bytes).ok()?;
    chop::names_extent(bytes.get(..len)?, count)
}

fn check_image(found: &mut Examination, bytes: &[u8], mapped: usize) {
    let layout = match top::check(bytes, mapped) {
        Ok(layout) => layout,
        Err(error) => {
            found.breach(DeviationKind::Image(error.field), error.to_string());
            // Whatever its version is, the rest can be held against the tables.
            if let Some(Err(error)) = top::versioned(bytes).map(|bytes| top::check(&bytes, mapped))
                && error.field != "version"
                && found.deviations.last().is_none_or(|last| last.kind != DeviationKind::Image(error.field))
            {
                found.breach(DeviationKind::Image(error.field), error.to_string());
            }
            return;
        }
    };
    let version = found.field("version").map(str::to_owned).unwrap_or_default();
    if version != layout.version.number().to_string() {
        let text = format!("version is {version}: it is read as {}", layout.version.number());
        found.unusual(DeviationKind::Image("version"), text);
    }
    let header = layout.version.header_bytes();
    if layout.data_at != header && !found.is_ours {
        let text = format!("dataOffset is {}: {header} is usual", layout.data_at);
        found.unusual(DeviationKind::Image("dataOffset"), text);
    }
    if layout.texels.bytes_per_pixel().is_none() {
        let text = format!("the pixel format is {}, which is not known", layout.texels);
        found.breach(DeviationKind::Image("pixelFormat"), text);
    }
    if let Some(colour) = layout.colour {
        if colour.primaries != top::PRIMARIES_REC709 {
            let text = format!("gamutPrimaries is {}: {} is known", colour.primaries, top::PRIMARIES_REC709);
            found.unusual(DeviationKind::Image("gamutPrimaries"), text);
        }
        if ![top::TRANSFER_LINEAR, top::TRANSFER_SRGB].contains(&colour.transfer) {
            let text = format!("transfer is {}: 0 and 1 are known", colour.transfer);
            found.unusual(DeviationKind::Image("transfer"), text);
        }
    }
}
