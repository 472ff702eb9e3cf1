//! Info channels and the Info CHOP (operators §8).

use super::{chans, net, value};
use crate::network::Network;
use crate::object::op::Op;
use crate::op::{Family, OpSpec, Operator};
use crate::{Cook, Flag, Force, Registry, Value};

const GENERAL: [&str; 9] = [
    "total_cooks",
    "cook_time",
    "cook_frame",
    "cook_abs_frame",
    "cook_start_time",
    "cook_end_time",
    "cooked_this_frame",
    "warnings",
    "errors",
];

/// An image of 4 x 2 pixels, and an info set of its own.
struct Picture;

impl Operator for Picture {
    fn cook(&mut self, cook: &mut Cook) {
        cook.warn("one");
        cook.warn("two");
        cook.error("three");
    }

    fn shm_info(&self, add: &mut dyn FnMut(&'static str, f64)) {
        add("shm_connected", 1.0);
        add("shm_frames", 5.0);
    }
}

fn with_picture() -> Network {
    let mut registry: Registry = net().registry();
    registry.add(OpSpec::new("pictureTOP", Family::Top, "Picture", "For tests.", || Box::new(Picture)));
    Network::with_registry(registry)
}

fn names(op: &Op) -> Vec<String> {
    op.clip().unwrap().names().iter().map(str::to_owned).collect()
}

fn shown(info: &Op, channel: &str) -> f64 {
    info.chan(channel).unwrap().unwrap().eval().unwrap().unwrap()
}

fn info_of(net: &Network, path: &str) -> Op {
    let info = net.root().create("infoCHOP", None).unwrap();
    info.par("op").unwrap().set(path).unwrap();
    info
}

#[test]
fn each_family_has_its_channels_in_the_order_of_its_page() {
    let rows: [(&str, &[&str]); 4] = [
        ("chansCHOP", &["start", "length", "sample_rate", "num_channels", "time_slice", "export_sernum"]),
        ("pictureTOP", &["resx", "resy", "aspectx", "aspecty", "depth", "gpu_memory_used"]),
        ("baseCOMP", &["num_children"]),
        ("tableDAT", &["num_rows", "num_cols"]),
    ];
    let net = with_picture();
    for (op_type, family) in rows {
        let op = net.root().create(op_type, None).unwrap();
        let info = info_of(&net, &op.name().unwrap());
        let all: Vec<&str> = family.iter().chain(&GENERAL).copied().collect();
        assert_eq!(names(&info), all, "{op_type}");
        assert_eq!(info.clip().unwrap().len_samples(), 1);
        for (kind, channels) in [("general", &GENERAL[..]), ("timecode", &[])] {
            info.par("infotype").unwrap().set(kind).unwrap();
            assert_eq!(names(&info), channels, "{op_type} {kind}");
        }
        info.par("infotype").unwrap().set("shm").unwrap();
        let shm: &[&str] = if op_type == "pictureTOP" { &["shm_connected", "shm_frames"] } else { &[] };
        assert_eq!(names(&info), shm);
        assert_eq!((info.errors().unwrap(), info.warnings().unwrap()), (String::new(), String::new()));
    }
}

#[test]
fn the_parameters_are_those_of_the_page() {
    let registry = Registry::standard();
    let spec = registry.find("infoCHOP").unwrap();
    let own: Vec<(&str, &str, String)> = spec
        .pars
        .iter()
        .take(8)
        .map(|par| (par.name.as_ref(), par.style.name(), par.default.to_string()))
        .collect();
    let row = |name, style, default: &str| (name, style, default.to_owned());
    assert_eq!(
        own,
        [
            row("op", "OP", ""),
            row("infotype", "Menu", "all"),
            row("iscope", "Str", "*"),
            row("values", "Menu", "all"),
            row("range1", "Float", "0.0"),
            row("range2", "Float", "1.0"),
            row("passive", "Toggle", "False"),
            row("childcooktime", "Toggle", "False"),
        ]
    );
    assert_eq!(
        spec.pars[1].menu_names().collect::<Vec<_>>(),
        ["all", "general", "timecode", "shm", "exports"]
    );
    assert_eq!(spec.pars[3].menu_names().collect::<Vec<_>>(), ["all", "inside", "outside"]);
}

#[test]
fn channels_say_what_is() {
    let net = with_picture();
    let source = chans(&net.root(), "in1", &[("a", 1.0), ("b", 2.0), ("c", 3.0)]);
    source.par("values").unwrap().set("1 2 3 4 5 6").unwrap();
    let info = info_of(&net, "in1");
    info.set_flag(Flag::Viewer, true).unwrap();
    for _ in 0..3 {
        net.step().unwrap();
    }
    let values = ["start", "length", "sample_rate", "num_channels", "time_slice", "export_sernum"]
        .map(|name| shown(&info, name));
    assert_eq!(values, [0.0, 2.0, 60.0, 3.0, 0.0, 0.0]);
    let cooks =
        ["total_cooks", "cook_frame", "cook_abs_frame", "cooked_this_frame"].map(|name| shown(&info, name));
    assert_eq!(cooks, [1.0, 1.0, 1.0, 0.0], "it had no reason to cook again");
    assert!(shown(&info, "cook_time") >= 0.0);
    assert!(shown(&info, "cook_end_time") >= shown(&info, "cook_start_time"));
    source.cook(Force::Yes).unwrap();
    let cooks =
        ["total_cooks", "cook_frame", "cook_abs_frame", "cooked_this_frame"].map(|name| shown(&info, name));
    assert_eq!(cooks, [2.0, 3.0, 3.0, 1.0], "at once, also within the frame");
    let picture = net.root().create("pictureTOP", "picture1").unwrap();
    info.par("op").unwrap().set("picture1").unwrap();
    assert_eq!(["warnings", "errors", "total_cooks"].map(|name| shown(&info, name)), [2.0, 1.0, 1.0]);
    assert_eq!(["resx", "resy", "gpu_memory_used"].map(|name| shown(&info, name)), [0.0; 3]);
    picture.destroy().unwrap();
    assert!(names(&info).is_empty());
}

#[test]
fn counters_only_go_up() {
    let net = net();
    let source = net.root().create("feedinCHOP", "in1").unwrap();
    let info = info_of(&net, "in1");
    info.set_flag(Flag::Viewer, true).unwrap();
    let mut last = (0.0, 0.0);
    for frame in 0..20 {
        if frame % 5 == 0 {
            source.set_flag(Flag::Export, frame % 2 == 0).unwrap();
        }
        net.step().unwrap();
        let now = (shown(&info, "total_cooks"), shown(&info, "export_sernum"));
        assert!(now.0 > last.0 && now.1 >= last.1, "{now:?} after {last:?}");
        last = now;
    }
}

#[test]
fn without_an_operator_there_are_no_channels_and_a_warning() {
    let net = net();
    let info = net.root().create("infoCHOP", "info1").unwrap();
    for (path, warning) in [("", "Operator is empty."), ("nosuch", "Operator 'nosuch' not found.")] {
        info.par("op").unwrap().set(path).unwrap();
        assert_eq!((info.num_chans().unwrap(), info.warnings().unwrap().as_str()), (0, warning));
    }
    net.root().create("baseCOMP", "nosuch").unwrap();
    assert_eq!((info.num_chans().unwrap(), info.warnings().unwrap().as_str()), (10, ""), "it is there now");
}

#[test]
fn channels_are_kept_by_name_and_by_value() {
    let net = net();
    chans(&net.root(), "in1", &[("a", 1.0), ("b", 2.0), ("c", 3.0)]);
    let info = info_of(&net, "in1");
    info.par("iscope").unwrap().set("*_channels cook_* ^cook_time start length").unwrap();
    assert_eq!(
        names(&info),
        [
            "start",
            "length",
            "num_channels",
            "cook_frame",
            "cook_abs_frame",
            "cook_start_time",
            "cook_end_time"
        ]
    );
    info.par("iscope").unwrap().set("start length num_channels sample_rate").unwrap();
    let rows: [(&str, f64, f64, &[&str]); 6] = [
        ("all", 0.0, 1.0, &["start", "length", "sample_rate", "num_channels"]),
        ("inside", 0.0, 1.0, &["start", "length"]),
        ("inside", 3.0, 1.0, &["length", "num_channels"]),
        ("outside", 0.0, 1.0, &["sample_rate", "num_channels"]),
        ("inside", 60.0, 60.0, &["sample_rate"]),
        ("outside", 0.0, 100.0, &[]),
    ];
    for (values, from, to, kept) in rows {
        info.par("values").unwrap().set(values).unwrap();
        info.par("range1").unwrap().set(from).unwrap();
        info.par("range2").unwrap().set(to).unwrap();
        assert_eq!(names(&info), kept, "{values} {from} {to}");
    }
    info.par("values").unwrap().set("all").unwrap();
    info.par("iscope").unwrap().set("(").unwrap();
    assert_eq!(names(&info).len(), 4, "the pattern before counts");
    assert!(info.errors().unwrap().starts_with("Scope: "));
}

#[test]
fn one_that_is_passive_does_not_ask() {
    let net = net();
    let source = net.root().create("feedinCHOP", "in1").unwrap();
    let info = info_of(&net, "in1");
    info.set_flag(Flag::Viewer, true).unwrap();
    info.par("passive").unwrap().set(true).unwrap();
    for _ in 0..3 {
        net.step().unwrap();
    }
    assert_eq!((source.total_cooks().unwrap(), shown(&info, "total_cooks")), (0, 0.0));
    info.par("passive").unwrap().set(false).unwrap();
    for _ in 0..3 {
        net.step().unwrap();
    }
    assert_eq!((source.total_cooks().unwrap(), shown(&info, "total_cooks")), (3, 3.0));
    info.par("passive").unwrap().set(true).unwrap();
    net.step().unwrap();
    assert_eq!((source.total_cooks().unwrap(), shown(&info, "total_cooks")), (3, 3.0));
}

#[test]
fn a_component_can_say_how_long_those_inside_cooked() {
    let net = net();
    let base = net.root().create("baseCOMP", "base1").unwrap();
    let inner = base.create("baseCOMP", "base2").unwrap();
    let source = inner.create("feedinCHOP", "in1").unwrap();
    let info = info_of(&net, "base1");
    assert_eq!(shown(&info, "num_children"), 1.0);
    assert!(info.chan("children_cpu_cook_time").unwrap().is_none());
    info.par("childcooktime").unwrap().set(true).unwrap();
    assert_eq!(names(&info).last().unwrap(), "children_cpu_cook_time");
    net.step().unwrap();
    assert_eq!(shown(&info, "children_cpu_cook_time"), 0.0, "nobody cooked");
    net.step().unwrap();
    source.cook(Force::Yes).unwrap();
    info.cook(Force::Yes).unwrap();
    let time = source.cpu_cook_time().unwrap().as_secs_f64() * 1000.0;
    #[expect(clippy::cast_possible_truncation, reason = "samples have 32 bits")]
    let time = f64::from(time as f32);
    assert_eq!(shown(&info, "children_cpu_cook_time"), time);
    info.par("op").unwrap().set("info1").unwrap();
    assert!(info.chan("children_cpu_cook_time").unwrap().is_none(), "no component");
}

#[test]
fn info_channels_can_be_exported() {
    let net = net();
    let base = net.root().create("baseCOMP", "base1").unwrap();
    base.append_custom_par(crate::ParSpec::int("Cooks", "Cooks", 0)).unwrap();
    net.root().create("feedinCHOP", "in1").unwrap();
    let info = info_of(&net, "in1");
    info.par("iscope").unwrap().set("total_cooks").unwrap();
    info.par("commonrenameto").unwrap().set("base1:Cooks").unwrap();
    info.par("exportmethod").unwrap().set("autoname").unwrap();
    info.set_flag(Flag::Export, true).unwrap();
    for frame in 1..=3 {
        net.step().unwrap();
        assert_eq!(base.par("Cooks").unwrap().eval().unwrap(), Value::Int(frame));
    }
    let give = net.root().create("giveCHOP", "give1").unwrap();
    give.par("value").unwrap().set_expr("op('base1').par.Cooks + 0").unwrap();
    assert_eq!(value(&give), 3.0);
}
