//! The flags, as data.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum, ValueHint};
use tdshm::ShortName;

use crate::encoding::Packing;
pub(crate) use crate::wanted::host;
use crate::wanted::{WantedSegment, WantedStream};

const EXAMPLES: &str = "\
Examples:
  tdshm-net share 'cam* mocap'         offer segments to the network, also those that come later
  tdshm-net list                       see what is shared where
  tdshm-net mirror 'host2/*'           make all that host2 shares segments of this machine
  tdshm-net mirror host2/cam1 --prefix host2-
  tdshm-net share mocap --connect tcp/192.168.1.20:7447
  tdshm-net share mocap --config examples/zenoh/share-tls.json5

Without --connect, --listen and --config everybody on the local network finds this program, reads what it shares, and
writes what it mirrors: docs/network.md says how to let only some.";

/// TouchDesigner's shared memory over the network: shares segments of this machine, and mirrors those of others.
#[derive(Debug, Parser)]
#[command(name = "tdshm-net", version, after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Say nothing on standard error but what went wrong [default: say what happens]
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Offer segments of this machine to the network. Costs nothing as long as nobody listens
    Share(ShareArgs),
    /// Make what other machines share segments of this machine, with the same block: TouchDesigner reads them with its own
    /// operators
    Mirror(MirrorArgs),
    /// List what is shared where
    List(ListArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ShareArgs {
    /// Shared-memory names, or patterns with *, ? or [xyz] that stand for all names they match, also of segments that appear
    /// later. What another tdshm-net mirrors here is never shared again
    #[arg(value_name = "NAME", required = true, value_hint = ValueHint::Other, value_parser = WantedSegment::read)]
    pub(crate) names: Vec<WantedSegment>,

    /// How images go over the network: raw (as they are), lz4 (packed, without loss), or jpeg (formats of 8 bits, without
    /// their alpha; others go raw)
    #[arg(long, value_name = "HOW", value_enum, default_value_t = Images::Raw, hide_possible_values = true)]
    pub(crate) images: Images,

    /// How good a JPEG is, 1 to 100
    #[arg(long, value_name = "N", default_value_t = 85, value_parser = clap::value_parser!(u8).range(1..=100))]
    pub(crate) quality: u8,

    /// What this machine is called in the names of its streams [default: its host name]
    #[arg(long, value_name = "NAME", value_parser = host)]
    pub(crate) host: Option<String>,

    #[command(flatten)]
    pub(crate) net: NetArgs,

    /// Print a JSON object each second, and one at the end, a line each [default: a status line, in a terminal]
    #[arg(long)]
    pub(crate) json: bool,
}

impl ShareArgs {
    pub(crate) fn packing(&self) -> Packing {
        match self.images {
            Images::Raw => Packing::Raw,
            Images::Lz4 => Packing::Lz4,
            Images::Jpeg => Packing::Jpeg(self.quality),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Images {
    Raw,
    Lz4,
    Jpeg,
}

#[derive(Debug, clap::Args)]
pub(crate) struct MirrorArgs {
    /// HOST/NAME of streams, each part a name or a pattern with *, ? or [xyz]
    #[arg(value_name = "HOST/NAME", required = true, value_hint = ValueHint::Other, value_parser = WantedStream::read)]
    pub(crate) streams: Vec<WantedStream>,

    /// Put that in front of the names: `--prefix host2-` makes host2-cam1 of cam1 [default: the same names as there]
    #[arg(long, value_name = "TEXT", conflicts_with = "named", value_parser = prefix)]
    pub(crate) prefix: Option<String>,

    /// Make the names by that pattern, in which {host} and {name} stand for the stream's [default: {name}]
    #[arg(long = "as", value_name = "PATTERN", value_parser = naming)]
    pub(crate) named: Option<String>,

    /// Take names also where another program's sender has them, of which nobody can tell whether it lives; a living
    /// sender of `tdshm` keeps its name, a dead one's is always taken [default: refuse]
    #[arg(long)]
    pub(crate) take_over: bool,

    /// How long a program that shares may answer nothing before its streams count as gone, in seconds, though its connection
    /// stands: it hangs
    #[arg(long, value_name = "S", default_value = "15", value_parser = duration)]
    pub(crate) patience: Duration,

    /// How much memory all streams may have together, in MiB: segments, what images are unpacked into, and messages on their
    /// way. A raw image takes three times its bytes, a packed one five times
    #[arg(long, value_name = "MIB", default_value_t = 2048, value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    pub(crate) memory: u64,

    /// How long a stream that nobody shares any more stays in what is shown, in seconds
    #[arg(long, value_name = "S", default_value = "600", value_parser = duration)]
    pub(crate) keep: Duration,

    #[command(flatten)]
    pub(crate) net: NetArgs,

    /// Print a JSON object each second, and one at the end, a line each [default: a status line, in a terminal]
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// List streams of those only, HOST/NAME, each part a name or a pattern [default: all]
    #[arg(value_name = "HOST/NAME", value_hint = ValueHint::Other, value_parser = WantedStream::read)]
    pub(crate) streams: Vec<WantedStream>,

    /// How long to wait for answers, in seconds
    #[arg(long, value_name = "S", default_value = "1.5", value_parser = seconds)]
    pub(crate) wait: Duration,

    #[command(flatten)]
    pub(crate) net: NetArgs,

    /// Print a JSON array [default: a table]
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "The network")]
pub(crate) struct NetArgs {
    /// zenoh's own configuration, as JSON5: TLS, access control, and all else [default: what docs/network.md says]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) config: Option<PathBuf>,

    /// Connect to a router or another program of zenoh's, say tcp/192.168.1.20:7447; may be given several times. Nobody is
    /// looked for then [default: whom the local network has]
    #[arg(long, value_name = "ENDPOINT", value_parser = endpoint)]
    pub(crate) connect: Vec<String>,

    /// Listen there, say tcp/0.0.0.0:7447 or tcp/127.0.0.1:7447; may be given several times. Nobody is looked for then
    /// [default: at a free port of all addresses, or nowhere with --connect]
    #[arg(long, value_name = "ENDPOINT", value_parser = endpoint)]
    pub(crate) listen: Vec<String>,

    /// peer (talks to others directly), client (by way of the router that --connect names), or router
    #[arg(long, value_name = "MODE", value_enum, hide_possible_values = true)]
    pub(crate) mode: Option<Mode>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    Peer,
    Client,
    Router,
}

impl Mode {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::Client => "client",
            Self::Router => "router",
        }
    }
}

/// A pattern for names, in which nothing but {host} and {name} is in braces.
fn naming(text: &str) -> Result<String, String> {
    let left = text.replace("{host}", "").replace("{name}", "");
    if text.is_empty() || left.contains(['{', '}']) {
        return Err("write a name, in which {host} and {name} stand for the stream's".to_owned());
    }
    Ok(text.to_owned())
}

/// An endpoint of zenoh's; those of the network need a port.
fn endpoint(text: &str) -> Result<String, String> {
    let shape = || "write it as tcp/192.168.1.20:7447".to_owned();
    let (protocol, address) =
        text.split_once('/').filter(|(_, address)| !address.is_empty()).ok_or_else(shape)?;
    if matches!(protocol, "tcp" | "udp" | "tls") {
        // What follows is zenoh's own: tcp/1.2.3.4:7447?prio=1#iface=eth0
        let address = address.split(['?', '#']).next().unwrap_or_default();
        let port = address.rsplit_once(':').map(|(_, port)| port);
        port.and_then(|port| port.parse::<u16>().ok()).ok_or_else(shape)?;
    }
    Ok(text.to_owned())
}

/// What stands in front of names, and is the beginning of one.
fn prefix(text: &str) -> Result<String, String> {
    ShortName::new(&format!("{text}x")).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if time <= Duration::from_secs(3600) => Ok(time),
        _ => Err("give 0 to 3600 seconds".to_owned()),
    }
}

/// Of which 0 would be none.
fn duration(text: &str) -> Result<Duration, String> {
    let seconds = text.parse::<f64>().map_err(|error| error.to_string())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if (Duration::from_secs(1)..=Duration::from_secs(86400)).contains(&time) => Ok(time),
        _ => Err("give 1 to 86400 seconds".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Args::command().debug_assert();
        assert!(Args::try_parse_from(["tdshm-net", "share", "cam", "--quality", "0"]).is_err());
        assert!(Args::try_parse_from(["tdshm-net", "mirror", "a/b", "--as", "x", "--prefix", "y"]).is_err());
        assert!(Args::try_parse_from(["tdshm-net", "list", "--wait", "-1"]).is_err());
        for wrong in [
            "mirror a/b/c",
            "mirror [/x",
            "mirror a/b --prefix x/",
            "mirror a/b --keep 0",
            "list x",
            "share [",
        ] {
            assert!(Args::try_parse_from(format!("tdshm-net {wrong}").split(' ')).is_err(), "{wrong}");
        }
        for (named, good) in
            [("{host}-{name}", true), ("x", true), ("", false), ("{name}{nope}", false), ("a}", false)]
        {
            assert_eq!(
                Args::try_parse_from(["tdshm-net", "mirror", "a/b", "--as", named]).is_ok(),
                good,
                "{named}"
            );
        }
        for (at, good) in [
            ("tcp/127.0.0.1:7447", true),
            ("tls/host1:7447", true),
            ("tcp/[::1]:0#iface=lo", true),
            ("unixsock-stream//tmp/z", true),
            ("tcp/127.0.0.1", false),
            ("127.0.0.1:7447", false),
            ("tcp/", false),
            ("tcp/host:99999", false),
        ] {
            assert_eq!(Args::try_parse_from(["tdshm-net", "list", "--connect", at]).is_ok(), good, "{at}");
        }
    }
}
