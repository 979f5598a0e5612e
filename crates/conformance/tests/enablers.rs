//! Every row against enablers that are as they should be: in this process, and as people run it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use common::*;
use vestibule_conformance::catalogue::{Reach, entries};

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_enabler_passes_every_row() {
    let enabler = Enabler::buying().await;
    let report = play_quic(&enabler, &enabler.target(), &enabler.code().await, &[]).await;
    assert_eq!(report.failures(), Vec::<&str>::new(), "\n{report}");
    assert_eq!(report.passed, entries(Reach { http: false, merchant: true }).len());
    // Whoever comes later finds no trace in the way: the same again, and over the other transport.
    let report = play_http(&enabler, &enabler.url(), &enabler.code().await).await;
    assert_eq!(report.failures(), Vec::<&str>::new(), "\n{report}");
    assert_eq!(report.passed, entries(Reach::ALL).len());
    enabler.stop().await;
}
