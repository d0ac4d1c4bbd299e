//! The words of the language of scenarios beside those that its readers ask for: what is to come, what others call it, and
//! where a path was meant to lead.

mod elsewhere;
pub mod planned;
mod synonyms;
mod values;

use crate::document::{self, Language, More};
use crate::executor::EXECUTORS;

/// The language of scenarios.
pub static LANGUAGE: Language = Language {
    what: "scenario",
    synonyms: synonyms::SYNONYMS,
    unknown,
    planned: planned::values,
    written: values::written,
    lists: LISTS,
    kinds: &["executor", "runtime"],
    kinds_in: &["pools"],
    // Tasks at the top level belong to it.
    implied: ("process", "main"),
    meant: elsewhere::meant,
};

/// Keys that are lists of tables wherever the format has them.
const LISTS: &[&str] =
    &["device", "lock", "semaphore", "channel", "barrier", "condvar", "rwlock", "variable", "group", "process", "task"];

/// Keys of the top of a scenario file. Written after a header they belong to the header's table: the classic trap.
const TOP: &[&str] = &["title", "seed", "until", "executor"];

/// Keys that are looked for in a table, but what is meant is written in another way: the table, the key, the way.
const KEYS_ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "`sleep`",
        "blocking",
        "a sleep that blocks the whole thread is a request to a device with channels = \"unlimited\": { io = …, for = …, \
         blocking = true }",
    ),
    ("`cpu`", "within", NOBODY_WAITS),
    ("`cpu`", "patience", NOBODY_WAITS),
    ("`cpu`", "timeout", NOBODY_WAITS),
    ("`cpu`", "else", NOBODY_WAITS),
    ("`sleep`", "within", "a sleep takes as long as it says: write the shorter time"),
    ("`spawn`", "within", "what is spawned is not waited for: `join` takes `within`"),
    ("`all`", "within", A_BRANCH),
    ("`any`", "within", A_BRANCH),
    ("`each`", "within", A_BRANCH),
    ("`repeat`", "within", EACH_OF_THEM),
    ("`every`", "within", EACH_OF_THEM),
    ("`while`", "within", EACH_OF_THEM),
    ("`executor`", "runtime", OF_PROCESSES),
    ("[[task]]", "runtime", OF_PROCESSES),
    ("[[process.task]]", "runtime", OF_PROCESSES),
    ("[[task]]", "pools", POOLS),
    ("[[process.task]]", "pools", POOLS),
    ("`executor`", "pools", POOLS),
    ("", "rules", IN_EXECUTOR),
    ("[[process]]", "rules", IN_EXECUTOR),
    ("", "python", OF_RUNTIME),
    ("[[process]]", "python", OF_RUNTIME),
    ("`executor`", "python", OF_RUNTIME),
    ("`executor`", "nogil", FREE_THREADED),
    ("`executor`", "free-threaded", FREE_THREADED),
    ("`runtime`", "nogil", FREE_THREADED),
    ("`runtime`", "free-threaded", FREE_THREADED),
    ("`runtime`", "gil", FREE_THREADED),
    ("", "nogil", FREE_THREADED),
    ("", "free-threaded", FREE_THREADED),
    ("[[process]]", "nogil", FREE_THREADED),
    ("[[process]]", "free-threaded", FREE_THREADED),
    ("[[group]]", "cpus", OF_PROCESSOR_TIME),
    ("[[group]]", "cpu-limit", OF_PROCESSOR_TIME),
    ("[[group]]", "cpu-limits", OF_PROCESSOR_TIME),
    ("[[group]]", "cpu", OF_PROCESSOR_TIME),
    ("[[group]]", "limits", OF_PROCESSOR_TIME),
    ("[[group]]", "millicores", OF_PROCESSOR_TIME),
    ("[[group]]", "cpu.max", OF_PROCESSOR_TIME),
    ("[[task]]", "phase", OF_PHASE),
    ("[[task]]", "offset", OF_PHASE),
    ("[[task]]", "first-release", OF_PHASE),
    ("[[task]]", "retry", OF_RETRIES),
    ("[[task]]", "retries", OF_RETRIES),
    ("[[process.task]]", "phase", OF_PHASE),
    ("[[process.task]]", "offset", OF_PHASE),
    ("[[process.task]]", "first-release", OF_PHASE),
    ("[[process.task]]", "retry", OF_RETRIES),
    ("[[process.task]]", "retries", OF_RETRIES),
    ("`executor`", "worker-threads", OF_WORKERS),
    ("`executor`", "max-blocking-threads", OF_BLOCKING),
    ("`each`", "ordered", IN_ANY_ORDER),
    ("[[process]]", "weight", OF_GROUPS),
    ("[[process]]", "quota", OF_GROUPS),
    ("[[task]]", "weight", OF_GROUPS),
    ("[[task]]", "quota", OF_GROUPS),
    ("[[task]]", "group", OF_GROUPS),
    ("[[process.task]]", "weight", OF_GROUPS),
    ("[[process.task]]", "quota", OF_GROUPS),
    ("[[process.task]]", "group", OF_GROUPS),
    ("[[task]]", "min-gap", OF_DISTANCES),
    ("[[task]]", "interarrival", OF_DISTANCES),
    ("[[task]]", "inter-arrival", OF_DISTANCES),
    ("[[task]]", "mit", OF_DISTANCES),
    ("[[task]]", "wcet", OF_WORK),
    ("[[task]]", "cpu-time", OF_WORK),
    ("[[task]]", "burst-time", OF_WORK),
    ("[[task]]", "service-time", OF_WORK),
    ("[[task]]", "computation-time", OF_WORK),
    ("[[task]]", "run-time", OF_WORK),
    ("[[task]]", "duration", OF_WORK),
    ("[[task]]", "execution-time", OF_WORK),
    ("[[process.task]]", "min-gap", OF_DISTANCES),
    ("[[process.task]]", "interarrival", OF_DISTANCES),
    ("[[process.task]]", "inter-arrival", OF_DISTANCES),
    ("[[process.task]]", "mit", OF_DISTANCES),
    ("[[process.task]]", "wcet", OF_WORK),
    ("[[process.task]]", "cpu-time", OF_WORK),
    ("[[process.task]]", "burst-time", OF_WORK),
    ("[[process.task]]", "service-time", OF_WORK),
    ("[[process.task]]", "computation-time", OF_WORK),
    ("[[process.task]]", "run-time", OF_WORK),
    ("[[process.task]]", "duration", OF_WORK),
    ("[[process.task]]", "execution-time", OF_WORK),
    ("`lock`", "try", A_TRY),
    ("`lock`", "blocking", A_TRY),
    ("`lock`", "backoff", A_TRY),
    ("`lock`", "nowait", A_TRY),
    ("`with`", "try", A_TRY),
    ("`with`", "blocking", A_TRY),
    ("`with`", "backoff", A_TRY),
    ("`with`", "nowait", A_TRY),
    ("`acquire`", "try", A_TRY),
    ("`acquire`", "blocking", A_TRY),
    ("`acquire`", "backoff", A_TRY),
    ("`acquire`", "nowait", A_TRY),
    ("`read`", "try", A_TRY),
    ("`read`", "blocking", A_TRY),
    ("`read`", "backoff", A_TRY),
    ("`read`", "nowait", A_TRY),
    ("`write`", "try", A_TRY),
    ("`write`", "blocking", A_TRY),
    ("`write`", "backoff", A_TRY),
    ("`write`", "nowait", A_TRY),
    ("", "event", "a [[condvar]] wakes who waits, and a [[semaphore]] with permits = 0 who comes later, too"),
];

/// Keys of the table of an executor that somebody may write beside it.
const OF_EXECUTORS: &[&str] = &["workers", "gil", "gil-request", "gil-asker", "chunk", "of", "start"];

const OF_RUNTIME: &str = "it is of the runtime: runtime = { kind = \"cpython\", python = \"python3.13\" }";

const OF_PROCESSES: &str =
    "a runtime is for a whole process: `runtime` stands below [[process]], beside its `executor`";

const NOBODY_WAITS: &str = "who computes waits for nothing that could be given up: `within` is for `io`, `lock`, `recv` and the like; a late job \
     of a periodic task ends with on-miss = \"abort\"";

const A_BRANCH: &str =
    "the time stands in a branch of its own: { any = [[ … ], [{ sleep = \"5ms\" }]] } goes on after 5 ms at the latest";

const EACH_OF_THEM: &str = "operations in the loop take `within`, each for itself";

const POOLS: &str = "pools are of a whole process: `pools` stands beside its `executor`";

const FREE_THREADED: &str = "the build of CPython without an interpreter lock is runtime = \"cpython\" with executor = { kind = \"threads\", rules = \
     \"cpython-3.13t\" }";

const OF_GROUPS: &str = "processes are in groups: [[group]] has `quota` and `weight`, and a [[process]] names its `group`; \
     within one, `nice` and `tickets` are for tasks";

const OF_PROCESSOR_TIME: &str = "processor time is limited by `quota` (cpu.max): \"150ms\" of each `period` of 100 ms are one processor and a \
     half; which processors may be used is `processors`, such as [0, 1]";

const OF_PHASE: &str = "the first job is released at `arrival`: arrival = \"3ms\" beside `period`";

const OF_RETRIES: &str = "what is tried again stands in the program, in the `else` of what may fail: { io = …, within = \"50ms\", \
     else = [{ sleep = \"10ms\" }, { io = … }] } tries twice";

const OF_WORKERS: &str = "here that is `workers`, of `work-stealing` and `pool`; `async` is a loop on one thread";

const OF_BLOCKING: &str = "the threads on which a runtime blocks are a pool beside it, `maximum` of them: pools = { blocking = { kind = \"pool\", \
     maximum = 8 } }, and { on = \"blocking\", do = [ … ] } in a program";

const IN_ANY_ORDER: &str = "`each` begins the next as soon as any is done, as `buffer_unordered` does; one that gives its results in order \
     (`buffered`) and begins others only then is not simulated";

const OF_DISTANCES: &str = "requests that come by themselves are arrival = { gap = { exponential = \"10ms\" } } with a `count`; jobs at regular times have a `period`";

const OF_WORK: &str = "what a task does is its `program`: program = [{ cpu = \"5ms\" }]";

const A_TRY: &str = "a try is within = \"0ms\", with `else` for what is done if it is taken, such as a pause: else = [{ sleep = \"1ms\" }]";

const IN_EXECUTOR: &str =
    "`rules` stands in the table of an executor: executor = { kind = \"async\", rules = \"tokio-1.54\" }";

/// What there is to say of a key that no reader asks for.
fn unknown(table: &str, key: &str) -> Option<More> {
    if planned::has_key(table, key) {
        return Some(More::NotYet);
    }
    if let Some(meant) = planned::meant(table, key) {
        return Some(More::Hint(format!("here that is {meant}")));
    }
    if !table.is_empty() && TOP.contains(&key) {
        return Some(More::Hint(format!("`{key}` belongs to the top of the file, before the first header")));
    }
    let plain = key.to_lowercase().replace('_', "-");
    let written = KEYS_ELSEWHERE.iter().find(|(known, word, _)| (*known, *word) == (table, &*plain));
    if let Some((.., way)) = written {
        return Some(More::Hint((*way).to_owned()));
    }
    let is_alone = ["", "[[process]]"].contains(&table) && OF_EXECUTORS.contains(&key);
    let taker = EXECUTORS.iter().find(|kind| is_alone && kind.takes(key))?;
    let way = format!("executor = {{ kind = {:?}, {key} = … }}", taker.name);
    Some(More::Hint(format!("`{key}` stands in the table of an executor: {way}")))
}

/// How an operation is written that is called so elsewhere, if it is known and not just called otherwise. A pool keeps its name
/// in that.
pub(super) fn operation_elsewhere(found: &str, of: Option<&str>) -> Option<String> {
    let hint = values::written("operation", found)?;
    let word = found.to_lowercase().replace('_', "-");
    let names_pool = ["spawn-blocking", "install", "block-on", "block-in-place"].contains(&word.as_str());
    let is_plain =
        |name: &&str| names_pool && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    Some(match of.filter(is_plain) {
        Some(name) => hint.replace("\"threads\"", &format!("{name:?}")).replace("{ threads =", &format!("{{ {name} =")),
        None => hint,
    })
}

/// How a value of what messages call so is written that is called so elsewhere.
pub(super) fn value_elsewhere(thing: &str, found: &str) -> Option<String> {
    values::written(thing, found)
}

/// Is an object of this kind declared in the file, called as it is elsewhere?
pub(super) fn is_declared_as(word: &str, has: impl Fn(&'static str) -> bool) -> bool {
    synonyms::SYNONYMS.iter().any(|(theirs, ours)| *ours == word && has(theirs))
}

/// ``did you mean `fifo`?``, or what there is.
pub fn did_you_mean<'n>(
    found: &str,
    names: impl IntoIterator<Item = &'n str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    document::did_you_mean(found, names, LANGUAGE.synonyms, otherwise)
}
