//! What a page shows, as JSON: names once, times as whole nanoseconds since what came before, everything else as places in
//! lists. `data.js` reads it.

mod lives;

use std::collections::BTreeMap;
use std::io::{self, Write};

use sim_core::compare::Likeness;
use sim_core::timeline::lanes::{Busy, Stretch};
use sim_core::timeline::{Fate, Job, Timeline};

use super::figures;
use super::json::Json;
use super::palette::{self, Hues};
use crate::letters::visible;
use crate::picture::Picture;
use crate::picture::layout::legend::{self, Context};
use crate::picture::layout::pen::Mark;
use crate::picture::layout::section::{Content, Row, Section};
use crate::picture::layout::stack::{LAYERS, Stack};
use crate::picture::layout::{self, Prepared};

/// The version of the shape.
const FORMAT: u32 = 1;

/// Writes all of it.
pub(super) fn write(picture: &Picture<'_>, out: &mut dyn Write) -> io::Result<()> {
    let panels = layout::prepare_page(picture);
    let mut hues = Hues::default();
    let mut page = Json::object(out)?;
    page.set("format", &FORMAT)?;
    page.set("title", &visible(&picture.title))?;
    page.set("subtitle", &visible(&picture.subtitle))?;
    page.set("note", &visible(&picture.note))?;
    page.set("extent", &layout::extent(picture).max(1))?;
    page.set("view", &layout::shown(picture))?;
    page.set("colours", &palette::named())?;
    page.set("marks", &marks(layout::context(&panels)))?;
    let mut list = Json::list(page.at("panels")?)?;
    for prepared in &panels {
        panel(prepared, &mut hues, list.next()?)?;
    }
    list.end()?;
    page.set("hues", &hues.all())?;
    page.end()
}

/// What each mark means, in the order of the legend.
fn marks(context: Context<'_>) -> Vec<(String, String)> {
    let marks = legend::ENTRIES.iter().copied().flatten();
    marks.map(|mark| (format!("{mark:?}"), legend::words(&[*mark], context))).collect()
}

fn panel(prepared: &Prepared<'_>, hues: &mut Hues, out: &mut dyn Write) -> io::Result<()> {
    let timeline = prepared.panel.timeline;
    let mut panel = Json::object(out)?;
    panel.set("heading", &visible(&prepared.panel.heading))?;
    panel.set("subtitle", &visible(&prepared.panel.subtitle))?;
    let findings: Vec<_> = prepared.panel.findings.iter().map(|finding| visible(finding)).collect();
    panel.set("findings", &findings)?;
    panel.set("ending", &layout::ending(timeline))?;
    panel.set("makespan", &timeline.makespan().ns())?;
    panel.set("figures", &figures::of(timeline))?;
    let names: Vec<&String> = prepared.names.iter().collect();
    panel.set("names", &names)?;
    let own: Vec<u64> = prepared.colours.iter().map(|colour| hues.place(*colour)).collect();
    panel.set("own", &own)?;
    let specs: Vec<u32> = timeline.tasks.iter().map(|life| life.spec).collect();
    panel.set("specs", &specs)?;
    let mut list = Json::list(panel.at("sections")?)?;
    for section in prepared.sections.iter().filter(|section| !section.rows.is_empty()) {
        rows(section, hues, list.next()?)?;
    }
    list.end()?;
    jobs(timeline, panel.at("jobs")?)?;
    fates(timeline, panel.at("fates")?)?;
    lives::write(prepared, &mut panel)?;
    panel.end()
}

fn rows(section: &Section, hues: &mut Hues, out: &mut dyn Write) -> io::Result<()> {
    let mut object = Json::object(out)?;
    if let Some(words) = &section.left_out {
        object.set("more", words)?;
    }
    let mut list = Json::list(object.at("rows")?)?;
    for one in &section.rows {
        row(one, hues, list.next()?)?;
    }
    list.end()?;
    object.end()
}

fn row(row: &Row, hues: &mut Hues, out: &mut dyn Write) -> io::Result<()> {
    let mut object = Json::object(out)?;
    object.set("label", &visible(&row.label))?;
    if let Some(kind) = row.kind {
        object.set("kind", &kind)?;
    }
    let mut list = Json::list(object.at("contents")?)?;
    for content in &row.contents {
        let mut object = Json::object(list.next()?)?;
        match content {
            Content::Turns(mark, lane) => {
                object.set("turns", &format!("{mark:?}"))?;
                turns(lane, object.at("d")?)?;
            }
            Content::Numbers(stack) => numbers(stack, hues, &mut object)?,
            Content::Life(task) => object.set("life", &task.0)?,
            Content::Likeness(lane) => {
                object.set("likeness", &["Same", "PartlySame", "Other", "Idle"])?;
                likeness(lane, object.at("d")?)?;
            }
        }
        object.end()?;
    }
    list.end()?;
    object.end()
}

/// Of each stretch that is not idle: the time since the one before, its length, and the task with what is done for it: eight
/// times the number of the task, and 0 to run, 1 to switch, 2 to start, 3 to seek, 4 for two at once.
fn turns(lane: &[Stretch<Busy>], out: &mut dyn Write) -> io::Result<()> {
    let mut list = Json::list(out)?;
    let mut at = 0;
    for stretch in lane {
        let code = match stretch.state {
            Busy::Idle => continue,
            Busy::Run(task) => u64::from(task.0) * 8,
            Busy::Switch(task) => u64::from(task.0) * 8 + 1,
            Busy::Start(task) => u64::from(task.0) * 8 + 2,
            Busy::Seek(task) => u64::from(task.0) * 8 + 3,
            Busy::Clash => 4,
        };
        let (start, end) = (stretch.start.ns(), stretch.end.ns());
        list.number(start - at)?;
        list.number(end - start)?;
        list.number(code)?;
        at = end;
    }
    list.end()
}

/// The length of each stretch and which of the states it is; a state is how many there are of each layer.
fn numbers(stack: &Stack, hues: &mut Hues, object: &mut Json<'_>) -> io::Result<()> {
    let layers: Vec<(String, Option<u64>)> = stack
        .layers
        .iter()
        .map(|(mark, colour)| (format!("{mark:?}"), (*mark == Mark::Running).then(|| hues.place(*colour))))
        .collect();
    object.set("numbers", &layers)?;
    object.set("most", &stack.most)?;
    let mut places: BTreeMap<[u32; LAYERS], u64> = BTreeMap::new();
    let mut states: Vec<(&[u32], String)> = Vec::new();
    let mut list = Json::list(object.at("d")?)?;
    for stretch in &stack.lane {
        let place = *places.entry(stretch.state).or_insert_with(|| {
            states.push((
                &stretch.state[..stack.layers.len()],
                stack.words.map_or_else(String::new, |words| words(&stretch.state)),
            ));
            states.len() as u64 - 1
        });
        list.number(stretch.end.ns() - stretch.start.ns())?;
        list.number(place)?;
    }
    list.end()?;
    object.set("states", &states)
}

/// The length of each stretch, and which of the states it is.
fn likeness(lane: &[Stretch<Likeness>], out: &mut dyn Write) -> io::Result<()> {
    let mut list = Json::list(out)?;
    for stretch in lane {
        list.number(stretch.end.ns() - stretch.start.ns())?;
        list.number(stretch.state as u64)?;
    }
    list.end()
}

/// Of each job: the task, its release, the time from there to its deadline and, plus one, to its end (0 if it has none), and
/// whether it missed (1) or was aborted (2).
fn jobs(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    let mut jobs: Vec<&Job> = timeline.jobs.iter().collect();
    jobs.sort_by_key(|job| (job.task, job.release));
    let mut list = Json::list(out)?;
    for job in jobs {
        list.number(u64::from(job.task.0))?;
        list.number(job.release.ns())?;
        list.number(job.deadline.since(job.release).ns())?;
        list.number(job.over().map_or(0, |over| over.since(job.release).ns() + 1))?;
        list.number(if job.aborted { 2 } else { u64::from(job.missed(timeline.end)) })?;
    }
    list.end()
}

/// How each task ended: not at all, finished, rejected, aborted, ended itself.
fn fates(timeline: &Timeline, out: &mut dyn Write) -> io::Result<()> {
    let mut list = Json::list(out)?;
    for life in &timeline.tasks {
        list.number(match life.ended_as() {
            None => 0,
            Some(Fate::Finished) => 1,
            Some(Fate::Rejected) => 2,
            Some(Fate::Aborted) => 3,
            Some(Fate::Ended) => 4,
        })?;
    }
    list.end()
}
