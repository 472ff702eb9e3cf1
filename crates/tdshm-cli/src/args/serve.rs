//! The flags of `serve`.

use std::net::{IpAddr, Ipv4Addr};

use crate::args::examples;

/// Letters that a token has at least.
const TOKEN: usize = 16;

#[derive(Debug, clap::Args)]
#[command(after_help = examples::help("serve"))]
pub(crate) struct ServeArgs {
    /// The port to listen at; 0 finds one that is free
    #[arg(long, value_name = "PORT", default_value_t = 8765)]
    pub(crate) port: u16,

    #[command(flatten)]
    pub(crate) door: DoorArgs,

    /// Open the page in this user's browser [default: only say where it is]
    #[arg(long)]
    pub(crate) open: bool,

    /// Say where the page is as a JSON object on one line [default: the address alone]
    #[arg(long)]
    pub(crate) json: bool,
}

/// Whom a server lets in, for browsers.
#[derive(Debug, clap::Args)]
pub(crate) struct DoorArgs {
    /// The address to listen at: 0.0.0.0 or :: for all of this machine's. Beyond loopback whoever comes has to have the
    /// token, and nothing is encrypted on the way
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub(crate) listen: IpAddr,

    /// Let only those in who have the token: the one given, of 16 letters or more, or a new one [default: none on
    /// loopback, a new one beyond it]
    #[arg(long, value_name = "TOKEN", num_args = 0..=1, default_missing_value = "", value_parser = token)]
    pub(crate) token: Option<String>,

    /// A name that browsers may call this machine by, besides its addresses and localhost; may be given several times
    /// [default: none]
    #[arg(long, value_name = "NAME")]
    pub(crate) allow_host: Vec<String>,

    /// How many browsers may be connected at once, 1 to 256
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) clients: u16,
}

/// Nothing stands for one that is made up.
fn token(text: &str) -> Result<String, &'static str> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    if text.is_empty() || (text.len() >= TOKEN && text.chars().all(fits)) {
        return Ok(text.to_owned());
    }
    Err("give at least 16 letters, digits, - _ . or ~, or nothing for a new one")
}
