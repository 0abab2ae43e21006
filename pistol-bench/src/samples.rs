//! Durations of the same thing, and their percentiles.

use std::time::Duration;

/// How long something took, each time.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The one in the middle.
    pub(crate) fn median(&mut self) -> Duration {
        self.0.sort_unstable();
        self.0.get(self.0.len() / 2).copied().unwrap_or_default()
    }

    /// The smallest sample that `percent` of all do not exceed, in microseconds.
    pub(crate) fn percentile_us(&mut self, percent: usize) -> f64 {
        self.0.sort_unstable();
        let index = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        let sample = self.0.get(index).copied().unwrap_or_default();
        (sample.as_secs_f64() * 1e7).round() / 10.0
    }
}

/// A duration in milliseconds, as figures show it.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e4).round() / 10.0
}

/// How long each of `count` things took, in microseconds.
pub(crate) fn us_each(duration: Duration, count: usize) -> f64 {
    ratio(usize::try_from(duration.as_nanos()).unwrap_or(usize::MAX), count.saturating_mul(1000))
}

/// A ratio, to two places.
pub(crate) fn ratio(of: usize, to: usize) -> f64 {
    let hundredths = of.saturating_mul(100).checked_div(to).unwrap_or(0);
    f64::from(u32::try_from(hundredths).unwrap_or(u32::MAX)) / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples() {
        let mut samples = Samples::default();
        (1..=200).rev().for_each(|us| samples.push(Duration::from_micros(us)));
        let whole: Vec<_> = [50, 99, 100].into_iter().map(|percent| samples.percentile_us(percent)).collect();
        assert_eq!(whole, [100.0, 198.0, 200.0]);
    }
}
