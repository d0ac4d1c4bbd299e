#!/usr/bin/env bash
# parquet 60.1.0 (the Rust crate) gives columns of floating-point numbers a newer column order, IEEE 754's, in the footer of the file, and
# has no setting against it. Polars 1.35.2 (of a year before) cannot read any file with such a column: "File out of specification: Invalid
# thrift: bad data". Columns of whole numbers and texts written by the same crate are read; parquet 59.3.2 writes doubles that are
# read; Polars 2.1.0 reads them all. So a writer's minor choice decides who can open a file, and only columns of floats show it.
#
# Seen, read by Polars 1.35.2: doubles of parquet 60.1.0: bad data; integers of 60.1.0: 3 rows; doubles of 59.3.2: 3 rows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv python
python/bin/pip install --quiet polars==1.35.2
write() { # VERSION
    mkdir -p "writer-$1/src"
    cat > "writer-$1/Cargo.toml" <<TOML
[package]
name = "writer"
version = "0.0.0"
edition = "2021"
[dependencies]
parquet = { version = "=$1", default-features = false }
TOML
    cat > "writer-$1/src/main.rs" <<'RUST'
use std::fs::File;
use std::sync::Arc;

use parquet::basic::{Repetition, Type as Physical};
use parquet::data_type::{DataType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

fn column<T: DataType>(name: &str, physical: Physical, values: &[T::T]) {
    let field = Type::primitive_type_builder("x", physical).with_repetition(Repetition::REQUIRED).build().unwrap();
    let schema = Type::group_type_builder("table").with_fields(vec![Arc::new(field)]).build().unwrap();
    let out = File::create(name).unwrap();
    let mut file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(WriterProperties::default())).unwrap();
    let mut group = file.next_row_group().unwrap();
    let mut column = group.next_column().unwrap().unwrap();
    column.typed::<T>().write_batch(values, None, None).unwrap();
    column.close().unwrap();
    group.close().unwrap();
    file.close().unwrap();
}

fn main() {
    column::<DoubleType>("doubles.parquet", Physical::DOUBLE, &[1.0, 2.0, 3.0]);
    column::<Int64Type>("integers.parquet", Physical::INT64, &[1, 2, 3]);
}
RUST
    (cd "writer-$1" && cargo run --quiet)
}
read_by_polars() { # FILE
    python/bin/python -c "
import polars, sys
try:
    print(polars.read_parquet(sys.argv[1]).height, 'rows')
except polars.exceptions.ComputeError as error:
    print('bad data' if 'bad data' in str(error) else error)" "$1"
}
write 60.1.0
write 59.3.2
doubles=$(read_by_polars writer-60.1.0/doubles.parquet)
integers=$(read_by_polars writer-60.1.0/integers.parquet)
before=$(read_by_polars writer-59.3.2/doubles.parquet)
echo "doubles of 60.1.0: $doubles; integers of 60.1.0: $integers; doubles of 59.3.2: $before"
[ "$doubles" = "bad data" ] && [ "$integers" = "3 rows" ] && [ "$before" = "3 rows" ]
