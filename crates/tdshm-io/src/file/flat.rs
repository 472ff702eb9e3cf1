//! Samples of several channels in one piece of memory.

/// Samples one channel after the other: all of channel 0, then all of channel 1, and so on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flat<'s> {
    samples: &'s [f32],
    len_samples: usize,
}

impl<'s> Flat<'s> {
    /// Of so many samples in each channel; what does not fill a channel is left out.
    pub(crate) fn new(samples: &'s [f32], len_samples: usize) -> Self {
        Self { samples, len_samples }
    }

    /// Samples in each channel.
    pub(crate) fn len_samples(self) -> usize {
        self.len_samples
    }

    pub(crate) fn channels(self) -> impl ExactSizeIterator<Item = &'s [f32]> {
        self.samples.chunks_exact(self.len_samples.max(1))
    }

    /// One sample of each channel, `at` places behind the first.
    pub(crate) fn moment(self, at: usize) -> impl Iterator<Item = f32> + 's {
        self.samples.iter().skip(at).step_by(self.len_samples.max(1)).copied()
    }

    /// All samples in the order of a sound file: those of one moment, then those of the next.
    pub(crate) fn interleaved(self) -> impl Iterator<Item = f32> + 's {
        (0..self.len_samples).flat_map(move |at| self.moment(at))
    }
}

/// Puts samples that come moment by moment into their channels.
///
/// `flat` is made as large as `channels` of `len_samples` each; `next` is asked for each sample in turn.
pub(crate) fn deinterleave<E>(
    flat: &mut Vec<f32>,
    channels: usize,
    len_samples: usize,
    mut next: impl FnMut() -> Result<f32, E>,
) -> Result<(), E> {
    flat.clear();
    flat.resize(channels.saturating_mul(len_samples), 0.0);
    for at in 0..len_samples {
        for sample in flat.iter_mut().skip(at).step_by(len_samples.max(1)) {
            *sample = next()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let samples = [1.0, 2.0, 3.0, 10.0, 20.0, 30.0];
        let flat = Flat::new(&samples, 3);
        let moments: Vec<f32> = flat.interleaved().collect();
        assert_eq!(moments, [1.0, 10.0, 2.0, 20.0, 3.0, 30.0]);
        let (mut back, mut rest) = (Vec::new(), moments.into_iter());
        deinterleave(&mut back, 2, 3, || rest.next().ok_or(())).unwrap();
        assert_eq!(back, samples);
        assert_eq!(deinterleave(&mut back, 2, 3, || Err::<f32, ()>(())), Err(()));
        assert_eq!(Flat::new(&[], 0).interleaved().count(), 0);
        assert_eq!(Flat::new(&samples, 3).channels().len(), 2);
    }
}
