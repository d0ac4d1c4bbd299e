//! Devices in numbers.

use serde::Serialize;

use super::{mean, ratio, share};
use crate::device::Form;
use crate::ids::DeviceId;
use crate::metrics::{DeviceSums, Metrics};
use crate::scenario::Scenario;
use crate::time::Time;

/// One device in numbers.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct DeviceOutcome {
    /// Its name.
    pub name: String,
    /// Who was served next.
    pub discipline: &'static str,
    /// Was that whoever had asked first?
    #[serde(skip)]
    pub in_order: bool,
    /// Requests made.
    pub requests: u64,
    /// Channel time used, summed over the channels.
    pub busy_ns: u64,
    /// Of that, the time in which the head moved.
    pub seek_ns: u64,
    /// Requests that were given up, waiting or being served.
    pub given_up: u64,
    /// Their share of all requests; null without requests.
    pub given_up_share: Option<f64>,
    /// Requests that were turned away, since the queue was full.
    pub rejected: u64,
    /// Their share of all requests; null without requests.
    pub rejected_share: Option<f64>,
    /// Requests that were in the queue for some time.
    pub waited: u64,
    /// Their share of all requests; null without requests.
    pub waited_share: Option<f64>,
    /// Requests in the queue (not in service), averaged over time.
    pub mean_queue: f64,
    /// Time in the queue, averaged over requests; null without requests.
    pub mean_wait_ns: Option<f64>,
    /// Requests in service, averaged over time.
    pub mean_in_service: f64,
    /// Time in service, averaged over the requests that a channel took; null without any. Longer than what was asked
    /// for if requests share the channels.
    pub mean_service_ns: Option<f64>,
    /// Busy channel time over channels × time; null when the channels are unlimited.
    pub utilisation: Option<f64>,
}

pub(super) fn devices(scenario: &Scenario, metrics: &Metrics) -> Vec<DeviceOutcome> {
    let length = metrics.end - Time::ZERO;
    let outcome = |(id, sums): (DeviceId, &DeviceSums)| {
        let (device, discipline) = (&metrics.cast.devices[id], scenario.devices[id].discipline);
        DeviceOutcome {
            name: device.name.clone(),
            discipline: discipline.name,
            in_order: discipline.form == Form::InOrder,
            requests: sums.requests,
            busy_ns: sums.busy.ns(),
            seek_ns: sums.seek.ns(),
            given_up: sums.gone.given_up,
            given_up_share: share(sums.gone.given_up, sums.requests),
            rejected: sums.gone.rejected,
            rejected_share: share(sums.gone.rejected, sums.requests),
            waited: sums.waited,
            waited_share: share(sums.waited, sums.requests),
            mean_queue: ratio(sums.queued, length).unwrap_or(0.0),
            mean_wait_ns: mean(sums.queued, sums.requests),
            mean_in_service: ratio(sums.served, length).unwrap_or(0.0),
            mean_service_ns: mean(sums.served, sums.started),
            utilisation: device.channels.map(|channels| ratio(sums.busy, length).unwrap_or(0.0) / f64::from(channels)),
        }
    };
    metrics.devices.pairs().map(outcome).collect()
}
