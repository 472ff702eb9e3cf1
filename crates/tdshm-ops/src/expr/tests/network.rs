//! A network of five operators, for expressions to look at.

use crate::expr::{Expr, Key, Scope, TimeOf};
use crate::{ExprError, OpId, Value};

/// `me` is `/project1/geo3`, beside the CHOP `lfo1` and the table `table1`.
pub(super) struct Network;

const PATHS: [&str; 5] = ["/", "/project1", "/project1/geo3", "/project1/lfo1", "/project1/table1"];
const CHANNELS: [(&str, [f64; 4]); 3] =
    [("tx", [0.5, 1.5, 2.5, 3.5]), ("ty", [-1.0, -2.0, -3.0, -4.0]), ("two words", [7.0, 7.0, 7.0, 7.0])];
const CELLS: [[&str; 2]; 3] = [["name", "value"], ["gain", "0.25"], ["mode", "fast"]];

fn id(path: &str) -> Option<OpId> {
    PATHS.iter().position(|known| *known == path).and_then(|index| u32::try_from(index).ok()).map(OpId)
}

fn path(op: OpId) -> &'static str {
    PATHS[op.0 as usize]
}

impl Scope for Network {
    fn me(&self) -> OpId {
        OpId(2)
    }

    fn op(&mut self, from: OpId, to: &str) -> Option<OpId> {
        if to.starts_with('/') {
            return id(to);
        }
        let from = if from == self.me() { "/project1" } else { path(from).trim_end_matches('/') };
        id(&format!("{from}/{to}"))
    }

    fn parent(&mut self, of: OpId, levels: usize) -> Option<OpId> {
        let mut at = path(of);
        for _ in 0..levels {
            if at == "/" {
                return None;
            }
            at = at.rsplit_once('/').map(|(front, _)| if front.is_empty() { "/" } else { front })?;
        }
        id(at)
    }

    fn par(&mut self, op: OpId, name: &str) -> Result<Value, String> {
        match (path(op), name) {
            ("/project1", "Speed") => Ok(2.5.into()),
            ("/project1/geo3", "name") => Ok("cam".into()),
            ("/project1/geo3", "Source") => Ok(OpId(3).into()),
            ("/project1/geo3", "time") => Ok(12.into()),
            ("/project1/lfo1", "active") => Ok(true.into()),
            (path, _) => Err(format!("{path} has no parameter {name}")),
        }
    }

    fn channel(&mut self, op: OpId, which: Key<'_>, sample: Option<i64>) -> Result<Value, String> {
        if op != OpId(3) {
            return Err(format!("{} has no channels", path(op)));
        }
        let found = match which {
            Key::Name(name) => CHANNELS.iter().find(|channel| channel.0 == name),
            Key::Index(index) => usize::try_from(index).ok().and_then(|index| CHANNELS.get(index)),
        };
        let Some((_, samples)) = found else { return Ok(Value::None) };
        let index = usize::try_from(sample.unwrap_or(0)).ok();
        let value = index.and_then(|index| samples.get(index));
        value.map(|value| (*value).into()).ok_or_else(|| "the channel has the samples 0 to 3".into())
    }

    fn cell(&mut self, op: OpId, row: Key<'_>, column: Key<'_>) -> Result<Value, String> {
        if op != OpId(4) {
            return Err(format!("{} is no table", path(op)));
        }
        let row = match row {
            Key::Name(name) => CELLS.iter().find(|row| row[0] == name),
            Key::Index(index) => usize::try_from(index).ok().and_then(|index| CELLS.get(index)),
        };
        let column = match column {
            Key::Name(name) => CELLS[0].iter().position(|title| *title == name),
            Key::Index(index) => usize::try_from(index).ok(),
        };
        Ok(row
            .zip(column)
            .and_then(|(row, column)| row.get(column))
            .map_or(Value::None, |cell| (*cell).into()))
    }

    fn member(&mut self, op: OpId, name: &str) -> Result<Value, String> {
        let path = path(op);
        Ok(match (path, name) {
            (_, "path") => path.into(),
            (_, "name") => path.rsplit('/').next().unwrap_or_default().into(),
            ("/project1/geo3", "digits") => 3.into(),
            ("/", "digits") => Value::None,
            ("/project1/lfo1", "numChans") => 3.into(),
            _ => return Err(format!("{path} has no member {name}")),
        })
    }

    fn time(&mut self, which: TimeOf, name: &str) -> Result<Value, String> {
        match (which, name) {
            (TimeOf::Me, "frame") => Ok(10.into()),
            (TimeOf::Root, "frame") => Ok(20.into()),
            (TimeOf::Abs, "frame") => Ok(1000.into()),
            (TimeOf::Abs, "seconds") => Ok(16.5.into()),
            _ => Err("a time has frame, seconds and rate".into()),
        }
    }
}

pub(super) fn eval(text: &str) -> Result<Value, ExprError> {
    Expr::parse(text)?.eval(&mut Network)
}

pub(super) fn message(text: &str) -> String {
    match eval(text) {
        Ok(value) => panic!("{text} is {value:?}, and should be an error"),
        Err(error) => error.to_string(),
    }
}
