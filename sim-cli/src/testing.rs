//! Timelines written tersely, for the tests of everything that draws one.

use std::sync::Arc;

use sim_core::engine::{End, Ending};
use sim_core::ids::{CpuId, DeviceId, SyncId, TaskId, ThreadId};
use sim_core::outcome::Outcome;
use sim_core::scenario::{Scenario, SyncKind};
use sim_core::time::{Span, Time};
use sim_core::timeline::{
    Block, Cast, Cause, DeviceName, Fate, Hold, Interval, Job, Left, Life, Request, SpecName, SyncName, Timeline, What,
};

/// A timeline in the making; all times are in microseconds.
pub(crate) struct Story {
    cast: Cast,
    timeline: Timeline,
}

/// What a task of [`Story::round_robin`] does, alternately: microseconds on the processor, microseconds of I/O, …
pub(crate) type Bursts = Vec<u64>;

fn us(at: u64) -> Time {
    Time::from_ns(at * 1_000)
}

/// The outcome of a measured run in which all was done.
pub(crate) fn measured(scenario: &Scenario, timeline: &Timeline) -> Outcome {
    let ending = Ending { end: End::Completed, at: timeline.end, explanation: None, stuck: None };
    Outcome::measured(scenario, timeline, &ending, serde_json::Value::Null)
}

impl Story {
    /// Nothing has happened on so many processors.
    pub(crate) fn new(processors: u32) -> Story {
        let mut cast = Cast { processors: (0..processors).map(|cpu| cpu.to_string()).collect(), ..Cast::default() };
        cast.devices.push(DeviceName { name: "disk".into(), channels: Some(1), shared: false });
        cast.syncs.push(SyncName { name: "db".into(), kind: SyncKind::Mutex, direct: true, ceiling: None });
        Story { cast, timeline: Timeline::default() }
    }

    /// Adds instances of a task; they arrive at 0.
    pub(crate) fn tasks(mut self, process: &str, task: &str, instances: u32) -> Story {
        let known = self.cast.processes.iter().position(|name| name == process);
        let process_index = known.unwrap_or(self.cast.processes.len());
        if known.is_none() {
            self.cast.processes.push(process.into());
        }
        let spec = u32::try_from(self.cast.specs.len()).unwrap();
        self.cast.specs.push(SpecName { process: u32::try_from(process_index).unwrap(), task: task.into() });
        for instance in 0..instances {
            self.timeline.tasks.push(Life {
                spec,
                instance,
                arrival: Some(Time::ZERO),
                finish: None,
                fate: Fate::Finished,
            });
        }
        self
    }

    /// The life of a task.
    pub(crate) fn life(mut self, task: u32, arrival: Option<u64>, finish: Option<u64>) -> Story {
        let life = &mut self.timeline.tasks[TaskId(task)];
        life.arrival = arrival.map(us);
        life.finish = finish.map(us);
        self
    }

    fn interval(mut self, cpu: u32, task: u32, start: u64, end: u64, what: What) -> Story {
        self.timeline.intervals.push(Interval {
            start: us(start),
            end: us(end),
            task: TaskId(task),
            thread: ThreadId(task),
            cpu: CpuId(cpu),
            what,
            left: Left::Preempted,
        });
        self
    }

    /// A task runs.
    pub(crate) fn run(self, cpu: u32, task: u32, start: u64, end: u64) -> Story {
        self.interval(cpu, task, start, end, What::Run)
    }

    /// A processor switches to a task.
    pub(crate) fn switch(self, cpu: u32, task: u32, start: u64, end: u64) -> Story {
        self.interval(cpu, task, start, end, What::Switch)
    }

    /// A task waits for the disk.
    pub(crate) fn io(self, task: u32, start: u64, end: u64) -> Story {
        self.block(task, start, end, Cause::Device(DeviceId(0)))
    }

    /// A task waits for the lock.
    pub(crate) fn lock(self, task: u32, start: u64, end: u64) -> Story {
        self.block(task, start, end, Cause::Sync(SyncId(0)))
    }

    /// A request of a task to the disk: when it was asked, taken, how long the head was on its way, and its end.
    pub(crate) fn request(mut self, task: u32, asked: u64, taken: Option<u64>, seek: u64, end: u64) -> Story {
        let (seek, start) = (us(seek) - Time::ZERO, taken.map(us));
        let service = start.map_or(Span::ZERO, |start| us(end).since(start).saturating_sub(seek));
        let (task, device, asked, end) = (TaskId(task), DeviceId(0), us(asked), us(end));
        self.timeline.requests.push(Request { device, task, asked, start, end, seek, service });
        self
    }

    /// The disk serves so many requests at once.
    pub(crate) fn channels(mut self, channels: u32) -> Story {
        self.cast.devices[DeviceId(0)].channels = Some(channels);
        self
    }

    /// A task holds the lock.
    pub(crate) fn hold(mut self, task: u32, start: u64, end: u64) -> Story {
        let (start, end) = (us(start), us(end));
        let hold =
            Hold { sync: SyncId(0), task: TaskId(task), asked: start, start, end, shared: false, further: false };
        self.timeline.holds.push(hold);
        self
    }

    /// A job of a task: its release, its deadline and its end.
    pub(crate) fn job(mut self, task: u32, release: u64, deadline: u64, finish: Option<u64>) -> Story {
        let (release, deadline, finish) = (us(release), us(deadline), finish.map(us));
        self.cast.endless.insert(self.timeline.tasks[TaskId(task)].spec);
        self.timeline.jobs.push(Job { task: TaskId(task), release, deadline, finish, aborted: false, skips: 0 });
        self
    }

    fn block(mut self, task: u32, start: u64, end: u64, cause: Cause) -> Story {
        self.timeline.blocks.push(Block { start: us(start), end: us(end), task: TaskId(task), cause, again: false });
        self
    }

    /// The run is over.
    pub(crate) fn end(mut self, at: u64) -> Timeline {
        self.timeline.end = us(at);
        self.timeline.cast = Arc::new(self.cast);
        self.timeline
    }

    /// Plays a plain round-robin with the given arrivals and bursts, for timelines that look like real ones.
    pub(crate) fn round_robin(self, quantum: u64, switch: u64, jobs: &[(u64, Bursts)]) -> Timeline {
        let processors = self.cast.processors.len();
        let mut story = self;
        let mut free = vec![0u64; processors];
        let mut last = vec![u32::MAX; processors];
        let mut rest: Vec<Bursts> = jobs.iter().map(|(_, bursts)| bursts.iter().rev().copied().collect()).collect();
        let mut ready: Vec<(u64, u32)> = jobs.iter().zip(0..).map(|((arrival, _), task)| (*arrival, task)).collect();
        let mut end = 0;
        while !ready.is_empty() {
            ready.sort_by_key(|(at, _)| *at);
            let (at, task) = ready.remove(0);
            let cpu = (0..processors).min_by_key(|cpu| free[*cpu].max(at)).unwrap();
            let (number, mut now) = (u32::try_from(cpu).unwrap(), free[cpu].max(at));
            if last[cpu] != task && switch > 0 {
                story = story.switch(number, task, now, now + switch);
                now += switch;
            }
            last[cpu] = task;
            let bursts = &mut rest[task as usize];
            let burst = bursts.last_mut().unwrap();
            let ran = quantum.min(*burst);
            *burst -= ran;
            let done = *burst == 0;
            story = story.run(number, task, now, now + ran);
            now += ran;
            free[cpu] = now;
            end = end.max(now);
            let bursts = &mut rest[task as usize];
            if !done {
                ready.push((now, task));
                continue;
            }
            bursts.pop();
            match bursts.pop() {
                Some(io) => {
                    story = story.io(task, now, now + io);
                    ready.push((now + io, task));
                }
                None => story = story.life(task, Some(jobs[task as usize].0), Some(now)),
            }
        }
        story.end(end)
    }
}

/// A deterministic stream of small numbers.
pub(crate) fn numbers(mut state: u64) -> impl FnMut(u64) -> u64 {
    move |below| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    }
}

/// Five downloads and a number cruncher on one processor.
pub(crate) fn downloads() -> Timeline {
    let mut jobs = vec![(0, vec![1_000, 20_000, 1_000]); 5];
    jobs.push((500, vec![15_000]));
    Story::new(1).tasks("crawler", "download", 5).tasks("crawler", "crunch", 1).round_robin(2_000, 50, &jobs)
}

/// Sixty tasks on four processors, in slices too short to draw one by one.
pub(crate) fn crowd() -> Timeline {
    let mut number = numbers(7);
    let mut jobs = Vec::new();
    for _ in 0..60 {
        let arrival = number(100_000);
        let bursts = (0..5).map(|_| 1_000 + number(30_000)).collect();
        jobs.push((arrival, bursts));
    }
    Story::new(4)
        .tasks("web", "request", 50)
        .tasks("web", "report", 6)
        .tasks("backup", "copy", 4)
        .round_robin(500, 20, &jobs)
}

/// Records that do not fit together, as a measurement under bad conditions may produce.
pub(crate) fn broken() -> Timeline {
    Story::new(2)
        .tasks("main", "an-exceedingly-long-name-that-nobody-should-give-to-a-task-but-somebody-will", 2)
        .tasks("main", "never-came", 1)
        .tasks("main", "<&\"quoted\\ \u{1F980} µs", 1)
        .life(0, Some(1), Some(40))
        .life(1, Some(30), Some(20))
        .life(2, None, None)
        .life(3, Some(5), None)
        .run(0, 0, 0, 12)
        .run(0, 1, 10, 20)
        .run(0, 0, 20, 20)
        .run(7, 1, 20, 25)
        .run(1, 9, 2, 6)
        .io(0, 8, 30)
        .lock(0, 30, 38)
        .run(1, 0, 38, 45)
        .end(42)
}
