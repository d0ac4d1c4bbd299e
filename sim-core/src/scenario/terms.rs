//! On what terms operations are done that may have to wait.

use super::{Caller, Device, Op, Scenario, Spec};
use crate::ids::SpecId;
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
    /// May who lets a pool do this go on before it is done?
    #[must_use]
    pub fn may_be_left(&self, spec: SpecId) -> bool {
        let is_attempt = |caller: Caller| {
            let before = (caller.op as usize).checked_sub(1).and_then(|op| self.specs[caller.spec].program.ops.get(op));
            matches!(before, Some(Op::Attempt(_)))
        };
        self.specs[spec].caller.is_some_and(is_attempt)
    }

    /// Does anybody ever give up anything, or is turned away?
    #[must_use]
    pub fn gives_up(&self) -> bool {
        let attempts = |spec: &Spec| spec.program.ops.iter().any(|op| matches!(op, Op::Attempt(_)));
        let limits = |device: &Device| device.patience.is_some() || device.queue.is_some();
        self.specs.iter().any(attempts) || self.devices.iter().any(limits)
    }
}
