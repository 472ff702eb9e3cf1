#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;

use tdshm::PixelFormat;
use tdshm_ops::{Network, Op, Registry};

use crate::{Loss, Picture};

fn net(folder: &Path) -> Network {
    let mut registry = Registry::standard();
    super::register(&mut registry);
    let net = Network::with_registry(registry);
    net.set_folder(folder);
    net
}

fn create(net: &Network, op_type: &str, pars: &[(&str, &str)]) -> Op {
    let op = net.root().create(op_type, "in1").unwrap();
    for (name, value) in pars {
        op.par(name).unwrap().set(*value).unwrap();
    }
    op
}

#[test]
fn a_recording_is_a_clip_that_begins_at_0() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("walk.csv"), "tx,t y\n0,10\n1,11\n2,12\n").unwrap();
    let net = net(folder.path());
    net.set_rate(30.0).unwrap();
    let op = create(&net, "fileinCHOP", &[("file", "walk.csv"), ("right", "cycle")]);
    let clip = op.clip().unwrap();
    assert_eq!(clip.names().iter().collect::<Vec<_>>(), ["tx", "t_y"], "what TD does not take is replaced");
    assert_eq!(
        (clip.start(), clip.rate(), clip.len_samples()),
        (0, 30.0, 3),
        "a table has the timeline's rate"
    );
    assert_eq!(clip.samples(), [0.0, 1.0, 2.0, 10.0, 11.0, 12.0]);
    assert_eq!(clip.value_at(0, 4), 1.0, "over and over");
    assert_eq!(op.total_cooks().unwrap(), 1);
    // The current value follows the timeline.
    for expected in [0.0, 1.0, 2.0, 0.0] {
        net.step().unwrap();
        assert_eq!(op.chan("tx").unwrap().unwrap().eval().unwrap(), Some(expected));
    }
    assert_eq!(op.total_cooks().unwrap(), 1, "and nothing is read for that");
}

#[test]
fn names_and_rates_are_those_that_are_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("walk.csv"), "a,b,c\n0,0,0\n1,1,1\n").unwrap();
    let net = net(folder.path());
    let op = create(&net, "fileinCHOP", &[("file", "walk.csv"), ("nameoption", "new"), ("newname", "t[xy]")]);
    let names = || op.clip().unwrap().names().iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(names(), ["tx", "ty", "chan3"]);
    op.par("nameoption").unwrap().set("filename").unwrap();
    assert_eq!(names(), ["walk1", "walk2", "walk3"]);
    op.par("rate").unwrap().set(240.0).unwrap();
    op.par("rateoption").unwrap().set("override").unwrap();
    assert_eq!((op.clip().unwrap().rate(), op.num_samples().unwrap()), (240.0, 2));
    op.par("rateoption").unwrap().set("resample").unwrap();
    assert_eq!((op.clip().unwrap().rate(), op.num_samples().unwrap()), (240.0, 8));
    op.par("nameoption").unwrap().set("new").unwrap();
    op.par("newname").unwrap().set("x[1-99999999]").unwrap();
    op.clip().unwrap();
    assert!(
        op.errors().unwrap().starts_with("New Names: the text makes 99999999 names"),
        "{:?}",
        op.errors()
    );
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_until_it_is_reloaded() {
    let folder = tempfile::tempdir().unwrap();
    let net = net(folder.path());
    let op = create(&net, "fileinCHOP", &[]);
    op.cook(tdshm_ops::Force::Yes).unwrap();
    assert_eq!(op.warnings().unwrap(), "No file is given.");
    op.par("file").unwrap().set("late.csv").unwrap();
    assert_eq!(op.num_chans().unwrap(), 0);
    let said = op.errors().unwrap();
    assert!(
        said.starts_with("Cannot open ")
            && said.ends_with(": check the path, and that you may read the file."),
        "{said}"
    );
    fs::write(folder.path().join("late.csv"), "a\n5\n").unwrap();
    op.par("reloadpulse").unwrap().pulse().unwrap();
    assert_eq!((op.clip().unwrap().samples(), op.errors().unwrap()), (&[5.0][..], String::new()));
    // What was there stays when the file breaks.
    fs::write(folder.path().join("late.csv"), "a\nx\n").unwrap();
    op.par("reloadpulse").unwrap().pulse().unwrap();
    assert_eq!(op.clip().unwrap().samples(), [5.0]);
    assert!(!op.errors().unwrap().is_empty());
}

/// A picture of two pixels above each other: the number above, 0 below.
fn save(path: &Path, number: u8) {
    let picture = Picture::new(PixelFormat::R8_UNORM, 1, 2, vec![number, 0]).unwrap();
    picture.save(path, Loss::Refuse).unwrap();
}

#[test]
fn pictures_have_their_bottom_row_first_and_folders_are_sequences() {
    let folder = tempfile::tempdir().unwrap();
    let shots = folder.path().join("shots");
    fs::create_dir(&shots).unwrap();
    for number in [1, 2, 10] {
        save(&shots.join(format!("shot{number}.png")), number);
    }
    let net = net(folder.path());
    let op = create(&net, "moviefileinTOP", &[("file", "shots/shot10.png")]);
    let image = op.image().unwrap().unwrap();
    assert_eq!(
        (image.size(), image.format(), image.pixels()),
        ((1, 2), Some(PixelFormat::R8_UNORM), &[0, 10][..])
    );

    op.par("file").unwrap().set("shots").unwrap();
    let shown = |op: &Op| op.image().unwrap().unwrap().pixels()[1];
    let frames = |count: usize| -> Vec<u8> {
        (0..count)
            .map(|_| {
                net.step().unwrap();
                shown(&op)
            })
            .collect()
    };
    assert_eq!(frames(4), [1, 2, 10, 1], "locked to the timeline");
    op.par("speed").unwrap().set(-0.5).unwrap();
    net.jump(1.0).unwrap();
    assert_eq!(frames(4), [10, 10, 2, 2]);
    op.par("playmode").unwrap().set("specify").unwrap();
    for (index, expected) in [(0.0, 1), (1.9, 2), (-1.0, 10), (5.0, 10), (f64::NAN, 1)] {
        op.par("index").unwrap().set(index).unwrap();
        assert_eq!(shown(&op), expected, "{index}");
    }
    op.par("playmode").unwrap().set("sequential").unwrap();
    op.par("speed").unwrap().set(1.0).unwrap();
    op.par("reloadpulse").unwrap().pulse().unwrap();
    assert_eq!(frames(3), [2, 10, 1]);
    op.par("play").unwrap().set(false).unwrap();
    assert_eq!(frames(2), [1, 1]);
    op.par("play").unwrap().set(true).unwrap();
    assert_eq!(frames(2), [2, 10]);

    fs::create_dir(folder.path().join("empty")).unwrap();
    op.par("file").unwrap().set("empty").unwrap();
    assert_eq!(shown(&op), 10, "the last image stays");
    assert!(op.errors().unwrap().contains("no picture"), "{:?}", op.errors());
}
