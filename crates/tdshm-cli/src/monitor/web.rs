//! The monitor in a browser: a page that is part of the program, and one WebSocket for what it shows.
//!
//! The model looks at the segments; nothing here reads one. Each client has a task of its own, which sends what is newest
//! when the connection takes more, so that a slow one has older frames left out, and nobody else waits for it.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `gate` | who may come in: `Host`, `Origin`, the token |
//! | `http` | connections, the page's files, the beginning of a WebSocket |
//! | `page`, `pages` | the files; whose they are |
//! | `message` | what clients say, checked; limits |
//! | `wire` | what they are sent, as bytes and as JSON |
//! | `client` | one of them: its subscriptions, and what is sent next |
//! | `hub` | what they share: the model, and pictures that several want |
//! | `picture` | images as pixels that a browser shows |
//! | `publish` | what browsers send |
//! | `rows` | the list of segments |

mod client;
mod gate;
mod http;
mod hub;
mod message;
mod page;
pub(crate) mod pages;
mod picture;
pub(crate) mod publish;
mod rows;
mod wire;

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use gate::Gate;
use http::Server;
use hub::Hub;
use pages::Pages;
use publish::{Board, Passed, Rules, Shown};

/// How long clients may take to hear that it is over.
const FAREWELL: Duration = Duration::from_millis(200);

/// Where to listen, and whom to let in.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) listen: IpAddr,
    /// 0: any that is free.
    pub(crate) port: u16,
    pub(crate) token: Option<String>,
    /// Names that the server answers to besides addresses and `localhost`.
    pub(crate) names: Vec<String>,
    pub(crate) most_clients: usize,
    /// What browsers may send and read; `None`: they read everything, and send nothing.
    pub(crate) rules: Option<Rules>,
    /// What is shown.
    pub(crate) pages: Pages,
}

/// A server that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Web {
    hub: Arc<Hub>,
    board: Option<Arc<Board>>,
    over: watch::Sender<bool>,
    runtime: Option<Runtime>,
    address: SocketAddr,
    token: Option<String>,
}

impl Web {
    /// Listens. Beyond loopback there is always a token.
    pub(crate) fn start(settings: Settings) -> anyhow::Result<Self> {
        let Settings { listen, port, token, names, most_clients, rules, pages } = settings;
        let beyond = !listen.is_loopback();
        let token = match token {
            None if beyond => Some(new_token()?),
            token => token,
        };
        let listener =
            TcpListener::bind((listen, port)).map_err(|error| cannot_listen(&error, listen, port))?;
        listener.set_nonblocking(true).context("cannot listen without waiting")?;
        let address = listener.local_addr().context("cannot learn the port that was found")?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(8)
            .thread_name("tdshm-web")
            .enable_all()
            .build()
            .context("cannot start threads to serve with")?;
        let hub = Hub::start(rules.clone());
        let board = rules.map(Board::new);
        let over = watch::Sender::new(false);
        let server = Server {
            gate: Gate::new(address.port(), beyond, &names, token.clone()),
            hub: Arc::clone(&hub),
            board: board.clone(),
            pages,
            most_clients,
            clients: AtomicUsize::new(0),
            over: over.clone(),
        };
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener).context("cannot listen")?
        };
        runtime.spawn(http::accept(Arc::new(server), listener));
        Ok(Self { hub, board, over, runtime: Some(runtime), address, token })
    }

    /// Looks what is new, tells it to who wants it, and says when to look again.
    pub(crate) fn pump(&self) -> Duration {
        self.hub.pump()
    }

    /// What browsers have sent.
    pub(crate) fn passed(&self) -> Passed {
        self.board.as_ref().map(|board| board.passed()).unwrap_or_default()
    }

    /// Who may send and is there.
    pub(crate) fn clients(&self) -> usize {
        self.board.as_ref().map_or(0, |board| board.clients())
    }

    /// The segments that browsers send.
    pub(crate) fn shown(&self) -> Vec<Shown> {
        self.board.as_ref().map(|board| board.shown()).unwrap_or_default()
    }

    /// What happened since the last time, in sentences.
    pub(crate) fn news(&self) -> Vec<String> {
        self.board.as_ref().map(|board| board.news()).unwrap_or_default()
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// What to open in a browser.
    pub(crate) fn url(&self) -> String {
        let host = match self.address.ip() {
            ip if ip.is_unspecified() => reachable(ip),
            ip => ip,
        };
        let mut url = format!("http://{}/", SocketAddr::new(host, self.address.port()));
        if let Some(token) = &self.token {
            // Writing to a string cannot fail.
            let _ = write!(url, "?token={token}");
        }
        url
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.over.send_replace(true);
        if let Some(runtime) = self.runtime.take() {
            // As long as clients take to close, and no longer.
            runtime.block_on(async { tokio::time::timeout(FAREWELL, self.over.closed()).await.ok() });
            runtime.shutdown_background();
        }
        if let Some(board) = &self.board {
            board.end();
        }
    }
}

/// Bytes that a message of a client may have.
fn message_bytes(board: Option<&Arc<Board>>) -> usize {
    board.map_or(message::MESSAGE_BYTES, |_| publish::frame::MESSAGE_BYTES)
}

/// An address of this machine that others may reach; nothing is sent to learn it.
fn reachable(unspecified: IpAddr) -> IpAddr {
    let from = |to: &str| {
        let socket = UdpSocket::bind((unspecified, 0)).ok()?;
        // From blocks that are reserved for documentation.
        socket.connect(to).ok()?;
        socket.local_addr().ok().map(|address| address.ip())
    };
    let found = if unspecified.is_ipv4() { from("192.0.2.1:9") } else { from("[2001:db8::1]:9") };
    found.filter(|ip| !ip.is_unspecified()).unwrap_or(Ipv4Addr::LOCALHOST.into())
}

fn cannot_listen(error: &io::Error, listen: IpAddr, port: u16) -> anyhow::Error {
    let place = SocketAddr::new(listen, port);
    match error.kind() {
        io::ErrorKind::AddrInUse => anyhow!(
            "port {port} of {listen} is in use, perhaps by another `tdshm`: choose another one with --port, or 0 for one that is free"
        ),
        io::ErrorKind::PermissionDenied => {
            anyhow!("this user may not listen at {place}: choose a port of 1024 or more with --port")
        }
        io::ErrorKind::AddrNotAvailable => {
            anyhow!(
                "{listen} is no address of this machine: give one with --listen, or leave it out for loopback"
            )
        }
        _ => anyhow!("cannot listen at {place}: {error}"),
    }
}

/// 128 bits that nobody guesses, as 32 letters.
pub(crate) fn new_token() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow!("cannot make a token, because the system has no random numbers: {error}"))?;
    let mut token = String::with_capacity(32);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(token, "{byte:02x}");
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_of_their_own() {
        let tokens = [new_token().unwrap(), new_token().unwrap()];
        assert_ne!(tokens[0], tokens[1]);
        assert!(tokens.iter().all(|token| token.len() == 32 && token.bytes().all(|b| b.is_ascii_hexdigit())));
    }

    #[test]
    fn what_keeps_it_from_listening_is_said_with_a_way_out() {
        let said =
            |kind: io::ErrorKind| cannot_listen(&kind.into(), Ipv4Addr::LOCALHOST.into(), 80).to_string();
        assert!(said(io::ErrorKind::AddrInUse).starts_with("port 80 of 127.0.0.1 is in use"));
        assert!(said(io::ErrorKind::AddrInUse).contains("--port"));
        assert!(said(io::ErrorKind::PermissionDenied).contains("1024 or more"));
        assert!(said(io::ErrorKind::AddrNotAvailable).contains("no address of this machine"));
    }
}
