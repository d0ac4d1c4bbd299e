//! What headings say of the parameters of a policy.

use crate::support::scenario;

#[test]
fn headings_name_the_parameters() {
    let ewma = "estimate = { ewma = 0.25, initial = '3ms' }";
    for (scheduler, label) in [
        ("policy = 'fifo'", ""),
        ("policy = 'round-robin', quantum = '2ms'", "quantum 2ms"),
        ("policy = 'sjf'", ""),
        (&format!("policy = 'sjf', {ewma}"), "ewma 0.25"),
        (&format!("policy = 'srtf', {ewma}"), "ewma 0.25"),
        ("policy = 'hrrn'", ""),
        ("policy = 'priority'", "preemptive"),
        (
            "policy = 'priority', preemptive = false, order = 'low-first', quantum = '2ms', aging = '5ms'",
            "not preemptive, low first, quantum 2ms, aging 5ms",
        ),
        ("policy = 'feedback', quanta = ['1ms', '2ms']", "quanta 1ms 2ms"),
        ("policy = 'mlfq', levels = [{ quantum = '1ms', allotment = 2 }, { quantum = '3ms' }]", "levels 1ms×2 3ms×1"),
        (
            "policy = 'mlfq', levels = [{ quantum = '1ms' }], boost = '9ms', reset-on-io = true, io-to-head = true",
            "levels 1ms×1, boost 9ms, reset on I/O, I/O to head",
        ),
        ("policy = 'lottery', quantum = '2ms'", "quantum 2ms"),
        ("policy = 'stride', quantum = '2ms'", "quantum 2ms"),
        ("policy = 'cfs'", "latency 6ms, base slice 750us, wake-up 1ms"),
        (
            "policy = 'cfs', latency = '8ms', base-slice = '2ms', wakeup-granularity = '0ms', tick = '4ms'",
            "latency 8ms, base slice 2ms, wake-up 0ns, tick 4ms",
        ),
        ("policy = 'edf'", ""),
        ("policy = 'edf', preemptive = false, heavy-first = '2/3'", "not preemptive, more than 2/3 first"),
        ("policy = 'rate-monotonic'", ""),
        ("policy = 'deadline-monotonic', preemptive = false", "not preemptive"),
        ("policy = 'llf'", "quantum 1ms"),
        ("policy = 'llf', preemptive = false", "not preemptive"),
        ("policy = 'fifo', queues = 'per-processor'", "queues per processor: least loaded, stealing"),
        (
            "policy = 'fifo', queues = 'per-processor', placement = 'round-robin', balance = 'none'",
            "queues per processor: round robin, never balanced",
        ),
        (
            "policy = 'lottery', quantum = '2ms', queues = 'per-processor', placement = 'random', balance = { every = '7ms' }",
            "quantum 2ms; queues per processor: random, balanced every 7ms",
        ),
    ] {
        let scenario = scenario(&format!(
            "scheduler = {{ {scheduler} }}\ntask = [{{ name = 'A', program = [{{ cpu = '1ms' }}] }}]"
        ));
        assert_eq!(scenario.scheduler.settings.label(), label, "{scheduler}");
    }
}
