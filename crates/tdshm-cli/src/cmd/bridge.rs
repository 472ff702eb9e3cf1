//! `tdshm bridge`: segments to and from what lies beyond this machine's memory. Each kind has a file.

pub(crate) mod status;
mod ws;

use crate::Exit;
use crate::args::bridge::{BridgeArgs, Kind};
use crate::stop::Stop;

/// Bridges until somebody asks to stop.
pub(crate) fn run(args: &BridgeArgs, stop: &Stop) -> anyhow::Result<Exit> {
    match &args.kind {
        Kind::Ws(args) => ws::run(args, stop),
    }
}
