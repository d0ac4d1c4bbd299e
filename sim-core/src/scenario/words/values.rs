//! Values that others write in one word, where a scenario has more to say, or says it elsewhere.

use crate::document::quoted;

/// What is called so, and how that is written: what it is a value of, its names elsewhere in small letters with hyphens, a hint.
const WRITTEN: &[(&str, &[&str], &str)] = &[
    (
        "executor",
        &[
            "processpoolexecutor",
            "concurrent.futures.processpoolexecutor",
            "multiprocessing.pool",
            "process-pool",
            "processpool",
        ],
        "here that is { kind = \"pool\", of = \"processes\", workers = 4 }, with runtime = \"cpython\"",
    ),
    (
        "executor",
        &["concurrent.futures.threadpoolexecutor", "concurrent.futures", "multiprocessing.pool.threadpool"],
        "here that is { kind = \"pool\", workers = 4 }",
    ),
    (
        "executor",
        &["to-thread", "asyncio.to-thread", "run-in-executor", "spawn-blocking"],
        "that is an operation: { on = \"threads\", do = [ … ] }, with pools = { threads = \"pool\" } beside `executor`",
    ),
    (
        "operation",
        &["to-thread", "run-in-executor", "spawn-blocking", "submit", "install", "block-on", "block-in-place"],
        "here that is { on = \"threads\", do = [ … ] }, with pools = { threads = \"pool\" } beside `executor`",
    ),
    (
        "operation",
        &["await"],
        "what is awaited says what it is: { io = … } is an answer, { sleep = … } a timer, { join = … } a task, { recv = … } a message",
    ),
    (
        "operation",
        &["time.sleep"],
        "here that is { sleep = \"5ms\" }; in a coroutine, where it stops the whole loop, it is a request to a device with \
         channels = \"unlimited\": { io = …, for = \"5ms\", blocking = true }",
    ),
    (
        "operation",
        &["create-task", "ensure-future"],
        "here that is { spawn = … }, of a task with arrival = \"spawned\"; { join = … } waits for those",
    ),
    (
        "operation",
        &["gather", "taskgroup", "task-group", "as-completed"],
        "here that is { spawn = … } for each, of tasks with arrival = \"spawned\", and then { join = … }, which waits for all of them",
    ),
    (
        "operation",
        &["wait-for", "timeout"],
        "what is waited for is given up after a time with `within`: { io = …, within = \"10ms\", else = [ … ] }, or { any = [[ … ], [{ sleep = \"10ms\" }]] }",
    ),
    (
        "operation",
        &["join-all", "join!", "try-join", "promise.all"],
        "here that is { all = [[ … ], [ … ]] }, inside one task of `async` or `work-stealing`",
    ),
    (
        "operation",
        &["select", "select!", "race", "promise.race", "promise.any"],
        "here that is { any = [[ … ], [ … ]] }, inside one task of `async` or `work-stealing`",
    ),
    (
        "operation",
        &["buffer-unordered", "for-each-concurrent"],
        "here that is { each = 10, at-once = 3, do = [ … ] }, inside one task of `async` or `work-stealing`",
    ),
    (
        "operation",
        &["buffered"],
        "nearest is { each = 10, at-once = 3, do = [ … ] }, which goes on as `buffer_unordered` does: `buffered` keeps the results of those \
         that are done until those before them are, and begins others only then",
    ),
    (
        "`when-full`",
        &["discard-oldest", "discardoldest", "discard-oldest-policy", "discardoldestpolicy", "drop-oldest"],
        "a pool that drops who has waited longest is not simulated: there is `block`, `reject` and `caller-runs`",
    ),
    (
        "`arrival`",
        &["sporadic", "aperiodic", "poisson"],
        "requests that come by themselves have a gap between them: arrival = { gap = { exponential = \"10ms\" } }, with a `count`",
    ),
    (
        "operation",
        &["retry", "retries", "attempts", "repeat-until"],
        "what is tried again stands in `else`: { io = …, within = \"50ms\", else = [{ sleep = \"10ms\" }, { io = …, within = \"50ms\", \
         else = [\"end\"] }] } tries twice",
    ),
    (
        "operation",
        &["inc", "increment", "decrement"],
        "here that is { add = …, by = 1 }, or by = -1, of a [[variable]]",
    ),
    (
        "operation",
        &["try-lock", "trylock", "lock-timeout"],
        "here that is { lock = …, within = \"0ms\", else = [ … ] }: what is done else if it is taken",
    ),
    (
        "operation",
        &["break", "continue"],
        "no loop is left in its middle: a `while` ends when its condition no longer holds, and \"end\" ends the whole task",
    ),
    (
        "operation",
        &["else", "elif", "else-if"],
        "`else` stands in the table of what it belongs to: { if = …, do = [ … ], else = [ … ] }",
    ),
    (
        "operation",
        &["cancel", "kill", "abort"],
        "no task ends another: `any` drops the branches that are slower, `within` gives up what is waited for, \"end\" ends the task itself",
    ),
    (
        "operation",
        &["blocking"],
        "what a pool does is { on = \"blocking\", do = [ … ] }, with pools = { blocking = \"pool\" } beside `executor`",
    ),
    (
        "executor",
        &["gil"],
        "here that is { kind = \"threads\", gil = \"5ms\" }, or runtime = \"cpython\" beside `executor`",
    ),
    (
        "executor",
        &["python", "python3", "cpython", "rust"],
        "that is a runtime: write runtime = \"cpython\" or \"rust\" beside `executor`, which is \"threads\", \"async\" or the like",
    ),
    (
        "kind",
        &[
            "threading",
            "thread",
            "lock",
            "rlock",
            "pymutex",
            "semaphore",
            "condition",
            "barrier",
            "queue",
            "queue.queue",
        ],
        OF_THREADING,
    ),
    ("runtime", &["py", "python", "python3"], "here that is `cpython`"),
    (
        "runtime",
        &["pypy", "graalpy", "jython", "ironpython", "micropython"],
        "of all that run Python there is only `cpython`",
    ),
    ("runtime", &["nogil", "free-threaded", "free-threading", "python3t"], FREE_THREADED),
    ("runtime", &["tokio", "rayon", "std"], "here that is `rust`; which of its runtimes says `executor`"),
    ("runtime", &["go", "golang"], "the runtime of Go is simulated: executor = \"goroutines\""),
    ("runtime", &["node", "nodejs", "node.js", "javascript"], "its event loop is like executor = \"async\""),
];

const OF_THREADING: &str =
    "here that is `cpython`, whose Lock and RLock wait alike; with runtime = \"cpython\" leave `kind` out";

const FREE_THREADED: &str = "write runtime = \"cpython\", and executor = { kind = \"threads\", rules = \"cpython-3.13t\" }; to measure it, \
     name such an interpreter: { kind = \"cpython\", python = \"python3.13t\" }";

/// Modules of Python, and the kind of what they have to synchronise with.
const MODULES: &[(&str, &str)] =
    &[("threading.", "cpython"), ("asyncio.", "asyncio"), ("multiprocessing.", "multiprocessing")];

/// How a value is written of a thing that is called so in messages, if `found` is known from elsewhere and no name of it.
pub(super) fn written(thing: &str, found: &str) -> Option<String> {
    let plain = found.to_lowercase().replace(['_', ' '], "-");
    let known = |name: &str| WRITTEN.iter().find(|(of, names, _)| *of == thing && names.contains(&name));
    // An operation is a function of a module, or of what a program calls as it likes.
    let last = || plain.rsplit('.').next().filter(|_| thing == "operation");
    if let Some((.., hint)) = known(&plain).or_else(|| known(last()?)) {
        return Some((*hint).to_owned());
    }
    match thing {
        "kind" => {
            let (_, kind) = MODULES.iter().find(|(module, _)| plain.starts_with(module))?;
            let way = format!("here that is {}; with runtime = \"cpython\" leave `kind` out", quoted(kind));
            Some(if *kind == "cpython" { OF_THREADING.to_owned() } else { way })
        }
        "runtime" => of_version(&plain),
        _ => None,
    }
}

/// `python3.13` names an interpreter, and `cpython-3.13` rules.
fn of_version(plain: &str) -> Option<String> {
    let version = plain.trim_start_matches('c').strip_prefix("python")?.trim_start_matches('-');
    if !version.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    Some(format!(
        "write runtime = {{ kind = \"cpython\", python = \"python{version}\" }}, which is measured in that one; `rules` in the table of an \
         executor say which version is simulated"
    ))
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn an_interpreter_is_no_runtime() {
        let hint = written("runtime", "Python3.13").expect("known");
        assert!(hint.contains("{ kind = \"cpython\", python = \"python3.13\" }"), "{hint}");
        assert_eq!(written("runtime", "cpython-3.13"), written("runtime", "python3.13"));
        assert_eq!(written("runtime", "pythonic"), None);
    }

    #[test]
    fn modules_of_python_are_kinds() {
        let starts =
            |found, way: &str| assert!(written("kind", found).is_some_and(|hint| hint.starts_with(way)), "{found}");
        starts("threading.RLock", "here that is `cpython`");
        starts("asyncio.Lock", "here that is `asyncio`");
        starts("multiprocessing.Queue", "here that is `multiprocessing`");
        assert_eq!(written("executor", "asyncio.Lock"), None);
    }
}
