//! Frames that are drawn beside the stream, without a closure and without the lock (wire §11).

use std::time::Duration;

use proptest::prelude::*;
use tdshm::{
    ChopReceiver, ChopSender, Error, ErrorKind, NamedLock, PixelFormat, Pixels, RowOrder, SegmentError, Sent,
    TopDraft, TopReceiver, TopSender,
};
use tdshm_tests::acts::Dice;
use tdshm_tests::foreign::{ForeignReceiver, Mapping, Names, postfix_of};
use tdshm_tests::foreign_top::ForeignTop;
use tdshm_tests::images::Image;
use tdshm_tests::info::{EVER, Info};
use tdshm_tests::{Scene, Seen, frames};

const GREY: PixelFormat = PixelFormat::R8_UNORM;
const SLOTS: u64 = 1408;
const CURRENT: u64 = 1412;

fn draw(draft: &mut TopDraft, value: u8) {
    let all = vec![value; draft.size_bytes()];
    assert_eq!(draft.pixels().copy_from(&all), all.len());
}

/// The value of all pixels of the newest image.
fn value(input: &mut TopReceiver) -> Option<u8> {
    let pixels = input.read().unwrap()?.pixels();
    let first = pixels[0];
    assert!(pixels.iter().all(|pixel| *pixel == first), "torn");
    Some(first)
}

#[track_caller]
fn is_stale(committed: Result<Sent, Error>, name: &str) {
    let error = committed.unwrap_err();
    assert!(matches!(error, Error::Segment(SegmentError::StaleDraft { .. })), "{error:?}");
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, 118));
    let said = format!(
        "this draft is not the one that the sender of {name:?} began last, or a frame was sent since: begin another one, \
         and draw that"
    );
    assert_eq!(error.to_string(), said);
}

/// For a sender to draw in, and one that has no places.
fn both(title: &'static str, run: impl Fn(&Scene, TopSender, TopReceiver, bool)) {
    for count in [3, 2, 1] {
        let scene = Scene::new(title);
        let out = TopSender::builder(scene.name()).slots(count).room_for(GREY, 40, 30).create().unwrap();
        let input = TopReceiver::open(scene.name()).unwrap();
        run(&scene, out, input, count > 1);
    }
}

#[test]
fn nothing_is_published_before_the_commit() {
    both("draft: commit", |_, mut out, mut input, in_place| {
        for round in 1..20 {
            let mut draft = out.draft(GREY, 40, 30).unwrap();
            assert_eq!(draft.is_in_place(), in_place);
            assert_eq!((draft.stride_bytes(), draft.size_bytes()), (40, 1200));
            assert_eq!(draft.row_order(), RowOrder::BottomFirst);
            assert!(draft.as_mut_ptr().addr().is_multiple_of(64));
            draw(&mut draft, round);
            assert_eq!(value(&mut input), (round > 1).then_some(round - 1));
            out.commit(&draft).unwrap();
            let frame = input.try_next().unwrap().unwrap();
            assert_eq!((frame.pixels()[0], frame.missed()), (round, Some(0)));
        }
        assert_eq!(out.frames(), 19);
    });
}

#[test]
fn a_draft_that_is_dropped_or_forgotten_leaves_the_stream_as_it_was() {
    both("draft: dropped", |scene, mut out, mut input, in_place| {
        let grey = [9; 1200];
        for round in 0..40_u8 {
            for forget in [false, round.is_multiple_of(7)] {
                let mut draft = out.draft(GREY, 40, 30).unwrap();
                draw(&mut draft, 0xee);
                if forget {
                    std::mem::forget(draft);
                }
            }
            out.send(&Pixels::top_first(GREY, 40, 30, &grey)).unwrap();
            assert_eq!(value(&mut input), Some(9));
            let mut draft = out.draft(GREY, 40, 30).unwrap();
            draw(&mut draft, round);
            out.commit(&draft).unwrap();
            assert_eq!(value(&mut input), Some(round));
        }
        // Who forgets all places gets others.
        assert_eq!(out.stats().resizes > 0, in_place);
        assert_eq!(Info::of(scene).u32(SLOTS) > 0, in_place);
    });
}

#[test]
fn a_draft_that_is_not_the_last_one_is_refused() {
    both("draft: stale", |scene, mut out, mut input, _| {
        let other = Scene::new("draft: another sender");
        let mut another = TopSender::create(other.name()).unwrap();
        let name = scene.name();
        let mut first = out.draft(GREY, 40, 30).unwrap();
        draw(&mut first, 1);
        is_stale(another.commit(&first), other.name());
        let mut second = out.draft(GREY, 40, 30).unwrap();
        draw(&mut second, 2);
        is_stale(out.commit(&first), name);
        assert_eq!(value(&mut input), None);
        out.commit(&second).unwrap();
        is_stale(out.commit(&second), name);
        is_stale(out.commit(&first), name);
        assert_eq!(value(&mut input), Some(2));

        let mut third = out.draft(GREY, 40, 30).unwrap();
        draw(&mut third, 3);
        out.send(&Pixels::top_first(GREY, 40, 30, &[4; 1200])).unwrap();
        draw(&mut third, 3);
        is_stale(out.commit(&third), name);
        assert_eq!(value(&mut input), Some(4));

        let mut fourth = out.draft(GREY, 40, 30).unwrap();
        out.send(&Pixels::top_first(GREY, 400, 300, &vec![5; 120_000])).unwrap();
        draw(&mut fourth, 6);
        is_stale(out.commit(&fourth), name);
        assert_eq!(value(&mut input), Some(5));
        assert_eq!(out.frames(), 3);
    });
}

/// Whoever keeps a draft that was published may spoil that image, and none after it; and what a sender leaves behind
/// stays mapped.
#[test]
fn a_late_write_hits_the_image_that_was_drawn_there_and_no_other() {
    both("draft: late", |_, mut out, mut input, in_place| {
        let mut kept: Vec<TopDraft> = Vec::new();
        for round in 1..30 {
            let mut draft = out.draft(GREY, 40, 30).unwrap();
            draw(&mut draft, round);
            for late in &mut kept {
                draw(late, 0xee);
            }
            out.commit(&draft).unwrap();
            assert_eq!(value(&mut input), Some(round));
            for late in &mut kept {
                draw(late, 0xee);
            }
            assert_eq!(value(&mut input), Some(round));
            // A frame that is sent goes elsewhere as well.
            if round.is_multiple_of(5) {
                out.send(&Pixels::top_first(GREY, 40, 30, &[round; 1200])).unwrap();
                for late in &mut kept {
                    draw(late, 0xee);
                }
                draw(&mut draft, 0xee);
                assert_eq!(value(&mut input), Some(round));
            }
            kept.push(draft);
        }
        // With places it moves where all of them are held, and not otherwise.
        let moves = out.stats().resizes;
        assert_eq!(moves > 0, in_place);
        for _ in 0..20 {
            kept.drain(..kept.len() - 1);
            let mut draft = out.draft(GREY, 40, 30).unwrap();
            draw(&mut draft, 1);
            out.commit(&draft).unwrap();
            kept.push(draft);
        }
        assert_eq!(out.stats().resizes, moves);
        out.detach().unwrap();
        for late in &mut kept {
            draw(late, 0xdd);
        }
        drop(input);
        for late in &mut kept {
            draw(late, 0xdd);
        }
    });
}

/// From the usual place to places and back, with drafts that outlive both.
#[test]
fn a_foreign_receiver_that_comes_while_an_image_is_drawn_gets_it_at_the_usual_offset() {
    let scene = Scene::new("draft: foreign");
    let mut out = TopSender::create(scene.name()).unwrap();
    let mut input = TopReceiver::open(scene.name()).unwrap();
    let mut kept = Vec::new();
    for round in 1..4 {
        let mut draft = out.draft(GREY, 40, 30).unwrap();
        draw(&mut draft, round);
        out.commit(&draft).unwrap();
        assert!(draft.is_in_place());
        kept.push(draft);
    }
    let mut draft = out.draft(GREY, 40, 30).unwrap();
    draw(&mut draft, 7);
    let mut foreign = ForeignTop::attach(scene.name()).unwrap();
    out.commit(&draft).unwrap();
    let info = Info::of(&scene);
    assert_eq!(info.u32(SLOTS), 0);
    for late in kept.iter_mut().chain([&mut draft]) {
        draw(late, 0xee);
    }
    assert_eq!(value(&mut input), Some(7));
    scene.until("the foreign receiver to follow", || {
        if foreign.detached() {
            return false;
        }
        foreign.read().is_some_and(|block| block.pixels == [7; 1200])
    });
    let postfix = postfix_of(&Mapping::open(&Names::of(scene.name()).info).unwrap());
    let data = Mapping::open(&format!("TouchSHM{}{postfix}", scene.name())).unwrap();
    assert_eq!(data.u32(40), 48, "the usual offset");
    let mut draft = out.draft(GREY, 40, 30).unwrap();
    assert!(!draft.is_in_place(), "a copy under the lock");
    draw(&mut draft, 8);
    out.commit(&draft).unwrap();
    assert!(foreign.read().is_some_and(|block| block.pixels == [8; 1200]));
}

/// A lock that somebody holds costs time, and not the draft.
#[test]
fn a_draft_that_finds_the_lock_taken_can_be_committed_again() {
    both("draft: lock", |scene, mut out, mut input, _| {
        out.set_lock_limit(Duration::from_millis(1));
        let lock = NamedLock::open(&Names::of(scene.name()).data_lock).unwrap();
        for round in 1..6 {
            let (held, go) = (std::sync::Barrier::new(2), std::sync::Barrier::new(2));
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let guard = lock.lock().unwrap();
                    held.wait();
                    go.wait();
                    drop(guard);
                });
                held.wait();
                // No lock is needed to draw.
                let mut draft = out.draft(GREY, 40, 30).unwrap();
                draw(&mut draft, 0xee);
                assert_eq!(out.commit(&draft).unwrap_err().code(), 101);
                draw(&mut draft, round);
                assert_eq!(out.commit(&draft).unwrap_err().code(), 101);
                assert!(input.try_next().unwrap().is_none());
                go.wait();
                out.set_lock_limit(EVER);
                out.commit(&draft).unwrap();
                out.set_lock_limit(Duration::from_millis(1));
            });
            assert_eq!(value(&mut input), Some(round));
        }
    });
}

#[test]
fn drafts_of_channels_bring_places_and_small_ones_are_copied() {
    let scene = Scene::new("draft: channels");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let info = Info::of(&scene);
    for (seed, length, in_place, divided) in [
        (1, 50, false, false),
        (2, 20_000, false, true), // it has to move first
        (3, 20_000, true, true),
        (4, 50, false, false),
        (5, 15_000, true, true),
        (6, 15_000, true, true),
        (7, 30_000, false, true),
        (8, 30_000, true, true),
    ] {
        let mut draft = out.draft(2, length).unwrap();
        assert_eq!((draft.is_in_place(), draft.num_channels()), (in_place, 2), "frame {seed}");
        let samples = frames::flat(seed, 2, length);
        for (index, channel) in samples.chunks(length).enumerate() {
            assert_eq!(draft.channel(index).unwrap().copy_from(channel), length);
        }
        assert!(draft.channel(2).is_none() && draft.as_mut_ptr().addr().is_multiple_of(64));
        // What is said in between counts.
        out.set_channels(frames::names(seed, 2)).unwrap();
        out.set_sample_rate(seed as f32).unwrap();
        out.commit(&draft).unwrap();
        let frame = input.try_next().unwrap().unwrap();
        assert_eq!((frame.sample_rate(), frame.names()), (seed as f32, &frames::names(seed, 2)[..]));
        assert_eq!((Seen::of(frame).seed, frame.missed()), (Some(seed), Some(0)));
        assert_eq!(info.u32(SLOTS) > 0, divided, "frame {seed}");
    }
    // Longer names than the place has room for behind the samples.
    let mut draft = out.draft(2, 30_000).unwrap();
    assert!(draft.is_in_place());
    draft.samples().copy_from(&frames::flat(9, 2, 30_000));
    let long = ["x".repeat(300_000), "y".repeat(700_000)];
    out.set_channels(long.clone()).unwrap();
    out.commit(&draft).unwrap();
    let frame = input.try_next().unwrap().unwrap();
    assert_eq!((frame.names(), Seen::of(frame).seed), (&long[..], Some(9)));
    // Another number of channels than there are names.
    let draft = out.draft(2, 50).unwrap();
    out.set_channels(["a", "b", "c"]).unwrap();
    assert!(matches!(out.commit(&draft), Err(Error::Block(_))));
    assert!(input.try_next().unwrap().is_none());
    assert!(matches!(out.draft(2, 50), Err(Error::Block(_))));
    out.set_channels(["a", "b"]).unwrap();
    out.commit(&draft).unwrap();
    assert_eq!(input.try_next().unwrap().unwrap().names(), ["a", "b"]);
}

#[test]
fn a_foreign_receiver_of_channels_finds_them_at_the_usual_offset() {
    let scene = Scene::new("draft: channels, foreign");
    let mut out = ChopSender::create(scene.name()).unwrap();
    out.send_flat(&frames::flat(1, 2, 20_000), 20_000).unwrap();
    let mut foreign = ForeignReceiver::attach(scene.name()).unwrap();
    for seed in 2..6 {
        let mut draft = out.draft(2, 20_000).unwrap();
        assert!(!draft.is_in_place());
        let samples = frames::flat(seed, 2, 20_000);
        draft.samples().copy_from(&samples);
        out.commit(&draft).unwrap();
        let wanted: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        assert!(foreign.read().unwrap().samples == wanted);
    }
}

/// Readers without the lock are held up by no draft, however long it is drawn, and see it whole or not at all.
#[test]
fn while_one_draws_others_read_what_was_there() {
    for slots in ["auto", "2", "0"] {
        let scene = Scene::new("draft: drawn for long");
        let name = scene.name();
        let mut writer = scene.peer();
        writer.ask(&format!("top-sender {name} {slots} 1"));
        writer.ask("top-send 1");
        let mut input = TopReceiver::open(name).unwrap();
        let mut number = 1;
        for next in [2, 3, 4, 5, 100, 101] {
            writer.begin(&format!("top-hold-draft {next}"));
            assert_eq!(writer.answer().unwrap(), "half");
            assert_eq!(input.read().unwrap().and_then(Image::seen).unwrap(), Image::of(number));
            assert_eq!(Image::viewed(&input.view().unwrap().unwrap()), Image::of(number));
            writer.ask("let-go");
            number = next;
            assert_eq!(input.next_timeout(EVER).unwrap().and_then(Image::seen).unwrap(), Image::of(number));
        }
        // Killed while it draws: what was there stays, and the next sender goes on.
        writer.begin("top-hold-draft 7");
        writer.answer().unwrap();
        writer.kill();
        assert_eq!(input.read().unwrap().and_then(Image::seen).unwrap(), Image::of(number));
        let mut heir = scene.peer();
        heir.ask(&format!("top-sender {name} {slots} 1"));
        heir.ask("top-draft 8");
        scene.until("the image of the next sender", || {
            input.next_timeout(EVER).unwrap().and_then(Image::seen) == Some(Image::of(8))
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    /// Drafts and images that are sent, sizes, and who keeps what, at random, while threads read.
    #[test]
    fn whatever_is_drawn_every_image_is_whole(slots in 0_usize..5, seed in any::<u32>()) {
        let scene = Scene::new("draft: whatever");
        let builder = TopSender::builder(scene.name());
        let builder = if slots == 0 { builder } else { builder.slots(slots) };
        let mut out = builder.create().unwrap();
        let mut dice = Dice::new(seed.into());
        let last = 200;
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let mut input = TopReceiver::open(scene.name()).unwrap();
                scope.spawn(move || {
                    let mut number = 0;
                    while number < last {
                        let frame = input.next_timeout(EVER).unwrap().unwrap();
                        let image = Image::seen(frame).expect("whole");
                        assert!(image == Image::of(image.number) && image.number > number);
                        number = image.number;
                    }
                });
            }
            let mut kept: Vec<TopDraft> = Vec::new();
            for number in 1..=last {
                let image = Image::of(number);
                match dice.below(4) {
                    0 => drop(image.send(&mut out).unwrap()),
                    1 => drop(image.draft(&mut out).unwrap()),
                    which => {
                        let mut draft = out.draft(image.format, image.width, image.height).unwrap();
                        draft.pixels().copy_from(&image.bytes(RowOrder::BottomFirst));
                        for late in &mut kept {
                            draw(late, dice.below(256) as u8);
                        }
                        if which == 2 {
                            out.commit(&draft).unwrap();
                        } else {
                            image.send(&mut out).unwrap();
                        }
                        // The image of one that is kept is spoiled only once another one has come.
                        if let Some(previous) = kept.last_mut()
                            && dice.below(2) == 0
                        {
                            draw(previous, 0xee);
                        }
                        if dice.below(3) == 0 {
                            kept.clear();
                        }
                        if which == 3 {
                            draw(&mut draft, 0xee);
                            kept.push(draft);
                        }
                    }
                }
            }
        });
    }
}

/// The place that is drawn in is neither the one that is current nor one that a reader has pinned.
#[test]
fn a_draft_is_drawn_in_another_place_than_the_current_one() {
    let scene = Scene::new("draft: place");
    let mut out = TopSender::builder(scene.name()).room_for(GREY, 40, 30).create().unwrap();
    let info = Info::of(&scene);
    let mut last = None;
    for round in 0..10 {
        let mut draft = out.draft(GREY, 40, 30).unwrap();
        draw(&mut draft, round);
        let at = draft.as_mut_ptr();
        assert_ne!(last, Some(at));
        out.commit(&draft).unwrap();
        last = Some(at);
        assert!(info.u32(CURRENT) < 3);
    }
}
