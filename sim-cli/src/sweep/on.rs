//! Where the shards of an experiment are computed, as it is written: `slurm`, or `slurm:shards=16,time=10:00`.

use std::str::FromStr;

/// A place and what is asked of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct On {
    /// Its name on the shelf.
    pub place: String,
    /// Keys and what they are set to, in the order in which they are written; `None` for a word alone.
    pub options: Vec<(String, Option<String>)>,
}

impl FromStr for On {
    type Err = String;

    fn from_str(text: &str) -> Result<On, String> {
        let (place, options) = text.split_once(':').unwrap_or((text, ""));
        if place.is_empty() {
            return Err("write the name of a place, and its options behind a colon: slurm:shards=16".to_owned());
        }
        let mut read: Vec<(String, Option<String>)> = Vec::new();
        for option in options.split(',').filter(|_| !options.is_empty()) {
            let (key, value) = option.split_once('=').map_or((option, None), |(key, value)| (key, Some(value)));
            let is_key = key.starts_with(|letter: char| letter.is_ascii_lowercase())
                && key.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-');
            if !is_key {
                return Err(format!("`{option}` is no option: write key=value, and a comma between two"));
            }
            if value.is_some_and(str::is_empty) {
                return Err(format!("`{key}` is set to nothing: write {key}=VALUE"));
            }
            if read.iter().any(|(known, _)| known == key) {
                return Err(format!("`{key}` is there twice"));
            }
            read.push((key.to_owned(), value.map(str::to_owned)));
        }
        Ok(On { place: place.to_owned(), options: read })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_written_with_its_options() {
        let on: On = "slurm:shards=16,time=10:00,exclusive".parse().expect("a place");
        let option = |key: &str, value: Option<&str>| (key.to_owned(), value.map(str::to_owned));
        assert_eq!(on.place, "slurm");
        let options = [option("shards", Some("16")), option("time", Some("10:00")), option("exclusive", None)];
        assert_eq!(on.options, options);
        assert_eq!("slurm".parse(), Ok(On { place: "slurm".to_owned(), options: Vec::new() }));
        for (text, told) in [
            ("", "the name of a place"),
            (":shards=2", "the name of a place"),
            ("slurm:--mem=2G", "no option"),
            ("slurm:shards=2,,mem=2G", "no option"),
            ("slurm:shards=", "set to nothing"),
            ("slurm:mem=1G,mem=2G", "there twice"),
        ] {
            let said = text.parse::<On>().expect_err(text);
            assert!(said.contains(told), "{text}: {said}");
        }
    }
}
