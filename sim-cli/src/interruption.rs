//! Ctrl-C: the first asks for an early end with what there is, the second ends the program at once.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::SIGINT;
use signal_hook::flag;

/// The exit code of a command that was interrupted, as shells count signals: 128 + SIGINT.
pub const EXIT_CODE: u8 = 130;

static ASKED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// From now on Ctrl-C only sets a flag; who works looks at [`asked`] now and then. A second Ctrl-C ends the program.
/// Where no handler can be set, Ctrl-C ends the program as ever.
pub fn watch() {
    ASKED.get_or_init(|| {
        let asked = Arc::new(AtomicBool::new(false));
        // In this order: the flag is still down when the first signal asks whether this is the second.
        let set = flag::register_conditional_shutdown(SIGINT, i32::from(EXIT_CODE), Arc::clone(&asked))
            .and_then(|_| flag::register(SIGINT, Arc::clone(&asked)));
        drop(set);
        asked
    });
}

/// Has somebody pressed Ctrl-C since [`watch`]?
#[must_use]
pub fn asked() -> bool {
    ASKED.get().is_some_and(|asked| asked.load(Ordering::Relaxed))
}

/// What to say where Ctrl-C cut many runs short.
#[must_use]
pub fn told(done: usize, all: usize) -> String {
    format!("interrupted: {done} of {all} runs were done")
}
