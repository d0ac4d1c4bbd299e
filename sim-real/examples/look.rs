//! Runs a scenario file for real and prints every interval: to look at what was measured.
//!
//! `cargo run --release -p sim-real --example look -- FILE [RUNG]`, where a rung is one of `cpu-wide`, `own-tree`,
//! `page-clock`, `gaps`.
#![expect(clippy::print_stdout, reason = "a program to look at things")]

use std::error::Error;

use sim_core::document::Source;
use sim_core::scenario::lower;
use sim_real::{Options, Rung};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().ok_or("which file?")?;
    let rung = arguments.next();
    let best_recorder = match &rung {
        None => Rung::CpuWide,
        Some(name) => Rung::ALL.into_iter().find(|rung| rung.name() == name).ok_or("no such rung")?,
    };
    let text = std::fs::read_to_string(&file)?;
    let source = Source { file: &file, text: &text };
    let scenario = lower::scenario(&source, &[]).map_err(|mistakes| mistakes.to_string())?;
    let measured = sim_real::measure(&scenario, &Options { best_recorder, ..Options::default() })?;
    let timeline = &measured.timeline;
    for interval in &timeline.intervals {
        let length = interval.end - interval.start;
        println!(
            "cpu {} thread {} {:>12} .. {:>12} {length:>12} {} {:?}",
            interval.cpu.0,
            interval.thread.0,
            interval.start.to_string(),
            interval.end.to_string(),
            timeline.short_name(interval.task),
            interval.left
        );
    }
    for block in &timeline.blocks {
        println!("{} blocked {} .. {} {:?}", timeline.short_name(block.task), block.start, block.end, block.cause);
    }
    println!("{:#?}\nmakespan {}", measured.recorded, timeline.makespan());
    if let Err(violations) = timeline.check() {
        println!("to the nanosecond:\n{violations}");
    }
    Ok(())
}
