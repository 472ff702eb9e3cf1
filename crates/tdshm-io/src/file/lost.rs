//! What a format does not hold.

use core::fmt;

/// Something that is in one file and cannot be in the other, for people to read.
///
/// Displayed as one sentence in small letters, without a full stop.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Lost {
    /// The format has no channel names.
    Names {
        /// The format, with its point.
        file: &'static str,
    },
    /// The format has no sample rate.
    Rate {
        /// The format, with its point.
        file: &'static str,
        /// What it was, in Hz.
        hz: f64,
    },
    /// The format has no index of the first sample.
    Start {
        /// The format, with its point.
        file: &'static str,
        /// What it was.
        start: i64,
    },
    /// The format does not say how channels go on outside their samples.
    Ends {
        /// The format, with its point.
        file: &'static str,
    },
    /// Names were written in another way.
    Renamed {
        /// The format, with its point.
        file: &'static str,
        /// How many.
        count: usize,
        /// The first of them, as it was.
        from: String,
        /// The same as it is in the file.
        to: String,
        /// Why.
        because: &'static str,
    },
    /// All names are numbers, so that the first row looks like samples.
    NamesAreNumbers {
        /// The format, with its point.
        file: &'static str,
    },
    /// Infinities and what is no number, which the format does not describe.
    NotFinite {
        /// The format, with its point.
        file: &'static str,
        /// How many samples.
        count: u64,
    },
    /// Samples of more bits than the 32 that channels have.
    Precision {
        /// What they were.
        was: &'static str,
    },
    /// Parts of a file that are not read.
    LeftOut {
        /// What they are, and which, for people to read.
        what: String,
    },
}

impl Lost {
    /// What became of names that are `to` in the file and were `from`; `None` where they are the same.
    pub(crate) fn renamed(
        file: &'static str,
        from: &[String],
        to: &[String],
        because: &'static str,
    ) -> Option<Self> {
        let mut changed = from.iter().zip(to).filter(|(from, to)| from != to);
        let (from, to) = changed.next()?;
        let count = changed.count().saturating_add(1);
        Some(Self::Renamed { file, count, from: from.clone(), to: to.clone(), because })
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Names { file } => {
                write!(
                    f,
                    "{file} files hold no channel names: who reads this one finds chan1, chan2 and so on"
                )
            }
            Self::Rate { file, hz } => {
                write!(
                    f,
                    "{file} files hold no sample rate: who reads this one has to know that it is {hz} Hz"
                )
            }
            Self::Start { file, start } => {
                write!(
                    f,
                    "{file} files always begin at sample 0: that these samples began at {start} is lost"
                )
            }
            Self::Ends { file } => {
                write!(f, "{file} files do not say how channels go on outside their samples: that is lost")
            }
            Self::Renamed { file, count: 1, from, to, because } => {
                write!(f, "in the {file} file the channel {from:?} is called {to:?}, because {because}")
            }
            Self::Renamed { file, count, from, to, because } => {
                write!(
                    f,
                    "in the {file} file {count} channels have other names ({to:?} for {from:?}, and so on), because {because}"
                )
            }
            Self::NamesAreNumbers { file } => {
                write!(
                    f,
                    "all channel names are numbers: who reads the {file} file may take them for samples"
                )
            }
            Self::NotFinite { file, count } => {
                let are = if *count == 1 { "1 sample is" } else { &format!("{count} samples are") };
                write!(f, "{are} infinite or no number: not every program takes that from {file} files")
            }
            Self::Precision { was } => {
                write!(f, "the samples were {was}: channels hold 32-bit floats, so the last digits are lost")
            }
            Self::LeftOut { what } => write!(f, "{what}"),
        }
    }
}
