//! Table DAT: rows of cells, such as an export table (operators §7.4).

use std::sync::Arc;

use crate::cook::Cook;
use crate::data::Data;
use crate::op::{Family, OpSpec, Operator};
use crate::table::Table;

pub(crate) fn spec() -> OpSpec {
    OpSpec::new(
        "tableDAT",
        Family::Dat,
        "Table",
        "Rows of cells, set by a script or a patch. With the Export flag each row drives a parameter: its first row then \
         has the headers path, parameter, value and, if some rows are to be switched off, enable.",
        || Box::new(TableDat::default()),
    )
}

/// Its contents are shared with its output, until somebody changes a cell.
#[derive(Default)]
struct TableDat(Arc<Table>);

impl Operator for TableDat {
    fn cook(&mut self, cook: &mut Cook) {
        cook.pass_data(Data::Dat(Arc::clone(&self.0)));
    }

    fn set_table(&mut self, table: Table) -> Result<(), Table> {
        self.0 = Arc::new(table);
        Ok(())
    }

    fn table(&self) -> Option<&Table> {
        Some(&self.0)
    }

    fn table_mut(&mut self) -> Option<&mut Table> {
        Some(Arc::make_mut(&mut self.0))
    }
}
