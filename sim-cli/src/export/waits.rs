//! How exporters say what tasks waited for.

use sim_core::causes::What;
use sim_core::timeline::Timeline;

use crate::letters::visible;

/// What a part of a task's life went to, in words: `waits for processor 0`, `waits for lock db`, `in the queue of disk`.
pub(super) fn words(timeline: &Timeline, what: What) -> String {
    let cast = &timeline.cast;
    let device = |device| cast.devices.get(device).map_or_else(|| "?".into(), |device| visible(&device.name));
    match what {
        What::Running => "runs".to_owned(),
        What::Spin(sync) => format!("spins for {}", visible(&cast.syncs[sync].to_string())),
        What::Overhead => "switch and other overhead".to_owned(),
        What::Starting => "start of a process".to_owned(),
        What::Processor(cpu) => match cast.processors.get(cpu) {
            Some(_) => format!("waits for {}", visible(&crate::rows::processor_label(timeline, cpu))),
            None => "waits for a processor".to_owned(),
        },
        What::Nobody(_) => "waits beside a free processor".to_owned(),
        What::Runtime => "waits for a thread of its runtime".to_owned(),
        What::Interpreter => "waits for the interpreter lock".to_owned(),
        What::Throttled(group) => format!("throttled: quota of {}", visible(&cast.groups[group].name)),
        What::Budget => "waits for the budget of its server".to_owned(),
        What::Queue(id) => format!("in the queue of {}", device(id)),
        What::Seek(id) => format!("{} on its way (seek)", device(id)),
        What::Service(id) => format!("served by {}", device(id)),
        What::Sharing(id) => format!("served by {}, shared", device(id)),
        What::Sync(sync) => format!("waits for {}", visible(&cast.syncs[sync].to_string())),
        What::Timer => "sleeps".to_owned(),
        What::Join => "joins".to_owned(),
        What::After => "waits for those before it to end".to_owned(),
        What::Release => "waits for its next release".to_owned(),
        What::Previous => "waits for its previous job".to_owned(),
    }
}
