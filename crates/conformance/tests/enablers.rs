//! Every row against enablers that are as they should be: in this process, and as people run it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on panics")]

mod common;

use common::*;
use vestibule_conformance::catalogue;

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_enabler_passes_every_row() {
    let enabler = Enabler::start().await;
    let report = play_quic(&enabler.target(), &enabler.code().await).await;
    assert_eq!(report.failures(), Vec::<&str>::new(), "\n{report}");
    assert_eq!(report.passed, catalogue::entries(false).len());
    // Whoever comes later finds no trace in the way: the same again, and over the other transport.
    let report = play_http(&enabler.url(), &enabler.code().await).await;
    assert_eq!(report.failures(), Vec::<&str>::new(), "\n{report}");
    assert_eq!(report.passed, catalogue::entries(true).len());
    enabler.embedded.stop().await;
}
