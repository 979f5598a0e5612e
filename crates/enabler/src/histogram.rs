//! Latencies in bounded memory.

use serde::{Deserialize, Serialize};

/// Counts by size, four buckets for each power of two: a quantile is at most a quarter too high.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Histogram {
    counts: Vec<u64>,
    total: u64,
    /// The greatest of all: no quantile is above it.
    #[serde(default)]
    most: u64,
}

/// Milliseconds beyond which all count alike: four hours.
const MOST: u64 = (1 << 24) - 1;

fn bucket(millis: u64) -> usize {
    let value = millis.min(MOST);
    if value < 4 {
        return usize::try_from(value).unwrap_or(0);
    }
    let shift = value.ilog2() - 2;
    let within = (value >> shift) & 3;
    usize::try_from(u64::from(shift + 1) * 4 + within).unwrap_or(0)
}

/// The greatest value that falls into a bucket.
fn upper(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 4 { bucket } else { ((4 + bucket % 4 + 1) << (bucket / 4 - 1)) - 1 }
}

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, millis: u64) {
        let bucket = bucket(millis);
        if self.counts.len() <= bucket {
            self.counts.resize(bucket + 1, 0);
        }
        self.counts[bucket] += 1;
        self.total += 1;
        self.most = self.most.max(millis);
    }

    /// The value that `percent` of all do not exceed; `None` before the first.
    #[must_use]
    pub fn quantile(&self, percent: u64) -> Option<u64> {
        if self.total == 0 {
            return None;
        }
        let rank = (self.total * percent).div_ceil(100).max(1);
        let mut seen = 0;
        let found = self.counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        found.map(|bucket| upper(bucket).min(self.most))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quantiles_are_at_most_a_quarter_too_high(mut values in proptest::collection::vec(0_u64..1_000_000, 1..200)) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|value| histogram.add(*value));
            values.sort_unstable();
            for percent in [50, 99] {
                let exact = values[(values.len() * percent).div_ceil(100).max(1) - 1];
                let told = histogram.quantile(percent as u64).unwrap();
                prop_assert!(told >= exact && told <= exact + exact / 4 + 1, "{percent}%: {exact} told as {told}");
            }
        }
    }

    #[test]
    fn nothing_has_no_quantile_and_hours_are_bounded() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile(50), None);
        histogram.add(u64::MAX);
        assert_eq!(histogram.quantile(99), Some(MOST));
        assert!(histogram.counts.len() < 100);
    }
}
