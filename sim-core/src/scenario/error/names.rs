//! Names in messages: which existing one is nearest, and how a list of them is written.

/// Longer texts are not compared, and of longer lists only so many: a hint must not take longer than the reading.
const LONGEST: usize = 64;
const MOST: usize = 5_000;
/// As many names are listed.
const LISTED: usize = 12;

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
        if name.len() > 4 * LONGEST || name.chars().count().abs_diff(length) > limit.max(8) {
            return None;
        }
        if bare(&found) == bare(&name) {
            return Some(0);
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

/// How names are compared: `Context_Switch` is `context-switch`.
fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', ' '], "-")
}

/// Without what one forgets: `cscan` is `c-scan` rather than `scan`.
fn bare(plain: &str) -> String {
    plain.replace('-', "")
}

/// ``did you mean `fifo`?``, or what there is.
pub fn did_you_mean<'n, N>(found: &str, names: N, otherwise: impl FnOnce() -> String) -> String
where
    N: IntoIterator<Item = &'n str>,
{
    nearest(found, names).map_or_else(otherwise, |name| format!("did you mean {}?", quoted(name)))
}

/// `` `a`, `b` and `c` ``; of many names the first.
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

/// `` `a`, `b` or `c` ``; of many names the first.
pub(crate) fn alternatives<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    joined(names, "or")
}

fn joined<'n>(names: impl IntoIterator<Item = &'n str>, last: &str) -> String {
    let mut names = names.into_iter();
    let mut shown: Vec<String> = names.by_ref().take(LISTED).map(quoted).collect();
    let more = names.count();
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
        assert!(listing(vec!["x"; 20]).ends_with("and 8 more"));
    }
}
