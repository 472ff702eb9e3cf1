//! What stands in the info segment and in the data segment, held against the protocol's tables.

use tdshm::{BlockKind, Deviation, DeviationKind, Examination, ExaminedObject, PixelFormat, SegmentReport};

use crate::cmd::doctor::check::{self, Check};
use crate::cmd::doctor::report::{Report, Verdict};

const ITS_SENDER: &str = "whoever wrote the program that sends it can mend that";

/// The check that a deviation belongs to, and what to do about it.
pub(super) fn check_of(kind: DeviationKind) -> (Check, &'static str) {
    use DeviationKind as Kind;
    match kind {
        Kind::InfoMissing => (
            check::OBJECTS_INFO,
            "let its sender make the info segment before the data, or send with this library: TouchDesigner shows nothing \
             without it",
        ),
        Kind::InfoMisnamed => (
            check::OBJECTS_MISNAMED,
            "let its sender name the info segment with TouchSHM twice: nobody finds it as it is",
        ),
        Kind::InfoBroken => {
            (check::INFO_BLOCK, "end the program that made it, or use another name: this is no info block")
        }
        Kind::InfoVersion => {
            (check::INFO_VERSION, "let its sender write version 2, and detach when it leaves")
        }
        Kind::InfoFlag => (
            check::INFO_FLAGS,
            "let the programs on both sides write 0 or 1: the layout of the block is another one than they think",
        ),
        Kind::InfoWidth => (
            check::INFO_WIDTH,
            "let its sender write the postfix as this system's programs do: 8-bit letters at 9, on Windows UTF-16 at 10",
        ),
        Kind::Postfix => (check::INFO_POSTFIX, "let its sender write 31 letters from a to z, and a NUL"),
        Kind::DataMissing => (
            check::OBJECTS_DATA,
            "start the sender again (`--take-over` if it is another program's): it died while it moved, or somebody \
             removed the file",
        ),
        Kind::DataUnknown => (
            check::BLOCK_MAGIC,
            "see which program sends there: TouchDesigner's operators read channel and image blocks and nothing else",
        ),
        Kind::Names => (
            check::CHANNELS_NAMES,
            "let its sender write a name for each channel, each with a NUL behind it, or namesSent 0",
        ),
        Kind::Channels(field) => channels(field),
        Kind::Image(field) => image(field),
        _ => (check::BLOCK_HEADER, ITS_SENDER),
    }
}

fn channels(field: &str) -> (Check, &'static str) {
    match field {
        "version" => (
            check::CHANNELS_VERSION,
            "let its sender write 1: another number often means header fields of 64 bits, or other padding",
        ),
        "numChans" => {
            (check::CHANNELS_NUM_CHANS, "let its sender write how many channels follow, as 32 bits")
        }
        "length" => (check::CHANNELS_LENGTH, "let its sender write the samples of each channel, as 32 bits"),
        "sampleRate" => (check::CHANNELS_SAMPLE_RATE, "let its sender write the samples per second, above 0"),
        "channelDataOffset" => (
            check::CHANNELS_DATA_OFFSET,
            "let its sender put the samples behind the header, at 36, and say so; receivers have to read where they are",
        ),
        "numChans * length * 4" => (
            check::CHANNELS_SAMPLES,
            "let its sender write header and samples under one hold of the lock, and grow before it writes more",
        ),
        "nameDataOffset" => (
            check::CHANNELS_NAME_OFFSET,
            "let its sender say where the names are, right behind the samples, or namesSent 0",
        ),
        "namesSent" => {
            (check::CHANNELS_NAMES_SENT, "let its sender write 1 when names follow, and 0 otherwise")
        }
        "size" => (
            check::CHANNELS_SIZE,
            "let its sender write the bytes of the whole block; receivers go by the mapping",
        ),
        _ => (check::BLOCK_HEADER, ITS_SENDER),
    }
}

fn image(field: &str) -> (Check, &'static str) {
    match field {
        "version" => {
            (check::IMAGE_VERSION, "let its sender write 1, or 2 with colour; receivers take 1 and later")
        }
        "width" | "height" | "width * height" => {
            (check::IMAGE_SIDES, "let its sender write a width and a height from 1 to 32768")
        }
        "pixelFormat" => (
            check::IMAGE_FORMAT,
            "let its sender use a format of the protocol's table: others are shown as nothing",
        ),
        "dataOffset" => (
            check::IMAGE_DATA_OFFSET,
            "the pixels lie behind the header, at a multiple of 4; receivers have to read where: those that take 48 for granted show \
             the image shifted",
        ),
        "gamutPrimaries" | "transfer" => {
            (check::IMAGE_COLOUR, "look whether the colours are right on the other side")
        }
        _ => (
            check::IMAGE_DATA_SIZE,
            "let its sender write width * height * bytes of a pixel, into a segment that has room for them",
        ),
    }
}

fn is_of_info(deviation: &&Deviation) -> bool {
    use DeviationKind as Kind;
    matches!(
        deviation.kind,
        Kind::InfoMissing
            | Kind::InfoMisnamed
            | Kind::InfoBroken
            | Kind::InfoVersion
            | Kind::InfoFlag
            | Kind::InfoWidth
            | Kind::Postfix
            | Kind::DataMissing
    )
}

fn tell(report: &mut Report, deviation: &Deviation) {
    tell_as(report, deviation, if deviation.is_breach { Verdict::Failed } else { Verdict::Warning });
}

fn tell_as(report: &mut Report, deviation: &Deviation, verdict: Verdict) {
    let (check, advice) = check_of(deviation.kind);
    report.tell(check, verdict, deviation.text.clone(), Some(advice.to_owned()));
}

fn fields(object: &ExaminedObject) -> String {
    let fields = object.fields.iter().map(|field| format!("{} {}", field.name, field.value));
    let fields: Vec<String> = fields.collect();
    let colon = if fields.is_empty() { "" } else { ": " };
    format!("{}, {} bytes mapped{colon}{}", object.holds, object.mapped_bytes, fields.join(", "))
}

/// The info block.
pub(super) fn info(report: &mut Report, found: &Examination) {
    let info = found.objects.iter().find(|object| object.object == found.name.info_segment());
    // Data that nobody finds because of a wrong postfix are no fault of their own: they may lie where it should lead.
    let misleads =
        |deviation: &Deviation| matches!(deviation.kind, DeviationKind::Postfix | DeviationKind::InfoWidth);
    let is_missing = found.deviations.iter().any(|deviation| deviation.kind == DeviationKind::DataMissing);
    let is_misled = is_missing && found.deviations.iter().any(misleads);
    for deviation in found.deviations.iter().filter(is_of_info) {
        match deviation.kind {
            DeviationKind::DataMissing if is_misled => {
                report.seen(check::OBJECTS_DATA, format!("{}: so it is with that postfix", deviation.text));
            }
            _ if is_misled && misleads(deviation) => tell_as(report, deviation, Verdict::Failed),
            _ => tell(report, deviation),
        }
    }
    let Some(info) = info else { return };
    report.seen(check::INFO_FIELDS, fields(info));
    if !found.deviations.iter().any(|deviation| is_of_info(&deviation)) {
        report.ok(check::INFO_BLOCK, "every field of the info block is as the protocol has it");
    }
    if found.detached {
        report.failed(
            check::INFO_DETACH,
            "detach is 1: the sender has said that it left",
            "start the sender again: receivers let go until then",
        );
    }
}

/// The block of channels, or of an image.
pub(super) fn block(report: &mut Report, found: &Examination, inspected: &SegmentReport) {
    let data = found.objects.iter().find(|object| object.object != found.name.info_segment());
    let Some(data) = data else { return };
    report.seen(check::BLOCK_FIELDS, fields(data));
    if data.holds == "nothing yet" {
        report.warning(
            check::BLOCK_EMPTY,
            "nothing has been written into the data segment yet",
            "let its sender send: in TouchDesigner, Active On, and an input that cooks",
        );
        return;
    }
    let mut is_fine = true;
    for deviation in found.deviations.iter().filter(|deviation| !is_of_info(deviation)) {
        is_fine = false;
        if three_bytes(found, data, deviation) {
            report.failed(
                check::IMAGE_THREE_BYTES,
                format!("{}: just what 3 bytes a pixel would take", deviation.text),
                "let its sender make room for 4 bytes a pixel: the format has 4, also where the picture has no alpha",
            );
        } else {
            tell(report, deviation);
        }
    }
    if is_fine {
        report.ok(
            check::BLOCK_HEADER,
            "every field is as the protocol has it, and all of it lies in what is mapped",
        );
    }
    notes(report, found, inspected);
}

/// Whether 3 bytes a pixel are written or have room, of pixels that have 4.
fn three_bytes(found: &Examination, data: &ExaminedObject, deviation: &Deviation) -> bool {
    if deviation.kind != DeviationKind::Image("dataSize") {
        return false;
    }
    let number = |name| found.field(name).and_then(|value| value.parse::<usize>().ok()).unwrap_or(0);
    let format = found.field("pixelFormat").and_then(|value| value.parse().ok()).unwrap_or(0);
    let pixels = number("width").saturating_mul(number("height"));
    let three = pixels.saturating_mul(3);
    let room = data.mapped_bytes.saturating_sub(number("dataOffset"));
    let lacks_room = number("dataSize") == pixels.saturating_mul(4)
        // Whole pages, where the system maps nothing else.
        && (three..three.saturating_add(4096)).contains(&room);
    PixelFormat::from_number(format).bytes_per_pixel() == Some(4)
        && (number("dataSize") == three || lacks_room)
}

/// What is right, and what some receivers get wrong.
fn notes(report: &mut Report, found: &Examination, inspected: &SegmentReport) {
    match inspected.kind {
        BlockKind::Chop if found.field("namesSent") == Some("0") => report.seen(
            check::CHANNELS_NAMES_SENT,
            "names are not sent: a receiver that never saw them calls the channels chan1, chan2, …",
        ),
        BlockKind::Top => {
            let image = inspected.top.as_ref().and_then(|top| top.layout.as_ref().ok());
            if image.is_some_and(|image| image.shape.version.number() > 1) {
                report.seen(
                    check::IMAGE_VERSION,
                    "the header's version is 2: receivers that accept version 1 alone show nothing",
                );
            }
            if found.is_ours && image.is_some_and(|image| image.data_offset > 56) {
                report.seen(
                    check::IMAGE_DATA_OFFSET,
                    "its sender fills one place while another is read, so dataOffset changes: receivers that take 48 for \
                     granted show the wrong place",
                );
            }
        }
        BlockKind::Global => report.seen(
            check::TD_GLOBAL,
            "all blocks of a program of this library, for programs of this library alone: TouchDesigner's own Global is \
             another thing",
        ),
        _ => {}
    }
}
