//! A table as comma-separated values.

use std::io::{self, Write};

use sim_core::timeline::Timeline;

use super::{Cell, Rows, Table};
use crate::export::csv::field;

pub(super) fn write(table: &Table, timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
    writeln!(out, "{}", names.join(","))?;
    (table.fill)(timeline, &mut Lines { out })
}

struct Lines<'a> {
    out: &'a mut dyn Write,
}

impl Rows for Lines<'_> {
    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        for (index, cell) in cells.iter().enumerate() {
            if index > 0 {
                self.out.write_all(b",")?;
            }
            match cell {
                Cell::Number(number) => write!(self.out, "{number}")?,
                Cell::Text(text) => self.out.write_all(field(text).as_bytes())?,
                Cell::Flag(flag) => write!(self.out, "{flag}")?,
                Cell::Missing => {}
            }
        }
        self.out.write_all(b"\n")
    }
}
