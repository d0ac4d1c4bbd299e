//! The colours: hues that colour-blind people can tell apart (after Okabe & Ito, and Tol), one for each kind of task,
//! with a lighter or darker shade for each of its instances.

use std::collections::BTreeMap;

use sim_core::ids::TaskId;
use sim_core::timeline::{Life, Timeline};

use super::sheet::Colour;
use crate::explain::Class;

/// Letters and numbers that matter.
pub const INK: Colour = Colour(0x1f, 0x23, 0x28);
/// Letters that matter less.
pub const QUIET: Colour = Colour(0x65, 0x6d, 0x76);
/// Letters that warn.
pub const WARNING: Colour = Colour(0xb0, 0x3a, 0x00);
/// The grid.
pub const GRID: Colour = Colour(0xdc, 0xe0, 0xe5);
/// A processor that does nothing.
pub const IDLE: Colour = Colour(0xec, 0xef, 0xf2);
/// A task that waits for a processor.
pub const READY: Colour = Colour(0xb4, 0xba, 0xc2);
/// A task that waits since its group has used up its quota.
pub const THROTTLED: Colour = Colour(0xf0, 0xb7, 0xae);
/// The stripes in it, and that cause of waiting.
pub const USED_UP: Colour = Colour(0xb2, 0x18, 0x2b);
/// A task that waits since its server has used up its budget.
pub const DEPLETED: Colour = Colour(0xf5, 0xd8, 0xa6);
/// The line in it.
pub const BUDGET: Colour = Colour(0xa6, 0x5a, 0x00);
/// A task that waits for the interpreter lock.
pub const INTERPRETER: Colour = Colour(0x7d, 0x85, 0x90);
/// Requests in the queue of a device, where they are an area.
pub const QUEUED: Colour = Colour(0xf0, 0xd9, 0xb5);
/// A task that waits for something else, where its time is drawn as a share.
pub const BLOCKED: Colour = Colour(0xe4, 0xe7, 0xeb);
/// The dots of a task that waits for something else.
pub const DOTS: Colour = Colour(0x8c, 0x95, 0x9f);
/// Overhead.
pub const OVERHEAD: Colour = Colour(0x1f, 0x23, 0x28);
/// The stripes in wide overhead.
pub const STRIPE: Colour = Colour(0x8c, 0x95, 0x9f);
/// The head of a device on its way, where time is drawn as a share.
const SEEK: Colour = Colour(0x1b, 0x3a, 0x6b);
/// Requests that share a device.
pub const SHARED: Colour = Colour(0xbe, 0xc8, 0xd3);
/// Two timelines run the same tasks.
pub const SAME: Colour = Colour(0xa9, 0xd8, 0xb8);
/// Some of the tasks that run are the same.
pub const PARTLY_SAME: Colour = Colour(0xf2, 0xd3, 0x83);
/// Two timelines run other tasks.
pub const OTHER: Colour = Colour(0xb0, 0x3a, 0x00);
/// Two tasks at once, which cannot be.
pub const CLASH: Colour = Colour(0xff, 0x00, 0x2b);
/// The critical path.
pub const PATH: Colour = Colour(0xd6, 0x00, 0x3d);
/// The paper.
pub const PAPER: Colour = Colour(0xff, 0xff, 0xff);

/// Hues that can be told apart; neighbours differ in lightness too.
pub const HUES: [Colour; 8] = [
    Colour(0x00, 0x72, 0xb2),
    Colour(0xe6, 0x9f, 0x00),
    Colour(0x00, 0x9e, 0x73),
    Colour(0xcc, 0x79, 0xa7),
    Colour(0x56, 0xb4, 0xe9),
    Colour(0xd5, 0x5e, 0x00),
    Colour(0x99, 0x99, 0x33),
    Colour(0x88, 0x22, 0x55),
];

/// How much white (positive) or black (negative) is mixed in, in percent.
const SHADES: [i32; 5] = [0, 42, -32, 22, 60];

/// The colour of a class of causes: those that stand next to each other in a bar differ in lightness too.
#[must_use]
pub fn of_class(class: Class) -> Colour {
    match class {
        Class::Running => HUES[0],
        Class::Overhead => OVERHEAD,
        Class::Processor => HUES[1],
        Class::Runtime => HUES[5],
        Class::Interpreter => HUES[3],
        Class::Throttled => USED_UP,
        Class::Nobody => Colour(0xf0, 0xe4, 0x42),
        Class::Queue => HUES[7],
        Class::Seek => SEEK,
        Class::Service => HUES[4],
        Class::Sync => HUES[2],
        Class::Others => HUES[6],
        Class::Previous => Colour(0x88, 0x57, 0x2c),
        Class::Sleep => READY,
    }
}

/// What a task's colour becomes where something is only under way for it.
#[must_use]
pub fn light(colour: Colour) -> Colour {
    shade(colour, 70)
}

/// Who has which colour, the same in all panels of a picture.
#[derive(Debug, Default)]
pub struct Palette {
    /// The kinds of tasks by full name, in order of appearance.
    kinds: BTreeMap<String, usize>,
    /// The most tasks that a timeline has.
    most: usize,
}

/// So many tasks of a lone kind can be told apart by hues of their own.
const APART: usize = 8;

impl Palette {
    /// Colours for the tasks of all these timelines.
    pub fn new<'a>(timelines: impl Iterator<Item = &'a Timeline>) -> Palette {
        let mut palette = Palette::default();
        for timeline in timelines {
            palette.most = palette.most.max(timeline.tasks.len());
            for spec in 0..timeline.cast.specs.len() {
                let next = palette.kinds.len();
                palette.kinds.entry(kind_name(timeline, spec)).or_insert(next);
            }
        }
        palette
    }

    /// Is there but one kind, of few tasks? Then each task has a hue of its own.
    fn alone(&self) -> bool {
        self.kinds.len() == 1 && self.most <= APART
    }

    /// The colours of the tasks of one timeline: the hue of their kind, in shades.
    #[must_use]
    pub fn colours(&self, timeline: &Timeline) -> Vec<Colour> {
        let kinds: Vec<usize> = (0..timeline.cast.specs.len())
            .map(|spec| self.kinds.get(&kind_name(timeline, spec)).map_or(0, |kind| *kind))
            .collect();
        let alone = self.alone();
        let colour = |life: &Life| {
            let (kind, instance) = (kinds[life.spec as usize], life.instance as usize);
            if alone {
                HUES[instance % HUES.len()]
            } else {
                shade(HUES[kind % HUES.len()], SHADES[(instance + kind / HUES.len()) % SHADES.len()])
            }
        };
        timeline.tasks.iter().map(colour).collect()
    }

    /// For each task the first of its kind, whose colour stands for all of them; few tasks of a lone kind stand
    /// for themselves.
    #[must_use]
    pub fn kin(&self, timeline: &Timeline) -> Vec<TaskId> {
        let mut first = vec![None; timeline.cast.specs.len()];
        let alone = self.alone();
        let kin = |(task, life): (TaskId, &Life)| {
            if alone { task } else { *first[life.spec as usize].get_or_insert(task) }
        };
        timeline.tasks.pairs().map(kin).collect()
    }
}

/// The colour of a task among [`Palette::colours`]; grey for one that nobody knows.
#[must_use]
pub fn of(colours: &[Colour], task: TaskId) -> Colour {
    colours.get(task.0 as usize).copied().unwrap_or(QUIET)
}

/// The colour of letters that can be read on `ground`.
#[must_use]
pub fn readable_on(ground: Colour) -> Colour {
    let luminance = 299 * u32::from(ground.0) + 587 * u32::from(ground.1) + 114 * u32::from(ground.2);
    if luminance > 140_000 { INK } else { PAPER }
}

fn kind_name(timeline: &Timeline, spec: usize) -> String {
    let spec = &timeline.cast.specs[spec];
    format!("{}/{}", timeline.cast.processes[spec.process as usize], spec.task)
}

/// Mixes in so many percent of white, or of black if negative.
fn shade(colour: Colour, percent: i32) -> Colour {
    let target = if percent > 0 { 255 } else { 0 };
    let mix = |part: u8| {
        let part = i32::from(part);
        u8::try_from(part + (target - part) * percent.abs() / 100).unwrap_or(u8::MAX)
    };
    Colour(mix(colour.0), mix(colour.1), mix(colour.2))
}
