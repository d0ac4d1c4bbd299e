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

/// The shares of requests that went without, in some runs: the bounds of their mean, which are wrong once in a thousand times.
fn lost(device: &str, service: &str) -> (f64, f64) {
    let share = |seed: u32| {
        let toml = format!(
            "seed = {seed}\n[[device]]\nname = \"server\"\n{device}\nservice = {{ exponential = \"{service}\" }}\n\
             [[task]]\nname = \"request\"\ncount = 20000\narrival = {{ gap = {{ exponential = \"10ms\" }} }}\n\
             program = [{{ io = \"server\" }}]\n"
        );
        let mut metrics = Metrics::default();
        simulate(&scenario(&toml), &mut metrics);
        let sums = metrics.devices.iter().next().expect("a device");
        #[expect(clippy::cast_precision_loss, reason = "a statistic")]
        let share = (sums.gone.given_up + sums.gone.rejected) as f64 / sums.requests as f64;
        share
    };
    let shares: Vec<f64> = (0..10).map(share).collect();
    let mean = shares.iter().sum::<f64>() / 10.0;
    let variance = shares.iter().map(|share| (share - mean).powi(2)).sum::<f64>() / 9.0;
    // Student's t for nine degrees of freedom.
    let half = 4.781 * (variance / 10.0).sqrt();
    (mean - half, mean + half)
}

fn covers(what: &str, (low, high): (f64, f64), expected: f64) {
    assert!(low <= expected && expected <= high, "{what}: {expected} is not between {low} and {high}");
    assert!(high - low < 0.1 * expected, "{what}: between {low} and {high} is too much");
}

/// Erlang's formula B: without a queue, who finds all channels taken is lost.
#[test]
fn without_a_queue_requests_are_lost_as_erlang_says() {
    // Two channels, 1.6 offered: 1.28 / (1 + 1.6 + 1.28).
    covers("B", lost("channels = 2\nqueue = 0", "16ms"), 1.28 / 3.88);
    // One channel and room for two: M/M/1/3 at 0.8.
    let (rho, all) = (0.8_f64, 1.0 + 0.8 + 0.64 + 0.512);
    covers("M/M/1/3", lost("queue = 2", "8ms"), rho.powi(3) / all);
}

/// M/M/1 with customers whose patience is constant (Barrer 1957): the wait that is offered has an exponential density up to the
/// patience, and dies out as the service does behind it.
#[test]
fn who_has_waited_for_long_enough_leaves() {
    for (load, patience) in [(0.8, 20.0), (1.0, 30.0), (1.5, 40.0)] {
        let (lambda, service) = (0.1_f64, load * 10.0);
        let slope = 1.0 / service - lambda;
        let at_patience = (-slope * patience).exp();
        let up_to: f64 = if slope.abs() < 1e-12 { patience } else { (1.0 - at_patience) / slope };
        let behind = lambda * service * at_patience;
        let expected = behind / (1.0 + lambda * up_to + behind);
        let device = format!("patience = \"{patience}ms\"");
        covers(&format!("load {load}"), lost(&device, &format!("{service}ms")), expected);
    }
}
