//! What channels are, beside their samples.

use crate::error::RecordingError;
use crate::file::Lost;

/// Names, rate and place of channels, as a file holds them or is to hold them; without the samples.
///
/// ```
/// use tdshm_io::file::Layout;
///
/// let layout = Layout::new(vec!["tx".into(), "ty".into()], 60.0)?.with_start(-30);
/// assert_eq!((layout.num_channels(), layout.sample_rate(), layout.start()), (2, 60.0, -30));
/// # Ok::<(), tdshm_io::RecordingError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    names: Vec<String>,
    sample_rate: f64,
    rate_is_assumed: bool,
    start: i64,
    ends: Vec<Ends>,
    len_samples: Option<u64>,
    segment: Option<String>,
    lost: Vec<Lost>,
}

/// How a channel of a clip goes on outside its samples, in the words of the file.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Ends {
    /// Before the first sample: `hold`, `slope`, `cycle`, `mirror`, `default`. `None`: the file does not say.
    pub left: Option<String>,
    /// Behind the last sample, in the same words.
    pub right: Option<String>,
    /// The value of `default`.
    pub default: Option<f32>,
}

impl Layout {
    /// Channels of these names at `sample_rate` Hz.
    ///
    /// # Errors
    ///
    /// [`RecordingError::SampleRate`]: the rate is not finite, or not above 0.
    pub fn new(names: Vec<String>, sample_rate: f64) -> Result<Self, RecordingError> {
        // Blocks say it with 32 bits, so it has to be a rate with those as well.
        let value = sample_rate as f32;
        if !(value.is_finite() && value > 0.0) {
            return Err(RecordingError::SampleRate { value });
        }
        Ok(Self {
            names,
            sample_rate,
            rate_is_assumed: false,
            start: 0,
            ends: Vec::new(),
            len_samples: None,
            segment: None,
            lost: Vec::new(),
        })
    }

    /// The same with another index of the first sample.
    #[must_use]
    pub fn with_start(mut self, start: i64) -> Self {
        self.start = start;
        self
    }

    /// The same with a rate that no file says: somebody has given it, or nobody.
    #[must_use]
    pub fn with_assumed_rate(mut self) -> Self {
        self.rate_is_assumed = true;
        self
    }

    /// The same with what the channels are outside their samples, in their order. Channels beyond hold their values.
    #[must_use]
    pub fn with_ends(mut self, ends: Vec<Ends>) -> Self {
        self.ends = ends;
        self
    }

    /// The same with so many samples in each channel.
    #[must_use]
    pub fn with_len_samples(mut self, len_samples: u64) -> Self {
        self.len_samples = Some(len_samples);
        self
    }

    /// The same, but it is not known how many samples there will be.
    #[must_use]
    pub fn with_unknown_len(mut self) -> Self {
        self.len_samples = None;
        self
    }

    /// The same at another rate.
    ///
    /// # Errors
    ///
    /// [`RecordingError::SampleRate`]: the rate is not finite, or not above 0.
    pub fn with_sample_rate(self, sample_rate: f64) -> Result<Self, RecordingError> {
        let Self { names, start, ends, len_samples, segment, lost, .. } = self;
        Ok(Self { start, ends, len_samples, segment, lost, ..Self::new(names, sample_rate)? })
    }

    /// The same with a name for the segment that they become in a recording; without it that is the name of the file.
    #[must_use]
    pub fn with_segment(mut self, name: impl Into<String>) -> Self {
        self.segment = Some(name.into());
        self
    }

    /// The channels at these places alone, in that order. Places beyond the last channel are left out.
    #[must_use]
    pub fn select(&self, channels: &[usize]) -> Self {
        let names = channels.iter().filter_map(|at| self.names.get(*at).cloned()).collect();
        let ends = match self.ends.is_empty() {
            true => Vec::new(),
            false => channels.iter().map(|at| self.ends.get(*at).cloned().unwrap_or_default()).collect(),
        };
        Self { names, ends, ..self.clone() }
    }

    pub(crate) fn with_lost(mut self, lost: impl IntoIterator<Item = Lost>) -> Self {
        self.lost.extend(lost);
        self
    }

    /// The name of each channel, in order. Names may repeat.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Channels.
    #[must_use]
    pub fn num_channels(&self) -> usize {
        self.names.len()
    }

    /// Samples a second, in Hz: finite and above 0.
    #[must_use]
    pub fn sample_rate(&self) -> f64 {
        self.sample_rate
    }

    /// Whether the rate comes from elsewhere than the file, which holds none.
    #[must_use]
    pub fn rate_is_assumed(&self) -> bool {
        self.rate_is_assumed
    }

    /// The index of the first sample on the timeline, in samples.
    #[must_use]
    pub fn start(&self) -> i64 {
        self.start
    }

    /// How each channel goes on outside its samples, in order; empty where nothing is said.
    #[must_use]
    pub fn ends(&self) -> &[Ends] {
        &self.ends
    }

    /// Samples in each channel, where that is known before they are read.
    #[must_use]
    pub fn len_samples(&self) -> Option<u64> {
        self.len_samples
    }

    /// The name for the segment that they become in a recording.
    #[must_use]
    pub fn segment(&self) -> Option<&str> {
        self.segment.as_deref()
    }

    /// What of the file did not come along.
    #[must_use]
    pub fn lost(&self) -> &[Lost] {
        &self.lost
    }

    /// Whether the names are those that channels without names have: `chan1`, `chan2`, ….
    pub(crate) fn has_plain_names(&self) -> bool {
        (1_usize..).zip(&self.names).all(|(number, name)| {
            name.strip_prefix("chan").and_then(|digits| digits.parse().ok()) == Some(number)
        })
    }
}
