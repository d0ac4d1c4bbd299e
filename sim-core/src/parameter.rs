//! What the shelves tell of a parameter: its values, its default, and what it is for.

/// A parameter of a policy, an executor or a discipline, as `sim list` and the documentation show it. The `read` of what
/// it belongs to is what decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parameter {
    /// Its name in scenario files.
    pub name: &'static str,
    /// What can be written there, such as `a duration`.
    pub values: &'static str,
    /// What holds if it is not written; `required` if it must be.
    pub default: &'static str,
    /// What it is for, in half a line.
    pub meaning: &'static str,
}

impl Parameter {
    /// A parameter, in the order in which a table shows it: name, values, default, meaning.
    #[must_use]
    pub const fn new(
        name: &'static str,
        values: &'static str,
        default: &'static str,
        meaning: &'static str,
    ) -> Parameter {
        Parameter { name, values, default, meaning }
    }
}

/// The names alone.
#[must_use]
pub fn names(parameters: &[Parameter]) -> Vec<&'static str> {
    parameters.iter().map(|parameter| parameter.name).collect()
}
