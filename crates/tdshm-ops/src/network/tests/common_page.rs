//! What the CHOP Common page does behind an operator's own work.

use super::{chans, give, net};
use crate::object::op::Op;
use crate::{Flag, Registry};

fn names(op: &Op) -> Vec<String> {
    op.clip().unwrap().names().iter().map(str::to_owned).collect()
}

fn rename(op: &Op, from: &str, to: &str) {
    op.par("commonrenamefrom").unwrap().set(from).unwrap();
    op.par("commonrenameto").unwrap().set(to).unwrap();
}

#[test]
fn names_are_defaults_and_menus_are_those_of_the_page() {
    let registry = Registry::standard();
    let spec = registry.find("nullCHOP").unwrap();
    let rows: Vec<(String, &str, String, String)> = spec
        .pars
        .iter()
        .map(|par| {
            let menu = par.menu_names().collect::<Vec<_>>().join(" ");
            (par.name.to_string(), par.style.name(), par.default.to_string(), menu)
        })
        .collect();
    let row = |name: &str, style, default: &str, menu: &str| {
        (name.to_owned(), style, default.to_owned(), menu.to_owned())
    };
    assert_eq!(
        rows,
        [
            row("timeslice", "Toggle", "False", ""),
            row("scope", "StrMenu", "*", "*"),
            row("srselect", "Menu", "max", "first max min err"),
            row("exportmethod", "Menu", "datindex", "datindex datname autoname"),
            row("autoexportroot", "OP", "..", ""),
            row("exporttable", "DAT", "", ""),
            row("commonrenamefrom", "StrMenu", "*", "*"),
            row("commonrenameto", "StrMenu", "", ""),
        ]
    );
    let net = net();
    let null = net.root().create("nullCHOP", "null1").unwrap();
    for (alias, name) in [("renamefrom", "commonrenamefrom"), ("renameto", "commonrenameto")] {
        assert_eq!(null.par(alias).unwrap(), null.par(name).unwrap());
    }
    let inside = net.root().create("baseCOMP", "base1").unwrap().create("nullCHOP", "null1").unwrap();
    assert_eq!(inside.par("autoexportroot").unwrap().eval_op().unwrap(), Some(net.op("base1").unwrap()));
    assert_eq!(null.par("autoexportroot").unwrap().eval_op().unwrap(), Some(net.root()));
}

#[test]
fn channels_are_renamed_as_in_the_table_of_the_specification() {
    let rows = [
        (
            "left_side_monitor right_side_projector",
            "*_side_*",
            "*(1)_floor_*(0)",
            "monitor_floor_left projector_floor_right",
        ),
        ("c1 c3 c5 c7 c9 ambient", "c* ambient", "b[1-5] amb", "b1 b2 b3 b4 b5 amb"),
        ("ch1 ch2", "ch?", "t?", "t1 t2"),
        ("chan1 chan2", "*", "op:*", "op:chan1 op:chan2"),
        ("ch1", "*h*", "*han*", "chan1"),
        ("bob1 bob2", "bob*", "carol*", "carol1 carol2"),
        ("ch1 ch2 ch3", "*[1-3:2]", "foot[11-13:2]", "foot11 ch2 foot13"),
        ("a b c", "*", "x y z", "x y z"),
        ("a c", "a b c", "x y z", "x z"),
        ("a b c", "a b c", "x[1-2]", "x1 x2 c"),
        ("a b", "*", "", "a b"),
        ("a b c", "*", "foo", "foo b c"),
    ];
    let net = net();
    let source = net.root().create("chansCHOP", "in1").unwrap();
    let null = net.root().create("nullCHOP", "null1").unwrap();
    null.input_connector(0).unwrap().connect(&source).unwrap();
    for (channels, from, to, expected) in rows {
        let given: Vec<(&str, f64)> = channels.split(' ').zip([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).collect();
        // By the operator that makes the channels, and by one that passes them on.
        for op in [&source, &null] {
            give(&source, &given);
            rename(op, from, to);
            for _ in 0..3 {
                net.step().unwrap();
                source.par("names").unwrap().set(channels).unwrap();
                assert_eq!(names(op).join(" "), expected);
                let values: Vec<f64> =
                    op.clip().unwrap().samples().iter().map(|&sample| sample.into()).collect();
                assert_eq!(values, given.iter().map(|(_, value)| *value).collect::<Vec<_>>());
            }
            rename(op, "*", "");
            assert_eq!(names(op).join(" "), channels);
        }
        assert_eq!(names(&source).join(" "), channels, "what was passed on stays as it was");
    }
}

#[test]
fn a_rename_that_goes_wrong_says_so_and_renames_nothing() {
    let net = net();
    let source = chans(&net.root(), "in1", &[("a", 1.0), ("b", 2.0)]);
    rename(&source, "*", "x x");
    assert_eq!(names(&source), ["x", "x"]);
    assert_eq!(
        source.warnings().unwrap(),
        "Rename: more than one channel is called x now: give them different names."
    );
    rename(&source, "(", "x");
    assert_eq!(names(&source), ["a", "b"]);
    assert!(
        source.errors().unwrap().starts_with("Rename: character 1: the parenthesis ("),
        "{:?}",
        source.errors()
    );
    assert_eq!(source.warnings().unwrap(), "");
    rename(&source, "a", "c");
    assert_eq!((names(&source).join(" ").as_str(), source.errors().unwrap().as_str()), ("c b", ""));
}

#[test]
fn what_is_no_slice_is_cut_to_one() {
    let net = net();
    let source = net.root().create("chansCHOP", "in1").unwrap();
    source.par("names").unwrap().set("a b").unwrap();
    source.par("values").unwrap().set("1 2 3 4 5 6 10 20 30 40 50 60").unwrap();
    source.par("timeslice").unwrap().set(true).unwrap();
    source.set_flag(Flag::Viewer, true).unwrap();
    // Frames that pass, and the samples of both channels; the clip ends with the sixth frame, and holds.
    let rows: [(u64, &[f32]); 5] = [
        (1, &[1.0, 10.0]),
        (1, &[2.0, 20.0]),
        (3, &[3.0, 4.0, 5.0, 30.0, 40.0, 50.0]),
        (1, &[6.0, 60.0]),
        (2, &[6.0, 6.0, 60.0, 60.0]),
    ];
    for (frames, samples) in rows {
        net.advance(frames).unwrap();
        let clip = source.clip().unwrap();
        assert_eq!(clip.samples(), samples);
        assert!(clip.is_slice());
        assert_eq!(clip.end(), i64::try_from(net.time().abs_frame).unwrap(), "on the absolute clock");
    }
    assert_eq!(source.member("isTimeSlice").unwrap(), true.into());
    source.par("slice").unwrap().set(true).unwrap();
    assert_eq!(source.clip().unwrap().len_samples(), 6, "a slice already");
    source.par("slice").unwrap().set(false).unwrap();
    source.par("timeslice").unwrap().set(false).unwrap();
    assert_eq!((source.clip().unwrap().len_samples(), source.clip().unwrap().is_slice()), (6, false));
}

#[test]
fn slice_and_rename_work_together_and_an_input_stays_as_it_was() {
    let net = net();
    let source = net.root().create("chansCHOP", "in1").unwrap();
    source.par("values").unwrap().set("1 2 3").unwrap();
    let null = net.root().create("nullCHOP", "null1").unwrap();
    null.input_connector(0).unwrap().connect(&source).unwrap();
    rename(&null, "chan*", "new*");
    null.par("timeslice").unwrap().set(true).unwrap();
    for value in [1.0, 2.0, 3.0, 3.0] {
        net.step().unwrap();
        assert_eq!((names(&null).join(" ").as_str(), null.clip().unwrap().samples()), ("new1", &[value][..]));
        assert_eq!(
            (names(&source).join(" ").as_str(), source.clip().unwrap().samples()),
            ("chan1", &[1.0, 2.0, 3.0][..])
        );
    }
}
