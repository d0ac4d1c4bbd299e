//! Is there a slot for everybody?

use super::{Slot, Who};

/// Can everybody be given a slot of its own that it may use?
///
/// By augmenting paths (Kuhn 1955): whoever has a slot already may get another for the next one's sake.
#[must_use]
pub fn have_room(all: &[Who], free: &[Slot], allowed: impl Fn(Who, Slot) -> bool) -> bool {
    let mut search = Search { all, free, allowed, given: vec![None; free.len()] };
    (0..all.len()).all(|next| search.find(next, &mut vec![false; free.len()]))
}

struct Search<'a, F> {
    all: &'a [Who],
    free: &'a [Slot],
    allowed: F,
    /// Who has each slot.
    given: Vec<Option<usize>>,
}

impl<F: Fn(Who, Slot) -> bool> Search<'_, F> {
    fn find(&mut self, next: usize, tried: &mut [bool]) -> bool {
        for (place, slot) in self.free.iter().enumerate() {
            if tried[place] || !(self.allowed)(self.all[next], *slot) {
                continue;
            }
            tried[place] = true;
            if self.given[place].is_none_or(|holder| self.find(holder, tried)) {
                self.given[place] = Some(next);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_moves_for_the_sake_of_another() {
        let slots = [Slot(0), Slot(1)];
        let whos = [Who(0), Who(1)];
        // The first may use both, the second only the first.
        assert!(have_room(&whos, &slots, |who, slot| who.0 == 0 || slot.0 == 0));
        assert!(!have_room(&whos, &slots, |_, slot| slot.0 == 0));
    }
}
