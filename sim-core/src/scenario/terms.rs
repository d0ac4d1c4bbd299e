//! On what terms operations are done that may have to wait.

use super::{Caller, Device, OnMiss, Op, Scenario, Spec, Way};
use crate::ids::{DeviceId, SpecId};
use crate::time::Span;

/// How long somebody stays at an operation, and what it does without it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Terms {
    /// It is given up if it is not complete so long after it began; [`Terms::FOR_EVER`]: never.
    pub within: Span,
    /// A request is given up if the device has not begun with it by then; likewise.
    pub patience: Span,
    /// The operation at which the task goes on then.
    pub otherwise: u32,
}

impl Terms {
    /// Longer than anything takes.
    pub const FOR_EVER: Span = Span::MAX;
}

impl Scenario {
    /// May who lets a pool do this go on before it is done, or end?
    #[must_use]
    pub fn may_be_left(&self, spec: SpecId) -> bool {
        let is_attempt = |caller: Caller| {
            let before = (caller.op as usize).checked_sub(1).and_then(|op| self.specs[caller.spec].program.ops.get(op));
            matches!(before, Some(Op::Attempt(_)))
        };
        self.specs[spec].caller.is_some_and(|caller| is_attempt(caller) || self.may_be_ended(caller.spec))
    }

    /// Does anybody ever give up anything, is turned away, or ends where it stands?
    #[must_use]
    pub fn gives_up(&self) -> bool {
        let attempts = |spec: &Spec| spec.program.ops.iter().any(|op| matches!(op, Op::Attempt(_)));
        let ends = |spec| self.may_be_ended(spec);
        let turns_away = |spec: &Spec| spec.is_call() && self.processes[spec.process].executor.turns_away();
        self.specs.iter().any(|spec| attempts(spec) || turns_away(spec))
            || self.devices.iter().any(Device::may_go_without)
            || self.specs.ids().any(ends)
    }

    /// The devices that some of those who ask them may leave while they are served.
    pub(super) fn left_devices(&self) -> Vec<DeviceId> {
        let of = |spec: SpecId| {
            let (ops, may_end) = (&self.specs[spec].program.ops, self.may_be_ended(spec));
            let before = std::iter::once(None).chain(ops.iter().map(Some));
            before.zip(ops).filter_map(move |(before, op)| match op {
                Op::Io { device, .. } if may_end || matches!(before, Some(Op::Attempt(_))) => Some(*device),
                _ => None,
            })
        };
        self.specs.ids().flat_map(of).collect()
    }

    /// May an instance of the task end, or its job, wherever it stands?
    #[must_use]
    pub fn may_be_ended(&self, spec: SpecId) -> bool {
        self.aborts_jobs_of(spec) || self.may_be_dropped(spec)
    }

    /// Do the jobs of the task end at their deadlines?
    #[must_use]
    pub fn aborts_jobs_of(&self, spec: SpecId) -> bool {
        let periodic = self.specs[spec].attributes.periodic.as_ref();
        periodic.is_some_and(|periodic| periodic.on_miss == OnMiss::Abort)
    }

    /// Is the task a branch of an `any`, or inside one, so that it ends when another is done first?
    #[must_use]
    pub fn may_be_dropped(&self, spec: SpecId) -> bool {
        self.specs[spec].caller.is_some_and(|caller| match caller.way {
            Way::On => false,
            Way::Any { .. } => true,
            Way::All { .. } | Way::Each { .. } => self.may_be_dropped(caller.spec),
        })
    }

    /// Do jobs of some task end at their deadlines?
    #[must_use]
    pub fn aborts_jobs(&self) -> bool {
        self.specs.ids().any(|spec| self.aborts_jobs_of(spec))
    }
}
