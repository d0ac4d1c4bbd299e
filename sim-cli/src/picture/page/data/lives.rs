//! The lives of tasks: what each was doing, as its row shows it, and what that was for, as its causes say.

use std::collections::BTreeMap;
use std::io;

use sim_core::causes::{self, Behind, Passage, What};
use sim_core::ids::{Id as _, TaskId};
use sim_core::time::Time;
use sim_core::timeline::lanes::{Busy, Stretch};
use sim_core::timeline::{Cause, Timeline};

use super::Json;
use crate::doings::Doing;
use crate::explain::Explained;
use crate::letters::visible;
use crate::picture::layout::lanes::cause_name;
use crate::picture::layout::section::Content;
use crate::picture::layout::{Mark, Prepared};
use crate::rows;

/// What stands in a sentence for the name of the one in the way, which the reader puts there.
const NAME: &str = "\u{1}";

/// What a piece of a life is, apart from when.
type Code = (Doing, Option<(What, Who)>);

/// Who was in the way.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    /// Nobody who is known.
    Nobody,
    /// Somebody.
    One(Behind),
    /// Whoever the row of the processor or the lock shows: a wait may be behind thousands.
    OnRow,
}

/// The rows that show who has something, by their labels.
type Rows<'a> = BTreeMap<&'a str, &'a [Stretch<Busy>]>;

/// Writes for each task its arrival, then the length and the code of each piece, without holes (nothing if it never arrived); the
/// codes: the mark, what stands on it, what it was for, whose name is to be put there (plus one), what that one did meanwhile, the row
/// from which the name is to be taken instead, and what the task does in the eyes of others; all but the mark and the name as
/// places in a list of texts, the first of which is empty.
pub(super) fn write(prepared: &Prepared<'_>, panel: &mut Json<'_>) -> io::Result<()> {
    let timeline = prepared.panel.timeline;
    let mut codes = Codes { rows: rows_of(prepared), ..Codes::default() };
    let mut lives = Json::list(panel.at("lives")?)?;
    let mut written = Ok(());
    let mut next = 0;
    // Who never arrived is not visited, and has its place all the same.
    let mut life = |task: usize, passages: &[Passage]| -> io::Result<()> {
        for quiet in next..task {
            one(TaskId::from_index(quiet), prepared, &[], &mut codes, lives.next()?)?;
        }
        next = task + 1;
        one(TaskId::from_index(task), prepared, passages, &mut codes, lives.next()?)
    };
    causes::lives(timeline, |task, _, passages| {
        if written.is_ok() {
            written = life(task.index(), passages);
        }
    });
    written?;
    for quiet in next..timeline.tasks.len() {
        one(TaskId::from_index(quiet), prepared, &[], &mut codes, lives.next()?)?;
    }
    lives.end()?;
    told(prepared, codes.order, panel)
}

/// What pieces of lives are, each once, and the first task of which it is so.
#[derive(Default)]
struct Codes<'a> {
    rows: Rows<'a>,
    places: BTreeMap<Code, u64>,
    order: Vec<(TaskId, Code)>,
}

impl Codes<'_> {
    fn place(&mut self, task: TaskId, code: Code) -> u64 {
        *self.places.entry(code).or_insert_with(|| {
            self.order.push((task, code));
            self.order.len() as u64 - 1
        })
    }
}

/// The life of one task.
fn one(
    task: TaskId,
    prepared: &Prepared<'_>,
    passages: &[Passage],
    codes: &mut Codes<'_>,
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let lane = &prepared.lives[task];
    let mut life = Json::list(out)?;
    if let Some(first) = lane.first() {
        life.number(first.start.ns())?;
    }
    let timeline = prepared.panel.timeline;
    let who = |passage: &Passage| who(timeline, &codes.rows, passage);
    for (length, code) in pieces(lane, passages, who) {
        life.number(length)?;
        life.number(codes.place(task, code))?;
    }
    life.end()
}

/// Writes the codes and their texts.
fn told(prepared: &Prepared<'_>, order: Vec<(TaskId, Code)>, panel: &mut Json<'_>) -> io::Result<()> {
    let timeline = prepared.panel.timeline;
    let words = Explained::words(timeline, prepared.names.clone());
    let mut texts = Texts::default();
    texts.place("");
    let mut list = Json::list(panel.at("codes")?)?;
    for (task, (doing, cause)) in order {
        let on_it = texts.place(&written_on(prepared, doing));
        let told = cause.map(|(what, who)| match who {
            Who::Nobody => (what, None, None),
            Who::One(behind) => (what, Some(behind), None),
            // Whoever it is, the words are the same.
            Who::OnRow => (what, Some(Behind { task, doing: causes::Doing::Switching }), label(timeline, what)),
        });
        let (noun, meanwhile) =
            told.as_ref().map_or_else(Default::default, |(what, behind, _)| words.moment(task, *what, *behind));
        let behind = told.as_ref().and_then(|(_, behind, _)| *behind).map(|behind| behind.task);
        let noun = behind.map_or(noun.clone(), |behind| without(&noun, words.name(behind)));
        let row = told.and_then(|(.., row)| row).unwrap_or_default();
        let behind = behind.filter(|_| row.is_empty());
        let mut code = Json::list(list.next()?)?;
        serde_json::to_writer(code.next()?, &format!("{:?}", mark(doing)))?;
        code.number(on_it)?;
        code.number(texts.place(&noun))?;
        code.number(behind.map_or(0, |behind| u64::from(behind.0) + 1))?;
        code.number(texts.place(&meanwhile.unwrap_or_default()))?;
        code.number(texts.place(&row))?;
        code.number(texts.place(&words.seen(seen(doing)).unwrap_or_default()))?;
        code.end()?;
    }
    list.end()?;
    panel.set("texts", &texts.all)
}

/// A life in pieces, each with one state and one cause: how long, and which. What no passage tells has a state alone.
fn pieces(lane: &[Stretch<Doing>], passages: &[Passage], who: impl Fn(&Passage) -> Who) -> Vec<(u64, Code)> {
    let mut pieces: Vec<(u64, Code)> = Vec::with_capacity(lane.len().max(passages.len()));
    let mut next = 0;
    let mut push = |from: Time, to: Time, code: Code| match pieces.last_mut() {
        _ if from >= to => {}
        Some((length, last)) if *last == code => *length += to.since(from).ns(),
        _ => pieces.push((to.since(from).ns(), code)),
    };
    for stretch in lane {
        let mut at = stretch.start;
        while at < stretch.end {
            while passages.get(next).is_some_and(|passage| passage.to <= at) {
                next += 1;
            }
            let here = passages.get(next).filter(|passage| passage.from < stretch.end);
            let to = match here {
                None => stretch.end,
                Some(passage) if at < passage.from => passage.from,
                Some(passage) => passage.to.min(stretch.end),
            };
            let cause = here.filter(|passage| passage.from <= at).map(|passage| (passage.what, who(passage)));
            push(at, to, (stretch.state, cause));
            at = to;
        }
    }
    pieces
}

/// Who was in the way in a passage. Where its row shows that one, the row is told.
fn who(timeline: &Timeline, rows: &Rows<'_>, passage: &Passage) -> Who {
    let Some(behind) = passage.behind else { return Who::Nobody };
    let lane = label(timeline, passage.what).and_then(|label| rows.get(label.as_str()).copied()).unwrap_or_default();
    let at = lane.partition_point(|stretch| stretch.end <= passage.from);
    let shown = lane[at..].iter().take_while(|stretch| stretch.start < passage.to);
    let mut tasks = shown.map(|stretch| match stretch.state {
        Busy::Run(task) | Busy::Switch(task) => Some(task),
        _ => None,
    });
    let is_there = tasks.next() == Some(Some(behind.task)) && tasks.all(|task| task == Some(behind.task));
    if is_there && behind.doing != causes::Doing::Starting { Who::OnRow } else { Who::One(behind) }
}

/// The label of the row that may show who was in the way.
fn label(timeline: &Timeline, what: What) -> Option<String> {
    match what {
        What::Processor(cpu) => Some(rows::processor_label(timeline, cpu)),
        What::Sync(sync) => Some(visible(&timeline.cast.syncs[sync].to_string()).into_owned()),
        _ => None,
    }
}

fn rows_of<'a>(prepared: &'a Prepared<'_>) -> Rows<'a> {
    let rows = prepared.sections.iter().flat_map(|section| &section.rows);
    let of_turns = rows.filter_map(|row| match row.contents.as_slice() {
        [Content::Turns(Mark::Running | Mark::Holding, lane)] => Some((row.label.as_str(), lane.as_slice())),
        _ => None,
    });
    of_turns.collect()
}

/// What a task does in the eyes of those whom it is in the way.
fn seen(doing: Doing) -> causes::Doing {
    match doing {
        Doing::Running => causes::Doing::Running,
        Doing::Overhead => causes::Doing::Switching,
        Doing::Ready | Doing::Throttled | Doing::Depleted | Doing::Interpreter => causes::Doing::Waiting,
        Doing::Queued(device) | Doing::Seek(device) | Doing::Blocking(device) => {
            causes::Doing::Blocked(Cause::Device(device))
        }
        Doing::Blocked(cause) => causes::Doing::Blocked(cause),
    }
}

/// How a state looks in the row of a task.
fn mark(doing: Doing) -> Mark {
    match doing {
        Doing::Running => Mark::Running,
        Doing::Overhead => Mark::Overhead,
        Doing::Ready => Mark::Ready,
        Doing::Throttled => Mark::Throttled,
        Doing::Depleted => Mark::Depleted,
        Doing::Interpreter => Mark::Interpreter,
        Doing::Queued(_) => Mark::Queued,
        Doing::Seek(_) => Mark::UnderWay,
        Doing::Blocked(_) => Mark::Blocked,
        Doing::Blocking(_) => Mark::Blocking,
    }
}

/// What stands on a wait where there is room.
fn written_on(prepared: &Prepared<'_>, doing: Doing) -> String {
    match doing {
        Doing::Queued(device) => format!("queue of {}", cause_name(prepared, Cause::Device(device))),
        Doing::Blocked(cause) => cause_name(prepared, cause),
        Doing::Blocking(device) => cause_name(prepared, Cause::Device(device)),
        _ => String::new(),
    }
}

/// The sentence with something else in the place of the name.
fn without(sentence: &str, name: &str) -> String {
    match sentence.rfind(name).filter(|_| !name.is_empty()) {
        Some(at) => format!("{}{NAME}{}", &sentence[..at], &sentence[at + name.len()..]),
        None => sentence.to_owned(),
    }
}

/// Texts, each once.
#[derive(Default)]
struct Texts {
    all: Vec<String>,
    places: BTreeMap<String, u64>,
}

impl Texts {
    fn place(&mut self, text: &str) -> u64 {
        if let Some(place) = self.places.get(text) {
            return *place;
        }
        let place = self.all.len() as u64;
        self.all.push(text.to_owned());
        self.places.insert(text.to_owned(), place);
        place
    }
}
