//! What is asked of Slurm: `--on slurm:OPTIONS`. Some keys are ours, the others are options of `sbatch`.

use std::time::Duration;

use super::super::on::Options;

/// Read from the options.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Asked {
    /// How many shards; chosen here if it is not said.
    pub(super) shards: Option<u32>,
    /// So often a shard is submitted by one call.
    pub(super) attempts: u32,
    /// The first pause between two looks.
    pub(super) poll: Duration,
    /// So long a client of Slurm may take to answer.
    pub(super) patience: Duration,
    /// The partition, which is an option of `sbatch` too.
    pub(super) partition: Option<String>,
    /// Options for `sbatch`, as they are written there.
    pub(super) sbatch: Vec<String>,
}

/// Options of `sbatch` that the array has of its own.
const OURS: [&str; 12] = [
    "array",
    "job-name",
    "output",
    "error",
    "input",
    "open-mode",
    "wait",
    "parsable",
    "quiet",
    "test-only",
    "wrap",
    "hold",
];

impl Asked {
    /// Reads the options.
    ///
    /// # Errors
    /// A sentence that names the key, and a hint.
    pub(super) fn of(options: &Options) -> Result<Asked, String> {
        let mut asked = Asked {
            shards: None,
            attempts: 3,
            poll: Duration::from_secs(2),
            patience: Duration::from_secs(30),
            partition: None,
            sbatch: Vec::new(),
        };
        for (key, value) in options {
            match (&**key, value.as_deref()) {
                ("shards", value) => asked.shards = Some(count(key, value)?),
                ("attempts", value) => asked.attempts = count(key, value)?,
                ("poll", value) => asked.poll = seconds(key, value)?,
                ("patience", value) => asked.patience = seconds(key, value)?,
                (ours, _) if OURS.contains(&ours) => {
                    return Err(format!("--on slurm: `{ours}` is not yours to set: sim needs it for the job array"));
                }
                (_, Some(value)) => asked.sbatch.push(format!("--{key}={value}")),
                (_, None) => asked.sbatch.push(format!("--{key}")),
            }
            if key == "partition" {
                asked.partition.clone_from(value);
            }
        }
        Ok(asked)
    }
}

fn count(key: &str, value: Option<&str>) -> Result<u32, String> {
    let count = value.and_then(|value| value.parse().ok()).filter(|count| *count > 0);
    count.ok_or_else(|| format!("--on slurm: `{key}` is a whole number above 0: {key}=8"))
}

fn seconds(key: &str, value: Option<&str>) -> Result<Duration, String> {
    let seconds: Option<f64> = value.and_then(|value| value.parse().ok()).filter(|seconds| *seconds > 0.0);
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.ok_or_else(|| format!("--on slurm: `{key}` is a number of seconds above 0: {key}=2"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sweep::on::On;

    fn asked(options: &str) -> Result<Asked, String> {
        Asked::of(&format!("slurm:{options}").parse::<On>().expect("options").options)
    }

    #[test]
    fn what_is_not_ours_is_for_sbatch() {
        let read = asked("shards=16,partition=main,time=10:00,mem=2G,exclusive,poll=0.5").expect("options");
        assert_eq!((read.shards, read.attempts, read.poll), (Some(16), 3, Duration::from_millis(500)));
        assert_eq!(read.partition.as_deref(), Some("main"));
        assert_eq!(read.sbatch, ["--partition=main", "--time=10:00", "--mem=2G", "--exclusive"]);
        for (options, told) in [
            ("shards=0", "`shards` is a whole number above 0"),
            ("shards", "`shards` is a whole number above 0"),
            ("attempts=many", "`attempts` is a whole number"),
            ("poll=-1", "`poll` is a number of seconds"),
            ("poll=1e300", "`poll` is a number of seconds"),
            ("array=1-3", "`array` is not yours to set"),
        ] {
            let said = asked(options).expect_err(options);
            assert!(said.contains(told), "{options}: {said}");
        }
    }
}
