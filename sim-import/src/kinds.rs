//! The shelf of kinds of files. One more is one file and two lines: a `mod` and an entry of the list.

mod processes;
mod rt_app;
mod sched;
mod simso;
mod swf;

use crate::Refusal;
use crate::page::Page;

/// A kind of file that can be imported.
#[derive(Debug)]
pub struct Kind {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What a file of it is, with its article.
    pub title: &'static str,
    /// What becomes of it, for listings.
    pub summary: &'static str,
    /// Is this the beginning of one?
    pub(crate) recognises: fn(&str) -> bool,
    /// What it says in the words of a scenario.
    pub(crate) page: fn(&str) -> Result<Page, Refusal>,
}

/// All kinds, in the order in which they are tried: the surest first.
pub static KINDS: &[Kind] = &[simso::KIND, rt_app::KIND, sched::KIND, swf::KIND, processes::KIND];
