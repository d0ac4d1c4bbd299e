//! A line of a trace.

use crate::times::shortened;

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Event<'l> {
    Switch(Switch<'l>),
    /// A thread becomes ready. `in_interrupt` is known of ftrace only.
    Waking {
        thread: Thread<'l>,
        in_interrupt: bool,
    },
}

#[derive(Clone, PartialEq, Debug)]
pub(super) struct Switch<'l> {
    pub(super) from: Thread<'l>,
    /// Could it have gone on?
    pub(super) is_ready: bool,
    /// Is it over?
    pub(super) is_over: bool,
    pub(super) to: Thread<'l>,
}

/// A thread, as an event has it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Thread<'l> {
    pub(super) name: &'l str,
    pub(super) id: i32,
    pub(super) priority: i32,
}

/// Processors have numbers below this.
const MOST_PROCESSORS: u32 = 1024;

type Found<'l> = (u32, u64, Event<'l>);

/// The event of a line with its processor and its stamp; `None` if it is another line.
pub(super) fn event(line: &str) -> Option<Result<Found<'_>, String>> {
    let (name, at) = ["sched_switch: ", "sched_waking: ", "sched_wakeup_new: "]
        .iter()
        .find_map(|name| line.find(name).map(|at| (*name, at)))?;
    let (before, fields) = (&line[..at], line[at + name.len()..].trim_end());
    let (processor, stamp, flags) = place(before.trim_end_matches("sched:"))?;
    let found = if name.starts_with("sched_switch") { switch(fields) } else { waking(fields, flags) };
    let complain = || format!("a {} without its fields: {}", name.trim_end_matches(": "), shortened(fields));
    Some(found.ok_or_else(complain).and_then(|event| {
        if processor >= MOST_PROCESSORS {
            return Err(format!("processor {processor}; {MOST_PROCESSORS} is the most"));
        }
        Ok((processor, stamp, event))
    }))
}

/// Processor, stamp and ftrace's flags, from the right: the name of a thread stands before them and may have anything in it.
fn place(before: &str) -> Option<(u32, u64, &str)> {
    let (before, stamp) = before.trim_end().rsplit_once(char::is_whitespace)?;
    let stamp = seconds(stamp.strip_suffix(':')?)?;
    let mut flags = "";
    for word in before.split_whitespace().rev().take(2) {
        if let Some(number) = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')) {
            return Some((number.parse().ok()?, stamp, flags));
        }
        flags = word;
    }
    None
}

/// A stamp in seconds, exactly, in nanoseconds.
fn seconds(stamp: &str) -> Option<u64> {
    let (whole, fraction) = stamp.split_once('.')?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) || whole.len() > 9 || fraction.len() > 9 {
        return None;
    }
    let nanoseconds: u64 = fraction.parse::<u64>().ok()? * 10u64.pow(9 - u32::try_from(fraction.len()).ok()?);
    Some(whole.parse::<u64>().ok()? * 1_000_000_000 + nanoseconds)
}

/// Both forms: `prev_comm=a prev_pid=1 prev_prio=120 prev_state=S ==> next_comm=b …` and `a:1 [120] S ==> b:2 [120]`.
fn switch(fields: &str) -> Option<Event<'_>> {
    let (from, state, to) = match fields.strip_prefix("prev_comm=") {
        Some(rest) => {
            // Names may have ` ==> ` in them: the last one is the arrow.
            let (from, to) = rest.rsplit_once(" ==> next_comm=")?;
            let (from, state) = from.rsplit_once(" prev_state=")?;
            (named(from, " prev_pid=", " prev_prio=")?, state, named(to, " next_pid=", " next_prio=")?)
        }
        None => {
            let (from, to) = fields.rsplit_once(" ==> ")?;
            let (from, state) = from.rsplit_once(' ')?;
            (short(from)?, state, short(to)?)
        }
    };
    let state = state.trim();
    let is_over = state.starts_with(['X', 'Z']);
    Some(Event::Switch(Switch { from, is_ready: state.starts_with('R'), is_over, to }))
}

fn waking<'l>(fields: &'l str, flags: &str) -> Option<Event<'l>> {
    let thread = match fields.strip_prefix("comm=") {
        Some(rest) => named(rest, " pid=", " prio=")?,
        None => short(&fields[..=fields.rfind(']')?])?,
    };
    // The third of ftrace's flags: hard or soft interrupt.
    let in_interrupt = flags.chars().nth(2).is_some_and(|flag| "hHsZz".contains(flag));
    Some(Event::Waking { thread, in_interrupt })
}

/// `NAME pid=1 prio=120 …`
fn named<'l>(text: &'l str, id: &str, priority: &str) -> Option<Thread<'l>> {
    let (name, rest) = text.rsplit_once(id)?;
    let (id, rest) = rest.split_once(priority)?;
    let priority = rest.split_whitespace().next()?.parse().ok()?;
    Some(Thread { name, id: id.trim().parse().ok()?, priority })
}

/// `NAME:1 [120]`
fn short(text: &str) -> Option<Thread<'_>> {
    let (thread, priority) = text.trim().rsplit_once(" [")?;
    let (name, id) = thread.rsplit_once(':')?;
    let priority = priority.split(']').next()?.trim().parse().ok()?;
    Some(Thread { name, id: id.trim().parse().ok()?, priority })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_have_anything_in_them() {
        let line = "y=1 ==> z [3] 1.0:   77 [001] 12.000000042:  sched:sched_switch: prev_comm=y=1 ==> z prev_pid=77 prev_prio=120 \
                    prev_state=R ==> next_comm=a next_pid= b next_pid=78 next_prio=98";
        let Some(Ok((1, 12_000_000_042, Event::Switch(switch)))) = event(line) else { panic!("{:?}", event(line)) };
        assert_eq!((switch.from.name, switch.from.id, switch.is_ready), ("y=1 ==> z", 77, true));
        assert_eq!((switch.to.name, switch.to.id, switch.to.priority), ("a next_pid= b", 78, 98));
    }

    #[test]
    fn ftrace_and_trace_cmd_are_read_too() {
        let line = "   <idle>-0       [002] d.h4.   5.25: sched_waking: comm=w pid=9 prio=120 target_cpu=001";
        let thread = Thread { name: "w", id: 9, priority: 120 };
        assert_eq!(event(line), Some(Ok((2, 5_250_000_000, Event::Waking { thread, in_interrupt: true }))));
        let line = "  bash-12  [000]  5.5: sched_switch:  bash:12 [120] S ==> swapper/0:0 [120]";
        assert!(matches!(event(line), Some(Ok((0, 5_500_000_000, Event::Switch(_))))), "{:?}", event(line));
        assert!(matches!(event("x 1 [000] 1.0: sched_switch: nonsense"), Some(Err(_))));
        assert_eq!(event("# sched_switch: in a comment"), None);
    }
}
