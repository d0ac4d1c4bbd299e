//! Several outcomes side by side: a row for each variation.

use sim_core::outcome::{DeviceOutcome, GroupOutcome, KindOutcome, Outcome, Statistics, VariableOutcome};

use super::{ROWS, groups, kinds, syncs};
use crate::letters::{visible, visible_lines, wrapped};
use crate::output::Terminal;
use crate::reached::Reached;
use crate::table::{Table, Unit, percent, whole};

/// What is told of one variation: all that is kept of it.
#[derive(Clone, Debug)]
pub struct Row {
    label: String,
    makespan: u64,
    turnaround: Option<f64>,
    worst: Option<u64>,
    first_response: Option<f64>,
    waiting: Option<f64>,
    utilisation: f64,
    switches: u64,
    end: &'static str,
    unfinished: usize,
    /// Jobs that had ended, or should have.
    due: usize,
    worst_job: Option<u64>,
    /// Has it tasks that end of their own?
    ends: bool,
    /// How often somebody gave up, and was turned away.
    gone: [u64; 2],
    /// How long groups with a quota stood still, all together, and the largest share of its quota that one used; if there are any.
    throttled: Option<(u64, f64)>,
    /// Deadlines missed, if it has periodic tasks.
    missed: Option<u64>,
    /// Of these, jobs that were ended there; and releases that were dropped.
    aborted: u64,
    skipped: u64,
    /// The kinds of tasks, for their percentiles.
    kinds: Vec<KindOutcome>,
    /// The share of tasks that found every worker of a pool taken, if there is a pool.
    no_worker: Option<f64>,
    /// Devices with queues.
    devices: Vec<DeviceOutcome>,
    one_device: bool,
    groups: Vec<GroupOutcome>,
    variables: Vec<VariableOutcome>,
    /// What is the matter with it.
    sentences: Vec<String>,
    /// Why its slowest task was slow, if that is asked for.
    pub headline: Option<String>,
}

impl Row {
    /// The row of an outcome.
    #[must_use]
    pub fn of(label: &str, outcome: &Outcome) -> Row {
        let (summary, reached) = (&outcome.summary, Reached::of_outcome(outcome));
        #[expect(clippy::cast_precision_loss, reason = "for people's eyes")]
        let count = outcome.processors.len() as f64;
        let jobs = || outcome.tasks.iter().filter_map(|task| task.job_summary.as_ref());
        let sentences = outcome.explanation.iter().chain(outcome.findings.iter().map(|finding| &finding.text));
        Row {
            label: visible(label).into_owned(),
            makespan: outcome.makespan_ns,
            turnaround: summary.turnaround_ns.mean,
            worst: summary.turnaround_ns.max,
            first_response: summary.first_response_ns.mean,
            waiting: summary.waiting_ns.mean,
            utilisation: outcome.processors.iter().map(|processor| processor.utilisation).sum::<f64>() / count,
            switches: summary.context_switches,
            end: outcome.end,
            unfinished: reached.unfinished,
            due: reached.due,
            worst_job: jobs().filter_map(|jobs| jobs.worst_response_ns).max(),
            ends: outcome.tasks.is_empty() || outcome.tasks.iter().any(|task| !task.endless),
            gone: [summary.given_up, summary.rejected],
            throttled: throttled(outcome),
            aborted: jobs().map(|jobs| jobs.aborted).sum(),
            skipped: jobs().map(|jobs| jobs.skipped).sum(),
            missed: outcome.analysis.is_some().then_some(summary.deadline_misses),
            kinds: outcome.kinds.clone(),
            no_worker: summary.waited_share,
            devices: outcome.devices.iter().filter(|device| device.utilisation.is_some()).cloned().collect(),
            one_device: outcome.devices.len() == 1,
            groups: outcome.groups.iter().map(|group| GroupOutcome { timeline: None, ..group.clone() }).collect(),
            variables: outcome.variables.clone(),
            sentences: sentences.map(|sentence| visible_lines(sentence)).collect(),
            headline: None,
        }
    }

    /// The only kind of task, if there is no other.
    fn only_kind(&self) -> Option<&KindOutcome> {
        self.kinds.first().filter(|_| self.kinds.len() == 1)
    }

    /// The share that had to wait: of tasks for a worker, or else of requests at the only device.
    fn waited(&self) -> Option<f64> {
        self.no_worker.or_else(|| self.devices.first().filter(|_| self.one_device)?.waited_share)
    }

    /// By what variations are ranked: the mean turnaround; of those without, by the makespan.
    fn rank(&self) -> (u64, u64) {
        (self.turnaround.map_or(u64::MAX, whole), self.makespan)
    }
}

fn throttled(outcome: &Outcome) -> Option<(u64, f64)> {
    let used = outcome.groups.iter().filter_map(|group| Some((group.throttled_ns, group.quota_share?)));
    used.reduce(|(throttled, most), (other, used)| (throttled + other, most.max(used)))
}

/// The tables, and what is the matter with each of the variations. Of more than a screen holds, the best, those around
/// the median, and the worst, unless all are wanted.
#[must_use]
pub fn variations(all: &[Row], full: bool, terminal: &Terminal) -> String {
    let rows: Vec<&Row> = shown(all, full).into_iter().map(|index| &all[index]).collect();
    let left_out = (rows.len() < all.len()).then(|| left_out(all));
    let unit = unit(rows.iter().flat_map(|row| {
        let waits = row.devices.iter().flat_map(|device| [device.mean_wait_ns, device.mean_service_ns]);
        let means = [row.turnaround].into_iter().chain(waits).map(|mean| mean.map(whole));
        let groups = row.groups.iter().flat_map(|group| [group.quota_ns, group.period_ns]);
        [Some(row.makespan), row.worst].into_iter().chain(means).chain(groups).collect::<Vec<_>>()
    }));
    let mut text = summaries(&rows, unit).render(terminal);
    text.extend(left_out.map(|line| terminal.wrapped(&line)));
    // Of the only kind the first table tells it.
    let several = rows.iter().filter(|_| rows.iter().any(|row| row.only_kind().is_none()));
    let kinds = kinds::of_several(several.map(|row| (row.label.as_str(), row.kinds.as_slice())), unit);
    let groups = groups::of_several(rows.iter().map(|row| (row.label.as_str(), row.groups.as_slice())), unit);
    let variables = rows.iter().map(|row| (row.label.as_str(), row.variables.as_slice()));
    for table in [kinds, devices(&rows, unit), groups, syncs::variables_of_several(variables)] {
        if !table.is_empty() {
            text += &format!("\n{}", table.render(terminal));
        }
    }
    for row in rows.iter().filter(|row| !row.sentences.is_empty()) {
        text += &format!("\n{}\n{}\n", terminal.bold(&row.label), terminal.wrapped(&row.sentences.join("\n")));
    }
    for row in &rows {
        if let Some(headline) = &row.headline {
            text += &format!("\n{}\n{}\n", terminal.bold(&row.label), wrapped(headline, terminal.width));
        }
    }
    text
}

/// So many of the best, of those around the median, and of the worst.
const SHOWN: usize = ROWS / 4;

/// Are there far more variations than a table shows, unless all are wanted?
#[must_use]
pub fn shows_few(count: usize) -> bool {
    count > 3 * ROWS
}

/// Which rows the table has, in this order: all, or the best, those around the median, and the worst.
#[must_use]
pub fn shown(all: &[Row], full: bool) -> Vec<usize> {
    let mut ranked: Vec<usize> = (0..all.len()).collect();
    if full || all.len() <= ROWS {
        return ranked;
    }
    ranked.sort_by_key(|index| all[*index].rank());
    let middle = (ranked.len() - SHOWN) / 2;
    [&ranked[..SHOWN], &ranked[middle..middle + SHOWN], &ranked[ranked.len() - SHOWN..]].concat()
}

/// Says who is not among those that are shown.
fn left_out(all: &[Row]) -> String {
    format!(
        "sorted by {}, not as given: the best {SHOWN}, the median {SHOWN} and the worst {SHOWN} of {} variations; --full shows all\n",
        if all.iter().any(|row| row.turnaround.is_some()) { "mean turnaround" } else { "makespan" },
        all.len()
    )
}

/// What a row has in a column.
type Cell<'a> = &'a dyn Fn(&Row) -> String;

fn summaries(rows: &[&Row], unit: Unit) -> Table {
    let any = |has: &dyn Fn(&Row) -> bool| rows.iter().any(|row| has(row));
    let misses = any(&|row| row.missed.is_some());
    let open = any(&|row| row.unfinished > 0);
    // Of tasks that only the horizon ends there is no turnaround; their jobs have responses.
    let ends = any(&|row| row.ends);
    // Percentiles of a mixture say nothing: those of several kinds stand in a table of their own.
    let alone = rows.iter().all(|row| row.only_kind().is_some());
    let latency = |row: &Row| row.only_kind().filter(|_| alone).map(KindOutcome::latency).cloned();
    let jobs = alone && any(&|row| row.only_kind().is_some_and(|kind| kind.response_ns.is_some()));
    let enough = |has: fn(&Statistics) -> Option<u64>| any(&|row| latency(row).is_some_and(|all| has(&all).is_some()));
    let percentile =
        |row: &Row, of: fn(&Statistics) -> Option<u64>| unit.show_or_dash(latency(row).and_then(|all| of(&all)));
    let share = |share: Option<f64>| share.map_or_else(|| "–".to_owned(), percent);
    let ratio = |ratio: Option<f64>| ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2}"));
    let waited = if any(&|row| row.no_worker.is_some()) { "waited for worker" } else { "waited" };
    // In the order of what they are worth: where there are too few columns of a terminal, the last are left out.
    let quota = any(&|row| row.throttled.is_some());
    let columns: [(bool, &str, Cell<'_>); 24] = [
        (true, "makespan", &|row| unit.show(row.makespan)),
        (any(&|row| row.end != "completed"), "end", &|row| row.end.to_owned()),
        (open, "unfinished", &|row| row.unfinished.to_string()),
        (any(&|row| row.gone[0] > 0), "given up", &|row| row.gone[0].to_string()),
        (any(&|row| row.gone[1] > 0), "rejected", &|row| row.gone[1].to_string()),
        (quota, "throttled", &|row| unit.show_or_dash(row.throttled.map(|(throttled, _)| throttled))),
        (quota, "of quota", &|row| share(row.throttled.map(|(_, used)| used))),
        (misses, "missed", &|row| row.missed.unwrap_or(0).to_string()),
        (any(&|row| row.aborted > 0), "aborted", &|row| row.aborted.to_string()),
        (any(&|row| row.skipped > 0), "skipped", &|row| row.skipped.to_string()),
        (misses, "jobs", &|row| row.due.to_string()),
        (jobs, "response", &|row| unit.show_mean(latency(row).and_then(|all| all.mean))),
        (ends && !jobs, "turnaround", &|row| unit.show_mean(row.turnaround)),
        (alone && enough(|all| all.p50), "p50", &|row| percentile(row, |all| all.p50)),
        (alone && enough(|all| all.p95), "p95", &|row| percentile(row, |all| all.p95)),
        (alone && enough(|all| all.p99), "p99", &|row| percentile(row, |all| all.p99)),
        (any(&|row| row.waited().is_some()), waited, &|row| share(row.waited())),
        (ends && !jobs, "worst", &|row| unit.show_or_dash(row.worst)),
        (misses, "worst response", &|row| unit.show_or_dash(row.worst_job)),
        (true, "utilisation", &|row| percent(row.utilisation)),
        (true, "first response", &|row| unit.show_mean(row.first_response)),
        (true, "waiting", &|row| unit.show_mean(row.waiting)),
        (true, "switches", &|row| row.switches.to_string()),
        (alone && ends && !jobs, "slowdown", &|row| ratio(row.only_kind().and_then(|kind| kind.slowdown.mean))),
    ];
    let shown = || columns.iter().filter(|(is_shown, ..)| *is_shown);
    let first = format!("VARIATION, means ({})", unit.name);
    let headings = shown().map(|(_, heading, _)| (*heading).to_owned());
    let mut table = Table::new(std::iter::once(first).chain(headings));
    for row in rows {
        table.row(std::iter::once(row.label.clone()).chain(shown().map(|(_, _, cell)| cell(row))));
    }
    table
}

/// A row for each device of each variation, if their queues can make a difference.
fn devices(rows: &[&Row], unit: Unit) -> Table {
    let devices = || rows.iter().flat_map(|row| row.devices.iter().map(move |device| (row, device)));
    let moves = devices().any(|(_, device)| device.seek_ns > 0);
    let headings = ["requests", "waited", "mean wait", "service", "queue", "utilisation"];
    let gone = super::gone_from(rows.iter().flat_map(|row| &row.devices));
    let headings = headings.into_iter().chain(gone.iter().map(|(heading, _)| *heading));
    let headings = headings.chain(moves.then_some("seek")).map(str::to_owned);
    let mut table = Table::new(std::iter::once(format!("DEVICES ({})", unit.name)).chain(headings));
    for (row, device) in devices() {
        let mut cells = vec![
            if row.one_device { row.label.clone() } else { format!("{} {}", row.label, device.name) },
            device.requests.to_string(),
            device.waited_share.map_or_else(|| "–".to_owned(), percent),
            unit.show_mean(device.mean_wait_ns),
            unit.show_mean(device.mean_service_ns),
            format!("{:.2}", device.mean_queue),
            device.utilisation.map_or_else(String::new, percent),
        ];
        cells.extend(gone.iter().map(|(_, share)| share(device)));
        cells.extend(moves.then(|| unit.show(device.seek_ns)));
        table.row(cells);
    }
    table
}

/// Nobody compares the nanoseconds of milliseconds; but what is shorter than a microsecond must not become zero.
fn unit(figures: impl Iterator<Item = Option<u64>>) -> Unit {
    let rounded = |ns: u64| if ns < 1000 { ns } else { ns / 1000 * 1000 };
    Unit::for_all(figures.flatten().map(rounded).collect::<Vec<_>>().into_iter())
}
