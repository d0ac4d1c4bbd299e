//! Steps 2 and 5: who gives up a processor, and who gets one.

use super::super::case::Policy;
use super::{Thread, World};

impl World<'_> {
    /// Steps 2 or 4: threads whose slice has ended go to the tail.
    pub(super) fn expire(&mut self) {
        for cpu in 0..self.processors.len() {
            if self.processors[cpu].slice == Some(0)
                && !self.holds_on_to(cpu)
                && let Some(thread) = self.processors[cpu].thread.take()
            {
                self.slice_used(thread);
                self.queue_tail(thread);
                self.expired.push((cpu, thread));
            }
        }
    }

    /// If there is a processor for everybody, those whose slice has ended stay where they are.
    pub(super) fn stay(&mut self) {
        let expired = std::mem::take(&mut self.expired);
        let is_free = |cpu: &usize| self.processors[*cpu].thread.is_none();
        let stays = |thread: &usize| expired.iter().any(|(_, other)| other == thread);
        let able = |thread: &usize| !stays(thread) && self.has_quota(*thread);
        let others: Vec<usize> = self.ready.iter().copied().filter(able).collect();
        let free = (0..self.processors.len()).filter(is_free);
        let free: Vec<usize> = free.filter(|cpu| expired.iter().all(|(other, _)| other != cpu)).collect();
        if self.fit(&others, &free) {
            for (cpu, thread) in expired.into_iter().filter(|(_, thread)| self.has_quota(*thread)).collect::<Vec<_>>() {
                if let Policy::Lottery { chance, .. } = self.case.policy {
                    self.draw(vec![thread], chance);
                }
                self.put(cpu, thread);
            }
        }
    }

    /// Can each of the threads be given one of these processors? Every way is tried.
    pub(super) fn fit(&self, threads: &[usize], cpus: &[usize]) -> bool {
        let Some((first, rest)) = threads.split_first() else { return true };
        let without = |cpu: usize| cpus.iter().copied().filter(|other| *other != cpu).collect::<Vec<usize>>();
        cpus.iter().any(|cpu| self.allowed(*first, *cpu) && self.fit(rest, &without(*cpu)))
    }

    /// Step 5: event loops that are on a processor take their next task; then threads whose slice has ended go on if all
    /// can; then idle processors, lowest number first.
    pub(super) fn dispatch(&mut self) -> bool {
        let mut something = false;
        for cpu in 0..self.processors.len() {
            let Some(thread) = self.processors[cpu].thread else { continue };
            if self.threads[thread].task.is_none() {
                self.next_of_loop(thread);
                something = true;
            }
        }
        self.stay();
        for cpu in 0..self.processors.len() {
            if self.processors[cpu].thread.is_none()
                && let Some(thread) = self.choose(cpu)
            {
                self.put(cpu, thread);
                something = true;
            }
        }
        something
    }

    pub(super) fn next_of_loop(&mut self, thread: usize) {
        let Thread { task, loop_queue, outside, yielded, .. } = &mut self.threads[thread];
        let Some(queue) = loop_queue else { return };
        if queue.is_empty() {
            queue.append(outside);
            queue.extend(yielded.drain(..).rev());
        }
        *task = queue.pop_front();
    }

    pub(super) fn put(&mut self, cpu: usize, thread: usize) {
        if self.threads[thread].task.is_none() {
            self.next_of_loop(thread);
        }
        self.rises_no_further(thread);
        self.has_its_turn(thread);
        self.ready.retain(|other| *other != thread);
        self.threads[thread].has_run = true;
        let identity = self.threads[thread].identity;
        let processor = &mut self.processors[cpu];
        let pays = processor.last.map_or(self.case.charge_first_switch, |last| last != identity);
        processor.thread = Some(thread);
        processor.switching = if pays { self.case.context_switch } else { 0 };
        if processor.switching > 0 {
            self.history.switches.push((cpu, self.now, self.now));
        }
        processor.last = Some(identity);
        self.processors[cpu].slice = self.fresh_slice(cpu, thread);
    }

    /// Step 5, end: somebody ready takes the place of somebody strictly worse.
    pub(super) fn preempt(&mut self) -> bool {
        let Some(preempted_to_head) = self.preempts() else { return false };
        let mut something = false;
        while let Some(cpu) = self.displaced() {
            let victim = self.processors[cpu].thread.take().expect("somebody runs there");
            if matches!(self.case.policy, Policy::Mlfq { .. }) {
                // It keeps its place, as anybody who runs.
                self.ready.push(victim);
            } else {
                self.queue_tail(victim);
            }
            if preempted_to_head {
                self.ready.rotate_right(1);
            }
            let best = self.choose(cpu).expect("somebody displaced the victim");
            self.put(cpu, best);
            something = true;
        }
        self.newcomers.clear();
        something
    }

    /// The processor that must be given up: asked by those who are ready, in the order in which they became it. Where
    /// ranks change while nobody comes, only newcomers ask.
    pub(super) fn displaced(&self) -> Option<usize> {
        let mut waiting = self.ready.clone();
        waiting.sort_by_key(|thread| self.threads[*thread].queued);
        if self.ranks_change_alone() {
            waiting = self.newcomers.iter().filter(|thread| self.ready.contains(thread)).copied().collect();
        }
        waiting.into_iter().find_map(|thread| self.victim_of(thread))
    }

    /// From whom does the thread take the processor?
    pub(super) fn victim_of(&self, thread: usize) -> Option<usize> {
        let cpus = (0..self.processors.len()).filter(|cpu| self.allowed(thread, *cpu) && !self.holds_on_to(*cpu));
        let running = cpus.filter_map(|cpu| {
            let there = self.processors[cpu].thread.filter(|there| self.bag(*there) == self.bag(thread))?;
            Some((self.rank(there), self.threads[there].queued, cpu, there))
        });
        let worst = running.max().filter(|(.., worst)| self.gives_way(*worst, thread));
        worst.map(|(.., cpu, _)| cpu).or_else(|| self.victim_of_another_group(thread))
    }

    /// Does the processor carry somebody from whom nobody takes it?
    fn holds_on_to(&self, cpu: usize) -> bool {
        let task = self.processors[cpu].thread.and_then(|thread| self.threads[thread].task);
        task.is_some_and(|task| self.is_shielded(task))
    }

    /// Now and then, those who wait are treated like newcomers although they have waited before, the best of them first.
    pub(super) fn look(&mut self) {
        if self.looks_now() {
            let mut waiting = self.ready.clone();
            // Stable: equals in the order of the queue.
            waiting.sort_by_key(|thread| self.rank(*thread));
            self.newcomers.splice(0..0, waiting);
        }
    }

    pub(super) fn rank_of_task(&self, task: usize) -> i64 {
        let priority = self.task(task).priority;
        if matches!(self.case.policy, Policy::Priority { low_first: true, .. }) { priority } else { -priority }
    }

    pub(super) fn allowed(&self, thread: usize, cpu: usize) -> bool {
        let task = self.threads[thread].task;
        self.has_quota(thread)
            && task.and_then(|task| self.task(task).affinity.as_ref()).is_none_or(|affinity| affinity.contains(&cpu))
    }
}
