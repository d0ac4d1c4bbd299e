//! What the clients of Slurm say and are told, as texts.

use std::collections::BTreeSet;
use std::path::Path;

/// What `squeue -o` is asked for, and [`rows`] reads: the array's id, the index, the name of the job, its state, why it waits.
pub(super) const FORMAT: &str = "%F|%K|%j|%T|%r";

/// A task of an array, or all of its tasks that are not there one by one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Row {
    /// The id of the array.
    pub(super) id: u64,
    /// The indices that it speaks of; none where Slurm speaks of the rest of the array.
    pub(super) indices: Vec<u32>,
    pub(super) name: String,
    pub(super) state: String,
    pub(super) reason: String,
}

/// The rows that `squeue` wrote. What is no row (a warning of a site's own) is none.
pub(super) fn rows(text: &str) -> Vec<Row> {
    text.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let mut fields = line.splitn(5, '|').map(str::trim);
    let id = fields.next()?.parse().ok()?;
    let indices = indices(fields.next()?);
    let (name, state, reason) = (fields.next()?, fields.next()?, fields.next()?);
    Some(Row { id, indices, name: name.to_owned(), state: state.to_owned(), reason: reason.to_owned() })
}

/// A set of indices as Slurm writes it: `7`, `1-3,7`, `0-9:3`, `1-100%2`; `N/A` is none.
fn indices(text: &str) -> Vec<u32> {
    let set = text.split('%').next().unwrap_or_default();
    let part = |part: &str| -> Vec<u32> {
        let (range, step) = part.split_once(':').map_or((part, 1), |(range, step)| (range, step.parse().unwrap_or(1)));
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        match (first.trim().parse::<u32>(), last.trim().parse::<u32>()) {
            (Ok(first), Ok(last)) => (first..=last).step_by(step.max(1)).collect(),
            _ => Vec::new(),
        }
    };
    set.trim_matches(['[', ']']).split(',').flat_map(part).collect()
}

/// A set of indices for `sbatch --array`.
pub(super) fn array(indices: &BTreeSet<u32>) -> String {
    let mut parts: Vec<(u32, u32)> = Vec::new();
    for index in indices {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == *index => *last = *index,
            _ => parts.push((*index, *index)),
        }
    }
    let part = |(first, last): &(u32, u32)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    parts.iter().map(part).collect::<Vec<_>>().join(",")
}

/// The id that `sbatch --parsable` wrote: `12`, or `12;cluster`. It is on the last line, below what a site says.
pub(super) fn id(text: &str) -> Option<u64> {
    text.lines().rev().find(|line| !line.trim().is_empty())?.trim().split(';').next()?.parse().ok()
}

/// Does `squeue` say that it knows no job of this id? It forgets them minutes after their end.
pub(super) fn is_unknown(error: &str) -> bool {
    error.contains("Invalid job id")
}

/// Does this error of `sbatch` say that nobody answered? The job may have been taken all the same.
pub(super) fn is_no_answer(error: &str) -> bool {
    let signs =
        ["Unable to contact", "imed out", "Connection", "Zero Bytes", "Communication", "not respond", "Transport"];
    signs.iter().any(|sign| error.contains(sign))
}

/// The greatest number of an array, exclusive, from `scontrol show config`.
pub(super) fn largest_array(config: &str) -> Option<u32> {
    let line = config.lines().find(|line| line.trim_start().starts_with("MaxArraySize"))?;
    line.split_once('=')?.1.trim().parse().ok()
}

/// How many processors a partition has, from `sinfo -h -o '%P|%C'`: that one, or the one that is marked as the default. The
/// fourth of the numbers is that of all.
pub(super) fn processors(text: &str, partition: Option<&str>) -> Option<u32> {
    let line = text.lines().find_map(|line| {
        let (name, processors) = line.trim().split_once('|')?;
        let is_it = partition.map_or(name.ends_with('*'), |wanted| name.trim_end_matches('*') == wanted);
        is_it.then_some(processors)
    })?;
    line.split('/').nth(3)?.trim().parse().ok()
}

/// A path as `--output` has it, where `%` begins what Slurm fills in.
pub(super) fn output(folder: &Path) -> String {
    format!("{}/log-%a.txt", folder.display().to_string().replace('%', "%%"))
}

/// A text as one word of a shell.
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_what_squeue_writes() {
        // An array of 1-3,7 on one processor, while it runs and after it was cancelled: what never began has no index then.
        let running =
            "1|2|sim-abc-1|PENDING|Resources\n1|7|sim-abc-1|PENDING|JobHeldAdmin\n1|1|sim-abc-1|RUNNING|None\n";
        let found: Vec<(Vec<u32>, String, String)> =
            rows(running).into_iter().map(|row| (row.indices, row.state, row.reason)).collect();
        let of = |index, state: &str, reason: &str| (vec![index], state.to_owned(), reason.to_owned());
        let expected = [of(2, "PENDING", "Resources"), of(7, "PENDING", "JobHeldAdmin"), of(1, "RUNNING", "None")];
        assert_eq!(found, expected);
        let cancelled = rows("1|N/A|sim-abc-1|CANCELLED|Resources\n1|1|sim-abc-1|CANCELLED|None\n");
        assert_eq!((cancelled[0].indices.clone(), cancelled[1].indices.clone()), (vec![], vec![1]));
        let together = rows("slurm is being updated\n12|2-3,7%2|sim-abc-1|PENDING|Resources\n");
        assert_eq!((together.len(), together[0].id, together[0].indices.clone()), (1, 12, vec![2, 3, 7]));
        assert_eq!(rows("3|1|x|FAILED|launch failed requeued held")[0].reason, "launch failed requeued held");
        assert_eq!(rows(""), []);
    }

    #[test]
    fn sets_of_indices_are_written_short() {
        let written = |indices: &[u32]| array(&indices.iter().copied().collect());
        assert_eq!(written(&[1, 2, 3, 4]), "1-4");
        assert_eq!(written(&[1, 3, 4, 9]), "1,3-4,9");
        assert_eq!(indices("1,3-4,9"), [1, 3, 4, 9]);
        assert_eq!(indices("[0-9:3%2]"), [0, 3, 6, 9]);
    }

    #[test]
    fn answers_and_errors_are_told_apart() {
        assert_eq!(id("12\n"), Some(12));
        assert_eq!(id("12;cluster\n"), Some(12));
        assert_eq!(id("welcome\n\n12\n"), Some(12));
        assert_eq!(id(""), None);
        assert!(is_unknown("slurm_load_jobs error: Invalid job id specified\n"));
        assert!(!is_unknown("slurm_load_jobs error: Unable to contact slurm controller (connect failure)\n"));
        assert!(is_no_answer("sbatch: error: Batch job submission failed: Socket timed out on send/recv operation\n"));
        assert!(is_no_answer("Unable to contact slurm controller (connect failure)"));
        for refused in [
            "sbatch: error: Batch job submission failed: Invalid partition name specified",
            "sbatch: error: Batch job submission failed: Invalid job array specification",
            "sbatch: unrecognized option '--nix'",
        ] {
            assert!(!is_no_answer(refused), "{refused}");
        }
    }

    #[test]
    fn the_size_of_a_cluster_is_read() {
        assert_eq!(
            largest_array("Configuration data\nMaxArraySize            = 1001\nMaxDBDMsgs = 20008\n"),
            Some(1001)
        );
        assert_eq!(largest_array(""), None);
        let partitions = "long|0/0/8/8\nmain*|2/62/0/64\n";
        assert_eq!(processors(partitions, None), Some(64));
        assert_eq!(processors(partitions, Some("long")), Some(8));
        assert_eq!(processors(partitions, Some("main")), Some(64));
        assert_eq!(processors("", None), None);
    }

    #[test]
    fn odd_paths_stay_what_they_are() {
        assert_eq!(output(Path::new("/a/100%a")), "/a/100%%a/log-%a.txt");
        assert_eq!(quoted("it's $1"), r"'it'\''s $1'");
    }
}
