//! Frames that can be checked: every sample follows from the frame's number, its shape and its place, so a
//! frame that is whole can be told from one that was put together from two.

use tdshm::ChopFrame;

/// The largest number a frame can have: the first sample holds it, exactly.
pub const LARGEST_SEED: u32 = 1 << 23;

/// The sample at `index` of a flat frame.
#[must_use]
pub fn sample(seed: u32, count: usize, length: usize, index: usize) -> f32 {
    assert!(seed <= LARGEST_SEED);
    if index == 0 {
        return seed as f32;
    }
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in [u64::from(seed), count as u64, length as u64, index as u64] {
        hash = (hash ^ part).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
    }
    (hash >> 41) as f32 // 23 bits: a finite number, exactly
}

/// A frame, all of channel 0 first.
#[must_use]
pub fn flat(seed: u32, count: usize, length: usize) -> Vec<f32> {
    (0..count * length).map(|index| sample(seed, count, length, index)).collect()
}

/// How many different frames a sender that sends flat out has prepared.
pub const CYCLE: u32 = 16;

/// The seed that such a sender's frame with that number has.
#[must_use]
pub fn cycle(number: u64) -> u32 {
    (number % u64::from(CYCLE)) as u32
}

/// A frame, a row a channel.
#[must_use]
pub fn rows(seed: u32, count: usize, length: usize) -> Vec<Vec<f32>> {
    let flat = flat(seed, count, length);
    (0..count).map(|row| flat[row * length..(row + 1) * length].to_vec()).collect()
}

/// Names that belong to a frame.
#[must_use]
pub fn names(seed: u32, count: usize) -> Vec<String> {
    (0..count).map(|index| format!("s{seed}c{index}")).collect()
}

/// The number of a frame that is whole; `None` when its samples do not belong together. A frame without
/// samples is whole, and its number 0.
#[must_use]
pub fn seed_of(samples: &[f32], count: usize, length: usize) -> Option<u32> {
    if samples.len() != count * length {
        return None;
    }
    let Some(&first) = samples.first() else { return Some(0) };
    if !(0.0..=LARGEST_SEED as f32).contains(&first) || first.fract() != 0.0 {
        return None;
    }
    let seed = first as u32;
    let whole = samples.iter().enumerate().all(|(at, found)| *found == sample(seed, count, length, at));
    whole.then_some(seed)
}

/// A frame as somebody saw it.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// Channels.
    pub count: usize,
    /// Samples in each.
    pub length: usize,
    /// Samples per second, in Hz.
    pub rate: f32,
    /// The frame's number; `None`: its samples do not belong together.
    pub seed: Option<u32>,
    /// Whether the reader was told that the last holder of the lock had died.
    pub abandoned: bool,
    /// The names.
    pub names: Vec<String>,
}

impl Seen {
    /// Looks at a frame.
    #[must_use]
    pub fn of(frame: &ChopFrame) -> Self {
        Self {
            count: frame.num_channels(),
            length: frame.len_samples(),
            rate: frame.sample_rate(),
            seed: seed_of(frame.samples(), frame.num_channels(), frame.len_samples()),
            abandoned: frame.is_abandoned(),
            names: frame.names().to_vec(),
        }
    }

    /// As a peer answers it.
    #[must_use]
    pub fn to_line(&self) -> String {
        let seed = self.seed.map_or("torn".to_owned(), |seed| seed.to_string());
        let how = if self.abandoned { "abandoned" } else { "clean" };
        let names = self.names.join(",");
        format!("frame {} {} {} {seed} {how} {names}", self.count, self.length, self.rate)
    }

    /// What a peer answered; `None`: no frame.
    #[must_use]
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.splitn(7, ' ');
        if words.next() != Some("frame") {
            return None;
        }
        let mut word = || words.next().unwrap_or_default(); // names may be missing: none
        Some(Self {
            count: word().parse().expect("a count"),
            length: word().parse().expect("a length"),
            rate: word().parse().expect("a rate"),
            seed: word().parse().ok(),
            abandoned: word() == "abandoned",
            names: word().split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_that_is_put_together_from_two_is_noticed() {
        let (one, two) = (flat(1, 3, 5), flat(2, 3, 5));
        assert_eq!(seed_of(&one, 3, 5), Some(1));
        assert_eq!(seed_of(&one, 5, 3), None, "another shape");
        for at in 1..15 {
            let torn = [&one[..at], &two[at..]].concat();
            assert_eq!(seed_of(&torn, 3, 5), None, "torn at {at}");
        }
        assert_eq!(seed_of(&[], 0, 5), Some(0));
        assert_eq!(seed_of(&[f32::NAN], 1, 1), None);
    }

    #[test]
    fn a_line_comes_back_as_it_went() {
        for names in [vec![], vec!["a".to_owned(), "b".to_owned()]] {
            let seen = Seen { count: 2, length: 1, rate: 44100.5, seed: Some(3), abandoned: true, names };
            assert_eq!(Seen::parse(&seen.to_line()), Some(seen));
        }
        assert_eq!(Seen::parse("none NotYet"), None);
    }
}
