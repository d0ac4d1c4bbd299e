//! Weights of groups.

use expect_test::expect;
use sim_core::ids::Id as _;
use sim_core::policy::POLICIES;
use sim_core::time::{Span, Time};
use sim_core::timeline::{Timeline, What};

use super::check;
use crate::support::{outcome_of, run, scenario};

#[test]
fn a_group_of_one_has_as_much_as_a_group_of_three() {
    check(
        r#"
        until = "12ms"
        scheduler = { policy = "stride", quantum = "1ms" }
        group = [{ name = "alice" }, { name = "bob" }]
        process = [
            { name = "alice", group = "alice", task = [{ name = "hog", program = [{ cpu = "10s" }] }] },
            { name = "bob", group = "bob", task = [{ name = "hog", count = 3, program = [{ cpu = "10s" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABACADABACAD|
            A     |#-#-#-#-#-#-|
            B     |-#-----#----|
            C     |---#-----#--|
            D     |-----#-----#|
            A = alice/hog#0
            B = bob/hog#0
            C = bob/hog#1
            D = bob/hog#2
            horizon at 12ms
        "#]],
    );
}

#[test]
fn weights_are_shares() {
    check(
        r#"
        until = "12ms"
        scheduler = { policy = "cfs", latency = "1ms", base-slice = "1ms" }
        group = [{ name = "alice", weight = 300 }, { name = "bob", weight = 100 }]
        process = [
            { name = "alice", group = "alice", task = [{ name = "hog", program = [{ cpu = "10s" }] }] },
            { name = "bob", group = "bob", task = [{ name = "hog", count = 3, program = [{ cpu = "10s" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABAACAAADAAA|
            A     |#-##-###-###|
            B     |-#----------|
            C     |----#-------|
            D     |--------#---|
            A = alice/hog#0
            B = bob/hog#0
            C = bob/hog#1
            D = bob/hog#2
            horizon at 12ms
        "#]],
    );
}

#[test]
fn weights_say_what_is_due() {
    let due = |outer: &str, policy: &str| -> Vec<(Option<u32>, Option<f64>, Option<f64>)> {
        let toml = format!(
            r#"
            until = "800ms"
            scheduler = {{ policy = {policy} }}
            group = [{{ name = "x" }}, {{ name = "y", weight = 300 }}, {{ name = "y1", parent = "y", weight = 200 }}, {{ name = "y2", parent = "y" }}, {{ name = "nobody" }}]
            process = [
                {{ name = "a", {outer} task = [{{ name = "A", count = 3, program = [{{ cpu = "10s" }}] }}] }},
                {{ name = "b", group = "y1", task = [{{ name = "B", program = [{{ cpu = "10s" }}] }}] }},
                {{ name = "c", group = "y2", task = [{{ name = "C", program = [{{ cpu = "10s" }}] }}] }},
            ]
            "#
        );
        let groups = outcome_of(&scenario(&toml)).groups;
        // Shares are quotients of seconds: their last digits are nobody's.
        let round = |share: f64| (share * 1e9).round() / 1e9;
        groups.iter().map(|group| (group.weight, group.due_share.map(round), group.share.map(round))).collect()
    };
    // A quarter; three quarters, and of these two thirds and one: and so it comes to pass, under lottery too, which draws threads only.
    for policy in [r#""lottery", quantum = "1ms""#, r#""stride", quantum = "1ms""#] {
        let told = due(r#"group = "x","#, policy);
        let expected = [Some(0.25), Some(0.75), Some(0.5), Some(0.25), None];
        assert_eq!(told.iter().map(|(weight, ..)| *weight).collect::<Vec<_>>(), [100, 300, 200, 100, 100].map(Some));
        assert_eq!(told.iter().map(|(_, due, _)| *due).collect::<Vec<_>>(), expected, "{policy}");
        assert_eq!(
            told.iter().map(|(.., share)| *share).collect::<Vec<_>>(),
            [Some(0.25), Some(0.75), Some(0.5), Some(0.25), Some(0.0)]
        );
    }
    // Beside threads that are in no group nothing is fixed; other policies do not go by weights.
    assert!(due("", r#""stride", quantum = "1ms""#).iter().all(|(weight, due, _)| weight.is_some() && due.is_none()));
    assert!(due(r#"group = "x","#, r#""fifo""#).iter().all(|(weight, due, _)| weight.is_none() && due.is_none()));
}

#[test]
fn shares_are_exact() {
    // Three slices for a weight of 300 are as much as one for 100: whoever was served longest ago comes next, and ends at 9.
    check(
        r#"
        scheduler = { policy = "stride", quantum = "1ms" }
        group = [{ name = "x", weight = 100 }, { name = "y", weight = 300 }]
        process = [
            { name = "x", group = "x", task = [{ name = "a", program = [{ cpu = "3ms" }] }] },
            { name = "y", group = "y", task = [{ name = "b", program = [{ cpu = "9ms" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ABBBABBBABBB|
            A     |#---#---#   |
            B     |-###-###-###|
            A = x/a#0
            B = y/b#0
            completed at 12ms
        "#]],
    );
}

#[test]
fn who_is_in_no_group_stands_beside_them() {
    // Two threads and a group, each with the weight 100; in the group a group and a thread, each half of that.
    check(
        r#"
        until = "12ms"
        scheduler = { policy = "eevdf", base-slice = "1ms", tick = "1ms" }
        group = [{ name = "outer" }, { name = "inner", parent = "outer" }]
        process = [
            { name = "main", task = [{ name = "A", count = 2, program = [{ cpu = "10s" }] }] },
            { name = "outer", group = "outer", task = [{ name = "C", program = [{ cpu = "10s" }] }] },
            { name = "inner", group = "inner", task = [{ name = "D", count = 2, program = [{ cpu = "10s" }] }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |ACBDABCABEAB|
            A     |#---#--#--#-|
            B     |--#--#--#--#|
            C     |-#----#-----|
            D     |---#--------|
            E     |---------#--|
            A = main/A#0
            B = main/A#1
            C = outer/C#0
            D = inner/D#0
            E = inner/D#1
            horizon at 12ms
        "#]],
    );
}

#[test]
fn a_newcomer_takes_the_processor_for_a_group_that_had_less() {
    // At 3 ms Alice has had 3 ms, and Bob nothing: that somebody of Bob's comes ends the turn, and the first of his runs.
    check(
        r#"
        until = "12ms"
        scheduler = { policy = "cfs", latency = "6ms", base-slice = "6ms" }
        group = [{ name = "alice" }, { name = "bob" }]
        process = [
            { name = "alice", group = "alice", task = [{ name = "hog", program = [{ cpu = "10s" }] }] },
            { name = "bob", group = "bob", task = [
                { name = "hog", program = [{ cpu = "10s" }] },
                { name = "newcomer", arrival = "3ms", program = [{ cpu = "2ms" }] },
            ] },
        ]
        "#,
        expect![[r#"
            1 column = 3ms
            cpu 0 |ABBA|
            A     |#--#|
            B     |-##-|
            C     | ---|
            A = alice/hog#0
            B = bob/hog#0
            C = bob/newcomer#0
            horizon at 12ms
        "#]],
    );
}

/// How long each group ran up to then.
fn received(timeline: &Timeline, until: Time) -> Vec<Span> {
    let cast = &timeline.cast;
    let mut sums = vec![Span::ZERO; cast.groups.len()];
    for interval in timeline.intervals.iter().filter(|interval| interval.what == What::Run) {
        let process = cast.specs[timeline.tasks[interval.task].spec as usize].process;
        let ran = interval.end.min(until).since(interval.start);
        cast.groups_of(process).for_each(|group| sums[group.index()] += ran);
    }
    sums
}

/// Groups that always have enough to do have their shares at any instant, but for one slice on each processor.
#[test]
fn a_share_is_off_by_a_slice_at_most() {
    // The other one has a queue for each processor.
    let takers = POLICIES.iter().filter(|kind| kind.goes_by("weight") && kind.name != "linux");
    for kind in takers {
        let slice = match kind.name {
            "cfs" => r#"latency = "1ms", base-slice = "1ms""#,
            "eevdf" => r#"base-slice = "1ms", tick = "1ms""#,
            _ => r#"quantum = "1ms""#,
        };
        for (processors, threads, weights) in [
            (1, [1, 16], [100, 100]),
            (1, [3, 5], [700, 300]),
            (4, [4, 16], [100, 100]),
            (4, [4, 64], [100, 100]),
            (3, [9, 3], [200, 100]),
        ] {
            let scenario = scenario(&format!(
                r#"
                until = "50ms"
                machine = {{ processors = {processors} }}
                scheduler = {{ policy = "{}", {slice} }}
                group = [{{ name = "a", weight = {} }}, {{ name = "b", weight = {} }}]
                process = [
                    {{ name = "a", group = "a", task = [{{ name = "A", count = {}, program = [{{ cpu = "1s" }}] }}] }},
                    {{ name = "b", group = "b", task = [{{ name = "B", count = {}, program = [{{ cpu = "1s" }}] }}] }},
                ]
                "#,
                kind.name, weights[0], weights[1], threads[0], threads[1]
            ));
            let (timeline, _) = run(&scenario);
            for ms in 0..=50 {
                let at = Time::from_ns(ms * 1_000_000);
                for (group, had) in received(&timeline, at).into_iter().enumerate() {
                    let due = at.ns() * processors * weights[group] / (weights[0] + weights[1]);
                    let off = had.ns().abs_diff(due);
                    let case = format!("{} with {processors} processors, {threads:?}, {weights:?}", kind.name);
                    assert!(off <= processors * 1_000_000, "{case}: group {group} has {had} at {at}");
                }
            }
        }
    }
}

/// Where each processor has a queue of its own, a group has there what its threads there are of all of its own. Alice is on processor
/// 0 alone.
#[test]
fn a_weight_is_divided_among_the_queues_of_processors() {
    let on = |name: &str, group: &str, cpu: u32, count: u32| {
        let task =
            format!(r#"{{ name = "{name}", count = {count}, affinity = [{cpu}], program = [{{ cpu = "1s" }}] }}"#);
        let is_there = count > 0;
        is_there.then(|| format!(r#"{{ name = "{name}", group = "{group}", task = [{task}] }}"#))
    };
    let world = |scheduler: &str, groups: &str, others: Vec<Option<String>>| {
        let processes: Vec<String> = std::iter::once(on("alice", "alice", 0, 1)).chain(others).flatten().collect();
        scenario(&format!(
            r#"
            until = "60ms"
            machine = {{ processors = 2 }}
            scheduler = {{ {scheduler} }}
            group = [{{ name = "alice" }}, {groups}]
            process = [{}]
            "#,
            processes.join(", ")
        ))
    };
    for scheduler in [
        r#"policy = "cfs", latency = "1ms", base-slice = "1ms", queues = "per-processor", balance = "none""#,
        r#"policy = "eevdf", base-slice = "1ms", tick = "1ms", queues = "per-processor""#,
        r#"policy = "stride", quantum = "1ms", queues = "per-processor", balance = { every = "5ms" }"#,
        r#"policy = "lottery", quantum = "1ms", queues = "per-processor""#,
        r#"policy = "linux", base-slice = "1ms", tick = "1ms""#,
    ] {
        let bob = |there| vec![on("here", "bob", 0, 1), on("there", "bob", 1, there)];
        let alone = r#"{ name = "bob" }"#;
        // Bob's group has a group here, and one of three times its weight there.
        let nested =
            r#"{ name = "bob" }, { name = "b", parent = "bob" }, { name = "c", parent = "bob", weight = 300 }"#;
        for (groups, others, [part, whole]) in [
            (alone, bob(0), [1, 2]),
            (alone, bob(1), [2, 3]),
            (alone, bob(3), [4, 5]),
            (nested, vec![on("here", "b", 0, 1), on("there", "c", 1, 2)], [4, 5]),
        ] {
            let (timeline, _) = run(&world(scheduler, groups, others));
            for ms in 0..=60 {
                let at = Time::from_ns(ms * 1_000_000);
                let had = received(&timeline, at)[0];
                let off = had.ns().abs_diff(at.ns() * part / whole);
                assert!(off <= 1_000_000, "{scheduler}: alice has {had} of {at}, and should have {part} of {whole}");
            }
        }
    }
}

/// The threads of no group weigh together, beside the group. When one of them ends, what another has had until then still counts by the
/// weight of both.
#[test]
fn who_leaves_changes_nothing_about_what_the_others_have_had() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "stride", quantum = "1ms", ties = "preempted-first" }
        group = [{ name = "g" }]
        process = [
            { name = "p", task = [
                { name = "A", arrival = "1ms", tickets = 3, program = [{ cpu = "5ms" }] },
                { name = "B", tickets = 3, affinity = [0], program = [{ cpu = "6ms" }] },
            ] },
            { name = "q", group = "g", task = [
                { name = "C", arrival = "1ms", tickets = 2, program = [{ cpu = "4ms" }] },
                { name = "D", arrival = "2ms", tickets = 3, program = [{ cpu = "3ms" }] },
            ] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |BBABDBABBC|
            cpu 1 |.CCAADCAD.|
            A     | -###-##  |
            B     |##-#-#-## |
            C     | ##---#--#|
            D     |  --##--# |
            A = p/A#0
            B = p/B#0
            C = q/C#0
            D = q/D#0
            completed at 10ms
        "#]],
    );
}
