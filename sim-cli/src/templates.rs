//! Scenarios to begin with: what `sim new` writes, one file for each kind in `templates/`.

/// A kind of scenario to begin with.
#[derive(Debug)]
pub struct Template {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it shows, in a few words.
    pub summary: &'static str,
    text: &'static str,
}

/// All kinds; the first is written where none is named.
pub const TEMPLATES: &[Template] = &[
    Template {
        name: "threads",
        summary: "threads on one processor, in slices",
        text: include_str!("templates/threads.toml"),
    },
    Template { name: "async", summary: "an event loop with many tasks", text: include_str!("templates/async.toml") },
    Template {
        name: "processes",
        summary: "work spread over processes",
        text: include_str!("templates/processes.toml"),
    },
    Template {
        name: "real-time",
        summary: "periodic tasks with deadlines",
        text: include_str!("templates/real-time.toml"),
    },
    Template {
        name: "service",
        summary: "requests by chance, and a pool of workers",
        text: include_str!("templates/service.toml"),
    },
    Template {
        name: "locks",
        summary: "a lock and a buffer that are shared",
        text: include_str!("templates/locks.toml"),
    },
];

impl Template {
    /// The text of a scenario of this name.
    #[must_use]
    pub fn text(&self, name: &str) -> String {
        // A title is a text in TOML; whatever else stands in a name of a file is left out.
        let plain: String = name.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\')).collect();
        self.text.replace("NAME", &plain)
    }
}
