//! The flags of `convert`.

use std::path::{Path, PathBuf};

use clap::ValueHint;
use tdshm::ShortName;
use tdshm_io::file::Format;
use tdshm_ops::Pattern;

use crate::args::{examples, pattern, positive, seconds, short_name, zero_or_more};

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("convert"))]
pub(crate) struct ConvertArgs {
    /// What is there; - is standard input, with --read-as. A file: .csv, .chan, .clip, .wav, .aiff or .parquet; pictures (.png, .jpg, .exr): a folder, or names such as
    /// shot.%04d.png or 'shot.####.png'; or a recording (.mcap)
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) source: PathBuf,

    /// What is wanted; - is standard output, with --write-as. One of the same, by its extension; of pictures a folder, or one name, with a number where there are
    /// several. It appears when it is whole
    #[arg(value_name = "NEW", value_hint = ValueHint::AnyPath)]
    pub(crate) target: PathBuf,

    /// What standard input holds: csv, chan or clip [default: what the extension of FILE says]
    #[arg(long, value_name = "FORMAT", value_parser = text)]
    pub(crate) read_as: Option<Format>,

    /// What to write to standard output: csv, chan or clip [default: what the extension of NEW says]
    #[arg(long, value_name = "FORMAT", value_parser = text)]
    pub(crate) write_as: Option<Format>,

    /// Where to begin, in seconds from the first sample, picture or frame
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0, value_parser = zero_or_more, allow_negative_numbers = true)]
    pub(crate) from: f64,

    /// Where to end, in seconds from the first sample, picture or frame of the whole file [default: at its end]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) to: Option<f64>,

    /// Take the channels that the pattern means, as in a CHOP's scope: names with *, ?, [xyz] or [1-12], ^ for all
    /// but, | & ~ ( ) for sets [default: all channels]
    #[arg(long, value_name = "PATTERN", value_parser = pattern, allow_hyphen_values = true)]
    pub(crate) channels: Option<Pattern>,

    /// Samples or pictures a second of a file that does not say: of .csv, .chan, pictures, and .parquet of other
    /// programs; files that say it keep theirs [default: 60]
    #[arg(long, value_name = "HZ", value_parser = rate, allow_negative_numbers = true)]
    pub(crate) rate: Option<f64>,

    /// Make new samples over the same time, so many a second: on straight lines between those there are, or their means.
    /// All of them are in memory for that [default: the samples stay as they are]
    #[arg(long, value_name = "HZ", value_parser = rate, allow_negative_numbers = true)]
    pub(crate) resample: Option<f64>,

    /// The segment of a recording that is wanted [default: the only one that holds channels, or images; all, into another
    /// recording]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) name: Option<String>,

    /// What the segment in a new recording is called [default: the name of the new file, or of the segment]
    #[arg(long = "as", value_name = "NAME", value_parser = short_name, value_hint = ValueHint::Other)]
    pub(crate) renamed: Option<ShortName>,

    /// Replace what is there already [default: refuse]
    #[arg(short, long)]
    pub(crate) force: bool,

    /// Write pictures also where the file cannot hold all of them: floats cut at 0 and 1 into 16 bits of a PNG, everything
    /// as 8 bits without alpha into a JPEG [default: refuse]
    #[arg(long)]
    pub(crate) lossy: bool,
}

impl ConvertArgs {
    /// Whether it comes from standard input.
    pub(crate) fn is_from_stdin(&self) -> bool {
        is_stream(&self.source)
    }

    /// Whether it goes to standard output.
    pub(crate) fn is_to_stdout(&self) -> bool {
        is_stream(&self.target)
    }

    /// What is read, for people.
    pub(crate) fn shown_source(&self) -> String {
        if self.is_from_stdin() { "standard input".to_owned() } else { self.source.display().to_string() }
    }

    /// What is written, for people.
    pub(crate) fn shown_target(&self) -> String {
        if self.is_to_stdout() { "standard output".to_owned() } else { self.target.display().to_string() }
    }
}

fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn text(name: &str) -> Result<Format, &'static str> {
    match name.trim_start_matches('.') {
        "csv" => Ok(Format::Csv),
        "chan" => Ok(Format::Chan),
        "clip" => Ok(Format::Clip),
        _ => Err("give csv, chan or clip: in other formats one goes back and forth, so they take a file"),
    }
}

/// As [`positive`], and blocks say rates with 32 bits.
fn rate(text: &str) -> Result<f64, &'static str> {
    let rate = positive(text).ok().filter(|rate| (*rate as f32) > 0.0 && (*rate as f32).is_finite());
    rate.ok_or("give a number above 0 that fits 32 bits")
}
