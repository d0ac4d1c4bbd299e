//! What this parser takes, `toml` reads in the same way; and what scenarios are made of it takes.

use super::super::{Origin, judged};
use super::*;
use crate::rng::{Stream, StreamName};

/// Texts that hold everything that the parser knows, and some of what it does not.
const TEXTS: &[&str] = &[
    include_str!("../../../../tests/good/everything.toml"),
    include_str!("../../../../tests/good/programs.toml"),
    include_str!("../../../../tests/good/distributions.toml"),
    include_str!("../../../../tests/good/multiprocessor.toml"),
    "",
    "# only a comment",
    "\u{feff}a = 1\n",
    "a = 1\r\nb = \"x\"\r\n\r\n[c] # comment\r\nd = 'y'\r\n",
    "a = 1\r",
    "a = 1 # a\rb\n",
    "\"quoted key\" = 1\n'literal key' = 2\n\"\" = 3\n\"escaped \\\" key\" = 4\n",
    "a = [1, 0, -1, +1, 1_000, 0x1f, 0o17, 0b11, 007, 1e3, 1.5, -0.25, 1.5e-3, inf, nan, .5, 5., 1__0]\n",
    "big = [999999999999999999, 1000000000000000000, 99999999999999999999999999999999999999999999]\n",
    "dates = [1979-05-27, 07:32:00, 1979-05-27T07:32:00Z, 1979-05-27 07:32:00]\n",
    "texts = [\"\", '', \"a\\tb\\u00e9\\x41\\e\", 'a\\b', \"ü\", \"\\ü\", \"a\u{7f}\", \"tab\tbed\", \"\\\\\", \"\\\"\"]\n",
    "long = \"\"\"\nof several\nlines\"\"\"\nother = '''x'''\n",
    "a.b = 1\na.c = 2\n[d.e]\nf.g = 3\n[d]\nh = 4\n",
    "[a]\nb = 1\n[a.c]\nd = 2\n[[a.l]]\ne = 1\n[[a.l]]\ne = 2\n[a.l.m]\nf = 3\n[[a.l.n]]\ng = 4\n",
    "[ a . \"b c\" ]\nx = 1\n[[ l ]]\n[[l]]\n[ l.'k' ]\n",
    "[a]\n[a]\n",
    "a = { b = 1 }\n[a.c]\n",
    "a = [{ b = 1 }]\n[[a]]\n[a.c]\n",
    "[a]\nb = 1\n[[a]]\n",
    "[[a]]\n[a]\n",
    "a = { b = 1, c = [1, { d = 2 }, [3, 4,],], }\n",
    "a = {\n  b = 1, # comment\n  c = 2\n}\n",
    "a = [\n  1, # comment\n\n  2,\n]\nb = { , }\nc = [,]\n",
    "a = { b = 1, b = 2 }\n",
    "b = 1\na = 2\nb = 3\n",
    "a = 1 b = 2\n",
    "a = true\nb = false\nc = True\nd = tru\n",
    "a\n= 1\n",
    "a = \n1\n",
    "[a\n]\n",
    "[a]]\n",
    "[[a] ]\n",
    "[ [a]]\n",
];

/// What is put into texts to see whether both parsers still agree.
const PIECES: &[&str] = &[
    "\"",
    "'",
    "\\",
    "\n",
    "\r",
    "\r\n",
    " ",
    "\t",
    "#",
    "[",
    "]",
    "{",
    "}",
    "=",
    ",",
    ".",
    "-",
    "+",
    "_",
    ":",
    "0",
    "7",
    "e",
    "x",
    "ü",
    "\u{7f}",
    "\u{0}",
    "\"\"\"",
    "'''",
    "[[",
    "]]",
    "true",
    "inf",
    "1.5",
    "a = 1\n",
    "[a]\n",
    "[[task]]\n",
    "\\u00e9",
];

fn whole(text: &str) -> Text<'_> {
    Text { text, origin: Origin::File, offset: 0 }
}

/// Both read it alike, or this one gives up. Does it not?
fn agrees(text: &str) -> bool {
    let Some(own) = document(whole(text)) else { return false };
    match judged(whole(text)) {
        Ok(theirs) => assert_eq!(format!("{own:?}"), format!("{theirs:?}"), "{text}"),
        Err(notes) => panic!("taken, though {notes:?}:\n{text}"),
    }
    true
}

#[test]
fn both_parsers_read_alike_what_both_take() {
    for text in TEXTS {
        agrees(text);
    }
    let mut chance = StreamName::new(7).word("parse").stream();
    let mut taken = 0;
    for round in 0..40_000 {
        let mut text = TEXTS[round % TEXTS.len()].to_owned();
        (0..=chance.below(2)).for_each(|_| spoil(&mut text, &mut chance));
        taken += usize::from(agrees(&text));
    }
    assert!(taken > 3_000, "{taken} texts were taken: the others say nothing");
}

/// Puts something in, takes something out, or repeats a part.
fn spoil(text: &mut String, chance: &mut Stream) {
    let mut place = || {
        let at = usize::try_from(chance.below(text.len() as u64 + 1)).unwrap();
        (at..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap()
    };
    let (a, b) = (place(), place());
    let (start, end) = (a.min(b), a.max(b));
    match chance.below(4) {
        0 if text.get(start..start + 2).is_some() => text.replace_range(start..start + 2, ""),
        0 => drop(text.pop()),
        1 => {
            let part = text.get(start..end.min(start + 40)).unwrap_or_default().to_owned();
            text.insert_str(end, &part);
        }
        _ => text.insert_str(start, PIECES[usize::try_from(chance.below(PIECES.len() as u64)).unwrap()]),
    }
}

#[test]
fn usual_texts_are_taken() {
    for text in &TEXTS[..4] {
        assert!(agrees(text), "{text}");
    }
    for text in [
        "a = 1\r\nb = \"x\"\r\n\r\n[c] # comment\r\nd = 'y'\r\n",
        "a = [1, 0, -1, 1_000, 0x1f, 1e3, 1.5, inf]",
        "\"quoted key\" = \"a\\tb\"",
        "[a]\nb = 1\n[a.c]\n[[l]]\n[l.m]\nd = [\n  { e = 1 }, # comment\n  [],\n]\n",
    ] {
        assert!(agrees(text), "{text}");
    }
    assert!(!agrees(&format!("a = {}{}", "[".repeat(40), "]".repeat(40))), "deep ones are left to `toml`");
}

#[test]
fn what_takes_long_here_is_left_to_toml() {
    let headers = |count: usize| (0..count).rev().map(|number| format!("[k{number:04}]\n")).collect::<String>();
    assert!(agrees(&headers(WIDEST)));
    assert!(!agrees(&headers(WIDEST + 1)), "each header would move all that were before it");
    assert!(agrees(&"[[task]]\nname = \"t\"\n".repeat(WIDEST + 1)), "elements come behind each other");
}

/// Keys, of which few are different: they meet as keys, in headers and with dots.
const KEYS: &[&str] = &["a", "a", "b", "c", "\"a\"", "'b'", "\"b c\"", "\"\\u0061\"", "1", "-", "\"\""];

const SCALARS: &[&str] = &[
    "1",
    "0",
    "-7",
    "+1",
    "1_0",
    "0x1F",
    "0o7",
    "0b1",
    "1.5",
    "-0.0",
    "6e2",
    "1e-3",
    "inf",
    "-nan",
    "true",
    "false",
    "\"\"",
    "''",
    "\"x # ] }\"",
    "'\\ \"'",
    "\"\\u00e9\\t\\\\\"",
    "\"\"\"\nof\n\\\n  lines\"\"\"",
    "'''x'''",
    "1979-05-27",
    "07:32:00",
    "01",
    ".5",
    "x",
];

/// A text of the grammar, which says the same things again in other ways now and then: who defines what, and who may add
/// to it, is not for the grammar.
struct Writer<'a>(&'a mut Stream, String);

impl Writer<'_> {
    fn one_of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[usize::try_from(self.0.below(all.len() as u64)).unwrap()]
    }

    fn write(&mut self, all: &[&str]) {
        let piece = self.one_of(all);
        self.1.push_str(piece);
    }

    fn keys(&mut self, most: u64) {
        self.write(KEYS);
        for _ in 0..self.0.below(most) {
            self.write(&[".", ".", " . "]);
            self.write(KEYS);
        }
    }

    fn entry(&mut self, depth: u64) {
        let dotted = if self.0.below(8) == 0 { 2 } else { 1 };
        self.keys(dotted);
        self.write(&[" = ", "=", "\t= "]);
        self.value(depth);
    }

    fn value(&mut self, depth: u64) {
        const BLANKS: &[&str] = &["", "", " ", "\n", " # ]\n\t", "\r\n"];
        let kind = if depth == 0 { 9 } else { self.0.below(8) };
        if kind > 1 {
            return self.write(SCALARS);
        }
        self.write(&[["[", "{"][usize::try_from(kind).unwrap()]]);
        let count = self.0.below(4);
        for number in 0..count {
            self.write(BLANKS);
            if kind == 0 {
                self.value(depth - 1)
            } else {
                self.entry(depth - 1)
            }
            self.write(BLANKS);
            let comma = if number + 1 < count { &[","; 20][..] } else { &["", "", ","] };
            self.write(comma);
        }
        self.write(BLANKS);
        self.write(&[["]", "}"][usize::try_from(kind).unwrap()]]);
    }

    fn line(&mut self) {
        match self.0.below(8) {
            0 => {}
            1 | 2 => {
                let [open, close] = [["[", "]"], ["[[", "]]"]][usize::try_from(self.0.below(2)).unwrap()];
                self.1.push_str(open);
                self.keys(3);
                self.1.push_str(close);
            }
            _ => self.entry(3),
        }
        self.write(&["\n", "\n", "\r\n", " # [\"\n", "\t\n"]);
    }
}

#[test]
fn both_parsers_read_alike_what_the_grammar_makes() {
    let mut chance = StreamName::new(11).word("grammar").stream();
    let (mut taken, mut right) = (0, 0);
    for _ in 0..30_000 {
        let mut writer = Writer(&mut chance, String::new());
        (0..=writer.0.below(7)).for_each(|_| writer.line());
        let text = writer.1;
        taken += usize::from(agrees(&text));
        right += usize::from(judged(whole(&text)).is_ok());
    }
    assert!(taken > 4_000 && right > 10_000, "{taken} were taken of {right} that are right: the others say nothing");
}
