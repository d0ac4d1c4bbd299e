//! Overrides: `--set scheduler.quantum=5ms` changes the document before it is read.
//!
//! A path is keys with dots between them. An element of a list of tables is reached by its `name` (or, as in any list,
//! by its number from 0): `process.crawler.task.download.count`. Keys and names with dots stand in quotes. What does
//! not exist is created, except elements of lists: a misspelt name must not become a new process.

use std::fmt;

use toml::de::DeValue;

use super::syntax::{Text, nesting, notes, too_deep};
use super::{DEEPEST, Entry, Kind, Language, Log, Note, Origin, Spot, Value};
use super::{likely_first, quoted, spanned, there_is};

/// A value to put into the document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Override {
    /// Where: keys and names with dots between them.
    pub path: String,
    /// What: TOML, or else a bare text such as `5ms`.
    pub value: String,
    /// The option of the command line that messages show.
    pub(crate) option: &'static str,
    when: When,
}

/// When an override is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum When {
    Always,
    /// If nothing stands there: what does wins.
    Absent,
    /// If something stands there.
    Present,
}

impl Override {
    const OPTION: &'static str = "--set";

    /// An override of `path` by `value`.
    pub fn new(path: impl Into<String>, value: impl Into<String>) -> Override {
        Override { path: path.into(), value: value.into(), option: Override::OPTION, when: When::Always }
    }

    /// One of the values that `--vary path=value,value` puts there in turn.
    pub fn varied(path: impl Into<String>, value: impl Into<String>) -> Override {
        Override { option: "--vary", ..Override::new(path, value) }
    }

    /// A value that an experiment puts there in turn.
    pub fn in_experiment(path: impl Into<String>, value: impl Into<String>) -> Override {
        Override { option: "[vary]", ..Override::new(path, value) }
    }

    /// A value for `path` if nothing stands there: what the document and the overrides before this one say wins.
    pub fn beneath(path: impl Into<String>, value: impl Into<String>) -> Override {
        Override { option: "profile:", when: When::Absent, ..Override::new(path, value) }
    }

    /// A value for `path` in place of the one that stands there, if any does.
    pub fn instead(path: impl Into<String>, value: impl Into<String>) -> Override {
        Override { option: "measured:", when: When::Present, ..Override::new(path, value) }
    }

    /// Several values with commas between them, outside of quotes and brackets, where one value must stand: how they are
    /// written.
    pub(crate) fn several(&self) -> Option<String> {
        let bare = !self.value.starts_with(['{', '[', '"', '\'']) && self.option == Override::OPTION;
        (bare && self.value.contains(','))
            .then(|| format!("several values, one after the other: --vary {}={}", self.path, self.value))
    }

    /// Reads `path=value`.
    ///
    /// # Errors
    /// A sentence, if there is no `=`.
    pub fn parse(text: &str) -> Result<Override, String> {
        let mut quote = None;
        for (at, letter) in text.char_indices() {
            match quote {
                Some(open) if open == letter => quote = None,
                None if letter == '"' || letter == '\'' => quote = Some(letter),
                None if letter == '=' => return Ok(Override::new(text[..at].trim(), text[at + 1..].trim())),
                _ => {}
            }
        }
        Err(format!("{} has no `=`; write it as {} scheduler.quantum=5ms", quoted(text), Override::OPTION))
    }
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}={}", self.option, self.path, self.value)
    }
}

/// Applies the overrides in their order.
pub(super) fn apply<'a>(overrides: &'a [Override], root: &mut Value<'a>, log: &Log) {
    let language = log.language();
    for (index, set) in overrides.iter().enumerate() {
        let origin = Origin::Override(u32::try_from(index).unwrap_or(u32::MAX));
        let applied = segments(&set.path, origin).and_then(|path| match (language.meant)(&names(&path), root) {
            Some(meant) => {
                let note = Note::new(path[0].spot, format!("unknown key {}", quoted(path[0].name)));
                Err(note.hint(format!("did you mean {}?", quoted(&meant))))
            }
            None if set.when == When::Absent && stands(root, &path) => Ok(()),
            None if set.when == When::Present && !stands(root, &path) => Ok(()),
            None => put(root, without_implied(&path, root, language), value(set, origin)?, log),
        });
        if let Err(note) = applied {
            log.add(note);
        }
    }
}

/// Is there a value where the path leads?
fn stands(root: &Value<'_>, path: &[Segment<'_>]) -> bool {
    let mut at = root;
    for segment in path {
        let below = match &at.kind {
            Kind::List(elements) => elements.iter().find(|element| name_of(element) == Some(segment.name)),
            _ => at.get(segment.name),
        };
        let Some(below) = below else { return false };
        at = below;
    }
    true
}

/// The name of an element of a list, if it has one.
pub(super) fn name_of<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    match &value.get("name")?.kind {
        Kind::Text(name) => Some(name),
        _ => None,
    }
}

/// A step of a path.
struct Segment<'a> {
    name: &'a str,
    spot: Spot,
}

/// Cuts a path at its dots, those in quotes excepted.
fn segments(path: &str, origin: Origin) -> Result<Vec<Segment<'_>>, Note> {
    let mut segments = Vec::new();
    let mut start = 0;
    loop {
        let rest = &path[start..];
        let quote = rest.chars().next().filter(|letter| matches!(letter, '"' | '\''));
        let (name, length) = match quote.and_then(|quote| rest[1..].find(quote)) {
            Some(end) => (&rest[1..=end], end + 2),
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                (&rest[..end], end)
            }
        };
        let spot = Spot::new(origin, start..start + length);
        let (missing, after) = (name.is_empty() && quote.is_none(), &rest[length..]);
        if missing || !(after.is_empty() || after.starts_with('.')) {
            return Err(Note::new(spot, "a path is keys with dots between them, such as `scheduler.quantum`"));
        }
        segments.push(Segment { name, spot });
        if segments.len() > DEEPEST {
            return Err(nesting(spot));
        }
        if after.is_empty() {
            return Ok(segments);
        }
        start += length + 1;
    }
}

/// A name as a key of a path: in quotes if it would be taken for several.
pub(crate) fn key(name: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
    let quote = if name.contains('"') { '\'' } else { '"' };
    if !name.is_empty() && name.chars().all(plain) { name.to_owned() } else { format!("{quote}{name}{quote}") }
}

/// The keys of a path, which is cut at its dots; `None` if it is not one.
pub(crate) fn keys(path: &str) -> Option<Vec<&str>> {
    segments(path, Origin::File).ok().map(|path| names(&path))
}

/// Paths by their last keys: by as many as tell each from the others.
#[must_use]
pub fn told_apart(paths: &[&str]) -> Vec<String> {
    let ending = |path: &str, count: usize| {
        let keys = keys(path)?;
        let last = keys.len().checked_sub(count)?;
        Some(keys[last..].iter().map(|name| key(name)).collect::<Vec<_>>().join("."))
    };
    let shortest = |(index, path): (usize, &&str)| {
        let is_alone = |count: usize, own: &str| {
            let alike = |(other, path): (usize, &&str)| other != index && ending(path, count).as_deref() == Some(own);
            !paths.iter().enumerate().any(alike)
        };
        let endings = (1..).map_while(|count| Some((count, ending(path, count)?)));
        endings
            .into_iter()
            .find(|(count, own)| is_alone(*count, own))
            .map_or_else(|| (*path).to_owned(), |(_, own)| own)
    };
    paths.iter().enumerate().map(shortest).collect()
}

fn names<'a>(path: &[Segment<'a>]) -> Vec<&'a str> {
    path.iter().map(|segment| segment.name).collect()
}

/// What stands at the top may be reached by the list and the name that are implied there, unless there is such a list.
fn without_implied<'p, 'a>(path: &'p [Segment<'a>], root: &Value<'_>, language: &Language) -> &'p [Segment<'a>] {
    match path {
        [list, name, rest @ ..]
            if (list.name, name.name) == language.implied && !rest.is_empty() && root.get(list.name).is_none() =>
        {
            rest
        }
        _ => path,
    }
}

/// The value of an override: TOML if it is, otherwise a text.
fn value(set: &Override, origin: Origin) -> Result<Value<'_>, Note> {
    let offset = set.path.len() + 1;
    let spot = Spot::new(origin, offset..offset + set.value.len());
    let text = Text { text: &set.value, origin, offset };
    if let Some(note) = too_deep(text) {
        return Err(note);
    }
    match DeValue::parse(&set.value) {
        Ok(value) => Ok(Value { spot, ..spanned(value, text) }),
        Err(error) if set.value.starts_with(['{', '[', '"', '\'']) => {
            Err(notes(&[error], text).pop().unwrap_or_else(|| Note::new(spot, "this is not TOML")))
        }
        Err(_) => Ok(Value { spot, kind: Kind::Text(set.value.as_str().into()) }),
    }
}

/// Puts `value` where `path` leads.
fn put<'a>(root: &mut Value<'a>, path: &[Segment<'a>], value: Value<'a>, log: &Log) -> Result<(), Note> {
    let mut at = root;
    let mut list = "";
    for (index, segment) in path.iter().enumerate() {
        let last = index + 1 == path.len();
        let found = at.describe();
        at = match &mut at.kind {
            Kind::Table(entries) => child(entries, (list, segment), last, log.language())?,
            Kind::List(elements) => {
                let index = element(elements, segment, list, log)?;
                &mut elements[index]
            }
            _ => {
                let sentence = format!("`{list}` is {found}, so there is no {} in it", quoted(segment.name));
                return Err(Note::new(segment.spot, sentence));
            }
        };
        list = segment.name;
    }
    // The parameters in a table are those of its kind: they stay with it, and go with it.
    if !is_kind_of(&value, at) {
        *at = value;
    }
    Ok(())
}

/// Is this the bare name of the kind that a table has?
fn is_kind_of(name: &Value<'_>, table: &Value<'_>) -> bool {
    matches!((&name.kind, table.get("kind").map(|kind| &kind.kind)), (Kind::Text(name), Some(Kind::Text(kind))) if name == kind)
}

/// The value of a key of a table, which is created if need be.
fn child<'v, 'a>(
    entries: &'v mut Vec<Entry<'a>>,
    (table, segment): (&str, &Segment<'a>),
    last: bool,
    language: &Language,
) -> Result<&'v mut Value<'a>, Note> {
    let index = match entries.iter().position(|entry| entry.key == segment.name) {
        Some(index) => index,
        None if !last && language.lists.contains(&segment.name) => {
            let sentence = format!("the file has no [[{}]]", segment.name);
            return Err(
                Note::new(segment.spot, sentence).hint("an override changes elements of lists, it does not add them")
            );
        }
        None => {
            let value = Value { spot: segment.spot, kind: Kind::Table(Vec::new()) };
            entries.push(Entry { key: segment.name.into(), key_spot: segment.spot, value });
            entries.len() - 1
        }
    };
    let value = &mut entries[index].value;
    let is_kind = language.kinds.contains(&segment.name) || language.kinds_in.contains(&table);
    if let (false, true, Kind::Text(_)) = (last, is_kind, &value.kind) {
        // `executor = "pool"`, for one, is short for `executor = { kind = "pool" }`, to which other keys can be added.
        let kind = Entry { key: "kind".into(), key_spot: value.spot, value: value.clone() };
        value.kind = Kind::Table(vec![kind]);
    }
    Ok(value)
}

/// The position of the element that a segment names.
fn element(elements: &[Value<'_>], segment: &Segment<'_>, list: &str, log: &Log) -> Result<usize, Note> {
    if let Some(index) = elements.iter().position(|value| name_of(value).is_some_and(|name| name == segment.name)) {
        return Ok(index);
    }
    if let Some(index) = segment.name.parse().ok().filter(|index: &usize| *index < elements.len()) {
        return Ok(index);
    }
    let names = || elements.iter().filter_map(name_of);
    let (sentence, hint) = match elements.len() {
        0 => (
            format!("the list `{list}` is empty"),
            "an override changes elements of lists, it does not add them".into(),
        ),
        count if names().next().is_none() => (
            format!("the list `{list}` has no element {}", quoted(segment.name)),
            format!("its elements are reached by their numbers, 0 to {}", count - 1),
        ),
        _ => (
            format!("there is no {list} {}", quoted(segment.name)),
            log.did_you_mean(segment.name, names(), || there_is(likely_first(segment.name, names()))),
        ),
    };
    Err(Note::new(segment.spot, sentence).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str) -> Option<Vec<String>> {
        Some(keys(path)?.into_iter().map(str::to_owned).collect())
    }

    #[test]
    fn paths_are_cut_at_dots_outside_quotes() {
        for (path, expected) in [
            ("scheduler.quantum", Some(vec!["scheduler", "quantum"])),
            ("task.\"a.b\".count", Some(vec!["task", "a.b", "count"])),
            ("task.'a \"b\"'.count", Some(vec!["task", "a \"b\"", "count"])),
            ("seed", Some(vec!["seed"])),
            ("", None),
            ("a..b", None),
            ("a.", None),
            ("\"a\"b", None),
        ] {
            assert_eq!(names(path), expected.map(|names| names.into_iter().map(str::to_owned).collect()), "{path}");
        }
    }

    #[test]
    fn paths_are_told_apart_by_their_ends() {
        for (paths, expected) in [
            (vec!["process.a.executor.workers", "machine.processors"], vec!["workers", "processors"]),
            (
                vec!["process.a.executor.workers", "process.b.executor.workers", "seed"],
                vec!["a.executor.workers", "b.executor.workers", "seed"],
            ),
            (vec!["quota", "group.\"a.b\".quota"], vec!["quota", "\"a.b\".quota"]),
            (vec!["no.path."], vec!["no.path."]),
        ] {
            assert_eq!(told_apart(&paths), expected);
        }
    }

    #[test]
    fn an_override_is_cut_at_the_first_equals_sign_outside_quotes() {
        assert_eq!(Override::parse("a.b=c=d"), Ok(Override::new("a.b", "c=d")));
        assert_eq!(Override::parse("a.\"b=c\" = 5"), Ok(Override::new("a.\"b=c\"", "5")));
        assert!(Override::parse("a.b").is_err());
    }
}
