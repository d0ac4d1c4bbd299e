//! Shards as the tasks of a job array of a Slurm that is there already.
//!
//! What Slurm says is not what happened: it forgets jobs minutes after their end and submissions when its controller dies,
//! gives their ids to others, runs tasks twice, and reports success for what never ran. So shards that are complete are
//! taken from the disk; Slurm is asked only whether it still has a task for those that are missing. Those of which it has
//! none, look after look, are submitted anew.

mod asked;
mod clients;
mod fates;
mod record;
mod texts;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use self::asked::Asked;
use self::clients::{Answer, Haste, call};
use self::fates::Fate;
use self::record::{Array, Record};
use super::super::Failure;
use super::on::{self, Options, Place, Shards};
use crate::output;
use crate::progress::Progress;
use crate::sweep::shard::Shard;
use crate::{files, interruption};

/// Of the shelf.
pub(super) const PLACE: Place = Place { name: "slurm", ready, compute };

/// The programs without which nothing can be done.
const CLIENTS: [&str; 3] = ["sbatch", "squeue", "scancel"];
/// A shard is gone when Slurm has had no task of it in so many looks, one after the other, and its files have not come: on
/// other machines' disks they are seen late.
const LOOKS: u32 = 3;
/// So many shards at most if nobody says how many.
const MOST: u32 = 256;
/// So many if nobody says how many, and Slurm does not say how many processors it has.
const SOME: u32 = 8;
/// The longest array of a Slurm that does not say: one less than its default.
const LONGEST: u32 = 1000;
/// The pauses between looks grow to so many times the first.
const SLOWEST: u32 = 8;
/// Plain lines come no more often.
const PLAIN: Duration = Duration::from_secs(10);
/// So much of the log of a shard is shown.
const TAIL: usize = 10;

fn ready(options: &Options) -> Result<(), Failure> {
    let asked = Asked::of(options).map_err(Failure::from)?;
    if let Some(missing) = clients::missing(&CLIENTS) {
        let sentence = format!("no Slurm here: `{missing}` is not on the PATH");
        let hint = "without --on the runs are computed here; --shard K/N computes one part anywhere";
        return Err(Failure::from(format!("{sentence}\nhint: {hint}")));
    }
    if let (Some(shards), Some(longest)) = (asked.shards, longest_array(&asked))
        && shards > longest
    {
        let sentence = format!("--on slurm: shards={shards} is more than an array may have here");
        return Err(Failure::from(format!("{sentence}\nhint: {longest} at most (MaxArraySize)")));
    }
    Ok(())
}

fn compute(shards: &mut Shards<'_, '_>, options: &Options) -> Result<bool, Failure> {
    let asked = Asked::of(options).map_err(Failure::from)?;
    let folder = shards.folder()?;
    let fingerprint = shards.plan.header(None, 0).fingerprint;
    let begun = Record::read(&folder, &fingerprint).map_err(Failure::from)?;
    let record = match begun {
        Some(record) if !record.arrays.is_empty() => record,
        // Nothing is at work: what has been delivered is taken, and the rest can be divided anew.
        begun => {
            begun.map_or(Ok(()), |record| shards.take(record.of))?;
            Record::new(&folder, &fingerprint, how_many(shards, &asked))
        }
    };
    if interruption::asked() {
        return Ok(false);
    }
    if let Some(wanted) = asked.shards.filter(|wanted| *wanted != record.of && *wanted <= shards.most()) {
        let of = record.of;
        output::talk(&format!("remark: this sweep was begun with {of} shards, and goes on with them, not {wanted}"));
    }
    files::write(&folder.join(SCRIPT), script(shards, &folder, record.of)?.as_bytes()).map_err(Failure::from)?;
    let watch = Watch {
        quiet: shards.quiet,
        progress: Progress::new(shards.quiet),
        pause: asked.poll,
        asked,
        folder,
        record,
        submitted: BTreeMap::new(),
        gone: BTreeMap::new(),
        last: BTreeMap::new(),
        stuck: 0,
        told: (String::new(), Instant::now()),
        silent: false,
    };
    watch.through(shards)
}

/// The longest array that this Slurm takes, if it says.
fn longest_array(asked: &Asked) -> Option<u32> {
    match call("scontrol", &["show", "config"], Path::new("/"), asked.patience, Haste::CtrlC) {
        // Indices begin with 0 there, and with 1 here.
        Answer::Said(config) => texts::largest_array(&config).map(|size| size.saturating_sub(1)),
        Answer::Refused(_) | Answer::Nothing(_) => None,
    }
}

/// How many shards: what is asked for, or one for each processor of the partition, but fewer if they had little to do.
fn how_many(shards: &Shards<'_, '_>, asked: &Asked) -> u32 {
    if let Some(shards_asked) = asked.shards {
        return shards_asked.min(shards.most());
    }
    let sinfo = call("sinfo", &["-h", "-o", "%P|%C"], Path::new("/"), asked.patience, Haste::CtrlC);
    let processors = match sinfo {
        Answer::Said(text) => texts::processors(&text, asked.partition.as_deref()),
        Answer::Refused(_) | Answer::Nothing(_) => None,
    };
    let longest = longest_array(asked).unwrap_or(LONGEST);
    let most = processors.unwrap_or(SOME).min(MOST).min(longest).min(shards.most());
    shards.worthwhile(most)
}

/// The script of the job, in the folder of the shards.
const SCRIPT: &str = "job.sh";

/// What a task of the array does. Each attempt has a folder of its own, as Slurm may run two at once.
fn script(shards: &Shards<'_, '_>, folder: &Path, of: u32) -> Result<String, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::from(format!("cannot say where this program is, for the jobs to run it: {error}")))?;
    let quoted = |path: &Path| texts::quoted(&path.display().to_string());
    let (here, program, results) = (quoted(folder), quoted(&program), quoted(&shards.results_folder));
    Ok(format!(
        "#!/bin/sh\n\
         # One shard of an experiment, as a task of a job array. Written by `sim sweep --on slurm`.\n\
         cd {here} || {{ echo 'the folder of the shards is gone: the sweep is over' >&2; exit 0; }}\n\
         shard=$SLURM_ARRAY_TASK_ID\n\
         exec {program} sweep {results} --shard \"$shard/{of}\" --jobs \"${{SLURM_CPUS_PER_TASK:-1}}\" --memory {} --quiet \\\n    \
         --out \"attempt-$shard-$SLURM_JOB_ID-${{SLURM_RESTART_COUNT:-0}}-$$\" --deliver \"{}\"\n",
        shards.memory,
        on::name("$shard", of)
    ))
}

/// The arrays of a sweep, watched until all shards are there.
struct Watch {
    asked: Asked,
    folder: PathBuf,
    record: Record,
    quiet: bool,
    progress: Progress,
    /// Until the next look.
    pause: Duration,
    /// How often this call has submitted a shard.
    submitted: BTreeMap<u32, u32>,
    /// In how many looks, one after the other, Slurm has had no task of a shard.
    gone: BTreeMap<u32, u32>,
    /// How a shard was last seen to have ended.
    last: BTreeMap<u32, String>,
    /// In how many looks, one after the other, nothing went on.
    stuck: u32,
    /// The last plain line, and when.
    told: (String, Instant),
    /// Was it said that Slurm does not answer?
    silent: bool,
}

impl Watch {
    fn through(mut self, shards: &mut Shards<'_, '_>) -> Result<bool, Failure> {
        loop {
            shards.take(self.record.of)?;
            let missing = shards.needed(self.record.of);
            if missing.is_empty() {
                break;
            }
            if interruption::asked() {
                self.cancel_all(missing.len());
                return Ok(false);
            }
            if let Some(rows) = self.look() {
                let fates = fates::of(&missing, &self.record.arrays, &rows);
                self.count(&fates);
                self.tell(&fates);
                self.refuse_endless(&fates, &rows)?;
                let due = self.due(&fates)?;
                if !due.is_empty() {
                    self.submit(due)?;
                }
            }
            self.wait();
        }
        self.end_stragglers();
        drop(self.progress);
        shards.remove();
        Ok(true)
    }

    /// What Slurm has of our arrays; `None` if nobody answers, which says nothing of them.
    fn look(&mut self) -> Option<Vec<texts::Row>> {
        let ids: Vec<String> = self.record.arrays.iter().filter_map(|array| Some(array.id?.to_string())).collect();
        if self.record.arrays.is_empty() {
            return Some(Vec::new());
        }
        let which = if ids.len() == self.record.arrays.len() {
            format!("--jobs={}", ids.join(","))
        } else {
            let names: Vec<&str> = self.record.arrays.iter().map(|array| &*array.name).collect();
            format!("--name={}", names.join(","))
        };
        let arguments = ["--noheader", "--array", "--states=all", "--format", texts::FORMAT, &which];
        let rows = match call("squeue", &arguments, &self.folder, self.asked.patience, Haste::CtrlC) {
            Answer::Said(text) => texts::rows(&text),
            Answer::Refused(words) if texts::is_unknown(&words) => Vec::new(),
            Answer::Refused(words) | Answer::Nothing(words) => {
                if !self.silent && !self.quiet && !interruption::asked() {
                    self.say(&format!("Slurm does not answer ({words}); shards that come are taken all the same"));
                }
                self.silent = true;
                return None;
            }
        };
        self.silent = false;
        for array in &mut self.record.arrays {
            array.id = array.id.or_else(|| Some(rows.iter().find(|row| row.name == array.name)?.id));
        }
        Some(rows)
    }

    /// Counts in how many looks each shard has been gone.
    fn count(&mut self, fates: &BTreeMap<u32, Fate>) {
        self.gone.retain(|shard, _| matches!(fates.get(shard), Some(Fate::Gone(_))));
        for (shard, fate) in fates {
            if let Fate::Gone(state) = fate {
                *self.gone.entry(*shard).or_default() += 1;
                if !state.is_empty() {
                    self.last.insert(*shard, state.clone());
                }
            }
        }
    }

    /// The shards to submit now.
    fn due(&mut self, fates: &BTreeMap<u32, Fate>) -> Result<BTreeSet<u32>, Failure> {
        let looks = |shard: u32| self.gone.get(&shard).copied().unwrap_or(0);
        let is_out = |shard: &u32| self.submitted.get(shard).copied().unwrap_or(0) >= self.asked.attempts;
        let is_lost = |(shard, fate): (&u32, &Fate)| {
            let is_lost = *fate == Fate::New || (matches!(fate, Fate::Gone(_)) && looks(*shard) >= LOOKS);
            is_lost.then_some(*shard)
        };
        let (out, lost): (BTreeSet<u32>, BTreeSet<u32>) = fates.iter().filter_map(is_lost).partition(is_out);
        // One array for all: those that were seen to be gone just now are waited for, though not for long.
        let others = self.gone.iter().any(|(shard, looks)| *looks < LOOKS && !is_out(shard));
        let is_time = !others || lost.iter().any(|shard| looks(*shard) >= 2 * LOOKS);
        if let Some(shard) = out.first()
            && out.len() == fates.len()
        {
            let given_up = self.given_up(*shard, &out);
            // Nothing is at work: the next call may divide what is left otherwise.
            self.record.arrays.clear();
            self.record.write().map_err(Failure::from)?;
            return Err(given_up);
        }
        Ok(if is_time { lost } else { BTreeSet::new() })
    }

    /// Of shards that fail always.
    fn given_up(&self, shard: u32, out: &BTreeSet<u32>) -> Failure {
        let (of, attempts) = (self.record.of, self.asked.attempts);
        let others = match out.len() {
            1 => String::new(),
            several => format!(" (and {} others)", several - 1),
        };
        let times = if attempts == 1 { "once".to_owned() } else { format!("{attempts} times") };
        let end = self.last.get(&shard).map_or_else(String::new, |state| format!(", the last ended as {state}"));
        let log = self.folder.join(format!("log-{shard}.txt"));
        let text = std::fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let lines: Vec<&str> = text.trim_end().lines().collect();
        let tail = match lines.len() {
            0 => format!("{} has nothing: its job never began, or wrote nothing", log.display()),
            count => format!("{} ends:\n  {}", log.display(), lines[count.saturating_sub(TAIL)..].join("\n  ")),
        };
        let shard = Shard { number: shard, of };
        let sentence = format!("shard {shard}{others} was submitted {times} and never came{end}");
        let is_too_long = self.last.get(&shard.number).is_some_and(|state| state == "TIMEOUT");
        let more = if is_too_long { "; more shards take less time each, or ask for more: time=…" } else { "" };
        let hint = "shards that are complete stay, and the same command goes on with the others";
        Failure::from(format!("{sentence}\n{tail}\nhint: {hint}{more}"))
    }

    /// Refuses to wait for what never ends: if all that is missing waits for ever.
    fn refuse_endless(&mut self, fates: &BTreeMap<u32, Fate>, rows: &[texts::Row]) -> Result<(), Failure> {
        let reasons: BTreeSet<&str> = fates
            .values()
            .filter_map(|fate| if let Fate::Stuck(reason) = fate { Some(&**reason) } else { None })
            .collect();
        let is_out = |shard: &u32| self.submitted.get(shard).copied().unwrap_or(0) >= self.asked.attempts;
        let goes_on = |(shard, fate): (&u32, &Fate)| match fate {
            Fate::Stuck(_) => false,
            Fate::Gone(_) => !is_out(shard),
            Fate::New | Fate::Waits(_) | Fate::Runs => true,
        };
        if reasons.is_empty() || fates.iter().any(goes_on) {
            self.stuck = 0;
            return Ok(());
        }
        // A state may be passed through between two others.
        self.stuck += 1;
        if self.stuck < 2 {
            return Ok(());
        }
        let arrays = &self.record.arrays;
        let is_ours = |row: &&texts::Row| arrays.iter().any(|array| array.name == row.name);
        let ids: BTreeSet<String> = rows.iter().filter(is_ours).map(|row| row.id.to_string()).collect();
        let ids = ids.into_iter().collect::<Vec<_>>().join(" ");
        let said = fates::told(fates, self.record.of);
        let hint = if reasons.iter().all(|reason| fates::is_held(reason)) {
            format!(
                "`scontrol release {ids}` lets it go on, `scancel {ids}` gives it up; then the same command goes on"
            )
        } else {
            self.cancel_arrays();
            format!("job {ids} is cancelled; ask for less, or for another partition: --on slurm:partition=…,mem=…")
        };
        Err(Failure::from(format!("Slurm will not run what is missing: {said}\nhint: {hint}")))
    }

    fn submit(&mut self, due: BTreeSet<u32>) -> Result<(), Failure> {
        let again = due.iter().filter(|shard| self.gone.contains_key(shard)).count();
        let array = self.record.about_to_submit(due).map_err(Failure::from)?;
        let output = texts::output(&self.folder);
        let own = [
            "--parsable".to_owned(),
            format!("--array={}", texts::array(&array.shards)),
            format!("--job-name={}", array.name),
            format!("--output={output}"),
            "--open-mode=append".to_owned(),
        ];
        let script = self.folder.join(SCRIPT).display().to_string();
        let arguments: Vec<&str> =
            own.iter().chain(&self.asked.sbatch).map(String::as_str).chain([script.as_str()]).collect();
        let answer = call("sbatch", &arguments, &self.folder, self.asked.patience, Haste::None);
        match answer {
            Answer::Said(text) => self.is_submitted(&array, texts::id(&text)),
            Answer::Nothing(_) => self.is_submitted(&array, None),
            Answer::Refused(words) if texts::is_no_answer(&words) => self.is_submitted(&array, None),
            Answer::Refused(words) => {
                self.record.arrays.retain(|known| *known != array);
                self.record.write().map_err(Failure::from)?;
                let sentence = format!("Slurm does not take the shards: {words}");
                let hint = "options behind --on slurm: go to `sbatch` as they are, partition=NAME as --partition=NAME";
                return Err(Failure::from(format!("{sentence}\nhint: {hint}")));
            }
        }
        self.record.write().map_err(Failure::from)?;
        array.shards.iter().for_each(|shard| *self.submitted.entry(*shard).or_default() += 1);
        self.gone.clear();
        self.pause = self.asked.poll;
        if !self.quiet {
            let (count, of) = (array.shards.len(), self.record.of);
            let which =
                if count == of as usize { format!("{count} shards") } else { format!("{count} of {of} shards") };
            let id = self.record.arrays.last().and_then(|array| array.id);
            let job = id.map_or_else(|| "as a job that it has not confirmed".to_owned(), |id| format!("as job {id}"));
            let again = if again > 0 { ", again" } else { "" };
            self.say(&format!("{which} given to Slurm {job} ({}){again}", array.name));
        }
        Ok(())
    }

    fn is_submitted(&mut self, array: &Array, id: Option<u64>) {
        if let Some(own) = self.record.arrays.iter_mut().find(|known| known.name == array.name) {
            own.id = id;
        }
    }

    /// Says something, on a line without progress.
    fn say(&mut self, text: &str) {
        self.progress = Progress::new(self.quiet);
        output::talk(text);
    }

    /// Says how the work stands.
    fn tell(&mut self, fates: &BTreeMap<u32, Fate>) {
        // Before the first submission there is nothing to say.
        if self.quiet || fates.values().all(|fate| *fate == Fate::New) {
            return;
        }
        let said = fates::told(fates, self.record.of);
        self.progress.show(None, || said.clone());
        let is_news = said != self.told.0 && self.told.1.elapsed() >= PLAIN;
        if !output::talks_to_a_terminal() && is_news {
            output::talk(&said);
            self.told = (said, Instant::now());
        }
    }

    /// Until the next look, or Ctrl-C. The pauses grow.
    fn wait(&mut self) {
        let begun = Instant::now();
        while begun.elapsed() < self.pause && !interruption::asked() {
            thread::sleep(Duration::from_millis(50).min(self.pause));
        }
        self.pause = (self.pause * 3 / 2).min(self.asked.poll * SLOWEST);
    }

    /// Ctrl-C: ends what runs, and says what there is.
    fn cancel_all(&mut self, missing: usize) {
        let ids: Vec<String> =
            self.record.arrays.iter().map(|array| array.id.map_or(array.name.clone(), |id| id.to_string())).collect();
        let complete = self.record.of as usize - missing;
        let of = self.record.of;
        let what = match (ids.is_empty(), self.cancel_arrays()) {
            (true, _) => "nothing was submitted".to_owned(),
            (false, true) => format!("job {} is cancelled", ids.join(", ")),
            (false, false) => format!(
                "job {} could not be cancelled (`scancel` does), and goes on until the same command finds it",
                ids.join(", ")
            ),
        };
        self.say(&format!("{complete} of {of} shards are complete; {what}"));
    }

    /// Cancels our arrays, by their names: an id may have been given to somebody else. Did that work?
    fn cancel_arrays(&mut self) -> bool {
        let cancel = |array: &Array| {
            let name = format!("--name={}", array.name);
            matches!(call("scancel", &[&name], &self.folder, self.asked.patience, Haste::None), Answer::Said(_))
        };
        let is_done = self.record.arrays.iter().all(cancel);
        if is_done {
            self.record.arrays.clear();
            drop(self.record.write());
        }
        is_done
    }

    /// All shards are there; what still runs is on its way out, or runs a second time for nobody.
    fn end_stragglers(&mut self) {
        self.pause = self.asked.poll;
        for _ in 0..LOOKS {
            match self.look() {
                Some(rows) if fates::is_any_alive(&self.record.arrays, &rows) => self.wait(),
                // Where nobody answers, what still runs finds its folder gone.
                Some(_) | None => return,
            }
        }
        self.cancel_arrays();
    }
}
