//! Threads of a trace as tasks.

use std::collections::HashMap;

use super::threads::{Deed, Seen, Threads};
use crate::names::{Names, quoted as named};
use crate::page::{Page, Step, Table, Task, counted};
use crate::recording::{Pause, Run};
use crate::times::{MILLISECOND, plain, quoted};

/// A thread that does more is written as a distribution of its bursts and pauses; so many things all threads do at most.
const MOST_DEEDS: usize = 4_000;
const MOST_OF_ALL: usize = 300_000;

/// So many values stand for a distribution.
const SAMPLES: usize = 100;

/// Kernel priorities: below are real-time threads, here is nice 0.
const ORDINARY: i32 = 100;
const NICE_0: i32 = 120;

/// What threads have to do with each other.
struct Plan {
    /// Who is written as a distribution.
    is_drawn: Vec<bool>,
    /// The semaphores by which threads are woken: by whom, and their names.
    woken: HashMap<usize, (usize, String)>,
}

pub(super) fn page(mut threads: Threads, end: u64) -> Page {
    let mut page = Page::default();
    only_those_that_ran(&mut threads);
    let mut names = Names::default();
    let called: Vec<String> = threads.list.iter().map(|thread| names.take(&thread.name)).collect();
    let plan = plan(&threads.list, &called, end);
    let processors = threads.recording.runs.iter().map(|run| u64::from(run.processor) + 1).max().unwrap_or(1);
    page.summary = format!(
        "{} on {} for {}",
        counted(threads.list.len() as u64, "thread"),
        counted(processors, "processor"),
        plain(end - end % (MILLISECOND / 1_000))
    );
    say(&mut page, &plan);
    if threads.lost > 0 {
        page.left_out.add(format!("what happened at {}, which the trace has lost", counted(threads.lost, "switch")));
    }
    page.tables.push(Table::new("[machine]").with("processors", processors.to_string()));
    page.tables.push(Table::new("[scheduler]").with("policy", "\"linux\""));
    let mut woken: Vec<(&usize, &(usize, String))> = plan.woken.iter().collect();
    woken.sort_unstable();
    for (_, (waker, name)) in woken {
        let mut table = Table::named("[[semaphore]]", name).with("permits", "0");
        table.comment = Some(format!("{} wakes it.", called[*waker]));
        page.tables.push(table);
    }
    page.tasks =
        threads.list.iter().enumerate().map(|(index, thread)| task(index, thread, &called[index], &plan)).collect();
    threads.recording.lives = threads.list.iter().map(|thread| (thread.arrival, thread.last)).collect();
    page.recording = Some(threads.recording);
    page
}

fn say(page: &mut Page, plan: &Plan) {
    page.assumed.push("threads that ran on one processor only are bound to it".to_owned());
    page.assumed.push("real-time threads are of the class fifo: a trace does not tell round-robin from it".to_owned());
    if !plan.woken.is_empty() {
        page.assumed.push(
            "a thread that mostly the same thread wakes waits for it; other pauses are as long as in the trace"
                .to_owned(),
        );
    }
    let drawn = plan.is_drawn.iter().filter(|drawn| **drawn).count() as u64;
    if drawn > 0 {
        page.left_out.add(format!(
            "the order of bursts and pauses of {}, which are drawn from those it had",
            counted(drawn, "thread")
        ));
    }
    page.left_out.add("that a thread gave way (yield), which a trace shows like the end of a slice");
    page.left_out.add("what switches and interrupts cost: it is part of the bursts");
}

/// Takes out threads that were woken and never ran.
fn only_those_that_ran(threads: &mut Threads) {
    let mut places = Vec::with_capacity(threads.list.len());
    let mut next = 0;
    for thread in &threads.list {
        places.push((thread.runs > 0).then_some(next));
        next += usize::from(thread.runs > 0);
    }
    threads.list.retain(|thread| thread.runs > 0);
    for thread in &mut threads.list {
        thread.deeds.retain_mut(|deed| match deed {
            Deed::Pause { by, .. } => {
                *by = by.and_then(|waker| places[waker]);
                true
            }
            Deed::Wakes(whom) => match places[*whom] {
                Some(place) => {
                    *whom = place;
                    true
                }
                None => false,
            },
            Deed::Work(_) => true,
        });
    }
    let recording = &mut threads.recording;
    recording.runs =
        recording.runs.iter().filter_map(|run| Some(Run { thread: places[run.thread]?, ..*run })).collect();
    let pauses = recording.pauses.iter();
    recording.pauses = pauses.filter_map(|pause| Some(Pause { thread: places[pause.thread]?, ..*pause })).collect();
}

/// Who waits for whom: a wake-up that happens to fall into the time of some thread says nothing, most of them do.
fn plan(list: &[Seen], called: &[String], end: u64) -> Plan {
    let most = (MOST_OF_ALL / list.len().max(1)).clamp(10, MOST_DEEDS);
    let is_drawn: Vec<bool> = list.iter().map(|thread| thread.deeds.len() > most).collect();
    let mut woken = HashMap::new();
    for (index, thread) in list.iter().enumerate().filter(|(index, _)| !is_drawn[*index]) {
        let (mut pauses, mut wakers) = (0usize, HashMap::<usize, usize>::new());
        for deed in &thread.deeds {
            if let Deed::Pause { by, .. } = deed {
                pauses += 1;
                by.iter().for_each(|waker| *wakers.entry(*waker).or_default() += 1);
            }
        }
        let mut wakers: Vec<(usize, usize)> = wakers.into_iter().map(|(waker, times)| (times, waker)).collect();
        wakers.sort_unstable();
        if let Some((times, waker)) = wakers.pop().filter(|(times, _)| *times >= 2 && times * 2 > pauses)
            && !is_drawn[waker]
            && !is_chance(&list[waker], times, pauses, end)
        {
            woken.insert(index, (waker, format!("{} woken", called[index])));
        }
    }
    Plan { is_drawn, woken }
}

/// Are so many of the wake-ups in the time of a thread no more than its share of all time would explain? When a timer rings, somebody
/// runs.
fn is_chance(waker: &Seen, times: usize, of: usize, end: u64) -> bool {
    let work = waker.deeds.iter().map(|deed| if let Deed::Work(length) = deed { u128::from(*length) } else { 0 });
    work.sum::<u128>() * 3 * of as u128 > u128::from(end) * times as u128
}

fn task(index: usize, thread: &Seen, name: &str, plan: &Plan) -> Task {
    let mut table = Table::named("[[task]]", name);
    if thread.arrival > 0 {
        table.set("arrival", quoted(thread.arrival));
    }
    if thread.priority < ORDINARY {
        table.set("class", "\"fifo\"");
        table.set("rt-priority", (99 - thread.priority).clamp(1, 99).to_string());
    } else if thread.priority != NICE_0 {
        table.set("nice", (thread.priority - NICE_0).clamp(-20, 19).to_string());
    }
    if let [processor] = thread.processors.as_slice() {
        table.set("affinity", format!("[{processor}]"));
    }
    let program = if plan.is_drawn[index] { drawn(thread) } else { exact(index, thread, plan) };
    Task { table, program }
}

/// What a thread did, one after the other.
fn exact(index: usize, thread: &Seen, plan: &Plan) -> Vec<Step> {
    let (mut steps, mut work) = (Vec::new(), 0u64);
    let computes = |steps: &mut Vec<Step>, work: &mut u64| {
        if *work > 0 {
            steps.push(Step::of("cpu", &quoted(std::mem::take(work))));
        }
    };
    for deed in &thread.deeds {
        match deed {
            Deed::Work(length) => work += length,
            Deed::Wakes(whom) => {
                if let Some((_, name)) = plan.woken.get(whom).filter(|(waker, _)| *waker == index) {
                    computes(&mut steps, &mut work);
                    steps.push(Step::of("release", &named(name)));
                }
            }
            Deed::Pause { length, by } => {
                computes(&mut steps, &mut work);
                let awaited = plan.woken.get(&index).filter(|(waker, _)| *by == Some(*waker));
                steps.push(match awaited {
                    Some((_, name)) => Step::of("acquire", &named(name)),
                    None => Step::of("sleep", &quoted(*length)),
                });
            }
        }
    }
    computes(&mut steps, &mut work);
    if steps.is_empty() {
        steps.push(Step::of("cpu", "\"1ns\""));
    }
    steps
}

/// A thread that did too much to be told: as many turns, drawn from what it did.
fn drawn(thread: &Seen) -> Vec<Step> {
    let (mut bursts, mut pauses, mut burst) = (Vec::new(), Vec::new(), 0);
    for deed in &thread.deeds {
        match deed {
            Deed::Work(length) => burst += length,
            Deed::Wakes(_) => {}
            Deed::Pause { length, .. } => {
                bursts.push(std::mem::take(&mut burst));
                pauses.push(*length);
            }
        }
    }
    if burst > 0 || bursts.is_empty() {
        bursts.push(burst);
    }
    let mut turn = vec![Step::of("cpu", &samples(&mut bursts))];
    if !pauses.is_empty() {
        turn.push(Step::of("sleep", &samples(&mut pauses)));
    }
    vec![Step::repeat(&bursts.len().to_string(), turn)]
}

/// Some of these values, evenly from the smallest to the largest.
fn samples(values: &mut [u64]) -> String {
    values.sort_unstable();
    let number = values.len().min(SAMPLES);
    let middle = |index: usize| values[(2 * index + 1) * values.len() / (2 * number)];
    let list: Vec<String> = (0..number).map(|index| quoted(middle(index))).collect();
    format!("{{ samples = [{}] }}", list.join(", "))
}
