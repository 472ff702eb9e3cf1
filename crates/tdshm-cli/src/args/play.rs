//! The flags of `play`.

use std::path::PathBuf;

use clap::ValueHint;

use crate::args::{examples, speed, zero_or_more};

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("play"))]
pub(crate) struct PlayArgs {
    /// The recording, as `record` writes it
    #[arg(value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,

    /// Play the segments of that name, or of those that a pattern with *, ? or [xyz] means. May be given several times
    /// [default: all]
    #[arg(long, value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) name: Vec<String>,

    /// Send under another name: OLD=NEW for one of several segments, NEW alone where a single one is played. May be given
    /// several times [default: the recorded names]
    #[arg(long = "as", value_name = "[OLD=]NEW", value_hint = ValueHint::Other)]
    pub(crate) renamed: Vec<String>,

    /// Where to begin, in seconds from the first frame of the recording
    #[arg(long, value_name = "SECONDS", default_value_t = 0.0, value_parser = zero_or_more, allow_negative_numbers = true)]
    pub(crate) from: f64,

    /// Where to end, in seconds from the first frame of the recording [default: at its end]
    #[arg(long, value_name = "SECONDS", value_parser = zero_or_more, allow_negative_numbers = true)]
    pub(crate) to: Option<f64>,

    /// Start again at the end, from --from on where that is given [default: leave at the end]
    #[arg(long = "loop")]
    pub(crate) looped: bool,

    /// How fast, 0.01 to 100: the times between frames change, and nothing in the frames, whose sample rates stay as they
    /// were recorded
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = speed, allow_negative_numbers = true)]
    pub(crate) speed: f64,

    /// Wait for nothing: send the frames as fast as they go, of which receivers miss most [default: at their times]
    #[arg(long, conflicts_with = "speed")]
    pub(crate) no_wait: bool,

    /// Take names also where another program's sender has them, of which nobody can tell whether it lives; a living
    /// `tdshm` sender keeps its name, a dead one's is always taken [default: refuse]
    #[arg(long)]
    pub(crate) take_over: bool,

    /// Print one JSON object about what was played, at the end [default: a sentence on standard error]
    #[arg(long)]
    pub(crate) json: bool,
}
