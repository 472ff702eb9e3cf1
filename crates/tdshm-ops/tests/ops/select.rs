//! Select: order, doubles, other components, what is not there.

use std::sync::Arc;

use super::{clip, connect, create, fine, names, set, source};
use tdshm_ops::{Flag, Network};

fn five() -> tdshm_ops::clip::Clip {
    clip(60.0, 0, &[("c1", &[1.0]), ("c2", &[2.0]), ("c3", &[3.0]), ("c4", &[4.0]), ("c5", &[5.0])])
}

#[test]
fn terms_say_the_order_and_doubles_come_twice() {
    let net = Network::new();
    let op = create(&net.root(), "select", &[]);
    let from = source(&net.root(), five());
    connect(&from, &op, 0);
    assert!(Arc::ptr_eq(&fine(&op), &from.clip().unwrap()), "all of it, and nothing copied");
    let rows: [(&str, &str, &[f32]); 6] = [
        ("c2 c5 c3 c3", "c2 c5 c3 c3", &[2.0, 5.0, 3.0, 3.0]),
        ("c[4-5] c1", "c4 c5 c1", &[4.0, 5.0, 1.0]),
        ("^c1", "c2 c3 c4 c5", &[2.0, 3.0, 4.0, 5.0]),
        ("nothing", "", &[]),
        ("", "", &[]),
        ("*", "c1 c2 c3 c4 c5", &[1.0, 2.0, 3.0, 4.0, 5.0]),
    ];
    for (which, expected, values) in rows {
        set(&op, &[("channames", which.into())]);
        assert_eq!((names(&op).as_str(), fine(&op).samples()), (expected, values), "{which}");
    }
    set(&op, &[("channames", "c2 (".into())]);
    assert_eq!(names(&op), "c1 c2 c3 c4 c5", "the last output stays");
    assert!(op.errors().unwrap().starts_with("Channel Names: "), "{:?}", op.errors());
}

#[test]
fn names_change_within_the_scope_and_no_channel_is_left_out() {
    let net = Network::new();
    let op =
        create(&net.root(), "select", &[("channames", "c3 c1".into()), ("renameto", "left right".into())]);
    connect(&source(&net.root(), five()), &op, 0);
    assert_eq!((names(&op).as_str(), fine(&op).samples()), ("left right", &[3.0, 1.0][..]));
    set(&op, &[("scope", "c1".into())]);
    assert_eq!((names(&op).as_str(), fine(&op).samples()), ("c3 left", &[3.0, 1.0][..]));
    set(&op, &[("renamefrom", "c?".into()), ("renameto", "new?".into())]);
    assert_eq!(names(&op), "c3 new1");
    set(&op, &[("renamefrom", "(".into())]);
    assert_eq!(names(&op), "c3 c1");
    assert!(op.errors().unwrap().starts_with("Rename: "), "{:?}", op.errors());
}

#[test]
fn another_component_is_reached_by_its_path_and_asked_first() {
    let net = Network::new();
    let base = create(&net.root(), "baseCOMP", &[]);
    let inside = base.create("waveCHOP", "in1").unwrap();
    set(&inside, &[("timeslice", true.into())]);
    let op = create(&net.root(), "select", &[("chop", "base1/in1".into())]);
    op.set_flag(Flag::Viewer, true).unwrap();
    for frame in 1..=3 {
        net.step().unwrap();
        assert_eq!((op.total_cooks(), inside.total_cooks()), (Ok(frame), Ok(frame)));
        assert_eq!(fine(&op).end(), i64::try_from(frame).unwrap());
    }
    // The parameter counts, not the wire.
    let still = source(&net.root(), five());
    connect(&still, &op, 0);
    assert_eq!(names(&op), "chan1");
    set(&op, &[("chop", "".into())]);
    assert_eq!(names(&op), "c1 c2 c3 c4 c5");
    // By an expression, from inside, and by the name that newer builds use.
    let there = base.create("selectCHOP", "select1").unwrap();
    let chop = there.par("chops").unwrap();
    chop.set_expr("op('/script1')").unwrap();
    assert_eq!((names(&there).as_str(), chop.name().unwrap().as_str()), ("c1 c2 c3 c4 c5", "chop"));
    fine(&there);
    chop.set_expr("parent()").unwrap();
    assert_eq!(there.num_chans(), Ok(0));
    assert_eq!(there.warnings().unwrap(), "The parameter CHOP leads to no CHOP.");
}

#[test]
fn what_is_not_there_is_missed_and_found_as_soon_as_it_comes() {
    let net = Network::new();
    let op = create(&net.root(), "select", &[("chop", "later".into())]);
    assert_eq!(op.num_chans(), Ok(0));
    assert_eq!(op.warnings().unwrap(), "There is no CHOP 'later'.");
    let top = net.root().create("nullTOP", "later").unwrap();
    assert_eq!(op.num_chans(), Ok(0), "a TOP is none");
    top.destroy().unwrap();
    let later = net.root().create("constantCHOP", "later").unwrap();
    assert_eq!(names(&op), "chan1");
    fine(&op);
    set(&later, &[("const0value", 6.into())]);
    assert_eq!(fine(&op).samples(), [6.0]);
    later.destroy().unwrap();
    assert_eq!((op.num_chans(), op.warnings().unwrap().as_str()), (Ok(0), "There is no CHOP 'later'."));
    // It selects itself: told, and over.
    set(&op, &[("chop", "select1".into())]);
    op.num_chans().unwrap();
}
