//! What is valid but hardly meant: `sim` says so on standard error, and goes on.

mod objects;
mod waiting;

use std::sync::atomic::{AtomicU32, Ordering};

use sim_core::policy::POLICIES;

use crate::support::{configs, sim, temporary};

const MEANINGLESS: &str = r#"
    until = "1s"
    [scheduler]
    policy = "fifo"
    quantum = "1ms"
    [[device]]
    name = "disk"
    direction = "down"
    [[task]]
    name = "A"
    arrival = { gap = { exponential = "10ms" } }
    program = [{ cpu = "1ms" }, { io = "disk", for = "1ms" }]
"#;

/// What is said on standard error by a command that works.
fn remarks(arguments: &[&str]) -> Vec<String> {
    let output = sim(arguments);
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.success(), "{arguments:?}: {said}");
    said.lines().map(str::to_owned).collect()
}

/// The policies that have this parameter, as sentences list them.
fn takers_of(parameter: &str) -> String {
    let takers = POLICIES.iter().filter(|kind| kind.parameters.iter().any(|other| other.name == parameter));
    let names: Vec<String> = takers.map(|kind| format!("`{}`", kind.name)).collect();
    let (last, others) = names.split_last().expect("there are some");
    format!("{} and {last}", others.join(", "))
}

#[test]
fn a_section_that_nobody_interrupts_is_one_under_any_policy() {
    let text = "lock = [{ name = 'm', protocol = 'non-preemptive' }]\nscheduler = { policy = 'round-robin', quantum = '1ms' }\n\
                task = [{ name = 'A', count = 2, program = [{ with = 'm', do = [{ cpu = '2ms' }] }] }]";
    let path = temporary("uninterrupted", text).display().to_string();
    assert_eq!(remarks(&["run", &path]), [""; 0]);
}

#[test]
fn a_variable_that_no_task_names_is_remarked_upon() {
    let text = "variable = [{ name = 'seen' }, { name = 'asked' }, { name = 'idle' }]\n\
                task = [{ name = 'A', program = [{ add = 'seen', by = 1 }, { if = 'asked == 0', do = [{ cpu = '1ms' }] }] }]";
    let path = temporary("unnamed", text).display().to_string();
    let expected = format!(
        "remark: {path}:1:52: no task names the variable `idle`; leave it out, or let a task change it: {{ add = \"idle\", by = 1 }}"
    );
    assert_eq!(remarks(&["check", &path]), [expected]);
}

#[test]
fn parameters_and_gaps_that_mean_nothing_are_remarked_upon() {
    let path = temporary("remarks", MEANINGLESS).display().to_string();
    let expected = [
        format!("remark: {path}:5:5: `quantum` means nothing to `fifo`; it is for {}", takers_of("quantum")),
        format!("remark: {path}:8:5: `direction` means nothing to `fifo`; it is for `scan` and `look`"),
        format!(
            "remark: {path}:11:15: `arrival` is for several instances, and without `count` there is one; add a count, \
             such as count = 10"
        ),
    ];
    assert_eq!(remarks(&["check", &path]), expected);
    // A file may well keep what is for other policies; of that only who checks it wants to know.
    assert_eq!(remarks(&["run", &path, "--json"]), expected[2..]);
    for quiet in [
        vec!["run", &path, "-q"],
        vec!["check", &path, "-q"],
        vec!["run", &path, "-q", "--vary", "scheduler.policy=fifo,round-robin"],
    ] {
        assert!(remarks(&quiet).is_empty(), "{quiet:?}");
    }
    let alike = "remark: all 2 variations had the same timeline: what varies changes nothing";
    let varied = remarks(&["run", &path, "--vary", "scheduler.policy=fifo,round-robin"]);
    assert_eq!(varied, [&expected[2], alike]);
}

#[test]
fn variations_are_remarked_upon_once() {
    let text = "machine = { processors = 2 }\nexecutor = { kind = 'pool', core = 1, maximum = 2, queue-limit = 1, workers = 1 }\n\
                task = [{ name = 'A', count = 3, program = [{ cpu = '1ms' }] }]";
    let path = temporary("remarks-varied", text).display().to_string();
    let said = remarks(&["run", &path, "--vary", "executor.workers=1,4", "--vary", "executor.queue-limit=0,1,2"]);
    let workers =
        "`workers` means nothing beside `maximum`; leave it out: workers = n is short for core = n and maximum = n";
    assert_eq!(said[0], format!("remark: --vary executor.workers=1: {workers}"));
    let alike: Vec<String> = (0..3)
        .map(|limit| {
            format!("remark: the same timeline had workers=1 queue-limit={limit}, workers=4 queue-limit={limit}")
        })
        .collect();
    assert_eq!(said[1..], alike);
    // Of some only: with the first of them.
    let grows = remarks(&["run", &path, "--vary", "executor.core=1,2"]);
    assert!(grows.iter().any(|line| line.contains("changes only where tasks wait (with core=2);")), "{grows:?}");
}

#[test]
fn who_keeps_a_thread_blocks_it_anyway() {
    let text = r#"
        executor = "threads"
        [[device]]
        name = "disk"
        [[task]]
        name = "A"
        program = [{ io = "disk", for = "1ms", blocking = true }, { io = "disk", for = "1ms", blocking = true }]
        [[task]]
        name = "B"
        program = [{ io = "disk", for = "1ms", blocking = true }]
    "#;
    let path = temporary("remarks-blocking", text).display().to_string();
    let said = format!(
        "remark: {path}:7:59: `blocking` means nothing to the executor `threads`: any request blocks the thread of its task, here \
         and at another task; it is for `async`, `work-stealing` and `goroutines`"
    );
    assert_eq!(remarks(&["check", &path]), [said]);
    // A file may well keep it for other executors.
    assert!(remarks(&["run", &path]).is_empty());
    assert!(remarks(&["check", &path, "--set", "executor=async"]).is_empty());
}

#[test]
fn threads_of_python_run_under_the_policy_of_linux() {
    let task = "[[task]]\nname = \"A\"\ncount = 2\nprogram = [{ cpu = \"1ms\" }]\n";
    let path = temporary("remarks-python", &format!("runtime = \"cpython\"\n{task}")).display().to_string();
    let said = format!(
        "remark: {path}: no policy is named, so threads run first come, first served; interpreters run under the scheduler of Linux: \
         write policy = \"linux\" in [scheduler]"
    );
    for command in ["check", "run"] {
        assert_eq!(remarks(&[command, &path]), [said.as_str()]);
        assert!(remarks(&[command, &path, "-q"]).is_empty());
        assert!(remarks(&[command, &path, "--set", "scheduler.policy=linux"]).is_empty());
        // One thread alone has nobody to take turns with; and threads of Rust run as the file says.
        assert!(remarks(&[command, &path, "--set", "executor=async"]).is_empty());
        assert!(remarks(&[command, &path, "--set", "runtime=rust"]).is_empty());
    }
}

/// Several things that Python has not.
const NOT_IN_PYTHON: &str = r#"
    runtime = "cpython"
    executor = "threads"
    [scheduler]
    policy = "linux"
    [[rwlock]]
    name = "table"
    [[channel]]
    name = "rendezvous"
    capacity = 0
    [[device]]
    name = "disk"
    discipline = "look"
    [[task]]
    name = "A"
    program = [{ read = "table", do = [{ io = "disk", at = 5, for = "1ms" }] }, { send = "rendezvous" }]
    [[task]]
    name = "B"
    program = [{ recv = "rendezvous" }]
"#;

#[test]
fn what_cannot_be_measured_in_python_is_said_all_of_it_and_before_it_is_measured() {
    let path = temporary("remarks-not-in-python", NOT_IN_PYTHON).display().to_string();
    let said = remarks(&["check", &path]);
    let told: Vec<String> = said.iter().map(|line| line.replace(&path, "FILE")).collect();
    expect_test::expect![[r#"
        remark: FILE: `sim measure` refuses this: the rwlock `table` has no counterpart in Python; use another object, or simulate with `sim run`
        remark: FILE: `sim measure` refuses this: the channel `rendezvous` holds nothing, and queues of Python hold something; give it a capacity of 1 or more (1_000_000 has no bound), or simulate with `sim run`
        remark: FILE: `sim measure` refuses this: the device `disk` does not serve who comes first: that cannot be measured in Python; simulate it with `sim run`, or measure it with --set 'runtime="rust"' where the process has that key"#]]
    .assert_eq(&told.join("\n"));
    assert!(remarks(&["check", &path, "-q"]).is_empty());
    assert!(remarks(&["check", &path, "--set", "runtime=rust"]).is_empty());
    let output = sim(&["measure", &path]);
    let refused = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{refused}");
    for what in ["the rwlock `table`", "the channel `rendezvous`", "the device `disk`"] {
        assert!(refused.contains(what), "{refused}");
    }
    assert_eq!(refused.matches("hint: ").count(), 3, "{refused}");
}

#[test]
fn a_file_may_keep_what_is_for_other_policies() {
    let path = temporary("remarks-set", MEANINGLESS).display().to_string();
    let sets = ["run", &path, "--set", "task.A.count=2", "--set", "device.disk.discipline=lifo"];
    // An override chose the policy: that the file has a quantum is no wonder.
    assert!(remarks(&[&sets[..], &["--set", "scheduler.policy=srtf"]].concat()).is_empty());
    // But who gives a quantum hopes for something.
    let hopes = remarks(&[&sets[..], &["--set", "scheduler.policy=srtf", "--set", "scheduler.quantum=2ms"]].concat());
    assert_eq!(hopes.len(), 1, "{hopes:?}");
    assert!(
        hopes[0].starts_with("remark: --set scheduler.quantum=2ms: `quantum` means nothing to `srtf`"),
        "{hopes:?}"
    );
}

#[test]
fn a_policy_for_periodic_tasks_says_that_there_are_none() {
    let plain = temporary("remarks-plain", "[[task]]\nname = \"A\"\nprogram = [{ cpu = \"1ms\" }]\n");
    let plain = plain.display().to_string();
    for policy in ["rate-monotonic", "deadline-monotonic", "edf", "llf"] {
        let set = format!("scheduler.policy={policy}");
        let said = remarks(&["run", &plain, "--set", &set]);
        let words = format!("`{policy}` goes by periods and deadlines, and no task has any: it runs as `fifo`");
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with(&format!("remark: --set {set}: {words}; add period")), "{said:?}");
        // It does: whatever the order of the policy is, nothing tells these tasks apart.
        let run = |policy: &str| {
            let set = format!("scheduler.policy={policy}");
            let run = sim(&["run", "configs/convoy.toml", "--json", "-q", "--timeline", "--set", &set]);
            let outcome: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
            outcome["timeline_hash"].as_str().expect("a hash").to_owned()
        };
        assert_eq!(run(policy), run("fifo"), "{policy}");
        assert!(remarks(&["run", &plain, "--set", &set, "--set", "until=1s", "--set", "task.A.period=9ms"]).is_empty());
    }
}

#[test]
fn a_variation_that_is_wrong_is_named_as_it_was_given() {
    let output = sim(&["run", "configs/convoy.toml", "--vary", "foo=1,2"]);
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.starts_with("--vary foo=1: unknown key `foo`\n"), "{said}");
    assert!(said.contains("\n  | --vary foo=1\n  |        ^^^\n"), "{said}");
}

#[test]
fn what_is_wrong_in_one_variation_only_is_told_with_its_name() {
    let said = |arguments: &[&str]| {
        let output = sim(arguments);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{arguments:?}");
        String::from_utf8(output.stderr).expect("text")
    };
    let of_one = said(&["run", "configs/convoy.toml", "--vary", "scheduler.policy=fifo,mlfq"]);
    assert!(
        of_one.starts_with("with policy=mlfq:\nconfigs/convoy.toml:") && of_one.contains("`levels` is missing"),
        "{of_one}"
    );
    // What is wrong with the file has nothing to do with the variation.
    let wrong = temporary("wrong", "[[task]]\nname = \"a\"\nprogram = [{ cpu = -3 }]").display().to_string();
    let of_file = said(&["run", &wrong, "--vary", "seed=1,2"]);
    assert_eq!(of_file, said(&["check", &wrong]));
    assert!(
        of_file.starts_with(&wrong) && of_file.contains("such as \"5ms\""),
        "no hint to a negative time: {of_file}"
    );
    // One of two values would be ignored.
    for twice in [["--seed", "7"], ["--set", "seed=7"], ["--vary", "seed=7"]] {
        let refused = said(&[["run", "configs/mm1.toml", "--vary", "seed=1,2"].as_slice(), &twice].concat());
        assert!(refused.starts_with("sim: `seed` is given by --vary and by "), "{refused}");
    }
    assert!(said(&["check", "configs"]).contains("hint: name the files in it, such as configs/*.toml"));
}

#[test]
fn seeds_that_change_nothing_are_remarked_upon() {
    let vain = ["remark: every seed gave the same run: nothing in the scenario is drawn"];
    let vary =
        |more: &[&str]| remarks(&[["run", "configs/convoy.toml", "--vary", "seed=1,2"].as_slice(), more].concat());
    assert_eq!(vary(&[]), vain);
    // Whatever else varies, before or after it.
    assert_eq!(vary(&["--vary", "machine.processors=1,2"]), vain);
    let before = ["run", "configs/convoy.toml", "--vary", "machine.processors=1,2", "--vary", "seed=1..3"];
    assert_eq!(remarks(&before), vain);
    assert!(vary(&["-q"]).is_empty());
    assert!(remarks(&["run", "configs/mm1.toml", "--vary", "seed=1,2"]).is_empty());
    // It is a policy that draws.
    let lottery = ["--set", "scheduler.policy=lottery", "--set", "scheduler.quantum=1ms"];
    assert!(vary(&lottery).is_empty());
}

#[test]
fn no_scenario_of_this_repository_draws_a_remark() {
    for file in configs() {
        let file = file.display().to_string();
        let said = remarks(&["check", &file]);
        // One is there to show what is remarked upon.
        let shows_it = file.ends_with("configs/java-pool.toml");
        assert_eq!(said.len(), usize::from(shows_it), "{file}: {said:?}");
    }
}

/// What `sim check` remarks, without the place.
fn checked(name: &str, toml: &str) -> Vec<String> {
    // Several tests may have chosen one name, and run at the same time.
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let path = temporary(&name, toml).display().to_string();
    let said = remarks(&["check", &path]);
    said.into_iter().map(|line| line.replace(&format!("remark: {path}:"), "")).collect()
}

#[test]
fn what_a_task_says_to_a_policy_that_does_not_listen() {
    let toml = |policy: &str| {
        format!(
            r#"
            {policy}
            [[task]]
            name = "a"
            priority = 9
            tickets = 500
            nice = -20
            server = {{ budget = "1ms", period = "10ms" }}
            working-set = 3
            program = [{{ cpu = "10ms" }}]
            [[task]]
            name = "b"
            priority = 1
            program = [{{ cpu = "10ms" }}]
            "#
        )
    };
    let keys = |policy: &str| -> Vec<String> {
        let said = checked("useless", &toml(policy));
        let mut keys: Vec<String> = said.iter().map(|line| line.split('`').nth(1).expect("a key").to_owned()).collect();
        keys.sort_unstable();
        keys
    };
    let expected = expect_test::expect![[r#"
        5:13: `priority` means nothing to `round-robin`, here and at another task; it is for `priority`
        6:13: `tickets` means nothing to `round-robin`; it is for `lottery` and `stride`
        7:13: `nice` means nothing to `round-robin`; it is for `cfs`, `eevdf` and `linux`
        8:13: `server` means nothing to `round-robin`; it is for `linux` and `edf`
        9:13: `working-set` means nothing to a machine without `cache`; add cache = { … } to [machine]"#]];
    expected
        .assert_eq(&checked("useless", &toml("scheduler = { policy = 'round-robin', quantum = '5ms' }")).join("\n"));
    // Each policy reads what is its own, on a shared queue and on queues per processor, and so does a runtime's.
    let all = ["nice", "priority", "server", "tickets", "working-set"];
    let but = |heard: &str| -> Vec<&str> { all.into_iter().filter(|key| *key != heard).collect() };
    assert_eq!(keys(""), all, "without a policy it is fifo");
    assert_eq!(keys("scheduler = { policy = 'priority' }"), but("priority"));
    assert_eq!(keys("scheduler = { policy = 'priority', queues = 'per-processor' }"), but("priority"));
    assert_eq!(keys("scheduler = { policy = 'lottery', quantum = '5ms' }"), but("tickets"));
    assert_eq!(keys("scheduler = { policy = 'stride', quantum = '5ms' }"), but("tickets"));
    assert_eq!(keys("scheduler = { policy = 'cfs' }"), but("nice"));
    assert_eq!(keys("scheduler = { policy = 'edf' }"), but("server"));
    assert_eq!(keys("machine = { cache = { size = 9, warm-up = '1ms', warm-speed = 2.0 } }"), but("working-set"));
    assert_eq!(keys("executor = { kind = 'async', policy = 'priority' }"), but("priority"));
    // Who waits for a lock, or at a device that asks, is the more urgent the higher its priority under any policy.
    assert_eq!(keys("lock = [{ name = 'm' }]"), but("priority"));
    assert_eq!(keys("device = [{ name = 'd', discipline = 'priority' }]"), but("priority"));
    assert_eq!(
        keys("scheduler = { policy = 'edf' }\nlock = [{ name = 'm' }]"),
        ["nice", "priority", "tickets", "working-set"]
    );
    // A policy that an override chose is tried with what the file has.
    let path = temporary("tried", &toml("")).display().to_string();
    assert!(remarks(&["check", &path, "--set", "scheduler.policy=hrrn"]).is_empty());
    let hopes = remarks(&["check", &path, "--set", "scheduler.policy=hrrn", "--set", "task.b.priority=3"]);
    assert_eq!(hopes.len(), 1, "{hopes:?}");
    assert!(hopes[0].contains("`priority` means nothing to `hrrn`"), "{hopes:?}");
}

#[test]
fn keys_that_mean_nothing_to_a_class_are_remarked_upon() {
    let toml = "\
scheduler = { policy = 'linux' }
[[task]]
name = 'urgent'
rt-priority = 9
program = [{ cpu = '1ms' }]
[[task]]
name = 'first'
class = 'fifo'
rt-priority = 9
nice = -5
slice = '1ms'
program = [{ cpu = '1ms' }]
[[task]]
name = 'second'
class = 'fifo'
nice = -5
program = [{ cpu = '1ms' }]
[[task]]
name = 'last'
class = 'idle'
slice = '1ms'
server = { budget = '1ms', period = '10ms' }
program = [{ cpu = '1ms' }]
";
    let expected = expect_test::expect![[r#"
        4:1: `rt-priority` means nothing to the class `other`; it is for `fifo` and `round-robin`
        10:1: `nice` means nothing to the class `fifo`, here and at another task; it is for `other` and `batch`
        11:1: `slice` means nothing to the class `fifo`; it is for `other`, `batch` and `idle`
        22:1: `server` means nothing to the class `idle`; it is for `deadline`"#]];
    expected.assert_eq(&checked("classes", toml).join("\n"));
    assert_eq!(checked("classless", &toml.replace("rt-priority = 9", "").replace("'fifo'", "'batch'")).len(), 1);
}

#[test]
fn policies_that_hand_nobody_a_processor_say_so() {
    let text = |policy: &str| {
        let parameters = match policy {
            "round-robin" | "lottery" | "stride" => ", quantum = '5ms'",
            "mlfq" => ", levels = [{ quantum = '5ms', allotment = 1 }]",
            "feedback" => ", quanta = ['5ms']",
            _ => "",
        };
        format!(
            "scheduler = {{ policy = '{policy}'{parameters} }}\nlock = [{{ name = 'm' }}]\ncondvar = [{{ name = 'cv', rule = 'hoare' }}]\n\
             task = [{{ name = 'A', program = [{{ with = 'm', do = [{{ wait = 'cv', with = 'm' }}] }}] }},\n\
             {{ name = 'B', program = [{{ with = 'm', do = [{{ cpu = '1ms' }}, {{ notify = 'cv' }}] }}] }}]\n"
        )
    };
    for kind in POLICIES {
        let path = temporary(&format!("hoare-{}", kind.name), &text(kind.name)).display().to_string();
        let said = remarks(&["check", &path]);
        let is_said = said.iter().any(|line| line.contains("hands nobody a processor: who is notified at `cv`"));
        let by_shares = ["lottery", "stride", "cfs", "eevdf", "linux"].contains(&kind.name);
        assert_eq!(is_said, by_shares, "{}: {said:?}", kind.name);
    }
}
