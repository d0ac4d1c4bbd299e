//! Is the policy that was asked for the one that ran? An error figure means something only if it is.

use std::collections::BTreeSet;

use sim_core::executor::Threads;
use sim_core::ids::ProcessId;
use sim_core::policy::SchedulingClass;
use sim_core::policy::on_linux::{Class, Realised};
use sim_core::scenario::{Arrival, Process, Scenario, Timer};

use crate::play::executor;
use crate::prepare::{groups, scheduling};

/// Real-time priorities of measured threads lie from 1 to here; threads that control the run are above.
pub(crate) const LEVELS: usize = 50;

/// What the machine made of a policy.
pub(crate) struct Ran {
    /// The class whose rules its threads were under.
    pub(crate) class: Class,
    /// Was a real-time class wanted that takes rights which are missing?
    pub(crate) refused: bool,
}

/// How near what ran is to what was asked for, and why, in a sentence.
pub(crate) fn judge(scenario: &Scenario, ran: &Ran) -> (Realised, String) {
    let processors = scenario.machine.processors.len();
    let asked = scenario.scheduler.kind.name;
    if has_no_choice(scenario, processors) {
        return (Realised::Exact, "no processor had more than one thread to choose from".into());
    }
    let class = called(ran.class, scenario);
    let (realised, differs) = differences(scenario, ran, processors);
    if realised == Realised::Exact {
        return (realised, format!("{class} chooses as `{asked}` does"));
    }
    let why = if differs.is_empty() { String::new() } else { format!(": {}", differs.join(", and ")) };
    let few = threads(scenario).is_some_and(|threads| threads <= processors as u64) && !has_affinity(scenario);
    if !scenario.scheduler.named && ran.class == Class::Other {
        return (realised, format!("{class} ran, and `{asked}` is simulated since no policy is named{why}"));
    }
    match realised {
        Realised::Not if few => {
            let left = "there was a processor for each thread, and hardly anything left to choose";
            (Realised::Approximated, format!("{left}: the machine ran {class} where `{asked}` was asked for"))
        }
        Realised::Not => (realised, format!("the machine ran {class} where `{asked}` was asked for{why}")),
        _ => (realised, format!("{class} is nearly `{asked}`{why}")),
    }
}

/// What the class is called by which the threads of a scenario run: each by its own, or all by one.
pub(crate) fn called(class: Class, scenario: &Scenario) -> String {
    if class != Class::Named {
        return class.name().to_owned();
    }
    let own: BTreeSet<SchedulingClass> = scenario.specs.iter().map(|spec| spec.attributes.class).collect();
    own.into_iter().map(SchedulingClass::on_linux).collect::<Vec<_>>().join(" and ")
}

/// What the class does otherwise, and how near it is in all.
fn differences(scenario: &Scenario, ran: &Ran, processors: usize) -> (Realised, Vec<String>) {
    let Scenario { scheduler, specs, .. } = scenario;
    let counterpart = scheduler.settings.on_linux();
    let (mut realised, mut differs) = (counterpart.realised, Vec::new());
    let mut but = |how: Realised, what: String| {
        realised = realised.max(how);
        differs.push(what);
    };
    if !counterpart.differs.is_empty() {
        but(Realised::Exact, format!("that class {}", counterpart.differs));
    }
    if groups::are_needed(scenario) && names_real_time(scenario) {
        but(Realised::Approximated, "groups of the kernel bind ordinary threads only, so all were ordinary".into());
    }
    if ran.refused {
        let how = if scheduler.named { Realised::Not } else { Realised::Approximated };
        but(how, format!("{} takes root or CAP_SYS_NICE", called(counterpart.class, scenario)));
    } else if leaves_it_to_linux(scenario) {
        but(Realised::Approximated, "interpreters are run so: `policy = \"linux\"` simulates that".into());
    }
    if let (Class::RoundRobin(asked), Class::RoundRobin(real)) = (counterpart.class, ran.class)
        && asked != real
    {
        but(Realised::Not, format!("its slices are {real}, not {asked}"));
    } else if matches!(ran.class, Class::RoundRobin(_)) {
        but(Realised::Approximated, "its slices end at ticks of the kernel's clock".into());
    }
    if scheduler.timer == Timer::Global {
        but(Realised::Approximated, "no common timer ends its slices".into());
    }
    if ran.class == Class::Named && specs.iter().any(|spec| spec.attributes.class == SchedulingClass::Deadline) {
        let what = "SCHED_DEADLINE takes all processors there are, so its tasks ran above all others without a budget";
        but(Realised::Not, what.into());
    }
    let is_real_time = !matches!(ran.class, Class::Other | Class::Named);
    if is_real_time && processors > 1 {
        but(Realised::Approximated, "it has a queue for each processor, and moves threads by rules of its own".into());
    }
    if is_real_time && has_interpreter(scenario) {
        but(
            Realised::Approximated,
            "under it who waits for the interpreter's lock asks for it only once it runs".into(),
        );
    }
    let levels: BTreeSet<i64> = specs.iter().map(|spec| spec.attributes.priority).collect();
    if is_real_time && scheduler.kind.goes_by("priority") && levels.len() > LEVELS {
        but(Realised::Approximated, format!("{} priorities had to share {LEVELS}", levels.len()));
    }
    for what in scenario.processes.pairs().flat_map(|(id, process)| not_of_tasks(scenario, id, process)) {
        but(Realised::Not, what);
    }
    (realised, differs)
}

/// What threads that run whichever task comes do not take over from it, though the policy goes by it.
fn not_of_tasks(scenario: &Scenario, id: ProcessId, process: &Process) -> Vec<String> {
    if process.executor.own_threads().is_none() {
        return Vec::new();
    }
    let kind = scenario.scheduler.kind;
    let own = || scenario.specs.iter().filter(|spec| spec.process == id).map(|spec| &spec.attributes);
    let differ = |values: BTreeSet<i64>| values.len() > 1;
    let told = [
        ("priority", kind.goes_by("priority") && differ(own().map(|task| task.priority).collect())),
        ("nice", kind.goes_by("nice") && differ(own().map(|task| i64::from(task.nice)).collect())),
        ("affinity", own().any(|task| task.affinity.is_some())),
    ];
    let told = told.into_iter().filter(|(_, is_so)| *is_so);
    told.map(|(what, _)| format!("threads of `{}` do not take over the `{what}` of their tasks", process.name))
        .collect()
}

fn has_affinity(scenario: &Scenario) -> bool {
    scenario.specs.iter().any(|spec| spec.attributes.affinity.is_some())
}

/// Is Linux left to schedule as it does unasked? Interpreters are run so by everybody, and in a real-time class
/// who waits for the lock may never come to ask for it; so it is unless the file names a policy.
pub(crate) fn leaves_it_to_linux(scenario: &Scenario) -> bool {
    !scenario.scheduler.named && has_interpreter(scenario)
}

/// Would tasks be in a class that goes before ordinary ones?
pub(crate) fn names_real_time(scenario: &Scenario) -> bool {
    match scenario.scheduler.settings.on_linux().class {
        Class::Fifo | Class::RoundRobin(_) => !leaves_it_to_linux(scenario),
        Class::Named => scheduling::has_real_time(scenario),
        Class::Other => false,
    }
}

fn has_interpreter(scenario: &Scenario) -> bool {
    scenario.processes.iter().any(|process| process.executor.gil.is_some() || process.runtime.cpython().is_some())
}

/// Does the policy never have a choice, since no processor has more than one thread?
fn has_no_choice(scenario: &Scenario, processors: usize) -> bool {
    let pinned = |process: &Process| {
        process.executor.kind.threads == Threads::Workers
            && executor::is_pinned(process.executor.workers as usize, processors)
    };
    let only_pinned = !has_affinity(scenario) && scenario.processes.len() == 1 && scenario.processes.iter().all(pinned);
    only_pinned || threads(scenario).is_some_and(|threads| threads <= 1)
}

/// How many threads there are at most; `None` if nobody knows, since tasks start others.
fn threads(scenario: &Scenario) -> Option<u64> {
    let of = |(id, process): (_, &Process)| match process.executor.own_threads() {
        Some(threads) => Some(u64::from(threads)),
        None => {
            let mut own = scenario.specs.iter().filter(|spec| spec.process == id);
            own.try_fold(0, |sum, spec| (spec.arrival != Arrival::Spawned).then_some(sum + u64::from(spec.count)))
        }
    };
    scenario.processes.pairs().map(of).try_fold(0_u64, |sum, threads| Some(sum + threads?))
}

#[cfg(test)]
mod tests {
    use sim_core::time::Span;

    use super::*;
    use crate::tests::scenario;

    #[test]
    fn threads_that_take_over_nothing_from_their_tasks_are_said_to() {
        let judged = |executor: &str, policy: &str, tasks: [&str; 2]| {
            let task =
                |(name, more): (&str, &str)| format!("{{ name = '{name}', program = [{{ cpu = '1ms' }}]{more} }}");
            let tasks = ["a", "b"].into_iter().zip(tasks).map(task).collect::<Vec<_>>().join(", ");
            let text = format!(
                "machine = {{ processors = 2 }}\n scheduler = {{ policy = '{policy}' }}\n
                 process = [{{ name = 'p', executor = {executor}, task = [{tasks}] }}]"
            );
            let class = scenario(&text).scheduler.settings.on_linux().class;
            let (realised, why) = judge(&scenario(&text), &Ran { class, refused: false });
            (realised, why.contains("threads of `p` do not take over the"))
        };
        let (priorities, nice) = ([", priority = 1", ""], ["", ", nice = 5"]);
        for executor in ["{ kind = 'pool', workers = 3 }", "{ kind = 'work-stealing', workers = 3 }"] {
            assert_eq!(judged(executor, "priority", priorities), (Realised::Not, true), "{executor}");
            assert_eq!(judged(executor, "cfs", nice), (Realised::Not, true), "{executor}");
            assert_eq!(judged(executor, "fifo", priorities), (Realised::Approximated, false), "{executor}");
            assert_eq!(
                judged(executor, "priority", [", priority = 1"; 2]),
                (Realised::Approximated, false),
                "{executor}"
            );
            assert_eq!(judged(executor, "fifo", [", affinity = [0]", ""]), (Realised::Not, true), "{executor}");
        }
        // A processor for each thread is no use to those that may not use it.
        let kept = [", affinity = [0]"; 2];
        assert_eq!(judged("{ kind = 'pool', workers = 2 }", "fifo", kept), (Realised::Not, true));
        assert_eq!(judged("'threads'", "sjf", kept), (Realised::Not, false));
        assert_eq!(judged("'threads'", "priority", priorities), (Realised::Approximated, false));
    }

    /// Two threads on one processor, with whatever else is said.
    fn judged(more: &str, ran: Class, refused: bool) -> String {
        let tasks = "task = [{ name = 'a', count = 2, program = [{ cpu = '1ms' }] }]";
        let (realised, reason) = judge(&scenario(&format!("{more}\n{tasks}")), &Ran { class: ran, refused });
        format!("{}: {reason}", realised.name())
    }

    #[test]
    fn every_policy_and_parameter_is_judged() {
        let ms = |quantum| Class::RoundRobin(Span::from_ms(quantum));
        let rr = |quantum: u64, more: &str| {
            format!("scheduler = {{ policy = 'round-robin', quantum = '{quantum}ms'{more} }}")
        };
        let priority = |more: &str| format!("scheduler = {{ policy = 'priority'{more} }}");
        let other = |name: &str| format!("scheduler = {{ policy = '{name}' }}");
        let two = "machine = { processors = 2 }\nexecutor = 'work-stealing'\n";
        let cases = [
            (String::new(), Class::Fifo, false),
            (other("fifo"), Class::Other, true),
            (String::new(), Class::Other, true),
            (rr(100, ""), ms(100), false),
            (rr(5, ""), ms(100), false),
            (rr(100, ", timer = 'global'"), ms(100), false),
            (priority(""), Class::Fifo, false),
            (priority(", preemptive = false"), Class::Fifo, false),
            (priority(", aging = '5ms'"), Class::Fifo, false),
            (priority(", preempted-to = 'tail'"), Class::Fifo, false),
            (priority(", quantum = '10ms'"), ms(100), false),
            (other("cfs"), Class::Other, false),
            (other("sjf"), Class::Other, false),
            ("executor = { kind = 'threads', gil = '5ms' }".into(), Class::Other, false),
            (format!("{}\nexecutor = {{ kind = 'threads', gil = '5ms' }}", other("fifo")), Class::Fifo, false),
            ("executor = 'async'".into(), Class::Other, true),
            (format!("machine = {{ processors = 2 }}\n{}", other("sjf")), Class::Other, false),
            (format!("{two}{}", other("srtf")), Class::Other, false),
            (
                "machine = { processors = 2 }\nscheduler = { policy = 'fifo', queues = 'per-processor' }".into(),
                Class::Fifo,
                false,
            ),
        ];
        let told: Vec<String> = cases.iter().map(|(more, ran, refused)| judged(more, *ran, *refused)).collect();
        expect_test::expect![[r#"
            exact: SCHED_FIFO chooses as `fifo` does
            not: the machine ran SCHED_OTHER where `fifo` was asked for: SCHED_FIFO takes root or CAP_SYS_NICE
            approximated: SCHED_OTHER ran, and `fifo` is simulated since no policy is named: SCHED_FIFO takes root or CAP_SYS_NICE
            approximated: SCHED_RR is nearly `round-robin`: its slices end at ticks of the kernel's clock
            not: the machine ran SCHED_RR where `round-robin` was asked for: its slices are 100ms, not 5ms
            approximated: SCHED_RR is nearly `round-robin`: its slices end at ticks of the kernel's clock, and no common timer ends its slices
            exact: SCHED_FIFO chooses as `priority` does
            not: the machine ran SCHED_FIFO where `priority` was asked for: that class lets a more urgent thread take the processor at once
            not: the machine ran SCHED_FIFO where `priority` was asked for: that class knows no aging
            approximated: SCHED_FIFO is nearly `priority`: that class puts who is displaced at the head of its level
            not: the machine ran SCHED_RR where `priority` was asked for: its slices are 100ms, not 10ms
            approximated: SCHED_OTHER is nearly `cfs`: that class is fair by deadlines (EEVDF) since Linux 6.6, in slices of its own
            not: the machine ran SCHED_OTHER where `sjf` was asked for
            approximated: SCHED_OTHER ran, and `fifo` is simulated since no policy is named: interpreters are run so: `policy = "linux"` simulates that
            approximated: SCHED_FIFO is nearly `fifo`: under it who waits for the interpreter's lock asks for it only once it runs
            exact: no processor had more than one thread to choose from
            approximated: there was a processor for each thread, and hardly anything left to choose: the machine ran SCHED_OTHER where `sjf` was asked for
            exact: no processor had more than one thread to choose from
            approximated: SCHED_FIFO is nearly `fifo`: that class knows neither `placement` nor `balance`, and it has a queue for each processor, and moves threads by rules of its own"#]].assert_eq(&told.join("\n"));
    }

    #[test]
    fn every_policy_of_the_shelf_says_what_linux_has_of_it() {
        let like: Vec<&str> = sim_core::policy::POLICIES
            .iter()
            .map(|kind| kind.name)
            .filter(|name| {
                let needed = "quantum = '1ms', quanta = ['1ms'], levels = [{ quantum = '1ms', allotment = 1 }]";
                !judged(&format!("scheduler = {{ policy = '{name}', {needed} }}"), Class::Other, false)
                    .starts_with("not")
            })
            .collect();
        assert_eq!(like, ["fifo", "round-robin", "priority", "cfs", "eevdf", "linux"]);
    }
}
