//! How many rows of each sort there are at most: a sheet of paper has an end, a page that scrolls has not.

/// More rows than these are not drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Processors.
    pub(super) processors: usize,
    /// Tasks; if there are more they are drawn by kind.
    pub(super) tasks: usize,
    /// Kinds of tasks.
    pub(super) kinds: usize,
    /// Rows of devices.
    pub(super) devices: usize,
    /// If devices have more channels than this together, those with several have one row each.
    pub(super) channels: u64,
    /// Locks and the like.
    pub(super) syncs: usize,
}

/// More tasks than this are drawn by kind in a picture with one panel, …
const MOST_TASKS: usize = 60;
/// … and so many at least have a row if there are many panels.
const FEWEST_TASKS: usize = 12;
/// More processors than this are not drawn in a picture with few panels, fewer if there are many.
const MOST_PROCESSORS: usize = 32;

impl Limits {
    /// A page scrolls.
    pub(super) const PAGE: Limits = Limits {
        processors: usize::MAX,
        tasks: 200,
        kinds: usize::MAX,
        devices: usize::MAX,
        channels: 64,
        syncs: usize::MAX,
    };

    /// Those of a sheet with so many panels.
    pub(super) fn sheet(panels: usize) -> Limits {
        let count = panels.max(1);
        Limits {
            processors: (2 * MOST_PROCESSORS / count).clamp(4, MOST_PROCESSORS),
            tasks: (MOST_TASKS * 3 / 2 / count).clamp(FEWEST_TASKS, MOST_TASKS),
            kinds: 12,
            devices: 12,
            channels: 8,
            syncs: 12,
        }
    }
}
