//! The name, and how it is asked for.

use tdshm::ChopSender;

use super::{doctor, doctor_with};
use crate::kit::{Name, run, start};

#[test]
fn names_that_cannot_be_one() {
    for (name, said, advice) in [
        ("a/b", "holds '/'", "plain letters"),
        ("", "is empty", "the other side uses"),
        (&*"x".repeat(300), "300 ", "shorter"),
    ] {
        doctor(name).tells("name.rules", "failed", said, advice).only(&["name.rules"]);
    }
    if cfg!(windows) {
        doctor("Global\\x").tells("name.rules", "failed", "another namespace", "plain letters");
    }
}

#[test]
fn names_that_may_not_work_elsewhere_or_mean_something_else() {
    for (end, id, said, advice) in [
        ("ü", "name.portable", "'ü'", "plain letters"),
        (" ", "name.portable", "blank", "give both sides"),
        ("Mutex", "name.suffix", "ends in Mutex", "without it"),
    ] {
        let name = Name::ending(end);
        let mut out = ChopSender::create(name.as_str()).unwrap();
        out.send(&[[1.0]]).unwrap();
        doctor(name.as_str()).tells(id, "warning", said, advice).only(&[id]);
    }
    if !cfg!(windows) {
        let name = Name::ending("\\a");
        doctor(name.as_str()).tells("name.portable", "warning", "Windows refuses", "plain letters");
    }
    let name = Name::new();
    doctor(&format!("TouchSHM{}", name.as_str()))
        .tells("name.prefix", "warning", "begins with TouchSHM", &format!("{:?}", name.as_str()))
        .tells("objects.none", "failed", "there is no segment", "start the program");
}

#[test]
fn names_that_resemble_one_that_is_there() {
    let name = Name::ending("a");
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let upper = name.as_str().to_uppercase();
    let meant = format!("did you mean {:?}?", name.as_str());
    for asked in [&upper, &format!("TouchSHM{}", name.as_str()), &format!(" {}", name.as_str())] {
        doctor(asked).tells("name.near", "failed", "there is no", &meant).tells(
            "objects.none",
            "failed",
            "",
            "",
        );
    }
    doctor(&format!("{}b", name.as_str())).tells("name.near", "failed", "there is no", "did you mean");
    // Both are there.
    let twin = Name::called(&upper);
    let mut other = ChopSender::create(twin.as_str()).unwrap();
    other.send(&[[1.0]]).unwrap();
    doctor(name.as_str()).tells("name.near", "warning", &upper, "letter by letter").only(&["name.near"]);
}

#[test]
fn nothing_of_that_name() {
    let name = Name::ending("_that_is_like_no_other");
    doctor(name.as_str())
        .tells("objects.none", "failed", "there is no segment", "start the program")
        .only(&["objects.none"]);
    // For people, with the end that says it.
    let ended = run(&["doctor", name.as_str()]);
    assert_eq!(ended.code, Some(1));
    let at = ended.out.iter().position(|line| line.starts_with("What to do")).unwrap();
    assert!(ended.out[at + 1].starts_with(" 1. start the program that sends it"), "{:#?}", ended.out);
}

#[test]
fn several_names_are_looked_at_together() {
    let names = [Name::new(), Name::new()];
    let mut outs = names.each_ref().map(|name| ChopSender::create(name.as_str()).unwrap());
    for out in &mut outs {
        out.send(&[[1.0]]).unwrap();
    }
    let [a, b] = names.each_ref().map(Name::as_str);
    let found = doctor_with(&[a, b, "--timeout", "0.2"]);
    found.only(&[]);
    let of = |name: &str| found.lines().iter().filter(|line| line["name"] == name).count();
    assert!(of(a) > 10 && of(a) == of(b), "{} and {}", of(a), of(b));
    let ended = run(&["doctor", a, "--timeout", "0.2"]);
    assert_eq!(ended.code, Some(0));
    // On a slow machine it is silent for so long that this is told.
    let ends = ["Nothing stands between them.", "Nothing is broken between them. To look at, all the same:"];
    assert!(ended.out.iter().any(|line| ends.contains(&line.as_str())), "{:#?}", ended.out);
}

#[test]
fn a_name_goes_with_the_walk_as_well() {
    for wrong in [
        &["a", "b", "--touchdesigner"][..],
        &["a", "--touchdesigner", "--name", "b"],
        &["a", "--yes"],
        &["--timeout", "1"],
        &["a", "--timeout", "0"],
    ] {
        assert_eq!(run(&[&["doctor"], wrong].concat()).code, Some(2), "{wrong:?}");
    }
    let name = Name::new();
    let _taken = ChopSender::create(name.as_str()).unwrap();
    let ended = run(&["doctor", name.as_str(), "--touchdesigner", "--timeout", "0.2", "--yes"]);
    assert_eq!(ended.code, Some(1));
    let taken = format!("{:?} is already in use", name.as_str());
    assert!(ended.out.iter().any(|line| line.contains(&taken)), "{:#?}", ended.out);
}

#[test]
fn ctrl_c_ends_it() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&[[1.0]]).unwrap();
    let mut doctor = start(&["doctor", name.as_str(), "--timeout", "1000"]);
    while !doctor.line().contains("every field of the info block") {}
    doctor.signal("INT");
    let ended = doctor.wait();
    assert_eq!(ended.code, Some(130));
    assert!(ended.out.last().unwrap().ends_with("stopped before the end"), "{:#?}", ended.out);
}

#[test]
fn patterns_stand_for_the_segments_that_are_there() {
    let names = [Name::ending("pa"), Name::ending("pb")];
    let sent = names.each_ref().map(|name| {
        let mut out = ChopSender::create(name.as_str()).unwrap();
        out.send(&[[1.0]]).unwrap();
        out
    });
    // A pattern of both, and one of them by name as well: each is told of once.
    let both = format!("{}[ab]", names[0].as_str().trim_end_matches('a'));
    let second = format!("*{}", names[1].as_str());
    let ended = run(&["doctor", &both, &second, names[0].as_str(), "--timeout", "0.2"]);
    let told: Vec<&String> = ended.out.iter().filter(|line| line.starts_with("The name · ")).collect();
    let all: Vec<&Name> =
        names.iter().filter(|name| told.iter().any(|line| line.ends_with(name.as_str()))).collect();
    assert_eq!((all.len(), told.len()), (2, 2), "{told:?}");
    drop(sent);

    doctor(&format!("{}*", names[0].as_str()))
        .tells("objects.none", "failed", "matches the pattern", "tdshm list")
        .only(&["objects.none"]);
}
