//! Scenarios that programs of every language are made of.

/// A process with this executor, and with what follows.
pub(super) fn with_executor(executor: &str, rest: &str) -> String {
    let runtime = if executor.contains("of =") { "runtime = \"cpython\"\n" } else { "" };
    format!("[[process]]\nname = \"p\"\nexecutor = {executor}\n{runtime}{rest}")
}

/// Tasks of all kinds of arrival, the last of which starts after all others: `p/A#0`, `p/A#1`, `p/B#0`, `p/B#1`, `p/last#0`.
pub(super) fn arriving(executor: &str) -> String {
    let shared = "[[lock]]\nname = \"m\"\n[[device]]\nname = \"disk\"\nchannels = 2\n";
    let tasks = "[[process.task]]\nname = \"A\"\ncount = 2\nprogram = [{ with = \"m\", do = [{ cpu = \"1ms\" }] }, { io = \"disk\", for = \"1ms\" }, \"yield\"]\n\
        [[process.task]]\nname = \"B\"\narrival = [\"3ms\", \"1ms\"]\nprogram = [{ sleep = { uniform = [\"1ms\", \"2ms\"] } }, { choose = [[1, [\"yield\"]], [1, []], [2, [{ cpu = \"1us\" }]]] }]\n\
        [[process.task]]\nname = \"last\"\nafter = [\"A\", \"B\"]\nprogram = [{ lock = \"m\" }, { cpu = \"1ms\" }, { unlock = \"m\" }]\n";
    format!("{shared}{}", with_executor(executor, tasks))
}

/// Objects of all kinds between `p/one#0` and `p/two#0`; without a barrier on demand.
pub(super) fn objects(executor: &str, barrier: bool) -> String {
    let shared = "[[lock]]\nname = \"m\"\n[[lock]]\nname = \"n\"\n[[semaphore]]\nname = \"s\"\npermits = 1\n[[channel]]\nname = \"c\"\ncapacity = 1\n\
        [[condvar]]\nname = \"v\"\n[[barrier]]\nname = \"b\"\nparties = 2\n";
    // The one notifies after the other waits: the semaphore says so.
    let tasks = "[[process.task]]\nname = \"one\"\nprogram = [{ acquire = \"s\" }, { barrier = \"b\" }, { lock = \"m\" }, { release = \"s\" }, { wait = \"v\", with = \"m\" }, { unlock = \"m\" }, \
        { repeat = 3, do = [{ send = \"c\" }] }, { lock = \"m\" }, { lock = \"n\" }, { unlock = \"m\" }, { unlock = \"n\" }]\n\
        [[process.task]]\nname = \"two\"\nprogram = [{ barrier = \"b\" }, { acquire = \"s\" }, { lock = \"m\" }, { notify = \"v\" }, { unlock = \"m\" }, { repeat = 3, do = [{ recv = \"c\" }] }, { notify-all = \"v\" }]\n";
    let tasks = if barrier { tasks.to_owned() } else { tasks.replace("{ barrier = \"b\" }, ", "") };
    format!("{shared}{}", with_executor(executor, &tasks))
}

/// Tasks that spawn others: `p/root#0`, `p/leaf#0`, `p/leaf#1`, and `p/tail#0`, for which nobody waits.
pub(super) fn spawning(executor: &str) -> String {
    let tasks = "[[process.task]]\nname = \"root\"\nprogram = [{ repeat = 2, do = [{ spawn = \"leaf\" }] }, { join = \"leaf\" }, { spawn = \"tail\" }]\n\
        [[process.task]]\nname = \"leaf\"\narrival = \"spawned\"\nprogram = [{ with = \"m\", do = [{ cpu = \"1ms\" }] }]\n\
        [[process.task]]\nname = \"tail\"\narrival = \"spawned\"\nprogram = [{ sleep = \"5ms\" }]\n";
    format!("[[lock]]\nname = \"m\"\n{}", with_executor(executor, tasks))
}

/// Tasks that go by variables: `p/giver#0` gives three, `p/taker#0` waits for each; afterwards `p/judge#0` spawns `p/right#0`,
/// or `p/wrong#0` if it finds that others are there.
pub(super) fn counting(executor: &str) -> String {
    let shared = "[[lock]]\nname = \"m\"\n[[condvar]]\nname = \"filled\"\n[[variable]]\nname = \"items\"\n[[variable]]\nname = \"if\"\nvalue = -2\n\
        [[variable]]\nname = \"taken\"\nvalue = 7\n";
    let tasks = "[[process.task]]\nname = \"giver\"\nprogram = [{ set = \"taken\", to = 0 }, { while = \"if < 1\", do = [\
            { add = \"if\", by = 1 }, { sleep = \"2ms\" }, { with = \"m\", do = [{ add = \"items\", by = 1 }, { notify = \"filled\" }] }] }]\n\
        [[process.task]]\nname = \"taker\"\narrival = \"1ms\"\nprogram = [{ repeat = 3, do = [\
            { with = \"m\", do = [{ while = \"items == 0\", do = [{ wait = \"filled\", with = \"m\" }] }, { add = \"items\", by = -1 }] }, { add = \"taken\", by = 1 }] }]\n\
        [[process.task]]\nname = \"judge\"\nafter = [\"giver\", \"taker\"]\nprogram = [{ if = \"items == 0 and taken == 3\", do = [\
            { if = \"if > items\", do = [{ spawn = \"right\" }] }], else = [{ if = \"items <= if\", do = [{ spawn = \"wrong\" }], else = [\"yield\"] }] }, \
            { if = \"taken >= 3\", do = [], else = [{ spawn = \"wrong\" }] }]\n\
        [[process.task]]\nname = \"right\"\narrival = \"spawned\"\nprogram = [{ cpu = \"1us\" }]\n\
        [[process.task]]\nname = \"wrong\"\narrival = \"spawned\"\nprogram = [{ cpu = \"1us\" }]\n";
    format!("{shared}{}", with_executor(executor, tasks))
}

/// A task that never ends, `p/endless#0`, beside one that does.
pub(super) fn endless(executor: &str) -> String {
    let tasks = "[[process.task]]\nname = \"short\"\nprogram = [{ cpu = \"1ms\" }]\n\
        [[process.task]]\nname = \"endless\"\nprogram = [{ repeat = \"forever\", do = [{ sleep = \"1ms\" }] }]\n";
    format!("until = \"300ms\"\n{}", with_executor(executor, tasks))
}

/// Two copies of a process with this executor, each with two tasks.
pub(super) fn process(executor: &str) -> String {
    format!(
        "[[process]]\nname = \"{executor}\"\nexecutor = \"{executor}\"\ncount = 2\n[[process.task]]\nname = \"t\"\ncount = 2\nprogram = [{{ cpu = \"1ms\" }}, {{ sleep = \"1ms\" }}]\n"
    )
}

/// Two of each executor.
pub(super) fn processes() -> String {
    ["sequential", "threads", "async", "processes", "pool"].map(process).concat()
}

/// Tasks and locks with names that mean something to languages, and how many there are.
pub(super) fn names_of_all_kinds() -> (String, usize) {
    let task = |name: &str| {
        format!("[[task]]\nname = {name:?}\nprogram = [{{ with = {name:?}, do = [{{ cpu = \"1us\" }}] }}]\n")
    };
    let names = [
        "import", "run", "a b", "a-b", "A_b", "größe", "数", "1st", "\"{x}\\", "time", "compute", "None", "print", "ﬁ",
        "e\u{301}",
    ];
    let locks: String = names.iter().map(|name| format!("[[lock]]\nname = {name:?}\n")).collect();
    let text = format!("title = \"a \\\"\\\"\\\" b \\\\\"\n{locks}{}", names.map(task).concat());
    let text = text.replace("\\u{301}", "\\u0301");
    (text, names.len())
}

/// A task that draws from all laws, in two instances whose arrivals are drawn too.
pub(super) fn laws() -> String {
    let laws = [
        "{ constant = \"1us\" }",
        "{ uniform = [\"1us\", \"9us\"] }",
        "{ exponential = \"5us\" }",
        "{ normal = { mean = \"5us\", sd = \"1us\" } }",
        "{ lognormal = { median = \"5us\", sigma = 0.5 } }",
        "{ erlang = { k = 3, mean = \"5us\" } }",
        "{ hyperexponential = [[0.9, \"1us\"], [0.1, \"41us\"]] }",
        "{ pareto = { min = \"1us\", alpha = 1.5 } }",
        "{ pareto = { min = \"1us\", alpha = 1.5, max = \"9us\" } }",
        "{ choice = [[0.9, \"1us\"], [0.1, \"50us\"]] }",
        "{ samples = [\"1us\", \"2us\"] }",
        "{ exponential = \"0s\" }",
    ];
    let sleeps: Vec<String> = laws.iter().map(|law| format!("{{ sleep = {law} }}")).collect();
    format!(
        "seed = 3\n[[task]]\nname = \"t\"\ncount = 2\narrival = {{ gap = {{ exponential = \"1ms\" }} }}\nprogram = [{}]\n",
        sleeps.join(", ")
    )
}

/// Something of most kinds that are written: with comments, a lock, a device, and tasks that come late.
pub(super) fn readers(executor: &str) -> String {
    let text = "# Two readers, one of whom comes late.\ntitle = \"Readers\"\n\n[[lock]]\nname = \"the table\"\n\n[[device]]\nname = \"disk\"\n\n\
        # Reads, and thinks.\n[[task]]\nname = \"reader\"\ncount = 2\narrival = { every = \"5ms\" }\nprogram = [{ repeat = 3, do = [\n\
        { with = \"the table\", do = [{ io = \"disk\", for = \"2ms\" }] }, { cpu = \"1ms\" }, # it thinks\n] }]\n";
    let process = format!("[[process]]\nname = \"library\"\nexecutor = \"{executor}\"\n\n");
    text.replace("# Reads, ", &format!("{process}# Reads, ")).replace("[[task]]", "[[process.task]]")
}

/// A task that lets a pool do something, twice, in two instances: `p/request#0` and `p/request#1`.
pub(super) fn with_pool(executor: &str) -> String {
    let tasks = "pools = { threads = { kind = \"pool\", workers = 2 } }\n[[process.task]]\nname = \"request\"\ncount = 2\nprogram = [\n\
        { on = \"threads\", do = [{ io = \"disk\", for = \"1ms\" }, { with = \"m\", do = [{ cpu = \"1ms\" }] }] }, # elsewhere\n\
        { on = \"threads\", do = [\"yield\"] }, { cpu = \"1ms\" }]\n";
    format!("[[device]]\nname = \"disk\"\n[[lock]]\nname = \"m\"\n{}", with_executor(executor, tasks))
}
