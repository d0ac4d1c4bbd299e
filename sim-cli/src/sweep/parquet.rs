//! Results as a Parquet file: the columns of the comma-separated values, with their types.
//!
//! A path that varies is a column of whole numbers, of numbers, or of texts, whichever all of its values are; a figure that a run
//! has not is null. Texts say that they are texts, so that no reader takes them for bytes.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::types::Type;
use serde_json::Value;
use sim_core::experiment::{Axis, Experiment};

use super::results::Results;

/// So many rows make a group: readers take groups at a time.
const GROUP: usize = 500_000;

/// What the values of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Whole,
    Number,
    Text,
}

/// A row: which variation, which replication, which metric, and its figure.
type Row = (usize, u32, usize, Option<f64>);

/// Writes all runs, in order.
///
/// # Errors
/// Those of writing.
pub fn write(experiment: &Experiment, results: &Results<'_>, out: &mut dyn Write) -> io::Result<()> {
    // The writer wants something that can be sent; what comes out is small.
    let mut bytes = Vec::new();
    encode(experiment, results, &mut bytes).map_err(io::Error::other)?;
    out.write_all(&bytes)
}

fn encode(experiment: &Experiment, results: &Results<'_>, bytes: &mut Vec<u8>) -> Result<(), ParquetError> {
    let kinds: Vec<Kind> = experiment.axes.iter().map(kind).collect();
    let schema = Arc::new(schema(experiment, &kinds)?);
    let mut file = SerializedFileWriter::new(bytes, schema, Arc::new(WriterProperties::builder().build()))?;
    let rows: Vec<Row> = results
        .runs()
        .flat_map(|((variation, replication), figures)| {
            figures.iter().enumerate().map(move |(metric, figure)| (variation, replication, metric, *figure))
        })
        .collect();
    for rows in rows.chunks(GROUP) {
        let mut group = file.next_row_group()?;
        for (axis, kind) in kinds.iter().enumerate() {
            setting(&mut group, experiment, (axis, *kind), rows)?;
        }
        let numbers: Vec<i64> = rows.iter().map(|(_, replication, ..)| i64::from(*replication)).collect();
        column::<Int64Type>(&mut group, &numbers, None)?;
        let metric = |of: fn(&sim_core::experiment::Metric) -> &str| -> Vec<ByteArray> {
            rows.iter().map(|(_, _, metric, _)| of(&experiment.metrics[*metric]).into()).collect()
        };
        column::<ByteArrayType>(&mut group, &metric(|metric| metric.path()), None)?;
        let known: Vec<f64> = rows.iter().filter_map(|(.., figure)| *figure).collect();
        let levels: Vec<i16> = rows.iter().map(|(.., figure)| i16::from(figure.is_some())).collect();
        column::<DoubleType>(&mut group, &known, Some(&levels))?;
        column::<ByteArrayType>(&mut group, &metric(|metric| metric.unit().name()), None)?;
        group.close()?;
    }
    file.close().map(drop)
}

/// What all values of an axis are.
fn kind(axis: &Axis) -> Kind {
    let all = |is_it: fn(&Value) -> bool| axis.values.iter().all(|setting| is_it(&setting.json));
    match () {
        () if all(Value::is_i64) => Kind::Whole,
        () if all(Value::is_number) => Kind::Number,
        () => Kind::Text,
    }
}

fn schema(experiment: &Experiment, kinds: &[Kind]) -> Result<Type, ParquetError> {
    let field = |name: &str, kind: Kind, repetition: Repetition| -> Result<Arc<Type>, ParquetError> {
        let (physical, logical) = match kind {
            Kind::Whole => (Physical::INT64, None),
            Kind::Number => (Physical::DOUBLE, None),
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        };
        let field = Type::primitive_type_builder(name, physical);
        field.with_repetition(repetition).with_logical_type(logical).build().map(Arc::new)
    };
    let mut fields = Vec::new();
    for (axis, kind) in experiment.axes.iter().zip(kinds) {
        fields.push(field(&axis.path, *kind, Repetition::REQUIRED)?);
    }
    fields.push(field("replication", Kind::Whole, Repetition::REQUIRED)?);
    fields.push(field("metric", Kind::Text, Repetition::REQUIRED)?);
    fields.push(field("value", Kind::Number, Repetition::OPTIONAL)?);
    fields.push(field("unit", Kind::Text, Repetition::REQUIRED)?);
    Type::group_type_builder("results").with_fields(fields).build()
}

/// The column of a path that varies.
fn setting<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    experiment: &Experiment,
    (axis, kind): (usize, Kind),
    rows: &[Row],
) -> Result<(), ParquetError> {
    let values = || {
        rows.iter().map(|(variation, ..)| {
            let choice = experiment.choice(*variation)[axis];
            &experiment.axes[axis].values[choice].json
        })
    };
    match kind {
        Kind::Whole => {
            let whole: Vec<i64> = values().filter_map(Value::as_i64).collect();
            column::<Int64Type>(group, &whole, None)
        }
        Kind::Number => {
            let numbers: Vec<f64> = values().filter_map(Value::as_f64).collect();
            column::<DoubleType>(group, &numbers, None)
        }
        Kind::Text => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let texts: Vec<ByteArray> = values().map(|value| text(value).into_bytes().into()).collect();
            column::<ByteArrayType>(group, &texts, None)
        }
    }
}

/// A column with these values; `levels` says for each row whether it has one.
fn column<T: DataType>(
    group: &mut SerializedRowGroupWriter<'_, impl Write + Send>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else { return Ok(()) };
    column.typed::<T>().write_batch(values, levels, None)?;
    column.close()
}
