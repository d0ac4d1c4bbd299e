//! A table as Parquet. Numbers are signed, as readers like them; texts say that they are texts, so that no reader takes them for
//! bytes.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type as Schema;
use sim_core::timeline::Timeline;

use super::{Cell, Columns, Rows, Table, Type};

/// So many rows make a group: as many are kept, and readers take as many at a time.
const GROUP: usize = 200_000;

pub(super) fn write(table: &Table, timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    // The writer wants something that can be sent: what comes out of it goes on group by group.
    let file = SerializedFileWriter::new(
        Vec::new(),
        Arc::new(schema(table.columns).map_err(io::Error::other)?),
        Arc::new(WriterProperties::builder().build()),
    );
    let columns = table.columns.iter().map(|(_, kind)| Values::new(*kind)).collect();
    let mut groups = Groups { file: file.map_err(io::Error::other)?, columns, rows: 0, out };
    (table.fill)(timeline, &mut groups)?;
    groups.ends().map_err(io::Error::other)
}

fn schema(columns: Columns) -> Result<Schema, ParquetError> {
    let field = |(name, kind): &(&str, Type)| {
        let (physical, logical) = match kind {
            Type::Number => (Physical::INT64, None),
            Type::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Type::Flag => (Physical::BOOLEAN, None),
        };
        let field = Schema::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        field.with_logical_type(logical).build().map(Arc::new)
    };
    let fields = columns.iter().map(field).collect::<Result<_, _>>()?;
    Schema::group_type_builder("table").with_fields(fields).build()
}

/// The cells of a column that have not gone out yet, and for each row whether it has one.
struct Values {
    numbers: Vec<i64>,
    texts: Vec<ByteArray>,
    flags: Vec<bool>,
    kind: Type,
    levels: Vec<i16>,
}

impl Values {
    fn new(kind: Type) -> Values {
        Values { numbers: Vec::new(), texts: Vec::new(), flags: Vec::new(), kind, levels: Vec::new() }
    }

    fn push(&mut self, cell: Cell<'_>) {
        self.levels.push(i16::from(cell != Cell::Missing));
        match cell {
            Cell::Number(number) => self.numbers.push(i64::try_from(number).unwrap_or(i64::MAX)),
            Cell::Text(text) => self.texts.push(text.into()),
            Cell::Flag(flag) => self.flags.push(flag),
            Cell::Missing => {}
        }
    }
}

struct Groups<'a> {
    file: SerializedFileWriter<Vec<u8>>,
    columns: Vec<Values>,
    rows: usize,
    out: &'a mut dyn Write,
}

impl Rows for Groups<'_> {
    fn row(&mut self, cells: &[Cell<'_>]) -> io::Result<()> {
        self.columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(*cell));
        self.rows += 1;
        if self.rows == GROUP { self.group().map_err(io::Error::other) } else { Ok(()) }
    }
}

impl Groups<'_> {
    fn group(&mut self) -> Result<(), ParquetError> {
        let mut group = self.file.next_row_group()?;
        for column in &mut self.columns {
            let levels = std::mem::take(&mut column.levels);
            match column.kind {
                Type::Number => fill::<Int64Type>(&mut group, &std::mem::take(&mut column.numbers), &levels)?,
                Type::Text => fill::<ByteArrayType>(&mut group, &std::mem::take(&mut column.texts), &levels)?,
                Type::Flag => fill::<BoolType>(&mut group, &std::mem::take(&mut column.flags), &levels)?,
            }
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }

    fn ends(mut self) -> Result<(), ParquetError> {
        if self.rows > 0 {
            self.group()?;
        }
        self.out.write_all(&self.file.into_inner()?)?;
        Ok(())
    }
}

fn fill<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, Vec<u8>>,
    values: &[T::T],
    levels: &[i16],
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    column.typed::<T>().write_batch(values, Some(levels), None)?;
    column.close()
}
