//! The tables of `--trace`: what they add up to, and that the recipes of the docs read them.

use std::collections::BTreeMap;
use std::process::Command;

use crate::support::{outcome_of, root, scenario, sim, skipped, temporary_folder};

/// The blocks of code in docs/traces.md that begin with the name of a package in a comment.
fn recipes() -> Vec<(String, String)> {
    let docs = std::fs::read_to_string(root().join("docs/traces.md")).expect("readable");
    let blocks = docs.split("\n\n").filter_map(|block| {
        let lines: Vec<&str> = block.lines().map(|line| line.strip_prefix("    ")).collect::<Option<_>>()?;
        Some((lines.first()?.strip_prefix("# ")?.to_owned(), lines.join("\n")))
    });
    blocks.collect()
}

#[test]
fn recipes_of_the_docs_run() {
    let folder = temporary_folder("table-recipes");
    let trace = folder.join("c.waits.csv").display().to_string();
    assert!(sim(&["run", "configs/convoy.toml", "-q", "--trace", &trace]).status.success());
    let recipes = recipes();
    assert_eq!(recipes.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["pandas", "polars", "duckdb"]);
    for (package, recipe) in recipes {
        let python = |script: &str| Command::new("python3").args(["-c", script]).current_dir(&folder).output();
        if !python(&format!("import {package}")).is_ok_and(|output| output.status.success()) {
            skipped(&format!("python3 has no {package}"));
            continue;
        }
        let output = python(&recipe).expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        // The hog waits for 14 ms.
        assert!(said.contains("14000000") && said.contains("server/hog#0"), "{package}: {said}{error}");
    }
}

/// The rows of a table by the names of their columns. No name in it needs quotes.
fn rows(text: &str) -> Vec<BTreeMap<&str, &str>> {
    let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    lines.map(|cells| header.iter().copied().zip(cells).collect()).collect()
}

#[test]
fn tables_add_up_to_the_outcome() {
    let folder = temporary_folder("tables");
    for config in ["priority-inversion", "firm-deadlines", "io-bound-async", "work-stealing", "deadlock"] {
        let path = root().join(format!("configs/{config}.toml"));
        let outcome = outcome_of(&scenario(&std::fs::read_to_string(&path).expect("readable")));
        let tables = ["tasks", "jobs", "intervals", "waits"];
        let files = tables.map(|table| folder.join(format!("{config}.{table}.csv")).display().to_string());
        let options: Vec<&str> = files.iter().flat_map(|file| ["--trace", file]).collect();
        sim(&[&["run", &path.display().to_string(), "-q"], &options[..]].concat());
        let texts = files.map(|file| std::fs::read_to_string(file).expect("written"));
        let [tasks, jobs, intervals, waits] = [0, 1, 2, 3].map(|table: usize| rows(&texts[table]));
        let ns = |row: &BTreeMap<&str, &str>, column: &str| row[column].parse::<u64>().expect(column);
        let length = |row: &BTreeMap<&str, &str>| ns(row, "end_ns") - ns(row, "start_ns");
        assert_eq!(tasks.len(), outcome.tasks.len(), "{config}");
        for task in &outcome.tasks {
            let row = tasks.iter().find(|row| row["task"] == task.name).expect("a row");
            let found = ["running_ns", "waiting_ns", "blocked_ns", "overhead_ns"].map(|column| ns(row, column));
            let wanted = [task.running_ns, task.waiting_ns, task.blocked_ns, task.overhead_ns];
            assert_eq!(found, wanted, "{config}: {}", task.name);
            let on: u64 = intervals.iter().filter(|row| row["task"] == task.name).map(length).sum();
            assert_eq!(on, task.running_ns + task.overhead_ns, "{config}: {}", task.name);
            let waited = waits.iter().filter(|row| row["task"] == task.name && row["kind"] == "waiting");
            assert_eq!(waited.map(length).sum::<u64>(), task.waiting_ns, "{config}: {}", task.name);
        }
        let missed = jobs.iter().filter(|row| row["missed"] == "true").count() as u64;
        assert_eq!(missed, outcome.summary.deadline_misses, "{config}");
    }
}

/// What a table is as Parquet, by whichever of the three packages is there.
#[cfg(feature = "parquet")]
#[test]
fn tables_as_parquet_have_the_types_of_their_columns() {
    let folder = temporary_folder("tables-parquet");
    let file = folder.join("c.tasks.parquet").display().to_string();
    assert!(sim(&["run", "configs/convoy.toml", "-q", "--trace", &file]).status.success());
    let scripts = [
        (
            "polars",
            "import polars as p, sys\nt=p.read_parquet(sys.argv[1])\nprint(t.shape, t['waiting_ns'].sum(), t['task'][0])",
        ),
        (
            "pandas",
            "import pandas as p, sys\nt=p.read_parquet(sys.argv[1])\nprint(t.shape, t['waiting_ns'].sum(), t['task'][0])",
        ),
        (
            "duckdb",
            "import duckdb, sys\nt=duckdb.sql(f\"select * from '{sys.argv[1]}'\")\n\
             print(t.shape, *duckdb.sql('select cast(sum(waiting_ns) as bigint), first(task) from t').fetchall()[0])",
        ),
    ];
    for (package, script) in scripts {
        let python = |script: &str| Command::new("python3").args(["-c", script, &file]).output();
        let needed = if package == "pandas" { "pandas, pyarrow" } else { package };
        if !python(&format!("import {needed}")).is_ok_and(|output| output.status.success()) {
            skipped(&format!("python3 has no {needed}"));
            continue;
        }
        let output = python(script).expect("it starts");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(said, "(5, 12) 1114000000 server/hog#0\n", "{package}: {}", String::from_utf8_lossy(&output.stderr));
    }
}
