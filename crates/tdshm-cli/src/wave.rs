//! Waves of 1 Hz, made up sample by sample.

use std::f64::consts::TAU;

use clap::ValueEnum;

/// The shape of a wave.
//
// Plain comments below: documentation would make the help twice as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wave {
    // -1 to 1, starting at 0.
    Sine,
    // 0 up to, not including, 1, then from 0 again.
    Ramp,
    // 1 for half a second, -1 for the other half.
    Square,
    // -1 to 1, at random.
    Noise,
    // Always 1.
    Constant,
}

impl Wave {
    /// The sample at `phase`, in periods: 0 up to, not including, 1.
    pub(crate) fn at(self, phase: f64) -> f32 {
        match self {
            Self::Sine => sine(phase) as f32,
            // Rounding to 32 bits may reach 1, which the ramp does not.
            Self::Ramp => (phase as f32).min(1.0_f32.next_down()),
            Self::Square if phase < 0.5 => 1.0,
            Self::Square => -1.0,
            Self::Noise => fastrand::f32() * 2.0 - 1.0,
            Self::Constant => 1.0,
        }
    }
}

/// The phase, in periods, of sample `index` of channel `channel` of `count`: the channels are spread over one
/// period, and the wave runs at 1 Hz.
pub(crate) fn phase(index: u64, sample_rate: f32, channel: usize, count: usize) -> f64 {
    let shift = channel as f64 / count.max(1) as f64;
    (index as f64 / f64::from(sample_rate) + shift).fract()
}

/// A sine that is exact at the quarters, and as large below zero as above.
fn sine(phase: f64) -> f64 {
    let (sign, half) = if phase < 0.5 { (1.0, phase) } else { (-1.0, phase - 0.5) };
    let quarter = if half > 0.25 { 0.5 - half } else { half };
    // No negative zero: it prints as one.
    sign * (TAU * quarter).sin() + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_is_exact_at_its_quarters() {
        let quarters = [0.0, 0.25, 0.5, 0.75].map(|phase| Wave::Sine.at(phase));
        assert_eq!(quarters.map(f32::to_bits), [0.0_f32, 1.0, 0.0, -1.0].map(f32::to_bits));
        for step in 0..1000 {
            let phase = f64::from(step) / 1000.0;
            assert!((f64::from(Wave::Sine.at(phase)) - (TAU * phase).sin()).abs() < 1e-7, "{phase}");
        }
    }

    #[test]
    fn every_shape_keeps_its_range() {
        for step in 0..1000 {
            let phase = f64::from(step) / 1000.0;
            assert!((-1.0..1.0).contains(&Wave::Noise.at(phase)));
            assert!((0.0..1.0).contains(&Wave::Ramp.at(phase)));
            assert_eq!(Wave::Square.at(phase), if step < 500 { 1.0 } else { -1.0 });
            assert_eq!(Wave::Constant.at(phase), 1.0);
        }
        assert!(Wave::Ramp.at(1.0_f64.next_down()) < 1.0);
    }

    #[test]
    fn channels_are_spread_over_one_period() {
        assert_eq!([0, 1, 2, 3].map(|channel| phase(0, 60.0, channel, 4)), [0.0, 0.25, 0.5, 0.75]);
        assert_eq!(phase(60, 60.0, 0, 1), 0.0);
        assert_eq!(phase(90, 60.0, 1, 2), 0.0);
    }
}
