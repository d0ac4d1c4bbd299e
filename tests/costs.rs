//! What a switch costs besides, by what was before it: costs with names.

use sim_core::engine::{End, simulate};
use sim_core::ids::TaskId;
use sim_core::policy::POLICIES;
use sim_core::timeline::lanes::Busy;
use sim_core::timeline::{Interval, Timeline, TimelineHash, What};

use crate::support::{run, scenario};

/// The switches on each processor, in microseconds: when, to whom, for how long.
fn switches(machine: &str, tasks: &str) -> Vec<String> {
    let scenario = scenario(&format!("[machine]\n{machine}\n{tasks}"));
    let timeline = run(&scenario).0;
    let mut switches: Vec<_> = timeline.intervals.iter().filter(|interval| interval.what == What::Switch).collect();
    switches.sort_by_key(|interval| (interval.cpu, interval.start));
    let us = |ns: u64| format!("{}", ns / 1000);
    let told = switches.into_iter().map(|interval| {
        let (at, length) = (us(interval.start.ns()), us(interval.end.since(interval.start).ns()));
        format!("{} {at} {} +{length}", interval.cpu.0, timeline.short_name(interval.task))
    });
    told.collect()
}

#[test]
fn exactly_one_of_wake_block_and_exit_is_paid_by_who_is_next() {
    let costs = "context-switch = '1us'\nwake = '40us'\nblock = '10us'\nexit = '45us'";
    let tasks = "
        [[task]]
        name = 'A'
        program = [{ cpu = '100us' }, { sleep = '500us' }, { cpu = '100us' }]
        [[task]]
        name = 'B'
        program = [{ cpu = '100us' }]
        [[task]]
        name = 'C'
        program = [{ cpu = '100us' }]
        [[task]]
        name = 'D'
        arrival = '900us'
        program = [{ cpu = '100us' }]";
    // A begins on an idle processor and blocks before B, which ends before C. A sleeps until 641 us, when nobody runs, and was
    // not there last. D arrives where nobody runs.
    let expected = ["0 0 A +41", "0 141 B +11", "0 252 C +46", "0 641 A +41", "0 900 D +41"];
    assert_eq!(switches(costs, tasks), expected);
    // Under round robin nobody pays for those who are put off: only for the switch.
    let slices = "context-switch = '1us'\nblock = '10us'\nexit = '45us'\n\
                  [scheduler]\npolicy = 'round-robin'\nquantum = '60us'";
    let tasks = "[[task]]\nname = 'T'\ncount = 2\nprogram = [{ cpu = '100us' }]";
    let expected = ["0 0 T#0 +1", "0 61 T#1 +1", "0 122 T#0 +1", "0 163 T#1 +46"];
    assert_eq!(switches(slices, tasks), expected);
}

#[test]
fn who_is_put_off_pays_for_waking_the_idle_processor_that_takes_it() {
    let costs = "processors = 2\ncontext-switch = '1us'\nwake = '40us'\n[scheduler]\npolicy = 'priority'";
    let tasks = "
        [[task]]
        name = 'A'
        program = [{ cpu = '1ms' }]
        [[task]]
        name = 'B'
        priority = 2
        affinity = [0]
        arrival = '500us'
        program = [{ cpu = '1ms' }]";
    assert_eq!(switches(costs, tasks), ["0 0 A +41", "0 500 B +1", "1 500 A +41"]);
}

#[test]
fn who_is_put_off_at_the_instant_of_its_dispatch_has_not_had_the_processor() {
    let costs = "processors = 2\ncontext-switch = '1us'\nexit = '45us'\n[scheduler]\npolicy = 'linux'";
    let tasks = "
        [[semaphore]]
        name = 's'
        permits = 0
        [[task]]
        name = 'O'
        affinity = [0]
        program = [{ cpu = '100us' }, { release = 's' }]
        [[task]]
        name = 'J'
        class = 'fifo'
        rt-priority = 2
        affinity = [1]
        program = [{ cpu = '10us' }, { acquire = 's' }, { cpu = '10us' }]
        [[task]]
        name = 'X'
        affinity = [0]
        program = [{ cpu = '100us' }]
        [[task]]
        name = 'R'
        class = 'fifo'
        arrival = '50us'
        program = [{ cpu = '500us' }]";
    // At 101 us O ends and X is next. At that instant J, which O woke, takes the place of R on the other processor, and R that
    // of X.
    let expected = ["0 0 O +1", "0 101 R +46", "0 597 X +46", "1 0 J +1", "1 50 R +1", "1 101 J +1"];
    assert_eq!(switches(costs, tasks), expected);
}

#[test]
fn nobody_who_is_started_pays_for_waking() {
    // Not even the first, which has to be started in no time.
    let tasks = "[[task]]\nname = 'T'\ncount = 3\nprogram = [{ cpu = '100us' }]";
    let costs = "processors = 3\ncontext-switch = '1us'\nwake = '9us'\nstagger = '20us'";
    assert_eq!(switches(costs, tasks), ["0 0 T#0 +1", "1 20 T#1 +1", "2 40 T#2 +1"]);
}

#[test]
fn who_goes_on_on_its_own_processor_pays_for_waking_all_the_same() {
    let tasks = "[[task]]\nname = 'A'\nprogram = [{ cpu = '10us' }, { sleep = '50us' }, { cpu = '10us' }]";
    let expected = ["0 0 A +45", "0 105 A +40"];
    assert_eq!(switches("context-switch = '5us'\nwake = '40us'", tasks), expected);
}

#[test]
fn who_is_woken_by_a_thread_pays_by_where_that_runs() {
    let costs =
        "processors = 2\nwake = '40us'\nblock = '10us'\nlocal-wake = '3us'\nremote-wake = '18us'\nstart = '1us'";
    let tasks = "
        [[lock]]
        name = 'm'
        [[task]]
        name = 'A'
        affinity = [0]
        program = [{ with = 'm', do = [{ cpu = '100us' }] }, { cpu = '20us' }, { sleep = '1ms' }]
        [[task]]
        name = 'B'
        affinity = [1]
        program = [{ cpu = '50us' }, { with = 'm', do = [{ cpu = '50us' }] }, { cpu = '10us' }]
        [[task]]
        name = 'C'
        affinity = [1]
        program = [{ cpu = '1us' }, { with = 'm', do = [{ cpu = '7us' }] }]";
    // A unlocks at 101 us, and B gets the lock on the other processor, which is idle. B unlocks at 169 us and wakes C, which gets
    // their processor when B has ended.
    let expected = ["1 51 C +10", "1 101 B +18", "1 179 C +3"];
    assert_eq!(switches(costs, tasks), expected);
}

#[test]
fn the_first_threads_are_ready_one_after_the_other() {
    // Each has a processor; later ones are not of the first, and wake as usual. When they arrived is as the file says.
    let costs = "processors = 4\nstart = '36us'\nstagger = '20us'\nwake = '9us'";
    let tasks = "[[task]]\nname = 'T'\ncount = 3\nprogram = [{ cpu = '100us' }]\n\
                 [[task]]\nname = 'U'\narrival = '500us'\nprogram = [{ cpu = '100us' }]";
    assert_eq!(switches(costs, tasks), ["0 500 U +9"]);
    let timeline = run(&scenario(&format!("[machine]\n{costs}\n{tasks}"))).0;
    let first = |place: usize| {
        let runs = timeline.intervals.iter().filter(|run| run.what == What::Run);
        runs.map(|run| run.start.ns() / 1000).nth(place)
    };
    assert_eq!([0, 1, 2].map(first), [36, 56, 76].map(Some));
    assert!(timeline.tasks.iter().take(3).all(|life| life.arrival.is_some_and(|at| at.ns() == 0)));
}

#[test]
fn costs_are_drawn_from_the_stream_of_the_thread() {
    let costs = "processors = 2\nwake = { uniform = ['10us', '90us'] }";
    let task = |name: &str, cpu: u32| {
        format!(
            "[[task]]\nname = '{name}'\naffinity = [{cpu}]\n\
             program = [{{ repeat = 3, do = [{{ cpu = '10us' }}, {{ sleep = '1ms' }}] }}]\n"
        )
    };
    let alone = switches(costs, &task("A", 0));
    let both = switches(costs, &format!("{}{}", task("B", 1), task("A", 0)));
    assert_eq!(alone.len(), 3);
    assert_eq!(both[..3], alone[..], "another task changes nothing");
    let lengths: Vec<_> = both.iter().filter_map(|switch| switch.split('+').nth(1)).collect();
    assert!(lengths.windows(2).any(|pair| pair[0] != pair[1]), "{both:?}");
}

#[test]
fn a_switch_can_be_left_to_chance_and_each_thread_draws_for_itself() {
    let of = |tasks: &str| {
        let machine =
            "context-switch = { uniform = ['1us', '9us'] }\n[scheduler]\npolicy = 'round-robin'\nquantum = '100us'";
        let lengths = switches(machine, tasks).into_iter().map(|switch| {
            let (rest, length) = switch.rsplit_once(" +").expect("a length");
            (rest.rsplit_once(' ').expect("a name").1.to_owned(), length.parse::<u64>().expect("a number"))
        });
        lengths.collect::<Vec<_>>()
    };
    let of_one = |name: &str, all: &[(String, u64)]| -> Vec<u64> {
        all.iter().filter(|(who, _)| who == name).map(|(_, length)| *length).collect()
    };
    let task = |name: &str| format!("[[task]]\nname = '{name}'\nprogram = [{{ cpu = '2ms' }}]\n");
    let two = of(&(task("A") + &task("B")));
    let three = of(&(task("A") + &task("B") + &task("C")));
    let (first, second) = (of_one("A", &two), of_one("B", &two));
    assert!(first.len() == 20 && first != second, "{two:?}");
    assert!(two.iter().all(|(_, length)| (1..=9).contains(length)), "{two:?}");
    assert!(first.iter().any(|length| *length < 4) && first.iter().any(|length| *length > 5), "{first:?}");
    assert_eq!((first, second), (of_one("A", &three), of_one("B", &three)));
}

/// Two tasks of which B is more urgent; A takes a lock twice.
fn lock_twice(arrival: &str) -> String {
    format!(
        "[[lock]]
        name = 'm'
        [[task]]
        name = 'A'
        program = [
            {{ cpu = '100us' }},
            {{ with = 'm', do = [{{ cpu = '50us' }}] }},
            {{ with = 'm', do = [{{ cpu = '50us' }}] }},
        ]
        [[task]]
        name = 'B'
        priority = 2
        arrival = '{arrival}'
        program = [{{ with = 'm', do = [{{ cpu = '10us' }}] }}]"
    )
}

#[test]
fn an_operation_is_paid_before_it_has_its_effect_and_whom_it_wakes_runs_before_the_next() {
    let costs = "operation = '5us'\n[scheduler]\npolicy = 'priority'";
    // B comes while A works with the lock, and finds it taken at 125 us. What A did until 120 us is done; it unlocks at 165 us,
    // and B, which has it then, displaces A before that pays for locking again.
    let expected = ["0 100 A +5", "0 120 B +5", "0 160 A +5", "0 175 B +5", "0 180 A +5", "0 235 A +5"];
    assert_eq!(switches(costs, &lock_twice("120us")), expected);
}

#[test]
fn nobody_is_put_off_in_the_middle_of_an_operation() {
    // B comes while A pays for the lock: A has it when B is let in.
    let costs = "operation = '5us'\n[scheduler]\npolicy = 'priority'";
    let expected = ["0 100 A +5", "0 105 B +5", "0 160 A +5", "0 175 B +5", "0 180 A +5", "0 235 A +5"];
    assert_eq!(switches(costs, &lock_twice("102us")), expected);
    // Nor at the end of a slice: of 102 us, A gets 105, and its second begins at 205.
    let slices = "operation = '5us'\n[scheduler]\npolicy = 'round-robin'\nquantum = '102us'";
    let tasks = "[[semaphore]]\nname = 's'\npermits = 0\n\
                 [[task]]\nname = 'A'\nprogram = [{ cpu = '100us' }, { release = 's' }, { cpu = '10us' }]\n\
                 [[task]]\nname = 'B'\nprogram = [{ cpu = '100us' }]";
    assert_eq!(switches(slices, tasks), ["0 100 A +5"]);
    let timeline = run(&scenario(&format!("[machine]\n{slices}\n{tasks}"))).0;
    let runs = timeline.intervals.iter().filter(|run| run.what == What::Run);
    let told: Vec<_> = runs.map(|run| (run.start.ns() / 1000, run.end.ns() / 1000, run.task.0)).collect();
    assert_eq!(told, [(0, 100, 0), (105, 105, 0), (105, 205, 1), (205, 215, 0)]);
}

/// To read and to change a variable takes no time, whatever operations cost, and a loop is no operation: only the yield is paid.
#[test]
fn variables_and_loops_are_no_operations() {
    let tasks = "[[variable]]\nname = 'n'\nvalue = 7\n[[task]]\nname = 'A'\nprogram = [
        { cpu = '10us' }, { set = 'n', to = 2 }, { while = 'n > 0', do = [{ add = 'n', by = -1 }, { cpu = '10us' }] },
        { if = 'n == 0', do = ['yield'] }, { every = '20us', times = 2, do = [{ cpu = '10us' }] }]";
    assert_eq!(switches("operation = '5us'", tasks), ["0 30 A +5"]);
    let (timeline, ending) = run(&scenario(&format!("[machine]\noperation = '5us'\n{tasks}")));
    assert_eq!((ending.at.ns(), timeline.tasks.len()), (65_000, 1));
}

#[test]
fn operations_are_paid_where_they_are_asked_again_and_by_tasks_of_a_runtime() {
    // A yields between: the switches at the same instants are those of the operations.
    let tasks = "[[process]]\nname = 'P'\nexecutor = 'async'\n[[process.task]]\nname = 'T'\ncount = 2\n\
                 program = [{ cpu = '10us' }, 'yield', { cpu = '10us' }]";
    assert_eq!(switches("operation = '2us'", tasks), ["0 10 T#0 +2", "0 22 T#1 +2"]);
    // Each draws for itself.
    let machine = "operation = { uniform = ['1us', '9us'] }";
    let program = "program = [{ repeat = 6, do = [{ cpu = '10us' }, 'yield'] }]";
    let one = switches(machine, &format!("[[task]]\nname = 'A'\n{program}"));
    assert_eq!(one.len(), 6);
    let lengths: Vec<_> = one.iter().filter_map(|switch| switch.split('+').nth(1)).collect();
    assert!(lengths.windows(2).any(|pair| pair[0] != pair[1]), "{one:?}");
}

/// Who ran from when to when, without what took no time, in milliseconds: `A 0-1`.
fn runs(text: &str) -> Vec<String> {
    let timeline = run(&scenario(text)).0;
    let mut runs: Vec<_> = timeline.intervals.iter().filter(|interval| interval.what == What::Run).collect();
    runs.retain(|run| run.end > run.start);
    runs.sort_by_key(|run| (run.start, run.task));
    let ms = |ns: u64| ns / 1_000_000;
    let told = |run: Interval| format!("{} {}-{}", timeline.short_name(run.task), ms(run.start.ns()), ms(run.end.ns()));
    runs.into_iter().map(told).collect()
}

/// One of two tasks of a process adds a permit.
fn releases_in(executor: &str, cpu: &str) -> String {
    format!(
        "[[semaphore]]
        name = 's'
        permits = 0
        [[process]]
        name = 'P'
        executor = {executor}
        [[process.task]]
        name = 'A'
        program = [{{ cpu = '{cpu}' }}, {{ release = 's' }}, {{ cpu = '5ms' }}]
        [[process.task]]
        name = 'B'
        arrival = '2ms'
        program = [{{ cpu = '12ms' }}]"
    )
}

#[test]
fn no_runtime_takes_a_thread_back_in_the_middle_of_an_operation() {
    // A pays from 1 to 11 ms. B wants the lock at 2, and A is to drop it at 7: it does so when the operation is over.
    let expected = ["A 0-1", "B 11-16", "A 16-21", "B 21-28"];
    for asking in ["", ", gil-request = 'when-running'"] {
        let tasks = releases_in(&format!("{{ kind = 'threads', gil = '5ms'{asking} }}"), "1ms");
        let told = runs(&format!("[machine]\nprocessors = 2\noperation = '10ms'\n{tasks}"));
        assert_eq!(told, expected, "{asking}");
    }
}

#[test]
fn what_comes_after_an_operation_is_not_done_before_it() {
    // The slice of A ends at the instant at which it comes to the operation: it pays when it has the worker again, at 20 ms.
    let executor = "{ kind = 'goroutines', workers = 1, slice = '10ms', poll-interval = '1s' }";
    let tasks = releases_in(executor, "10ms");
    let told = runs(&format!("[machine]\noperation = '1ms'\n{tasks}"));
    assert_eq!(told, ["A 0-10", "B 10-20", "A 21-26", "B 26-28"]);
}

#[test]
fn everybody_who_waits_for_the_end_of_an_operation_is_asked_for_then() {
    // Both that come would take the place of L, which pays until 11 ms; then one does, and the other takes that of M.
    let tasks = "
        [[semaphore]]
        name = 's'
        permits = 0
        [[task]]
        name = 'M'
        priority = 2
        program = [{ cpu = '50ms' }]
        [[task]]
        name = 'L'
        priority = 1
        program = [{ cpu = '1ms' }, { release = 's' }, { cpu = '20ms' }]
        [[task]]
        name = 'H'
        priority = 3
        arrival = ['3ms', '5ms']
        program = [{ cpu = '20ms' }]";
    let told =
        runs(&format!("[machine]\nprocessors = 2\noperation = '10ms'\n[scheduler]\npolicy = 'priority'\n{tasks}"));
    assert_eq!(told, ["M 0-11", "L 0-1", "H#0 11-31", "H#1 11-31", "M 31-70", "L 31-51"]);
}

#[test]
fn loops_of_nothing_but_operations_take_time_and_are_cut_by_the_horizon() {
    let tasks = "[[lock]]\nname = 'm'\n\
                 [[task]]\nname = 'A'\nprogram = [{ repeat = 'forever', do = [{ with = 'm', do = [] }, 'yield'] }]\n\
                 [[task]]\nname = 'B'\nprogram = [{ repeat = 'forever', do = [{ with = 'm', do = ['yield'] }] }]";
    for policy in POLICIES {
        let parameters = match policy.name {
            "round-robin" | "lottery" | "stride" => "quantum = '10us'",
            "feedback" => "quanta = ['10us']",
            "mlfq" => "levels = [{ quantum = '10us', allotment = 1 }]",
            _ => "",
        };
        let text = format!(
            "until = '50us'\n[machine]\noperation = '100ns'\n[scheduler]\npolicy = '{}'\n{parameters}\n{tasks}",
            policy.name
        );
        let scenario = scenario(&text);
        let mut timeline = Timeline::default();
        let ending = simulate(&scenario, &mut timeline);
        timeline.check_simulated(&scenario).unwrap_or_else(|broken| panic!("{}: {broken}", policy.name));
        assert_eq!(ending.end, End::Horizon, "{}: {:?}", policy.name, ending.explanation);
        assert_eq!(timeline.end.ns(), 50_000, "{}", policy.name);
    }
}

#[test]
fn operations_that_cost_nothing_change_nothing() {
    let tasks = lock_twice("102us");
    let hash = |machine: &str| {
        let mut hash = TimelineHash::default();
        let text = format!("[machine]\nprocessors = 1\n{machine}\n[scheduler]\npolicy = 'priority'\n{tasks}");
        simulate(&scenario(&text), &mut hash);
        hash.hex()
    };
    assert_eq!(hash("operation = '0ns'"), hash(""));
    assert_ne!(hash("operation = '1ns'"), hash(""));
}

#[test]
fn waking_costs_by_how_long_the_processor_has_been_idle() {
    let machine =
        "processors = 2\nwake = [{ cost = '9us' }, { idle = '100us', cost = '20us' }, { idle = '1ms', cost = '70us' }]";
    let sleep = |us: u32| format!("{{ sleep = '{us}us' }}, {{ cpu = '10us' }}");
    let program = [90, 100, 999, 1000].map(sleep).join(", ");
    let tasks = format!("[[task]]\nname = 'A'\naffinity = [1]\nprogram = [{{ cpu = '10us' }}, {program}]");
    // At the beginning a processor has been idle for no time.
    assert_eq!(switches(machine, &tasks), ["1 0 A +9", "1 109 A +9", "1 228 A +20", "1 1257 A +20", "1 2287 A +70"]);
    // One that has never run anything is idle from the beginning on.
    let late = "[[task]]\nname = 'A'\narrival = '2ms'\nprogram = [{ cpu = '10us' }]";
    assert_eq!(switches(machine, late), ["0 2000 A +70"]);
}

#[test]
fn a_worker_that_goes_on_with_another_task_has_not_ended() {
    let pool = |workers: u32, machine: &str| {
        let tasks = "[[process]]\nname = 'P'\n[[process.task]]\nname = 'T'\ncount = 4\nprogram = [{ cpu = '100us' }]";
        let executor = format!("executor = {{ kind = 'pool', workers = {workers} }}");
        switches(machine, &tasks.replace("name = 'P'", &format!("name = 'P'\n{executor}")))
    };
    let costs = "exit = '50us'\nblock = '7us'\nlocal-wake = '5us'\ntask-switch = '9us'";
    assert_eq!(pool(1, costs), ["0 100 T#1 +9", "0 209 T#2 +9", "0 318 T#3 +9"]);
    // Of two on one processor the other is next, and the first has parked or waits.
    let told = pool(2, costs);
    assert!(told.iter().all(|switch| !switch.contains("+50") && !switch.contains("+5 ")), "{told:?}");
}

#[test]
fn waking_from_another_processor_costs_by_how_long_this_one_has_been_idle() {
    let machine = "processors = 2\nremote-wake = [{ cost = '9us' }, { idle = '1ms', cost = '70us' }]";
    let tasks = "[[channel]]\nname = 'mail'\ncapacity = 4\n\
                 [[task]]\nname = 'A'\naffinity = [1]\nprogram = [{ recv = 'mail' }, { recv = 'mail' }, { cpu = '10us' }]\n\
                 [[task]]\nname = 'B'\naffinity = [0]\n\
                 program = [{ cpu = '200us' }, { send = 'mail' }, { cpu = '1200us' }, { send = 'mail' }]";
    assert_eq!(switches(machine, tasks), ["1 200 A +9", "1 1400 A +70"]);
}

#[test]
fn to_look_at_an_interpreter_lock_one_must_get_to_a_processor_first() {
    // B comes when A has the lock: the switch to B and the one back are all that is seen of its look. It waits for 5 ms from when it
    // looked, at 1010 us, and asks at 6020 us; A drops the lock when it is back, and B, which takes the processor from it, has it.
    let rules = "executor = { kind = 'threads', gil = '5ms', gil-request = 'when-running' }";
    let tasks = "[[task]]\nname = 'A'\nprogram = [{ cpu = '20ms' }]\n\
                 [[task]]\nname = 'B'\npriority = 1\narrival = '1ms'\nprogram = [{ cpu = '1ms' }]";
    let told = {
        let scenario = scenario(&format!(
            "{rules}\n[machine]\ncontext-switch = '10us'\nblock = '1us'\n[scheduler]\npolicy = 'priority'\n{tasks}"
        ));
        let timeline = run(&scenario).0;
        timeline.check_simulated(&scenario).unwrap_or_else(|broken| panic!("{broken}"));
        let stays = timeline.intervals.iter().filter(|stay| stay.what == What::Run && stay.end > stay.start);
        let mut told: Vec<_> = stays
            .map(|stay| (stay.start.ns() / 1000, stay.end.ns() / 1000, timeline.short_name(stay.task).to_string()))
            .collect();
        told.sort();
        // Who only looks does not hold the lock.
        let held = &timeline.interpreters()[0].1;
        let holders: Vec<_> = held.iter().map(|stretch| (stretch.end.ns() / 1000, stretch.state)).collect();
        assert_eq!(holders[0], (6031, Busy::Run(TaskId(0))), "{holders:?}");
        told
    };
    let told: Vec<String> = told.iter().map(|(start, end, who)| format!("{who} {start}-{end}")).collect();
    assert_eq!(told[..3], ["A 10-1000", "A 1021-6010", "B 6041-7041"], "{told:?}");
}
