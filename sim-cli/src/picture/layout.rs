//! The layout: where everything of a picture stands.

pub(super) mod bars;
mod frame;
mod jobs;
mod kinds;
pub(super) mod lanes;
pub(super) mod legend;
mod likeness;
mod limits;
mod path;
pub(super) mod pen;
pub(super) mod section;
pub(super) mod stack;
mod things;

use std::collections::BTreeMap;

use sim_core::causes::critical_path::Link;
use sim_core::ids::{IdVec, TaskId};
use sim_core::time::{Span, Time};
use sim_core::timeline::lanes::Stretch;
use sim_core::timeline::{Cause, Job, Runtime, Timeline};

use self::lanes::Short;
use self::legend::Context;
use self::limits::Limits;
pub(super) use self::pen::Mark;
use self::pen::Pen;
use self::section::{Content, Row, Section};
use self::things::Forms;
use super::colours::{self, Palette};
use super::lane::Scale;
use super::sheet::{Anchor, Colour, Sheet, Text};
use super::{Panel, Picture, View, lettering};
use crate::axis;
use crate::doings::{self, Doing};
use crate::reached::Reached;
use crate::rows::{self, Rows};

const WIDTH: i32 = 1600;
const MARGIN: i32 = 40;
/// Between the names of the rows and the lanes: room for the marks of arrivals at 0.
const BEFORE_LANES: i32 = 18;
/// Right of the lanes: room for the marks of what finishes last.
const AFTER_LANES: i32 = 16;
/// The widest a name may be.
const WIDEST_NAME: i32 = 300;
/// Of tasks that are drawn by kind those whom findings accuse, or who are on the critical path, have rows, but no more than this.
const MOST_ACCUSED: usize = 6;

/// Panels higher than this together have the times above them too.
const HIGH: i32 = 700;

/// A panel with everything computed that its drawing needs.
pub(super) struct Prepared<'a> {
    pub(super) panel: &'a Panel<'a>,
    pub(super) names: IdVec<TaskId, String>,
    /// Is the number of an instance enough to know it by, and is its name without the process?
    short: Short,
    pub(super) colours: Vec<Colour>,
    /// For each task the one that stands for its kind where many are drawn together.
    kin: Vec<TaskId>,
    /// Does a task stand for others?
    has_kin: bool,
    pub(super) lives: IdVec<TaskId, Vec<Stretch<Doing>>>,
    jobs: IdVec<TaskId, Vec<Job>>,
    /// Who waits for what when the run ends, where there is no room to say it in the row.
    stuck: Vec<(TaskId, String)>,
    pub(super) sections: Vec<Section>,
    /// The critical path that is drawn over it; empty if there is none.
    path: &'a [Link],
    /// Is it only a part of the time?
    is_part: bool,
}

/// The measures of a lane.
#[derive(Clone, Copy)]
struct Lane {
    height: i32,
    pitch: i32,
    letters: i32,
}

impl Lane {
    /// The lane of a kind of tasks: its height shows numbers.
    const KIND: Lane = Lane { height: 84, pitch: 100, letters: 16 };

    /// Lanes shrink when there are many of them.
    fn of(count: usize) -> Lane {
        let (height, gap, letters) = match count {
            0..=4 => (34, 8, 16),
            5..=8 => (28, 7, 16),
            9..=16 => (22, 6, 15),
            17..=24 => (18, 5, 14),
            _ => (14, 4, 13),
        };
        Lane { height, pitch: height + gap, letters }
    }
}

/// Lays a picture out.
pub(super) fn lay_out(picture: &Picture<'_>) -> Sheet {
    let panels = prepare_all(picture, &Limits::sheet(picture.panels.len()), picture.view);
    let (begin, end) = shown(picture);
    let scale = scale(&panels, (begin, end));
    let ticks = axis::ticks_between((begin, end), 11);
    let height = panels.iter().map(panel_height).sum::<i32>();
    let mut pen = Pen::default();
    frame::grid(&mut pen.sheet, &scale, &ticks, 0, height);
    let mut y = 0;
    for panel in &panels {
        lay_out_panel(&mut pen, panel, &scale, y);
        y += panel_height(panel);
    }
    let note = jobs::note(&pen);
    pen.notes.extend(note);

    let mut sheet = Sheet { width: WIDTH, title: picture.title.clone(), ..Sheet::default() };
    let top = frame::header(&mut sheet, picture, &pen, context(&panels));
    let top = if height > HIGH { frame::upper_axis(&mut sheet, &scale, &ticks, top) } else { top };
    sheet.append(pen.sheet, top);
    sheet.height = frame::footer(&mut sheet, &scale, &ticks, top + height, &pen.notes) + MARGIN / 2;
    sheet
}

/// All that a page shows that scrolls. It has all of the time, and begins with the part that is asked for.
pub(super) fn prepare_page<'a>(picture: &'a Picture<'a>) -> Vec<Prepared<'a>> {
    prepare_all(picture, &Limits::PAGE, View::default())
}

/// Where the time of all panels ends.
pub(super) fn extent(picture: &Picture<'_>) -> u64 {
    picture.panels.iter().map(|panel| panel.timeline.extent().ns()).max().unwrap_or(0)
}

/// From when to when the time is drawn.
pub(super) fn shown(picture: &Picture<'_>) -> (u64, u64) {
    let extent = extent(picture);
    let View { from, to } = picture.view;
    (from.ns().min(extent), to.ns().min(extent))
}

/// What the legend must know beside the marks.
pub(super) fn context<'a>(panels: &[Prepared<'a>]) -> Context<'a> {
    let casts = || panels.iter().map(|panel| &panel.panel.timeline.cast);
    let has_runtime = |runtime: &Runtime| !matches!(runtime, Runtime::OwnThread | Runtime::Interpreter);
    let blocked = |is: fn(Cause) -> bool| {
        let states = panels.iter().flat_map(|panel| panel.lives.iter().flatten().map(|stretch| stretch.state));
        states.into_iter().any(|doing| matches!(doing, Doing::Blocked(cause) if is(cause)))
    };
    let beside = match panels {
        [_, .., above, below] => Some([above, below].map(|panel| panel.panel.heading.as_str())),
        _ => None,
    };
    Context {
        beside,
        runtime: casts().flat_map(|cast| &cast.runtimes).any(has_runtime),
        devices: blocked(|cause| matches!(cause, Cause::Device(_))),
        jobs: blocked(|cause| cause == Cause::Release),
        others: blocked(|cause| !matches!(cause, Cause::Device(_) | Cause::Release)),
    }
}

/// Room for names on the left, and for what tasks wait for at the end on the right.
fn scale(panels: &[Prepared<'_>], (begin, end): (u64, u64)) -> Scale {
    let names = panels.iter().flat_map(|panel| &panel.sections).map(Section::name_width).max();
    let left = MARGIN + names.unwrap_or(0) + BEFORE_LANES;
    let words = panels
        .iter()
        .filter(|panel| panel.panel.timeline.extent().ns() <= end)
        .flat_map(|panel| &panel.stuck)
        .map(|(_, words)| lettering::width(words, lanes::WAITING, false) + lanes::AT_THE_END);
    let after = AFTER_LANES + words.max().unwrap_or(0);
    Scale { left, width: WIDTH - MARGIN - after - left, begin, extent: (end - begin).max(1) }
}

fn prepare_all<'a>(picture: &'a Picture<'a>, limits: &Limits, view: View) -> Vec<Prepared<'a>> {
    let timelines = || picture.panels.iter().map(|panel| panel.timeline);
    let (palette, forms) = (Palette::new(timelines()), Forms::of(timelines(), limits));
    let by_kind = timelines().any(|timeline| kinds::better(timeline, view, limits.tasks));
    let prepare = |panel| {
        let mut prepared = begin(panel, &palette, view);
        prepared.path = &picture.path;
        prepared.sections =
            vec![processors(panel.timeline, limits.processors), shared(things::interpreters(panel.timeline), None)];
        let (devices, left_out) = things::devices(panel.timeline, &forms);
        prepared.sections.push(shared(devices, left_out));
        let (locks, left_out) = things::locks(panel.timeline, &forms);
        prepared.sections.push(shared(locks, left_out));
        prepared.sections.extend(if by_kind {
            by_kinds(&prepared, limits.kinds)
        } else {
            vec![tasks(&prepared, limits.tasks)]
        });
        if !prepared.path.is_empty() {
            prepared.sections[0].gap = BETWEEN / 2;
            prepared.sections.insert(0, path::section(panel.timeline, prepared.path));
        }
        prepared
    };
    let mut panels: Vec<Prepared<'_>> = picture.panels.iter().map(prepare).collect();
    harmonise(&mut panels);
    if let [.., above, below] = &mut panels[..]
        && !picture.likeness.is_empty()
    {
        likeness::between(&mut above.sections, &mut below.sections, &picture.likeness);
    }
    let sections = panels.iter_mut().flat_map(|panel| &mut panel.sections);
    let contents = sections.flat_map(|section| &mut section.rows).flat_map(|row| &mut row.contents);
    contents.for_each(|content| content.cut(view));
    panels
}

/// Numbers of the same thing are as high in every panel.
fn harmonise(panels: &mut [Prepared<'_>]) {
    let mut most: BTreeMap<String, u32> = BTreeMap::new();
    for row in panels.iter_mut().flat_map(|panel| &mut panel.sections).flat_map(|section| &mut section.rows) {
        if let Some(own) = row.numbers().map(|stack| stack.most) {
            let known = most.entry(row.label.clone()).or_default();
            *known = own.max(*known);
        }
    }
    for row in panels.iter_mut().flat_map(|panel| &mut panel.sections).flat_map(|section| &mut section.rows) {
        let most = most.get(&row.label).copied();
        if let (Some(stack), Some(most)) = (row.numbers(), most) {
            stack.most = most;
        }
    }
}

fn begin<'a>(panel: &'a Panel<'a>, palette: &Palette, view: View) -> Prepared<'a> {
    let timeline = panel.timeline;
    let kin = palette.kin(timeline);
    let names = rows::names(timeline);
    let mut prepared = Prepared {
        panel,
        short: Short::of(&names),
        names,
        colours: palette.colours(timeline),
        has_kin: kin.iter().zip(timeline.tasks.ids()).any(|(kin, task)| *kin != task),
        kin,
        lives: doings::of(timeline),
        jobs: jobs::by_task(timeline),
        stuck: Vec::new(),
        sections: Vec::new(),
        path: &[],
        is_part: view != View::default(),
    };
    prepared.stuck = stuck(&prepared);
    prepared.lives.iter_mut().for_each(|life| view.cut(life));
    prepared
}

/// Who waits for a lock or the like when an unfinished run ends, for too short a time for words in its row.
fn stuck(panel: &Prepared<'_>) -> Vec<(TaskId, String)> {
    let timeline = panel.panel.timeline;
    let (end, extent) = (timeline.end, timeline.extent().ns().max(1));
    let waits = timeline.blocks.iter().filter_map(|block| {
        let Cause::Sync(_) = block.cause else { return None };
        let unfinished = timeline.tasks.get(block.task).is_some_and(|life| life.finish.is_none());
        let words = lanes::cause_name(panel, block.cause);
        let room = lettering::width(&words, lanes::WAITING, false) + lanes::BESIDE_WAITING;
        // Some fifth of the width is for names; a lane that is a little too narrow says it twice.
        let pixels = u128::from(block.end.since(block.start).ns()) * u128::from(WIDTH.unsigned_abs() * 4 / 5);
        let narrow = pixels < u128::from(extent) * u128::from(room.unsigned_abs());
        (block.end == end && unfinished && narrow).then_some((block.task, words))
    });
    waits.collect()
}

fn processors(timeline: &Timeline, most: usize) -> Section {
    let cpus = rows::processors(timeline, most);
    let mut occupancy = timeline.occupancy();
    let row = |cpu: &sim_core::ids::CpuId| {
        let lane = std::mem::take(&mut occupancy[*cpu]);
        Row::new(rows::processor_label(timeline, *cpu), vec![Content::Turns(Mark::Running, lane)])
    };
    let lane = Lane::of(cpus.shown.len());
    Section { rows: cpus.shown.iter().map(row).collect(), left_out: cpus.left_out, lane, gap: 0 }
}

/// The rows of what tasks share.
fn shared(rows: Vec<Row>, left_out: Option<String>) -> Section {
    let lane = Lane::of(rows.len());
    Section { rows, left_out, lane, gap: BETWEEN / 2 }
}

/// A row for each task, or for so many of them.
fn tasks(panel: &Prepared<'_>, most: usize) -> Section {
    let mut accused = rows::named_in(&panel.names, &panel.panel.findings);
    accused.extend(path::tasks(panel.path));
    if panel.is_part {
        let there = |(task, life): (TaskId, &Vec<_>)| (!life.is_empty() && !accused.contains(&task)).then_some(task);
        let there: Vec<TaskId> = panel.lives.pairs().filter_map(there).take(most).collect();
        accused.extend(there);
    }
    let Rows { mut shown, mut left_out } = rows::tasks(panel.panel.timeline, most, &accused);
    let chosen = shown.len();
    shown.retain(|task| !panel.lives[*task].is_empty());
    let mut absent = chosen - shown.len();
    // In a part of the time others are mostly not left out for lack of room.
    if panel.is_part && shown.len() == panel.lives.iter().filter(|life| !life.is_empty()).count() {
        absent += panel.names.len() - chosen;
        left_out = None;
    }
    let why = if panel.is_part { "with nothing in this part" } else { "that never came or took no time" };
    let never = format!("… and {absent} task{} {why} (not drawn)", rows::plural(absent));
    let lines: Vec<String> = left_out.into_iter().chain(Some(never).filter(|_| absent > 0)).collect();
    let left_out = Some(lines.join("; ")).filter(|line| !line.is_empty());
    let lane = Lane::of(shown.len());
    Section { rows: shown.iter().map(|task| life(panel, *task)).collect(), left_out, lane, gap: BETWEEN }
}

/// Many tasks: their kinds, and those whom findings accuse or who have the largest parts of the critical path.
fn by_kinds(panel: &Prepared<'_>, most: usize) -> Vec<Section> {
    let (rows, left_out) = kinds::rows(panel.panel.timeline, &panel.lives, &panel.colours, most);
    let mut accused = rows::named_in(&panel.names, &panel.panel.findings);
    accused.extend(path::tasks(panel.path).into_iter().filter(|task| !accused.contains(task)).collect::<Vec<_>>());
    accused.truncate(MOST_ACCUSED);
    let lane = Lane::of(accused.len());
    let accused = accused.iter().map(|task| life(panel, *task)).collect();
    vec![
        Section { rows, left_out, lane: Lane::KIND, gap: BETWEEN },
        Section { rows: accused, left_out: None, lane, gap: 0 },
    ]
}

fn life(panel: &Prepared<'_>, task: TaskId) -> Row {
    Row::new(panel.names[task].clone(), vec![Content::Life(task)])
}

/// Heights of the parts of a panel, from top to bottom.
const HEADING: i32 = 34;
const MAKESPAN: i32 = 26;
const LEFT_OUT: i32 = 24;
const BETWEEN: i32 = 16;
const AFTER: i32 = 26;

fn panel_height(panel: &Prepared<'_>) -> i32 {
    let sections = panel.sections.iter().map(Section::height).sum::<i32>();
    frame::heading_height(panel.panel) + MAKESPAN + sections + AFTER
}

fn lay_out_panel(pen: &mut Pen, panel: &Prepared<'_>, scale: &Scale, top: i32) {
    let mut y = top + frame::heading_height(panel.panel);
    if y > top {
        frame::heading(&mut pen.sheet, panel.panel, top);
    }
    let makespan_at = y;
    y += MAKESPAN;
    for section in &panel.sections {
        if section.height() > 0 {
            section.draw(pen, panel, scale, y);
            y += section.height();
        }
    }
    path::draw(pen, panel, scale, makespan_at + MAKESPAN);
    makespan(&mut pen.sheet, panel, scale, makespan_at, y);
}

/// The line at the end of a panel's run, and what it says.
fn makespan(sheet: &mut Sheet, panel: &Prepared<'_>, scale: &Scale, top: i32, bottom: i32) {
    let timeline = panel.panel.timeline;
    let makespan = timeline.makespan();
    if makespan == Span::ZERO || !scale.shows(Time::ZERO + makespan) {
        return;
    }
    let x = scale.x(Time::ZERO + makespan);
    let middle = top + 11;
    let mut y = middle + 10;
    while y < bottom - 2 {
        sheet.rect(x, y, 2, 6.min(bottom - 2 - y), colours::INK);
        y += 9;
    }
    let text = ending(timeline);
    let mut text = Text { x, y: middle, text, size: 15, bold: true, anchor: Anchor::Middle, colour: colours::INK };
    let (from, to) = text.columns();
    if to > WIDTH - MARGIN {
        text.x += WIDTH - MARGIN - to;
    } else if from < MARGIN {
        text.x += MARGIN - from;
    }
    sheet.text(text);
}

/// How long a run took, and what was left undone.
pub(super) fn ending(timeline: &Timeline) -> String {
    let makespan = timeline.makespan();
    if timeline.tasks.iter().all(|life| life.finish.is_some()) {
        format!("makespan {}", makespan.readable())
    } else {
        format!("end of the run {}{}", makespan.readable(), Reached::of_timeline(timeline).words())
    }
}
