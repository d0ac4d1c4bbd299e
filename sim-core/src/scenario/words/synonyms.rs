//! What textbooks, courses and other tools call things: for hints only, a file is written in one language.

use crate::document::Synonym;

/// What things are called elsewhere, and here.
pub(super) const SYNONYMS: &[Synonym] = &[
    // Policies.
    ("fcfs", "fifo"),
    ("first-come-first-served", "fifo"),
    ("rr", "round-robin"),
    ("time-sharing", "round-robin"),
    ("ps", "round-robin"),
    ("processor-sharing", "round-robin"),
    ("sjn", "sjf"),
    ("spn", "sjf"),
    ("spf", "sjf"),
    ("shortest-job-first", "sjf"),
    ("shortest-job-next", "sjf"),
    ("shortest-process-next", "sjf"),
    ("srt", "srtf"),
    ("srtn", "srtf"),
    ("srpt", "srtf"),
    ("stcf", "srtf"),
    ("psjf", "srtf"),
    ("shortest-remaining-time", "srtf"),
    ("shortest-remaining-time-first", "srtf"),
    ("shortest-time-to-completion-first", "srtf"),
    ("hrn", "hrrn"),
    ("highest-response-ratio-next", "hrrn"),
    ("mfq", "mlfq"),
    ("mlf", "mlfq"),
    ("multilevel", "mlfq"),
    ("multilevel-feedback", "mlfq"),
    ("multilevel-feedback-queue", "mlfq"),
    ("multi-level-feedback-queue", "mlfq"),
    ("mlq", "priority"),
    ("fp", "priority"),
    ("fpps", "priority"),
    ("fixed-priority", "priority"),
    ("sched-fifo", "priority"),
    ("sched-rr", "priority"),
    ("completely-fair-scheduler", "cfs"),
    ("rm", "rate-monotonic"),
    ("rms", "rate-monotonic"),
    ("rma", "rate-monotonic"),
    ("dm", "deadline-monotonic"),
    ("dms", "deadline-monotonic"),
    ("dmpo", "deadline-monotonic"),
    ("earliest-deadline-first", "edf"),
    ("edd", "edf"),
    ("lst", "llf"),
    ("least-slack-time", "llf"),
    ("least-laxity-first", "llf"),
    // Disciplines.
    ("lcfs", "lifo"),
    ("ps", "fair-share"),
    ("processor-sharing", "fair-share"),
    ("elevator", "scan"),
    ("shortest-seek-time-first", "sstf"),
    ("sptf", "sstf"),
    ("sjf", "shortest"),
    // Executors.
    ("multiprocessing", "processes"),
    ("fork", "processes"),
    ("processpoolexecutor", "processes"),
    ("threading", "threads"),
    ("pthreads", "threads"),
    ("asyncio", "async"),
    ("event-loop", "async"),
    ("coroutines", "async"),
    ("node", "async"),
    ("thread-pool", "pool"),
    ("threadpool", "pool"),
    ("threadpoolexecutor", "pool"),
    ("rayon", "pool"),
    ("tokio", "work-stealing"),
    ("go", "goroutines"),
    ("serial", "sequential"),
    ("synchronous", "sequential"),
    // Operations; where a task has no such key, its program has them.
    ("burst", "cpu"),
    ("cpu-burst", "cpu"),
    ("compute", "cpu"),
    ("run", "cpu"),
    ("work", "cpu"),
    ("io-burst", "io"),
    ("request", "io"),
    ("time.sleep", "sleep"),
    ("asyncio.sleep", "sleep"),
    ("delay", "sleep"),
    ("mutex", "lock"),
    ("synchronized", "with"),
    ("p", "acquire"),
    ("down", "acquire"),
    ("v", "release"),
    ("up", "release"),
    ("put", "send"),
    ("push", "send"),
    ("get", "recv"),
    ("receive", "recv"),
    ("pop", "recv"),
    ("signal", "notify"),
    ("broadcast", "notify-all"),
    ("fork", "spawn"),
    ("loop", "repeat"),
    ("for", "repeat"),
    ("if", "choose"),
    ("branch", "choose"),
    ("burst", "program"),
    ("cpu-burst", "program"),
    ("cpu", "program"),
    ("io", "program"),
    ("work", "program"),
    ("operations", "program"),
    // Keys.
    ("cpus", "processors"),
    ("cores", "processors"),
    ("time-slice", "quantum"),
    ("timeslice", "quantum"),
    ("slice", "quantum"),
    ("algorithm", "policy"),
    ("discipline", "policy"),
    ("policy", "discipline"),
    ("servers", "channels"),
    ("start", "arrival"),
    ("release", "arrival"),
    ("instances", "count"),
    ("weight", "tickets"),
    ("horizon", "until"),
    ("duration", "for"),
    ("threads", "workers"),
];

#[cfg(test)]
mod tests {
    use super::super::did_you_mean;

    #[test]
    fn what_textbooks_call_it_is_known() {
        let names = ["fifo", "round-robin", "sjf", "srtf", "priority", "cfs", "rate-monotonic", "work-stealing"];
        let hint = |found: &str| did_you_mean(found, names, String::new);
        assert_eq!(hint("FCFS"), "here that is `fifo`");
        assert_eq!(hint("Shortest Job First"), "here that is `sjf`");
        assert_eq!(hint("WS"), "did you mean `work-stealing`?", "initials");
        assert_eq!(hint("mlq"), "here that is `priority`");
        assert_eq!(hint("tokio"), "here that is `work-stealing`");
        assert_eq!(did_you_mean("FCFS", ["cfs"], String::new), "did you mean `cfs`?", "a lock may be called so");
    }
}
