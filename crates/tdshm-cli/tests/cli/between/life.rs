//! The sender, those who receive, and their locks.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tdshm::{ChopReceiver, ChopSender, NamedLock, PixelFormat, Pixels, ShortName, TopSender};

use super::{data_lock, doctor, doctor_with, spin, while_it_watches};
use crate::kit::{LOCKS_NAME_HOLDERS, Name, start};

#[test]
fn a_sender_that_died() {
    let name = Name::new();
    let mut send = start(&["send", name.as_str()]);
    send.says("sending");
    // Somebody keeps the objects, where they would go with the dead.
    #[cfg(windows)]
    let _kept = crate::kit::Holder::of(name.as_str());
    let pid = send.id();
    send.signal("KILL");
    send.wait();
    let found = doctor(name.as_str());
    found.tells("sender.alive", "failed", &format!("process {pid} (tdshm"), "tdshm clean");
}

/// It lasts as long as the silence that is told.
#[test]
fn a_sender_that_stands_still() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let found = doctor_with(&[name.as_str(), "--timeout", "1.7"]);
    found
        .tells("sender.frames", "warning", "nothing came in the 1.7 s", "continue the sender")
        .only(&["sender.frames"]);
    // Of an image that is all that has to be.
    let name = Name::new();
    let mut out = TopSender::create(name.as_str()).unwrap();
    out.send(&Pixels::bottom_first(PixelFormat::R8_UNORM, 1, 1, &[1])).unwrap();
    let found = doctor_with(&[name.as_str(), "--timeout", "1.7"]);
    found.tells("sender.frames", "seen", "An image that is sent once stays", "").only(&[]);
}

#[test]
fn receivers_that_take_nothing_or_died() {
    let name = Name::new();
    let mut send = start(&["send", name.as_str(), "--fps", "200"]);
    send.says("sending");
    let mut receiver = ChopReceiver::open(name.as_str()).unwrap();
    receiver.next_timeout(Duration::from_secs(9)).unwrap().unwrap();
    let me = format!("process {}", std::process::id());
    doctor(name.as_str())
        .tells("receivers.behind", "warning", &me, "continue that receiver")
        .only(&["receivers.behind"]);
    drop(receiver);
    let mut watch = start(&["watch", name.as_str(), "--format", "json"]);
    watch.line();
    watch.signal("KILL");
    let dead = format!("process {}", watch.id());
    watch.wait();
    doctor(name.as_str()).tells("receivers.dead", "seen", &dead, "").only(&[]);
}

#[test]
fn more_receivers_than_are_recorded() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let mut all: Vec<_> = (0..16).map(|_| ChopReceiver::open(name.as_str()).unwrap()).collect();
    for receiver in &mut all {
        receiver.next_timeout(Duration::from_secs(9)).unwrap().unwrap();
    }
    doctor(name.as_str())
        .tells("receivers.full", "warning", "all 16 entries", "nobody needs")
        .only(&["receivers.full"]);
}

#[test]
fn a_segment_that_moves_meanwhile_is_followed() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    let mut receiver = ChopReceiver::open(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    receiver.next_timeout(Duration::from_secs(9)).unwrap().unwrap();
    let said = while_it_watches(name.as_str(), || {
        out.send(&[vec![1.0; 100_000]]).unwrap();
    });
    assert!(
        said.iter().any(|line| line.starts_with("ok       it moved 1 time while it was watched")),
        "{said:#?}"
    );
}

#[test]
fn locks_that_somebody_has_all_the_time() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let short = ShortName::new(name.as_str()).unwrap();
    let holder = format!("process {}", std::process::id());
    let who = if LOCKS_NAME_HOLDERS { holder.as_str() } else { "held" };
    for (object, id) in [(short.data_lock(), "lock.data"), (short.info_lock(), "lock.info")] {
        let lock = NamedLock::open(&object).unwrap();
        let held = lock.lock().unwrap();
        let found = doctor_with(&[name.as_str(), "--timeout", "0.5"]);
        drop(held);
        found
            .tells(id, "failed", who, "let it go on")
            .tells(id, "failed", "for all of the 0.5 s", "")
            .only(&[id]);
    }
    doctor(name.as_str()).tells("lock.data", "ok", "free", "").only(&[]);
}

#[test]
fn a_lock_whose_holder_died() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let lock = data_lock(&name);
    // Its thread ends with it.
    thread::scope(|scope| {
        scope.spawn(|| std::mem::forget(lock.lock().unwrap().into_guard()));
    });
    doctor(name.as_str())
        .tells("lock.abandoned", "warning", "died with it", "which program dies")
        .only(&["lock.abandoned"]);
    // Looking takes nothing where that shows by looking.
    if LOCKS_NAME_HOLDERS {
        doctor(name.as_str()).only(&["lock.abandoned"]);
        assert!(lock.lock().unwrap().is_abandoned());
    }
}

/// Windows' locks do not say who has them.
#[test]
fn a_reader_that_keeps_the_lock_to_itself() {
    if !LOCKS_NAME_HOLDERS {
        eprintln!("NOT RUN: a reader that keeps the lock to itself (its locks name no holders)");
        return;
    }
    let name = Name::new();
    let mut send = start(&["send", name.as_str()]);
    send.says("sending");
    let lock = data_lock(&name);
    let over = AtomicBool::new(false);
    let found = thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                // A long copy, and a short pause.
                let held = lock.lock().unwrap();
                spin(8);
                drop(held);
                spin(2);
            }
        });
        let found = std::panic::catch_unwind(|| doctor_with(&[name.as_str(), "--timeout", "0.5"]));
        over.store(true, Ordering::Relaxed);
        found.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    let me = format!("process {}, which does not send", std::process::id());
    found.tells("lock.greedy", "warning", &me, "as often as frames come");
}

#[test]
fn a_lock_that_is_held_for_long_and_let_go_of() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let lock = data_lock(&name);
    let said = while_it_watches(name.as_str(), || {
        let held = lock.lock().unwrap();
        spin(500);
        drop(held);
    });
    let told = |line: &String| {
        line.starts_with("warning  TouchSHM") && line.contains(" was held") && line.ends_with(" ms at a time")
    };
    assert!(said.iter().any(told), "{said:#?}");
}
