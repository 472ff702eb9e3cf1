//! Operators, parameters, connectors and channels as objects (operators §10).

use super::{chans, give, net, value};
use crate::par::{ParMode, ParSpec, Style};
use crate::{Flag, Force, Hold, OpError, Value};

/// operators §10.7, in Rust.
#[test]
fn the_smoke_script_of_the_specification() {
    let net = net();
    net.root().create_named("sharedmeminCHOP", None).unwrap();
    let n = net.op("sharedmemin1").unwrap();
    let name = format!("smoke{}", std::process::id());
    n.par("name").unwrap().set(name.as_str()).unwrap();
    n.par("active").unwrap().set(true).unwrap();
    n.cook(Force::Yes).unwrap();
    assert_eq!((n.num_chans().unwrap(), n.num_samples().unwrap()), (0, 0), "nobody sends");
    assert_eq!(n.member("rate").unwrap(), Value::Float(60.0));
    assert!(n.chans("h?_*").unwrap().is_empty());
    assert!(n.channel("h0_x").unwrap().is_none());
    assert_eq!(n.par("memtype").unwrap().menu_names().unwrap().unwrap(), ["local", "global"]);
    assert_eq!(n.errors().unwrap(), "");
    assert_eq!(n.warnings().unwrap(), format!("Shared memory '{name}' not found."));
    assert_eq!(
        (n.member("isFilter").unwrap(), n.member("maxInputs").unwrap()),
        (false.into(), Value::Int(0))
    );
}

#[test]
fn operators_are_found_by_path_pattern_and_number() {
    let net = net();
    let project = net.root().create("baseCOMP", "project1").unwrap();
    let a = project.create("nullCHOP", "a1").unwrap();
    let b = project.create("nullCHOP", "a2").unwrap();
    let inner = project.create("baseCOMP", "inner").unwrap();
    let deep = inner.create("nullCHOP", "a1").unwrap();
    let rows = [
        (&a, "a2", Some(&b)),
        (&a, ".", Some(&a)),
        (&a, "..", Some(&project)),
        (&a, "../a2", Some(&b)),
        (&a, "../..", None),
        (&a, "inner/a1", Some(&deep)),
        (&a, "/project1/inner/a1", Some(&deep)),
        (&deep, "../../a2", Some(&b)),
        (&inner, "a1", Some(&deep)),
        (&inner, "../a1", Some(&a)),
        (&inner, ".", Some(&inner)),
        (&project, "nosuch inner/a?", Some(&deep)),
        (&a, "", None),
        (&a, "99", None),
    ];
    for (from, path, found) in rows {
        let found = if path == "../.." { Some(net.root()) } else { found.cloned() };
        assert_eq!(from.find(path), found, "{path} from {}", from.path().unwrap());
    }
    assert_eq!(net.op(&deep.id().number().to_string()).unwrap(), deep);
    assert_eq!(project.ops("a* inner/* a1"), [a.clone(), b, deep.clone()]);
    assert_eq!(deep.parent_at(1).unwrap(), Some(inner));
    assert_eq!(deep.parent_at(2).unwrap(), Some(project));
    assert_eq!(deep.parent_at(4).unwrap(), None);
    assert_eq!(
        a.op("nosuch").unwrap_err().to_string(),
        "there is no operator \"nosuch\" seen from /project1/a1: check the path"
    );
}

#[test]
fn names_have_a_base_and_digits() {
    let net = net();
    for (name, base, digits) in
        [("in12", "in", Some(12)), ("a1b2", "a", Some(2)), ("x", "x", None), ("a3b", "a", Some(3))]
    {
        let op = net.root().create("nullCHOP", name).unwrap();
        assert_eq!((op.base().unwrap().as_str(), op.digits().unwrap()), (base, digits));
        assert_eq!(op.member("base").unwrap(), base.into());
    }
    let op = net.op("in12").unwrap();
    assert_eq!(op.op_type().unwrap(), "nullCHOP");
    let members = ["type", "opType", "label", "family", "isCHOP", "isFilter", "isMultiInputs", "minInputs"];
    let shown = members.map(|name| op.member(name).unwrap().to_string());
    assert_eq!(shown, ["null", "nullCHOP", "Null", "CHOP", "True", "True", "False", "1"]);
    assert!(op.member("nosuch").is_err());
}

#[test]
fn cooks_are_counted_and_dated() {
    let net = net();
    let op = net.root().create("feedinCHOP", "in1").unwrap();
    let frames = |name: &str| op.member(name).unwrap();
    net.step().unwrap();
    assert_eq!(frames("totalCooks"), Value::Int(0), "who counts cooks is no reason for one");
    op.cook(Force::No).unwrap();
    assert_eq!((frames("cookedThisFrame"), frames("cookedPreviousFrame")), (true.into(), false.into()));
    net.advance(3).unwrap();
    op.cook(Force::Yes).unwrap();
    op.cook(Force::Yes).unwrap();
    assert_eq!((frames("cookedThisFrame"), frames("cookedPreviousFrame")), (true.into(), true.into()));
    assert_eq!(
        (frames("totalCooks"), frames("cookAbsFrame"), frames("cookFrame")),
        (Value::Int(3), Value::Int(4), Value::Float(4.0))
    );
    assert_eq!((frames("cpuMemory"), frames("gpuMemory")), (Value::Int(4), Value::Int(0)));
    op.set_flag(Flag::Lock, true).unwrap();
    net.step().unwrap();
    assert_eq!((frames("cookedThisFrame"), frames("cookedPreviousFrame")), (false.into(), true.into()));
    net.step().unwrap();
    assert_eq!(frames("cookedPreviousFrame"), false.into());
}

#[test]
fn wires_are_seen_from_both_ends() {
    let net = net();
    let a = chans(&net.root(), "a", &[("x", 1.0)]);
    let b = chans(&net.root(), "b", &[("x", 2.0)]);
    let merge = net.root().create("mergeCHOP", "merge1").unwrap();
    let null = net.root().create("nullCHOP", "null1").unwrap();
    merge.set_inputs(&[Some(a.clone()), Some(b.clone())]).unwrap();
    assert_eq!(merge.inputs().unwrap(), [Some(a.clone()), Some(b.clone())]);
    assert_eq!(merge.input_connectors().unwrap().len(), 3, "one is free");
    null.input_connectors().unwrap()[0].connect_op(&a).unwrap();
    null.input_connectors().unwrap()[0].connect_to(&b.output_connectors().unwrap()[0]).unwrap();
    assert_eq!(null.inputs().unwrap(), [Some(b.clone())], "the wire was replaced");
    let ends: Vec<_> = b.output_connector(0).unwrap().connections().unwrap();
    let shown: Vec<_> = ends.iter().map(|end| (end.owner(), end.description())).collect();
    assert_eq!(shown, [(merge.clone(), "Input 1".into()), (null.clone(), "Input 0".into())]);
    let back = ends[0].connections().unwrap();
    assert_eq!((back.len(), back[0].owner(), back[0].description()), (1, b.clone(), "Output 0".to_owned()));
    assert!(null.input_connectors().unwrap()[0].connect_to(&merge.input_connectors().unwrap()[0]).is_err());
    let base = net.root().create("tableDAT", "table1").unwrap();
    assert!(null.input_connectors().unwrap()[0].connect_op(&base).unwrap_err().to_string().contains("DAT"));
    merge.set_inputs(&[]).unwrap();
    assert!(merge.inputs().unwrap().is_empty() && a.outputs().unwrap().is_empty());
}

#[test]
fn numbers_of_operators_mean_nothing_in_another_network() {
    let (net, other) = (net(), net());
    let null = net.root().create("nullCHOP", "null1").unwrap();
    let stranger = chans(&other.root(), "a", &[("x", 1.0)]);
    assert!(stranger.id() == null.id() && stranger != null);
    let wires = [
        null.input_connector(0).unwrap().connect_op(&stranger),
        null.input_connector(0).unwrap().connect_to(&stranger.output_connector(0).unwrap()),
        stranger.output_connector(0).unwrap().connect_op(&null),
        null.set_inputs(&[Some(stranger.clone())]),
    ];
    for wire in wires {
        assert!(
            matches!(&wire, Err(OpError::CannotConnect { reason, .. }) if reason.contains("networks")),
            "{wire:?}"
        );
    }
    assert!(null.inputs().unwrap().is_empty() && null.outputs().unwrap().is_empty());
}

#[test]
fn channels_go_stale_when_the_channels_change() {
    let net = net();
    let op = chans(&net.root(), "in1", &[("a", 1.0), ("b", 2.0)]);
    let b = op.channel("b").unwrap().unwrap();
    assert_eq!((b.is_valid(), b.eval().unwrap()), (true, Some(2.0)));
    give(&op, &[("a", 3.0), ("b", 4.0)]);
    assert_eq!((b.eval().unwrap(), b.is_valid()), (Some(4.0), true), "the same channels");
    give(&op, &[("b", 4.0), ("a", 3.0)]);
    assert_eq!((b.eval().unwrap(), b.is_valid()), (None, false), "not the value of another channel");
    assert!(b.vals().unwrap().is_empty() && b.exports().unwrap().is_empty());
    assert!(b.average().unwrap().is_none() && b.sample(0).is_err());
    assert_eq!(op.channel_at(1).unwrap().unwrap().name(), "a");
    assert!(op.channel_at(2).unwrap().is_none() && op.channel("*").unwrap().is_none());
    let a = op.channel("a").unwrap().unwrap();
    op.destroy().unwrap();
    assert_eq!((a.is_valid(), a.eval()), (false, Err(OpError::Destroyed)));
}

#[test]
fn samples_are_read_by_index_frame_and_time() {
    let net = net();
    let op = net.root().create("chansCHOP", "in1").unwrap();
    op.par("values").unwrap().set("10 20 30 60").unwrap();
    let chan = op.channel("chan1").unwrap().unwrap();
    assert_eq!(chan.vals().unwrap(), [10.0, 20.0, 30.0, 60.0]);
    assert_eq!((chan.num_samples().unwrap(), chan.sample(3).unwrap()), (4, 60.0));
    assert!(chan.sample(4).unwrap_err().to_string().contains("the place of a sample is 4"));
    assert_eq!([-1, 1, 9].map(|at| chan.eval_at(at).unwrap().unwrap()), [10.0, 20.0, 60.0]);
    assert_eq!([1.0, 2.5, 4.0].map(|at| chan.eval_frame(at).unwrap().unwrap()), [10.0, 25.0, 60.0]);
    assert_eq!(chan.eval_seconds(2.0 / 60.0).unwrap(), Some(30.0));
    assert_eq!(
        (chan.average().unwrap(), chan.min().unwrap(), chan.max().unwrap()),
        (Some(30.0), Some(10.0), Some(60.0))
    );
}

#[test]
fn parameters_tell_all_their_values() {
    let net = net();
    let base = net.root().create("baseCOMP", "base1").unwrap();
    let speed =
        base.append_custom_par(ParSpec::float("Speed", "Speed", 2.0).clamped(0.0, 8.0).page("Own")).unwrap();
    assert_eq!((speed.eval_expression().unwrap(), speed.eval_export().unwrap()), (None, None));
    speed.set_expr("1 + 2").unwrap();
    speed.set(4.0).unwrap();
    assert_eq!(speed.eval_expression().unwrap(), Some(Value::Float(3.0)));
    assert_eq!((speed.mode().unwrap(), speed.eval().unwrap()), (ParMode::Constant, Value::Float(4.0)));
    let source = chans(&net.root(), "in1", &[("base1:Speed", 6.0)]);
    source.par("exportmethod").unwrap().set("autoname").unwrap();
    source.set_flag(Flag::Export, true).unwrap();
    net.step().unwrap();
    speed.set(4.0).unwrap();
    assert_eq!(speed.eval_export().unwrap(), Some(Value::Float(6.0)));
    assert_eq!((speed.eval().unwrap(), speed.export_op().unwrap()), (Value::Float(4.0), Some(source)));
    assert_eq!(speed.eval_norm().unwrap(), 0.5);
    speed.set_norm(0.25).unwrap();
    assert_eq!(speed.eval().unwrap(), Value::Float(2.0));
    let members = [
        "label", "page", "style", "min", "max", "clampMax", "normMax", "isFloat", "isMenu", "isCustom",
        "enable",
    ];
    let shown = members.map(|name| speed.member(name).unwrap().to_string());
    assert_eq!(
        shown,
        ["Speed", "Own", "Float", "0.0", "8.0", "True", "8.0", "True", "False", "True", "True"]
    );
    assert!(speed.member("nosuch").is_err());
    speed.redefine(ParSpec::float("Speed", "Velocity", 1.0).clamped(0.0, 1.0)).unwrap();
    assert_eq!(
        (speed.member("label").unwrap(), speed.eval().unwrap()),
        ("Velocity".into(), Value::Float(1.0))
    );
    assert!(speed.redefine(ParSpec::int("Speed", "Speed", 1)).is_err());
    assert!(
        net.op("in1").unwrap().par("names").unwrap().redefine(ParSpec::text("names", "Names", "")).is_err()
    );
    let kind = base.append_custom_par(ParSpec::menu("Kind", "Kind", &[("a", "A"), ("b", "B")])).unwrap();
    kind.set_menu_index(1).unwrap();
    assert_eq!((kind.eval().unwrap(), kind.member("menuIndex").unwrap()), ("b".into(), Value::Int(1)));
    assert!(kind.set_menu_index(2).is_err() && kind.set("c").is_err() && speed.set_menu_index(0).is_err());
    let other = base.append_custom_par(ParSpec::op("Other", "Other", Style::Op, "")).unwrap();
    other.set("in? base*").unwrap();
    assert_eq!(other.eval_ops().unwrap(), [net.op("in1").unwrap(), base.clone()]);
    assert_eq!(base.pages().unwrap(), [""]);
    assert_eq!(base.custom_pars().unwrap().len(), 3);
    assert!(base.builtin_pars().unwrap().is_empty());
}

#[test]
fn groups_and_pages_hold_parameters_in_order() {
    let net = net();
    let info = net.root().create("infoCHOP", "info1").unwrap();
    let names = |pars: Vec<crate::Par>| pars.iter().map(|par| par.name().unwrap()).collect::<Vec<_>>();
    assert_eq!(info.pages().unwrap(), ["Info", "Common"]);
    assert_eq!(names(info.par_group("range").unwrap()), ["range1", "range2"]);
    assert_eq!(names(info.page("Info").unwrap()).len(), 8);
    assert_eq!(info.par("range2").unwrap().member("vecIndex").unwrap(), Value::Int(1));
    assert!(!info.par("range1").unwrap().is_enabled().unwrap());
    info.par("values").unwrap().set("inside").unwrap();
    assert!(info.par("range1").unwrap().is_enabled().unwrap());
}

#[test]
fn parameters_are_copied_and_reset() {
    let net = net();
    let a = net.root().create("giveCHOP", "a").unwrap();
    let b = net.root().create("feedinCHOP", "b").unwrap();
    a.par("value").unwrap().set_expr("3 + 4").unwrap();
    a.par("scope").unwrap().set("x*").unwrap();
    a.par("exporttable").unwrap().set("table1").unwrap();
    b.copy_parameters(&a).unwrap();
    assert_eq!((b.par("value").unwrap().expr().unwrap().as_str(), value(&b)), ("3 + 4", 7.0));
    assert_eq!(b.par("scope").unwrap().eval().unwrap(), "x*".into());
    assert!(b.reset_pars().unwrap());
    assert!(!b.reset_pars().unwrap(), "nothing is left to reset");
    assert_eq!((value(&b), b.par("scope").unwrap().eval().unwrap()), (0.0, "*".into()));
    assert!(b.par("scope").unwrap().copy_from(&a.par("value").unwrap()).is_err());
}

#[test]
fn a_change_of_type_keeps_name_place_wires_and_parameters() {
    let net = net();
    let source = chans(&net.root(), "in1", &[("base1:Tx", 5.0)]);
    let base = net.root().create("baseCOMP", "base1").unwrap();
    let tx = base.append_custom_par(ParSpec::float("Tx", "Tx", 0.0)).unwrap();
    let middle = net.root().create("nullCHOP", "middle").unwrap();
    let merge = net.root().create("mergeCHOP", "merge1").unwrap();
    middle.input_connector(0).unwrap().connect(&source).unwrap();
    merge.set_inputs(&[Some(source.clone()), Some(middle.clone()), Some(source.clone())]).unwrap();
    middle.par("exportmethod").unwrap().set("autoname").unwrap();
    middle.set_flag(Flag::Export, true).unwrap();
    middle.add_tag("kept").unwrap();
    net.step().unwrap();
    let order = |net: &crate::Network| {
        net.root().children().unwrap().iter().map(|op| op.name().unwrap()).collect::<Vec<_>>()
    };
    let before = order(&net);
    let new = middle.change_type("script").unwrap();
    assert_eq!((middle.is_valid(), middle.name()), (false, Err(OpError::Destroyed)));
    assert_eq!((net.op("middle").unwrap(), new.op_type().unwrap().as_str()), (new.clone(), "scriptCHOP"));
    assert_eq!(order(&net), before);
    assert_eq!(new.inputs().unwrap(), [Some(source.clone())]);
    assert_eq!(merge.inputs().unwrap(), [Some(source.clone()), Some(new.clone()), Some(source)]);
    assert_eq!(new.tags().unwrap(), ["kept"]);
    net.step().unwrap();
    assert_eq!((tx.mode().unwrap(), tx.export_op().unwrap()), (ParMode::Export, Some(new.clone())));
    assert_eq!(tx.eval().unwrap(), Value::Float(5.0));
    assert!(new.change_type("tableDAT").unwrap_err().to_string().contains("create another operator"));
    assert!(base.change_type("baseCOMP").is_err() && new.change_type("nosuch").is_err());
    assert!(new.is_valid(), "nothing changed");
}

#[test]
fn errors_and_warnings_come_from_cooks_and_scripts() {
    let net = net();
    let base = net.root().create("baseCOMP", "base1").unwrap();
    let script = base.create("scriptCHOP", "script1").unwrap();
    assert!(script.add_error("now").unwrap_err().to_string().contains("script error"));
    script
        .set_script(crate::ScriptCallback::new(|cook| {
            cook.me().add_error("by handle").unwrap();
            cook.me().add_warning("careful").unwrap();
            cook.error("by cook");
            Ok(())
        }))
        .unwrap();
    script.cook(Force::Yes).unwrap();
    script.cook(Force::Yes).unwrap();
    assert_eq!(
        (script.errors().unwrap().as_str(), script.warnings().unwrap().as_str()),
        ("by handle\nby cook", "careful")
    );
    script.add_script_error("of a script").unwrap();
    script.cook(Force::Yes).unwrap();
    assert_eq!(script.errors().unwrap(), "by handle\nby cook\nof a script");
    base.add_script_error("own").unwrap();
    let lines = "own\n/base1/script1: by handle\n/base1/script1: by cook\n/base1/script1: of a script";
    assert_eq!(base.errors_recursive().unwrap(), lines);
    assert_eq!(net.root().warnings_recursive().unwrap(), "/base1/script1: careful");
    script.clear_script_errors().unwrap();
    assert_eq!(
        (script.script_errors().unwrap(), script.errors().unwrap()),
        (String::new(), "by handle\nby cook".into())
    );
    let cooks = script.total_cooks().unwrap();
    net.root().cook_recursive(Force::Yes).unwrap();
    assert_eq!((script.total_cooks().unwrap(), base.total_cooks().unwrap()), (cooks + 1, 1));
}

#[test]
fn notes_are_kept_with_the_operator() {
    let net = net();
    let op = net.root().create("nullCHOP", "null1").unwrap();
    assert_eq!(op.store("key", 5.into()).unwrap(), None);
    assert_eq!(op.store("key", "six".into()).unwrap(), Some(Value::Int(5)));
    assert_eq!(
        (op.fetch("key").unwrap(), op.unstore("key").unwrap()),
        (Some("six".into()), Some("six".into()))
    );
    assert_eq!(op.fetch("key").unwrap(), None);
    assert!(op.add_tag("b").unwrap() && op.add_tag("a").unwrap() && !op.add_tag("a").unwrap());
    assert!(op.remove_tag("b").unwrap());
    op.set_comment("note").unwrap();
    op.set_position(-3, 4).unwrap();
    op.set_flag(Flag::Selected, true).unwrap();
    op.set_flag(Flag::ActiveViewer, true).unwrap();
    assert_eq!(op.member("activeViewer").unwrap(), true.into());
    op.store("b", 1.into()).unwrap();
    op.store("a", 2.into()).unwrap();
    assert_eq!(op.stored().unwrap(), ["a", "b"]);
    op.set_colour([0.25, -1.0, 7.0]).unwrap();
    assert_eq!(op.colour().unwrap(), [0.25, 0.0, 1.0]);
    assert!(op.set_colour([0.0, f64::NAN, 0.0]).is_err());
    let shown =
        ["comment", "nodeX", "nodeY", "selected", "display"].map(|name| op.member(name).unwrap().to_string());
    assert_eq!(
        (shown, op.tags().unwrap()),
        (["note", "-3", "4", "True", "False"].map(str::to_owned), vec!["a".to_owned()])
    );
}

#[test]
fn a_pulse_holds_its_value_for_frames_or_for_a_time() {
    use core::time::Duration;

    // How long, and the values of this frame and of the next four.
    let rows = [
        (Hold::Cook, [0.5; 5]),
        (Hold::Frames(0), [0.5; 5]),
        (Hold::Frames(1), [2.0, 0.5, 0.5, 0.5, 0.5]),
        (Hold::Frames(3), [2.0, 2.0, 2.0, 0.5, 0.5]),
        (Hold::Time(Duration::ZERO), [0.5; 5]),
        (Hold::Time(Duration::from_millis(1)), [2.0, 0.5, 0.5, 0.5, 0.5]),
        (Hold::Time(Duration::from_millis(50)), [2.0, 2.0, 2.0, 0.5, 0.5]),
    ];
    for (hold, values) in rows {
        let net = net();
        let op = net.root().create("giveCHOP", "give1").unwrap();
        op.par("value").unwrap().set(0.5).unwrap();
        let par = op.par("value").unwrap();
        net.step().unwrap();
        par.pulse_for(2.0, hold).unwrap();
        let cooks = op.total_cooks().unwrap();
        assert_eq!(cooks, 1, "it cooked with the value of the pulse");
        for (frame, expected) in values.into_iter().enumerate() {
            assert_eq!(value(&op), expected, "{hold:?}, frame {frame}");
            net.step().unwrap();
        }
        assert!(par.mode().unwrap() == ParMode::Constant);
    }
}

#[test]
fn a_pulse_gives_way_to_what_is_set_meanwhile_and_ends_with_its_operator() {
    let net = net();
    let op = net.root().create("giveCHOP", "give1").unwrap();
    op.par("value").unwrap().set(0.5).unwrap();
    let par = op.par("value").unwrap();
    par.pulse_for(2.0, Hold::Frames(2)).unwrap();
    par.set(7.0).unwrap();
    net.advance(5).unwrap();
    assert_eq!(value(&op), 7.0, "what was set stays");
    par.pulse_for(8.0, Hold::Frames(1)).unwrap();
    par.pulse_for(9.0, Hold::Frames(2)).unwrap();
    net.step().unwrap();
    assert_eq!(value(&op), 9.0, "the second one goes on");
    net.step().unwrap();
    assert_eq!(value(&op), 7.0, "and ends where the first began");
    par.pulse_for(8.0, Hold::Frames(1)).unwrap();
    op.destroy().unwrap();
    net.step().unwrap();
    assert_eq!(par.pulse_for(1.0, Hold::Frames(1)), Err(OpError::Destroyed));

    let base = net.root().create("baseCOMP", "base1").unwrap();
    let custom = base.append_custom_par(ParSpec::float("Speed", "Speed", 1.0)).unwrap();
    custom.pulse_for(3.0, Hold::Frames(9)).unwrap();
    assert_eq!(custom.eval_f64().unwrap(), 3.0);
    net.advance(9).unwrap();
    assert_eq!(custom.eval_f64().unwrap(), 1.0);
}

#[test]
fn a_parameter_knows_its_file_and_when_it_was_set() {
    let net = net();
    let base = net.root().create("baseCOMP", "base1").unwrap();
    let file = base.append_custom_par(ParSpec::file("File", "File")).unwrap();
    assert_eq!((file.eval_file().unwrap(), file.last_script_change().unwrap()), (None, None));
    net.set_folder("takes");
    net.advance(4).unwrap();
    file.set("a.wav").unwrap();
    assert_eq!(file.eval_file().unwrap(), Some(std::path::Path::new("takes").join("a.wav")));
    assert_eq!(file.last_script_change().unwrap(), Some(4));
    assert_eq!(file.member("lastScriptChange").unwrap(), Value::Int(4));
    let text = base.append_custom_par(ParSpec::text("Note", "Note", "a")).unwrap();
    assert_eq!(text.eval_file().unwrap(), None, "it names no file");
    assert_eq!(text.member("enableExpr").unwrap(), "".into());
}

#[test]
fn channels_are_found_in_any_case() {
    let net = net();
    let source = chans(&net.root(), "in1", &[("Tx", 1.0), ("ty", 2.0), ("RX", 3.0)]);
    let names = |pattern: &str| -> Vec<String> {
        let found = source.chans_in_any_case(pattern).unwrap();
        found.iter().map(|channel| channel.name().to_owned()).collect()
    };
    assert_eq!(names("T*"), ["Tx", "ty"]);
    assert_eq!(names("?X"), ["Tx", "RX"]);
    assert_eq!(names("rx"), ["RX"]);
    assert!(source.chans("rx").unwrap().is_empty() && names("(").is_empty());
}

#[test]
fn numbers_in_messages_are_short() {
    let net = net();
    assert_eq!(
        net.set_rate(1e300).unwrap_err().to_string(),
        "the timeline's rate is 1e+300, and must be 0.001 to 100000 frames a second"
    );
    assert_eq!(
        net.set_rate(0.0).unwrap_err().to_string(),
        "the timeline's rate is 0, and must be 0.001 to 100000 frames a second"
    );
    let wave = net.root().create("waveCHOP", "wave1").unwrap();
    wave.par("rate").unwrap().set(1e300).unwrap();
    wave.cook(Force::Yes).unwrap();
    let said = wave.errors().unwrap();
    assert!(said.starts_with("Sample Rate is 1e+300: "), "{said}");
}

#[test]
fn a_top_gives_its_pixels_as_td_does() {
    let net = net();
    let top = net.root().create("constantTOP", "constant1").unwrap();
    for (par, value) in [("colorr", 0.5), ("colorg", 0.25), ("colorb", 1.0)] {
        top.par(par).unwrap().set(value).unwrap();
    }
    top.par("outputresolution").unwrap().set("custom").unwrap();
    top.par("resolutionw").unwrap().set(3).unwrap();
    top.par("resolutionh").unwrap().set(2).unwrap();
    top.par("format").unwrap().set("rgba32float").unwrap();
    assert_eq!(top.delayed_image().unwrap(), None, "one call late");
    let image = top.image().unwrap().unwrap();
    assert_eq!(top.sample(2, 1).unwrap(), Some([0.5, 0.25, 1.0, 1.0]));
    assert_eq!(top.sample_uv(-1.0, 9.0).unwrap(), Some([0.5, 0.25, 1.0, 1.0]));
    assert_eq!(image.to_rgba32f(), [0.5, 0.25, 1.0, 1.0].repeat(6));
    assert_eq!(
        top.sample(3, 0).unwrap_err().to_string(),
        "the column of a pixel is 3, and must be within the image, counted from 0 at the bottom left"
    );
    assert!(top.sample(0, 2).is_err() && top.sample_uv(f64::NAN, 0.0).is_err());
    let formats = ["pixelFormatName", "pixelFormat"].map(|name| top.member(name).unwrap().to_string());
    assert_eq!(formats, ["rgba32float", "32-bit float (RGBA)"]);
    top.par("format").unwrap().set("rgb16float").unwrap();
    assert_eq!(top.member("pixelFormatName").unwrap(), "rgba16float".into(), "what the pixels are");
    let before = top.delayed_image().unwrap().unwrap();
    assert_eq!(before.to_rgba32f(), image.to_rgba32f());
    assert_eq!(before.format(), image.format(), "of the call before");
    let chop = net.root().create("nullCHOP", "null1").unwrap();
    assert_eq!((chop.sample(0, 0).unwrap(), chop.delayed_image().unwrap()), (None, None));
}
