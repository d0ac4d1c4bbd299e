//! What several processors look like: queues of their own, a timer for all, caches. Drawn as in the goldens.

use expect_test::expect;
use sim_core::ids::CpuId;
use sim_core::scenario::Speed;
use sim_core::time::Span;

use crate::goldens::check;
use crate::support::{run, scenario, scenario_with, sim, temporary};

#[test]
fn a_new_thread_goes_to_the_least_loaded_processor() {
    // A to 0, B to 1, C to 0 (equal: the lowest); D, when B has left, to 1, where nobody is.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { queues = "per-processor", balance = "none" }
        task = [
            { name = "A", program = [{ cpu = "4ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "2ms" }] },
            { name = "D", arrival = "2ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn new_threads_go_round_the_processors_that_they_may_use() {
    // A to 0, B to 1, C (not on 2) to 0, D to 1 and E to 2: the round goes on behind whoever was chosen.
    check(
        r#"
        machine = { processors = 3 }
        scheduler = { queues = "per-processor", placement = "round-robin", balance = "none" }
        task = [
            { name = "A", program = [{ cpu = "2ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", affinity = [0, 1], program = [{ cpu = "2ms" }] },
            { name = "D", program = [{ cpu = "2ms" }] },
            { name = "E", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn without_balance_processors_stay_idle() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { queues = "per-processor", placement = "first", balance = "none" }
        task = [
            { name = "A", program = [{ cpu = "2ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", affinity = [1], program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn an_idle_processor_steals_from_the_fullest_queue() {
    // Everybody but X and Y is on processor 0. When 2 becomes idle it takes C: B is already on its way to 1.
    check(
        r#"
        machine = { processors = 3, migration = "1ms" }
        scheduler = { queues = "per-processor", placement = "first" }
        task = [
            { name = "X", affinity = [1], program = [{ cpu = "1ms" }] },
            { name = "Y", affinity = [2], program = [{ cpu = "2ms" }] },
            { name = "A", program = [{ cpu = "4ms" }] },
            { name = "B", program = [{ cpu = "2ms" }] },
            { name = "C", program = [{ cpu = "1ms" }] },
            { name = "D", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn who_may_not_come_is_not_stolen() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { queues = "per-processor", placement = "first" }
        task = [
            { name = "A", program = [{ cpu = "3ms" }] },
            { name = "B", affinity = [0], program = [{ cpu = "2ms" }] },
            { name = "C", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn a_thread_wakes_at_home_and_is_not_stolen_from_a_free_processor() {
    // B was placed on 1, where it wakes though 0 is idle as well and is asked first.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { queues = "per-processor" }
        task = [
            { name = "A", program = [{ cpu = "1ms" }] },
            { name = "B", program = [{ cpu = "2ms" }, { sleep = "1ms" }, { cpu = "2ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn who_was_stolen_has_a_new_home() {
    // C is stolen by 1; it sleeps and wakes there, though A and B leave 0 meanwhile.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { queues = "per-processor", placement = "first" }
        task = [
            { name = "A", affinity = [0], program = [{ cpu = "3ms" }] },
            { name = "C", program = [{ cpu = "2ms" }, { sleep = "2ms" }, { cpu = "2ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn queues_are_balanced_at_multiples() {
    // At 3 ms processor 0 has four and the others none: one moves to each, in the order of its queue.
    check(
        r#"
        machine = { processors = 3 }
        scheduler = { policy = "round-robin", quantum = "2ms", queues = "per-processor", placement = "first", balance = { every = "3ms" } }
        task = [{ name = "t", count = 4, program = [{ cpu = "4ms" }] }]
        "#,
        expect![[""]],
    );
}

#[test]
fn a_newcomer_displaces_at_home_only() {
    // The less urgent one runs on processor 1, but C's home is 0, where only A is less urgent than it: nobody.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority", queues = "per-processor", placement = "round-robin", balance = "none" }
        task = [
            { name = "A", priority = 5, program = [{ cpu = "3ms" }] },
            { name = "B", priority = 1, program = [{ cpu = "4ms" }] },
            { name = "C", priority = 3, arrival = "1ms", program = [{ cpu = "1ms" }] },
            { name = "D", priority = 3, arrival = "2ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn who_moves_displaces_at_its_new_home() {
    // When queues are balanced B, more urgent than C, comes to processor 1.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority", queues = "per-processor", placement = "first", balance = { every = "2ms" } }
        task = [
            { name = "A", priority = 3, program = [{ cpu = "4ms" }] },
            { name = "B", priority = 2, program = [{ cpu = "2ms" }] },
            { name = "D", priority = 0, program = [{ cpu = "1ms" }] },
            { name = "C", priority = 1, affinity = [1], program = [{ cpu = "4ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn a_thread_that_carries_another_task_moves_where_that_may_run() {
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { queues = "per-processor", balance = "none" }
        executor = "async"
        task = [
            { name = "A", affinity = [0], program = [{ cpu = "1ms" }, { sleep = "1ms" }, { cpu = "1ms" }] },
            { name = "B", affinity = [1], program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn a_global_timer_ends_all_slices_together() {
    // C starts in the middle of a slice and gets the rest. At 4 ms all go to the tail, processor by processor.
    check(
        r#"
        machine = { processors = 2 }
        scheduler = { policy = "round-robin", quantum = "4ms", timer = "global", ties = "preempted-first" }
        task = [
            { name = "A", program = [{ cpu = "6ms" }] },
            { name = "B", program = [{ cpu = "1ms" }] },
            { name = "C", program = [{ cpu = "5ms" }] },
            { name = "D", program = [{ cpu = "3ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn who_is_alone_goes_on_when_the_global_timer_rings() {
    check(
        r#"
        machine = { context-switch = "1ms" }
        scheduler = { policy = "round-robin", quantum = "2ms", timer = "global" }
        task = [{ name = "A", arrival = "1ms", program = [{ cpu = "5ms" }] }]
        "#,
        expect![[""]],
    );
}

#[test]
fn a_slice_of_the_global_timer_is_never_empty() {
    // The switch takes until the next multiple and beyond: the slice ends at the first one after it.
    check(
        r#"
        machine = { context-switch = "3ms" }
        scheduler = { policy = "round-robin", quantum = "2ms", timer = "global" }
        task = [{ name = "t", count = 2, program = [{ cpu = "2ms" }] }]
        "#,
        expect![[""]],
    );
}

#[test]
fn priorities_with_a_quantum_obey_the_global_timer() {
    check(
        r#"
        scheduler = { policy = "priority", quantum = "3ms", timer = "global" }
        task = [
            { name = "A", program = [{ cpu = "5ms" }] },
            { name = "B", program = [{ cpu = "4ms" }] },
            { name = "C", priority = 1, arrival = "1ms", program = [{ cpu = "1ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn a_task_that_has_warmed_up_runs_faster() {
    // 4 ms cold, then 6 ms of work in 3 ms. B has no working set: the cache is nothing to it.
    check(
        r#"
        machine = { processors = 2, cache = { size = 10, warm-up = "4ms", warm-speed = 2.0 } }
        task = [
            { name = "A", working-set = 10, program = [{ cpu = "10ms" }] },
            { name = "B", program = [{ cpu = "10ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn warm_up_is_kept_across_absence_and_belongs_to_a_processor() {
    // A warms up for 2 ms and, after its sleep, for another 2 ms. Then it moves: B holds processor 0, and on 1 it is cold.
    check(
        r#"
        machine = { processors = 2, cache = { size = 10, warm-up = "4ms", warm-speed = 2.0 } }
        task = [
            { name = "A", working-set = 10, program = [{ cpu = "2ms" }, { sleep = "1ms" }, { cpu = "4ms" }, { sleep = "1ms" }, { cpu = "4ms" }] },
            { name = "B", affinity = [0], arrival = "6ms", program = [{ cpu = "9ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn who_has_been_warm_for_longest_is_evicted() {
    // A and B fit together, C does not fit as well: it throws A out. B is still warm, A must warm up again.
    check(
        r#"
        machine = { cache = { size = 100, warm-up = "2ms", warm-speed = 2.0 } }
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [
            { name = "A", working-set = 50, program = [{ cpu = "2ms" }, { sleep = "6ms" }, { cpu = "6ms" }] },
            { name = "B", working-set = 50, program = [{ cpu = "6ms" }] },
            { name = "C", working-set = 50, program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn who_is_larger_than_the_cache_throws_all_out_and_stays_cold() {
    check(
        r#"
        machine = { cache = { size = 100, warm-up = "2ms", warm-speed = 2.0 } }
        task = [
            { name = "A", working-set = 100, program = [{ cpu = "4ms" }, { sleep = "1ms" }, { cpu = "4ms" }] },
            { name = "B", working-set = 101, program = [{ cpu = "4ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn without_a_warm_up_a_task_is_warm_at_once() {
    check(
        r#"
        machine = { cache = { size = 100, warm-up = "0ms", warm-speed = 2.0 } }
        task = [
            { name = "A", working-set = 100, program = [{ cpu = "4ms" }] },
            { name = "B", working-set = 101, program = [{ cpu = "4ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn a_burst_that_ends_warm_takes_whole_ticks() {
    let finish = |sets: &[(&str, &str)]| {
        let text = r#"
            machine = { cache = { size = 10, warm-up = "2ms", warm-speed = 2.0 } }
            task = [{ name = "A", working-set = 10, program = [{ cpu = "5ms" }] }]
        "#;
        run(&scenario_with(text, sets)).1.at.since(sim_core::time::Time::ZERO)
    };
    // Everything in the file is a multiple of 1 ms, so that is the tick: 3 ms of work take 2 ms.
    assert_eq!(finish(&[]), Span::from_ms(4));
    assert_eq!(finish(&[("machine.cache.tick", "100us")]), Span::from_us(3_500));
    assert_eq!(finish(&[("machine.cache.tick", "3ms")]), Span::from_ms(6));
    // In microseconds and nanoseconds.
    assert_eq!(finish(&[("machine.cache.warm-up", "1999us")]), Span::from_us(3_500));
    assert_eq!(finish(&[("machine.cache.warm-up", "1999999ns")]), Span::from_ns(3_500_000));
}

#[test]
fn speeds_and_caches_multiply() {
    // At half speed, 2 ms of work in the 4 ms of warming up; then half times three: 3 ms of work in 2 ms.
    let scenario = scenario(
        r#"
        machine = { processors = [{ speed = 0.5 }], cache = { size = 10, warm-up = "4ms", warm-speed = 3.0 } }
        task = [{ name = "A", working-set = 10, program = [{ cpu = "5ms" }] }]
        "#,
    );
    assert_eq!(run(&scenario).1.at.ns(), 6_000_000);
    let cache = scenario.machine.cache.as_ref().expect("there is one");
    assert_eq!(scenario.machine.processors[CpuId(0)].speed.times(cache.warm_speed), Some(Speed { work: 3, per: 2 }));
}

#[test]
fn a_policy_that_knows_bursts_knows_what_caches_did() {
    // When B arrives A has run for 3 ms, of them 1 ms warm: 4 ms of its work are done, 3 ms are left, and B is shorter.
    check(
        r#"
        machine = { cache = { size = 10, warm-up = "2ms", warm-speed = 2.0, tick = "500us" } }
        scheduler = { policy = "round-robin", quantum = "3ms" }
        task = [
            { name = "A", working-set = 10, program = [{ cpu = "7ms" }] },
            { name = "B", arrival = "3ms", program = [{ cpu = "2ms" }] },
        ]
        "#,
        expect![[""]],
    );
}

#[test]
fn check_finds_nothing_to_complain_about() {
    let toml = r#"
        machine = { processors = 2 }
        scheduler = { policy = "priority", queues = "per-processor", balance = { every = "1ms" } }
        task = [{ name = "t", count = 5, program = [{ cpu = "2ms" }, { sleep = "1ms" }, { cpu = "1ms" }] }]
    "#;
    let file = temporary("checked.toml", toml);
    let output = sim(&["run", &file.display().to_string(), "--check", "--quiet"]);
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
