//! The flags of `doctor`.

use tdshm::ShortName;

use crate::args::{examples, positive, short_name};

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("doctor"))]
pub(crate) struct DoctorArgs {
    /// Walk through sending to and receiving from a running TouchDesigner, step by step: it says what to set there,
    /// waits for it, asks what is to be seen, and ends with a summary to paste into an issue [default: check this
    /// machine alone]
    #[arg(long)]
    pub(crate) touchdesigner: bool,

    /// The Shared Mem Name of the walk's first operator; the others' begin with it
    #[arg(long, value_name = "NAME", requires = "touchdesigner", default_value = "doctor", value_parser = short_name)]
    pub(crate) name: ShortName,

    /// How long each step of the walk waits for TouchDesigner, and for an answer, in seconds
    #[arg(long, value_name = "S", requires = "touchdesigner", default_value_t = 120.0, value_parser = positive, allow_negative_numbers = true)]
    pub(crate) timeout: f64,

    /// Ask nothing: only what this program sees by itself counts [default: ask on standard input]
    #[arg(short, long, requires = "touchdesigner")]
    pub(crate) yes: bool,

    /// Print one JSON object [default: lines for people]
    #[arg(long)]
    pub(crate) json: bool,
}
