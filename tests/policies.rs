//! What each policy of the shelf decides: the drawing in its documentation is what the engine gives, the finer rules
//! are drawn too, and shares come out as promised.

mod estimates;
mod fair;
mod headings;
mod linux;

use sim_cli::gantt;
use sim_core::metrics::Metrics;
use sim_core::policy::POLICIES;
use sim_core::scenario::Scenario;

use crate::support::{root, run, scenario};

/// A scenario in a few words: the parameters of `[scheduler]`, and the tasks as a list of inline tables.
fn scene(parameters: &str, tasks: &str) -> Scenario {
    scene_on(1, parameters, tasks)
}

fn scene_on(processors: u32, parameters: &str, tasks: &str) -> Scenario {
    scenario(&format!(
        "device = [{{ name = \"io\", channels = \"unlimited\" }}]\ntask = [{tasks}]\n\
         [machine]\nprocessors = {processors}\n[scheduler]\n{parameters}"
    ))
}

/// The rows of the processors.
fn draw(scenario: &Scenario) -> String {
    let text = gantt::ascii(&run(scenario).0, 100);
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("cpu")).collect();
    rows.join("\n")
}

/// What stands between fences of a kind in the documentation at the head of a source text.
fn fenced(source: &str, kind: &str) -> Vec<String> {
    let lines = source.lines().take_while(|line| line.starts_with("//!"));
    let head: Vec<&str> = lines.map(|line| line.strip_prefix("//! ").unwrap_or_default()).collect();
    let opens = format!("```{kind}");
    let block = |start: &usize| head[start + 1..].iter().take_while(|line| !line.starts_with("```")).copied().collect();
    let starts = (0..head.len()).filter(|line| head[*line] == opens);
    starts.map(|start| block(&start)).map(|lines: Vec<&str>| lines.join("\n")).collect()
}

#[test]
fn the_drawings_of_the_documentation() {
    for kind in POLICIES {
        let file = root().join("sim-core/src/policy").join(kind.name.replace('-', "_")).with_extension("rs");
        let source = std::fs::read_to_string(&file).expect("the policy's file");
        let (scenarios, drawings) = (fenced(&source, "toml"), fenced(&source, "text"));
        let file = file.display();
        assert!(
            !drawings.is_empty(),
            "{file} shows no drawing: a scenario between ```toml and its rows between ```text"
        );
        assert_eq!(scenarios.len(), drawings.len(), "{file}: each drawing has its scenario ahead of it");
        for (toml, drawing) in scenarios.iter().zip(drawings) {
            let scenario = scenario(toml);
            assert_eq!(scenario.scheduler.kind.name, kind.name, "{file} draws its own policy");
            // What stands behind the last bar is for people.
            let rows = drawing.lines().map(|row| row.rfind('|').map_or(row, |end| &row[..=end]));
            assert_eq!(rows.collect::<Vec<_>>().join("\n"), draw(&scenario), "{file}");
        }
    }
}

#[test]
fn the_tick_of_cfs_is_when_a_slice_that_has_ended_is_noticed() {
    let tasks = r#"{ name = "A", program = [{ cpu = "6ms" }] }, { name = "B", program = [{ cpu = "5ms" }] }"#;
    let drawn = |tick: &str| draw(&scene(&format!("policy = 'cfs'\nlatency = '6ms'\ntick = '{tick}'"), tasks));
    assert!(drawn("0ms").contains("|AAABBBAAABB|"), "{}", drawn("0ms"));
    assert!(drawn("1ms").contains("|AAABBBAAABB|"), "{}", drawn("1ms"));
    assert!(drawn("4ms").contains("|AAAABBBBAAB|"), "{}", drawn("4ms"));
}

#[test]
fn a_slice_of_cfs_begins_after_the_switch_whatever_the_tick_is() {
    let drawn = |tick: &str| {
        let tasks = r#"{ name = "A", program = [{ cpu = "8ms" }] }, { name = "B", program = [{ cpu = "5ms" }] }"#;
        draw(&scenario(&format!(
            "task = [{tasks}]\nmachine = {{ context-switch = '2ms' }}\n\
             scheduler = {{ policy = 'cfs', latency = '3ms', tick = '{tick}' }}"
        )))
    };
    // A share of 1.5 ms from 2 ms on is over at 3.5 ms, which is noticed at 4 ms, or at 6 ms. Nobody's slice is eaten up by switches.
    assert_eq!(drawn("1ms"), "cpu 0 |~~AA~~BB~~AA~~BB~~AA~~B~~AA|");
    assert_eq!(drawn("3ms"), "cpu 0 |~~AAAA~~BBBB~~AAAA~~B|");
}

#[test]
fn who_has_never_run_is_new_whatever_it_waited_for() {
    // Under mlfq new threads begin with a full slice on the highest level: B after A, and the event loop of C.
    let programs = "program = [{ cpu = '2ms' }]";
    let toml = format!(
        "[[process]]\nname = 'p'\n[[process.task]]\nname = 'A'\n{programs}\n\
         [[process.task]]\nname = 'B'\nafter = ['A']\n{programs}\n\
         [[process]]\nname = 'q'\nexecutor = 'async'\n[[process.task]]\nname = 'C'\n{programs}\n[scheduler]\n{}",
        mlfq("")
    );
    assert_eq!(draw(&scenario(&toml)), "cpu 0 |ACABCB|");
}

#[test]
fn idle_processors_come_before_comparing_those_who_wait() {
    // B yields at 4 ms, when its laxity is the least: it goes on at once, and A need not move for it.
    let tasks = r#"
        { name = "A", program = [{ cpu = "3ms" }], arrival = "3ms", priority = 2 },
        { name = "B", program = [{ sleep = "4ms" }, "yield", { cpu = "1ms" }] },
    "#;
    let aging = "policy = 'priority'\norder = 'low-first'\naging = '2ms'";
    assert_eq!(draw(&scene_on(2, aging, tasks)), "cpu 0 |...AAA|\ncpu 1 |....B.|");
}

#[test]
fn several_newcomers_displace_several() {
    // C and D arrive together; D is better, and when it takes the place of A there is still that of B for C.
    let tasks = r#"
        { name = "A", program = [{ cpu = "9ms" }] },
        { name = "B", program = [{ cpu = "8ms" }] },
        { name = "C", program = [{ cpu = "4ms" }], arrival = "1ms" },
        { name = "D", program = [{ cpu = "3ms" }], arrival = "1ms" },
    "#;
    let drawn = draw(&scene_on(2, "policy = 'srtf'", tasks));
    assert_eq!(drawn, "cpu 0 |BCCCCAAAAAAAA|\ncpu 1 |ADDDBBBBBBB..|");
}

#[test]
fn who_displaces_only_to_wait_changes_nothing() {
    // B takes the processor of A, finds that it has nothing to compute, and A goes on where it was: neither there nor on
    // processor 1, where C was, is anybody left who could be displaced.
    let tasks = r#"
        { name = "A", arrival = "2ms", priority = 2, period = "20ms", deadline = "7ms", jobs = 1, program = [{ cpu = "3ms" }] },
        { name = "B", arrival = "3ms", priority = 3, period = "10ms", deadline = "3ms", jobs = 1, affinity = [0],
          program = [{ io = "io", for = "1ms" }] },
        { name = "C", priority = 1, affinity = [1], program = [{ cpu = "1ms" }] },
    "#;
    for policy in ["priority", "srtf", "edf", "llf", "rate-monotonic", "deadline-monotonic"] {
        let drawn = draw(&scene_on(2, &format!("policy = '{policy}'"), tasks));
        assert_eq!(drawn, "cpu 0 |..AAA|\ncpu 1 |C....|", "{policy}");
    }
}

#[test]
fn aging_goes_on_for_who_did_not_overtake_yet() {
    // B has gained two levels at 8 ms and is above A, which has 5. C, with less time in the queue, needs three to be above
    // B, which runs with 6: it has them at 13 ms. By 15 ms A has gained one, and B, queued anew, none.
    let tasks = r#"
        { name = "A", priority = 5, program = [{ cpu = "10ms" }] },
        { name = "B", priority = 4, program = [{ cpu = "7ms" }] },
        { name = "C", priority = 4, program = [{ cpu = "2ms" }], arrival = "1ms" },
    "#;
    assert_eq!(draw(&scene("policy = 'priority'\naging = '4ms'", tasks)), "cpu 0 |AAAAAAAABBBBBCCAABB|");
}

#[test]
fn aging_overtakes_at_the_first_gain_that_is_enough() {
    // One gain is enough among equals.
    let tasks = r#"
        { name = "A", priority = 4, program = [{ cpu = "6ms" }] },
        { name = "B", priority = 4, program = [{ cpu = "2ms" }] },
    "#;
    assert_eq!(draw(&scene("policy = 'priority'\naging = '4ms'", tasks)), "cpu 0 |AABA|");
    // So C overtakes at 5 ms. B, for which two are needed, does at 8 ms, though it was in vain to look at it at 5 ms.
    let tasks = r#"
        { name = "A", priority = 5, program = [{ cpu = "10ms" }] },
        { name = "B", priority = 4, program = [{ cpu = "7ms" }] },
        { name = "C", priority = 5, program = [{ cpu = "2ms" }], arrival = "1ms" },
    "#;
    assert_eq!(draw(&scene("policy = 'priority'\naging = '4ms'", tasks)), "cpu 0 |AAAAACCABBBBBBBAAAA|");
}

#[test]
fn aging_counts_full_spans() {
    // At 5 ms B has gained one level, which is not enough against two levels of C, and enough against one: B came first.
    let tasks = |priority: i64| {
        format!(
            r#"
            {{ name = "A", priority = 9, program = [{{ cpu = "5ms" }}] }},
            {{ name = "B", priority = {priority}, program = [{{ cpu = "1ms" }}] }},
            {{ name = "C", priority = 5, program = [{{ cpu = "1ms" }}], arrival = "4ms" }},
            "#
        )
    };
    let aging = "policy = 'priority'\naging = '4ms'";
    assert_eq!(draw(&scene(aging, &tasks(3))), "cpu 0 |AAAAACB|");
    assert_eq!(draw(&scene(aging, &tasks(4))), "cpu 0 |AAAAABC|");
}

#[test]
fn not_preemptive_means_until_it_leaves() {
    let tasks = r#"
        { name = "A", priority = 1, period = "20ms", jobs = 1, program = [{ cpu = "3ms" }] },
        { name = "B", priority = 2, period = "4ms", jobs = 1, program = [{ cpu = "1ms" }], arrival = "1ms" },
    "#;
    for policy in ["priority", "edf", "llf", "rate-monotonic", "deadline-monotonic"] {
        let drawn = |preemptive| draw(&scene(&format!("policy = '{policy}'\npreemptive = {preemptive}"), tasks));
        assert_eq!(drawn(true), "cpu 0 |ABAA|", "{policy}");
        assert_eq!(drawn(false), "cpu 0 |AAAB|", "{policy}");
    }
}

#[test]
fn srtf_that_guesses() {
    // Both are guessed at 2 ms, so B does not displace A. After its burst A is guessed at (2 + 6) / 2 = 4 ms, and when
    // both wait for C it comes after B, guessed at 1.5 ms, although its burst is the shorter one.
    let tasks = r#"
        { name = "A", program = [{ cpu = "6ms" }, { io = "io", for = "2ms" }, { cpu = "1ms" }] },
        { name = "B", program = [{ cpu = "1ms" }, { io = "io", for = "1ms" }, { cpu = "3ms" }], arrival = "1ms" },
        { name = "C", program = [{ cpu = "2ms" }], arrival = "7ms" },
    "#;
    let drawn = draw(&scene("policy = 'srtf'\nestimate = { ewma = 0.5, initial = '2ms' }", tasks));
    assert_eq!(drawn, "cpu 0 |AAAAAABCCBBBA|");
}

fn mlfq(more: &str) -> String {
    let levels = "{ quantum = '1ms', allotment = 1 }, { quantum = '2ms', allotment = 1 }";
    format!("policy = 'mlfq'\nlevels = [{levels}]\n{more}")
}

#[test]
fn an_allotment_is_a_number_of_slices() {
    // At 4 ms A and B have used two of their three slices on the upper level: C, new there, comes after A.
    let tasks = r#"
        { name = "A", program = [{ cpu = "3ms" }] },
        { name = "B", program = [{ cpu = "3ms" }] },
        { name = "C", program = [{ cpu = "1ms" }], arrival = "4ms" },
    "#;
    let drawn = |allotment: u32| {
        let levels = format!("levels = [{{ quantum = '1ms', allotment = {allotment} }}, {{ quantum = '1ms' }}]");
        draw(&scene(&format!("policy = 'mlfq'\n{levels}"), tasks))
    };
    assert_eq!(drawn(3), "cpu 0 |ABABACB|");
    assert_eq!(drawn(2), "cpu 0 |ABABCAB|");
}

#[test]
fn a_boost_lines_up_the_lowest_level_first() {
    // At 5 ms B and C are ready on the middle level, A on the lowest.
    let tasks = r#"
        { name = "A", program = [{ cpu = "4ms" }] },
        { name = "B", program = [{ cpu = "3ms" }], arrival = "3ms" },
        { name = "C", program = [{ cpu = "2ms" }], arrival = "4ms" },
    "#;
    let levels = "levels = [{ quantum = '1ms' }, { quantum = '1ms' }, { quantum = '2ms' }]";
    let mlfq = |more: &str| format!("policy = 'mlfq'\nties = 'preempted-first'\n{levels}\n{more}");
    assert_eq!(draw(&scene(&mlfq(""), tasks)), "cpu 0 |AAABCBCAB|");
    assert_eq!(draw(&scene(&mlfq("boost = '5ms'"), tasks)), "cpu 0 |AAABCABCB|");
}

#[test]
fn a_boost_puts_who_waited_on_a_lower_level_before_who_ran() {
    // At 6 ms B runs on the middle level and A waits on the lowest: A, the first of the queue now, takes the processor.
    let tasks = r#"
        { name = "A", program = [{ cpu = "8ms" }] },
        { name = "B", program = [{ cpu = "5ms" }], arrival = "4ms" },
    "#;
    let levels = "levels = [{ quantum = '1ms' }, { quantum = '2ms' }, { quantum = '4ms' }]";
    let drawn = draw(&scene(&format!("policy = 'mlfq'\nboost = '6ms'\n{levels}"), tasks));
    assert_eq!(drawn, "cpu 0 |AAAABBABAABBA|");
}

#[test]
fn a_boost_gives_a_fresh_slice_without_a_break() {
    // The slice of B began at 3 ms; at 4 ms it becomes a fresh one.
    let tasks = r#"{ name = "A", program = [{ cpu = "4ms" }] }, { name = "B", program = [{ cpu = "4ms" }] }"#;
    let levels = "levels = [{ quantum = '3ms' }, { quantum = '3ms' }]";
    assert_eq!(draw(&scene(&format!("policy = 'mlfq'\n{levels}"), tasks)), "cpu 0 |AAABBBAB|");
    assert_eq!(draw(&scene(&format!("policy = 'mlfq'\n{levels}\nboost = '4ms'"), tasks)), "cpu 0 |AAABBBBA|");
    // Alone on the lowest level, A would end its slice at 3 ms; the boost at 2 ms puts it on top for 1 ms.
    let tasks = r#"{ name = "A", program = [{ cpu = "9ms" }] }"#;
    let (timeline, _) = run(&scene(&mlfq("boost = '2ms'"), tasks));
    assert_eq!(timeline.intervals.len(), 1);
    // With two processors nobody changes places for a boost.
    let tasks = r#"{ name = "A", count = 2, program = [{ cpu = "9ms" }] }"#;
    let (timeline, _) = run(&scene_on(2, &mlfq("boost = '2ms'"), tasks));
    assert_eq!(timeline.intervals.len(), 2);
}

#[test]
fn boosts_reach_who_is_blocked_and_end_with_the_work() {
    // A blocks on the lower level; while everything is idle a boost passes, so it wakes on top and B does not displace it.
    let tasks = r#"
        { name = "A", program = [{ cpu = "2ms" }, { io = "io", for = "4ms" }, { cpu = "2ms" }] },
        { name = "B", program = [{ cpu = "1ms" }], arrival = "6ms" },
    "#;
    assert_eq!(draw(&scene(&mlfq(""), tasks)), "cpu 0 |AA....BAA|");
    let tasks = r#"
        { name = "A", program = [{ cpu = "2ms" }, { io = "io", for = "3ms" }, { cpu = "2ms" }] },
        { name = "B", program = [{ cpu = "1ms" }], arrival = "5ms" },
    "#;
    let scenario = scene(&mlfq("boost = '4ms'\nio-to-head = true"), tasks);
    assert_eq!(draw(&scenario), "cpu 0 |AA...ABA|");
    assert_eq!(run(&scenario).1.at.ns(), 8_000_000);
    // Nobody will ever come back: a deadlock, not boosts for ever.
    let stuck =
        "{ name = 'A', program = [{ lock = 'm' }, { cpu = '1ms' }] }, { name = 'B', program = [{ lock = 'm' }] }";
    let toml = format!("task = [{stuck}]\nlock = [{{ name = 'm' }}]\n[scheduler]\n{}", mlfq("boost = '4ms'"));
    assert_eq!(run(&crate::support::scenario(&toml)).1.end.name(), "deadlock");
}

#[test]
fn giving_up_the_processor_just_in_time_does_not_keep_a_level() {
    // A blocks just before its slices end. What is left of them is kept, so it sinks all the same, unless blocks reset.
    let tasks = r#"
        { name = "A", program = [{ repeat = 4, do = [{ cpu = "2ms" }, { io = "io", for = "1ms" }] }] },
        { name = "B", program = [{ cpu = "9ms" }] },
    "#;
    let levels = |more: &str| {
        let levels = "{ quantum = '3ms', allotment = 1 }, { quantum = '3ms', allotment = 1 }";
        format!("policy = 'mlfq'\nlevels = [{levels}]\n{more}")
    };
    assert_eq!(draw(&scene(&levels(""), tasks)), "cpu 0 |AABBBABBBABBBAA.AA.|");
    assert_eq!(draw(&scene(&levels("reset-on-io = true"), tasks)), "cpu 0 |AABBBAABAABAABBBB|");
}

#[test]
fn feedback_may_spare_who_is_alone() {
    // A's first slice ends while it is alone; then B is there.
    let tasks = r#"
        { name = "A", program = [{ cpu = "4ms" }] },
        { name = "B", program = [{ cpu = "3ms" }], arrival = "2ms" },
    "#;
    let feedback =
        |more: &str| format!("policy = 'feedback'\nquanta = ['1ms', '1ms', '1ms']\nties = 'preempted-first'{more}");
    assert_eq!(draw(&scene(&feedback(""), tasks)), "cpu 0 |AABBABA|");
    assert_eq!(draw(&scene(&feedback("\ndemote-alone = false"), tasks)), "cpu 0 |AAABABB|");
}

/// The processor time of each task up to the horizon, in milliseconds.
fn shares(parameters: &str, tasks: &str) -> Vec<f64> {
    let scenario = scenario(&format!(
        "until = '10s'\ndevice = [{{ name = \"io\", channels = \"unlimited\" }}]\ntask = [{tasks}]\n[scheduler]\n{parameters}"
    ));
    let metrics = Metrics::of(&run(&scenario).0);
    metrics.tasks.iter().map(|task| task.running.seconds() * 1e3).collect()
}

const THREE_TO_ONE: &str = r#"
    { name = "A", tickets = 300, program = [{ cpu = "10s" }] },
    { name = "B", tickets = 100, program = [{ cpu = "10s" }] },
"#;

#[test]
fn tickets_are_shares() {
    assert_eq!(shares("policy = 'stride'\nquantum = '10ms'", THREE_TO_ONE), [7_500.0, 2_500.0]);
    // 1000 draws of 3/4: the standard deviation is 137 ms.
    let drawn = shares("policy = 'lottery'\nquantum = '10ms'", THREE_TO_ONE);
    assert!((drawn[0] - 7_500.0).abs() < 685.0, "{drawn:?}");
    // With an affinity set the tickets are summed one by one; the chances are the same.
    let bound = THREE_TO_ONE.replace("tickets", "affinity = [0], tickets");
    assert_eq!(shares("policy = 'lottery'\nquantum = '10ms'", &bound), drawn);
}

#[test]
fn who_was_away_has_no_claim_on_the_past() {
    // B sleeps for 5 s and gets half of the rest, not all of it.
    let tasks = r#"
        { name = "A", program = [{ cpu = "10s" }] },
        { name = "B", program = [{ sleep = "5s" }, { cpu = "10s" }] },
    "#;
    assert_eq!(shares("policy = 'stride'\nquantum = '10ms'", tasks), [7_500.0, 2_500.0]);
    // What sleeping earns is half of the latency of 6 ms, of which both make up their part.
    let fair = shares("policy = 'cfs'", tasks);
    assert!((fair[1] - 2_500.0).abs() < 3.1, "{fair:?}");
    // Lag is bounded by what is noticed late: a tick for each.
    let fair = shares("policy = 'eevdf'", tasks);
    assert!((fair[1] - 2_500.0).abs() <= 8.0, "{fair:?}");
}

#[test]
fn nice_is_a_weight() {
    let tasks = r#"
        { name = "A", program = [{ cpu = "10s" }] },
        { name = "B", nice = 5, program = [{ cpu = "10s" }] },
        { name = "C", nice = -5, program = [{ cpu = "10s" }] },
    "#;
    let fair = shares("policy = 'cfs'", tasks);
    for (share, weight) in fair.iter().zip([1024.0, 335.0, 3121.0]) {
        assert!((share - 10_000.0 * weight / 4480.0).abs() < 6.0, "{fair:?}");
    }
    for (policy, late) in [("eevdf", 8.0), ("linux", 8.0), ("eevdf'\ntick = '0ms", 2.0)] {
        let fair = shares(&format!("policy = '{policy}'"), tasks);
        for (share, weight) in fair.iter().zip([1024.0, 335.0, 3121.0]) {
            assert!((share - 10_000.0 * weight / 4480.0).abs() <= late, "{policy}: {fair:?}");
        }
    }
}

#[test]
fn every_policy_has_a_scenario_that_shows_its_point() {
    for kind in POLICIES {
        let file = root().join(format!("configs/policies/{}.toml", kind.name));
        let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        assert!(
            text.starts_with("# ") && text.contains("\n# What to look for: "),
            "{} says what it is for",
            file.display()
        );
        let scenario = scenario(&text);
        assert_eq!(scenario.scheduler.kind.name, kind.name);
        assert_eq!(run(&scenario).1.end.name(), "completed", "{}", file.display());
    }
}
