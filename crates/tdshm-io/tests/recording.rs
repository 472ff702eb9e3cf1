//! Recordings: what is written comes back, whatever happened to the file between.
#![cfg(feature = "recording")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests compute with small numbers and fail by panicking"
)]

use std::io::{self, Cursor, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use tdshm::{ChopFrame, PixelFormat, Pixels, TopFrame};
use tdshm_io::McapError;
use tdshm_io::file::recording::{Frame, Kind, Layout, Lost, Reader, Stamp, Summary, Writer};

const EPOCH: Duration = Duration::from_secs(1_700_000_000);

fn pose(value: f32) -> ChopFrame {
    ChopFrame::from_rows(["tx", "ty"], 60.0, &[[value], [-0.0]]).unwrap()
}

fn image(value: u8) -> TopFrame {
    TopFrame::from_pixels(&Pixels::top_first(PixelFormat::R8_UNORM, 3, 2, &[value; 6])).unwrap()
}

fn stamp(millis: u64, number: Option<u64>) -> Stamp {
    let received = EPOCH + Duration::from_millis(millis);
    Stamp { received, sent: number.map(|_| received - Duration::from_micros(300)), number }
}

/// A small file: ten frames of channels whose sender counts, five images whose sender does not, what was lost of both.
fn small() -> Vec<u8> {
    let mut writer = Writer::new(Cursor::new(Vec::new())).unwrap();
    for n in 0..10 {
        if n == 4 {
            writer.lost("pose", Lost { unseen: 2, dropped: 1 }, stamp(n * 10, None).received).unwrap();
        }
        writer.channels("pose", &pose(n as f32), &stamp(n * 10, Some(n + 1))).unwrap();
        if n % 2 == 0 {
            writer.image("cam", &image(n as u8), &stamp(n * 10 + 1, None)).unwrap();
        }
        if n % 3 == 2 {
            writer.flush().unwrap();
        }
    }
    writer.lost("pose", Lost { unseen: 1, dropped: 0 }, stamp(100, None).received).unwrap();
    writer.finish().unwrap().into_inner()
}

fn frames(bytes: &[u8]) -> Vec<Frame> {
    Reader::new(Cursor::new(bytes)).unwrap().map(Result::unwrap).collect()
}

/// What can be read of whatever bytes these are, and the errors in between. It ends.
fn read(bytes: &[u8]) -> (Vec<Frame>, Vec<McapError>, Option<u64>) {
    let (mut frames, mut errors) = (Vec::new(), Vec::new());
    let mut reader = match Reader::new(Cursor::new(bytes)) {
        Ok(reader) => reader,
        Err(error) => return (frames, vec![error], None),
    };
    loop {
        match reader.next_frame() {
            Ok(Some(frame)) => frames.push(frame),
            Ok(None) => break,
            Err(error) => {
                assert!(error.to_string().len() < 400, "{error}");
                errors.push(error);
            }
        }
        assert!(frames.len() + errors.len() <= bytes.len(), "no end");
    }
    (frames, errors, reader.cut_short())
}

#[test]
fn frames_come_back_in_order_bit_by_bit() {
    let bytes = small();
    let frames = frames(&bytes);
    assert_eq!(frames.len(), 15);
    let (poses, images): (Vec<&Frame>, Vec<&Frame>) = frames.iter().partition(|f| f.kind == Kind::Channels);
    for (n, frame) in poses.into_iter().enumerate() {
        assert_eq!((&*frame.segment, frame.number), ("pose", Some(n as u32 + 1)));
        assert_eq!(frame.received, EPOCH + Duration::from_millis(n as u64 * 10));
        assert_eq!(frame.sent, Some(frame.received - Duration::from_micros(300)));
        let back = frame.channels().unwrap();
        let bits: Vec<u32> = back.samples().iter().map(|sample| sample.to_bits()).collect();
        assert_eq!(bits, [(n as f32).to_bits(), (-0.0_f32).to_bits()]);
        assert_eq!((back.names(), back.sample_rate()), (pose(0.0).names(), 60.0));
        assert!(frame.image().is_err());
    }
    for (n, frame) in images.into_iter().enumerate() {
        assert_eq!((&*frame.segment, frame.number, frame.sent), ("cam", None, None));
        assert_eq!(frame.image().unwrap().pixels(), [n as u8 * 2; 6]);
    }
    assert!(frames.windows(2).all(|pair| pair[0].received <= pair[1].received));
}

#[test]
fn a_summary_says_what_there_is() {
    let mut writer = Writer::new(Cursor::new(Vec::new())).unwrap();
    let two = ChopFrame::from_rows(["a"], 30.0, &[[0.0, 1.0]]).unwrap();
    let three = ChopFrame::from_rows(["a"], 30.0, &[[0.0, 1.0, 2.0]]).unwrap();
    let renamed = ChopFrame::from_rows(["b"], 30.0, &[[0.0]]).unwrap();
    for (n, frame) in [&two, &three, &renamed, &two].into_iter().enumerate() {
        writer.channels("x", frame, &stamp(n as u64 * 500, Some(n as u64))).unwrap();
    }
    writer.image("x", &image(1), &stamp(2000, None)).unwrap();
    writer.lost("x", Lost { unseen: 3, dropped: 4 }, stamp(2001, None).received).unwrap();
    let bytes = writer.finish().unwrap().into_inner();
    let summary = Summary::of(Reader::new(Cursor::new(&bytes)).unwrap()).unwrap();
    assert_eq!(summary.duration(), Duration::from_secs(2));
    assert_eq!((summary.begin, summary.frames()), (Some(EPOCH), 5));
    assert_eq!((summary.cut_short, summary.size_bytes), (None, bytes.len() as u64));
    assert!(summary.library.starts_with("tdshm "), "{}", summary.library);
    let [x] = &summary.segments[..] else { panic!("{summary:?}") };
    assert_eq!((x.name.as_str(), x.frames, x.changes, x.counted), ("x", 5, 3, false));
    assert_eq!(x.lost, Lost { unseen: 3, dropped: 4 });
    let layouts: Vec<_> = x.layouts.iter().map(|l| (l.frames, l.len_samples, l.layout.kind())).collect();
    let expected = [
        (2, (2, 3), Kind::Channels),
        (1, (1, 1), Kind::Channels),
        (1, (2, 2), Kind::Channels),
        (1, (0, 0), Kind::Image),
    ];
    assert_eq!(layouts, expected);
    assert_eq!(x.layouts[1].layout, Layout::Channels { names: vec!["b".to_owned()], sample_rate: 30.0 });
}

#[test]
fn a_part_and_some_segments_are_read_and_again() {
    let bytes = small();
    let (from, to) = (EPOCH + Duration::from_millis(30), EPOCH + Duration::from_millis(60));
    let reader = Reader::new(Cursor::new(&bytes)).unwrap();
    let mut reader = reader.only(|name| name == "pose").between(from, to);
    for _ in 0..2 {
        let mut numbers = Vec::new();
        while let Some(frame) = reader.next_frame().unwrap() {
            numbers.extend(frame.number);
            reader.give_back(frame.block);
        }
        assert_eq!(numbers, [4, 5, 6, 7]);
        reader.rewind().unwrap();
    }
}

#[test]
fn a_file_may_end_anywhere() {
    let bytes = small();
    let whole = frames(&bytes);
    let mut most = 0;
    for end in 0..bytes.len() {
        let (some, errors, cut_short) = read(&bytes[..end]);
        if end < 8 {
            assert!(matches!(errors[..], [McapError::NotMcap { .. }]), "{end}: {errors:?}");
            continue;
        }
        assert!(errors.is_empty(), "{end}: {errors:?}");
        assert_eq!(some, whole[..some.len()], "{end}");
        assert!(some.len() >= most, "{end}");
        most = some.len();
        assert!(cut_short.is_some() || some.len() == whole.len(), "{end}");
        let summary = Summary::of(Reader::new(Cursor::new(&bytes[..end])).unwrap()).unwrap();
        assert_eq!((summary.frames(), summary.cut_short), (some.len() as u64, cut_short), "{end}");
    }
    assert_eq!(most, whole.len());
}

/// What a program that was killed leaves: whatever the system had, in the order in which it came.
#[derive(Clone, Default)]
struct Killed(Arc<Mutex<Cursor<Vec<u8>>>>);

impl Write for Killed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Killed {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.lock().unwrap().seek(to)
    }
}

#[test]
fn what_lies_in_a_chunk_that_was_not_ended_is_read() {
    let file = Killed::default();
    let mut writer = Writer::new(file.clone()).unwrap();
    for n in 0..5 {
        writer.channels("pose", &pose(n as f32), &stamp(n * 10, Some(n))).unwrap();
    }
    let bytes = file.0.lock().unwrap().get_ref().clone();
    for cut in 0..30 {
        let (frames, errors, cut_short) = read(&bytes[..bytes.len() - cut]);
        assert!(errors.is_empty() && cut_short.is_some(), "{cut}: {errors:?}");
        assert_eq!(frames.len(), if cut == 0 { 5 } else { 4 }, "{cut}");
    }
    // Zeros behind it, as after a loss of power.
    let (frames, errors, cut_short) = read(&[bytes.clone(), vec![0; 4096]].concat());
    assert!(errors.is_empty() && cut_short == Some(bytes.len() as u64), "{errors:?}");
    assert_eq!(frames.len(), 5);
}

#[test]
fn a_damaged_chunk_is_left_out_and_the_rest_is_read() {
    let bytes = small();
    let whole = frames(&bytes);
    // A sample of the fourth frame of channels, 3.0: nothing but its bits.
    let at = bytes.windows(4).position(|window| window == 3.0_f32.to_le_bytes()).unwrap();
    let mut changed = bytes.clone();
    changed[at] ^= 1;
    let (frames, errors, cut_short) = read(&changed);
    let [error @ McapError::Damaged { .. }] = &errors[..] else { panic!("{errors:?}") };
    assert!(error.goes_on() && error.to_string().contains("were changed after they were written"), "{error}");
    assert_eq!(cut_short, None);
    assert!(frames.len() < whole.len() && frames.len() >= 9, "{}", frames.len());
    assert!(frames.iter().all(|frame| whole.contains(frame)));
    assert_eq!(frames.last(), whole.last());
}

#[test]
fn a_full_disk_leaves_what_was_written() {
    /// So many bytes fit.
    struct Small(Cursor<Vec<u8>>, usize);

    impl Write for Small {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let room = self.1.saturating_sub(usize::try_from(self.0.position()).unwrap());
            match room.min(bytes.len()) {
                0 => Err(io::ErrorKind::StorageFull.into()),
                some => self.0.write(&bytes[..some]),
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Seek for Small {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    let large = ChopFrame::from_rows(["a"], 60.0, &[[0.25; 256]]).unwrap();
    let mut disk = Small(Cursor::new(Vec::new()), 20_000);
    let mut written = 0;
    let error = {
        let mut writer = Writer::new(&mut disk).unwrap();
        loop {
            match writer.channels("a", &large, &stamp(written, Some(written))) {
                Ok(()) => written += 1,
                Err(error) => break error,
            }
            if written % 4 == 0 {
                writer.flush().unwrap();
            }
        }
    };
    assert!(matches!(error, McapError::Write(_)), "{error:?}");
    let (frames, errors, cut_short) = read(disk.0.get_ref());
    assert!(errors.is_empty() && cut_short.is_some(), "{errors:?}");
    assert_eq!(frames.len() as u64, written);
    assert!(written > 10, "{written}");
}

#[test]
fn what_others_wrote_is_told_from_ours() {
    let error = Reader::new(Cursor::new(b"RIFF....WAVE")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file begins with \"RIFF....\", and a recording with \"\\x89MCAP0\\r\\n\": it is no MCAP file"
    );
    // One whose channels are nothing of ours.
    let mut other = mcap::Writer::new(Cursor::new(Vec::new())).unwrap();
    let id = other.add_channel(0, "/imu", "ros1", &Default::default()).unwrap();
    let header = mcap::records::MessageHeader { channel_id: id, sequence: 0, log_time: 0, publish_time: 0 };
    other.write_to_known_channel(&header, &[1, 2, 3]).unwrap();
    other.finish().unwrap();
    let bytes = other.into_inner().into_inner();
    assert_eq!(frames(&bytes), []);
    // One of a later layout.
    let mut newer = mcap::Writer::new(Cursor::new(Vec::new())).unwrap();
    let metadata = [("version".to_owned(), "2".to_owned())].into();
    newer.write_metadata(&mcap::records::Metadata { name: "tdshm".to_owned(), metadata }).unwrap();
    newer.finish().unwrap();
    let (_, errors, _) = read(&newer.into_inner().into_inner());
    let [error @ McapError::TooNew { .. }] = &errors[..] else { panic!("{errors:?}") };
    assert_eq!(
        error.to_string(),
        "the recording's layout has version 2, and this program reads up to 1: use a newer one"
    );
}

/// What is written is what the crate that others use reads, and finds by its index.
#[test]
fn others_read_it() {
    let bytes = small();
    let messages: Vec<mcap::Message<'_>> =
        mcap::MessageStream::new(&bytes).unwrap().map(Result::unwrap).collect();
    assert_eq!(messages.len(), 10 + 5 + 2);
    let summary = mcap::Summary::read(&bytes).unwrap().unwrap();
    let stats = summary.stats.unwrap();
    assert_eq!((stats.message_count, stats.channel_count, stats.metadata_count), (17, 3, 1));
    let cam = messages.iter().find(|message| message.channel.topic == "cam").unwrap();
    assert_eq!(cam.channel.schema.as_ref().unwrap().name, "tdshm.ImageBlock");
    assert_eq!(TopFrame::from_block(&cam.data).unwrap().pixels(), image(0).pixels());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// Bits flipped, bytes cut out and put in: no panic, an end, and no frame that was not written, unless where its
    /// checksum was hit as well.
    #[test]
    fn no_damage_panics(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..5),
        cut in any::<Option<prop::sample::Index>>(),
        end in any::<Option<prop::sample::Index>>(),
    ) {
        let mut bytes = small();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            let at = cut.index(bytes.len());
            bytes.drain(at..bytes.len().min(at + 3));
        }
        if let Some(end) = end {
            bytes.truncate(end.index(bytes.len()));
        }
        let (frames, _, _) = read(&bytes);
        for frame in frames {
            let _ = (frame.channels(), frame.image());
            prop_assert!(frame.block.len() <= bytes.len());
        }
        if let Ok(reader) = Reader::new(Cursor::new(&bytes)) {
            let _ = Summary::of(reader);
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read(&[b"\x89MCAP0\r\n", &bytes[..]].concat());
    }
}
