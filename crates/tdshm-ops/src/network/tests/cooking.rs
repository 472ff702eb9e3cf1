//! Who cooks, and when.

use super::{net, value};
use crate::par::ParSpec;
use crate::{Flag, Force, Value};

#[test]
fn what_nobody_asks_does_not_cook_and_what_many_ask_cooks_once() {
    let net = net();
    let root = net.root();
    let feed = root.create("feedin", None).unwrap();
    assert_eq!(feed.path().unwrap(), "/feedin1");
    for _ in 0..5 {
        net.step().unwrap();
    }
    assert_eq!(feed.total_cooks().unwrap(), 0, "nobody asked");
    for name in ["a", "b"] {
        let null = root.create("nullCHOP", name).unwrap();
        null.input_connector(0).unwrap().connect(&feed).unwrap();
        null.set_flag(Flag::Viewer, true).unwrap();
    }
    for frame in 1..=5 {
        net.step().unwrap();
        assert_eq!(feed.total_cooks().unwrap(), frame, "once a frame, for both");
    }
}

#[test]
fn an_out_cooks_every_frame_and_its_constant_input_once() {
    let net = net();
    let give = net.root().create("giveCHOP", "give1").unwrap();
    let out = net.root().create("feedoutCHOP", "out1").unwrap();
    give.output_connector(0).unwrap().connect(&out).unwrap();
    for _ in 0..4 {
        net.step().unwrap();
    }
    assert_eq!((give.total_cooks().unwrap(), out.total_cooks().unwrap()), (1, 4));
    out.par("active").unwrap().set(false).unwrap();
    for _ in 0..4 {
        net.step().unwrap();
    }
    assert_eq!(out.total_cooks().unwrap(), 5, "once more, to leave");
    give.par("value").unwrap().set(3).unwrap();
    net.step().unwrap();
    assert_eq!(give.total_cooks().unwrap(), 1, "an Out that is off asks for nothing");
    out.cook(Force::Yes).unwrap();
    assert_eq!((give.total_cooks().unwrap(), out.total_cooks().unwrap()), (2, 6));
    assert_eq!(value(&out), 3.0);
}

#[test]
fn expressions_follow_what_they_refer_to() {
    let net = net();
    let root = net.root();
    let a = root.create("giveCHOP", "a").unwrap();
    let b = root.create("giveCHOP", "b").unwrap();
    b.par("value").unwrap().set_expr("op('a')['chan1'] * 2 + absTime.frame").unwrap();
    a.par("value").unwrap().set(10).unwrap();
    net.step().unwrap();
    assert_eq!(value(&b), 21.0);
    net.step().unwrap();
    assert_eq!(value(&b), 22.0);
    b.par("value").unwrap().set_expr("op('a')['chan1'] + op('a').par.value").unwrap();
    a.par("value").unwrap().set(1).unwrap();
    assert_eq!(value(&b), 2.0);
    a.par("value").unwrap().set(4).unwrap();
    assert_eq!(b.par("value").unwrap().eval().unwrap(), Value::Float(8.0));
    assert_eq!(value(&b), 8.0);
    a.rename("c").unwrap();
    assert!(b.par("value").unwrap().eval().unwrap_err().to_string().contains("op('a')"));
    assert_eq!(value(&b), 8.0, "the last value counts on");
    assert!(b.errors().unwrap().starts_with("value: "));
}

#[test]
fn a_loop_is_told_and_ends() {
    let net = net();
    let root = net.root();
    let a = root.create("giveCHOP", "a").unwrap();
    let b = root.create("giveCHOP", "b").unwrap();
    a.input_connector(0).unwrap().connect(&b).unwrap();
    b.input_connector(0).unwrap().connect(&a).unwrap();
    a.cook(Force::Yes).unwrap();
    a.cook(Force::Yes).unwrap();
    assert!(a.warnings().unwrap().contains("loop"), "{:?}", a.warnings());
}

#[test]
fn a_chain_of_fifty_thousand_needs_no_stack() {
    let net = net();
    let mut last = net.root().create("giveCHOP", None).unwrap();
    last.par("value").unwrap().set(7).unwrap();
    for _ in 0..50_000 {
        let next = net.root().create("nullCHOP", format!("n{}", last.id().number()).as_str()).unwrap();
        next.input_connector(0).unwrap().connect(&last).unwrap();
        last = next;
    }
    assert_eq!(value(&last), 7.0);
}

#[test]
fn binds_go_both_ways() {
    let net = net();
    let base = net.root().create("baseCOMP", "base1").unwrap();
    base.append_custom_par(ParSpec::float("Speed", "Speed", 2.0)).unwrap();
    let give = net.root().create("giveCHOP", "give1").unwrap();
    let bound = give.par("value").unwrap();
    bound.set_bind_expr("op('base1').par.Speed").unwrap();
    assert_eq!(value(&give), 2.0);
    bound.set(5).unwrap();
    assert_eq!(base.par("Speed").unwrap().eval().unwrap(), Value::Float(5.0));
    assert_eq!(value(&give), 5.0);
}

/// Each expression is as deep as one may be, and each leads to the next: what is allowed fits a stack of a megabyte, which
/// is what the first thread of a program has on Windows.
#[test]
fn deep_expressions_that_lead_to_one_another_fit_the_stack() {
    let check = || {
        let net = net();
        let root = net.root();
        let first = root.create("giveCHOP", "give0").unwrap();
        first.par("value").unwrap().set(-3).unwrap();
        for at in 1..20 {
            let next = root.create("giveCHOP", format!("give{at}").as_str()).unwrap();
            let (front, back) = ("abs(".repeat(35), ")".repeat(35));
            let expr = format!("{front}op('give{}').par.value{back}", at - 1);
            next.par("value").unwrap().set_expr(&expr).unwrap();
        }
        assert_eq!(root.op("give1").unwrap().par("value").unwrap().eval().unwrap(), Value::Float(3.0));
        let error = root.op("give19").unwrap().par("value").unwrap().eval().unwrap_err().to_string();
        assert!(error.contains("through too many others"), "{error}");
    };
    std::thread::Builder::new().stack_size(1024 * 1024).spawn(check).unwrap().join().unwrap();
}

/// Each level refers four times to the one before: evaluated anew each time that would be four to the power of the levels.
#[test]
fn parameters_that_refer_to_one_another_many_times_are_evaluated_once() {
    let net = net();
    let root = net.root();
    root.create("giveCHOP", "give0").unwrap().par("value").unwrap().set(1).unwrap();
    for at in 1..=12 {
        let expr = vec![format!("op('give{}').par.value", at - 1); 4].join("+");
        root.create("giveCHOP", format!("give{at}").as_str())
            .unwrap()
            .par("value")
            .unwrap()
            .set_expr(&expr)
            .unwrap();
    }
    let value_of = |name: &str| root.op(name).unwrap().par("value").unwrap().eval();
    assert_eq!(value_of("give5").unwrap(), Value::Float(1024.0));
    let deepest = (1..=12).take_while(|at| value_of(&format!("give{at}")).is_ok()).count();
    assert!((5..=12).contains(&deepest), "{deepest}");
}
