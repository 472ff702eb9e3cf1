//! What a patch makes of a network, and what a second one changes.

use crate::patch::Patch;
use crate::{Flag, Network, OpError, ParMode, Value};

const BASE: &str = r#"
[network]
rate = 30
range = [1, 100]

[op.base1]
type = "baseCOMP"
comment = "knobs"
custom.Speed = { default = 2.0, min = 0, max = 10, label = "How fast", page = "Main", help = "…" }
custom.Mode = { menu = ["slow", "fast"], default = "fast" }
custom.On = true

[op."base1/in"]
type = "nullCHOP"
inputs = [""]

[op.base1.op.out]
type = "nullCHOP"
inputs = ["in"]
viewer = true
par.renamefrom = "a*"
par.timeslice = { expr = "op('/base1').par.Speed > 1" }
par.scope = { bind = "op('/base1').par.Mode" }
"#;

fn net(text: &str) -> Network {
    let net = Network::new();
    Patch::parse(text).unwrap().apply(&net).unwrap();
    net
}

#[test]
fn a_network_is_what_its_patch_says() {
    let net = net(BASE);
    let time = net.time();
    assert_eq!((time.rate, time.start, time.end), (30.0, 1.0, 100.0));
    let base = net.op("base1").unwrap();
    assert_eq!(base.comment().unwrap(), "knobs");
    let speed = base.par("Speed").unwrap();
    assert_eq!(speed.eval().unwrap(), Value::Float(2.0));
    speed.set(99).unwrap();
    assert_eq!(speed.eval().unwrap(), Value::Float(10.0), "clamped");
    let spec = speed.spec().unwrap();
    assert_eq!((&*spec.label, &*spec.page, spec.is_custom), ("How fast", "Main", true));
    assert_eq!(base.par("Mode").unwrap().eval().unwrap(), "fast".into());
    let out = net.op("base1/out").unwrap();
    assert_eq!(out.inputs().unwrap(), [Some(net.op("/base1/in").unwrap())]);
    assert!(out.flag(Flag::Viewer).unwrap() && !out.flag(Flag::Bypass).unwrap());
    assert_eq!(out.par("commonrenamefrom").unwrap().val().unwrap(), "a*".into());
    assert_eq!(out.par("timeslice").unwrap().mode().unwrap(), ParMode::Expression);
    assert_eq!(out.par("scope").unwrap().eval().unwrap(), "fast".into());
    net.step().unwrap();
}

#[test]
fn applying_twice_is_refused_and_changes_nothing() {
    let net = net(BASE);
    let patch = Patch::parse(&format!("{BASE}\n[op.more]\ntype = \"nullCHOP\"\n")).unwrap();
    assert_eq!(
        patch.apply(&net).unwrap_err(),
        OpError::NameTaken { what: "an operator", name: "base1".into(), place: "/".into() }
    );
    assert!(net.op("more").is_err());
    patch.reload(&net).unwrap();
    assert!(net.op("more").is_ok());
}

#[test]
fn reloading_keeps_what_is_the_same_and_changes_the_rest() {
    let net = net(BASE);
    let (base, input, out) =
        (net.op("base1").unwrap(), net.op("base1/in").unwrap(), net.op("base1/out").unwrap());
    base.par("Speed").unwrap().set(7).unwrap();
    net.step().unwrap();
    let cooks = out.total_cooks().unwrap();
    let text = BASE
        .replace("rate = 30", "rate = 25")
        .replace("comment = \"knobs\"\n", "")
        .replace("custom.On = true", "custom.New = 3")
        .replace(
            "[op.base1.op.out]\ntype = \"nullCHOP\"",
            "[op.base1.op.out]\ntype = \"nullCHOP\"\nbypass = true",
        )
        .replace("viewer = true\n", "")
        .replace("par.timeslice = {", "# par.timeslice = {")
        .replace(
            "[op.\"base1/in\"]\ntype = \"nullCHOP\"",
            "[op.\"base1/in\"]\ntype = \"nullCHOP\"\npar.timeslice = true",
        );
    Patch::parse(&text).unwrap().reload(&net).unwrap();
    assert!(base.is_valid() && input.is_valid() && out.is_valid(), "the same operators");
    assert_eq!(out.total_cooks().unwrap(), cooks);
    assert_eq!(net.time().rate, 25.0);
    assert_eq!(base.comment().unwrap(), "");
    assert_eq!(base.par("Speed").unwrap().eval().unwrap(), Value::Float(2.0), "what the file says counts");
    assert_eq!(base.par("New").unwrap().eval().unwrap(), Value::Int(3));
    assert!(base.par("On").is_err());
    assert!(out.flag(Flag::Bypass).unwrap() && !out.flag(Flag::Viewer).unwrap());
    let slice = out.par("timeslice").unwrap();
    assert_eq!((slice.mode().unwrap(), slice.eval().unwrap()), (ParMode::Constant, false.into()));
    assert_eq!(input.par("timeslice").unwrap().eval().unwrap(), true.into());
    assert_eq!(out.par("scope").unwrap().eval().unwrap(), "fast".into(), "still bound");

    let text = text
        .replace("[op.\"base1/in\"]", "[op.\"base1/other\"]")
        .replace("inputs = [\"in\"]", "inputs = [\"other\"]");
    Patch::parse(&text).unwrap().reload(&net).unwrap();
    assert!(!input.is_valid() && out.is_valid());
    assert_eq!(out.inputs().unwrap(), [Some(net.op("/base1/other").unwrap())]);
    Patch::parse("[op.base1]\ntype = \"baseCOMP\"\n").unwrap().reload(&net).unwrap();
    assert!(base.is_valid() && !out.is_valid());
    Patch::parse("[op.base1]\ntype = \"nullCHOP\"\n").unwrap().reload(&net).unwrap();
    assert!(!base.is_valid() && net.op("base1").is_ok(), "another type is another operator");
    Patch::parse("").unwrap().reload(&net).unwrap();
    assert_eq!(net.root().children().unwrap(), []);
}

#[test]
fn reloading_the_same_changes_nothing_at_all() {
    let net = net(BASE);
    net.step().unwrap();
    let out = net.op("base1/out").unwrap();
    let quiet = |net: &Network| {
        net.with(|state| (state.topology, state.ids().filter(|&id| state.get(id).unwrap().dirty).count()))
    };
    let before = quiet(&net);
    Patch::parse(BASE).unwrap().reload(&net).unwrap();
    assert_eq!(quiet(&net), before);
    assert!(out.is_valid());
}

#[test]
fn those_who_watch_a_custom_parameter_go_with_its_name() {
    use std::sync::{Arc, Mutex};
    let net = net("[op.b]\ntype = \"baseCOMP\"\ncustom.A = 1\ncustom.B = 2\n");
    let seen = Arc::new(Mutex::new(Vec::new()));
    for name in ["A", "B"] {
        let seen = Arc::clone(&seen);
        let par = net.op("b").unwrap().par(name).unwrap();
        par.on_change(move |par, value| seen.lock().unwrap().push((par.name().unwrap(), value.clone())))
            .unwrap();
    }
    Patch::parse("[op.b]\ntype = \"baseCOMP\"\ncustom.B = 2\npar.B = 5\n").unwrap().reload(&net).unwrap();
    net.step().unwrap();
    assert_eq!(*seen.lock().unwrap(), [("B".to_owned(), Value::Int(5))]);
}

const EXPORTS: &str = r#"
[op.c]
type = "constantCHOP"
export = true
par.const0name = "b:B"
par.const0value = 7
par.exportmethod = "autoname"

[op.d]
type = "constantCHOP"
export = true
par.const0name = "a"
par.const0value = 3
par.exportmethod = "datname"
par.exporttable = "exports"

[op.exports]
type = "tableDAT"
table = [["name", "path", "parameter"], ["a", "b", "A"]]

[op.b]
type = "baseCOMP"
custom.A = 1.0
custom.B = 2.0
"#;

#[test]
fn exports_go_on_when_their_patch_is_read_again() {
    let net = net(EXPORTS);
    let value = |net: &Network, name: &str| net.op("b").unwrap().par(name).unwrap().eval().unwrap();
    let both = |net: &Network| (value(net, "A"), value(net, "B"));
    net.step().unwrap();
    assert_eq!(both(&net), (Value::Float(3.0), Value::Float(7.0)));
    // The constants below change; what counts is the export.
    let reload = |text: &str| Patch::parse(text).unwrap().reload(&net).unwrap();
    reload(&EXPORTS.replace("custom.A = 1.0", "custom.A = 1.0\npar.B = 5.0"));
    assert_eq!(net.op("b").unwrap().par("B").unwrap().val().unwrap(), Value::Float(5.0));
    assert_eq!(net.op("b").unwrap().par("B").unwrap().mode().unwrap(), ParMode::Export);
    net.step().unwrap();
    assert_eq!(both(&net), (Value::Float(3.0), Value::Float(7.0)));
    // Other custom parameters in front of them.
    reload(&EXPORTS.replace("custom.A = 1.0", "custom.New = 9\ncustom.A = 1.0"));
    net.step().unwrap();
    net.step().unwrap();
    assert_eq!((both(&net), value(&net, "New")), ((Value::Float(3.0), Value::Float(7.0)), Value::Int(9)));
    // Another row of the table.
    reload(&EXPORTS.replace("[\"a\", \"b\", \"A\"]", "[\"a\", \"b\", \"B\"]"));
    net.step().unwrap();
    net.step().unwrap();
    assert_eq!(value(&net, "A"), Value::Float(1.0), "its constant again");
    // No flag, no export.
    reload(&EXPORTS.replace("export = true", ""));
    net.step().unwrap();
    assert_eq!(both(&net), (Value::Float(1.0), Value::Float(2.0)));
}

#[test]
fn a_table_that_the_patch_does_not_have_any_more_is_empty() {
    let net = net(EXPORTS);
    assert_eq!(net.op("exports").unwrap().table().unwrap().cell(1, 2), Some("A"));
    let before = net.op("exports").unwrap().total_cooks().unwrap();
    Patch::parse(EXPORTS).unwrap().reload(&net).unwrap();
    net.op("exports").unwrap().table().unwrap();
    assert_eq!(net.op("exports").unwrap().total_cooks().unwrap(), before, "the same table is no change");
    let without: String =
        EXPORTS.lines().filter(|line| !line.starts_with("table")).map(|line| format!("{line}\n")).collect();
    Patch::parse(&without).unwrap().reload(&net).unwrap();
    assert_eq!(net.op("exports").unwrap().table().unwrap().num_rows(), 0);
}
