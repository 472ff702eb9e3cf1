//! zenoh's configuration, and the session that follows from it.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tdshm_ops::Pattern;
use zenoh::{Config, Session, Wait};

use crate::args::{Mode, NetArgs};
use crate::say;
use crate::stop::{SLICE, Stop};

/// How long a large frame may wait for the network before it is dropped, in microseconds. zenoh's own 50 ms are less than an
/// image of 1080p takes over a line of 1 Gbit/s, which would lose every one of them.
const LARGE_FRAMES_WAIT_MICROS: u64 = 500_000;
/// Small frames that are on their way into the line at most. With zenoh's own 2 a frame of a thousand a second is dropped
/// whenever its thread has to wait for a processor for two milliseconds.
const FRAMES_OF_CHANNELS: u32 = 16;
/// The same for images, in parts of 64 KB: most packed ones go in at once. One that has to wait for its first places gets a
/// millisecond, which is less than a busy machine takes to run the thread that empties them.
const PARTS_OF_IMAGES: u32 = 16;
/// How long the others are waited for at the end.
const CLOSING: Duration = Duration::from_secs(2);
/// The address at which peers look for each other.
const SCOUTING: &str = "224.0.0.224:7446";

/// What the flags and the file say.
pub(crate) fn config(args: &NetArgs) -> anyhow::Result<Config> {
    let mut config = match &args.config {
        Some(file) => Config::from_file(file)
            .map_err(|error| anyhow!("{}: {error}: see zenoh's documentation", file.display()))?,
        None => {
            let mut config = Config::default();
            let key = "transport/link/tx/queue/congestion_control/drop/max_wait_before_drop_fragments";
            put(&mut config, key, &LARGE_FRAMES_WAIT_MICROS.to_string())?;
            for (queue, places) in [
                ("interactive_high", FRAMES_OF_CHANNELS),
                ("data_high", PARTS_OF_IMAGES),
                ("data", PARTS_OF_IMAGES),
            ] {
                put(&mut config, &format!("transport/link/tx/queue/size/{queue}"), &places.to_string())?;
            }
            config
        }
    };
    if let Some(mode) = args.mode {
        put(&mut config, "mode", &serde_json::to_string(mode.word())?)?;
        if mode == Mode::Client {
            if args.connect.is_empty() && args.config.is_none() {
                return Err(anyhow!(
                    "a client needs a router: name it with --connect, say tcp/192.168.1.20:7447"
                ));
            }
            // Whichever is started first waits for the other.
            put(&mut config, "connect/timeout_ms", "-1")?;
        }
    }
    if !args.connect.is_empty() {
        put(&mut config, "connect/endpoints", &serde_json::to_string(&args.connect)?)
            .context("--connect names no endpoint: write it as tcp/192.168.1.20:7447")?;
    }
    if !args.listen.is_empty() || !args.connect.is_empty() {
        put(&mut config, "listen/endpoints", &serde_json::to_string(&args.listen)?)
            .context("--listen names no endpoint: write it as tcp/0.0.0.0:7447")?;
        put(&mut config, "scouting/multicast/enabled", "false")?;
    }
    Ok(config)
}

fn put(config: &mut Config, key: &str, value: &str) -> anyhow::Result<()> {
    config
        .insert_json5(key, value)
        .map_err(|error| anyhow!("zenoh's configuration refuses {key} = {value}: {error}"))
}

/// Opens a session; `None`: asked to stop before there was one.
pub(crate) fn open(args: &NetArgs, stop: &Stop) -> anyhow::Result<Option<Session>> {
    let config = config(args)?;
    // What zenoh says of itself goes where RUST_LOG sends it.
    zenoh::try_init_log_from_env();
    let (to, from) = mpsc::channel();
    // A client waits for its router, for as long as that takes.
    thread::Builder::new().name("open".to_owned()).spawn(move || to.send(zenoh::open(config).wait()))?;
    loop {
        match from.recv_timeout(SLICE) {
            Ok(Ok(session)) => return Ok(Some(session)),
            Ok(Err(error)) => return Err(anyhow!("the network cannot be opened: {error}")),
            Err(mpsc::RecvTimeoutError::Timeout) if stop.requested().is_none() => {}
            Err(mpsc::RecvTimeoutError::Timeout) => return Ok(None),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(anyhow!("the network cannot be opened: its thread ended"));
            }
        }
    }
}

/// Says who can reach this program, where nobody was named.
pub(crate) fn announce(args: &NetArgs) {
    if args.config.is_none() && args.connect.is_empty() && args.listen.is_empty() {
        say::line(format_args!(
            "listening at all addresses, and looking for others at {SCOUTING}: everybody on this network can read and write \
             streams; --config sets TLS and access control, --listen and --connect choose whom to talk to"
        ));
    }
}

/// Programs of zenoh's that this one talks to.
pub(crate) fn peers(session: &Session) -> usize {
    let info = session.info();
    info.peers_zid().wait().count().saturating_add(info.routers_zid().wait().count())
}

/// Closes it, without waiting for whoever does not answer.
pub(crate) fn close(session: Session) {
    let (to, from) = mpsc::channel();
    let closing = thread::Builder::new().name("close".to_owned()).spawn(move || {
        // Everything has been undeclared; what fails now fails with the other side.
        let _ = session.close().wait();
        let _ = to.send(());
    });
    if closing.is_ok() {
        let _ = from.recv_timeout(CLOSING);
    }
}

/// A name, or a pattern with `*`, `?` or `[xyz]`.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    Name(String),
    Pattern(Box<Pattern>),
}

impl Wanted {
    /// Reads what somebody typed.
    pub(crate) fn read(text: &str) -> anyhow::Result<Self> {
        if text.contains(['*', '?', '[']) {
            let pattern = Pattern::parse(text).map_err(|error| anyhow!("{text:?}: {error}"))?;
            return Ok(Self::Pattern(Box::new(pattern)));
        }
        Ok(Self::Name(text.to_owned()))
    }

    /// Whether it means that.
    pub(crate) fn means(&self, name: &str) -> bool {
        match self {
            Self::Name(wanted) => wanted == name,
            Self::Pattern(pattern) => pattern.matches(name),
        }
    }
}

/// Streams as people type them: `HOST/NAME`.
#[derive(Clone, Debug)]
pub(crate) struct WantedStream {
    host: Wanted,
    name: Wanted,
}

impl WantedStream {
    pub(crate) fn read(text: &str) -> anyhow::Result<Self> {
        let (host, name) =
            text.split_once('/')
                .filter(|(host, name)| !host.is_empty() && !name.is_empty())
                .with_context(|| format!("{text:?} is no stream: write HOST/NAME, say 'host2/*'"))?;
        Ok(Self { host: Wanted::read(host)?, name: Wanted::read(name)? })
    }

    pub(crate) fn means(&self, host: &str, name: &str) -> bool {
        self.host.means(host) && self.name.means(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(config: &Config, key: &str) -> String {
        config.get_json(key).unwrap()
    }

    #[test]
    fn whoever_names_somebody_looks_for_nobody_else() {
        let alone = config(&NetArgs::default()).unwrap();
        assert_eq!(of(&alone, "scouting/multicast/enabled"), "null", "zenoh's own: it looks");
        let connect = NetArgs { connect: vec!["tcp/127.0.0.1:7447".into()], ..NetArgs::default() };
        let connect = config(&connect).unwrap();
        assert_eq!(of(&connect, "scouting/multicast/enabled"), "false");
        assert_eq!(of(&connect, "listen/endpoints"), "[]");
        assert_eq!(of(&connect, "connect/endpoints"), r#"["tcp/127.0.0.1:7447"]"#);
        let listen =
            NetArgs { listen: vec!["tcp/[::1]:0".into()], mode: Some(Mode::Router), ..NetArgs::default() };
        let listen = config(&listen).unwrap();
        assert_eq!(
            (of(&listen, "listen/endpoints"), of(&listen, "mode")),
            (r#"["tcp/[::1]:0"]"#.into(), "\"router\"".into())
        );
        let wrong = NetArgs { connect: vec!["192.168.1.20".into()], ..NetArgs::default() };
        assert!(config(&wrong).unwrap_err().to_string().starts_with("--connect names no endpoint: "));
        let client = NetArgs { mode: Some(Mode::Client), ..NetArgs::default() };
        assert!(config(&client).unwrap_err().to_string().starts_with("a client needs a router: "));
        let absent = NetArgs { config: Some("/no/such/file.json5".into()), ..NetArgs::default() };
        assert!(config(&absent).unwrap_err().to_string().starts_with("/no/such/file.json5: "));
    }

    #[test]
    fn streams_are_a_host_and_a_name() {
        let means = |text: &str, host: &str, name: &str| WantedStream::read(text).unwrap().means(host, name);
        assert!(means("host2/*", "host2", "cam1") && !means("host2/*", "host3", "cam1"));
        assert!(means("*/cam[1-3] mocap", "any", "mocap") && !means("*/cam[1-3]", "any", "cam4"));
        assert!(means("a/b", "a", "b") && !means("a/b", "a", "bc"));
        for wrong in ["host2", "/cam", "host2/", "(*/a"] {
            assert!(WantedStream::read(wrong).is_err(), "{wrong}");
        }
    }
}
