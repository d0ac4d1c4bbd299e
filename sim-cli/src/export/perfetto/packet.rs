//! Protocol buffers, as many of them as a trace needs, and the packets that they make: those of the schema of Perfetto's
//! releases 52 to 59 (`protos/perfetto/trace`), whose numbers of fields never change.

use std::collections::BTreeMap;
use std::io::{self, Write as _};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use sim_core::time::Time;

/// A message in the making.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number > 0x7f {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// A field with a number, which is none below zero.
    pub(super) fn number(&mut self, field: u32, number: u64) -> &mut Message {
        self.varint(u64::from(field) << 3);
        self.varint(number);
        self
    }

    /// A field with a text.
    pub(super) fn text(&mut self, field: u32, text: &str) -> &mut Message {
        self.bytes(field, text.as_bytes())
    }

    /// A field with a message.
    pub(super) fn message(&mut self, field: u32, fill: impl FnOnce(&mut Message)) -> &mut Message {
        let mut inner = Message::default();
        fill(&mut inner);
        self.bytes(field, &inner.0)
    }

    fn bytes(&mut self, field: u32, bytes: &[u8]) -> &mut Message {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }
}

/// Fields of `TracePacket`.
mod field {
    pub(super) const FTRACE: u32 = 1;
    pub(super) const TIME: u32 = 8;
    pub(super) const SEQUENCE: u32 = 10;
    pub(super) const TRACK_EVENT: u32 = 11;
    pub(super) const INTERNED: u32 = 12;
    pub(super) const FLAGS: u32 = 13;
    pub(super) const COMPRESSED: u32 = 50;
    pub(super) const TRACK: u32 = 60;
    pub(super) const TASK_STATE: u32 = 117;
}

/// A track, by the number that its descriptor gives it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Track(pub(super) u64);

/// A name of which the trace keeps one copy. What it is called for, names of slices or of tasks, are lists of their own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name {
    /// Of slices and instants.
    Event,
    /// Of groups of these.
    Category,
    /// Of what is said beside them.
    Argument,
    /// What is said.
    Value,
}

impl Name {
    /// Its list in `InternedData`.
    fn list(self) -> u32 {
        match self {
            Name::Category => 1,
            Name::Event => 2,
            Name::Argument => 3,
            Name::Value => 29,
        }
    }
}

/// What a slice or an instant says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Words<'a> {
    /// What it is called.
    pub(super) name: &'a str,
    /// What kind of thing it is, to choose by.
    pub(super) category: &'static str,
    /// What else is known: names and values.
    pub(super) arguments: &'a [(&'static str, &'a str)],
}

/// The types of `TrackEvent`.
const SLICE_BEGINS: u64 = 1;
const SLICE_ENDS: u64 = 2;
const INSTANT: u64 = 3;
const COUNTER: u64 = 4;

/// All packets are of one sequence: without a number, events on tracks vanish, and so do those that need names before the
/// first packet has said that there are none yet.
const SEQUENCE: u64 = 1;
const NAMES_ARE_FORGOTTEN: u64 = 1;
const NEEDS_NAMES: u64 = 2;

/// That of ordinary threads of Linux.
const PRIORITY: u64 = 120;

/// How much is compressed and goes out at a time.
const PIECE: usize = 1 << 19;

/// A trace in the making, which goes out in pieces: each a packet with many compressed ones.
pub(super) struct Trace<'a> {
    out: &'a mut dyn io::Write,
    /// The packets that have not gone out yet.
    bytes: Message,
    /// After a failure nothing more goes out.
    result: io::Result<()>,
    /// The numbers of the names of each list.
    names: [BTreeMap<String, u64>; 4],
    tracks: u64,
}

impl Trace<'_> {
    pub(super) fn new(out: &mut dyn io::Write) -> Trace<'_> {
        let mut trace = Trace { out, bytes: Message::default(), result: Ok(()), names: Default::default(), tracks: 0 };
        trace.packet(|packet| {
            packet.number(field::SEQUENCE, SEQUENCE).number(field::FLAGS, NAMES_ARE_FORGOTTEN);
        });
        trace
    }

    pub(super) fn end(mut self) -> io::Result<()> {
        self.goes_out();
        self.result
    }

    fn goes_out(&mut self) {
        if self.result.is_ok() {
            self.result = compressed(&self.bytes.0).and_then(|piece| self.out.write_all(&piece.0));
        }
        self.bytes.0.clear();
    }

    fn packet(&mut self, fill: impl FnOnce(&mut Message)) {
        self.bytes.message(1, fill);
        if self.bytes.0.len() >= PIECE {
            self.goes_out();
        }
    }

    /// A new track: `fill` says what it is in fields of `TrackDescriptor`.
    pub(super) fn track(&mut self, fill: impl FnOnce(&mut Message)) -> Track {
        self.tracks += 1;
        let track = self.tracks;
        self.packet(|packet| {
            packet.message(field::TRACK, |descriptor| {
                descriptor.number(1, track);
                fill(descriptor);
            });
        });
        Track(track)
    }

    /// A thread is in this state of `GenericKernelTaskStateEvent` from now on, after it was on that processor, or there. All have
    /// one priority: 0 would be shown as that of real-time classes.
    pub(super) fn state(&mut self, at: Time, thread: u64, state: u64, processor: Option<u64>) {
        self.packet(|packet| {
            packet.number(field::TIME, at.ns()).message(field::TASK_STATE, |event| {
                if let Some(processor) = processor {
                    event.number(1, processor);
                }
                event.number(3, thread).number(4, state).number(5, PRIORITY);
            });
        });
    }

    /// A thread wakes another, or nobody does: 0. All that is said so is said of one processor: of each that has such events
    /// Perfetto shows no time before the first of them.
    pub(super) fn waking(&mut self, at: Time, waker: u64, woken: u64) {
        self.packet(|packet| {
            packet.number(field::SEQUENCE, SEQUENCE).message(field::FTRACE, |bundle| {
                bundle.number(1, 0).message(2, |event| {
                    event.number(1, at.ns()).number(2, waker).message(20, |waking| {
                        waking.number(2, woken).number(3, PRIORITY);
                    });
                });
            });
        });
    }

    pub(super) fn begins(&mut self, track: Track, at: Time, words: Words<'_>) {
        self.event(track, at, SLICE_BEGINS, Some(words), None);
    }

    pub(super) fn ends(&mut self, track: Track, at: Time) {
        self.event(track, at, SLICE_ENDS, None, None);
    }

    pub(super) fn instant(&mut self, track: Track, at: Time, words: Words<'_>) {
        self.event(track, at, INSTANT, Some(words), None);
    }

    pub(super) fn counter(&mut self, track: Track, at: Time, value: i64) {
        self.event(track, at, COUNTER, None, Some(value));
    }

    fn event(&mut self, track: Track, at: Time, kind: u64, words: Option<Words<'_>>, value: Option<i64>) {
        let mut fresh = Message::default();
        let mut event = Message::default();
        event.number(9, kind).number(11, track.0);
        if let Some(words) = words {
            event.number(3, self.name(Name::Category, words.category, &mut fresh));
            event.number(10, self.name(Name::Event, words.name, &mut fresh));
            for (name, value) in words.arguments {
                let name = self.name(Name::Argument, name, &mut fresh);
                let value = self.name(Name::Value, value, &mut fresh);
                event.message(4, |argument| {
                    argument.number(1, name).number(17, value);
                });
            }
        }
        if let Some(value) = value {
            event.number(30, value as u64);
        }
        self.packet(|packet| {
            packet.number(field::TIME, at.ns()).number(field::SEQUENCE, SEQUENCE).number(field::FLAGS, NEEDS_NAMES);
            if !fresh.0.is_empty() {
                packet.bytes(field::INTERNED, &fresh.0);
            }
            packet.bytes(field::TRACK_EVENT, &event.0);
        });
    }

    /// The number of a name; `fresh` tells it to readers if it is new.
    fn name(&mut self, list: Name, name: &str, fresh: &mut Message) -> u64 {
        let names = &mut self.names[list as usize];
        if let Some(known) = names.get(name) {
            return *known;
        }
        let next = names.len() as u64 + 1;
        names.insert(name.to_owned(), next);
        fresh.message(list.list(), |entry| {
            entry.number(1, next).text(2, name);
        });
        next
    }
}

/// Packets as one packet.
fn compressed(packets: &[u8]) -> io::Result<Message> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(packets)?;
    let bytes = encoder.finish()?;
    let mut piece = Message::default();
    piece.message(1, |packet| {
        packet.bytes(field::COMPRESSED, &bytes);
    });
    Ok(piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_are_as_the_format_has_them() {
        let mut message = Message::default();
        message.number(1, 150).text(2, "testing").message(3, |inner| {
            inner.number(1, 0).number(16, u64::MAX);
        });
        let bytes = [
            &[0x08, 0x96, 0x01, 0x12, 0x07][..],
            b"testing",
            &[0x1a, 0x0e, 0x08, 0x00, 0x80, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        ];
        assert_eq!(message.0, bytes.concat());
    }

    #[test]
    fn a_name_is_told_once() {
        let mut nowhere = io::sink();
        let mut trace = Trace::new(&mut nowhere);
        let track = trace.track(|descriptor| {
            descriptor.text(2, "track");
        });
        for at in [1, 2] {
            let arguments = [("behind", "B#7")];
            let words = Words { name: "a long name", category: "waiting", arguments: &arguments };
            trace.instant(track, Time::from_ns(at), words);
        }
        // What has not gone out yet is not compressed yet.
        let bytes = std::mem::take(&mut trace.bytes.0);
        for name in ["a long name", "waiting", "behind", "B#7"] {
            assert_eq!(bytes.windows(name.len()).filter(|found| *found == name.as_bytes()).count(), 1, "{name}");
        }
    }
}
