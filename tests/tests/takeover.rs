//! Who owns a name, and who gets it when its owner has died (wire §6).

use std::time::{Duration, Instant};

use tdshm::{Attached, ChopReceiver, ChopSender, DryRun, Error, Occupant, SegmentError, SegmentReceiver};
use tdshm_tests::foreign::{Block, Foreign, ForeignReceiver, Info, Mapping, Names, info_block};
use tdshm_tests::system::{DIES_WITH_HANDLES, GRAIN};
use tdshm_tests::{Peer, Scene, Seen, frames};

/// Far longer than the watchdog's: nobody may have to wait for a time limit.
const EVER: Duration = Duration::from_secs(600);

fn block(seed: u32) -> Block {
    Block::new(2, &frames::flat(seed, 2, 5), 60.0, Some(&["cha1", "cha2"]))
}

#[test]
fn a_living_sender_is_never_robbed() {
    let scene = Scene::new("take-over: living");
    let name = scene.name();
    let mut owner = scene.peer();
    owner.ask(&format!("sender {name} 4096"));
    owner.ask("send 2 5 60 1 names");
    let before = (scene.objects(), Mapping::open(&Names::of(name).info).unwrap().bytes());
    let living = format!("process {} sends it", owner.pid());
    for command in ["sender", "take-over"] {
        let refused = scene.peer().try_ask(&format!("{command} {name} 4096")).unwrap_err();
        assert_eq!(refused.code, 3);
        assert!(refused.text.contains(&living), "{command}: {}", refused.text);
    }
    let error = ChopSender::builder(name).take_over(true).create().unwrap_err();
    let Error::Segment(SegmentError::InfoAlreadyExists { by: Occupant::Process(pid), .. }) = error else {
        panic!("{error}")
    };
    assert_eq!(pid, owner.pid());
    assert_eq!((scene.objects(), Mapping::open(&Names::of(name).info).unwrap().bytes()), before);
    // Stopped is not dead.
    owner.stop();
    assert!(ChopSender::create(name).unwrap_err().to_string().contains(&living));
    owner.go_on();
    owner.ask("send 2 5 60 2 names");
    assert_eq!(Seen::of(ChopReceiver::open(name).unwrap().read().unwrap().unwrap()).seed, Some(2));
}

/// Two at once, on a fresh name, on what a dead one left, and on what one left in peace.
#[test]
fn of_two_at_once_exactly_one_wins_and_the_other_is_told_by_whom() {
    let scene = Scene::new("take-over: two at once");
    let name = scene.name();
    let mut peers = [scene.peer(), scene.peer()];
    for round in 0..500 {
        for peer in &mut peers {
            peer.begin(&format!("sender {name} 4096"));
        }
        let answers = peers.each_mut().map(Peer::answer);
        let winner = match &answers {
            [Ok(_), Err(_)] => 0,
            [Err(_), Ok(_)] => 1,
            other => panic!("round {round}: {other:?}"),
        };
        let refused = answers.into_iter().find_map(Result::err).unwrap();
        assert_eq!(refused.code, 3, "round {round}: {}", refused.text);
        let by = format!("process {} sends it", peers[winner].pid());
        assert!(refused.text.contains(&by), "round {round}: {}", refused.text);
        if round % 10 == 0 {
            peers[winner].kill();
            peers[winner] = scene.peer();
        } else {
            peers[winner].ask("detach");
        }
    }
}

#[test]
fn a_dead_sender_is_replaced_at_once_and_its_receivers_get_the_next_frame() {
    let scene = Scene::new("take-over: dead");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    let mut here = ChopReceiver::open(name).unwrap();
    assert_eq!(Seen::of(here.read().unwrap().unwrap()).seed, Some(1));
    let mut there = scene.peer();
    there.ask(&format!("receiver {name}"));
    assert_eq!(there.see("read").unwrap().seed, Some(1));
    let mut foreign = ForeignReceiver::attach(name).unwrap();
    let info = Mapping::open(&Names::of(name).info).unwrap();
    for seed in 2..30 {
        there.begin("next 600000");
        sender.kill();
        let mut heir = scene.peer();
        let begin = Instant::now();
        heir.ask(&format!("sender {name} 4096"));
        heir.ask(&format!("send 2 5 60 {seed} names"));
        let seen = Seen::of(here.next_timeout(EVER).unwrap().unwrap());
        let took = begin.elapsed();
        assert_eq!(seen.seed, Some(seed));
        assert_eq!(Seen::parse(&there.answer().unwrap()).unwrap().seed, Some(seed));
        let block = foreign.read().expect("it hops over");
        assert_eq!(block.samples[..4], (seed as f32).to_le_bytes());
        assert_eq!(info.u32(304), heir.pid(), "the same info segment, with another owner");
        assert_eq!(info.read(8, 1), [1], "`supported` stays as it is");
        if DIES_WITH_HANDLES {
            // The system closes what the dead had open in its own time.
            // Looked at once: a list that is read while others come and go may leave one out.
            scene.until("the dead one's data to go", || scene.objects().len() == 4);
        } else {
            assert_eq!(scene.objects().len(), 4, "the dead one's data has gone: {:?}", scene.objects());
        }
        if seed == 2 {
            println!("taken over, and the next frame here, after {took:?}");
        }
        sender = heir;
    }
}

#[test]
fn a_receiver_is_told_that_its_sender_died() {
    let scene = Scene::new("take-over: told");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    let mut input = ChopReceiver::open(name).unwrap();
    input.read().unwrap();
    sender.kill();
    let begin = Instant::now();
    scene.until("the receiver to notice", || {
        input.next_timeout(Duration::from_millis(1)).unwrap();
        input.attached() == Attached::Died
    });
    println!("noticed after {:?}", begin.elapsed());
    // On Windows it lets go of what the dead left, and knows all the same why nobody is there.
    scene.until("the receiver to let go", || {
        input.next_timeout(Duration::from_millis(1)).unwrap();
        assert_eq!(input.attached(), Attached::Died);
        !DIES_WITH_HANDLES || scene.objects().is_empty()
    });
    assert_eq!(Seen::of(input.frame().unwrap()).seed, Some(1), "the last frame stays");
}

/// Whoever cleans up says so where the sender would have said that it leaves.
#[test]
fn a_receiver_whose_dead_sender_is_cleaned_up_is_not_told_that_it_left() {
    let scene = Scene::new("take-over: cleaned");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    let observer = SegmentReceiver::builder(name).observe(true).open().unwrap();
    let mut receivers = [ChopReceiver::open(name).unwrap(), ChopReceiver::over(observer)];
    for input in &mut receivers {
        assert!(input.read().unwrap().is_some());
    }
    sender.kill();
    assert!(!tdshm::clean(&[name], DryRun::No).unwrap().is_empty());
    for (input, who) in receivers.iter_mut().zip(["a receiver", "an observer"]) {
        assert!(input.try_next().unwrap().is_none());
        assert_eq!(input.attached(), Attached::Died, "{who}");
    }
    // The next one leaves by itself.
    let mut out = ChopSender::create(name).unwrap();
    out.send_flat(&frames::flat(2, 2, 5), 5).unwrap();
    for input in &mut receivers {
        assert_eq!(Seen::of(input.read().unwrap().unwrap()).seed, Some(2));
    }
    out.detach().unwrap();
    for (input, who) in receivers.iter_mut().zip(["a receiver", "an observer"]) {
        assert!(input.try_next().unwrap().is_none());
        assert_eq!(input.attached(), Attached::Left, "{who}");
    }
}

/// As somebody does who removes files.
#[test]
#[cfg(target_os = "linux")]
fn a_receiver_that_loses_the_names_of_a_dead_sender_knows_that_it_died() {
    let scene = Scene::new("take-over: swept");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    let mut input = ChopReceiver::open(name).unwrap();
    assert!(input.read().unwrap().is_some());
    sender.kill();
    scene.sweep();
    scene.until("the receiver to let go", || {
        input.next_timeout(Duration::from_millis(1)).unwrap();
        !std::fs::read_to_string("/proc/self/maps").unwrap().contains(name)
    });
    assert_eq!(input.attached(), Attached::Died);
}

#[test]
fn a_foreign_sender_is_replaced_only_by_force() {
    let rooms: &[usize] = if GRAIN == 1 { &[44, 4096] } else { &[4096] };
    for room in rooms.iter().copied() {
        let scene = Scene::new("take-over: foreign");
        let name = scene.name();
        let mut bytes = info_block("", 0);
        bytes.resize(room, 0);
        let sender = Foreign { info: Info::Bytes(bytes.clone()), ..Foreign::default() }.start(name);
        sender.send(&block(1));
        let mut here = ChopReceiver::open(name).unwrap();
        assert!(here.read().unwrap().is_some());
        let mut foreign = ForeignReceiver::attach(name).unwrap();
        assert!(foreign.read().is_some());

        let before = (scene.objects(), sender.info.as_ref().unwrap().bytes());
        let error = ChopSender::create(name).unwrap_err();
        assert_eq!(error.code(), 3, "{error}");
        for word in ["take_over", "--take-over"] {
            assert!(error.to_string().contains(word), "{error}");
        }
        assert_eq!((scene.objects(), sender.info.as_ref().unwrap().bytes()), before, "nothing was touched");

        let mut out = ChopSender::builder(name).take_over(true).create().unwrap();
        for (seed, length) in [(2, 5), (3, 40_000), (4, 7)] {
            out.send_flat(&frames::flat(seed, 2, length), length).unwrap();
            let seen = Seen::of(here.next_timeout(EVER).unwrap().unwrap());
            assert_eq!((seen.seed, seen.length), (Some(seed), length), "room {room}");
            assert_eq!(foreign.read().unwrap().length, length);
        }
        let info = Mapping::open(&Names::of(name).info).unwrap();
        assert_eq!(info.len(), room);
        let extended = room == 4096;
        assert_eq!(tdshm::inspect(name).unwrap().notices.is_some(), extended, "where there is room for it");
        assert!(DIES_WITH_HANDLES || !scene.objects().contains(&sender.names.data), "the old data has gone");
        drop(info);
        out.detach().unwrap();
        assert!(foreign.detached());
        assert!(here.read().unwrap().is_none());
        assert!(ChopSender::create(name).is_ok());
    }
}

#[test]
fn data_without_info_is_replaced_only_by_force() {
    let scene = Scene::new("take-over: bare data");
    let name = scene.name();
    let sender = Foreign { info: Info::Missing, ..Foreign::default() }.start(name);
    sender.send(&block(1));
    let mut here = ChopReceiver::open(name).unwrap();
    assert!(here.read().unwrap().is_some());
    let error = ChopSender::create(name).unwrap_err();
    assert_eq!(error.code(), 1, "{error}");
    assert!(error.to_string().contains("--take-over"), "{error}");
    assert!(!scene.objects().contains(&sender.names.info), "nothing is left of the attempt");

    let begin = Instant::now();
    let mut out = ChopSender::builder(name).take_over(true).create().unwrap();
    out.send_flat(&frames::flat(2, 2, 5), 5).unwrap();
    // It was attached to bare data, and notices that an info segment came.
    let seen = Seen::of(here.next_timeout(EVER).unwrap().unwrap());
    println!("followed after {:?}", begin.elapsed());
    assert_eq!(seen.seed, Some(2));
    assert!(DIES_WITH_HANDLES || !scene.objects().contains(&sender.names.data));
}

#[test]
fn a_name_that_was_left_can_be_made_again_at_once() {
    let scene = Scene::new("take-over: detach and create");
    let name = scene.name();
    let mut here = ChopReceiver::open(name).unwrap();
    let mut foreign_there = 0;
    for seed in 1..=200 {
        let mut out = ChopSender::create(name).unwrap();
        out.send_flat(&frames::flat(seed, 2, 5), 5).unwrap();
        assert_eq!(Seen::of(here.read().unwrap().unwrap()).seed, Some(seed));
        foreign_there += u32::from(ForeignReceiver::attach(name).is_some());
        if seed % 2 == 0 { out.detach().unwrap() } else { drop(out) }
    }
    assert_eq!(foreign_there, 200);
}

#[cfg_attr(not(target_os = "linux"), ignore = "Linux alone: a fork")]
#[test]
fn a_forked_child_that_keeps_the_segment_is_named() {
    let scene = Scene::new("take-over: forked child");
    let name = scene.name();
    let mut sender = scene.peer();
    sender.ask(&format!("sender {name} 4096"));
    sender.ask("send 2 5 60 1 names");
    let child: u32 = sender.ask("fork").parse().unwrap();
    sender.ask("send 2 5 60 2 names");
    let living = ChopSender::create(name).unwrap_err();
    assert!(living.to_string().contains(&format!("process {} sends it", sender.pid())), "{living}");
    sender.kill();

    let error = ChopSender::create(name).unwrap_err();
    let Error::Segment(SegmentError::InfoAlreadyExists { by: Occupant::Heirs { owner, heirs }, .. }) = &error
    else {
        panic!("{error}")
    };
    assert_eq!((*owner, &heirs[..]), (sender.pid(), &[child][..]));
    assert!(error.to_string().contains(&format!("end process {child}")), "{error}");
    assert!(!tdshm::inspect(name).unwrap().notices.unwrap().owner_alive, "the child does not send");
    let error = ChopSender::builder(name).take_over(true).create().unwrap_err();
    assert!(error.to_string().contains(&child.to_string()), "{error}");

    drop(sender); // its input ends, and with it the child
    scene.until("the child to end", || match ChopSender::create(name) {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.code(), 3, "{error}");
            false
        }
    });
}

/// Somebody removes all objects by hand, and another sender comes: nobody can tell the receivers.
#[cfg_attr(not(target_os = "linux"), ignore = "Linux alone: objects that can be removed by hand")]
#[test]
fn a_receiver_finds_the_new_sender_after_everything_was_removed_by_hand() {
    let scene = Scene::new("take-over: removed by hand");
    let name = scene.name();
    for how in ["dead", "living", "foreign"] {
        let mut sender = scene.peer();
        let mut foreign = None;
        if how == "foreign" {
            let sender = Foreign::default().start(name);
            sender.send(&block(1));
            foreign = Some(sender);
        } else {
            sender.ask(&format!("sender {name} 4096"));
            sender.ask("send 2 5 60 1 names");
        }
        let mut here = ChopReceiver::open(name).unwrap();
        assert_eq!(Seen::of(here.read().unwrap().unwrap()).seed, Some(1), "{how}");
        let mut there = scene.peer();
        there.ask(&format!("receiver {name}"));
        assert_eq!(there.see("read").unwrap().seed, Some(1), "{how}");
        there.begin("next 600000");
        if how == "dead" {
            sender.kill();
        }
        scene.sweep();
        let begin = Instant::now();
        let mut out = ChopSender::create(name).unwrap();
        out.send_flat(&frames::flat(2, 2, 5), 5).unwrap();
        let seen = Seen::of(here.next_timeout(EVER).unwrap().unwrap());
        println!("{how}: found after {:?}", begin.elapsed());
        assert_eq!(seen.seed, Some(2), "{how}");
        assert_eq!(Seen::parse(&there.answer().unwrap()).unwrap().seed, Some(2), "{how}");
        drop((out, foreign));
        scene.sweep();
    }
}
