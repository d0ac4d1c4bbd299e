//! Words that the format has and this version does not: refused as "not supported yet" at their place, never as
//! unknown. Whoever builds one takes it out of this list; what a reader asks for is never looked up here.

/// Which words of a table, called as in messages, are to come: keys.
const KEYS: &[(&str, &[&str])] = &[];

/// Parameters that other executors have already, by the executor that is to have them.
const PARAMETERS: &[(&str, &[&str])] = &[];

/// Operations to come, by the key that names them.
pub(crate) const OPERATIONS: &[&str] = &[];

/// Operations to come that are a word alone.
pub(crate) const WORDS: &[&str] = &[];

/// Values to come, by the key they stand under.
const VALUES: &[(&str, &[&str])] = &[];

/// Keys of an experiment, which is a file of another kind.
pub(crate) const EXPERIMENT: &[&str] = &["scenario", "replications", "metrics", "baseline", "vary"];

/// Commands to come, and what can be done today.
pub const COMMANDS: &[(&str, &str)] = &[("schema", "docs/scenarios.md describes the format")];

/// Options to come: their names, the commands that are to have them, and what can be done today.
pub const OPTIONS: &[(&[&str], &[&str], &str)] = &[(
    &["-o", "--out"],
    &["run", "measure", "compare"],
    "`--plot FILE` and `--trace FILE` write files today, and `--json` prints the outcome",
)];

/// How the operations are called in messages that may have to wait.
const WAITING: &[&str] = &[
    "`io`",
    "`lock`",
    "`with`",
    "`read`",
    "`write`",
    "`acquire`",
    "`send`",
    "`recv`",
    "`wait`",
    "`barrier`",
    "`join`",
    "`on`",
];

/// What somebody may have meant who writes a word that other tools have, and the format calls otherwise.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    ("`", "timeout", "`within`, the time after which the operation is given up, with `else` for what is done then"),
    (
        "`",
        "blocking-timeout",
        "`within`, the time after which the operation is given up, with `else` for what is done then",
    ),
    ("`", "retry", RETRY),
    ("`", "retries", RETRY),
    ("`", "attempts", RETRY),
    ("[[device]]", "queue-limit", "`queue`, the number of requests that may wait: a further one is turned away"),
    ("[[device]]", "capacity", "`queue`, the number of requests that may wait: a further one is turned away"),
];

const RETRY: &str = "`else`, in which it is tried again: { io = …, within = \"50ms\", else = [{ sleep = \"10ms\" }, { io = … }] } tries twice";

/// Is the key to come in the table that messages call so?
pub(crate) fn has_key(table: &str, key: &str) -> bool {
    KEYS.iter().any(|(known, keys)| *known == table && keys.contains(&key))
}

/// Is the executor to have the parameter of another?
pub(crate) fn has_parameter(executor: &str, parameter: &str) -> bool {
    PARAMETERS.iter().any(|(known, parameters)| *known == executor && parameters.contains(&parameter))
}

/// The values that are to come under this key.
pub(crate) fn values(key: &str) -> &'static [&'static str] {
    VALUES.iter().find(|(known, _)| *known == key).map_or(&[], |(_, values)| values)
}

/// For what another word is often written.
pub(crate) fn meant(table: &str, key: &str) -> Option<&'static str> {
    let here = |known: &str| if known == "`" { WAITING.contains(&table) } else { known == table };
    ELSEWHERE.iter().find(|(known, word, _)| here(known) && *word == key).map(|(.., meant)| *meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_planned_that_is_there() {
        for kind in crate::policy::POLICIES {
            assert!(!values("policy").contains(&kind.name), "{}", kind.name);
        }
        for (table, keys) in KEYS {
            let mut sorted = keys.to_vec();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(sorted.len(), keys.len(), "{table} names a key twice");
        }
    }
}
