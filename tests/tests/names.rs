//! Short names and the objects that follow from them (wire §1).

use tdshm::{BlockKind, ChopReceiver, ChopSender, Error, NameError, NamedLock, SegmentSender};
use tdshm_tests::{Scene, foreign};

/// The longest short name, in what is counted here (wire §1).
const LONGEST: usize = if cfg!(windows) { 220 } else { 216 };

#[test]
fn the_four_objects_have_the_names_of_the_table() {
    let scene = Scene::new("names: the four objects");
    let out = ChopSender::create(scene.name()).unwrap();
    let names = foreign::Names::of(scene.name());
    let mut expected = [names.data, names.data_lock, names.info, names.info_lock];
    expected.sort();
    assert_eq!(scene.objects(), expected);
    drop(out);
}

#[test]
fn a_name_that_cannot_be_one_is_refused_by_both_sides_before_anything_is_made() {
    let scene = Scene::new("names: refused");
    let own = scene.name();
    let (slash, nul, long) = (format!("{own}/x"), format!("{own}\0x"), format!("{own:x<0$}", LONGEST + 1));
    for bad in ["", &slash, &nul, &long] {
        let sender = ChopSender::create(bad).unwrap_err();
        let receiver = ChopReceiver::open(bad).unwrap_err();
        for error in [sender, receiver, tdshm::inspect(bad).unwrap_err()] {
            assert!(matches!(error, Error::Name(_)), "{bad:?}: {error}");
            assert_eq!(error.code(), 100);
        }
        assert_eq!(scene.objects(), [""; 0], "{bad:?}");
    }
    let Err(Error::Name(NameError::TooLong { length, limit, .. })) = ChopSender::create(&long) else {
        panic!()
    };
    assert_eq!((length, limit), (LONGEST + 1, LONGEST));
    assert!(matches!(NamedLock::open(""), Err(Error::Name(NameError::Empty))));
    assert!(matches!(NamedLock::open("a/b"), Err(Error::Name(NameError::Character { found: '/', .. }))));
}

#[test]
fn the_longest_name_and_names_of_any_letters_work_between_two_processes() {
    let scene = Scene::new("names: longest and strangest");
    let own = scene.name();
    let strange = if cfg!(windows) { "..:*?'$" } else { "..\\:*?'$" };
    let longest = format!("{own:x<LONGEST$}");
    for name in [longest, format!("{own}-höhe🎥"), format!("{own}{strange}"), format!(".{own}")] {
        let mut peer = scene.peer();
        peer.ask(&format!("sender {name} 4096"));
        peer.ask("send 2 3 60 7 names");
        let mut input = ChopReceiver::open(&name).unwrap();
        assert_eq!(input.read().unwrap().unwrap().channel_at(0).unwrap()[0], 7.0, "{name}");
        peer.ask("detach");
    }
    let spaced = format!("a name with {own} in it");
    let mut out = ChopSender::create(&spaced).unwrap();
    out.send(&[[1.0]]).unwrap();
    assert!(ChopReceiver::open(&spaced).unwrap().read().unwrap().is_some());
}

/// `X` and `XMutex` are good names, but the data of the second would have the name of the first's lock.
#[test]
fn a_name_that_is_the_lock_of_another_gives_a_clear_error_and_disturbs_nobody() {
    let scene = Scene::new("names: X and XMutex");
    let (one, other) = (scene.name().to_owned(), format!("{}Mutex", scene.name()));

    let mut out = ChopSender::create(&one).unwrap();
    out.send(&[[1.0]]).unwrap();
    let error = ChopSender::create(&other).unwrap_err();
    assert_eq!(error.code(), 110, "{error}");
    assert!(error.to_string().contains("lock of another segment"), "{error}");
    // Not even by force: the other one lives.
    let forced = ChopSender::builder(&other).take_over(true).create().unwrap_err();
    assert_eq!(forced.code(), 110, "{forced}");
    let read = ChopReceiver::open(&other).unwrap().read().map(|frame| frame.is_some());
    assert!(!matches!(read, Ok(true)), "{read:?}");
    out.send(&[[2.0]]).unwrap();
    assert_eq!(ChopReceiver::open(&one).unwrap().read().unwrap().unwrap().samples(), [2.0]);
    drop(out);
    scene.sweep();

    let mut out = ChopSender::create(&other).unwrap();
    out.send(&[[3.0]]).unwrap();
    let error = ChopSender::create(&one).unwrap_err();
    let refused = if cfg!(windows) {
        matches!(error, Error::Lock(tdshm::LockError::Object(_)))
    } else {
        matches!(error, Error::Lock(tdshm::LockError::NotALock { .. }))
    };
    assert!(refused, "{error}");
    assert_eq!(ChopReceiver::open(&other).unwrap().read().unwrap().unwrap().samples(), [3.0]);
}

#[test]
fn looking_finds_segments_and_makes_nothing() {
    let scene = Scene::new("names: inspect and list");
    let name = scene.name();
    let error = tdshm::inspect(name).unwrap_err();
    assert_eq!(error.code(), 2, "{error}");
    assert_eq!(scene.objects(), [""; 0]);

    let mut out = ChopSender::builder(name).channels(["tx", "ty"]).sample_rate(30.0).create().unwrap();
    assert_eq!(tdshm::inspect(name).unwrap().kind, BlockKind::Unknown, "nothing written yet");
    out.send(&[[1.0, 2.0], [3.0, 4.0]]).unwrap();
    let before = scene.objects();
    let report = tdshm::inspect(name).unwrap();
    assert_eq!((report.kind, report.supported, report.detached), (BlockKind::Chop, Some(false), Some(false)));
    let contents = report.chop.unwrap().layout.unwrap();
    assert_eq!((contents.num_channels, contents.len_samples, contents.sample_rate), (2, 2, 30.0));
    assert_eq!(contents.names.unwrap(), ["tx", "ty"]);
    let found = tdshm::list().unwrap();
    assert_eq!(found.iter().filter(|report| report.name.as_str() == name).count(), 1);
    assert_eq!(scene.objects(), before);

    ChopReceiver::open(name).unwrap().read().unwrap();
    assert_eq!(tdshm::inspect(name).unwrap().supported, Some(false), "ours has an entry instead");
    foreign::ForeignReceiver::attach(name).unwrap();
    assert_eq!(tdshm::inspect(name).unwrap().supported, Some(true));

    // Something that cannot be read does not spoil the list.
    #[cfg(target_os = "linux")]
    std::fs::create_dir(scene.path("TouchSHMTouchSHM{}x4jhd783h")).unwrap();
    #[cfg(windows)]
    let _lock = foreign::make_lock(&format!("TouchSHMTouchSHM{name}x4jhd783h"));
    assert!(tdshm::list().unwrap().iter().any(|report| report.name.as_str() == name));
}

#[test]
fn a_raw_segment_is_listed_as_unknown() {
    let scene = Scene::new("names: raw");
    let mut out = SegmentSender::create(scene.name(), 10).unwrap();
    out.lock().unwrap().view().copy_from(b"not a block");
    let report = tdshm::inspect(scene.name()).unwrap();
    assert_eq!((report.kind, report.mapped_bytes), (BlockKind::Unknown, Some(4096)));
}
