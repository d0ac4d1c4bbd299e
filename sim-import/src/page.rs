//! A scenario on its way to TOML: what it says, in order, and how that is laid out.

use std::collections::HashMap;
use std::fmt::Write as _;

use crate::kinds::Kind;
use crate::names::quoted;
use crate::recording::Recording;

/// Longer lines are broken where they can be.
const WIDTH: usize = 100;

/// A scenario file may be so long; what comes after that is left out.
const LONGEST: usize = 15 << 20;

/// More different sentences than these are only counted.
const MOST_SENTENCES: usize = 40;

/// What a file says in the words of a scenario.
#[derive(Default, Debug)]
pub(crate) struct Page {
    /// What is in the file, in a few words.
    pub(crate) summary: String,
    pub(crate) title: String,
    pub(crate) assumed: Vec<String>,
    pub(crate) left_out: LeftOut,
    /// `until`, `seed`, … as TOML.
    pub(crate) head: Vec<(&'static str, String)>,
    /// What stands before the tasks.
    pub(crate) tables: Vec<Table>,
    pub(crate) tasks: Vec<Task>,
    /// What a trace recorded, its threads in the order of the tasks.
    pub(crate) recording: Option<Recording>,
}

/// A table: its header, and lines `key = value`.
#[derive(Default, Debug)]
pub(crate) struct Table {
    pub(crate) header: String,
    pub(crate) comment: Option<String>,
    pub(crate) entries: Vec<(&'static str, String)>,
}

/// A task: its table and its program.
#[derive(Default, Debug)]
pub(crate) struct Task {
    pub(crate) table: Table,
    pub(crate) program: Vec<Step>,
}

/// An operation of a program.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Step {
    /// One that has no list in it.
    Plain(String),
    /// One that has: what stands before `do`, and the list.
    Block(String, Vec<Step>),
}

impl Step {
    /// `{ key = value }`, the value as TOML.
    pub(crate) fn of(key: &str, value: &str) -> Step {
        Step::Plain(format!("{{ {key} = {value} }}"))
    }

    /// A list so many times.
    pub(crate) fn repeat(times: &str, steps: Vec<Step>) -> Step {
        Step::Block(format!("repeat = {times}"), steps)
    }

    fn on_one_line(&self) -> String {
        match self {
            Step::Plain(text) => text.clone(),
            Step::Block(head, steps) => format!("{{ {head}, do = {} }}", list_on_one_line(steps)),
        }
    }
}

fn list_on_one_line(steps: &[Step]) -> String {
    let steps: Vec<String> = steps.iter().map(Step::on_one_line).collect();
    format!("[{}]", steps.join(", "))
}

/// Is it surely too long for a line? Saves laying out what is long at each depth.
fn is_long(steps: &[Step]) -> bool {
    steps.len() > 12
        || steps.iter().any(|step| matches!(step, Step::Block(_, steps) if steps.len() > 5 || is_long(steps)))
}

fn write_list(text: &mut String, steps: &[Step], indent: usize, used: usize) {
    if !is_long(steps) {
        let line = list_on_one_line(steps);
        if used + line.chars().count() <= WIDTH {
            text.push_str(&line);
            return;
        }
    }
    text.push_str("[\n");
    for step in steps {
        let _ = write!(text, "{:1$}", "", indent + 2);
        match step {
            Step::Plain(plain) => text.push_str(plain),
            Step::Block(head, steps) => {
                let _ = write!(text, "{{ {head}, do = ");
                write_list(text, steps, indent + 2, indent + 14 + head.len());
                text.push_str(" }");
            }
        }
        text.push_str(",\n");
    }
    let _ = write!(text, "{:indent$}]", "");
}

impl Table {
    pub(crate) fn new(header: &str) -> Table {
        Table { header: header.to_owned(), ..Table::default() }
    }

    pub(crate) fn named(header: &str, name: &str) -> Table {
        Table::new(header).with("name", quoted(name))
    }

    /// The same with one line more; the value is TOML.
    pub(crate) fn with(mut self, key: &'static str, value: impl Into<String>) -> Table {
        self.entries.push((key, value.into()));
        self
    }

    pub(crate) fn set(&mut self, key: &'static str, value: impl Into<String>) {
        self.entries.push((key, value.into()));
    }

    fn write(&self, text: &mut String) {
        let _ = writeln!(text, "\n{}", self.header);
        if let Some(comment) = &self.comment {
            write_comment(text, comment);
        }
        for (key, value) in &self.entries {
            let _ = writeln!(text, "{key} = {value}");
        }
    }
}

impl Page {
    /// The text of the scenario, what was assumed, and what was left out.
    pub(crate) fn written(&self, name: &str, kind: &Kind) -> (String, Vec<String>, Vec<String>) {
        let mut body = String::new();
        for table in &self.tables {
            table.write(&mut body);
        }
        let mut left_out = self.left_out.sentences();
        for (index, task) in self.tasks.iter().enumerate() {
            if body.len() > LONGEST {
                let rest = self.tasks.len() - index;
                left_out.push(format!("the last {rest} tasks: a scenario may have {} MB", LONGEST >> 20));
                break;
            }
            task.table.write(&mut body);
            body.push_str("program = ");
            write_list(&mut body, &task.program, 0, 10);
            body.push('\n');
        }
        let mut text = String::new();
        write_comment(&mut text, &format!("From {name}, {}: {}.", kind.title, self.summary));
        section(&mut text, "Assumed, since the file does not say it:", &self.assumed);
        section(&mut text, "Left out:", &left_out);
        text.push('\n');
        let _ = writeln!(text, "title = {}", quoted(if self.title.is_empty() { name } else { &self.title }));
        for (key, value) in &self.head {
            let _ = writeln!(text, "{key} = {value}");
        }
        text.push_str(&body);
        (text, self.assumed.clone(), left_out)
    }
}

fn section(text: &mut String, heading: &str, sentences: &[String]) {
    if sentences.is_empty() {
        return;
    }
    let _ = writeln!(text, "#\n# {heading}");
    for sentence in sentences {
        write_comment(text, &format!("- {sentence}"));
    }
}

/// A comment, broken into lines, without what a comment must not have.
fn write_comment(text: &mut String, comment: &str) {
    let mut line = "#".to_owned();
    for word in comment.split_whitespace() {
        if line.len() > 1 && line.chars().count() + 1 + word.chars().count() > WIDTH {
            text.push_str(&line);
            text.push('\n');
            line = if comment.starts_with("- ") { "#  ".to_owned() } else { "#".to_owned() };
        }
        line.push(' ');
        line.extend(word.chars().map(|letter| if letter.is_control() { '?' } else { letter }));
    }
    text.push_str(&line);
    text.push('\n');
}

/// `1 job`, `2 jobs`.
pub(crate) fn counted(number: u64, what: &str) -> String {
    let ending = match (number, what.ends_with(['s', 'h'])) {
        (1, _) => "",
        (_, true) => "es",
        _ => "s",
    };
    format!("{number} {what}{ending}")
}

/// What of a file has no place in a scenario: sentences, each once.
#[derive(Default, Debug)]
pub(crate) struct LeftOut {
    counts: HashMap<String, usize>,
    order: Vec<String>,
    others: usize,
}

impl LeftOut {
    pub(crate) fn add(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if let Some(count) = self.counts.get_mut(&sentence) {
            *count += 1;
        } else if self.order.len() < MOST_SENTENCES {
            self.counts.insert(sentence.clone(), 1);
            self.order.push(sentence);
        } else {
            self.others += 1;
        }
    }

    fn sentences(&self) -> Vec<String> {
        let counted = |sentence: &String| match self.counts[sentence] {
            1 => sentence.clone(),
            count => format!("{sentence} ({count} times)"),
        };
        let mut sentences: Vec<String> = self.order.iter().map(counted).collect();
        if self.others > 0 {
            sentences.push(format!("and {} more", self.others));
        }
        sentences
    }
}
