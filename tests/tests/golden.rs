//! Bytes made by hand: each is read through a real segment, and compared with what our sender puts there.

use tdshm::{ChopReceiver, ChopSender, ErrorState, SegmentReceiver};
use tdshm_tests::foreign::{Foreign, INFO_BYTES, Info, Mapping, Names};
use tdshm_tests::{Scene, golden};

/// The layouts of the info block that this system reads; the first is the one it writes.
const LAYOUTS: &[&str] = if cfg!(windows) { &["3w", "3"] } else { &["3"] };

/// What a case of section 8 holds.
struct Case {
    name: &'static str,
    rate: f32,
    names: &'static [&'static str],
    rows: &'static [&'static [f32]],
    ours: Ours,
}

/// Whether our sender lays the block out like this.
enum Ours {
    Same,
    SameWithoutNames,
    Never,
}

const CASES: [Case; 11] = [
    Case {
        name: "8-public-example",
        rate: 60.0,
        names: &["cha1", "cha2"],
        rows: &[&[1.0, 2.0, 3.0, 4.0, 5.0], &[6.0, 7.0, 8.0, 9.0, 10.0]],
        ours: Ours::Same,
    },
    Case {
        name: "8-no-names",
        rate: 60.0,
        names: &["chan1", "chan2"],
        rows: &[&[1.0, 2.0, 3.0], &[4.0, 5.0, 6.0]],
        ours: Ours::SameWithoutNames,
    },
    Case { name: "8-no-channels", rate: 60.0, names: &[], rows: &[], ours: Ours::Same },
    Case { name: "8-no-samples", rate: 60.0, names: &["tx", "ty"], rows: &[&[], &[]], ours: Ours::Same },
    Case {
        name: "8-gaps",
        rate: 60.0,
        names: &["tx", "ty"],
        rows: &[&[1.0, 2.0], &[3.0, 4.0]],
        ours: Ours::Never,
    },
    Case {
        name: "8-utf8-names",
        rate: 60.0,
        names: &["höhe", "高"],
        rows: &[&[1.0], &[2.0]],
        ours: Ours::Same,
    },
    Case {
        name: "8-latin1-names",
        rate: 60.0,
        names: &["h\u{fffd}he", "\u{fffd}\u{fffd}"],
        rows: &[&[1.0], &[2.0]],
        ours: Ours::Never,
    },
    Case {
        name: "8-duplicates",
        rate: 60.0,
        names: &["a", "b", "a"],
        rows: &[&[1.0], &[2.0], &[3.0]],
        ours: Ours::Same,
    },
    Case { name: "8-later-version", rate: 60.0, names: &["t"], rows: &[&[1.0]], ours: Ours::Never },
    Case {
        name: "8-names-first",
        rate: 60.0,
        names: &["tx", "ty"],
        rows: &[&[1.0], &[2.0]],
        ours: Ours::Never,
    },
    Case { name: "8-empty-name", rate: 44_089.2, names: &[""], rows: &[&[5.0]], ours: Ours::Never },
];

#[test]
fn every_file_is_tested_and_explained() {
    let names: Vec<String> = golden::cases("8");
    let mut tested: Vec<&str> = CASES.iter().map(|case| case.name).collect();
    tested.sort_unstable();
    assert_eq!(names, tested);
    for section in ["3", "3w"] {
        let cases = ["detached", "fresh", "postfix", "supported"].map(|case| format!("{section}-{case}"));
        assert_eq!(golden::cases(section), cases);
    }
    for case in [golden::cases("3"), golden::cases("3w"), golden::cases("8")].concat() {
        let text = std::fs::read_to_string(golden::folder().join(&case).with_extension("txt")).unwrap();
        assert!(text.contains(&format!("{} bytes", golden::bytes(&case).len())), "{case}");
    }
}

#[test]
fn the_public_example_has_the_sizes_of_the_documentation() {
    assert_eq!(golden::bytes("8-public-example").len(), 36 + 40 + 10);
}

/// In an object of just these bytes, and in one with pages of other bytes behind.
#[test]
fn each_block_is_read() {
    for case in &CASES {
        let bytes = golden::bytes(case.name);
        for room in [bytes.len(), 10_000] {
            let scene = Scene::new("golden: read");
            let sender = Foreign { size: room, ..Foreign::default() }.start(scene.name());
            sender.data.write(0, &vec![0xcc; room]);
            sender.data.write(0, &bytes);
            let mut input = ChopReceiver::open(scene.name()).unwrap();
            let frame = input.read().unwrap().unwrap();
            let length = case.rows.first().map_or(0, |row| row.len());
            assert_eq!(
                (frame.num_channels(), frame.len_samples()),
                (case.rows.len(), length),
                "{}",
                case.name
            );
            assert_eq!(
                (frame.sample_rate(), frame.names()),
                (case.rate, &owned(case.names)[..]),
                "{}",
                case.name
            );
            assert_eq!(frame.samples(), case.rows.concat(), "{}", case.name);
            let first = case.names.first().map(|name| (*name, case.rows[0]));
            assert_eq!(
                first.and_then(|(name, _)| frame.channel(name)),
                first.map(|(_, row)| row),
                "{}",
                case.name
            );
        }
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn our_sender_puts_the_same_bytes_there() {
    for case in &CASES {
        let names_sent = match case.ours {
            Ours::Same => true,
            Ours::SameWithoutNames => false,
            Ours::Never => continue,
        };
        let bytes = golden::bytes(case.name);
        let scene = Scene::new("golden: written");
        let builder = ChopSender::builder(scene.name()).sample_rate(case.rate).names_sent(names_sent);
        let mut out = builder.channels(case.names.iter().copied()).create().unwrap();
        let data = Mapping::open(&Names::of(scene.name()).data).unwrap();
        out.send(case.rows).unwrap();
        assert_eq!(data.read(0, bytes.len()), bytes, "{}: as rows", case.name);
        assert!(data.bytes()[bytes.len()..].iter().all(|byte| *byte == 0), "{}: nothing behind", case.name);

        let length = case.rows.first().map_or(0, |row| row.len());
        data.write(0, &vec![0xaa; bytes.len()]);
        out.set_names_sent(names_sent); // as whoever spoilt them would have it
        out.send_flat(&case.rows.concat(), length).unwrap();
        assert_eq!(data.read(0, bytes.len()), bytes, "{}: flat", case.name);

        data.write(0, &vec![0xaa; bytes.len()]);
        out.set_names_sent(names_sent);
        let fill = |block: &mut tdshm::ChopBlockMut<'_>| {
            for (index, row) in case.rows.iter().enumerate() {
                block.channel(index).unwrap().copy_from(row);
            }
        };
        out.send_with(case.rows.len(), length, fill).unwrap();
        assert_eq!(data.read(0, bytes.len()), bytes, "{}: in place", case.name);
    }
}

#[test]
fn our_sender_writes_the_info_blocks_of_the_table() {
    let scene = Scene::new("golden: info written");
    let out = ChopSender::create(scene.name()).unwrap();
    let info = Mapping::open(&Names::of(scene.name()).info).unwrap();
    let is = |case: &str, why: &str| {
        assert_eq!(info.read(0, INFO_BYTES), golden::bytes(&format!("{}-{case}", LAYOUTS[0])), "{why}");
    };
    is("fresh", "made");
    assert!(info.bytes()[INFO_BYTES..256].iter().all(|byte| *byte == 0), "nothing up to the extension");
    SegmentReceiver::open(scene.name()).unwrap().lock().unwrap();
    is("fresh", "a receiver of ours has an entry instead");
    tdshm_tests::foreign::ForeignReceiver::attach(scene.name()).unwrap();
    is("supported", "a foreign one attached");
    out.detach().unwrap();
    is("detached", "left");
}

#[test]
fn the_info_blocks_of_the_table_are_understood() {
    for layout in LAYOUTS {
        is_understood(layout);
    }
}

fn is_understood(layout: &str) {
    let golden = |case: &str| golden::bytes(&format!("{layout}-{case}"));
    let example = golden::bytes("8-public-example");
    let start = |scene: &Scene, case: &str| {
        let info = Info::Bytes(golden(case));
        let sender = Foreign { info, ..Foreign::default() }.start(scene.name());
        sender.data.write(0, &example);
        sender
    };
    for case in ["fresh", "supported"] {
        let scene = Scene::new("golden: info read");
        let sender = start(&scene, case);
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        assert_eq!(input.read().unwrap().unwrap().names(), ["cha1", "cha2"], "{case}");
        let expected = golden("supported");
        assert_eq!(sender.info.unwrap().read(0, expected.len()), expected, "{layout}");
    }

    let scene = Scene::new("golden: info postfix");
    let sender = start(&scene, "postfix");
    sender.data.write(0, &[0xee; 86]); // the old place, which nobody reads any more
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    assert!(input.read().unwrap().is_none());
    let moved = Mapping::create(&format!("{}abcdefghijklmnopqrstuvwxyzabcde", sender.names.data), 86);
    moved.write(0, &example);
    assert_eq!(input.read().unwrap().unwrap().names(), ["cha1", "cha2"]);

    let scene = Scene::new("golden: info detached");
    let _sender = start(&scene, "detached");
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    assert!(input.read().unwrap().is_none());
    assert_eq!(input.state(), ErrorState::InfoDoesNotExist);
}
