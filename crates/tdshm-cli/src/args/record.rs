//! The flags of `record`.

use std::path::PathBuf;

use clap::ValueHint;

use crate::args::{at_least_one, examples, seconds};

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("record"))]
pub(crate) struct RecordArgs {
    /// Shared-memory names, or patterns with *, ? or [xyz] that stand for all names they match, also of segments that
    /// appear later. Senders may start, stop and start again in any order
    #[arg(value_name = "NAME", required = true, value_hint = ValueHint::Other)]
    pub(crate) names: Vec<String>,

    /// The file to write, by custom with the extension .mcap [default: none, it has to be named]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) out: PathBuf,

    /// Write over a file that is there [default: refuse]
    #[arg(long)]
    pub(crate) force: bool,

    /// End after N frames, those of all segments together [default: never]
    #[arg(short = 'C', long, value_name = "N", value_parser = at_least_one, allow_negative_numbers = true)]
    pub(crate) frames: Option<usize>,

    /// End S seconds after the first frame [default: never]
    #[arg(long, value_name = "S", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) seconds: Option<f64>,

    /// How much memory frames may take that wait for the disk, in millions of bytes; when it is full frames are lost,
    /// counted and told, and no sender ever waits
    #[arg(long, value_name = "MB", default_value_t = 256, value_parser = at_least_one, allow_negative_numbers = true)]
    pub(crate) buffer: usize,

    /// Print one JSON object about what was recorded, at the end [default: a sentence on standard error]
    #[arg(long)]
    pub(crate) json: bool,
}
