//! `tdshm clean`, and what it leaves alone.

use crate::kit::{ForeignSegment, Name, run, start};

#[test]
#[cfg(unix)] // elsewhere everything goes with the process that has died
fn what_the_dead_left_is_removed_and_a_dry_run_removes_nothing() {
    let name = Name::new();
    let mut send = start(&["send", name.as_str()]);
    send.says("sending");
    let alive = run(&["clean", name.as_str()]);
    assert_eq!((alive.code, name.objects().len()), (Some(0), 4), "{alive:?}");
    assert!(
        alive.out.iter().any(|line| line.contains(&format!("process {} uses it", send.id()))),
        "{alive:?}"
    );

    send.signal("KILL");
    send.wait();
    let dead = run(&["list"]);
    assert!(
        dead.out.iter().any(|line| line.contains(name.as_str()) && line.contains("has died")),
        "{dead:?}"
    );
    let dry = run(&["clean", "--dry-run", name.as_str()]);
    assert_eq!((dry.code, dry.out.len(), name.objects().len()), (Some(0), 4, 4), "{dry:?}");
    assert!(dry.err[0].contains("would remove 4 objects"), "{dry:?}");
    let clean = run(&["clean", name.as_str()]);
    assert_eq!((clean.code, clean.out.len()), (Some(0), 4), "{clean:?}");
    assert_eq!(name.objects(), Vec::<String>::new());
    assert!(run(&["clean", name.as_str()]).err[0].contains("nothing to clean"));
}

#[test]
#[cfg(unix)] // elsewhere everything goes with the process that has died
fn who_wants_it_quiet_sees_what_stays_and_what_would_go() {
    let name = Name::new();
    let mut send = start(&["send", name.as_str()]);
    send.says("sending");
    let alive = run(&["clean", "-q", name.as_str()]);
    assert!(!alive.out.is_empty() && alive.out.iter().all(|line| line.starts_with("stays: ")), "{alive:?}");
    send.signal("KILL");
    send.wait();
    let dry = run(&["clean", "-q", "--dry-run", name.as_str()]);
    assert_eq!((dry.out.len(), dry.err.len(), name.objects().len()), (4, 0, 4), "{dry:?}");
    let clean = run(&["clean", "-q", name.as_str()]);
    assert_eq!((clean.code, clean.out.len(), clean.err.len()), (Some(0), 0, 0), "{clean:?}");
    assert_eq!(name.objects(), Vec::<String>::new());
}

/// Where objects live as long as anybody has them open.
#[test]
#[cfg(windows)]
fn what_the_dead_left_is_told_of_and_goes_when_nobody_holds_it() {
    let name = Name::new();
    let mut send = start(&["send", name.as_str()]);
    send.says("sending");
    let alive = run(&["clean", name.as_str()]);
    assert_eq!((alive.code, name.objects().len()), (Some(0), 4), "{alive:?}");
    assert!(
        alive.out.iter().any(|line| line.contains(&format!("process {} uses it", send.id()))),
        "{alive:?}"
    );

    let holder = crate::kit::Holder::of(name.as_str());
    send.signal("KILL");
    send.wait();
    let dead = run(&["list"]);
    assert!(
        dead.out.iter().any(|line| line.contains(name.as_str()) && line.contains("has died")),
        "{dead:?}"
    );
    let both = [
        (&["clean", "--dry-run", name.as_str()][..], "would be told"),
        (&["clean", name.as_str()], "have been told"),
    ];
    for (args, told) in both {
        let clean = run(args);
        assert!(clean.err[0].contains(told), "{clean:?}");
        assert!(clean.out[0].starts_with("goes when its receivers let go"), "{clean:?}");
        assert!(name.has_segments());
    }
    let left = run(&["list"]);
    assert!(
        left.out.iter().any(|line| {
            line.contains(name.as_str()) && line.contains("has died; its receivers are told")
        }),
        "{left:?}"
    );
    let info = run(&["info", name.as_str()]);
    assert!(info.out.iter().any(|line| line.contains("has died; its receivers are told")), "{info:?}");
    drop(holder);
    assert_eq!(name.objects(), Vec::<String>::new());
    assert!(run(&["clean", name.as_str()]).err[0].contains("nothing to clean"));
}

#[test]
fn a_foreign_sender_stays_and_is_taken_over_only_when_asked() {
    let name = Name::new();
    let _foreign = ForeignSegment::create(name.as_str());
    let clean = run(&["clean", name.as_str()]);
    assert!(name.has_segments(), "{clean:?}");
    assert!(clean.out[0].contains("another program made it"), "{clean:?}");

    let refused = run(&["send", name.as_str()]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err[0].contains("--take-over"), "{refused:?}");
    let mut send = start(&["send", name.as_str(), "--take-over", "--wave", "constant"]);
    send.says("sending");
    let watch = run(&["watch", name.as_str(), "--format", "csv", "--frames", "1"]);
    assert_eq!(watch.out, ["chan1", "1"], "{watch:?}");
}
