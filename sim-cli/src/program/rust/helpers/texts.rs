//! The functions and types that every program has which uses them, as they stand there.

/// By what shows that a program uses them, in the order in which they stand.
pub(super) const ALWAYS: &[(&str, &str)] = &[
    ("compute(", COMPUTE),
    ("sleep_until(", SLEEP_UNTIL),
    ("sleep_until_async(", SLEEP_UNTIL_ASYNC),
    ("uniform(", UNIFORM),
    ("exponential(", EXPONENTIAL),
    ("erlang(", ERLANG),
    ("normal(", NORMAL),
    ("lognormal(", LOGNORMAL),
    ("standard_normal(", STANDARD_NORMAL),
    ("pareto(", PARETO),
    ("bounded_pareto(", BOUNDED_PARETO),
    ("pick(", PICK),
    ("random(", RANDOM),
    ("vary(", VARY),
    ("Channel::new(", CHANNEL),
    ("AsyncChannel::new(", ASYNC_CHANNEL),
    ("AsyncCondvar::new(", ASYNC_CONDVAR),
    ("start(", START),
    ("now(", NOW),
    ("ms(", MS),
];

const COMPUTE: &str = "\
/// Uses up so much processor time.
///
/// It watches the clock in small steps. In a step of more than 20 us somebody else had the processor:
/// such a step does not count.
fn compute(mut left: Duration) {
    let mut last = Instant::now();
    while !left.is_zero() {
        let clock = Instant::now();
        let step = clock - last;
        if step < Duration::from_micros(20) {
            left = left.saturating_sub(step);
        }
        last = clock;
    }
}
";

const SLEEP_UNTIL: &str = "\
/// Sleeps until so long after the start.
fn sleep_until(at: Duration) {
    thread::sleep(at.saturating_sub(now()));
}
";

const SLEEP_UNTIL_ASYNC: &str = "\
/// Sleeps until so long after the start.
async fn sleep_until_async(at: Duration) {
    tokio::time::sleep(at.saturating_sub(now())).await;
}
";

const UNIFORM: &str = "\
/// Draws between the two.
fn uniform(low: Duration, high: Duration) -> Duration {
    low + (high - low).mul_f64(random())
}
";

const EXPONENTIAL: &str = "\
/// Draws from the exponential law.
fn exponential(mean: Duration) -> Duration {
    mean.mul_f64(-(1.0 - random()).ln())
}
";

const ERLANG: &str = "\
/// Draws from the Erlang law: the sum of `k` exponential phases.
fn erlang(k: u32, mean: Duration) -> Duration {
    (0..k).map(|_| exponential(mean / k)).sum()
}
";

const NORMAL: &str = "\
/// Draws from the normal law; what would be negative is zero.
fn normal(mean: Duration, sd: Duration) -> Duration {
    let drawn = mean.as_secs_f64() + sd.as_secs_f64() * standard_normal();
    Duration::from_secs_f64(drawn.max(0.0))
}
";

const LOGNORMAL: &str = "\
/// Draws from the lognormal law.
fn lognormal(median: Duration, sigma: f64) -> Duration {
    median.mul_f64((sigma * standard_normal()).exp())
}
";

const STANDARD_NORMAL: &str = "\
/// Draws from the normal law with mean 0 and deviation 1 (Box and Muller 1958).
fn standard_normal() -> f64 {
    let radius = (-2.0 * (1.0 - random()).ln()).sqrt();
    radius * (std::f64::consts::TAU * random()).cos()
}
";

const PARETO: &str = "\
/// Draws from the Pareto law.
fn pareto(least: Duration, alpha: f64) -> Duration {
    least.mul_f64((1.0 - random()).powf(-1.0 / alpha))
}
";

const BOUNDED_PARETO: &str = "\
/// Draws from a Pareto law that is cut off at both ends.
fn bounded_pareto(least: Duration, alpha: f64, most: Duration) -> Duration {
    let tail = (least.as_secs_f64() / most.as_secs_f64()).powf(alpha);
    least.mul_f64((1.0 - random() * (1.0 - tail)).powf(-1.0 / alpha))
}
";

const PICK: &str = "\
/// Draws one of several, each with its weight.
fn pick<T: Copy>(weighted: &[(f64, T)]) -> T {
    let mut left = random() * weighted.iter().map(|(weight, _)| weight).sum::<f64>();
    for (weight, value) in weighted {
        if left < *weight {
            return *value;
        }
        left -= weight;
    }
    weighted[0].1
}
";

const RANDOM: &str = "\
/// The state of the random numbers.
static STATE: Mutex<u64> = Mutex::new(SEED);

/// A random number from 0 to 1, without 1: SplitMix64 (Steele, Lea and Flood 2014).
fn random() -> f64 {
    let mut state = STATE.lock().unwrap();
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}
";

const VARY: &str = "\
/// Lets the process of this name have random numbers of its own.
fn vary(name: &str) {
    let mix = |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte));
    *STATE.lock().unwrap() ^= name.bytes().fold(0, mix);
}
";

/// Every permit is like another.
pub(super) const SEMAPHORE: &str = "\
/// A semaphore: the standard library has none.
struct Semaphore {
    permits: Mutex<usize>,
    released: Condvar,
}

impl Semaphore {
    const fn new(permits: usize) -> Semaphore {
        Semaphore {
            permits: Mutex::new(permits),
            released: Condvar::new(),
        }
    }

    fn acquire(&self) {
        let mut permits = self.permits.lock().unwrap();
        while *permits == 0 {
            permits = self.released.wait(permits).unwrap();
        }
        *permits -= 1;
    }

    fn release(&self) {
        *self.permits.lock().unwrap() += 1;
        self.released.notify_one();
    }
}
";

/// Some ask for several permits at once.
pub(super) const COUNTING_SEMAPHORE: &str = "\
/// A semaphore: the standard library has none.
struct Semaphore {
    permits: Mutex<usize>,
    released: Condvar,
}

impl Semaphore {
    const fn new(permits: usize) -> Semaphore {
        Semaphore {
            permits: Mutex::new(permits),
            released: Condvar::new(),
        }
    }

    fn acquire(&self, count: usize) {
        let mut permits = self.permits.lock().unwrap();
        while *permits < count {
            permits = self.released.wait(permits).unwrap();
        }
        *permits -= count;
    }

    fn release(&self, count: usize) {
        *self.permits.lock().unwrap() += count;
        self.released.notify_all();
    }
}
";

const CHANNEL: &str = "\
/// A channel that holds so many messages. Receivers take turns.
struct Channel {
    sender: SyncSender<()>,
    receiver: Mutex<Receiver<()>>,
}

impl Channel {
    fn new(capacity: usize) -> Channel {
        let (sender, receiver) = mpsc::sync_channel(capacity);
        Channel {
            sender,
            receiver: Mutex::new(receiver),
        }
    }

    fn send(&self) {
        self.sender.send(()).unwrap();
    }

    fn recv(&self) {
        self.receiver.lock().unwrap().recv().unwrap();
    }
}
";

const ASYNC_CHANNEL: &str = "\
/// A channel that holds so many messages. Receivers take turns.
struct AsyncChannel {
    sender: tokio::sync::mpsc::Sender<()>,
    receiver: tokio::sync::Mutex<tokio::sync::mpsc::Receiver<()>>,
}

impl AsyncChannel {
    fn new(capacity: usize) -> AsyncChannel {
        let (sender, receiver) = tokio::sync::mpsc::channel(capacity);
        AsyncChannel {
            sender,
            receiver: tokio::sync::Mutex::new(receiver),
        }
    }

    async fn send(&self) {
        self.sender.send(()).await.unwrap();
    }

    async fn recv(&self) {
        self.receiver.lock().await.recv().await.unwrap();
    }
}
";

const ASYNC_CONDVAR: &str = "\
/// A condition variable, which tokio does not have: a message for each who waits.
struct AsyncCondvar(Mutex<VecDeque<tokio::sync::oneshot::Sender<()>>>);

impl AsyncCondvar {
    const fn new() -> AsyncCondvar {
        AsyncCondvar(Mutex::new(VecDeque::new()))
    }

    async fn wait(
        &self,
        guard: tokio::sync::MutexGuard<'static, ()>,
    ) -> tokio::sync::MutexGuard<'static, ()> {
        let (notify, notified) = tokio::sync::oneshot::channel();
        self.0.lock().unwrap().push_back(notify);
        let lock = tokio::sync::MutexGuard::mutex(&guard);
        drop(guard);
        notified.await.unwrap();
        lock.lock().await
    }

    fn notify_one(&self) {
        if let Some(waiting) = self.0.lock().unwrap().pop_front() {
            let _ = waiting.send(());
        }
    }

    fn notify_all(&self) {
        for waiting in self.0.lock().unwrap().drain(..) {
            let _ = waiting.send(());
        }
    }
}
";

const START: &str = "\
/// Starts this program again, as the process of this name.
fn start(name: &str) -> Child {
    let start = START.duration_since(UNIX_EPOCH).unwrap().as_nanos();
    Command::new(env::current_exe().unwrap())
        .args([name, &start.to_string()])
        .spawn()
        .unwrap()
}
";

const NOW: &str = "\
/// How long ago the program started.
fn now() -> Duration {
    START.elapsed()
}
";

const MS: &str = "\
/// A time as it is printed.
fn ms(time: Duration) -> String {
    format!(\"{:8.1} ms\", 1000.0 * time.as_secs_f64())
}
";
