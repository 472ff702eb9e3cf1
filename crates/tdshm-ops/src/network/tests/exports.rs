//! Channels and rows of tables that drive parameters (operators §7).

use std::sync::{Arc, Mutex};

use super::{chans, give, net};
use crate::network::Network;
use crate::object::op::Op;
use crate::par::{ParMode, ParSpec, Style};
use crate::table::Table;
use crate::{Flag, InfoType, Par, Value};

/// A component with a custom parameter of each kind.
fn target(within: &Op, name: &str) -> Op {
    let op = within.create("baseCOMP", name).unwrap();
    for spec in [
        ParSpec::float("Tx", "Tx", 0.5),
        ParSpec::float("Speed", "Speed", 1.0).clamped(0.0, 10.0),
        ParSpec::int("Count", "Count", 7).clamped(0.0, 100.0),
        ParSpec::toggle("On", "On", false),
        ParSpec::menu("Kind", "Kind", &[("a", "A"), ("b", "B"), ("c", "C")]),
        ParSpec::text("Note", "Note", "own"),
        ParSpec::op("Other", "Other", Style::Op, ""),
    ] {
        op.append_custom_par(spec).unwrap();
    }
    op
}

fn float(op: &Op, par: &str) -> f64 {
    op.par(par).unwrap().eval_f64().unwrap()
}

fn mode(par: &Par) -> ParMode {
    par.mode().unwrap()
}

fn export(op: &Op, method: &str) {
    op.par("exportmethod").unwrap().set(method).unwrap();
    op.set_flag(Flag::Export, true).unwrap();
}

fn with_table(op: &Op, name: &str, rows: &[&str]) -> Op {
    let table = op.parent().unwrap().unwrap().create("tableDAT", name).unwrap();
    fill(&table, rows);
    op.par("exporttable").unwrap().set(name).unwrap();
    table
}

fn fill(table: &Op, rows: &[&str]) {
    let rows = rows.iter().map(|row| row.split(' ').map(|cell| if cell == "-" { "" } else { cell }));
    table.set_table(Table::from_rows(rows)).unwrap();
}

#[test]
fn channel_names_lead_to_parameters_as_in_the_table_of_the_specification() {
    // Channel, export root, and the operator and parameter that it drives.
    type Row = (&'static str, &'static str, Option<(&'static str, &'static str)>);
    let rows: [Row; 14] = [
        ("geo1:Tx", "..", Some(("/project1/geo1", "Tx"))),
        ("geo1/Tx", "..", Some(("/project1/geo1", "Tx"))),
        ("container1/geo1:Tx", "..", Some(("/project1/container1/geo1", "Tx"))),
        ("container1:geo1:Tx", "..", Some(("/project1/container1/geo1", "Tx"))),
        ("project1/geo1:Tx", "/", Some(("/project1/geo1", "Tx"))),
        ("project1/geo1:Tx", "..", None),
        ("geo1:Speed", "..", Some(("/project1/geo1", "Speed"))),
        ("geo1:TX", "..", None),
        ("chan1", "..", None),
        ("nosuch:tx", "..", None),
        ("geo1:Tx", "container1", Some(("/project1/container1/geo1", "Tx"))),
        ("../geo0:Tx", "..", Some(("/geo0", "Tx"))),
        ("/project1/geo1:Tx", "..", Some(("/project1/geo1", "Tx"))),
        ("geo1:Note", "..", None),
    ];
    for (channel, root, driven) in rows {
        let net = net();
        let project = net.root().create("baseCOMP", "project1").unwrap();
        let container = project.create("baseCOMP", "container1").unwrap();
        let targets = [target(&net.root(), "geo0"), target(&project, "geo1"), target(&container, "geo1")];
        let source = chans(&project, "in1", &[("before", 1.0), (channel, 3.0)]);
        source.par("autoexportroot").unwrap().set(root).unwrap();
        export(&source, "autoname");
        net.step().unwrap();
        let mut found = Vec::new();
        for target in &targets {
            for par in target.pars("*").unwrap() {
                if mode(&par) == ParMode::Export {
                    assert_eq!(par.eval().unwrap(), Value::Float(3.0), "{channel}");
                    assert_eq!(par.export_source().unwrap(), Some((source.clone(), 1)));
                    found.push((target.path().unwrap(), par.name().unwrap()));
                }
            }
        }
        let expected: Vec<_> = driven.iter().map(|(op, par)| ((*op).to_owned(), (*par).to_owned())).collect();
        assert_eq!(found, expected, "{channel} from {root}");
        let exports = source.chan(channel).unwrap().unwrap().exports().unwrap();
        assert_eq!(exports.len(), found.len());
        assert_eq!(source.unresolved_exports().unwrap().len(), if driven.is_some() { 1 } else { 2 });
        assert_eq!((source.errors().unwrap(), source.warnings().unwrap()), (String::new(), String::new()));
    }
}

#[test]
fn a_table_says_what_channels_drive() {
    // Method, rows, and the values of geo1.Tx, geo2.Tx and geo1.Speed; the channels are tx = 3 and speed = 4.
    let own = [0.5, 0.5, 1.0];
    let rows: [(&str, &[&str], [f64; 3], usize); 15] = [
        (
            "datindex",
            &["name index path parameter enable", "tx 0 geo1 Tx 1", "tx 0 geo2 Tx 1", "speed 1 geo1 Speed 0"],
            [3.0, 3.0, 1.0],
            0,
        ),
        (
            "datname",
            &["name index path parameter enable", "tx 0 geo1 Tx 1", "tx 0 geo2 Tx 1", "speed 1 geo1 Speed 0"],
            [3.0, 3.0, 1.0],
            0,
        ),
        ("datindex", &["name index path parameter enable", "tx 1 geo1 Tx 1"], [4.0, 0.5, 1.0], 0),
        ("datname", &["name index path parameter enable", "tx 1 geo1 Tx 1"], [3.0, 0.5, 1.0], 0),
        ("datindex", &["enable parameter path index", "1 Tx geo2 1"], [0.5, 4.0, 1.0], 0),
        ("datindex", &["path parameter chanindex", "geo2 Tx 1"], [0.5, 4.0, 1.0], 0),
        ("datname", &["channame path parameter", "speed geo1 Speed"], [0.5, 0.5, 4.0], 0),
        (
            "datindex",
            &["index path parameter enable", "0 geo1 Tx -", "- geo2 Tx 1", "x geo1 Speed 1"],
            [3.0, 0.5, 1.0],
            0,
        ),
        ("datindex", &["index path parameter", "2 geo1 Tx", "-1 geo2 Tx", "0.5 geo1 Speed"], own, 3),
        ("datname", &["name path parameter", "nosuch geo1 Tx", "- geo2 Tx"], own, 1),
        ("datname", &["name index", "tx 0"], own, 1),
        ("datname", &["index path parameter", "0 geo1 Tx"], own, 0),
        (
            "datindex",
            &["index path parameter", "0 ./geo1 Tx", "0 nosuch Tx", "1 geo2 tx"],
            [3.0, 0.5, 1.0],
            2,
        ),
        ("datindex", &["index path parameter", "0 geo1 Note", "1 geo1 Other"], own, 2),
        ("autoname", &["index path parameter", "0 geo1 Tx"], own, 2),
    ];
    for (method, table, values, unresolved) in rows {
        let net = net();
        let targets = [target(&net.root(), "geo1"), target(&net.root(), "geo2")];
        let source = chans(&net.root(), "in1", &[("tx", 3.0), ("speed", 4.0)]);
        with_table(&source, "export1", table);
        export(&source, method);
        net.step().unwrap();
        let got = [float(&targets[0], "Tx"), float(&targets[1], "Tx"), float(&targets[0], "Speed")];
        assert_eq!(got, values, "{method} {table:?}");
        assert_eq!(source.unresolved_exports().unwrap().len(), unresolved, "{method} {table:?}");
        assert_eq!(source.errors().unwrap(), "");
    }
}

#[test]
fn what_leads_nowhere_is_listed_with_its_reason() {
    let net = net();
    let base = target(&net.root(), "geo1");
    let names = ["chan1", "nosuch:tx", "geo1:TX", "geo1:Note"];
    let source = chans(&net.root(), "in1", &names.map(|name| (name, 0.0)));
    export(&source, "autoname");
    net.step().unwrap();
    let said = source.unresolved_exports().unwrap();
    assert_eq!(
        said,
        [
            "chan1: it names no parameter: write it as geo1:tx",
            "nosuch:tx: there is no operator nosuch",
            "geo1:TX: /geo1 has no parameter TX",
            "geo1:Note: it takes texts, and a channel gives numbers",
        ]
    );
    assert_eq!(base.par("Note").unwrap().mode().unwrap(), ParMode::Constant);
    let info = || source.info(InfoType::Exports).unwrap();
    assert_eq!(info(), [("exports", 0.0), ("exports_unresolved", 4.0)]);
    assert_eq!(base.info(InfoType::Exports).unwrap(), [], "a component exports nothing");
    with_table(&source, "export1", &["path index", "geo1 0"]);
    source.par("exportmethod").unwrap().set("datindex").unwrap();
    net.step().unwrap();
    let said = source.unresolved_exports().unwrap();
    assert_eq!(said, ["the export table has no column parameter: its first row names the columns"]);
}

#[test]
fn exports_by_index_survive_a_rename_and_by_name_a_reorder() {
    for (method, renamed, reordered) in [("datindex", 5.0, 6.0), ("datname", 0.5, 5.0)] {
        let net = net();
        let geo = target(&net.root(), "geo1");
        let source = chans(&net.root(), "in1", &[("a", 5.0), ("b", 6.0)]);
        with_table(&source, "export1", &["name index path parameter", "a 0 geo1 Tx"]);
        export(&source, method);
        net.step().unwrap();
        assert_eq!((float(&geo, "Tx"), source.export_changes().unwrap()), (5.0, 1));
        give(&source, &[("b", 6.0), ("a", 5.0)]);
        net.step().unwrap();
        assert_eq!(float(&geo, "Tx"), reordered, "{method}");
        let changes = if method == "datname" { 2 } else { 1 };
        assert_eq!(source.export_changes().unwrap(), changes, "{method}: the channel is at another place");
        give(&source, &[("new", 5.0), ("b", 6.0)]);
        net.step().unwrap();
        assert_eq!(float(&geo, "Tx"), renamed, "{method}");
    }
}

#[test]
fn values_become_what_the_parameter_takes() {
    // A channel's value, and what Tx, Speed, Count, On and Kind make of it.
    let rows = [
        (2.7, "2.7", "2.7", "2", "True", "c"),
        (-1.0, "-1.0", "0.0", "0", "False", "a"),
        (0.0, "0.0", "0.0", "0", "False", "a"),
        (1.9, "1.9", "1.9", "1", "True", "b"),
        (1000.0, "1000.0", "10.0", "100", "True", "c"),
        (0.25, "0.25", "0.25", "0", "True", "a"),
        (f64::NAN, "nan", "nan", "3", "True", "b"),
        (f64::INFINITY, "inf", "inf", "3", "True", "b"),
        (f64::NEG_INFINITY, "-inf", "-inf", "3", "True", "b"),
    ];
    let net = net();
    let geo = target(&net.root(), "geo1");
    let source = net.root().create("chansCHOP", "in1").unwrap();
    let pars = ["Tx", "Speed", "Count", "On", "Kind"];
    let names: Vec<String> = pars.iter().map(|par| format!("geo1:{par}")).collect();
    export(&source, "autoname");
    for (value, tx, speed, count, on, kind) in rows {
        if !value.is_finite() {
            // What is ignored leaves the value before.
            give(
                &source,
                &[(&names[0], 9.0), (&names[1], 9.0), (&names[2], 3.0), (&names[3], 1.0), (&names[4], 1.0)],
            );
            net.step().unwrap();
        }
        give(&source, &names.iter().map(|name| (name.as_str(), value)).collect::<Vec<_>>());
        net.step().unwrap();
        #[expect(
            clippy::cast_possible_truncation,
            reason = "samples have 32 bits, and so has what they drive"
        )]
        let shown = |par: &str| match geo.par(par).unwrap().eval().unwrap() {
            Value::Float(value) => Value::Float((value as f32).to_string().parse().unwrap()).to_string(),
            value => value.to_string(),
        };
        assert_eq!(pars.map(shown), [tx, speed, count, on, kind], "{value}");
    }
}

#[test]
fn assigning_detaches_and_mode_export_attaches_again() {
    let net = net();
    let geo = target(&net.root(), "geo1");
    let tx = geo.par("Tx").unwrap();
    assert!(tx.set_mode(ParMode::Export).unwrap_err().to_string().contains("no channel is exported to it"));
    let source = chans(&net.root(), "in1", &[("geo1:Tx", 3.0)]);
    export(&source, "autoname");
    net.step().unwrap();
    assert_eq!((mode(&tx), tx.prev_mode().unwrap()), (ParMode::Export, ParMode::Constant));
    assert_eq!(tx.val().unwrap(), Value::Float(0.5), "the constant is still there");
    tx.set(9.0).unwrap();
    give(&source, &[("geo1:Tx", 4.0)]);
    net.step().unwrap();
    assert_eq!((mode(&tx), float(&geo, "Tx")), (ParMode::Constant, 9.0));
    tx.set_mode(ParMode::Export).unwrap();
    assert_eq!(float(&geo, "Tx"), 4.0);
    tx.set_expr("2 + 3").unwrap();
    net.step().unwrap();
    assert_eq!((mode(&tx), float(&geo, "Tx")), (ParMode::Expression, 5.0));
    assert!(tx.export_source().unwrap().is_some(), "it can still return");
    tx.set_mode(ParMode::Export).unwrap();
    source.set_flag(Flag::Export, false).unwrap();
    assert_eq!((mode(&tx), float(&geo, "Tx")), (ParMode::Expression, 5.0), "back to the mode before");
    assert_eq!((tx.prev_mode().unwrap(), tx.export_source().unwrap()), (ParMode::Export, None));
    assert!(tx.set_mode(ParMode::Export).is_err());
    source.set_flag(Flag::Export, true).unwrap();
    assert_eq!((mode(&tx), float(&geo, "Tx")), (ParMode::Export, 4.0), "a new export takes it again");
}

#[test]
fn a_parameter_that_was_detached_stays_so_while_other_exports_change() {
    let net = net();
    let geo = target(&net.root(), "geo1");
    let source = chans(&net.root(), "in1", &[("geo1:Tx", 3.0)]);
    export(&source, "autoname");
    net.step().unwrap();
    geo.par("Tx").unwrap().set(1.0).unwrap();
    give(&source, &[("geo1:Speed", 2.0), ("geo1:Tx", 3.0)]);
    net.step().unwrap();
    target(&net.root(), "geo2");
    net.step().unwrap();
    assert_eq!((float(&geo, "Tx"), float(&geo, "Speed")), (1.0, 2.0));
}

/// Every way in which an export can end, and the parameter's value after it.
#[test]
fn a_parameter_goes_back_to_its_own_value_when_its_export_ends() {
    type End = fn(&Network, &Op);
    let ends: [(&str, End, f64); 9] = [
        ("flag off", |_, source| source.set_flag(Flag::Export, false).unwrap(), 0.5),
        ("exporter destroyed", |_, source| source.destroy().unwrap(), 0.5),
        ("channel renamed", |_, source| give(source, &[("geo1:Nosuch", 3.0)]), 0.5),
        ("no channels", |_, source| give(source, &[]), 0.5),
        ("method", |_, source| source.par("exportmethod").unwrap().set("datname").unwrap(), 0.5),
        ("root", |_, source| source.par("autoexportroot").unwrap().set("nosuch").unwrap(), 0.5),
        ("bypassed, without an input", |_, source| source.set_flag(Flag::Bypass, true).unwrap(), 0.5),
        ("target renamed", |net, _| net.op("geo1").unwrap().rename("geo9").unwrap(), 0.5),
        (
            "locked: nothing ends",
            |_, source| {
                source.set_flag(Flag::Lock, true).unwrap();
                give(source, &[("geo1:Nosuch", 4.0)]);
            },
            3.0,
        ),
    ];
    for (what, end, value) in ends {
        let net = net();
        let geo = target(&net.root(), "geo1");
        let source = chans(&net.root(), "in1", &[("geo1:Tx", 3.0)]);
        export(&source, "autoname");
        net.step().unwrap();
        assert_eq!(float(&geo, "Tx"), 3.0);
        end(&net, &source);
        net.step().unwrap();
        assert_eq!(float(&geo, "Tx"), value, "{what}");
        assert_eq!(mode(&geo.par("Tx").unwrap()) == ParMode::Export, value == 3.0, "{what}");
    }
}

#[test]
fn a_target_that_comes_later_or_comes_back_is_found() {
    let net = net();
    let source = chans(&net.root(), "in1", &[("geo1:Tx", 3.0)]);
    export(&source, "autoname");
    net.step().unwrap();
    assert_eq!(source.unresolved_exports().unwrap().len(), 1);
    let geo = target(&net.root(), "geo1");
    assert_eq!(mode(&geo.par("Tx").unwrap()), ParMode::Export, "at once");
    geo.rename("geo2").unwrap();
    assert_eq!((mode(&geo.par("Tx").unwrap()), float(&geo, "Tx")), (ParMode::Constant, 0.5));
    geo.rename("geo1").unwrap();
    assert_eq!(float(&geo, "Tx"), 3.0);
    assert_eq!(source.export_changes().unwrap(), 3);
    geo.destroy().unwrap();
    assert_eq!(source.export_changes().unwrap(), 4);
    assert!(source.chan("geo1:Tx").unwrap().unwrap().exports().unwrap().is_empty());
    net.step().unwrap();
}

#[test]
fn of_two_exporters_the_later_one_counts_and_the_earlier_one_takes_over() {
    let net = net();
    let geo = target(&net.root(), "geo1");
    let one = chans(&net.root(), "one", &[("geo1:Tx", 1.0)]);
    let two = chans(&net.root(), "two", &[("geo1:Tx", 2.0)]);
    export(&two, "autoname");
    net.step().unwrap();
    export(&one, "autoname");
    net.step().unwrap();
    assert_eq!(float(&geo, "Tx"), 1.0, "the one that came last, not the one made last");
    let said = "Export to /geo1.Tx has no effect: /one exports to it as well, and came last.";
    assert_eq!((two.warnings().unwrap().as_str(), one.warnings().unwrap().as_str()), (said, ""));
    let warnings =
        |op: &Op| op.info(InfoType::General).unwrap().iter().find(|(name, _)| *name == "warnings").unwrap().1;
    assert_eq!((warnings(&two), warnings(&one)), (1.0, 0.0));
    // Working the loser's out again does not make it the later one.
    give(&two, &[("other", 0.0), ("geo1:Tx", 2.5)]);
    net.step().unwrap();
    assert_eq!(float(&geo, "Tx"), 1.0);
    one.set_flag(Flag::Export, false).unwrap();
    assert_eq!((float(&geo, "Tx"), mode(&geo.par("Tx").unwrap())), (2.5, ParMode::Export));
    assert_eq!(two.warnings().unwrap(), "");
    one.set_flag(Flag::Export, true).unwrap();
    assert_eq!(float(&geo, "Tx"), 1.0, "it is the later one now");
    one.destroy().unwrap();
    assert_eq!(float(&geo, "Tx"), 2.5);
}

#[test]
fn of_two_rows_for_one_parameter_the_lower_one_counts() {
    let net = net();
    let geo = target(&net.root(), "geo1");
    let source = chans(&net.root(), "in1", &[("a", 1.0), ("b", 2.0)]);
    let table = with_table(&source, "export1", &["index path parameter", "0 geo1 Tx", "1 geo1 Tx"]);
    export(&source, "datindex");
    net.step().unwrap();
    assert_eq!(float(&geo, "Tx"), 2.0);
    assert!(source.warnings().unwrap().contains("/in1 exports to it as well"));
    fill(&table, &["index path parameter", "0 geo1 Tx"]);
    net.step().unwrap();
    assert_eq!((float(&geo, "Tx"), source.warnings().unwrap().as_str()), (1.0, ""));
}

#[test]
fn a_table_that_is_edited_counts_from_the_next_frame_on() {
    let net = net();
    let geo = target(&net.root(), "geo1");
    let source = chans(&net.root(), "in1", &[("a", 1.0), ("b", 2.0)]);
    let table = with_table(&source, "export1", &["index path parameter enable", "0 geo1 Tx 1"]);
    export(&source, "datindex");
    net.step().unwrap();
    let changes = || source.export_changes().unwrap();
    assert_eq!((float(&geo, "Tx"), changes()), (1.0, 1));
    table.set_cell(1, 0, "1").unwrap();
    net.step().unwrap();
    assert_eq!((float(&geo, "Tx"), changes()), (2.0, 2));
    table.set_cell(1, 2, "Speed").unwrap();
    net.step().unwrap();
    assert_eq!((float(&geo, "Tx"), float(&geo, "Speed"), changes()), (0.5, 2.0, 3));
    table.set_cell(1, 3, "0").unwrap();
    net.step().unwrap();
    assert_eq!((float(&geo, "Speed"), changes()), (1.0, 4));
    table.set_cell(2, 4, "more").unwrap();
    for _ in 0..3 {
        net.step().unwrap();
    }
    assert_eq!(changes(), 4, "nothing that counts changed");
    table.append_row(&["0", "geo1", "Tx", "1"]).unwrap();
    net.step().unwrap();
    assert_eq!((float(&geo, "Tx"), changes()), (1.0, 5));
    table.destroy().unwrap();
    net.step().unwrap();
    assert_eq!((float(&geo, "Tx"), changes()), (0.5, 6));
}

#[test]
fn a_bypassed_exporter_exports_its_first_input() {
    let net = net();
    let geo = target(&net.root(), "geo1");
    let before = chans(&net.root(), "before", &[("geo1:Speed", 8.0)]);
    let source = chans(&net.root(), "in1", &[("geo1:Tx", 3.0)]);
    source.input_connector(0).unwrap().connect(&before).unwrap();
    export(&source, "autoname");
    net.step().unwrap();
    source.set_flag(Flag::Bypass, true).unwrap();
    net.step().unwrap();
    assert_eq!((float(&geo, "Tx"), float(&geo, "Speed")), (0.5, 8.0));
    give(&before, &[("geo1:Speed", 9.0)]);
    net.step().unwrap();
    assert_eq!(float(&geo, "Speed"), 9.0);
    source.set_flag(Flag::Bypass, false).unwrap();
    net.step().unwrap();
    assert_eq!((float(&geo, "Tx"), float(&geo, "Speed")), (3.0, 1.0));
}

#[test]
fn an_exporter_is_asked_by_its_targets_and_by_its_flag() {
    let net = net();
    let out = net.root().create("feedoutCHOP", "out1").unwrap();
    let source = net.root().create("feedinCHOP", "in1").unwrap();
    let named = net.root().create("nullCHOP", "null1").unwrap();
    named.input_connector(0).unwrap().connect(&source).unwrap();
    named.par("commonrenameto").unwrap().set("out1:value").unwrap();
    source.par("value").unwrap().set_expr("absTime.frame").unwrap();
    export(&named, "autoname");
    for frame in 1..=5_u64 {
        net.step().unwrap();
        assert_eq!((source.total_cooks().unwrap(), out.total_cooks().unwrap()), (frame, frame));
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let expected = frame as f64;
        assert_eq!(super::value(&out), expected, "also in the first frame");
    }
}

#[test]
fn the_value_is_that_of_the_current_time() {
    let net = net();
    let geo = target(&net.root(), "geo1");
    let source = net.root().create("chansCHOP", "in1").unwrap();
    source.par("names").unwrap().set("geo1:Tx").unwrap();
    source.par("values").unwrap().set("10 20 30 40").unwrap();
    export(&source, "autoname");
    for value in [10.0, 20.0, 30.0, 40.0, 40.0] {
        net.step().unwrap();
        assert_eq!(float(&geo, "Tx"), value);
    }
    source.par("slice").unwrap().set(true).unwrap();
    net.jump(2.0).unwrap();
    net.step().unwrap();
    assert_eq!(float(&geo, "Tx"), 40.0, "of a slice the last sample");
}

#[test]
fn whoever_watches_a_parameter_is_told_what_drives_it() {
    let net = net();
    let geo = target(&net.root(), "geo1");
    let source = net.root().create("giveCHOP", "give1").unwrap();
    let named = net.root().create("nullCHOP", "null1").unwrap();
    named.input_connector(0).unwrap().connect(&source).unwrap();
    named.par("commonrenameto").unwrap().set("geo1:Tx").unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    geo.par("Tx")
        .unwrap()
        .on_change(move |par, value| {
            told.lock().unwrap().push((par.name().unwrap(), value.as_f64().unwrap()));
        })
        .unwrap();
    export(&named, "autoname");
    for value in [1.0, 1.0, f64::NAN, f64::NAN, 2.0] {
        source.par("value").unwrap().set(value).unwrap();
        net.step().unwrap();
    }
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 3, "once for each new value: {seen:?}");
    assert!(seen[1].1.is_nan() && (seen[0].1, seen[2].1) == (1.0, 2.0));
}

#[test]
fn rows_of_a_table_drive_parameters_with_texts_too() {
    let net = net();
    let geo = target(&net.root(), "geo1");
    let table = net.root().create("tableDAT", "table1").unwrap();
    fill(
        &table,
        &[
            "path parameter value enable",
            "geo1 Tx 2.5 1",
            "geo1 Note hello 1",
            "geo1 Kind b 1",
            "geo1 Count 12.9 -",
            "geo1 On 1 0",
            "geo1 Other table1 1",
            "geo1 Nosuch 1 1",
        ],
    );
    table.set_flag(Flag::Export, true).unwrap();
    net.step().unwrap();
    let shown = |par: &str| geo.par(par).unwrap().eval().unwrap();
    assert_eq!(shown("Tx"), Value::Float(2.5));
    assert_eq!(shown("Note"), "hello".into());
    assert_eq!(shown("Kind"), "b".into());
    assert_eq!(shown("Count"), Value::Int(12));
    assert_eq!(shown("On"), Value::Bool(false));
    assert_eq!(shown("Other"), Value::Op(table.id()));
    assert_eq!(table.unresolved_exports().unwrap(), ["geo1:Nosuch: /geo1 has no parameter Nosuch"]);
    table.set_cell_headed("geo1", "value", "x").unwrap();
    net.step().unwrap();
    assert_eq!(shown("Tx"), Value::Float(2.5), "a text that is no number counts for nothing");
    table.set_cell_headed("geo1", "value", "7").unwrap();
    net.step().unwrap();
    assert_eq!((shown("Tx"), table.export_changes().unwrap()), (Value::Float(7.0), 1));
}

#[test]
fn one_channel_drives_several_parameters() {
    let net = net();
    let (geo1, geo2) = (target(&net.root(), "geo1"), target(&net.root(), "geo2"));
    let source = chans(&net.root(), "in1", &[("a", 3.0)]);
    with_table(&source, "export1", &["index path parameter", "0 geo1 Tx", "0 geo2 Speed"]);
    export(&source, "datindex");
    net.step().unwrap();
    let driven = source.chan("a").unwrap().unwrap().exports().unwrap();
    assert_eq!(driven, [geo1.par("Tx").unwrap(), geo2.par("Speed").unwrap()]);
}
