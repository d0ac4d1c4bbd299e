//! Simulations of `SimSo`: periodic and sporadic tasks, their processors and their scheduler, as XML.

use roxmltree::{Document, Node, ParsingOptions};

use super::Kind;
use crate::Refusal;
use crate::names::{Names, quoted as named};
use crate::page::{Page, Step, Table, Task, counted};
use crate::times::{MILLISECOND, SECOND, quoted, scaled, shortened};

pub(super) const KIND: Kind = Kind {
    name: "simso",
    title: "a SimSo simulation",
    summary: "periodic and sporadic tasks of SimSo (XML): deadlines, execution times, processors, scheduler",
    recognises: |head| head.trim_start().starts_with('<') && head.contains("<simulation"),
    page,
};

/// Nodes of a document: a damaged or hostile one ends there.
const MOST_NODES: u32 = 2_000_000;

/// The end of the class of a scheduler, our policy, and more lines of the section.
type Scheduler = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Schedulers that have a policy here.
const SCHEDULERS: &[Scheduler] = &[
    ("EDF", "edf", &[]),
    ("EDF2", "edf", &[]),
    ("EDF_mono", "edf", &[]),
    ("EDF_US", "edf", &[("heavy-first", "\"1/2\"")]),
    ("P_EDF", "edf", &[("queues", "\"per-processor\""), ("balance", "\"none\"")]),
    ("P_EDF2", "edf", &[("queues", "\"per-processor\""), ("balance", "\"none\"")]),
    ("RM", "rate-monotonic", &[]),
    ("RM_mono", "rate-monotonic", &[]),
    ("P_RM", "rate-monotonic", &[("queues", "\"per-processor\""), ("balance", "\"none\"")]),
    ("FP", "priority", &[("preempted-to", "\"tail\"")]),
    ("LLF", "llf", &[]),
];

/// What is needed of the whole to understand a task.
struct Setting<'i> {
    text: &'i Document<'i>,
    /// Nanoseconds of a cycle, as a fraction: so many milliseconds are a cycle's.
    cycles_per_ms: f64,
    etm: String,
}

fn page(text: &str) -> Result<Page, Refusal> {
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        Refusal::at(u64::from(error.pos().row), format!("it is no well-formed XML: {}", shortened(&error.to_string())))
    })?;
    let root = document.root_element();
    if root.tag_name().name() != "simulation" {
        return Err(Refusal::whole(format!(
            "its root is <{}>, and that of a SimSo file is <simulation>",
            shortened(root.tag_name().name())
        )));
    }
    let mut setting =
        Setting { text: &document, cycles_per_ms: 1e6, etm: root.attribute("etm").unwrap_or("wcet").to_owned() };
    setting.cycles_per_ms = setting.number(root, "cycles_per_ms")?.filter(|cycles| *cycles > 0.0).unwrap_or(1e6);
    let mut page = Page::default();
    let duration = setting.number(root, "duration")?.ok_or_else(|| Refusal::whole("it has no duration"))?;
    page.head.push(("until", quoted(setting.cycles(root, duration)?)));
    let processors = machine(&setting, root, &mut page)?;
    let by_priority = scheduler(&setting, root, &mut page);
    let mut names = Names::default();
    let tasks = root.descendants().filter(|node| node.has_tag_name("task"));
    for node in tasks {
        let task = task(&setting, node, by_priority, &mut names, &mut page)?;
        page.tasks.extend(task);
    }
    page.summary =
        format!("{} and {}", counted(page.tasks.len() as u64, "task"), counted(processors as u64, "processor"));
    page.summary =
        format!("{} tasks on {processors} processor{}", page.tasks.len(), if processors == 1 { "" } else { "s" });
    if page.tasks.is_empty() {
        return Err(Refusal::whole("there is no task in it"));
    }
    Ok(page)
}

impl Setting<'_> {
    fn number(&self, node: Node<'_, '_>, name: &str) -> Result<Option<f64>, Refusal> {
        let Some(text) = node.attribute(name).filter(|text| !text.trim().is_empty()) else { return Ok(None) };
        let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
        let complain = || self.wrong(node, format!("{name} is `{}`, no number", shortened(text)));
        number.map(Some).ok_or_else(complain)
    }

    /// A time in milliseconds.
    fn time(&self, node: Node<'_, '_>, name: &str) -> Result<Option<u64>, Refusal> {
        let number = self.number(node, name)?;
        number.map(|number| scaled(number, MILLISECOND).map_err(|why| self.wrong(node, why))).transpose()
    }

    fn cycles(&self, node: Node<'_, '_>, cycles: f64) -> Result<u64, Refusal> {
        scaled(cycles / self.cycles_per_ms, MILLISECOND).map_err(|why| self.wrong(node, why))
    }

    fn wrong(&self, node: Node<'_, '_>, sentence: String) -> Refusal {
        Refusal::at(u64::from(self.text.text_pos_at(node.range().start).row), sentence)
    }
}

fn machine(setting: &Setting<'_>, root: Node<'_, '_>, page: &mut Page) -> Result<usize, Refusal> {
    let (mut list, mut cost, mut names) = (Vec::new(), None, Names::default());
    for node in root.descendants().filter(|node| node.has_tag_name("processor")) {
        let speed = setting.number(node, "speed")?.unwrap_or(1.0);
        if !(0.001..=1000.0).contains(&speed) {
            return Err(setting.wrong(node, format!("a processor of speed {speed}")));
        }
        let name = names.take(node.attribute("name").unwrap_or("CPU"));
        list.push(format!("{{ name = {}, count = 1, speed = {speed:?} }}", named(&name)));
        let own =
            setting.number(node, "cs_overhead")?.unwrap_or(0.0) + setting.number(node, "cl_overhead")?.unwrap_or(0.0);
        let own = setting.cycles(node, own)?;
        if cost.is_some_and(|cost| cost != own) {
            page.left_out.add("that processors differ in what a switch costs: all have the costs of the first");
        }
        cost.get_or_insert(own);
    }
    if list.is_empty() {
        return Err(Refusal::whole("there is no processor in it"));
    }
    let mut table = Table::new("[machine]").with("processors", format!("[{}]", list.join(", ")));
    if let Some(cost) = cost.filter(|cost| *cost > 0) {
        table.set("context-switch", quoted(cost));
        page.left_out.add("that SimSo saves at a preemption and loads at a resumption: a switch costs both at once");
    }
    page.tables.push(table);
    Ok(list.len())
}

/// Writes down the policy; is it by the priorities of tasks?
fn scheduler(setting: &Setting<'_>, root: Node<'_, '_>, page: &mut Page) -> bool {
    let node = root.descendants().find(|node| node.has_tag_name("sched"));
    let class = node.and_then(|node| node.attribute("class").or_else(|| node.attribute("className"))).unwrap_or("");
    let own = class.rsplit('.').next().unwrap_or_default();
    let known = SCHEDULERS.iter().find(|(name, ..)| *name == own);
    let (policy, more) = known.map_or(("edf", [].as_slice()), |(_, policy, more)| (*policy, *more));
    if known.is_none() {
        page.left_out.add(format!("the scheduler `{}`, which is not here: edf instead", shortened(class)));
    }
    let mut table = Table::new("[scheduler]").with("policy", named(policy));
    table.comment = Some(format!("{} in SimSo", shortened(class)));
    more.iter().for_each(|(key, value)| table.set(key, *value));
    page.tables.push(table);
    let overheads = ["overhead", "overhead_activate", "overhead_terminate"];
    if node.is_some_and(|node| {
        overheads.iter().any(|name| setting.number(node, name).is_ok_and(|cost| cost.unwrap_or(0.0) > 0.0))
    }) {
        page.left_out.add("what decisions of the scheduler cost");
    }
    policy == "priority"
}

fn task(
    setting: &Setting<'_>,
    node: Node<'_, '_>,
    by_priority: bool,
    names: &mut Names,
    page: &mut Page,
) -> Result<Option<Task>, Refusal> {
    let name = names.take(node.attribute("name").unwrap_or("task"));
    let kind = node.attribute("task_type").unwrap_or("Periodic");
    let period = setting.time(node, "period")?.filter(|period| *period > 0);
    let deadline = setting.time(node, "deadline")?.filter(|deadline| *deadline > 0);
    let mut table = Table::named("[[task]]", &name);
    if kind == "Periodic" {
        let period = period.ok_or_else(|| setting.wrong(node, format!("the periodic task `{name}` has no period")))?;
        table.set("arrival", quoted(setting.time(node, "activationDate")?.unwrap_or(0)));
        table.set("period", quoted(period));
        table.set("deadline", quoted(deadline.unwrap_or(period)));
    } else {
        let dates = dates(setting, node)?;
        if dates.is_empty() {
            page.left_out.add(format!("the task `{name}`, which has no list of activations"));
            return Ok(None);
        }
        let Some(period) = period.or(deadline) else {
            return Err(setting.wrong(node, format!("the task `{name}` has neither period nor deadline")));
        };
        table.comment =
            Some(format!("{}: each activation is an instance with one job.", shortened(kind).to_lowercase()));
        table.set("count", dates.len().to_string());
        table.set("arrival", format!("[{}]", dates.iter().map(|date| quoted(*date)).collect::<Vec<_>>().join(", ")));
        table.set("period", quoted(period));
        table.set("jobs", "1");
        table.set("deadline", quoted(deadline.unwrap_or(period)));
    }
    if node.attribute("abort_on_miss").is_some_and(|value| matches!(value, "yes" | "true" | "1")) {
        table.set("on-miss", "\"abort\"");
    }
    if by_priority {
        let priority = setting.number(node, "priority")?.unwrap_or(0.0).clamp(-1e6, 1e6);
        table.set("priority", format!("{}", priority.trunc()));
    }
    if setting.number(node, "preemption_cost")?.is_some_and(|cost| cost > 0.0) {
        page.left_out.add("what preemptions cost a task (preemption_cost)");
    }
    Ok(Some(Task { table, program: vec![Step::of("cpu", &work(setting, node, &name, page)?)] }))
}

/// When the jobs of a sporadic task come.
fn dates(setting: &Setting<'_>, node: Node<'_, '_>) -> Result<Vec<u64>, Refusal> {
    let list = node.attribute("list_activation_dates").unwrap_or("");
    let dates = list.split([',', ' ', ';']).filter(|date| !date.is_empty()).map(|date| {
        let number = date.parse::<f64>().map_err(|_| format!("`{}` is no date", shortened(date)));
        number.and_then(|number| scaled(number, MILLISECOND)).map_err(|why| setting.wrong(node, why))
    });
    let mut dates = dates.collect::<Result<Vec<u64>, Refusal>>()?;
    dates.sort_unstable();
    Ok(dates)
}

/// How long a job computes, after the model of execution times.
fn work(setting: &Setting<'_>, node: Node<'_, '_>, name: &str, page: &mut Page) -> Result<String, Refusal> {
    let worst = setting.time(node, "WCET")?.filter(|time| *time > 0);
    let mean = setting.time(node, "ACET")?.filter(|time| *time > 0);
    let deviation = setting.time(node, "et_stddev")?.unwrap_or(0);
    match (setting.etm.as_str(), worst, mean) {
        ("acet", _, Some(mean)) if deviation > 0 => {
            page.left_out.add("that no job takes longer than its WCET: execution times are drawn around the ACET");
            Ok(format!("{{ normal = {{ mean = {}, sd = {} }} }}", quoted(mean), quoted(deviation)))
        }
        ("acet", _, Some(mean)) => Ok(quoted(mean)),
        (etm, Some(worst), _) => {
            if !matches!(etm, "wcet" | "acet") {
                page.left_out.add(format!("the model of execution times `{}`: jobs take their WCET", shortened(etm)));
            }
            Ok(quoted(worst.min(SECOND * 100_000_000)))
        }
        (_, None, _) => Err(setting.wrong(node, format!("the task `{name}` has no WCET"))),
    }
}
