//! `tdshm bridge`: segments to and from what lies beyond this machine's memory. Each kind has a file.

mod osc_in;
mod osc_out;
pub(crate) mod status;
mod told;
#[cfg(feature = "web")]
mod ws;

use crate::Exit;
use crate::args::bridge::{BridgeArgs, Kind};
use crate::stop::Stop;

/// Bridges until somebody asks to stop.
pub(crate) fn run(args: &BridgeArgs, stop: &Stop) -> anyhow::Result<Exit> {
    match &args.kind {
        #[cfg(feature = "web")]
        Kind::Ws(args) => ws::run(args, stop),
        Kind::OscOut(args) => osc_out::run(args, stop),
        Kind::OscIn(args) => osc_in::run(args, stop),
    }
}
