//! What is counted while it happens. docs/operating.md lists all of it; names follow Prometheus' conventions.
//!
//! Where nobody asked for metrics no recorder is installed, and each of these is a check for one.

use std::{sync::OnceLock, time::Duration};

use ::metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use vestibule_model::{Refusal, RefusalCode};
use vestibule_protocol::{Request, Response};

const REQUESTS: &str = "vestibule_requests_total";
const REFUSALS: &str = "vestibule_refusals_total";
const COMMIT: &str = "vestibule_commit_seconds";
const COMMIT_FAILURES: &str = "vestibule_commit_failures_total";
const BATCH: &str = "vestibule_commit_events";
const REPORTS: &str = "vestibule_hot_messages_total";
const DATAGRAMS: &str = "vestibule_datagrams_sent_total";
const CONNECTIONS: &str = "vestibule_connections";

/// From a fast disk's flush to one that is about to be replaced.
const SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Up to a whole batch, whose requests may each have several events.
const EVENTS: [f64; 10] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0];
/// Between two rounds in which what was observed is put into buckets: until then each observation takes room.
const UPKEEP: Duration = Duration::from_secs(5);

/// One for the process: the macros know no other.
static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Begins to count, unless it has begun; `None` where the process counts for somebody else already.
pub(crate) fn recorder() -> Option<&'static PrometheusHandle> {
    RECORDER
        .get_or_init(|| match install() {
            Ok(handle) => Some(handle),
            Err(error) => {
                tracing::warn!(%error, "nothing is counted: this process has a recorder of its own");
                None
            }
        })
        .as_ref()
}

fn install() -> Result<PrometheusHandle, BuildError> {
    let handle = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full(COMMIT.to_owned()), &SECONDS)?
        .set_buckets_for_metric(Matcher::Full(BATCH.to_owned()), &EVENTS)?
        .install_recorder()?;
    describe_counter!(REQUESTS, "Requests that were decided, by interface and outcome.");
    describe_counter!(REFUSALS, "Requests that were refused, by the kind of refusal.");
    describe_histogram!(COMMIT, Unit::Seconds, "Time from a batch's decision until it was on disk.");
    describe_counter!(COMMIT_FAILURES, "Batches that could not be written.");
    describe_histogram!(BATCH, "Events that shared one write.");
    describe_counter!(REPORTS, "Messages of twin systems that never wait for the disk, reports above all.");
    describe_counter!(DATAGRAMS, "Datagrams of hot state that were handed to connections.");
    describe_gauge!(CONNECTIONS, "Open connections, by transport.");
    Ok(handle)
}

/// Puts observations into buckets for as long as the runtime lives.
pub(crate) async fn upkeep(handle: &PrometheusHandle) {
    loop {
        handle.run_upkeep();
        tokio::time::sleep(UPKEEP).await;
    }
}

/// A request was answered.
pub(crate) fn decided(request: &Request, outcome: &Response) {
    let refusal = if let Response::Refused(refusal) = outcome { Some(refusal) } else { None };
    let outcome = if refusal.is_some() { "refused" } else { "done" };
    counter!(REQUESTS, "interface" => interface(request), "outcome" => outcome).increment(1);
    if let Some(Refusal { code, .. }) = refusal {
        counter!(REFUSALS, "code" => word(*code)).increment(1);
    }
}

/// A batch was written, or could not be.
pub(crate) fn written(events: usize, took: Duration, done: bool) {
    if done {
        histogram!(COMMIT).record(took);
        // Batches are small: 32 bits hold them exactly.
        histogram!(BATCH).record(f64::from(u32::try_from(events).unwrap_or(u32::MAX)));
    } else {
        counter!(COMMIT_FAILURES).increment(1);
    }
}

/// A twin system said something that never waits for the disk.
pub(crate) fn heard() {
    counter!(REPORTS).increment(1);
}

/// A datagram was handed to a connection.
pub(crate) fn datagram() {
    counter!(DATAGRAMS).increment(1);
}

/// Counts a connection for as long as it lives.
#[derive(Debug)]
pub(crate) struct Connected(&'static str);

impl Connected {
    /// One more over `transport`.
    pub(crate) fn over(transport: &'static str) -> Self {
        gauge!(CONNECTIONS, "transport" => transport).increment(1.0);
        Self(transport)
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        gauge!(CONNECTIONS, "transport" => self.0).decrement(1.0);
    }
}

const fn interface(request: &Request) -> &'static str {
    match request {
        Request::Dii(_) => "dii",
        _ => "mii",
    }
}

/// The word that JSON has for it.
const fn word(code: RefusalCode) -> &'static str {
    match code {
        RefusalCode::Unauthenticated => "unauthenticated",
        RefusalCode::Forbidden => "forbidden",
        RefusalCode::NotFound => "not_found",
        RefusalCode::Conflict => "conflict",
        RefusalCode::Held => "held",
        RefusalCode::RevisionMismatch => "revision_mismatch",
        RefusalCode::Expired => "expired",
        RefusalCode::Invalid => "invalid",
        RefusalCode::Overloaded => "overloaded",
        RefusalCode::Unavailable => "unavailable",
        RefusalCode::Storage => "storage",
    }
}
