//! Slices that end together: where nothing else happens, the threads that were running and those that come next change places
//! in one pass.
//!
//! It is the same as to put off each, and then to dispatch ([`World::expire`], [`World::dispatch`]); but on the way no
//! processor becomes idle, and the tree of their ends is played once. Most dispatches of most runs are of this kind.

use super::world::World;
use crate::ids::CpuId;
use crate::policy::{Exit, Slot, Why};
use crate::timeline::{Left, Recorder};

impl<R: Recorder> World<'_, R> {
    /// Does nothing happen at this instant but ends of slices, and does who runs next where they end depend on nothing
    /// else: is there no other processor for those who wait?
    pub(super) fn is_turn_over(&self) -> bool {
        let settled = self.agenda.next() > self.scene.now && self.choosing.is_empty() && self.scene.shields.are_none();
        let room = self.scene.processors.next_idle(0).is_some();
        let apart = if room { self.ready.may_continue() && self.ready.is_empty() } else { true };
        let simple = !self.runtimes_take_back
            && !self.operations_cost
            && self.firm.is_none()
            && self.scene.quotas.is_none()
            && self.scene.servers.is_none();
        settled && apart && simple && self.ready.turns_over() && !self.closing
    }

    /// Nothing happens now but that slices end, on some of the processors that are due: their threads queue, then others take
    /// their places.
    pub(super) fn turn_over(&mut self) {
        // There is a processor for everybody: see `continuing`.
        let stay = self.ready.may_continue() && self.ready.is_empty();
        let mut expired = 0;
        for index in 0..self.due.len() {
            let cpu = self.due[index];
            if self.gives_up_expired(CpuId(cpu)) {
                self.due[expired] = cpu;
                expired += 1;
            }
        }
        self.due.truncate(expired);
        for index in 0..expired {
            let cpu = CpuId(self.due[index]);
            if stay {
                self.scene.only = Some(self.scene.processors[cpu].last);
            }
            self.refill(cpu);
        }
        self.scene.only = None;
        self.scene.processors.all_replaced(&self.due);
    }

    /// If the slice of the thread on the processor ends now, the thread gives it up.
    #[inline]
    fn gives_up_expired(&mut self, cpu: CpuId) -> bool {
        let there = &self.scene.processors[cpu];
        let expires = !there.is_idle() && there.ends().slice <= self.scene.now;
        if expires {
            let (thread, ran) = self.end_stretch(cpu, Left::Preempted, Exit::Ready);
            self.ready.put_off(thread, cpu, ran, Why::Expired(Slot(cpu.0)), &mut self.scene);
        }
        expires
    }

    /// As [`World::fill`], for a processor that its thread has given up.
    #[inline]
    fn refill(&mut self, cpu: CpuId) {
        if self.ready.is_long() {
            self.look_ahead();
        }
        while let Some(turn) = self.ready.pick(cpu, &mut self.scene) {
            if let Some(end) = self.begin_stretch(cpu, turn) {
                return self.scene.processors.is_replaced(cpu, end);
            }
        }
        self.scene.processors.is_vacated(cpu);
    }
}
