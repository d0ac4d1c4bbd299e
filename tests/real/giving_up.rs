//! Who gives up what it waits for, and who is turned away, for real: the same laws as in the simulation.

use std::collections::BTreeMap;

use sim_core::policy::on_linux::Class;
use sim_core::time::Span;
use sim_core::timeline::{Fate, How, Leave, Timeline};
use sim_real::{Options, measure};

use super::{both, real};
use crate::support::scenario;

/// How long everybody waits.
const WITHIN: Span = Span::from_ms(2);

/// One holds everything for a while, and the others want it for 2 ms: whoever gives up ends.
fn wishes(executor: &str, kind: &str) -> String {
    format!(
        "executor = {executor}
         machine = {{ processors = 2 }}
         lock = [{{ name = 'm', {kind} }}, {{ name = 'free' }}, {{ name = 'spun', spin = '500us', {kind} }}]
         rwlock = [{{ name = 'rw', {kind} }}]
         semaphore = [{{ name = 's', permits = 2, {kind} }}]
         channel = [{{ name = 'c', capacity = 0 }}, {{ name = 'd', capacity = 1 }}]
         condvar = [{{ name = 'cv', {kind} }}]
         barrier = [{{ name = 'b', parties = 3 }}]
         device = [{{ name = 'disk' }}, {{ name = 'net', channels = 'unlimited' }}, {{ name = 'calls', channels = 2, queue = 0 }}]
         [[task]]
         name = 'holder'
         program = [
             {{ lock = 'm' }}, {{ lock = 'spun' }}, {{ write = 'rw' }}, {{ acquire = 's', count = 2 }}, {{ cpu = '100us' }}, {{ sleep = '8ms' }},
             {{ release = 's', count = 2 }}, {{ unlock = 'rw' }}, {{ unlock = 'spun' }}, {{ unlock = 'm' }},
         ]
         [[task]]
         name = 'lock'
         arrival = {{ every = '500us' }}
         count = 3
         program = [{{ cpu = '20us' }}, {{ with = 'm', within = '2ms', do = [{{ cpu = '50us' }}], else = ['end'] }}, {{ cpu = '50us' }}]
         [[task]]
         name = 'spin'
         arrival = '500us'
         program = [{{ cpu = '20us' }}, {{ with = 'spun', within = '2ms', do = [{{ cpu = '50us' }}], else = ['end'] }}]
         [[task]]
         name = 'read'
         arrival = '1ms'
         count = 2
         program = [{{ cpu = '20us' }}, {{ read = 'rw', within = '2ms', else = ['end'] }}, {{ unlock = 'rw' }}]
         [[task]]
         name = 'acquire'
         arrival = '1ms'
         count = 2
         program = [{{ cpu = '20us' }}, {{ acquire = 's', count = 2, within = '2ms', else = ['end'] }}, {{ release = 's', count = 2 }}]
         [[task]]
         name = 'send'
         program = [{{ cpu = '20us' }}, {{ send = 'c', within = '2ms', else = ['end'] }}]
         [[task]]
         name = 'receive'
         program = [{{ cpu = '20us' }}, {{ recv = 'd', within = '2ms', else = ['end'] }}]
         [[task]]
         name = 'wait'
         count = 2
         program = [
             {{ cpu = '20us' }}, {{ lock = 'free' }}, {{ wait = 'cv', with = 'free', within = '2ms', else = [{{ unlock = 'free' }}, 'end'] }}, {{ unlock = 'free' }},
         ]
         [[task]]
         name = 'meet'
         count = 2
         program = [{{ cpu = '20us' }}, {{ barrier = 'b', within = '2ms', else = ['end'] }}]
         [[task]]
         name = 'ask'
         count = 3
         program = [{{ cpu = '20us' }}, {{ io = 'disk', for = '3ms', within = '2ms', else = ['end'] }}]
         [[task]]
         name = 'stay'
         program = [{{ cpu = '20us' }}, {{ io = 'net', for = '4ms', within = '2ms', else = ['end'] }}]
         [[task]]
         name = 'call'
         count = 8
         arrival = {{ every = '1ms' }}
         program = [{{ cpu = '20us' }}, {{ io = 'calls', for = '5ms', else = ['end'] }}]
         [[task]]
         name = 'child'
         arrival = 'spawned'
         program = [{{ cpu = '20us' }}, {{ sleep = '4ms' }}]
         [[task]]
         name = 'join'
         program = [{{ spawn = 'child' }}, {{ join = 'child', within = '2ms', else = ['end'] }}]
        "
    )
}

/// How often each kind of task went without, and how its instances ended.
fn told(timeline: &Timeline) -> BTreeMap<String, (usize, Vec<Fate>)> {
    let mut told: BTreeMap<String, (usize, Vec<Fate>)> = BTreeMap::new();
    for (task, life) in timeline.tasks.pairs() {
        let name = timeline.task_name(task);
        let kind = name.trim_start_matches("main/").split('#').next().unwrap_or_default().to_owned();
        let leaves = timeline.leaves.iter().filter(|leave| leave.task == task).count();
        let (sum, fates) = told.entry(kind).or_default();
        *sum += leaves;
        fates.push(life.fate);
        assert!(life.finish.is_some(), "{name} is done");
        assert_eq!(leaves, usize::from(life.fate == Fate::Ended), "{name}: who goes without ends");
    }
    told
}

#[test]
fn who_waits_leaves_in_time_under_every_executor() {
    for kind in ["", "hand-over = 'barging'"] {
        for executor in real() {
            let workers = if executor.takes("workers") { ", workers = 2" } else { "" };
            let toml = wishes(&format!("{{ kind = '{}'{workers} }}", executor.name), kind);
            let (simulated, measured) = both(&toml);
            let (ours, real) = (told(&simulated), told(&measured.timeline));
            assert!(ours.keys().eq(real.keys()), "{}: {ours:?}, {real:?}", executor.name);
            for (name, (_, fates)) in &ours {
                assert_eq!(fates.len(), real[name].1.len(), "{}: {name}", executor.name);
            }
            // Nobody comes, whoever runs when.
            for name in ["send", "receive", "wait", "meet", "ask", "stay"] {
                assert!(real[name].1.iter().all(|fate| *fate == Fate::Ended), "{}: {name} {real:?}", executor.name);
            }
            let is_loop = matches!(executor.name, "async" | "work-stealing");
            let in_time = |leave: &&Leave| leave.how == How::TurnedAway || leave.at.since(leave.asked) >= WITHIN;
            let late = |leave: &&Leave| {
                leave.how != How::TurnedAway && leave.at.since(leave.asked) > WITHIN + Span::from_us(1)
            };
            let leaves = &measured.timeline.leaves;
            assert!(leaves.iter().all(|leave| in_time(&leave)), "{}: too early, of {leaves:?}", executor.name);
            // Only a loop has to notice.
            assert!(is_loop || !leaves.iter().any(|leave| late(&leave)), "{}: too late, of {leaves:?}", executor.name);
        }
    }
}

#[test]
fn a_try_never_blocks() {
    for executor in real().filter(|executor| executor.name != "sequential") {
        let workers = if executor.takes("workers") { ", workers = 3" } else { "" };
        let (simulated, measured) = both(&format!(
            "executor = {{ kind = '{}'{workers} }}
             machine = {{ processors = 2 }}
             lock = [{{ name = 'm' }}]
             semaphore = [{{ name = 's', permits = 0 }}]
             [[task]]
             name = 'holder'
             program = [{{ lock = 'm' }}, {{ acquire = 's' }}, {{ unlock = 'm' }}]
             [[task]]
             name = 'tries'
             arrival = '3ms'
             program = [
                 {{ repeat = 3, do = [{{ with = 'm', within = '0ms', do = [{{ cpu = '1ms' }}], else = [{{ cpu = '50us' }}] }}] }},
                 {{ acquire = 's', within = '0ms' }}, {{ release = 's' }},
             ]",
            executor.name
        ));
        for timeline in [&simulated, &measured.timeline] {
            let leaves = &timeline.leaves;
            assert_eq!(leaves.len(), 4, "{}: {leaves:?}", executor.name);
            assert!(leaves.iter().all(|leave| leave.since == leave.at), "{}: {leaves:?}", executor.name);
            let tries = leaves[0].task;
            let blocked: Vec<_> = timeline.blocks.iter().filter(|block| block.task == tries).collect();
            assert!(blocked.is_empty(), "{}: {blocked:?}", executor.name);
        }
    }
}

#[test]
fn urgency_goes_back_when_who_lent_it_leaves() {
    let (_, measured) = both(
        "machine = { processors = 1 }
         scheduler = { policy = 'priority' }
         lock = [{ name = 'm', protocol = 'inherit' }]
         [[task]]
         name = 'low'
         priority = 1
         program = [{ with = 'm', do = [{ cpu = '40ms' }] }]
         [[task]]
         name = 'middle'
         priority = 5
         arrival = '7ms'
         program = [{ cpu = '5ms' }]
         [[task]]
         name = 'high'
         priority = 9
         arrival = '5ms'
         program = [{ with = 'm', within = '10ms', do = [], else = [{ cpu = '1ms' }] }]",
    );
    let timeline = &measured.timeline;
    let [low, middle, high] = [0, 1, 2].map(|place| timeline.tasks.ids().nth(place).expect("three"));
    assert_eq!(timeline.leaves.iter().map(|leave| leave.task).collect::<Vec<_>>(), [high], "only high leaves");
    if measured.recorded.class == Some(Class::Fifo) {
        let [low, middle, high] = [low, middle, high].map(|task| timeline.tasks[task].finish.expect("finished"));
        // Whoever stood behind what low was lent runs as soon as it is lent no more.
        assert!(high < middle && middle < low, "{high} {middle} {low}");
    }
}

/// Erlang's loss: of those who call, each is served or turned away.
#[test]
fn who_finds_all_channels_busy_is_turned_away() {
    for executor in ["'threads'", "'processes'", "'async'"] {
        let (_, measured) = both(&format!(
            "executor = {executor}
             machine = {{ processors = 2 }}
             device = [{{ name = 'line', channels = 2, queue = 0 }}]
             [[task]]
             name = 'call'
             count = 30
             arrival = {{ gap = {{ exponential = '1ms' }} }}
             program = [{{ io = 'line', for = {{ exponential = '4ms' }}, else = [{{ cpu = '20us' }}, 'end'] }}]"
        ));
        let timeline = &measured.timeline;
        let rejected = timeline.leaves.iter().filter(|leave| leave.how == How::TurnedAway).count();
        let served = timeline.tasks.iter().filter(|life| life.fate == Fate::Finished).count();
        assert!(rejected > 0 && served > 1 && rejected + served == 30, "{executor}: {served} and {rejected}");
        // Nobody waits.
        let waited = timeline.requests.iter().filter_map(|request| Some(request.start?.since(request.asked)));
        let longest = waited.max().expect("some are served");
        assert!(longest <= Span::from_us(500), "{executor}: one waited for {longest}");
    }
}

#[test]
fn what_real_objects_cannot_do_is_refused_by_name() {
    let refused = |toml: &str| measure(&scenario(toml), &Options::default()).expect_err("refused").to_string();
    let library = refused(
        "lock = [{ name = 'm', kind = 'std' }]
         [[task]]
         name = 'a'
         program = [{ with = 'm', within = '1ms', do = [] }]",
    );
    assert!(library.contains("the task `a` gives up waiting for the lock `m` of the kind `std`"), "{library}");
}
