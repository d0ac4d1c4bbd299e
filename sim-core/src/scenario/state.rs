//! Variables: what tasks share beside what they synchronise with, and the conditions on them.

use crate::ids::VariableId;

/// A whole number that all tasks can read and change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it is at first.
    pub value: i64,
}

/// What an operation does to a variable.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Change {
    /// It is this from now on.
    To(i64),
    /// It is so much more; it stays within 64 bits.
    By(i64),
}

impl Change {
    /// What becomes of a value.
    #[must_use]
    pub fn of(self, value: i64) -> i64 {
        match self {
            Change::To(value) => value,
            Change::By(more) => value.saturating_add(more),
        }
    }
}

/// What must hold for an `if` or a `while`: all of these. Invariant: not empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition(pub Box<[Comparison]>);

/// A variable compared with something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Comparison {
    /// Which variable.
    pub variable: VariableId,
    /// How it is compared.
    pub relation: Relation,
    /// With what.
    pub with: Operand,
}

/// With what a variable is compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand {
    /// A number.
    Number(i64),
    /// What another variable is.
    Variable(VariableId),
}

/// How two values are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Relation {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `>=`
    AtLeast,
    /// `>`
    More,
}

impl Relation {
    /// All of them, those first that begin with others.
    pub const ALL: [Relation; 6] =
        [Relation::AtMost, Relation::AtLeast, Relation::Equal, Relation::Unequal, Relation::Less, Relation::More];

    /// How it is written.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Relation::Less => "<",
            Relation::AtMost => "<=",
            Relation::Equal => "==",
            Relation::Unequal => "!=",
            Relation::AtLeast => ">=",
            Relation::More => ">",
        }
    }

    /// What holds where this does not.
    #[must_use]
    pub fn negated(self) -> Relation {
        match self {
            Relation::Less => Relation::AtLeast,
            Relation::AtMost => Relation::More,
            Relation::Equal => Relation::Unequal,
            Relation::Unequal => Relation::Equal,
            Relation::AtLeast => Relation::Less,
            Relation::More => Relation::AtMost,
        }
    }

    fn holds(self, one: i64, other: i64) -> bool {
        match self {
            Relation::Less => one < other,
            Relation::AtMost => one <= other,
            Relation::Equal => one == other,
            Relation::Unequal => one != other,
            Relation::AtLeast => one >= other,
            Relation::More => one > other,
        }
    }
}

impl Condition {
    /// What holds where this does not, if it is a single comparison.
    #[must_use]
    pub fn negated(&self) -> Option<Condition> {
        let [comparison] = &*self.0 else { return None };
        Some(Condition([Comparison { relation: comparison.relation.negated(), ..*comparison }].into()))
    }

    /// Does it hold, if `value` says what each variable is?
    #[must_use]
    pub fn holds(&self, value: impl Fn(VariableId) -> i64) -> bool {
        self.0.iter().all(|Comparison { variable, relation, with }| {
            let with = match with {
                Operand::Number(number) => *number,
                Operand::Variable(other) => value(*other),
            };
            relation.holds(value(*variable), with)
        })
    }

    /// The variables that it reads.
    pub fn variables(&self) -> impl Iterator<Item = VariableId> {
        self.0.iter().flat_map(|comparison| {
            let other = if let Operand::Variable(other) = comparison.with { Some(other) } else { None };
            std::iter::once(comparison.variable).chain(other)
        })
    }

    /// As files have it, if `name` says what each variable is called.
    #[must_use]
    pub fn text<'n>(&self, name: impl Fn(VariableId) -> &'n str) -> String {
        let comparison = |Comparison { variable, relation, with }: &Comparison| {
            let with = match with {
                Operand::Number(number) => number.to_string(),
                Operand::Variable(other) => name(*other).to_owned(),
            };
            format!("{} {} {with}", name(*variable), relation.sign())
        };
        self.0.iter().map(comparison).collect::<Vec<_>>().join(" and ")
    }
}

/// What becomes of the later turns of an `every` when one comes late, since the one before took longer than a period.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Missed {
    /// They follow at once until all have been made up for.
    #[default]
    Burst,
    /// The next comes a period after the late one.
    Delay,
    /// The next comes at the next multiple of the period since the first.
    Skip,
}
