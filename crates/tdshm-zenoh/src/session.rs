//! zenoh's configuration, and the session that follows from it.

mod words;

use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use zenoh::{Config, Session, Wait};

use crate::args::{Mode, NetArgs};
use crate::session::words::plain;
use crate::stop::{SLICE, Stop};
use crate::{say, thread};

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
/// How long nobody may answer before that is said.
const ALONE: Duration = Duration::from_secs(3);
/// The address at which peers look for each other.
const SCOUTING: &str = "224.0.0.224:7446";

/// What the flags and the file say.
pub(crate) fn config(args: &NetArgs) -> anyhow::Result<Config> {
    let mut config = match &args.config {
        Some(file) => read(file)?,
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
    check_files(&config)?;
    Ok(config)
}

/// Says which of the files that prove who is who cannot be read. zenoh reads them whenever it connects, and takes a missing one
/// for somebody who does not answer; of those that it needs to listen it says so itself.
fn check_files(config: &Config) -> anyhow::Result<()> {
    if !endpoints(config).iter().any(|endpoint| is_secure(endpoint)) {
        return Ok(());
    }
    let value = |name: &str| config.get_json(&format!("transport/link/tls/{name}")).unwrap_or_default();
    let mutual: &[&str] =
        if value("enable_mtls") == "true" { &["connect_private_key", "connect_certificate"] } else { &[] };
    for name in [&["root_ca_certificate"], mutual].concat() {
        if let Ok(file) = serde_json::from_str::<String>(&value(name)) {
            std::fs::File::open(&file).map_err(|error| {
                anyhow!("{file}: {error}: transport/link/tls/{name} names a file, from the folder in which tdshm-net runs")
            })?;
        }
    }
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<Config> {
    let shown = file.display();
    // zenoh says no more of a file that is not there than that.
    std::fs::metadata(file)
        .map_err(|error| anyhow!("{shown}: {error}: --config names a file with zenoh's configuration"))?;
    let ending = file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    if !matches!(ending, "json5" | "json" | "yaml" | "yml") {
        return Err(anyhow!(
            "{shown}: its name says by its end how it is written, .json5, .json or .yaml: give it one of these"
        ));
    }
    Config::from_file(file).map_err(|error| {
        anyhow!(
            "{shown}: {}: https://zenoh.io/docs/manual/configuration says what it may hold",
            plain(&error)
        )
    })
}

fn put(config: &mut Config, key: &str, value: &str) -> anyhow::Result<()> {
    config
        .insert_json5(key, value)
        .map_err(|error| anyhow!("zenoh's configuration refuses {key} = {value}: {}", plain(&error)))
}

/// Opens a session; `None`: asked to stop before there was one. A client has none until its router answers: that is waited for as
/// long as `patience`, or for good.
pub(crate) fn open(
    args: &NetArgs,
    stop: &Stop,
    patience: Option<Duration>,
) -> anyhow::Result<Option<(Session, Reach)>> {
    let config = config(args)?;
    let mut reach = Reach::new(endpoints(&config));
    // What zenoh says of itself goes where RUST_LOG sends it.
    zenoh::try_init_log_from_env();
    let (to, from) = mpsc::channel();
    // A client waits for its router, for as long as that takes.
    thread::start("open", move || drop(to.send(zenoh::open(config).wait())))?;
    let begin = Instant::now();
    loop {
        match from.recv_timeout(SLICE) {
            Ok(Ok(session)) => return Ok(Some((session, reach))),
            Ok(Err(error)) => return Err(words::not_open(&error)),
            Err(mpsc::RecvTimeoutError::Timeout) if stop.requested().is_none() => {
                if patience.is_some_and(|patience| begin.elapsed() >= patience) {
                    return Err(reach.nobody());
                }
                say_all(reach.note(0, Instant::now()));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => return Ok(None),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                return Err(anyhow!("the network cannot be opened: its thread ended"));
            }
        }
    }
}

/// What went wrong with zenoh, as an error of ours.
pub(crate) fn failed(error: &zenoh::Error) -> anyhow::Error {
    anyhow!("the network refuses it: {}", plain(error))
}

/// Where others are to be found.
fn endpoints(config: &Config) -> Vec<String> {
    let text = config.get_json("connect/endpoints").unwrap_or_default();
    // A list, or one for each mode.
    fn strings(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) => found.push(text.clone()),
            serde_json::Value::Array(list) => list.iter().for_each(|value| strings(value, found)),
            serde_json::Value::Object(map) => map.values().for_each(|value| strings(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    strings(&serde_json::from_str(&text).unwrap_or_default(), &mut found);
    found
}

/// Whether each side has to prove there who it is.
fn is_secure(endpoint: &str) -> bool {
    endpoint.starts_with("tls/") || endpoint.starts_with("quic/")
}

/// Whether somebody answers where others are to be found; says so when that changes.
#[derive(Debug)]
pub(crate) struct Reach {
    endpoints: Vec<String>,
    /// Since when nobody has answered.
    alone: Option<Instant>,
    /// That nobody does has been said.
    said: bool,
}

impl Reach {
    fn new(endpoints: Vec<String>) -> Self {
        Self { endpoints, alone: None, said: false }
    }

    /// Looks, and says what there is to say.
    pub(crate) fn look(&mut self, session: &Session) {
        say_all(self.note(peers(session), Instant::now()));
    }

    /// The same for who has waited long enough: an error where somebody was named, and nobody answers.
    pub(crate) fn check(&self, session: &Session) -> anyhow::Result<()> {
        if self.endpoints.is_empty() || peers(session) > 0 { Ok(()) } else { Err(self.nobody()) }
    }

    fn nobody(&self) -> anyhow::Error {
        anyhow!("nobody answers at {}: {}", self.endpoints.join(" or "), self.question())
    }

    fn question(&self) -> &'static str {
        if self.endpoints.iter().any(|endpoint| is_secure(endpoint)) {
            "is tdshm-net, or a router, listening there, and does each side have its certificates and take the other's?"
        } else {
            "is tdshm-net, or a router, listening there?"
        }
    }

    fn note(&mut self, peers: usize, now: Instant) -> Option<String> {
        if self.endpoints.is_empty() {
            return None;
        }
        let places = self.endpoints.join(" or ");
        if peers > 0 {
            self.alone = None;
            return std::mem::take(&mut self.said).then(|| format!("connected: {places} answers"));
        }
        let alone = *self.alone.get_or_insert(now);
        if self.said || now.saturating_duration_since(alone) < ALONE {
            return None;
        }
        self.said = true;
        Some(format!("nobody answers at {places}, which is tried again and again: {}", self.question()))
    }
}

fn say_all(lines: impl IntoIterator<Item = String>) {
    lines.into_iter().for_each(say::line);
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
    let closing = thread::start("close", move || {
        // Everything has been undeclared; what fails now fails with the other side.
        let _ = session.close().wait();
        let _ = to.send(());
    });
    if closing.is_ok() {
        let _ = from.recv_timeout(CLOSING);
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
    fn that_nobody_answers_is_said_once_and_that_somebody_does() {
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut nowhere = Reach::new(Vec::new());
        assert_eq!((nowhere.note(0, at(0)), nowhere.note(0, at(60))), (None, None), "nobody was named");
        let args = NetArgs { connect: vec!["tcp/10.0.0.1:7447".into()], ..NetArgs::default() };
        let mut reach = Reach::new(endpoints(&config(&args).unwrap()));
        assert_eq!((reach.note(0, at(0)), reach.note(0, at(2))), (None, None), "it may come yet");
        let said = reach.note(0, at(3)).unwrap();
        assert!(said.starts_with("nobody answers at tcp/10.0.0.1:7447, "), "{said}");
        assert_eq!(reach.note(0, at(60)), None, "once");
        assert_eq!(reach.note(1, at(61)).as_deref(), Some("connected: tcp/10.0.0.1:7447 answers"));
        // A short break is nobody's concern.
        assert_eq!((reach.note(0, at(62)), reach.note(1, at(64))), (None, None));
        assert_eq!((reach.note(0, at(65)), reach.note(0, at(68)).is_some()), (None, true));
    }
}
