//! What the tasks of a small world do with variables, and what they do in turns.
//!
//! Programs are flat: what stands between [`Control::If`] and its [`Control::Close`] is done if it holds, and so on.

/// Where a program goes on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Control {
    Set(usize, i64),
    Add(usize, i64),
    If(Condition),
    /// Ends what is done if it holds, and begins what is done if it does not.
    Else,
    While(Condition),
    Every(Every),
    /// Ends what was opened last.
    Close,
}

/// All of these hold.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Condition(pub(crate) Comparison, pub(crate) Option<Comparison>);

/// A variable, how it compares, and with what.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Comparison(pub(crate) usize, pub(crate) &'static str, pub(crate) Value);

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Value {
    Number(i64),
    Variable(usize),
}

/// Turns, so many ticks one after the other.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Every {
    pub(crate) period: u64,
    pub(crate) times: u64,
    pub(crate) missed: &'static str,
}

impl Control {
    pub(crate) fn opens(self) -> bool {
        matches!(self, Control::If(_) | Control::While(_) | Control::Every(_))
    }
}

impl std::fmt::Display for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Control::Set(variable, to) => write!(f, "{{ set = \"v{variable}\", to = {to} }}"),
            Control::Add(variable, by) => write!(f, "{{ add = \"v{variable}\", by = {by} }}"),
            Control::If(condition) => write!(f, "{{ if = \"{condition}\", do = ["),
            Control::Else => write!(f, "], else = ["),
            Control::While(condition) => write!(f, "{{ while = \"{condition}\", do = ["),
            Control::Every(Every { period, times, missed }) => {
                write!(f, "{{ every = \"{period}ms\", times = {times}, missed = \"{missed}\", do = [")
            }
            Control::Close => write!(f, "] }}"),
        }
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Condition(first, second) = self;
        write!(f, "{first}")?;
        second.map_or(Ok(()), |second| write!(f, " and {second}"))
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Comparison(variable, compare, value) = self;
        write!(f, "v{variable} {compare} ")?;
        match value {
            Value::Number(number) => write!(f, "{number}"),
            Value::Variable(other) => write!(f, "v{other}"),
        }
    }
}
