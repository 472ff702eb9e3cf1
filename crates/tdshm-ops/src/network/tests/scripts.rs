//! Script CHOPs and Table DATs.

use std::sync::Arc;

use super::{chans, net, value};
use crate::clip::ChannelNames;
use crate::{Cook, Flag, Force, OpError, ScriptCallback, Table};

fn fill(cook: &mut Cook, value: f32) -> Result<(), String> {
    cook.fill_clip(|clip| clip.shape(ChannelNames::numbered(1), 1).map(|samples| samples.fill(value)))
        .map_err(|error| error.to_string())
}

#[test]
fn a_closure_makes_channels_with_what_others_give() {
    let net = net();
    let source = chans(&net.root(), "in1", &[("a", 2.0), ("b", 3.0)]);
    let base = net.root().create("baseCOMP", "base1").unwrap();
    base.append_custom_par(crate::ParSpec::float("Factor", "Factor", 10.0)).unwrap();
    let script = net.root().create("scriptCHOP", "script1").unwrap();
    script.input_connector(0).unwrap().connect(&source).unwrap();
    assert_eq!(script.num_chans().unwrap(), 2, "without a closure the input");
    script
        .set_script(ScriptCallback::new(|cook| {
            let factor = cook.op("base1").and_then(|op| op.par("Factor")?.eval_f64());
            let input = cook.clip(0).ok_or("no input")?;
            let sum: f32 = input.samples().iter().sum();
            let other = cook.op("other").and_then(|op| op.chan("chan1")).ok().flatten();
            let other = other.and_then(|chan| chan.eval().ok().flatten()).unwrap_or(0.0);
            #[expect(clippy::cast_possible_truncation, reason = "samples have 32 bits")]
            let all = (f64::from(sum) * factor.map_err(|error| error.to_string())? + other) as f32;
            fill(cook, all)
        }))
        .unwrap();
    assert_eq!(value(&script), 50.0);
    let other = net.root().create("giveCHOP", "other").unwrap();
    other.par("value").unwrap().set(7).unwrap();
    base.par("Factor").unwrap().set(2).unwrap();
    script.cook(Force::Yes).unwrap();
    assert_eq!(value(&script), 17.0, "another operator is asked from inside the closure");
}

#[test]
fn an_error_and_a_panic_are_shown_and_the_output_stays() {
    let net = net();
    let script = net.root().create("scriptCHOP", "script1").unwrap();
    let mut cooks = 0;
    script
        .set_script(ScriptCallback::new(move |cook| {
            cook.depend_on_time();
            cooks += 1;
            fill(cook, cooks as f32)?;
            match cooks {
                2 => Err("the second time fails".into()),
                3 => panic!("the third time panics"),
                _ => Ok(()),
            }
        }))
        .unwrap();
    script.set_flag(Flag::Viewer, true).unwrap();
    let rows = [
        (1.0, ""),
        (1.0, "the second time fails"),
        (1.0, "The code of this operator panicked: its output is that of the last good cook."),
        (4.0, ""),
    ];
    for (output, errors) in rows {
        net.step().unwrap();
        assert_eq!((value(&script), script.errors().unwrap().as_str()), (output, errors));
    }
    assert!(net.step().is_ok());
}

#[test]
fn a_closure_may_change_the_network_but_begin_no_frame() {
    let net = net();
    let script = net.root().create("scriptCHOP", "script1").unwrap();
    let made = net.clone();
    script
        .set_script(ScriptCallback::new(move |cook| {
            if made.op("made").is_err() {
                let op = made.root().create("giveCHOP", "made").map_err(|error| error.to_string())?;
                op.par("value").and_then(|par| par.set(5)).map_err(|error| error.to_string())?;
            }
            assert_eq!(made.step(), Err(OpError::Cooking));
            let me = cook.me();
            assert!(me.set_script(ScriptCallback::new(|_| Ok(()))).is_err(), "not while it cooks");
            cook.op("made").and_then(|op| op.destroy()).map_err(|error| error.to_string())?;
            fill(cook, 1.0)
        }))
        .unwrap();
    script.set_flag(Flag::Viewer, true).unwrap();
    net.step().unwrap();
    assert_eq!((value(&script), script.errors().unwrap().as_str()), (1.0, ""));
    assert!(net.op("made").is_err());
    // The closure has a handle of its own network.
    script.destroy().unwrap();
}

#[test]
fn one_that_destroys_itself_is_gone_after_its_cook() {
    let net = net();
    let script = net.root().create("scriptCHOP", "script1").unwrap();
    script
        .set_script(ScriptCallback::new(|cook| cook.me().destroy().map_err(|error| error.to_string())))
        .unwrap();
    script.set_flag(Flag::Viewer, true).unwrap();
    net.step().unwrap();
    assert!(!script.is_valid());
    assert_eq!(script.total_cooks(), Err(OpError::Destroyed));
}

#[test]
fn tables_are_set_and_changed_by_cells_rows_and_headers() {
    let net = net();
    let table = net.root().create("tableDAT", "table1").unwrap();
    assert_eq!((table.table().unwrap().num_rows(), table.table().unwrap().num_columns()), (0, 0));
    table.set_table(Table::from_rows([vec!["name", "value"], vec!["tx"]])).unwrap();
    let before = table.table().unwrap();
    assert_eq!(before.cell_headed("tx", "value"), Some(""), "short rows are filled");
    table.set_cell_headed("tx", "value", "3").unwrap();
    table.append_row(&["ty", "4", "more"]).unwrap();
    table.set_cell(3, 1, "5").unwrap();
    let now = table.table().unwrap();
    let rows: Vec<String> = now.rows().map(|row| row.join(",")).collect();
    assert_eq!(rows, ["name,value,", "tx,3,", "ty,4,more", ",5,"]);
    assert_eq!(before.num_rows(), 2, "who has the table keeps it as it was");
    assert!(Arc::ptr_eq(&now, &table.table().unwrap()), "nothing is copied while nothing changes");
    assert_eq!(
        table.set_cell_headed("tz", "value", "1").unwrap_err().to_string(),
        "the header of a row is \"tz\", and must be in the first column"
    );
    let refused = table.set_cell(65_536, 0, "x").unwrap_err();
    assert_eq!(refused.to_string(), "the place of a cell is 65536, and must be below 65536 rows and columns");
    let null = net.root().create("nullCHOP", "null1").unwrap();
    assert!(null.set_cell(0, 0, "x").unwrap_err().to_string().contains("create a Table DAT"));
    assert!(null.append_row(&["x"]).is_err() && null.set_table(Table::default()).is_err());
    let mut table = Table::from_rows([["a", "b"], ["c", "d"]]);
    assert_eq!(table.remove_row(0).map(|row| row.join(",")), Some("a,b".into()));
    assert_eq!((table.remove_row(1), table.num_rows()), (None, 1));
}
