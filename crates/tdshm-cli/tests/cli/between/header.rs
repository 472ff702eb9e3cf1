//! What stands in the info segment and in the data segment.

use tdshm::{ChopSender, GlobalSender};

use super::{Block, channels, doctor, image, of_foreign, of_foreign_with};
use crate::kit::{CHARACTER, DETACH_AT, ForeignOut, Name, POSTFIX_AT};

#[test]
fn info_segments_that_nobody_finds() {
    let name = Name::new();
    let _out = ForeignOut::misnamed(name.as_str(), &channels().bytes(), 4096);
    doctor(name.as_str())
        .tells("objects.misnamed", "failed", "with TouchSHM once", "twice")
        .only(&["objects.misnamed"]);
    let name = Name::new();
    let _out = ForeignOut::bare(name.as_str(), &channels().bytes(), 4096);
    doctor(name.as_str())
        .tells("objects.info", "failed", "there is no info segment", "make the info segment")
        .only(&["objects.info"]);
}

#[test]
fn info_blocks_with_wrong_fields() {
    let wrong = |at, bytes: &[u8]| of_foreign_with(&channels(), |out| out.write_info(at, bytes));
    wrong(0, &[1]).tells("info.block", "failed", "magic", "no info block").only(&["info.block"]);
    wrong(4, &[1]).tells("info.version", "failed", "version is 1", "write version 2").only(&["info.version"]);
    wrong(4, &[3])
        .tells("info.version", "warning", "version is 3", "write version 2")
        .only(&["info.version"]);
    wrong(8, &[7]).tells("info.flags", "failed", "supported is 7", "0 or 1").only(&["info.flags"]);
    wrong(DETACH_AT, &[1])
        .tells("info.detach", "failed", "has said that it left", "start the sender again")
        .only(&["info.detach"]);
    wrong(8, &[1]).tells("receivers.foreign", "ok", "another program has attached", "").only(&[]);
}

#[test]
fn postfixes_that_lead_nowhere() {
    let letters = |text: &str, character: usize| -> Vec<u8> {
        text.bytes().flat_map(|letter| [vec![letter], vec![0; character - 1]].concat()).collect()
    };
    let moved = letters("abcdefghijklmnopqrstuvwxyzabcde", CHARACTER);
    let found = of_foreign_with(&channels(), |out| out.write_info(POSTFIX_AT, &moved));
    found.tells("objects.data", "failed", "is not there", "start the sender again").only(&["objects.data"]);
    // As the other system's programs write it.
    let mut other = letters("abcdefghijklmnopqrstuvwxyzabcde", 3 - CHARACTER);
    other.resize(66, 0);
    let found = of_foreign_with(&channels(), |out| out.write_info(10, &other));
    found.tells("info.width", "failed", "16", "as this system's programs do");
    assert_eq!(found.todo(), ["info.width"]);
    let found =
        of_foreign_with(&channels(), |out| out.write_info(POSTFIX_AT, &letters("\u{1}\u{2}", CHARACTER)));
    found.tells("info.postfix", "failed", "is no text that ends in a NUL", "31 letters");
    assert_eq!(found.todo(), ["info.postfix"]);
    // Where nothing is to be found by an odd one it is the cause, and what is missing follows.
    let odd = letters("ABC", CHARACTER);
    let found = of_foreign_with(&channels(), |out| out.write_info(POSTFIX_AT, &odd));
    found.tells("info.postfix", "failed", "31 letters from a to z are usual", "31 letters");
    found.tells("objects.data", "seen", "so it is with that postfix", "").only(&["info.postfix"]);
    assert_eq!(found.todo(), ["info.postfix"]);
}

#[test]
fn a_segment_that_moves_is_followed() {
    let name = Name::new();
    let mut out = ForeignOut::create(name.as_str(), &channels().bytes(), 4096);
    // Where nobody said that he understands, it stays where it is.
    out.write_info(8, &[1]);
    out.resize(8192, &channels().bytes());
    let found = doctor(name.as_str());
    found.tells("sender.growth", "seen", "receivers have to follow", "").only(&[]);
    found.tells("objects.data", "ok", "8192 bytes", "");
}

#[test]
fn channel_blocks_with_wrong_fields() {
    for (block, id, verdict, said, advice) in [
        (
            channels().with(0, 0x1234),
            "block.magic",
            "failed",
            "begins with 0x00001234",
            "channel and image blocks",
        ),
        (channels().with(1, 0), "channels.version", "failed", "version is 0", "64 bits"),
        (channels().with(1, 3), "channels.version", "warning", "version is 3", "write 1"),
        (channels().with(2, 36), "channels.size", "warning", "size is 36", "whole block"),
        (channels().with(3, u32::MAX), "channels.num-chans", "failed", "numChans is -1", "32 bits"),
        (channels().with(4, u32::MAX), "channels.length", "failed", "length is -1", "32 bits"),
        (channels().with(4, 100_000), "channels.samples", "failed", "800000", "under one hold of the lock"),
        (channels().with(5, 0), "channels.sample-rate", "failed", "sampleRate is 0", "above 0"),
        (channels().with(5, f32::NAN.to_bits()), "channels.sample-rate", "failed", "NaN", "above 0"),
        (channels().with(7, 32), "channels.data-offset", "failed", "channelDataOffset is 32", "at 36"),
        (channels().with(7, 40_000), "channels.samples", "failed", "mapped bytes behind", "under one hold"),
        (channels().with(7, 38), "channels.data-offset", "failed", "multiple", "at 36"),
        (
            channels().with(8, 30),
            "channels.name-offset",
            "failed",
            "nameDataOffset is 30",
            "right behind the samples",
        ),
        (channels().with(8, 4096), "channels.name-offset", "failed", "nameDataOffset is 4096", "namesSent 0"),
    ] {
        of_foreign(&block).tells(id, verdict, said, advice).only(&[id]);
    }
    of_foreign(&channels().with(6, 0).with(2, 44))
        .tells("channels.names-sent", "seen", "chan1", "")
        .only(&[]);
    of_foreign(&channels().with(6, 2).with(2, 44)).tells(
        "channels.names-sent",
        "warning",
        "namesSent is 2",
        "1 when names follow",
    );
    // All of them, and not the first alone.
    let found = of_foreign(&channels().with(1, 0).with(5, 0).with(7, 8));
    found.only(&["channels.version", "channels.sample-rate", "channels.data-offset"]);
}

#[test]
fn names_that_are_announced_and_not_written() {
    let found = of_foreign(&Block { rest: vec![0; 8], ..channels().with(2, 46) });
    found
        .tells("channels.names", "warning", "all of them are empty", "write a name for each channel")
        .only(&["channels.names"]);
    let found = of_foreign(&Block { rest: vec![b'x'; 4060], ..channels() });
    found.tells("channels.names", "failed", "not all of them end", "with a NUL").only(&["channels.names"]);
}

#[test]
fn image_blocks_with_wrong_fields() {
    for (block, id, verdict, said, advice) in [
        (image().with(1, 0), "image.version", "failed", "version is 0", "write 1"),
        (
            Block { rest: vec![0; 264], ..image().with(1, 5).sized(256, 56) },
            "image.version",
            "warning",
            "read as 2",
            "1 and later",
        ),
        (image().with(2, 0), "image.sides", "failed", "width is 0", "1 to 32768"),
        (image().with(3, 32769), "image.sides", "failed", "height is 32769", "1 to 32768"),
        (image().with(6, 12345), "image.format", "failed", "0x3039", "protocol's table"),
        (image().sized(255, 48), "image.data-size", "failed", "dataSize is 255", "width * height"),
        (image().with(2, 64).with(3, 64).sized(16384, 48), "image.data-size", "failed", "16384", "has room"),
        (image().sized(192, 48), "image.three-bytes", "failed", "3 bytes a pixel", "4 bytes a pixel"),
        (image().sized(256, 40), "image.data-offset", "failed", "dataOffset is 40", "at a multiple of 4"),
        (
            image().sized(256, 64),
            "image.data-offset",
            "warning",
            "dataOffset is 64",
            "show the image shifted",
        ),
    ] {
        of_foreign(&block).tells(id, verdict, said, advice).only(&[id]);
    }
    // Room for 3 bytes a pixel, and 4 that are written: 36 by 36 pixels in a page.
    let name = Name::new();
    let block = Block { rest: Vec::new(), ..image().with(2, 36).with(3, 36).sized(36 * 36 * 4, 48) };
    let _out = ForeignOut::create(name.as_str(), &block.bytes(), 4096);
    doctor(name.as_str())
        .tells("image.three-bytes", "failed", "3 bytes a pixel", "make room")
        .only(&["image.three-bytes"]);
    // 2 stands where primaries do, and 7 where transfer does.
    let odd = Block { rest: vec![7; 264], ..image().with(1, 2).sized(256, 56) };
    of_foreign(&odd).tells("image.colour", "warning", "transfer is", "colours are right");
}

#[test]
fn blocks_that_nobody_wrote() {
    let nothing = Block { fields: Vec::new(), wide: None, rest: vec![0; 64] };
    of_foreign(&nothing)
        .tells("block.empty", "warning", "nothing has been written", "let its sender send")
        .only(&["block.empty"]);
    let name = Name::new();
    let _silent = ChopSender::create(name.as_str()).unwrap();
    doctor(name.as_str()).tells("sender.frames", "warning", "not sent anything yet", "let it send");
}

#[test]
fn a_global_segment_is_no_fault() {
    let name = Name::new();
    let mut out = GlobalSender::builder().name(name.as_str()).create().unwrap();
    out.publish(1).unwrap();
    doctor(name.as_str()).tells("td.global", "seen", "of this library alone", "").only(&[]);
}
