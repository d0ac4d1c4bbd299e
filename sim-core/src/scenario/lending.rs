//! Who has permits of semaphores until they give them back, and who uses them up.

use super::{Op, Scenario, SyncKind, SyncOp};
use crate::ids::{SpecId, SyncId};

impl Scenario {
    /// Are permits of the semaphore lent: does somebody release it, and nobody more than it acquires? Else whoever releases more adds
    /// permits for others, who use them up: the semaphore is a counter.
    #[must_use]
    pub fn is_lent(&self, semaphore: SyncId) -> bool {
        let mut lent = false;
        for spec in self.specs.ids() {
            let (acquired, released) = self.permits_of(spec, semaphore);
            if released > acquired {
                return false;
            }
            lent |= released > 0;
        }
        lent
    }

    /// Does an instance of the task have the permits that it acquires until it gives them back, or for ever?
    #[must_use]
    pub fn keeps_permits(&self, spec: SpecId, semaphore: SyncId) -> bool {
        self.releases(spec, semaphore) || self.is_lent(semaphore)
    }

    /// Does the program of the task give permits back?
    #[must_use]
    pub fn releases(&self, spec: SpecId, semaphore: SyncId) -> bool {
        self.permits_of(spec, semaphore).1 > 0
    }

    /// Does nobody ever give permits of the semaphore back?
    #[must_use]
    pub fn is_never_released(&self, semaphore: SyncId) -> bool {
        matches!(self.syncs[semaphore].kind, SyncKind::Semaphore { .. })
            && !self.specs.ids().any(|spec| self.releases(spec, semaphore))
    }

    /// So many permits the program acquires and releases, as it is written.
    fn permits_of(&self, spec: SpecId, semaphore: SyncId) -> (u64, u64) {
        let (mut acquired, mut released) = (0, 0);
        for op in &self.specs[spec].program.ops {
            match op {
                Op::Sync(SyncOp::Acquire(sync, count)) if *sync == semaphore => acquired += u64::from(*count),
                Op::Sync(SyncOp::Release(sync, count)) if *sync == semaphore => released += u64::from(*count),
                _ => {}
            }
        }
        (acquired, released)
    }
}
