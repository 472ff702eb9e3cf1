//! Receivers and senders that go on after somebody else did what nobody should.

use std::time::Duration;

use tdshm::{ChopReceiver, ChopSender};
use tdshm_tests::Scene;
use tdshm_tests::foreign::{DETACH_AT, Mapping, Names, POSTFIX_AT, postfix_field};

const SOON: Duration = Duration::from_millis(50);

/// Writes over bytes of an object, as a program that lost its way does.
fn scribble(object: &str, at: usize, bytes: &[u8]) {
    Mapping::open(object).unwrap().write(at, bytes);
}

#[cfg_attr(not(target_os = "linux"), ignore = "Linux alone: objects that can be removed by hand")]
#[test]
fn a_receiver_that_was_given_nonsense_finds_the_next_sender_by_itself() {
    let scene = Scene::new("recover: nonsense");
    let names = Names::of(scene.name());
    for bare in [false, true] {
        let mut old = ChopSender::create(scene.name()).unwrap();
        old.send(&[[1.0]]).unwrap();
        if bare {
            Mapping::open(&names.info).unwrap().unlink();
        }
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        assert!(input.read().unwrap().is_some());
        scribble(&names.data, 20, &0_f32.to_le_bytes()); // the rate
        if !bare {
            old.send(&[[1.0]]).unwrap();
            scribble(&names.data, 20, &0_f32.to_le_bytes());
        }
        assert!(input.read().is_err() || bare);
        // Nobody says that the sender left: its objects are removed by hand.
        scene.sweep();
        let mut new = ChopSender::create(scene.name()).unwrap();
        scene.until("the receiver to find the next sender", || {
            new.send(&[[7.0]]).unwrap();
            matches!(input.next_timeout(SOON), Ok(Some(frame)) if frame.samples() == [7.0])
        });
        drop((old, new, input));
        scene.sweep();
    }
}

#[test]
fn names_that_somebody_wrote_over_are_right_again_soon() {
    let scene = Scene::new("recover: names");
    let names = Names::of(scene.name());
    let mut out = ChopSender::builder(scene.name()).channels(["tx", "ty"]).create().unwrap();
    out.send(&[[1.0], [2.0]]).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    assert_eq!(input.read().unwrap().unwrap().names(), ["tx", "ty"]);
    scribble(&names.data, 44, b"QQ");
    scene.until("the names to be right", || {
        out.send(&[[1.0], [2.0]]).unwrap();
        input.read().unwrap().unwrap().names() == ["tx", "ty"]
    });
}

#[test]
fn an_info_block_that_somebody_wrote_over_is_right_again_soon() {
    let scene = Scene::new("recover: info");
    let names = Names::of(scene.name());
    let mut out = ChopSender::create(scene.name()).unwrap();
    out.send(&[[1.0]]).unwrap();
    for (at, bytes) in [(0, &b"XXXX"[..]), (POSTFIX_AT, &postfix_field("nowhere")), (DETACH_AT, &[1])] {
        scribble(&names.info, at, bytes);
        let mut input = ChopReceiver::open(scene.name()).unwrap();
        assert!(!matches!(input.read(), Ok(Some(_))), "it is lost for now");
        scene.until("the sender to be found again", || {
            out.send(&[[2.0]]).unwrap();
            matches!(input.read(), Ok(Some(frame)) if frame.samples() == [2.0])
        });
    }
}

#[cfg_attr(not(target_os = "linux"), ignore = "Linux alone: a fork")]
#[test]
fn a_receiver_that_lives_on_in_a_forked_child_is_moved_along() {
    let scene = Scene::new("recover: forked receiver");
    let names = Names::of(scene.name());
    let mut out = ChopSender::create(scene.name()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let mut reader = scene.peer();
    reader.ask(&format!("receiver {}", scene.name()));
    reader.ask("read");
    reader.ask("fork");
    reader.ask("close");
    // Its entry is free, its mark is not: the plain name is not made anew behind the child's back.
    out.send_flat(&vec![1.0; 100_000], 100_000).unwrap();
    let moved = scene
        .objects()
        .into_iter()
        .find(|object| object.starts_with(&names.data) && object.len() > names.data.len() + 10);
    assert!(moved.is_some() && !scene.objects().contains(&names.data), "{:?}", scene.objects());
}

/// The holder's record is for tools. A stray write there must not keep a lock locked.
#[cfg_attr(not(target_os = "linux"), ignore = "Linux alone: a lock that has a record")]
#[test]
fn a_lock_whose_record_somebody_wrote_over_is_let_go_of_all_the_same() {
    let scene = Scene::new("recover: holder's record");
    let names = Names::of(scene.name());
    let mut out = ChopSender::create(scene.name()).unwrap();
    let value = out.send_with(1, 1, |_| scribble(&names.data_lock, 20, &1_u32.to_le_bytes()));
    assert!(value.is_ok());
    assert!(scene.peer().ask(&format!("lock {} 1000", names.data_lock)).contains("clean"));
    out.send(&[[1.0]]).unwrap();
}
