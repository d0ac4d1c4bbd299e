//! Traces of the kernel: what they recorded, as an outcome, stands beside the simulation of the scenario that was made of them.

use super::{imported, outcome_of, sample, scenario, scenario_with, sim, temporary_folder};

/// Two threads on one processor: `a` computes 1 ms, wakes `b`, computes 1 ms more, and sleeps for 3 ms. `b` computes 2 ms and waits for `a`.
fn trace() -> String {
    let mut text = String::new();
    let switch = |text: &mut String, at: u32, from: &str, state: &str, to: &str| {
        let thread = |name: &str, side: &str| {
            let id = if name == "a" {
                11
            } else if name == "b" {
                12
            } else {
                0
            };
            (format!("{side}_comm={name} {side}_pid={id} {side}_prio=120"), id)
        };
        let ((from, id), (to, _)) = (thread(from, "prev"), thread(to, "next"));
        let time = format!("1.{at:06}");
        *text += &format!("  x  {id} [000] {time}: sched:sched_switch: {from} prev_state={state} ==> {to}\n");
    };
    let waking = |text: &mut String, at: u32, by: u32, name: &str, id: u32| {
        *text +=
            &format!("  x {by} [000] 1.{at:06}: sched:sched_waking: comm={name} pid={id} prio=120 target_cpu=000\n");
    };
    switch(&mut text, 0, "swapper/0", "R", "b");
    switch(&mut text, 100, "b", "S", "swapper/0");
    // The processor is idle most of the time, so that it is no chance that `a` wakes `b`.
    for turn in 1..=4 {
        let at = turn * 100_000;
        waking(&mut text, at, 0, "a", 11);
        switch(&mut text, at, "swapper/0", "R", "a");
        waking(&mut text, at + 1_000, 11, "b", 12);
        switch(&mut text, at + 2_000, "a", "S", "b");
        switch(&mut text, at + 4_000, "b", "S", "swapper/0");
    }
    text
}

#[test]
fn who_wakes_whom_is_found_and_the_simulation_does_what_was_recorded() {
    let imported = imported(trace().as_bytes(), "trace.txt");
    expect_test::expect![[r#"
        [[task]]
        name = "b"
        affinity = [0]
        program = [
          { cpu = "100us" },
          { acquire = "b woken" },
          { cpu = "2ms" },
          { acquire = "b woken" },
          { cpu = "2ms" },
          { acquire = "b woken" },
          { cpu = "2ms" },
          { acquire = "b woken" },
          { cpu = "2ms" },
        ]

        [[task]]
        name = "a"
        arrival = "100ms"
        affinity = [0]
        program = [
          { cpu = "1ms" },
          { release = "b woken" },
          { cpu = "1ms" },
          { sleep = "98ms" },
          { cpu = "1ms" },
          { release = "b woken" },
          { cpu = "1ms" },
          { sleep = "98ms" },
          { cpu = "1ms" },
          { release = "b woken" },
          { cpu = "1ms" },
          { sleep = "98ms" },
          { cpu = "1ms" },
          { release = "b woken" },
          { cpu = "1ms" },
        ]
    "#]]
    .assert_eq(&imported.text[imported.text.find("[[task]]").expect("a task")..]);
    let recorded = imported.recorded().expect("a trace").expect("all its threads");
    // First come, first served does what happened.
    let simulated = outcome_of(&scenario_with(&imported.text, &[("scheduler.policy", "fifo")]));
    assert_eq!(recorded.makespan_ns, 404_000_000);
    assert_eq!(simulated.makespan_ns, recorded.makespan_ns);
    for (one, other) in recorded.tasks.iter().zip(&simulated.tasks) {
        assert_eq!(
            (one.arrival_ns, one.finish_ns, one.running_ns),
            (other.arrival_ns, other.finish_ns, other.running_ns)
        );
    }
}

#[test]
fn a_real_recording_and_its_simulation_end_at_about_the_same_time() {
    let imported = sample("perf-script.txt");
    let recorded = imported.recorded().expect("a trace").expect("all its threads");
    let simulated = outcome_of(&scenario(&imported.text));
    let [one, other] =
        [recorded.makespan_ns, simulated.makespan_ns].map(|ns| f64::from(u32::try_from(ns / 1_000).expect("short")));
    assert!((other / one - 1.0).abs() < 0.1, "{one} us recorded, {other} us simulated");
    let running = |outcome: &super::Outcome| outcome.tasks.iter().map(|task| task.running_ns).sum::<u64>();
    assert_eq!(running(&recorded), running(&simulated), "the work is that of the trace");
}

#[test]
fn what_a_trace_recorded_is_written_for_diff() {
    let folder = temporary_folder("import-trace");
    let [trace_file, out, timeline] =
        ["trace.txt", "scenario.toml", "trace.json"].map(|name| folder.join(name).display().to_string());
    std::fs::write(&trace_file, trace()).expect("written");
    assert!(sim(&["import", &trace_file, "-q", "-o", &out, "--timeline", &timeline]).status.success());
    let diff = sim(&["diff", &timeline, &out, "--set", "scheduler.policy=fifo", "--tolerance", "0.001"]);
    let said = String::from_utf8_lossy(&diff.stdout).into_owned();
    assert!(diff.status.success() && said.contains("measured"), "{said}");
    let refused = sim(&["import", "tests/import/samples/textbook.csv", "--timeline", &timeline]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("only traces have one"));
}
