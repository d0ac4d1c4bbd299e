//! Results as Parquet, read by whichever of Polars, pandas and DuckDB is there: the types are those of the values.

use std::process::Command;

use super::{QUEUE, folder, swept};
use crate::support::skipped;

const EXPERIMENT: &str = r#"
scenario = "queue.toml"
replications = 2
metrics = ["makespan", "turnaround.p99", "device.server.waited_share"]
[vary]
"device.server.channels" = [1, 2]
"device.server.discipline" = ["fifo", "lifo"]
"task.request.arrival.gap.exponential" = ["10ms", "20ms"]
"#;

/// What each of them says of the types, and of some figures: channels, discipline, replication, value, how many values are null.
const READERS: [(&str, &str); 3] = [
    (
        "polars",
        "import polars as p, sys\nt=p.read_parquet(sys.argv[1])\nprint(t.shape, [str(x) for x in t.dtypes], t['value'].null_count(), \
         t['device.server.channels'].sum(), sorted(set(t['unit'])))",
    ),
    (
        "duckdb",
        "import duckdb, sys\nt=duckdb.sql(f\"select * from '{sys.argv[1]}'\")\nprint(t.shape, [str(x) for x in t.types], \
         duckdb.sql('select count(*) from t where value is null').fetchall()[0][0], \
         int(duckdb.sql('select sum(\"device.server.channels\") from t').fetchall()[0][0]), \
         sorted(x[0] for x in duckdb.sql('select distinct unit from t').fetchall()))",
    ),
    (
        "pandas",
        "import pandas as p, sys\nt=p.read_parquet(sys.argv[1])\nprint(t.shape, [str(x) for x in t.dtypes], int(t['value'].isna().sum()), \
         int(t['device.server.channels'].sum()), sorted(set(t['unit'])))",
    ),
];

/// What they call the types of the seven columns.
const TYPES: [(&str, [&str; 7]); 3] = [
    ("polars", ["Int64", "String", "String", "Int64", "String", "Float64", "String"]),
    ("duckdb", ["BIGINT", "VARCHAR", "VARCHAR", "BIGINT", "VARCHAR", "DOUBLE", "VARCHAR"]),
    ("pandas", ["int64", "str", "str", "int64", "str", "float64", "str"]),
];

#[test]
fn data_frames_have_the_types_of_the_values() {
    let folder = folder("parquet", QUEUE, EXPERIMENT);
    swept(&folder, "out", &[]);
    let file = folder.join("out/results.parquet");
    let mut read = 0;
    for ((name, script), (_, types)) in READERS.into_iter().zip(TYPES) {
        let python = |script: &str| Command::new("python3").args(["-c", script]).arg(&file).output();
        if !python(&format!("import {name}{}", if name == "pandas" { ", pyarrow" } else { "" }))
            .is_ok_and(|output| output.status.success())
        {
            skipped(&format!("python3 has no {name}"));
            continue;
        }
        let output = python(script).expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let types: Vec<String> = types.iter().map(|name| format!("'{name}'")).collect();
        // Forty requests have no p99: of 48 figures 16 are missing. Channels are 24 times 1 and 24 times 2.
        let expected = format!("(48, 7) [{}] 16 72 ['ns', 'ratio']\n", types.join(", "));
        // Before pandas 3 texts are objects.
        let said = if name == "pandas" { said.replace("'object'", "'str'") } else { said };
        assert_eq!(said, expected, "{name}: {}", String::from_utf8_lossy(&output.stderr));
        read += 1;
    }
    if read == 0 {
        skipped("nothing here reads Parquet: pip install polars");
    }
}
