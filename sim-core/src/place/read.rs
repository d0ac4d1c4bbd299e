//! Reading where a request wants to go: a track, or the law it is drawn from.

use std::sync::Arc;

use super::{LAST_TRACK, Place, Tracks};
use crate::document::{Item, Kind, Note, quoted, there_is};

/// The laws, which are those of durations as far as they make sense for whole numbers.
const LAWS: &[&str] = &["constant", "uniform", "choice", "samples"];

impl<'a> Item<'a> {
    /// The number of a track, or the law it is drawn from.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        match self.kind() {
            Kind::Integer(_) => self.track().map(Place::At),
            Kind::Table(_) => self.tracks(),
            _ => {
                self.mismatch("a track number or a distribution", "at = 98 or at = { uniform = [0, 199] }");
                None
            }
        }
    }

    /// The number of a track.
    #[must_use]
    pub fn track(&self) -> Option<u32> {
        self.count(0..=LAST_TRACK)
    }

    fn tracks(&self) -> Option<Place> {
        let mut table = self.table("a distribution of tracks")?;
        let present = table.present(LAWS);
        let [name] = present.as_slice() else {
            table.tolerate_all();
            self.not_one_law(&present);
            return None;
        };
        let item = table.item(name)?;
        let tracks = match *name {
            "constant" => return item.track().map(Place::At),
            "uniform" => uniform(item)?,
            "choice" => Tracks::Choice(item.weighted("[[0.5, 10], [0.5, 90]]", |item| item.track())?),
            _ => {
                let tracks: Vec<_> = item.list()?.iter().map(Item::track).collect();
                let tracks = tracks.into_iter().collect::<Option<Vec<u32>>>()?;
                if tracks.is_empty() {
                    item.wrong("`samples` is empty", "write samples = [98, 183, 37]");
                    return None;
                }
                Tracks::Samples(tracks)
            }
        };
        Some(Place::Drawn(Arc::new(tracks)))
    }

    /// Notes that a table has no law of tracks, or more than one.
    fn not_one_law(&self, present: &[&str]) {
        let known = || there_is(LAWS.iter().copied());
        if let [first, second, ..] = present {
            let sentence = format!("{} has two distributions, `{first}` and `{second}`", self.name());
            return self.wrong(sentence, "leave one of them");
        }
        match self.kind() {
            Kind::Table(entries) if !entries.is_empty() => {
                let entry = entries.iter().min_by_key(|entry| entry.key_spot).unwrap_or(&entries[0]);
                let sentence = format!("unknown distribution of tracks {}", quoted(&entry.key));
                let hint = self.log().did_you_mean(&entry.key, LAWS.iter().copied(), known);
                self.log().add(Note::new(entry.key_spot, sentence).hint(hint));
            }
            _ => self.wrong(format!("{} has no distribution", self.name()), known()),
        }
    }
}

fn uniform(item: Item<'_>) -> Option<Tracks> {
    let [low, high] = item.pair("a pair, the lowest and the highest", "uniform = [0, 199]")?;
    let (lowest, highest) = (low.track(), high.track());
    let (lowest, highest) = (lowest?, highest?);
    if highest < lowest {
        let sentence = format!("the highest track, {highest}, is below the lowest, {lowest}");
        item.log().add(Note::new(high.spot(), sentence).also(low.spot(), "the lowest"));
        return None;
    }
    Some(Tracks::Uniform { low: lowest, high: highest })
}
