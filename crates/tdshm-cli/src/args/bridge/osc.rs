//! The flags of `bridge osc-out` and `bridge osc-in`.

use core::fmt;
use core::str::FromStr;
use std::net::{Ipv4Addr, Ipv6Addr};

use clap::{ValueEnum, ValueHint};
use tdshm::ShortName;
use tdshm_io::osc::{DEFAULT_PORT, Layout, Multicast, Numeric};
use tdshm_ops::Pattern;

use crate::args::bridge::StatusArgs;
use crate::args::{at_least_one, examples, pattern, positive, short_name};

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("osc-out"))]
pub(crate) struct OscOutArgs {
    /// The shared-memory name of the channels
    #[arg(value_name = "NAME", value_parser = short_name, value_hint = ValueHint::Other)]
    pub(crate) name: ShortName,

    /// Where messages go: a host, by its name or address, which may be a group, and a port
    #[arg(long, value_name = "HOST:PORT", default_value_t = Place::default(), value_parser = target)]
    pub(crate) to: Place,

    /// Send the channels that the pattern means, as in a CHOP's scope [default: all]
    #[arg(long, value_name = "PATTERN", value_parser = pattern, allow_hyphen_values = true)]
    pub(crate) scope: Option<Pattern>,

    /// How samples become messages: sample (the newest of each channel), timeslice (all of each channel, as arguments),
    /// transpose (the first of every channel, in one message), or transposename (the same, with names)
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = Format::Timeslice, hide_possible_values = true)]
    pub(crate) format: Format,

    /// What samples are sent as: int, float or double
    #[arg(long, value_enum, value_name = "KIND", default_value_t = Kind::Float, hide_possible_values = true)]
    pub(crate) numeric: Kind,

    /// How large a packet may be, in bytes, up to 65507. More goes into several
    #[arg(long, value_name = "N", default_value_t = 8000, value_parser = clap::value_parser!(u16).range(1..=65507), allow_negative_numbers = true)]
    pub(crate) max_bytes: u16,

    /// Send only channels that are not as they were sent last
    #[arg(long)]
    pub(crate) changed: bool,

    /// With --changed, send all channels every S seconds, for receivers that came later or lost something [default: never]
    #[arg(long, value_name = "S", requires = "changed", value_parser = positive, allow_negative_numbers = true)]
    pub(crate) refresh: Option<f64>,

    /// Send at most R frames a second, the newest ones [default: every frame of the segment]
    #[arg(long, value_name = "R", value_parser = positive, allow_negative_numbers = true)]
    pub(crate) rate: Option<f64>,

    /// Send the sample rate along, as /_samplerate; with --format timeslice
    #[arg(long)]
    pub(crate) send_rate: bool,

    /// Send each message in a packet of its own, without bundles and time tags, for receivers that know neither
    #[arg(long)]
    pub(crate) no_bundles: bool,

    /// How many networks messages for a group may reach: 1 is this one alone [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8), allow_negative_numbers = true)]
    pub(crate) ttl: Option<u8>,

    /// The interface by which a group is reached: one of this machine's IPv4 addresses, or, for IPv6, the number of the
    /// interface [default: as the system chooses]
    #[arg(long, value_name = "ADDR")]
    pub(crate) interface: Option<Interface>,

    #[command(flatten)]
    pub(crate) status: StatusArgs,
}

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("osc-in"))]
pub(crate) struct OscInArgs {
    /// The shared-memory name that receivers open
    #[arg(value_name = "NAME", value_parser = short_name, value_hint = ValueHint::Other)]
    pub(crate) name: ShortName,

    /// Where messages come to: an address of this machine, or a group to join, and a port; 0.0.0.0 or :: for all of this
    /// machine's addresses, where everybody in the network may set channels
    #[arg(long, value_name = "ADDR:PORT", default_value_t = Place::default())]
    pub(crate) listen: Place,

    /// Take the addresses that the pattern means, with or without the slash at their beginning, as in an OSC In CHOP
    /// [default: all]
    #[arg(long, value_name = "PATTERN", value_parser = pattern, allow_hyphen_values = true)]
    pub(crate) scope: Option<Pattern>,

    /// Leave N segments at the beginning of an address out of the channel's name: with 1, /hand/x is x
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    pub(crate) strip: usize,

    /// How many frames a second are written, each with the last value of every channel; 1000 at most. With --every-packet
    /// only the sample rate that frames say
    #[arg(long, value_name = "R", default_value_t = 60.0, value_parser = rate, allow_negative_numbers = true)]
    pub(crate) rate: f32,

    /// Write a frame for each packet that comes, and none besides: no value is left out, and none waits
    #[arg(long)]
    pub(crate) every_packet: bool,

    /// How many channels there may be. Messages for more are dropped, and counted
    #[arg(long, value_name = "N", default_value_t = 4096, value_parser = at_least_one, allow_negative_numbers = true)]
    pub(crate) max_channels: usize,

    /// The interface by which a group is joined: one of this machine's IPv4 addresses, or, for IPv6, the number of the
    /// interface [default: as the system chooses]
    #[arg(long, value_name = "ADDR")]
    pub(crate) interface: Option<Interface>,

    /// Take the name also where another program's sender has it, of which nobody can tell whether it lives; a living
    /// `tdshm` sender keeps its name, a dead one's is always taken [default: refuse]
    #[arg(long)]
    pub(crate) take_over: bool,

    #[command(flatten)]
    pub(crate) status: StatusArgs,
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Default for Place {
    fn default() -> Self {
        Self { host: Ipv4Addr::LOCALHOST.to_string(), port: DEFAULT_PORT }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

impl FromStr for Place {
    type Err = &'static str;

    /// `host:port`, `[::1]:port`, a host alone, or a port alone.
    fn from_str(text: &str) -> Result<Self, &'static str> {
        const HOW: &str = "give a host and a port, such as 127.0.0.1:10000, [::1]:10000 or studio:10000";
        const BRACKETS: &str =
            "is that a port at its end? Put IPv6 addresses into brackets, such as [::1]:10000 or [::1]";
        const PORTS: &str = "a port is at most 65535";
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_digits(text) {
            // As an address it would be 0.0.35.40, which nobody means.
            let port = text.parse().map_err(|_| PORTS)?;
            return Ok(Self { port, ..Self::default() });
        }
        let is_either =
            |(host, port): (&str, &str)| host.parse::<Ipv6Addr>().is_ok() && port.parse::<u16>().is_ok();
        if text.rsplit_once(':').is_some_and(is_either) {
            return Err(BRACKETS);
        }
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, "")) => (host, None),
            Some((host, rest)) => (host, Some(rest.strip_prefix(':').ok_or(HOW)?)),
            None if text.parse::<Ipv6Addr>().is_ok() => (text, None),
            None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let port = match port {
            Some(port) => port.parse().map_err(|_| if is_digits(port) { PORTS } else { HOW })?,
            None => DEFAULT_PORT,
        };
        let is_one = !host.is_empty() && !host.contains(|c: char| c.is_whitespace() || "/@[]".contains(c));
        let is_whole =
            !host.contains(':') || host.split('%').next().is_some_and(|ip| ip.parse::<Ipv6Addr>().is_ok());
        if is_one && is_whole { Ok(Self { host: host.to_owned(), port }) } else { Err(HOW) }
    }
}

/// A place that something can be sent to.
fn target(text: &str) -> Result<Place, &'static str> {
    let place: Place = text.parse()?;
    if place.port == 0 { Err("nobody listens at port 0: give one from 1 to 65535") } else { Ok(place) }
}

/// More is a segment that is written all the time, and values that nobody has sent.
fn rate(text: &str) -> Result<f32, &'static str> {
    let number = text.parse().ok().filter(|rate: &f32| *rate > 0.0 && *rate <= 1000.0);
    number.ok_or(
        "give a number above 0, up to 1000; --every-packet has a frame for each packet, however many come",
    )
}

/// An interface of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interface {
    Address(Ipv4Addr),
    Index(u32),
}

impl Interface {
    /// Groups are reached by it.
    pub(crate) fn set(this: Option<Self>, multicast: Multicast) -> Multicast {
        match this {
            Some(Self::Address(address)) => multicast.interface(address),
            Some(Self::Index(index)) => multicast.interface_index(index),
            None => multicast,
        }
    }
}

impl FromStr for Interface {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let address = text.parse().map(Self::Address);
        address
            .or_else(|_| text.parse().map(Self::Index))
            .map_err(|_| "give one of this machine's IPv4 addresses, or the number of an interface")
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Sample,
    Timeslice,
    Transpose,
    Transposename,
}

impl From<Format> for Layout {
    fn from(format: Format) -> Self {
        match format {
            Format::Sample => Self::Sample,
            Format::Timeslice => Self::TimeSlice,
            Format::Transpose => Self::Transpose,
            Format::Transposename => Self::TransposeName,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    Int,
    Float,
    Double,
}

impl From<Kind> for Numeric {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Int => Self::Int,
            Kind::Float => Self::Float,
            Kind::Double => Self::Double,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_in_every_way_that_people_write_them() {
        for (text, host, port) in [
            ("127.0.0.1:9000", "127.0.0.1", 9000),
            ("127.0.0.1", "127.0.0.1", 10_000),
            ("studio:7", "studio", 7),
            ("studio.local", "studio.local", 10_000),
            ("[::1]:9000", "::1", 9000),
            ("[::1]", "::1", 10_000),
            ("::1", "::1", 10_000),
            ("::", "::", 10_000),
            ("[fe80::1%eth0]:1", "fe80::1%eth0", 1),
            ("0.0.0.0:0", "0.0.0.0", 0),
            ("9000", "127.0.0.1", 9000),
            ("0", "127.0.0.1", 0),
            ("fe80::1234", "fe80::1234", 10_000),
            ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", 10_000),
        ] {
            let place: Place = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((place.host.as_str(), place.port), (host, port), "{text}");
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for text in
            ["", ":", ":7", "a:", "a:b", "a:65536", "a:-1", "[::1", "[::1]7", "a b:1", "osc://a:1", "a:1:2"]
        {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
        for text in ["65536", "a:65536", "[::1]:80000"] {
            assert_eq!(text.parse::<Place>(), Err("a port is at most 65535"), "{text}");
        }
        for text in ["::1:9000", "::ffff:9000", "2001:db8::1:2"] {
            let error = text.parse::<Place>().unwrap_err();
            assert!(error.contains("brackets"), "{text}: {error}");
        }
        assert!(target("127.0.0.1:0").is_err() && target("0").is_err());
        assert!(rate("1000.5").is_err() && rate("1e9").is_err() && rate("NaN").is_err());
        assert_eq!(rate("1000"), Ok(1000.0));
        assert_eq!("3".parse(), Ok(Interface::Index(3)));
        assert!("eth0".parse::<Interface>().is_err());
    }
}
