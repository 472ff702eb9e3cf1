//! Whatever bytes lie there: a value or a typed error, never a panic, a hang or a read outside (wire §3, §8).

use proptest::prelude::*;
use tdshm::{BlockError, ChopFrame, ChopReceiver, ChopShape, Error};
use tdshm_tests::foreign::{self, Block, Foreign, ForeignSender, INFO_BYTES, Info, Mapping, info_block};
use tdshm_tests::system::DIES_WITH_HANDLES;
use tdshm_tests::{Scene, frames};

/// Random at each run; what fails is shown in its smallest form, and belongs into the corpus then.
fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

fn good(seed: u32) -> Block {
    Block::new(2, &frames::flat(seed, 2, 3), 60.0, Some(&["good1", "good2"]))
}

/// A sender in memory that holds any bytes, all of it mapped.
fn sender(scene: &Scene, size: usize) -> ForeignSender {
    Foreign { size, info: Info::Missing, ..Foreign::default() }.start(scene.name())
}

/// Reads in all ways. What is accepted has to be what a reader by hand finds inside the mapping; what is not
/// leaves the last good frame.
fn read_all_ways(input: &mut ChopReceiver, mapped: &[u8]) {
    let last = input.frame().map(content);
    let oracle = foreign::parse(mapped);
    let mut results = vec![input.view().map(|view| view.map(|view| view.shape()))];
    results.push(input.read_into(&mut vec![0.0; mapped.len() / 4 + 1]));
    results.push(input.try_next().map(|frame| frame.map(ChopFrame::shape)));
    results.push(input.read().map(|frame| frame.map(ChopFrame::shape)));
    for result in results {
        match result {
            Ok(Some(shape)) => {
                let oracle = oracle.as_ref().expect("the reader by hand accepts it as well");
                let expected = (oracle.count, oracle.length, oracle.rate);
                assert_eq!((shape.num_channels, shape.len_samples, shape.sample_rate), expected);
            }
            Ok(None) => {}
            Err(Error::Block(BlockError { field, .. })) => assert!(!field.is_empty()),
            Err(error) => panic!("{error}"),
        }
    }
    match input.read() {
        Ok(Some(frame)) => {
            let oracle = oracle.expect("accepted above");
            let bytes: Vec<u8> = frame.samples().iter().flat_map(|sample| sample.to_le_bytes()).collect();
            assert_eq!(bytes, oracle.samples);
            if let Some(names) = oracle.names.filter(|names| !names.is_empty()) {
                let names: Vec<_> = names.iter().map(|name| String::from_utf8_lossy(name)).collect();
                assert_eq!(frame.names(), names);
            }
            assert_eq!(frame.names().len(), frame.num_channels());
        }
        Ok(None) => assert!(mapped[..36].iter().all(|byte| *byte == 0), "only a blank block is none"),
        Err(_) => {
            let still = input.frame().map(content);
            assert_eq!(still, last, "the last good frame stays");
        }
    }
}

/// Everything of a frame that can be compared: NaN is unlike itself, its bits are not.
fn content(frame: &ChopFrame) -> (Vec<u32>, Vec<String>, ChopShape) {
    (frame.samples().iter().map(|sample| sample.to_bits()).collect(), frame.names().to_vec(), frame.shape())
}

/// Numbers as they stand in broken headers: small, at the edges, or anything.
fn field() -> impl Strategy<Value = i32> {
    prop_oneof![
        4 => 0..200_i32,
        2 => (0..300_i32).prop_map(|number| number * 4),
        2 => prop::sample::select(vec![i32::MIN, i32::MAX, -1, -4, 1 << 16, 1 << 28, 1 << 29, 1 << 30, 0x7fff_fffc]),
        1 => any::<i32>(),
    ]
}

proptest! {
    #![proptest_config(config(600))]

    #[test]
    fn any_bytes_in_the_data_segment(
        cases in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..300), any::<bool>()), 1..8),
        size in 36..9000_usize,
    ) {
        let scene = Scene::new("hostile: any data");
        let sender = sender(&scene, size.max(36 + 24 + 12));
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        for (bytes, with_magic) in cases {
            let mut bytes = bytes;
            bytes.truncate(sender.data.len());
            sender.data.write(0, &bytes);
            if with_magic {
                sender.data.write(0, &[0xcf, 0x54, 0xed, 0x12, 1, 0, 0, 0]);
            }
            read_all_ways(&mut input, &sender.data.bytes());
            sender.send(&good(5));
            prop_assert_eq!(input.read().unwrap().unwrap().samples(), frames::flat(5, 2, 3));
        }
    }

    #[test]
    fn headers_with_any_numbers(
        changes in prop::collection::vec(
            prop::collection::vec((prop::sample::select(vec![1_usize, 2, 3, 4, 5, 6, 7, 8]), field()), 1..5),
            1..8,
        ),
        names in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..6), 0..8),
        size in prop_oneof![72..200_usize, Just(4096_usize), 72..20_000_usize],
    ) {
        let scene = Scene::new("hostile: headers");
        let sender = sender(&scene, size);
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        for changes in changes {
            let mut block = good(1);
            block.names.clone_from(&names);
            sender.send(&block);
            for (index, number) in changes {
                sender.data.write(4 * index, &number.to_le_bytes());
            }
            read_all_ways(&mut input, &sender.data.bytes());
        }
        sender.send(&good(6));
        prop_assert_eq!(input.read().unwrap().unwrap().samples(), frames::flat(6, 2, 3));
        prop_assert_eq!(input.names(), ["good1", "good2"]);
    }

    #[cfg_attr(not(target_os = "linux"), ignore = "Linux alone: elsewhere objects have whole pages")]
    #[test]
    fn data_segments_of_any_size(size in 1..120_usize, bytes in prop::collection::vec(any::<u8>(), 120)) {
        let scene = Scene::new("hostile: any size");
        let sender = sender(&scene, size);
        let mut block = good(1).header();
        block.extend(bytes);
        sender.data.write(0, &block[..size]);
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        if size < 36 {
            prop_assert!(matches!(input.read(), Err(Error::Block(_))));
        } else {
            read_all_ways(&mut input, &sender.data.bytes());
        }
        let _ = tdshm::inspect(scene.name());
    }

    #[test]
    fn any_bytes_in_the_info_segment(
        before in info_bytes(),
        after in info_bytes(),
        attach_first in any::<bool>(),
    ) {
        let scene = Scene::new("hostile: info");
        let mut bytes = if attach_first { info_block("", 0) } else { before.clone() };
        bytes.resize(bytes.len().max(1), 0);
        let sender = Foreign { info: Info::Bytes(bytes), ..Foreign::default() }.start(scene.name());
        sender.send(&good(1));
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        let first = input.read().map(|frame| frame.is_some());
        let _next;
        if attach_first {
            prop_assert_eq!(first.unwrap(), true);
            let info = sender.info.as_ref().unwrap();
            for bytes in [&before, &after] {
                info.write(0, &bytes[..bytes.len().min(info.len())]);
                for _ in 0..2 {
                    typed(input.read().map(drop));
                    typed(input.try_next().map(drop));
                }
            }
            prop_assert_eq!(input.frame().unwrap().samples(), frames::flat(1, 2, 3));
            info.write(0, &info_block("", 0));
        } else {
            typed(first.map(drop));
            let _ = tdshm::inspect(scene.name());
            // The next sender comes, and the same receiver goes on.
            drop(sender);
            scene.sweep();
            if DIES_WITH_HANDLES && input.attached() == tdshm::Attached::Yes {
                return Ok(()); // what it has open keeps the name
            }
            let sender = Foreign::default().start(scene.name());
            sender.send(&good(1));
            _next = sender;
            if input.attached() == tdshm::Attached::Yes {
                return Ok(()); // it follows the one it found, which has not said that it left
            }
        }
        prop_assert_eq!(input.read().unwrap().unwrap().samples(), frames::flat(1, 2, 3));
    }
}

/// Anything, from nothing at all to a page, and blocks that are nearly right.
fn info_bytes() -> impl Strategy<Value = Vec<u8>> {
    let nearly = (prop::collection::vec((0..INFO_BYTES, any::<u8>()), 1..6)).prop_map(|changes| {
        let mut bytes = info_block("", 0);
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes
    });
    let postfix = prop::collection::vec(any::<u8>(), 32).prop_map(|postfix| {
        let mut bytes = info_block("", 0);
        bytes[9..41].copy_from_slice(&postfix);
        bytes
    });
    prop_oneof![prop::collection::vec(any::<u8>(), 0..200), nearly, postfix, Just(vec![0; 4096])]
}

fn typed(result: Result<(), Error>) {
    match result {
        Ok(()) | Err(Error::Segment(_) | Error::Block(_)) => {}
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn golden_bytes_with_any_one_byte_changed() {
    let scene = Scene::new("hostile: mutated golden bytes");
    let sender = sender(&scene, 4096);
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    for case in tdshm_tests::golden::cases("8") {
        let bytes = tdshm_tests::golden::bytes(&case);
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut broken = bytes.clone();
                broken[at] ^= flip;
                sender.data.write(0, &broken);
                read_all_ways(&mut input, &sender.data.bytes());
            }
        }
        sender.data.write(0, &bytes);
        assert!(input.read().unwrap().is_some(), "{case}");
    }
}

/// Somebody writes without the lock, as fast as it can, while we read: numbers may be torn, nothing else.
#[test]
fn a_block_that_changes_while_it_is_read() {
    let scene = Scene::new("hostile: changing under the reader");
    let sender = sender(&scene, 4096);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let name = scene.name();
        let done = &done;
        scope.spawn(move || {
            let mut input = ChopReceiver::open(name).unwrap();
            let mut buffer = vec![0.0; 2000];
            for round in 0..20_000 {
                match round % 4 {
                    0 => drop(input.read()),
                    1 => drop(input.read_into(&mut buffer)),
                    2 => drop(input.view().map(|view| view.map(|view| view.samples().copy_to(&mut buffer)))),
                    _ => drop(input.try_next()),
                }
            }
            done.store(true, std::sync::atomic::Ordering::Relaxed);
        });
        let shapes = [(1, 900, "x"), (2, 3, "ab"), (30, 2, "n"), (0, 0, ""), (900, 1, "")];
        let blocks = shapes.map(|(count, length, name)| {
            let names = vec![name; count];
            Block::new(count, &vec![1.0; count * length], 60.0, Some(&names))
        });
        let mut seed = 0_usize;
        while !done.load(std::sync::atomic::Ordering::Relaxed) {
            seed += 1;
            sender.send(&blocks[seed % blocks.len()]);
            if seed.is_multiple_of(3) {
                sender.data.write(12, &(seed as i32).to_le_bytes());
                sender.data.write(32, &(seed as i32 * 4).to_le_bytes());
            }
        }
    });
    sender.send(&good(9));
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    assert_eq!(input.read().unwrap().unwrap().samples(), frames::flat(9, 2, 3));
}

/// Names that all collide with the ones that a receiver makes up: it must not look for free ones for minutes.
#[test]
fn made_up_names_are_found_quickly_whatever_was_sent() {
    const COUNT: usize = 200_000;
    let scene = Scene::new("hostile: colliding names");
    let sender = Foreign { size: 16 << 20, info: Info::Missing, ..Foreign::default() }.start(scene.name());
    let names: Vec<String> = (COUNT + 1..=2 * COUNT).map(|number| format!("chan{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    sender.send(&Block::new(COUNT, &[], 60.0, Some(&names)));
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    assert_eq!(input.read().unwrap().unwrap().names().len(), COUNT);
    sender.send(&Block::new(2 * COUNT, &[], 60.0, None));
    scene.doing("200,000 names to be made up");
    let made_up = input.read().unwrap().unwrap().names();
    assert_eq!((made_up.len(), made_up[COUNT].as_str()), (2 * COUNT, "chan400001"));
}

/// A file of few pages that claims many channels must not end a reader for want of memory.
#[cfg_attr(not(target_os = "linux"), ignore = "Linux alone: sparse objects, and a limit to address space")]
#[test]
fn many_empty_channels_are_an_error_or_a_frame_but_not_the_end() {
    let scene = Scene::new("hostile: many channels");
    const SIZE: usize = 64 << 20;
    let sender = sender(&scene, SIZE); // sparse: nearly nothing of it is there
    for names_sent in [0, 1] {
        let mut block = Block::new(0, &[], 60.0, None);
        block.num_chans = SIZE as i32 - 100;
        block.names_sent = names_sent;
        block.name_data_offset = 36;
        sender.data.write(0, &block.header());
        let mut peer = scene.peer();
        peer.ask("limit-memory 1024");
        peer.ask(&format!("receiver {}", scene.name()));
        if let Err(refused) = peer.try_ask("try-next") {
            assert_eq!(refused.code, 120, "{}", refused.text);
        }
        assert_eq!(peer.ask("state").split(' ').next(), Some("Yes"), "it lives");
    }
}

#[cfg_attr(not(target_os = "linux"), ignore = "Linux alone: elsewhere objects have whole pages")]
#[test]
fn info_blocks_cut_short_anywhere() {
    let scene = Scene::new("hostile: short info");
    for case in tdshm_tests::golden::cases("3") {
        let bytes = tdshm_tests::golden::bytes(&case);
        for len in 1..bytes.len() {
            let name = format!("{}{case}{len}", scene.name());
            let info = Mapping::create(&foreign::Names::of(&name).info, len);
            info.write(0, &bytes[..len]);
            let error = ChopReceiver::open(&name).unwrap().read().map(drop).unwrap_err();
            assert_eq!(error.code(), 111, "{error}");
        }
    }
}
