//! What segments there are, what they hold, and cleaning up.

use core::ffi::c_char;

use tdshm::{
    BlockKind, ChopContents, DryRun, Examination, ExaminedField, ExaminedObject, Fate, PixelFormat,
    SegmentReport, Swept, SweptKind,
};

use crate::call::{exclusive, free, make};
use crate::caller::{Caller, age_ns, count_or_unknown, sized, tdshm_text_t, zeroed};
use crate::format::tdshm_format_t;
use crate::handle::Handle;
use crate::status::{Fault, Outcome, TDSHM_NOT_FOUND, TDSHM_OK, tdshm_status_t};

/// Segments, as they were found.
#[derive(Debug)]
pub enum tdshm_list_t {}

/// What became of objects when they were cleaned up.
#[derive(Debug)]
pub enum tdshm_swept_t {}

/// All fields of all objects of a segment, and what breaks the protocol.
#[derive(Debug)]
pub enum tdshm_examination_t {}

/// What a segment holds: TDSHM_HOLDS_….
pub type tdshm_holds_t = i32;

/// Nothing that is known here, or nothing yet.
pub const TDSHM_HOLDS_UNKNOWN: i32 = 0;
/// Channels.
pub const TDSHM_HOLDS_CHANNELS: i32 = 1;
/// An image.
pub const TDSHM_HOLDS_IMAGE: i32 = 2;
/// All blocks of a program of this library.
pub const TDSHM_HOLDS_GLOBAL: i32 = 3;

/// What a look at a segment found. Set `struct_size` first: TDSHM_INIT. Texts are valid as long as the list.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tdshm_segment_info_t {
    /// sizeof(tdshm_segment_info_t).
    pub struct_size: u32,
    /// What lies in it: TDSHM_HOLDS_….
    pub holds: tdshm_holds_t,
    /// The short name.
    pub name: tdshm_text_t,
    /// The data segment's object name.
    pub object: tdshm_text_t,
    /// Its size in bytes; -1 where there is an info segment and no data.
    pub mapped_bytes: i64,
    /// 1: the sender has said that it left; 0: not; -1: there is no info segment.
    pub detached: i32,
    /// 1: a foreign receiver has been there; 0: none; -1: there is no info segment.
    pub supported: i32,
    /// 1: its sender is of this library, and the fields up to `num_receivers` are known; else 0.
    pub is_ours: i32,
    /// 1: the owner lives; else 0.
    pub owner_alive: i32,
    /// The process that owns it; 0: none.
    pub owner_pid: u32,
    /// Who reads, the dead included until their places are needed: see tdshm_list_receiver.
    pub num_receivers: u32,
    /// The owner's program.
    pub program: tdshm_text_t,
    /// Frames written.
    pub frames: u64,
    /// How old the last frame is, in nanoseconds; -1 before the first, and where that is not known.
    pub age_ns: i64,
    /// What is wrong with the block; empty where nothing is.
    pub trouble: tdshm_text_t,
    /// Of channels: how many.
    pub num_channels: u64,
    /// Of channels: samples in each.
    pub len_samples: u64,
    /// Of channels: samples per second, in Hz.
    pub sample_rate: f32,
    /// Of channels: 1 where names are sent; else 0. See tdshm_list_channel_name.
    pub names_sent: i32,
    /// Of an image: pixels in a row.
    pub width: u32,
    /// Of an image: rows.
    pub height: u32,
    /// Of an image: TDSHM_FORMAT_…, 0 where there is none.
    pub format: tdshm_format_t,
    /// 0.
    pub reserved: u32,
}

/// What a receiver of this library recorded about itself. Set `struct_size` first: TDSHM_INIT.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct tdshm_receiver_info_t {
    /// sizeof(tdshm_receiver_info_t).
    pub struct_size: u32,
    /// Its process.
    pub pid: u32,
    /// 1: that lives; else 0.
    pub alive: i32,
    /// 1: it sleeps until the next frame; else 0.
    pub waiting: i32,
    /// The number of the frame it took last; -1 before the first.
    pub frame: i64,
    /// How many frames were written since.
    pub behind: u64,
}

/// What became of an object: TDSHM_FATE_….
pub type tdshm_fate_t = i32;

/// It was removed, or would be.
pub const TDSHM_FATE_REMOVED: i32 = 0;
/// A living sender has it, or somebody has the lock open.
pub const TDSHM_FATE_IN_USE: i32 = 1;
/// A foreign program made it, and nobody can tell whether that still lives.
pub const TDSHM_FATE_FOREIGN: i32 = 2;
/// It goes with the programs that have it open.
pub const TDSHM_FATE_HELD_OPEN: i32 = 3;
/// This user may not.
pub const TDSHM_FATE_OUT_OF_REACH: i32 = 4;

/// What an object is: TDSHM_OBJECT_….
pub type tdshm_object_t = i32;

/// A data segment.
pub const TDSHM_OBJECT_DATA: i32 = 1;
/// An info segment.
pub const TDSHM_OBJECT_INFO: i32 = 2;
/// A lock.
pub const TDSHM_OBJECT_LOCK: i32 = 3;

/// What became of one object. Set `struct_size` first: TDSHM_INIT. Texts are valid as long as what they are from.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tdshm_swept_info_t {
    /// sizeof(tdshm_swept_info_t).
    pub struct_size: u32,
    /// What it is: TDSHM_OBJECT_….
    pub kind: tdshm_object_t,
    /// What became of it: TDSHM_FATE_….
    pub fate: tdshm_fate_t,
    /// Whose it is, of TDSHM_FATE_IN_USE; 0 where that is not known.
    pub pid: u32,
    /// The object's name.
    pub object: tdshm_text_t,
    /// Why it is out of reach; else empty.
    pub reason: tdshm_text_t,
}

/// One field of one object. Set `struct_size` first: TDSHM_INIT. Texts are valid as long as the examination.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct tdshm_field_info_t {
    /// sizeof(tdshm_field_info_t).
    pub struct_size: u32,
    /// 0.
    pub reserved: u32,
    /// The object's name.
    pub object: tdshm_text_t,
    /// What the object holds, in a few words.
    pub holds: tdshm_text_t,
    /// Bytes that the object has.
    pub mapped_bytes: u64,
    /// The field's name, as in the protocol's description.
    pub field: tdshm_text_t,
    /// Where it lies in the object, in bytes.
    pub offset: u64,
    /// What it holds, as a text.
    pub value: tdshm_text_t,
}

/// Looks at all segments that can be found here, without taking part. What comes of it is freed with tdshm_list_free.
///
/// Windows: those of this session. macOS: those whose names the directory has, which are names of 3 bytes and more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_list(list: *mut *mut tdshm_list_t) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    make(&caller, list, survey)
}

/// Looks at one segment: a list of one. TDSHM_ERR_DOES_NOT_EXIST where there is none of that name. Freed with tdshm_list_free.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_inspect(
    name: *const c_char,
    name_bytes: usize,
    list: *mut *mut tdshm_list_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    make(&caller, list, || inspect(caller.text(name, name_bytes)?))
}

/// How many segments the list has.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_list_count(list: *mut tdshm_list_t, count: *mut usize) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(list, move |list| caller.put(count, list.segments.len()))
}

/// What was found of the segment at `index`, from 0. TDSHM_NOT_FOUND behind the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_list_at(
    list: *mut tdshm_list_t,
    index: usize,
    info: *mut tdshm_segment_info_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(list, move |list| list.at(&caller, index, info))
}

/// A receiver of the segment at `index`, from 0. TDSHM_NOT_FOUND behind the end of either.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_list_receiver(
    list: *mut tdshm_list_t,
    index: usize,
    receiver: usize,
    info: *mut tdshm_receiver_info_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(list, move |list| list.receiver(&caller, index, receiver, info))
}

/// The name of a channel of the segment at `index`, both from 0; valid as long as the list. TDSHM_NOT_FOUND behind the end of either,
/// and where no names were sent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_list_channel_name(
    list: *mut tdshm_list_t,
    index: usize,
    channel: usize,
    name: *mut tdshm_text_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(list, move |list| list.channel_name(&caller, index, channel, name))
}

/// Frees the list and its texts. Freeing NULL does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_list_free(list: *mut tdshm_list_t) -> tdshm_status_t {
    free(list)
}

/// Removes what dead senders left, and locks that nobody has open: of the `num_names` short names at `names`, or of all names where
/// that is NULL. With `dry_run` other than 0 it only says what it would do. What comes of it is freed with tdshm_swept_free.
///
/// Windows: there is nothing to remove; objects go with the last program that has them open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_clean(
    names: *const tdshm_text_t,
    num_names: usize,
    dry_run: i32,
    swept: *mut *mut tdshm_swept_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    make(&caller, swept, || clean(&caller.texts(names, num_names)?, dry_run != 0))
}

/// How many objects were looked at.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_swept_count(swept: *mut tdshm_swept_t, count: *mut usize) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(swept, move |swept| caller.put(count, swept.0.len()))
}

/// What became of the object at `index`, from 0. TDSHM_NOT_FOUND behind the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_swept_at(
    swept: *mut tdshm_swept_t,
    index: usize,
    info: *mut tdshm_swept_info_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(swept, move |swept| swept.at(&caller, index, info))
}

/// Frees what tdshm_clean said. Freeing NULL does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_swept_free(swept: *mut tdshm_swept_t) -> tdshm_status_t {
    free(swept)
}

/// Reads all fields of all objects of a segment and compares them with the protocol: what `tdshm doctor` shows. Freed with
/// tdshm_examination_free. TDSHM_ERR_DOES_NOT_EXIST where there is no such segment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_examine(
    name: *const c_char,
    name_bytes: usize,
    examination: *mut *mut tdshm_examination_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    make(&caller, examination, || examine(caller.text(name, name_bytes)?))
}

/// How many fields there are, of all objects together.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_examination_count(
    examination: *mut tdshm_examination_t,
    count: *mut usize,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(examination, move |examination| caller.put(count, fields(examination).count()))
}

/// The field at `index`, from 0, object by object. TDSHM_NOT_FOUND behind the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_examination_at(
    examination: *mut tdshm_examination_t,
    index: usize,
    info: *mut tdshm_field_info_t,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(examination, move |examination| field_at(examination, &caller, index, info))
}

/// What is out of the ordinary, at `index` from 0: a sentence, valid as long as the examination, and whether it breaks the protocol
/// (`is_breach` 1, which may be NULL). TDSHM_NOT_FOUND behind the end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn tdshm_examination_deviation(
    examination: *mut tdshm_examination_t,
    index: usize,
    text: *mut tdshm_text_t,
    is_breach: *mut i32,
) -> tdshm_status_t {
    // SAFETY: the caller's duty, as the beginning of the header says it for all functions.
    let caller = unsafe { Caller::trusted() };
    exclusive(examination, move |examination| deviation(examination, &caller, index, text, is_breach))
}

/// Frees the examination and its texts. Freeing NULL does nothing.
#[unsafe(no_mangle)]
pub extern "C" fn tdshm_examination_free(examination: *mut tdshm_examination_t) -> tdshm_status_t {
    free(examination)
}

/// What was found.
pub(crate) struct List {
    segments: Vec<Listed>,
}

/// One segment, with the texts that are lent.
struct Listed {
    report: SegmentReport,
    name: String,
    trouble: String,
}

/// What was swept.
pub(crate) struct SweptList(Vec<Swept>);

macro_rules! handle {
    ($handle:ty, $object:ty, $tag:literal) => {
        impl Handle for $handle {
            type Object = $object;
            const TAG: u8 = $tag;

            fn may_go(_: &mut $object) -> Result<(), Fault> {
                Ok(())
            }
        }
    };
}
handle!(tdshm_list_t, List, 0x58);
handle!(tdshm_swept_t, SweptList, 0x59);
handle!(tdshm_examination_t, Examination, 0x5a);

/// Whether nobody has the segment of that name open but its sender, as far as can be known.
pub(crate) fn is_alone(name: &str) -> bool {
    tdshm::inspect(name).is_ok_and(|report| {
        let ours = report.notices.map(|notices| notices.receivers).unwrap_or_default();
        report.supported == Some(false) && !ours.iter().any(|receiver| receiver.alive)
    })
}

fn survey() -> Result<List, Fault> {
    let survey = tdshm::survey()?;
    Ok(List { segments: survey.segments.into_iter().map(Listed::new).collect() })
}

fn inspect(name: &str) -> Result<List, Fault> {
    Ok(List { segments: vec![Listed::new(tdshm::inspect(name)?)] })
}

fn clean(names: &[&str], dry_run: bool) -> Result<SweptList, Fault> {
    Ok(SweptList(tdshm::clean(names, if dry_run { DryRun::Yes } else { DryRun::No })?))
}

fn examine(name: &str) -> Result<Examination, Fault> {
    Ok(tdshm::examine(name)?)
}

impl Listed {
    fn new(report: SegmentReport) -> Self {
        let chop = report.chop.as_ref().and_then(|chop| chop.layout.as_ref().err());
        let top = report.top.as_ref().and_then(|top| top.layout.as_ref().err());
        let trouble = chop.or(top).map(ToString::to_string).unwrap_or_default();
        let name = report.name.to_string();
        Self { report, name, trouble }
    }

    fn channels(&self) -> Option<&ChopContents> {
        self.report.chop.as_ref()?.layout.as_ref().ok()
    }

    fn info(&self) -> tdshm_segment_info_t {
        let report = &self.report;
        let told = |flag: Option<bool>| flag.map_or(-1, i32::from);
        let mut info = tdshm_segment_info_t {
            struct_size: 0,
            holds: match report.kind {
                BlockKind::Chop => TDSHM_HOLDS_CHANNELS,
                BlockKind::Top => TDSHM_HOLDS_IMAGE,
                BlockKind::Global => TDSHM_HOLDS_GLOBAL,
                _ => TDSHM_HOLDS_UNKNOWN,
            },
            name: tdshm_text_t::lent(&self.name),
            object: tdshm_text_t::lent(&report.segment),
            mapped_bytes: count_or_unknown(report.mapped_bytes.map(|bytes| bytes as u64)),
            detached: told(report.detached),
            supported: told(report.supported),
            age_ns: -1,
            trouble: tdshm_text_t::lent(&self.trouble),
            program: tdshm_text_t::lent(""),
            ..zeroed()
        };
        if let Some(notices) = &report.notices {
            info.is_ours = 1;
            info.owner_alive = notices.owner_alive.into();
            info.owner_pid = notices.owner_pid.unwrap_or(0);
            info.num_receivers = u32::try_from(notices.receivers.len()).unwrap_or(u32::MAX);
            info.program = tdshm_text_t::lent(&notices.program);
            info.frames = notices.frames;
            info.age_ns = age_ns(notices.age);
        }
        if let Some(channels) = self.channels() {
            info.num_channels = channels.num_channels as u64;
            info.len_samples = channels.len_samples as u64;
            info.sample_rate = channels.sample_rate;
            info.names_sent = channels.names.is_some().into();
        }
        if let Some(Ok(image)) = report.top.as_ref().map(|top| &top.layout) {
            info.width = u32::try_from(image.shape.width).unwrap_or(u32::MAX);
            info.height = u32::try_from(image.shape.height).unwrap_or(u32::MAX);
            info.format = image.shape.texels.format().map_or(0, PixelFormat::number);
        }
        info
    }
}

impl List {
    fn at(&self, caller: &Caller, index: usize, info: *mut tdshm_segment_info_t) -> Outcome {
        caller.write(info, zeroed())?;
        let Some(segment) = self.segments.get(index) else { return Ok(TDSHM_NOT_FOUND) };
        caller.write(info, segment.info())
    }

    fn receiver(
        &self,
        caller: &Caller,
        index: usize,
        receiver: usize,
        info: *mut tdshm_receiver_info_t,
    ) -> Outcome {
        caller.write(info, zeroed())?;
        let notices = self.segments.get(index).and_then(|segment| segment.report.notices.as_ref());
        let found = notices.and_then(|notices| notices.receivers.get(receiver));
        let Some(found) = found else { return Ok(TDSHM_NOT_FOUND) };
        let told = tdshm_receiver_info_t {
            struct_size: 0,
            pid: found.pid,
            alive: found.alive.into(),
            waiting: found.waiting.into(),
            frame: count_or_unknown(found.frame),
            behind: found.behind,
        };
        caller.write(info, told)
    }

    fn channel_name(
        &self,
        caller: &Caller,
        index: usize,
        channel: usize,
        name: *mut tdshm_text_t,
    ) -> Outcome {
        let names = self.segments.get(index).and_then(|segment| segment.channels()?.names.as_ref());
        lend(caller, name, names.and_then(|names| names.get(channel)).map(String::as_str))
    }
}

/// Lends a text, or says that there is none.
fn lend(caller: &Caller, to: *mut tdshm_text_t, text: Option<&str>) -> Outcome {
    caller.put(to, tdshm_text_t::lent(text.unwrap_or_default()))?;
    Ok(if text.is_some() { TDSHM_OK } else { TDSHM_NOT_FOUND })
}

impl SweptList {
    fn at(&self, caller: &Caller, index: usize, info: *mut tdshm_swept_info_t) -> Outcome {
        caller.write(info, zeroed())?;
        let Some(swept) = self.0.get(index) else { return Ok(TDSHM_NOT_FOUND) };
        let (fate, pid, reason) = match &swept.fate {
            Fate::Removed => (TDSHM_FATE_REMOVED, 0, ""),
            Fate::InUse { pid } => (TDSHM_FATE_IN_USE, pid.unwrap_or(0), ""),
            Fate::Foreign => (TDSHM_FATE_FOREIGN, 0, ""),
            Fate::HeldOpen => (TDSHM_FATE_HELD_OPEN, 0, ""),
            Fate::OutOfReach { reason } => (TDSHM_FATE_OUT_OF_REACH, 0, reason.as_str()),
            _ => (TDSHM_FATE_OUT_OF_REACH, 0, "another reason"),
        };
        let told = tdshm_swept_info_t {
            struct_size: 0,
            kind: match swept.kind {
                SweptKind::Data => TDSHM_OBJECT_DATA,
                SweptKind::Info => TDSHM_OBJECT_INFO,
                _ => TDSHM_OBJECT_LOCK,
            },
            fate,
            pid,
            object: tdshm_text_t::lent(&swept.object),
            reason: tdshm_text_t::lent(reason),
        };
        caller.write(info, told)
    }
}

/// Every field, with the object that it is in.
fn fields(examination: &Examination) -> impl Iterator<Item = (&ExaminedObject, &ExaminedField)> {
    examination.objects.iter().flat_map(|object| object.fields.iter().map(move |field| (object, field)))
}

fn field_at(
    examination: &Examination,
    caller: &Caller,
    index: usize,
    info: *mut tdshm_field_info_t,
) -> Outcome {
    caller.write(info, zeroed())?;
    let Some((object, field)) = fields(examination).nth(index) else { return Ok(TDSHM_NOT_FOUND) };
    let told = tdshm_field_info_t {
        struct_size: 0,
        reserved: 0,
        object: tdshm_text_t::lent(&object.object),
        holds: tdshm_text_t::lent(object.holds),
        mapped_bytes: object.mapped_bytes as u64,
        field: tdshm_text_t::lent(field.name),
        offset: field.offset as u64,
        value: tdshm_text_t::lent(&field.value),
    };
    caller.write(info, told)
}

fn deviation(
    examination: &Examination,
    caller: &Caller,
    index: usize,
    text: *mut tdshm_text_t,
    is_breach: *mut i32,
) -> Outcome {
    let found = examination.deviations.get(index);
    caller.put_if(is_breach, found.map_or(0, |found| found.is_breach.into()))?;
    lend(caller, text, found.map(|found| found.text.as_str()))
}

sized!(tdshm_segment_info_t, tdshm_receiver_info_t, tdshm_swept_info_t, tdshm_field_info_t);
