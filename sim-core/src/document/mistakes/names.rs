//! Names in messages: which existing one is nearest, and how a list of them is written.

/// Longer texts are not compared, and of longer lists only so many: a hint must not take longer than the reading.
const LONGEST: usize = 64;
const MOST: usize = 5_000;
/// So many signs of a list are shown: two lines.
const SHOWN: usize = 200;

/// The name nearest to `found`, if one is near enough to be meant.
pub(crate) fn nearest<'n>(found: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let found = plain(found);
    let length = found.chars().count();
    if length == 0 || length > LONGEST {
        return None;
    }
    let limit = ((length + 1) / 3).clamp(1, 4);
    let distance = |name: &str| {
        let name = plain(name);
        if bare(&found) == bare(&name) || (found.len() > 1 && found == initials(&name)) {
            return Some(0);
        }
        if name.len() > 4 * LONGEST || name.chars().count().abs_diff(length) > limit.max(8) {
            return None;
        }
        let distance = strsim::osa_distance(&found, &name);
        let contained = length >= 4 && name.len() >= 4 && (name.contains(&found) || found.contains(&name));
        match distance {
            // A short word with another letter in it is another word.
            0..=4 if distance <= limit && (length > 2 || distance == 0) => Some(distance),
            _ if contained => Some(limit + 1),
            _ => None,
        }
    };
    let near = names.into_iter().take(MOST).filter_map(|name| Some((distance(name)?, name)));
    near.min_by_key(|(distance, _)| *distance).map(|(_, name)| name)
}

/// What something is called elsewhere, in small letters with hyphens, and in the language of the document. Of several rows
/// that one counts whose name exists where it is looked for.
pub type Synonym = (&'static str, &'static str);

/// What `found` is called here, if it is known from elsewhere and one of `names` is that.
fn here<'n>(found: &str, synonyms: &[Synonym], names: impl IntoIterator<Item = &'n str> + Clone) -> Option<&'n str> {
    let found = plain(found);
    let meant = synonyms.iter().filter(|(elsewhere, _)| *elsewhere == found);
    meant.map(|(_, here)| *here).find_map(|here| names.clone().into_iter().find(|name| *name == here))
}

/// How names are compared: `Context_Switch` is `context-switch`.
fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', ' '], "-")
}

/// Without what one forgets: `cscan` is `c-scan` rather than `scan`.
fn bare(plain: &str) -> String {
    plain.replace('-', "")
}

/// How it is abbreviated: `ws` is `work-stealing`.
fn initials(plain: &str) -> String {
    match plain.split('-').filter_map(|word| word.chars().next()).collect::<String>() {
        letter if letter.len() < 2 => String::new(),
        letters => letters,
    }
}

/// ``did you mean `fifo`?``, or what there is.
pub fn did_you_mean<'n, N>(found: &str, names: N, synonyms: &[Synonym], otherwise: impl FnOnce() -> String) -> String
where
    N: IntoIterator<Item = &'n str>,
{
    let names: Vec<&str> = names.into_iter().take(MOST).collect();
    if let Some(name) = here(found, synonyms, names.iter().copied()) {
        return format!("here that is {}", quoted(name));
    }
    nearest(found, names).map_or_else(otherwise, |name| format!("did you mean {}?", quoted(name)))
}

/// Names for a list that may be too long to be shown whole: those that look most like `found` come first then.
pub(crate) fn likely_first<'n>(found: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    let mut names: Vec<&str> = names.into_iter().take(MOST).collect();
    if found.chars().count() <= LONGEST && names.iter().map(|name| listed_length(name)).sum::<usize>() > SHOWN {
        let found = plain(found);
        let beginning = |name: &str| plain(&name.chars().take(2 * LONGEST).collect::<String>());
        names.sort_by_cached_key(|name| strsim::osa_distance(&found, &beginning(name)));
    }
    names
}

/// How many signs a name takes in a list.
fn listed_length(name: &str) -> usize {
    name.chars().count().min(LONGEST) + "``, ".len()
}

/// `` `a`, `b` and `c` ``; of names that take more than two lines the first.
pub(crate) fn listing<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    joined(names, "and")
}

/// ``there are `a`, `b` and `c` ``, or ``there is only `a` ``.
pub(crate) fn there_is<'n>(names: impl IntoIterator<Item = &'n str> + Clone) -> String {
    match names.clone().into_iter().take(2).count() {
        0 => "there are none".into(),
        1 => format!("there is only {}", listing(names)),
        _ => format!("there are {}", listing(names)),
    }
}

/// `` `a`, `b` or `c` ``; of names that take more than two lines the first.
pub(crate) fn alternatives<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    joined(names, "or")
}

/// The same, however many there are.
pub(crate) fn all_alternatives<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    joined_up_to(usize::MAX, names, "or")
}

fn joined<'n>(names: impl IntoIterator<Item = &'n str>, last: &str) -> String {
    joined_up_to(SHOWN, names, last)
}

fn joined_up_to<'n>(most: usize, names: impl IntoIterator<Item = &'n str>, last: &str) -> String {
    let (mut shown, mut more, mut length) = (Vec::new(), 0, 0);
    for name in names {
        length += listed_length(name);
        if length <= most { shown.push(quoted(name)) } else { more += 1 }
    }
    if more > 0 {
        return format!("{} and {more} more", shown.join(", "));
    }
    match shown.pop() {
        None => String::new(),
        Some(only) if shown.is_empty() => only,
        Some(end) => format!("{} {last} {end}", shown.join(", ")),
    }
}

/// A name between backticks, shortened if it is a novel.
pub(crate) fn quoted(name: &str) -> String {
    if name.chars().count() <= LONGEST {
        return format!("`{name}`");
    }
    format!("`{}…`", name.chars().take(LONGEST).collect::<String>())
}

/// What to say when nothing of a kind is declared at all.
pub(crate) fn add_one(header: &str, name: &str) -> String {
    format!("declare it: [[{header}]] with name = \"{}\"", name.chars().take(LONGEST).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_what_was_meant() {
        let names = ["fifo", "round-robin", "work-stealing", "srtf", "io", "context-switch", "async", "scan", "c-scan"];
        for (found, name) in [
            ("round-robbin", Some("round-robin")),
            ("Round_Robin", Some("round-robin")),
            ("contextswitch", Some("context-switch")),
            ("stealing", Some("work-stealing")),
            ("ffio", Some("fifo")),
            ("strf", Some("srtf")),
            ("IO", Some("io")),
            ("asink", Some("async")),
            ("cscan", Some("c-scan")),
            ("scann", Some("scan")),
            ("id", None),
            ("cfs", None),
            ("", None),
        ] {
            assert_eq!(nearest(found, names), name, "{found}");
        }
    }

    #[test]
    fn lists_read_like_english() {
        assert_eq!(listing([]), "");
        assert_eq!(listing(["a"]), "`a`");
        assert_eq!(alternatives(["a", "b", "c"]), "`a`, `b` or `c`");
        assert!(!listing(vec!["x"; 40]).contains("more"), "what fits two lines is shown whole");
        assert!(listing(vec!["x"; 60]).ends_with("and 20 more"));
    }

    #[test]
    fn of_a_long_list_the_likely_names_are_shown() {
        let names: Vec<String> = (0..500).map(|number| format!("account-number-{number}")).collect();
        let names = || names.iter().map(String::as_str);
        assert_eq!(likely_first("account-number-x499", names())[0], "account-number-499");
        assert_eq!(likely_first("b", ["a", "b"]), ["a", "b"], "what is shown whole keeps its order");
    }
}
