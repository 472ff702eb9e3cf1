//! The flags of `run`.

use std::path::PathBuf;

use clap::{ValueEnum, ValueHint};

use crate::args::examples;

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("run"))]
pub(crate) struct RunArgs {
    /// The patch: operators, parameters, wires and tables, as --schema describes them
    #[arg(value_hint = ValueHint::FilePath, required_unless_present = "schema")]
    pub(crate) patch: Option<PathBuf>,

    /// Leave after N frames, which run as fast as they go [default: never, in the time of the patch]
    #[arg(long, value_name = "N")]
    pub(crate) frames: Option<u64>,

    /// Leave no frame out that comes too late: time runs slower instead [default: as the patch says, which leaves them
    /// out unless it has realtime = false]
    #[arg(long)]
    pub(crate) no_realtime: bool,

    /// Print what the operators of that path or pattern give, each frame: the values of CHOPs, the size and pixel format
    /// of TOPs, the custom parameters of components, the size of tables; they are asked to cook, as if somebody looked.
    /// May be given several times [default: nothing]
    #[arg(long, value_name = "PATTERN", value_hint = ValueHint::Other)]
    pub(crate) print: Vec<String>,

    /// How to print: text (a line an operator), csv (a row a value, below a line of headings) or json (an object a frame,
    /// one on each line). Of --schema text or json
    #[arg(long, value_enum, default_value_t = RunFormat::Text, hide_possible_values = true)]
    pub(crate) format: RunFormat,

    /// Read the patch again whenever it is saved: what is as before goes on with its segments, and a patch with mistakes
    /// changes nothing [default: read it once]
    #[arg(long)]
    pub(crate) watch: bool,

    /// Only say what is wrong with the patch, if anything; exit status 1 then [default: run it]
    #[arg(long, conflicts_with_all = ["frames", "no_realtime", "print", "watch"])]
    pub(crate) check: bool,

    /// Describe what stands in a patch, every operator type and every parameter; with a pattern such as 'wave*' those
    /// types alone [default: run a patch]
    #[arg(long, value_name = "PATTERN", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["patch", "frames", "no_realtime", "print", "watch", "check"])]
    pub(crate) schema: Option<String>,
}

/// How values are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RunFormat {
    Text,
    Csv,
    Json,
}
