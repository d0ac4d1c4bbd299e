//! Servers with names: declarations, and the tasks that name them.

use super::names::{Register, name};
use super::{Definition, TaskDefinition};
use crate::document::{Item, Log, Note, Spot, Table, add_one, quoted};
use crate::executor::Threads;
use crate::ids::CpuId;
use crate::policy::{Server, ServerKind, Theory};

/// A declaration.
pub(super) struct Declared {
    pub(super) name: String,
    server: Server,
    priority: Option<i64>,
    spot: Spot,
}

/// That a task names a server.
pub(super) struct Named<'a> {
    pub(super) item: Item<'a>,
    /// Has it a priority of its own?
    pub(super) has_priority: bool,
}

/// Reads all declarations.
pub(super) fn read(file: &mut Table<'_>) -> Vec<Declared> {
    let mut register = Register::new("server");
    let mut all = Vec::new();
    for mut table in file.tables("server", "[[server]]") {
        let name = name(&mut table, &mut register).to_owned();
        let words: Vec<&str> = ServerKind::ALL.iter().map(|(_, word, _)| *word).collect();
        if table.key_spot("kind").is_none() {
            let _ =
                table.required("kind", "how it serves: `polling`, `deferrable`, `sporadic` or `constant-bandwidth`");
        }
        let kind = table.one_of("kind", &words).map_or(ServerKind::Polling, |place| ServerKind::ALL[place].0);
        let (budget, period) = super::periodic::budget_and_period(&mut table);
        let priority = table.integer("priority", -super::task::PRIORITY..=super::task::PRIORITY);
        let hard = table.boolean("hard").unwrap_or(false) && !kind.is_fixed();
        let number = u32::try_from(all.len()).ok();
        let spot = table.spot();
        all.push(Declared { name, server: Server { budget, period, kind, number, hard }, priority, spot });
    }
    all
}

/// The task names a server: it has that from now on, and its priority.
pub(super) fn assign(task: &mut TaskDefinition, named: &Named<'_>, servers: &[Declared]) {
    let Named { item, has_priority } = *named;
    let Some(wanted) = item.text() else { return };
    let Some(found) = servers.iter().find(|server| server.name == wanted) else {
        let names = || servers.iter().map(|server| server.name.as_str());
        item.unknown(format!("the server {} is not declared", quoted(wanted)), wanted, names(), || {
            add_one("server", wanted)
        });
        return;
    };
    if has_priority && found.server.kind.is_fixed() {
        item.wrong("the `priority` of a task with a server is that of the server", "leave `priority` of the task out");
    }
    task.attributes.server = Some(found.server);
    if found.server.kind.is_fixed() {
        task.attributes.priority = found.priority.unwrap_or(0);
    }
}

/// A server that goes by fixed priorities has one, or stands where `priority` is 0.
pub(super) fn look(definition: &Definition, log: &Log) {
    if !definition.scheduler.kind.attributes.contains(&"priority") {
        return;
    }
    for declared in &definition.things.servers {
        let is_its = |task: &&TaskDefinition| task.attributes.server.is_some_and(|server| server == declared.server);
        let others = definition.tasks.iter().filter(|task| !is_its(task)).any(|task| task.attributes.priority != 0);
        let serves = definition.tasks.iter().any(|task| is_its(&task));
        if declared.server.kind.is_fixed() && declared.priority.is_none() && serves && others {
            let name = quoted(&declared.name);
            let sentence = format!("the server {name} names no `priority`: it has 0, and others have their own");
            log.remark(
                Note::new(declared.spot, sentence).hint("add priority = 5, or how urgent it is among the tasks"),
            );
        }
    }
}

/// May all tasks of the server run on one and the same processor only?
fn is_at_home(definition: &Definition, task: &TaskDefinition, server: Server) -> bool {
    let processors = &definition.machine.processors;
    let allowed =
        |task: &TaskDefinition| -> Vec<CpuId> { processors.ids().filter(|cpu| task.attributes.allows(*cpu)).collect() };
    let number = |task: &TaskDefinition| task.attributes.server.and_then(|server| server.number);
    let first = definition.tasks.iter().find(|other| number(other) == server.number).unwrap_or(task);
    allowed(task).len() == 1 && allowed(task) == allowed(first)
}

/// Where is each kind of server at home?
pub(super) fn check(definition: &Definition, spots: impl Iterator<Item = Option<Spot>>, log: &Log) {
    let kind = definition.scheduler.kind;
    let fixed = matches!(kind.theory, Theory::FixedPriorities | Theory::RateMonotonic);
    let mut shared: Vec<u32> = Vec::new();
    for (task, spot) in definition.tasks.iter().zip(spots) {
        let (Some(server), Some(spot)) = (task.attributes.server, spot) else { continue };
        let executor = &definition.processes[task.process].executor;
        let own_thread =
            matches!(executor.kind.threads, Threads::PerTask | Threads::ProcessPerTask) && executor.gil.is_none();
        let word = server.kind.word();
        let refused = if server.kind.is_fixed() {
            match () {
                () if !fixed => (
                    format!("a `{word}` server is for fixed priorities, and `{}` has none", kind.name),
                    "it is for `priority`, `rate-monotonic` and `deadline-monotonic`",
                ),
                () if !is_at_home(definition, task, server) => (
                    format!("a `{word}` server is at home on one processor, and its tasks may run on others"),
                    "give all its tasks the same `affinity`, such as [0]",
                ),
                () if !own_thread => (
                    format!(
                        "a `{word}` server serves threads, and the tasks of `{}` have none of their own",
                        executor.kind.name
                    ),
                    "choose the executor `threads` or `processes`",
                ),
                () => continue,
            }
        } else if let Some(number) = server.number {
            let again = task.count > 1 || shared.contains(&number);
            shared.push(number);
            match () {
                () if !again => continue,
                () if server.hard => (
                    "a hard `constant-bandwidth` server serves one task, and this one several".to_owned(),
                    "declare one for each, or leave `hard` out",
                ),
                () if !own_thread || !is_at_home(definition, task, server) => (
                    "a `constant-bandwidth` server of several tasks is at home on one processor, and serves threads of their own".to_owned(),
                    "give all its tasks the same `affinity`, such as [0], or declare a server for each",
                ),
                () => continue,
            }
        } else {
            continue;
        };
        log.add(Note::new(spot, refused.0).hint(refused.1));
    }
}
