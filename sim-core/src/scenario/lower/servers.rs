//! Servers with names: declarations, and the tasks that name them.

use super::names::{Register, name};
use super::{Definition, TaskDefinition};
use crate::document::{Item, Log, Note, Spot, Table, add_one, quoted};
use crate::executor::Threads;
use crate::policy::{Server, ServerKind, Theory};

/// A declaration.
pub(super) struct Declared {
    name: String,
    server: Server,
    priority: Option<i64>,
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
        let hard = table.boolean("hard").unwrap_or(false);
        if hard && kind == ServerKind::ConstantBandwidth {
            let note = Note::new(
                table.key_spot("hard").unwrap_or(table.spot()),
                "a hard `constant-bandwidth` server is not supported yet",
            );
            table.log().add(note.hint("leave `hard` out: its budget is full again at once, for a later deadline"));
        }
        let number = u32::try_from(all.len()).ok();
        all.push(Declared { name, server: Server { budget, period, kind, number }, priority });
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
                () if definition.machine.processors.len() > 1 => (
                    format!("a `{word}` server on several processors is not supported yet"),
                    "let the machine have one processor",
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
            if !again {
                continue;
            }
            (
                "a `constant-bandwidth` server that several tasks share is not supported yet".to_owned(),
                "declare one for each, or write server = { budget = \"2ms\", period = \"10ms\" }",
            )
        } else {
            continue;
        };
        log.add(Note::new(spot, refused.0).hint(refused.1));
    }
}
