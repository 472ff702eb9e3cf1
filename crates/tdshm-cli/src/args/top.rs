//! The flags of `top`.

use clap::ValueHint;

use crate::args::{examples, hz};

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("top"))]
pub(crate) struct TopArgs {
    /// Which segments are listed, by patterns of names with *, ?, [xyz] or [1-12], and ^ for all but [default: all]
    #[arg(value_name = "PATTERN", value_hint = ValueHint::Other)]
    pub(crate) patterns: Vec<String>,

    /// Show images in letters, also where the terminal says that it knows kitty's graphics or sixels [default: in dots there]
    #[arg(long)]
    pub(crate) letters: bool,

    /// How often the screen is drawn at most, in Hz: less often for a slow connection
    #[arg(long, value_name = "HZ", default_value_t = 30.0, value_parser = hz, allow_negative_numbers = true)]
    pub(crate) fps: f64,
}
