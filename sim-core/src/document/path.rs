//! From spots to paths: which key a mistake is about, as an override would write it.

use std::borrow::Cow;

use super::overrides::{key, name_of};
use super::{Kind, Origin, Override, Spot, Value};

/// The path of the innermost key or value that holds the spot; of one in an override, the override's own.
pub(super) fn path_of(spot: Spot, root: Option<&Value<'_>>, overrides: &[Override]) -> Option<String> {
    match spot.origin {
        Origin::Whole => None,
        Origin::Override(index) => overrides.get(index as usize).map(|set| set.path.clone()),
        Origin::File => {
            let mut search = Search { spot, narrowest: u32::MAX, path: None };
            search.below(root?, &mut Vec::new());
            search.path
        }
    }
}

struct Search {
    spot: Spot,
    /// How many bytes the narrowest so far has.
    narrowest: u32,
    path: Option<String>,
}

impl Search {
    /// Looks at all that is in a value. A table with a header does not stand within the spot of anything.
    fn below<'v>(&mut self, value: &'v Value<'_>, path: &mut Vec<Cow<'v, str>>) {
        match &value.kind {
            Kind::Table(entries) => {
                for entry in entries {
                    path.push(Cow::Borrowed(&entry.key));
                    self.consider(entry.key_spot, path);
                    self.consider(entry.value.spot, path);
                    self.below(&entry.value, path);
                    path.pop();
                }
            }
            Kind::List(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    path.push(name_of(element).map_or_else(|| index.to_string().into(), Cow::Borrowed));
                    self.consider(element.spot, path);
                    self.below(element, path);
                    path.pop();
                }
            }
            _ => {}
        }
    }

    /// Of two that are as narrow the inner one counts, which comes later.
    fn consider(&mut self, found: Spot, path: &[Cow<'_, str>]) {
        let Spot { origin, start, end } = self.spot;
        let width = found.end.saturating_sub(found.start);
        if found.origin == origin && found.start <= start && end <= found.end && width <= self.narrowest {
            self.narrowest = width;
            self.path = Some(path.iter().map(|name| key(name)).collect::<Vec<_>>().join("."));
        }
    }
}
