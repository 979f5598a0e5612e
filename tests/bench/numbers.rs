//! Percentiles and lines.

use std::time::Duration;

/// Sorted milliseconds.
pub struct Sample(Vec<f64>);

impl Sample {
    /// From durations in any order.
    pub fn new(durations: &[Duration]) -> Self {
        let mut sorted: Vec<_> = durations.iter().map(|d| d.as_secs_f64() * 1000.0).collect();
        sorted.sort_by(f64::total_cmp);
        Self(sorted)
    }

    /// The value below which `percent` of the sample lie.
    pub fn percentile(&self, percent: usize) -> f64 {
        let index = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        self.0.get(index).copied().unwrap_or(f64::NAN)
    }

    /// `n 500  p50 1.23 ms  p99 4.56 ms`.
    pub fn line(&self) -> String {
        format!("n {}  p50 {:.2} ms  p99 {:.2} ms", self.0.len(), self.percentile(50), self.percentile(99))
    }
}

/// Prints ours beside theirs, and the ratio of both percentiles.
pub fn beside(what: &str, ours: &Sample, peer: &str, theirs: &Sample) {
    println!("{what}\n  ours             {}\n  {peer:<16} {}", ours.line(), theirs.line());
    let ratio = |percent| ours.percentile(percent) / theirs.percentile(percent);
    println!("  ratio            p50 {:.2}  p99 {:.2}", ratio(50), ratio(99));
}

/// Prints how long it takes up to the end of one part of the way.
pub fn part(what: &str, until: &Sample) {
    println!("    {what:<28} p50 {:.2} ms  p99 {:.2} ms", until.percentile(50), until.percentile(99));
}
