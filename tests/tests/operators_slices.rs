//! Time slices through shared memory, and what Scope and names do there (operators §3.3, §4.3, §4.4, §1.3).

use tdshm_ops::Op;
use tdshm_tests::nets::{count, input, network, next, output, said, seed, set};
use tdshm_tests::{Scene, frames};

/// Lets so many frames pass at once, and gives start and samples of the one channel that came out.
fn after(op: &Op, frames: u64) -> (i64, Vec<f32>) {
    op.network().advance(frames).unwrap();
    let clip = op.clip().unwrap();
    assert!(clip.is_slice() || clip.num_channels() == 0);
    (clip.start(), clip.channel(0).unwrap_or_default().to_vec())
}

/// The table of operators §4.3.
#[test]
fn a_value_a_frame_is_held_over_the_frames_that_were_skipped() {
    let scene = Scene::new("slices: a value a frame");
    let net = network(scene.name());
    let here = input(&net, scene.name());
    set(&here, "timeslice", true);
    let mut peer = scene.peer();
    peer.ask(&format!("sender {} 4096", scene.name()));
    let mut lengths = Vec::new();
    let mut end = None;
    for (frame, passed) in [(1, 1), (2, 1), (3, 1), (7, 4), (8, 1)] {
        peer.ask(&format!("send 1 1 60 {frame} default"));
        let (start, samples) = after(&here, passed);
        assert_eq!(samples.last(), Some(&(frame as f32)), "the newest value");
        assert_eq!(samples, vec![frame as f32; samples.len()], "one sample is held");
        assert!(end.is_none_or(|end: i64| start == end + 1), "no gap");
        end = Some(start + samples.len() as i64 - 1);
        lengths.push(samples.len());
    }
    assert_eq!(lengths, [1, 1, 1, 4, 1]);
}

#[test]
fn blocks_longer_and_shorter_than_the_slice_and_none_at_all() {
    let scene = Scene::new("slices: lengths");
    let net = network(scene.name());
    let [linear, hold, trim] = ["linear", "hold", "trim"].map(|how| {
        let here = input(&net, scene.name());
        set(&here, "timeslice", true);
        set(&here, "slicefill", how);
        here
    });
    let mut out = tdshm::ChopSender::builder(scene.name()).sample_rate(240.0).create().unwrap();
    out.send(&[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]).unwrap();
    let all = |frames| {
        net.advance(frames).unwrap();
        [&linear, &hold, &trim].map(|op| op.clip().unwrap().samples().to_vec())
    };
    let [first, ..] = all(1);
    let (last_of, held) = (vec![3.0, 4.0, 5.0, 6.0], vec![6.0; 4]);
    assert_eq!(first.last(), Some(&6.0));
    out.send(&[[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]]).unwrap();
    assert_eq!(all(1), [last_of.clone(), held.clone(), last_of], "the newest of a longer block");
    assert_eq!(all(1), [held.clone(), held.clone(), held], "the same block is not played again");
    out.send(&[[8.0, 10.0]]).unwrap();
    assert_eq!(
        all(1),
        [vec![7.0, 8.0, 9.0, 10.0], vec![10.0; 4], vec![6.0, 6.0, 8.0, 10.0]],
        "a shorter one, without a step, held, and as it is"
    );
    out.send(&[[14.0]]).unwrap();
    assert_eq!(all(1)[0], vec![14.0; 4]);
}

#[test]
fn slices_have_no_gap_where_frames_are_lost() {
    let scene = Scene::new("slices: lost frames");
    let name = scene.name();
    let net = network(name);
    let here = input(&net, name);
    set(&here, "timeslice", true);
    let mut peer = scene.peer();
    peer.ask(&format!("sender {name} 4096"));
    peer.ask("send 1 4 240 1 default");
    let (start, samples) = after(&here, 1);
    let mut next = start + samples.len() as i64;
    let mut check = |passed: u64, expected: Option<f32>| {
        let (start, samples) = after(&here, passed);
        assert_eq!((start, samples.len() as u64), (next, 4 * passed));
        next = start + samples.len() as i64;
        if let Some(value) = expected {
            assert!(samples.iter().all(|sample| *sample == value), "{samples:?}");
        }
    };
    let held = frames::sample(1, 1, 4, 3);
    // A lock that cannot be had, a sender that has died, none at all, and a name that is none.
    peer.ask("hold-send 1 4 240 2");
    peer.stop();
    for passed in [1, 1, 3, 2] {
        check(passed, Some(held));
        assert!(said(&here).0.contains("is locked by another process"));
    }
    peer.kill();
    scene.until("the death to be seen", || {
        check(1, Some(held));
        said(&here).0 == format!("Shared memory '{name}' has no sender.")
    });
    set(&here, "name", "");
    check(2, Some(held));
    set(&here, "name", name);
    check(1, Some(held));
    let mut peer = scene.peer();
    peer.ask(&format!("sender {name} 4096"));
    peer.ask("send 1 4 240 9 default");
    check(1, None);
    assert_eq!(here.clip().unwrap().samples(), frames::flat(9, 1, 4));
    check(12, Some(frames::sample(9, 1, 4, 3)));
}

#[test]
fn an_out_writes_slices_without_a_move_however_long_they_are() {
    let scene = Scene::new("slices: out");
    let name = scene.name();
    let net = network(name);
    let (give, out) = output(&net, name);
    set(&give, "sliced", true);
    set(&give, "rate", 48_000.0);
    set(&give, "count", 3);
    let mut input = tdshm::ChopReceiver::open(name).unwrap();
    let mut last = None;
    for passed in [1, 1, 2, 5, 12, 1, 7] {
        net.advance(passed).unwrap();
        let frame = input.try_next().unwrap().unwrap();
        let samples = frame.channel_at(2).unwrap();
        assert!(last.is_none_or(|last: f32| samples[0] == last + 1.0), "no gap: {last:?}, {}", samples[0]);
        assert!(samples.windows(2).all(|two| two[1] == two[0] + 1.0));
        assert_eq!(samples, out.clip().unwrap().channel(2).unwrap());
        last = samples.last().copied();
    }
    assert_eq!(count(&out, "shm_resizes"), 0.0, "room for the longest slice");
    assert_eq!(count(&out, "shm_frames"), 7.0);
}

#[test]
fn an_out_with_time_slice_cuts_what_is_none() {
    let scene = Scene::new("slices: out cuts");
    let name = scene.name();
    let net = network(name);
    let (give, out) = output(&net, name);
    set(&give, "seed", 3);
    set(&give, "count", 2);
    set(&give, "len", 10);
    set(&out, "timeslice", true);
    let mut input = tdshm::ChopReceiver::open(name).unwrap();
    for _ in 1..=15_u64 {
        net.step().unwrap();
        let frame = input.try_next().unwrap().unwrap();
        let clip = out.clip().unwrap();
        assert!(clip.is_slice());
        assert_eq!((frame.len_samples(), frame.samples()), (1, clip.samples()));
        // What is behind the end is held.
        let at = usize::try_from(clip.start()).unwrap().min(9);
        let expected = [frames::sample(3, 2, 10, at), frames::sample(3, 2, 10, 10 + at)];
        assert_eq!(frame.samples(), expected);
    }
}

#[test]
fn scope_leaves_channels_out_or_lets_them_pass() {
    let scene = Scene::new("slices: scope");
    let name = scene.name();
    let net = network(name);
    let [filter, pass] = ["filter", "passthrough"].map(|mode| {
        let here = input(&net, name);
        set(&here, "scopemode", mode);
        set(&here, "scope", "b d");
        here
    });
    let mut out = tdshm::ChopSender::builder(name).channels(["a", "b", "c", "d"]).create().unwrap();
    out.send_flat(&[1.0, 2.0, 3.0, 4.0], 1).unwrap();
    let clip = next(&filter);
    assert!(clip.names().are(["b", "d"]));
    assert_eq!(clip.samples(), [2.0, 4.0]);
    let clip = next(&pass);
    assert!(clip.names().are(["a", "b", "c", "d"]));
    assert_eq!(clip.samples(), [0.0, 2.0, 0.0, 4.0], "what never had a value enters with zeros");
    set(&pass, "scope", "*");
    assert_eq!(next(&pass).samples(), [1.0, 2.0, 3.0, 4.0], "also of a frame that is there already");
    set(&pass, "scope", "a");
    out.send_flat(&[5.0, 6.0, 7.0, 8.0], 1).unwrap();
    assert_eq!(next(&pass).samples(), [5.0, 2.0, 3.0, 4.0], "the others keep the value they had");
    set(&pass, "timeslice", true);
    out.send_flat(&[9.0, 6.0, 7.0, 8.0], 1).unwrap();
    let clip = next(&pass);
    assert_eq!((clip.samples(), clip.is_slice()), (&[9.0, 2.0, 3.0, 4.0][..], true));
    assert_eq!(filter.clip().unwrap().samples(), [6.0, 8.0]);
    set(&filter, "scope", "nothing");
    assert_eq!(next(&filter).num_channels(), 0);
}

#[test]
fn an_out_writes_what_is_in_scope_and_passes_all() {
    let scene = Scene::new("slices: scope of an out");
    let name = scene.name();
    let net = network(name);
    let (give, out) = output(&net, name);
    set(&give, "count", 3);
    set(&give, "len", 5);
    set(&give, "seed", 2);
    set(&give, "names", "a b c");
    set(&out, "scope", "c a");
    let mut input = tdshm::ChopReceiver::open(name).unwrap();
    net.step().unwrap();
    assert_eq!(seed(&out.clip().unwrap()), Some(2));
    let all = frames::rows(2, 3, 5);
    let frame = input.try_next().unwrap().unwrap();
    assert_eq!((frame.names(), frame.num_channels()), (&["a".to_owned(), "c".to_owned()][..], 2));
    assert_eq!(frame.samples(), [all[0].clone(), all[2].clone()].concat());
    set(&out, "scope", "*");
    set(&give, "names", "left/x größe c!");
    net.step().unwrap();
    assert_eq!(input.try_next().unwrap().unwrap().names(), ["left/x", "größe", "c!"], "as they are");
    set(&out, "legalnames", true);
    net.step().unwrap();
    assert_eq!(input.try_next().unwrap().unwrap().names(), ["left/x", "gr__e", "c_"]);
}

#[test]
fn names_that_are_not_legal_are_made_so_unless_they_are_wanted_raw() {
    let scene = Scene::new("slices: names");
    let name = scene.name();
    let net = network(name);
    let here = input(&net, name);
    let mut out =
        tdshm::ChopSender::builder(name).channels(["left hand", "", "t:x/1", "t:x/1"]).create().unwrap();
    out.send_flat(&[1.0, 2.0, 3.0, 4.0], 1).unwrap();
    assert!(next(&here).names().are(["left_hand", "chan2", "t:x/1", "t:x/1"]));
    assert_eq!(here.chan("t:x/1").unwrap().unwrap().eval().unwrap(), Some(3.0), "the first of two");
    set(&here, "rawnames", true);
    assert!(next(&here).names().are(["left hand", "", "t:x/1", "t:x/1"]));
}

#[test]
fn rates_are_what_the_sender_meant() {
    let scene = Scene::new("slices: rate");
    let net = network(scene.name());
    let here = input(&net, scene.name());
    let mut out = tdshm::ChopSender::builder(scene.name()).sample_rate(29.97).create().unwrap();
    out.send(&[[1.0]]).unwrap();
    assert_eq!(next(&here).rate(), 29.97);
}
