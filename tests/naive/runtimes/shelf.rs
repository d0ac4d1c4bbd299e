//! The queues of the runtimes, once more: where a task goes that is ready, what a worker takes, and who is woken.

use super::Runtime;
use super::simulator::{Simulation, Why};

impl Simulation<'_> {
    /// A task without a thread is ready: it goes into a queue, and perhaps a worker is woken.
    pub(super) fn enqueue(&mut self, task: usize, why: Why) {
        let go = matches!(self.world.runtime, Runtime::Goroutines { .. });
        let why = if why == Why::Timer && !go { Why::Event } else { why };
        match (self.world.runtime, why) {
            (Runtime::Async { .. }, Why::Arrived | Why::Event) => self.events.push_back(task),
            (Runtime::Async { defers: true, .. }, Why::Yielded(worker)) => self.own[worker].yielded.push(task),
            (Runtime::Pool { steals: true }, Why::By(worker)) => self.own[worker].queue.push_back(task),
            (Runtime::Tokio { .. }, _) => return self.enqueue_tokio(task, why),
            (Runtime::Goroutines { .. }, _) => return self.enqueue_go(task, why),
            _ => self.common.push_back(task),
        }
        // The idle worker with the lowest number.
        if let Some(&worker) = self.asleep.iter().min() {
            self.wake_worker(worker);
        }
    }

    /// Is there any task in any queue, whoever may take it?
    pub(super) fn somebody_waits(&self) -> bool {
        let has = |own: &super::simulator::Own| {
            !own.queue.is_empty() || !own.yielded.is_empty() || own.slot.is_some() || !own.rang.is_empty()
        };
        !self.common.is_empty() || !self.events.is_empty() || self.own.iter().any(has)
    }

    /// What the worker takes next.
    pub(super) fn choose(&mut self, worker: usize) -> Option<usize> {
        match self.world.runtime {
            Runtime::Async { event_interval, .. } => self.choose_loop(worker, event_interval),
            Runtime::Tokio { .. } => self.choose_tokio(worker),
            Runtime::Goroutines { .. } => self.choose_go(worker),
            Runtime::Pool { steals: true } => {
                let own = self.own[worker].queue.pop_back();
                own.or_else(|| {
                    let victim = self.victim(worker)?;
                    self.own[victim].queue.pop_front()
                })
                .or_else(|| self.common.pop_front())
            }
            Runtime::Pool { .. } | Runtime::Shared | Runtime::Gil { .. } => self.common.pop_front(),
        }
    }

    fn choose_loop(&mut self, worker: usize, event_interval: u32) -> Option<usize> {
        if self.polls == event_interval || self.common.is_empty() {
            self.polls = 0;
            self.common.append(&mut self.events);
            while let Some(task) = self.own[worker].yielded.pop() {
                self.common.push_back(task);
            }
        }
        self.polls += 1;
        self.common.pop_front()
    }

    /// The next worker in the ring that has something to steal.
    fn victim(&self, thief: usize) -> Option<usize> {
        let workers = self.own.len();
        (thief + 1..thief + workers).map(|worker| worker % workers).find(|worker| !self.own[*worker].queue.is_empty())
    }

    /// The thief gets the older half, or one, and begins with the last of them.
    fn steal(&mut self, thief: usize, one: bool) -> Option<usize> {
        let victim = self.victim(thief)?;
        let all = self.own[victim].queue.len();
        let share = if one { 1 } else { all - all / 2 };
        for _ in 0..share {
            let task = self.own[victim].queue.pop_front()?;
            self.own[thief].queue.push_back(task);
        }
        self.own[thief].queue.pop_back()
    }

    fn share_of_common(&mut self, worker: usize) -> Option<usize> {
        let share = (self.common.len() / self.own.len() + 1).min(self.common.len());
        let first = self.common.pop_front()?;
        for _ in 1..share {
            let task = self.common.pop_front()?;
            self.own[worker].queue.push_back(task);
        }
        Some(first)
    }

    /// One parked worker is woken, the one that parked last, unless one that was woken still looks for work.
    fn wake_one(&mut self) {
        if self.own.iter().any(|own| own.looking) {
            return;
        }
        if let Some(&worker) = self.asleep.last() {
            self.own[worker].looking = true;
            self.wake_worker(worker);
        }
    }

    // tokio

    fn enqueue_tokio(&mut self, task: usize, why: Why) {
        let Runtime::Tokio { one_driver, defers, .. } = self.world.runtime else { return };
        match why {
            Why::By(worker) => {
                if self.schedule(worker, task) {
                    self.wake_one();
                }
            }
            Why::Yielded(worker) if defers => self.own[worker].yielded.push(task),
            Why::Yielded(worker) | Why::Again(worker) => {
                self.own[worker].queue.push_back(task);
                self.wake_one();
            }
            Why::Event if one_driver => {
                self.events.push_back(task);
                if let Some(worker) = self.at_driver
                    && self.asleep.contains(&worker)
                {
                    self.wake_worker(worker);
                }
            }
            Why::Arrived | Why::Event | Why::Timer | Why::Global => {
                self.common.push_back(task);
                self.wake_one();
            }
        }
    }

    /// Into the slot, or into the queue. Is there more to steal than before?
    fn schedule(&mut self, worker: usize, task: usize) -> bool {
        let Runtime::Tokio { slot, .. } = self.world.runtime else { return false };
        let own = &mut self.own[worker];
        if !slot || own.slot_runs == 3 {
            own.queue.push_back(task);
            return true;
        }
        let former = own.slot.replace(task);
        own.queue.extend(former);
        former.is_some()
    }

    fn look(&mut self, worker: usize) {
        if self.at_driver.is_none_or(|other| other == worker) {
            while let Some(task) = self.events.pop_front() {
                self.schedule(worker, task);
            }
        }
        while let Some(task) = self.own[worker].yielded.pop() {
            self.schedule(worker, task);
        }
        let own = &self.own[worker];
        if own.queue.len() + usize::from(own.slot.is_some()) >= 2 && !own.looking {
            self.wake_one();
        }
    }

    fn choose_tokio(&mut self, worker: usize) -> Option<usize> {
        let found = self.find_tokio(worker);
        let looked = std::mem::take(&mut self.own[worker].looking);
        if found.is_none() && self.at_driver.is_none() {
            self.at_driver = Some(worker);
        }
        if found.is_some() && looked && self.own.iter().all(|own| !own.looking) {
            self.wake_one();
        }
        found
    }

    fn find_tokio(&mut self, worker: usize) -> Option<usize> {
        let Runtime::Tokio { event_interval, global_interval, steals_one, .. } = self.world.runtime else {
            return None;
        };
        if self.own[worker].ran_before
            && let Some(task) = self.own[worker].slot.take()
        {
            self.own[worker].slot_runs += 1;
            return Some(task);
        }
        self.own[worker].slot_runs = 0;
        if self.at_driver == Some(worker) {
            self.look(worker);
            self.at_driver = None;
        }
        loop {
            self.own[worker].polls += 1;
            let polls = self.own[worker].polls;
            if polls.is_multiple_of(event_interval) {
                self.look(worker);
            }
            if polls.is_multiple_of(global_interval)
                && let Some(task) = self.common.pop_front()
            {
                return Some(task);
            }
            let own = &mut self.own[worker];
            if let Some(task) = own.slot.take().or_else(|| own.queue.pop_front()) {
                return Some(task);
            }
            if let Some(task) = self.share_of_common(worker) {
                return Some(task);
            }
            self.own[worker].looking = true;
            if let Some(task) = self.steal(worker, steals_one) {
                return Some(task);
            }
            if self.own[worker].yielded.is_empty() && (self.events.is_empty() || self.at_driver.is_some()) {
                return None;
            }
            self.own[worker].looking = false;
            self.look(worker);
        }
    }

    // Go

    fn enqueue_go(&mut self, task: usize, why: Why) {
        match why {
            Why::By(worker) => self.put_next(worker, task),
            Why::Timer if self.asleep.is_empty() => {
                let worker = self.tasks[task].blocked_on;
                return self.own[worker].rang.push_back(task);
            }
            Why::Event if self.asleep.is_empty() => return self.events.push_back(task),
            _ => self.common.push_back(task),
        }
        self.wake_one();
    }

    fn put_next(&mut self, worker: usize, task: usize) {
        let own = &mut self.own[worker];
        let former = own.slot.replace(task);
        own.queue.extend(former);
    }

    /// The timers of one worker, looked at by the same or another.
    fn look_at_timers(&mut self, of: usize, worker: usize) {
        while let Some(task) = self.own[of].rang.pop_front() {
            self.put_next(worker, task);
            self.wake_one();
        }
    }

    fn choose_go(&mut self, worker: usize) -> Option<usize> {
        let Runtime::Goroutines { slice, global_interval } = self.world.runtime else { return None };
        if self.now >= self.polled_at + 10 {
            self.poll();
        }
        self.look_at_timers(worker, worker);
        let left = self.own[worker].slice_end;
        let next = if self.own[worker].polls.is_multiple_of(global_interval) { self.common.pop_front() } else { None };
        let is_next = next.is_none() && self.own[worker].slot.is_some();
        let found = next.or_else(|| self.own[worker].slot.take()).or_else(|| self.find_go(worker));
        let looked = std::mem::take(&mut self.own[worker].looking);
        if found.is_none() {
            self.own[worker].slice_end = 0;
            return None;
        }
        if looked {
            self.wake_one();
        }
        // Who is next has what is left of the slice.
        if !is_next || left <= self.now {
            self.own[worker].polls += 1;
            self.own[worker].slice_end = self.now + slice;
        }
        found
    }

    fn find_go(&mut self, worker: usize) -> Option<usize> {
        if let Some(task) = self.own[worker].queue.pop_front() {
            return Some(task);
        }
        if self.common.is_empty() {
            self.poll();
        }
        if let Some(task) = self.share_of_common(worker) {
            return Some(task);
        }
        if let Some(task) = self.steal(worker, false) {
            return Some(task);
        }
        let workers = self.own.len();
        for other in (worker + 1..worker + workers).map(|other| other % workers) {
            if !self.own[other].rang.is_empty() {
                self.look_at_timers(other, worker);
                return self.own[worker].slot.take();
            }
            if let Some(task) = self.own[other].slot.take() {
                return Some(task);
            }
        }
        None
    }

    fn poll(&mut self) {
        self.polled_at = self.now;
        self.common.append(&mut self.events);
    }
}
