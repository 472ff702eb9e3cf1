//! The flags of `bridge`.

pub(crate) mod osc;

#[cfg(feature = "web")]
use std::path::PathBuf;

use clap::Subcommand;
#[cfg(feature = "web")]
use clap::ValueHint;

use crate::args::examples;
#[cfg(feature = "web")]
use crate::args::serve::DoorArgs;
#[cfg(feature = "web")]
use crate::args::zero_or_more;
#[cfg(feature = "web")]
use crate::cmd::names::Wanted;

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("bridge"))]
pub(crate) struct BridgeArgs {
    #[command(subcommand)]
    pub(crate) kind: Kind,
}

/// What is at the other side.
#[derive(Debug, Subcommand)]
pub(crate) enum Kind {
    /// Browsers, and programs that speak WebSocket: they send channels into segments, and read them
    #[cfg(feature = "web")]
    Ws(WsArgs),
    /// Every program that listens to Open Sound Control: the channels of a segment become messages
    OscOut(osc::OscOutArgs),
    /// Every program that speaks Open Sound Control: messages become the channels of a segment
    OscIn(osc::OscInArgs),
}

/// What every bridge takes.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// Print JSON objects, one on each line: at the start, once a second, and at the end [default: a line on standard error
    /// that says how it goes]
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(feature = "web")]
#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("ws"))]
pub(crate) struct WsArgs {
    /// The names that may be sent, and read: shared-memory names, or patterns with *, ? or [xyz]. A segment is there from
    /// the moment on at which a browser begins
    #[arg(value_name = "NAME", required = true, value_parser = wanted, value_hint = ValueHint::Other)]
    pub(crate) names: Vec<String>,

    /// A name or pattern that may only be read; may be given several times [default: none besides NAME]
    #[arg(long, value_name = "NAME", value_parser = wanted, value_hint = ValueHint::Other)]
    pub(crate) read: Vec<String>,

    /// The port to listen at; 0 finds one that is free
    #[arg(long, value_name = "PORT", default_value_t = 8766)]
    pub(crate) port: u16,

    #[command(flatten)]
    pub(crate) door: DoorArgs,

    /// A folder with a page of your own, index.html: it is served in the place of the one that comes with the command, and may
    /// connect, which no page from elsewhere may [default: sliders, a pad and a plot]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) pages: Option<PathBuf>,

    /// How many seconds a segment stays, with its last values, when its browser has gone without a word, so that a page may
    /// be loaded again [default: until the end, and 60 where a pattern meant the name]
    #[arg(long, value_name = "S", value_parser = zero_or_more, allow_negative_numbers = true)]
    pub(crate) linger: Option<f64>,

    /// Take names also where another program's sender has them, of which nobody can tell whether it lives; a living
    /// `tdshm` sender keeps its name, a dead one's is always taken [default: refuse]
    #[arg(long)]
    pub(crate) take_over: bool,

    #[command(flatten)]
    pub(crate) status: StatusArgs,
}

/// A name, or a pattern of names, as it was typed.
#[cfg(feature = "web")]
fn wanted(text: &str) -> Result<String, String> {
    Wanted::read(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}
