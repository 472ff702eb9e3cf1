//! From names and tables to parameters (operators §7.3, §7.4).

use super::{Basis, Method};
use crate::expr::number::Shown;
use crate::network::state::State;
use crate::table::Table;
use crate::value::OpId;

/// Channels and the parameters that they drive; and a line for each that leads nowhere.
type Found = (Vec<(usize, (OpId, usize))>, Vec<String>);

/// The columns of an export table. Every one but the first two may be missing.
struct Columns {
    path: usize,
    parameter: usize,
    index: Option<usize>,
    name: Option<usize>,
    enable: Option<usize>,
}

impl Columns {
    /// Finds them by their headers, in any order (operators §7.4).
    fn of(table: &Table) -> Result<Self, String> {
        let find = |header: &str| table.column_headed(header);
        let must = |header: &str| {
            find(header).ok_or_else(|| {
                format!("the export table has no column {header}: its first row names the columns")
            })
        };
        Ok(Self {
            path: must("path")?,
            parameter: must("parameter")?,
            index: find("index").or_else(|| find("chanindex")),
            name: find("name").or_else(|| find("channame")),
            enable: find("enable"),
        })
    }
}

impl State {
    pub(super) fn resolve(&self, id: OpId, basis: &Basis) -> Found {
        let mut found = Found::default();
        if basis.method == Method::Auto {
            for (channel, name) in basis.names.iter().enumerate() {
                let to = self.named_target(basis.root, name);
                found.add(channel, name, to);
            }
            return found;
        }
        let Some(table) = &basis.table else { return found };
        let columns = match Columns::of(table) {
            Ok(columns) => columns,
            Err(problem) => {
                found.1.push(problem);
                return found;
            }
        };
        for row in 1..table.num_rows() {
            let cell = |column: usize| table.cell(row, column).unwrap_or_default().trim();
            if !columns.enable.is_none_or(|column| is_on(cell(column))) {
                continue;
            }
            let (path, parameter) = (cell(columns.path), cell(columns.parameter));
            let channel = match basis.method {
                Method::Rows => Ok(row),
                Method::Name => {
                    let name = columns.name.map(cell).unwrap_or_default();
                    if name.is_empty() {
                        continue;
                    }
                    basis.names.index_of(name).ok_or_else(|| format!("there is no channel {name}"))
                }
                Method::Index | Method::Auto => {
                    // No number there: the row is disabled.
                    let Some(index) = columns.index.and_then(|column| cell(column).parse::<f64>().ok())
                    else {
                        continue;
                    };
                    place(index, basis.names.len())
                        .ok_or_else(|| format!("there is no channel {}", Shown(index)))
                }
            };
            let takes = if basis.method == Method::Rows { Takes::Anything } else { Takes::Numbers };
            let to = channel.and_then(|channel| {
                Ok((channel, self.target(self.get(id).and_then(|node| node.parent), path, parameter, takes)?))
            });
            match to {
                Ok((channel, to)) => found.0.push((channel, to)),
                Err(reason) => found.1.push(format!("{path}:{parameter}: {reason}")),
            }
        }
        found
    }

    /// The parameter that a channel's name means: `geo1:tx`, where `:` and `/` are the same.
    fn named_target(&self, root: OpId, name: &str) -> Result<(OpId, usize), String> {
        let path = name.replace(':', "/");
        match path.rsplit_once('/') {
            Some((path, par)) if !path.is_empty() => self.target(Some(root), path, par, Takes::Numbers),
            _ => Err("it names no parameter: write it as geo1:tx".into()),
        }
    }

    fn target(
        &self,
        root: Option<OpId>,
        path: &str,
        par: &str,
        takes: Takes,
    ) -> Result<(OpId, usize), String> {
        let op = self
            .find(root.unwrap_or(Self::ROOT), path)
            .ok_or_else(|| format!("there is no operator {path}"))?;
        let missing = || format!("{} has no parameter {par}", self.path(op));
        let node = self.get(op).ok_or_else(missing)?;
        let at = node.par_index(par).ok_or_else(missing)?;
        let is_number = node.pars.get(at).is_some_and(|par| par.spec.style.takes_exports());
        match takes {
            Takes::Numbers if !is_number => Err("it takes texts, and a channel gives numbers".into()),
            _ => Ok((op, at)),
        }
    }
}

/// What an exporter has to give.
#[derive(Clone, Copy)]
enum Takes {
    Numbers,
    Anything,
}

trait Add {
    fn add(&mut self, channel: usize, name: &str, to: Result<(OpId, usize), String>);
}

impl Add for Found {
    fn add(&mut self, channel: usize, name: &str, to: Result<(OpId, usize), String>) {
        match to {
            Ok(to) => self.0.push((channel, to)),
            Err(reason) => self.1.push(format!("{name}: {reason}")),
        }
    }
}

/// Whether a row counts. An empty cell is a missing one, which means yes (operators §7.4).
fn is_on(cell: &str) -> bool {
    match cell.parse::<f64>() {
        Ok(number) => number > 0.0,
        Err(_) => cell.is_empty() || cell.eq_ignore_ascii_case("true") || cell.eq_ignore_ascii_case("on"),
    }
}

/// A whole number below `count`.
fn place(index: f64, count: usize) -> Option<usize> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "`as` saturates, and it is compared"
    )]
    let place = index as usize;
    #[expect(clippy::cast_precision_loss, reason = "channels are fewer than 2^53")]
    let is_whole = place as f64 == index;
    (is_whole && place < count).then_some(place)
}
