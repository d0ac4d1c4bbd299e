//! Queues with Poisson arrivals, long runs with fixed seeds, against closed forms.

use sim_core::engine::simulate;
use sim_core::metrics::Metrics;
use sim_core::timeline::Timeline;

use crate::support::scenario;

/// Requests of one run.
const REQUESTS: u32 = 100_000;

/// One request every 10 ms on average; `service` in TOML.
fn open(discipline: &str, channels: u32, service: &str, count: u32) -> String {
    format!(
        "seed = 5\n[[device]]\nname = \"server\"\nchannels = {channels}\ndiscipline = \"{discipline}\"\n\
         service = {service}\n[[task]]\nname = \"request\"\ncount = {count}\n\
         arrival = {{ gap = {{ exponential = \"10ms\" }} }}\nprogram = [{{ io = \"server\" }}]\n"
    )
}

/// Mean wait and mean time in service, in milliseconds, and the end of the run.
fn means(toml: &str) -> (f64, f64, f64) {
    let mut metrics = Metrics::default();
    simulate(&scenario(toml), &mut metrics);
    let sums = metrics.devices.iter().next().expect("a device");
    #[expect(clippy::cast_precision_loss, reason = "a statistic")]
    let mean = |ns: u64| ns as f64 / sums.requests as f64 / 1e6;
    (mean(sums.queued.ns()), mean(sums.served.ns()), (metrics.end - sim_core::time::Time::ZERO).seconds())
}

fn close(what: &str, found: f64, expected: f64, tolerance: f64) {
    let error = (found - expected).abs() / expected;
    assert!(error < tolerance, "{what}: {found} instead of {expected}");
}

/// Laws of service with mean 5 ms: their TOML, and the mean of the square in ms^2.
const SERVICES: [(&str, f64); 4] = [
    ("\"5ms\"", 25.0),
    ("{ exponential = \"5ms\" }", 50.0),
    ("{ erlang = { k = 2, mean = \"5ms\" } }", 37.5),
    ("{ choice = [[0.8, \"2ms\"], [0.2, \"17ms\"]] }", 61.0),
];

/// The mean time in a shared device is s / (1 - rho), whatever the law of service (Kleinrock 1967).
#[test]
fn sharing_does_not_care_for_the_law_of_service() {
    for (service, _) in SERVICES {
        let (wait, served, _) = means(&open("fair-share", 1, service, REQUESTS));
        assert!(wait == 0.0);
        close(service, served, 5.0 / (1.0 - 0.5), 0.03);
    }
}

/// With k channels and exponential service, as many are there as with a queue: by Erlang's formula C.
#[test]
fn sharing_several_channels_is_as_long_as_queueing_for_them() {
    // Two channels, an offered load of 1.4: C = 0.57647, the mean wait C * 14 / (2 - 1.4).
    for discipline in ["fifo", "lifo", "fair-share"] {
        let (wait, served, _) = means(&open(discipline, 2, "{ exponential = \"14ms\" }", REQUESTS));
        close(discipline, wait + served, 14.0 + 0.576_470_6 * 14.0 / 0.6, 0.04);
    }
}

/// Pollaczek & Khinchine: the mean wait is lambda * (mean of the square) / 2 / (1 - rho), for every order that does not
/// look at the service.
#[test]
fn one_channel_in_turn() {
    for (service, square) in SERVICES {
        for discipline in ["fifo", "lifo", "priority"] {
            let (wait, served, _) = means(&open(discipline, 1, service, REQUESTS));
            close(&format!("{discipline}, {service}"), wait, 0.1 * square / 2.0 / 0.5, 0.05);
            close(service, served, 5.0, 0.02);
        }
    }
}

/// Two classes; the urgent ones wait R / (1 - rho1), the others R / (1 - rho1) / (1 - rho) (Cobham 1954).
#[test]
fn two_classes_by_priority() {
    let class = |name: &str, priority: u32| {
        format!(
            "[[task]]\nname = \"{name}\"\npriority = {priority}\ncount = {REQUESTS}\n\
             arrival = {{ gap = {{ exponential = \"20ms\" }} }}\n\
             program = [{{ io = \"server\", for = {{ exponential = \"7ms\" }} }}]\n"
        )
    };
    let device = "[[device]]\nname = \"server\"\ndiscipline = \"priority\"\n";
    let mut timeline = Timeline::default();
    simulate(&scenario(&format!("seed = 3\n{device}{}{}", class("urgent", 1), class("other", 0))), &mut timeline);
    // Two classes of 0.05 per ms, 7 ms each: rho = 0.35 of each; what is left of the service one finds is 0.7 * 7.
    let rest = 0.7 * 7.0;
    for (spec, expected) in [(0, rest / 0.65), (1, rest / 0.65 / 0.3)] {
        let waits = timeline
            .requests
            .iter()
            .filter(|request| timeline.tasks[request.task].spec == spec)
            .filter_map(|request| Some(request.start?.since(request.asked).seconds() * 1e3));
        let (count, sum) = waits.fold((0.0, 0.0), |(count, sum), wait| (count + 1.0, sum + wait));
        close(&format!("class {spec}"), sum / count, expected, 0.05);
    }
}

/// Who is next changes who waits, but not how much there is to do: the device is idle at the same times, and ends at the
/// same time to the nanosecond. And of all orders, the shortest first waits least.
#[test]
fn work_is_conserved() {
    for (service, _) in SERVICES {
        let [fifo, lifo, priority, shortest, shared] =
            ["fifo", "lifo", "priority", "shortest", "fair-share"].map(|name| means(&open(name, 1, service, 2000)));
        let ends = [lifo.2, priority.2, shortest.2, shared.2];
        assert!(ends.iter().all(|end| end.to_bits() == fifo.2.to_bits()), "{service}: {fifo:?}, {ends:?}");
        assert!(shortest.0 <= fifo.0 && shortest.0 <= lifo.0, "{service}: {shortest:?}, {fifo:?}, {lifo:?}");
    }
}
