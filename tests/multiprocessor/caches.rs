//! Caches: where a task is warm it runs faster.

use expect_test::expect;
use sim_core::ids::{CpuId, Id as _};
use sim_core::rng::StreamName;
use sim_core::scenario::Speed;
use sim_core::time::{Span, Time};

use super::ticks;
use crate::goldens::check;
use crate::support::{run, scenario, scenario_with};

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
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAAAAAA...|
            cpu 1 |BBBBBBBBBB|
            A     |#######   |
            B     |##########|
            A = main/A#0
            B = main/B#0
            completed at 10ms
        "#]],
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
        expect![[r#"
            1 column = 1ms
            cpu 0 |AA.AAABBBBBBBBB|
            cpu 1 |.......AAAA....|
            A     |##=###=####    |
            B     |      #########|
            A = main/A#0
            B = main/B#0
            completed at 15ms
        "#]],
    );
}

#[test]
fn without_warm_up_one_who_was_evicted_runs_cold_for_a_tick() {
    // Only one fits: both are warm at once when they come, then each is crowded out by the other, and has 1 ms of work
    // cold and 2 ms warm in a slice. In the last slice a cold tick is enough.
    check(
        r#"
        machine = { cache = { size = 10, warm-up = "0ms", warm-speed = 2.0 } }
        scheduler = { policy = "round-robin", quantum = "2ms" }
        task = [
            { name = "A", working-set = 10, program = [{ cpu = "8ms" }] },
            { name = "B", working-set = 10, program = [{ cpu = "8ms" }] },
        ]
        "#,
        expect![[r#"
            1 column = 1ms
            cpu 0 |AABBAABBAB|
            A     |##--##--# |
            B     |--##--##-#|
            A = main/A#0
            B = main/B#0
            completed at 10ms
        "#]],
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
        expect![[r#"
            1 column = 2ms
            cpu 0 |ABCBAA|
            A     |#===##|
            B     |-#-#  |
            C     |--#   |
            A = main/A#0
            B = main/B#0
            C = main/C#0
            completed at 12ms
        "#]],
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
        expect![[r#"
            1 column = 1ms
            cpu 0 |AAABBBBAAA|
            A     |###=---###|
            B     |---####   |
            A = main/A#0
            B = main/B#0
            completed at 10ms
        "#]],
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
        expect![[r#"
            1 column = 2ms
            cpu 0 |ABB|
            A     |#  |
            B     |-##|
            A = main/A#0
            B = main/B#0
            completed at 6ms
        "#]],
    );
}

#[test]
fn a_burst_that_ends_warm_takes_whole_ticks() {
    let finish = |sets: &[(&str, &str)]| {
        let text = r#"
            machine = { cache = { size = 10, warm-up = "2ms", warm-speed = 2.0 } }
            task = [{ name = "A", working-set = 10, program = [{ cpu = "5ms" }] }]
        "#;
        run(&scenario_with(text, sets)).1.at.since(Time::ZERO)
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
    // When B arrives A has run for 3 ms, the last of them warm: 3 ms of its work are left, less than B has.
    check(
        r#"
        machine = { cache = { size = 10, warm-up = "2ms", warm-speed = 2.0, tick = "500us" } }
        scheduler = { policy = "srtf" }
        task = [
            { name = "A", working-set = 10, program = [{ cpu = "7ms" }] },
            { name = "B", arrival = "3ms", program = [{ cpu = "3500us" }] },
        ]
        "#,
        expect![[r#"
            1 column = 500us
            cpu 0 |AAAAAAAAABBBBBBB|
            A     |#########       |
            B     |      ---#######|
            A = main/A#0
            B = main/B#0
            completed at 8ms
        "#]],
    );
}

#[test]
fn caches_and_the_global_timer_are_as_counted_tick_by_tick() {
    for seed in 0..3_000 {
        let case = ticks::Case::random(&mut StreamName::new(seed).word("ticks").stream());
        let (timeline, _) = run(&scenario(&case.toml()));
        let mut counted = vec![vec![None; case.processors]; ticks::simulate(&case).len()];
        for interval in &timeline.intervals {
            for tick in interval.start.ns() / 1_000_000..interval.end.ns() / 1_000_000 {
                counted[usize::try_from(tick).expect("few")][interval.cpu.index()] =
                    Some(timeline.tasks[interval.task].spec as usize);
            }
        }
        assert_eq!(counted, ticks::simulate(&case), "seed {seed}\n{}", case.toml());
    }
}
