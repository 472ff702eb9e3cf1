//! The flags of `doctor`.

use clap::{ArgGroup, ValueHint};
use tdshm::ShortName;

use crate::args::{examples, seconds, short_name};

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("doctor"))]
#[command(group = ArgGroup::new("somebody").args(["names", "touchdesigner"]).multiple(true))]
pub(crate) struct DoctorArgs {
    /// The shared-memory names of segments, or patterns with *, ? or [xyz] that stand for all that are there: find out what stands between the sender of each and those who receive it
    /// [default: check this machine alone]
    // What cannot be a name is what somebody may want to be told about.
    #[arg(value_name = "NAME", value_hint = ValueHint::Other)]
    pub(crate) names: Vec<String>,

    /// Walk through sending to and receiving from a running TouchDesigner, step by step: it says what to set there,
    /// waits for it, asks what is to be seen, and ends with a summary to paste into an issue [default: check this
    /// machine alone]
    #[arg(long)]
    pub(crate) touchdesigner: bool,

    /// The Shared Mem Name of the walk's first operator; the others' begin with it. NAME says the same
    #[arg(long, value_name = "NAME", requires = "touchdesigner", conflicts_with = "names", default_value = "doctor", value_parser = short_name)]
    pub(crate) name: ShortName,

    /// How long a segment is watched, or each step of the walk waits for TouchDesigner and for an answer, in seconds
    /// [default: 2, and 120 for the walk]
    #[arg(long, value_name = "S", requires = "somebody", value_parser = seconds, allow_negative_numbers = true)]
    pub(crate) timeout: Option<f64>,

    /// Ask nothing: only what this program sees by itself counts [default: ask on standard input]
    #[arg(short, long, requires = "touchdesigner")]
    pub(crate) yes: bool,

    /// Print one JSON object [default: lines for people]
    #[arg(long)]
    pub(crate) json: bool,
}
