//! The recording that comes with the command.

use anyhow::anyhow;
use tdshm::PixelFormat;
use tdshm_io::Recording;
use tdshm_io::file::csv;

use crate::pattern::TestPattern;

/// What it is, for a title.
pub(crate) const TITLE: &str = "sea-surface temperature off Peru, month by month";
/// What its values are.
pub(crate) const UNIT: &str = "°C";
/// The year of its first sample; each sample is a year.
pub(crate) const FIRST_YEAR: usize = 1950;
/// How fast it is streamed, in samples per second: slow enough to be watched.
pub(crate) const SAMPLE_RATE: f32 = 10.0;

/// The image that is streamed beside it: small, since it is there to be looked at.
pub(crate) fn image() -> TestPattern {
    TestPattern::new(PixelFormat::R8G8B8A8_UNORM, 96, 54)
}

/// The recording: a channel a month, a sample a year.
pub(crate) fn recording() -> anyhow::Result<Recording> {
    let table: &[u8] = include_bytes!("../data/elnino.csv");
    csv::read(table, SAMPLE_RATE)
        .map_err(|error| anyhow!("the bundled recording cannot be read: {error}; build tdshm again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_the_title_says() {
        let recording = recording().unwrap();
        assert_eq!((recording.num_channels(), recording.len_samples()), (12, 61));
        assert_eq!(recording.names().first().map(String::as_str), Some("jan"));
        let all = (0..12).flat_map(|month| recording.channel(month).unwrap());
        assert!(all.into_iter().all(|celsius| (15.0..32.0).contains(celsius)));
    }
}
