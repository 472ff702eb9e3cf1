//! UDP: where packets go, and where they come from.

mod lost;

use core::time::Duration;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, ToSocketAddrs, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use socket2::{Domain, Protocol, Socket, Type};

use self::lost::Lost;
use super::{Intake, MAX_PACKET};

/// What the kernel is asked to keep of packets that nobody has read yet. It may grant less.
const WANTED: usize = 8 << 20;
/// How long a thread that receives waits before it looks whether anybody still wants that.
const LOOK: Duration = Duration::from_millis(20);
/// A sender counts as there for so long after its last packet.
const THERE: Duration = Duration::from_secs(5);
/// How often that is noted of the same one.
const NOTED: Duration = Duration::from_secs(1);
/// Senders that are told from one another.
const MOST_PEERS: usize = 1024;

/// How packets reach a group of receivers, and are received as one of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Multicast {
    ttl: Option<u32>,
    interface: Option<IpAddr>,
    index: u32,
}

impl Multicast {
    /// This network alone, by the interface that the system chooses.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many routers packets may pass, and one more: 1 stays in this network.
    pub fn ttl(mut self, ttl: u32) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// The interface, by its IPv4 address.
    pub fn interface(mut self, address: Ipv4Addr) -> Self {
        self.interface = Some(address.into());
        self
    }

    /// The interface of IPv6, by the number that the system gives it.
    pub fn interface_index(mut self, index: u32) -> Self {
        self.index = index;
        self
    }

    fn address(&self) -> Ipv4Addr {
        match self.interface {
            Some(IpAddr::V4(address)) => address,
            _ => Ipv4Addr::UNSPECIFIED,
        }
    }
}

/// The address of a host, which may be a name. Of several the first of IPv4, which more programs listen to.
///
/// It asks the network, and may take long.
///
/// # Errors
///
/// The name is not known, or the network does not answer.
pub fn resolve(host: &str, port: u16) -> io::Result<SocketAddr> {
    let all: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    let first = all.iter().find(|address| address.is_ipv4()).or(all.first());
    first.copied().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the name has no address"))
}

/// The address of a host, looked up while other things go on.
#[derive(Debug)]
pub struct Lookup {
    thread: Option<JoinHandle<io::Result<SocketAddr>>>,
    known: Option<SocketAddr>,
}

impl Lookup {
    /// Begins, as [`resolve`] does. What is an address already, and `localhost`, is known at once.
    ///
    /// # Errors
    ///
    /// What the system says: there is no thread.
    pub fn start(host: &str, port: u16) -> io::Result<Self> {
        let ip = if host == "localhost" { Ok(Ipv4Addr::LOCALHOST.into()) } else { host.parse::<IpAddr>() };
        if let Ok(ip) = ip {
            return Ok(Self { thread: None, known: Some(SocketAddr::new(ip, port)) });
        }
        let host = host.to_owned();
        let look = move || resolve(&host, port);
        let thread = thread::Builder::new().name("osc-name".to_owned()).spawn(look)?;
        Ok(Self { thread: Some(thread), known: None })
    }

    /// The address, or why there is none; `None` as long as nobody knows. It is given once.
    pub fn poll(&mut self) -> Option<io::Result<SocketAddr>> {
        if let Some(known) = self.known.take() {
            return Some(Ok(known));
        }
        let thread = self.thread.take_if(|thread| thread.is_finished())?;
        Some(thread.join().unwrap_or_else(|_| Err(io::Error::other("looking it up failed"))))
    }
}

/// Sends packets to one address.
#[derive(Debug)]
pub struct Outlet {
    socket: UdpSocket,
    to: SocketAddr,
}

impl Outlet {
    /// A socket that sends there, from any port.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn open(to: SocketAddr, multicast: Multicast) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(to), Type::DGRAM, Some(Protocol::UDP))?;
        let any: IpAddr = match to {
            SocketAddr::V4(_) => {
                if to.ip().is_multicast() {
                    socket.set_multicast_ttl_v4(multicast.ttl.unwrap_or(1))?;
                    socket.set_multicast_if_v4(&multicast.address())?;
                } else {
                    // Which addresses mean a whole network is for the system to know.
                    socket.set_broadcast(true)?;
                }
                Ipv4Addr::UNSPECIFIED.into()
            }
            SocketAddr::V6(_) => {
                if to.ip().is_multicast() {
                    socket.set_multicast_hops_v6(multicast.ttl.unwrap_or(1))?;
                    socket.set_multicast_if_v6(multicast.index)?;
                }
                Ipv6Addr::UNSPECIFIED.into()
            }
        };
        socket.bind(&SocketAddr::new(any, 0).into())?;
        Ok(Self { socket: socket.into(), to })
    }

    /// Where packets go.
    #[must_use]
    pub fn to(&self) -> SocketAddr {
        self.to
    }

    /// Sending returns at once, with [`io::ErrorKind::WouldBlock`] where the system is too busy to take the packet.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn set_nonblocking(&self) -> io::Result<()> {
        self.socket.set_nonblocking(true)
    }

    /// Sends a packet. That nobody listens there is no error.
    ///
    /// # Errors
    ///
    /// What the system says: no way there, a packet that is too large for it, no right to send.
    pub fn send(&self, packet: &[u8]) -> io::Result<()> {
        match self.socket.send_to(packet, self.to) {
            Err(error) if is_refused(&error) => Ok(()),
            sent => sent.map(drop),
        }
    }
}

/// What systems say of an earlier packet that nobody was there for.
fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset)
}

/// Receives packets at one address.
#[derive(Debug)]
pub struct Listener {
    socket: UdpSocket,
    buffer: Vec<u8>,
    granted: usize,
    lost: Arc<Lost>,
}

impl Listener {
    /// Listens there. An address of a group is joined; several programs may do so.
    ///
    /// # Platform
    ///
    /// What is sent to other groups, or to this machine, at the same port does not count. Windows cannot tell that apart, nor can
    /// others for a group of IPv6's own network without the number of an interface: there it does.
    ///
    /// # Errors
    ///
    /// What the system says: somebody else listens there already, or the address is none of this machine's.
    pub fn open(at: SocketAddr, multicast: Multicast) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(at), Type::DGRAM, Some(Protocol::UDP))?;
        // Less than wanted is granted silently, and some systems refuse what is too much.
        let _ = [WANTED, WANTED / 8].into_iter().find(|size| socket.set_recv_buffer_size(*size).is_ok());
        if at.ip().is_multicast() {
            socket.set_reuse_address(true)?;
        }
        match at.ip() {
            IpAddr::V4(group) if group.is_multicast() => {
                let to = if cfg!(windows) { Ipv4Addr::UNSPECIFIED } else { group };
                socket.bind(&SocketAddr::new(to.into(), at.port()).into())?;
                socket.join_multicast_v4(&group, &multicast.address())?;
            }
            IpAddr::V6(group) if group.is_multicast() => {
                // Up to this network a group is one of an interface, without which it cannot be bound to.
                let is_wide = group.segments().first().is_some_and(|first| first & 0xF > 2);
                let is_told = !cfg!(windows) && (is_wide || multicast.index != 0);
                let to = if is_told { group } else { Ipv6Addr::UNSPECIFIED };
                let scope = if is_told { multicast.index } else { 0 };
                socket.bind(&SocketAddrV6::new(to, at.port(), 0, scope).into())?;
                socket.join_multicast_v6(&group, multicast.index)?;
            }
            _ => socket.bind(&at.into())?,
        }
        let granted = socket.recv_buffer_size()?;
        let socket = socket.into();
        let lost = Arc::new(Lost::of(&socket));
        Ok(Self { socket, buffer: vec![0; MAX_PACKET.saturating_add(1)], granted, lost })
    }

    /// Where it listens.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// The bytes that the system keeps of packets until they are read, its own bookkeeping included.
    #[must_use]
    pub fn granted_bytes(&self) -> usize {
        self.granted
    }

    /// How many packets the system has dropped because they were not fetched in time. It asks the system: once a second is enough.
    ///
    /// # Platform
    ///
    /// Linux counts them. `None` elsewhere: nobody knows.
    #[must_use]
    pub fn lost(&self) -> Option<u64> {
        self.lost.count()
    }

    /// Waits up to `limit` for a packet. `None`: none came.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn receive(&mut self, limit: Duration) -> io::Result<Option<(&[u8], SocketAddr)>> {
        // No time at all would mean to wait for ever.
        self.socket.set_read_timeout(Some(limit.max(Duration::from_millis(1))))?;
        self.next()
    }

    /// As [`receive`](Self::receive) with the limit of the last time, and without asking the system for it again.
    fn next(&mut self) -> io::Result<Option<(&[u8], SocketAddr)>> {
        match self.socket.recv_from(&mut self.buffer) {
            Ok((len, from)) => Ok(Some((self.buffer.get(..len).unwrap_or_default(), from))),
            Err(error) if is_refused(&error) => Ok(None),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted => Ok(None),
                _ => Err(error),
            },
        }
    }
}

/// Who sends: machines, by their addresses, that sent something in the last five seconds, up to 1024.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    there: HashMap<IpAddr, Instant>,
    last: Option<(IpAddr, Instant)>,
}

impl Peers {
    /// Somebody sent something.
    pub fn note(&mut self, from: SocketAddr) {
        let from = from.ip();
        if self.last.is_some_and(|(peer, when)| peer == from && when.elapsed() < NOTED) {
            return;
        }
        if self.there.len() < MOST_PEERS || self.there.contains_key(&from) {
            let now = Instant::now();
            self.there.insert(from, now);
            self.last = Some((from, now));
        }
    }

    /// How many there are.
    pub fn count(&mut self) -> usize {
        self.there.retain(|_, last| last.elapsed() < THERE);
        self.there.len()
    }
}

/// What an [`Inlet`] knows besides its channels.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct InletCounts {
    /// How many [`Peers`] there are.
    pub peers: usize,
    /// What went wrong while receiving, last.
    pub problem: Option<String>,
}

/// Receives on a thread of its own into an [`Intake`], so that the system's buffer is emptied however long anything else takes.
#[derive(Debug)]
pub struct Inlet {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
    local: SocketAddr,
    granted: usize,
    lost: Arc<Lost>,
}

#[derive(Debug)]
struct Shared {
    inside: Mutex<Inside>,
    is_over: AtomicBool,
}

#[derive(Debug)]
struct Inside {
    intake: Intake,
    peers: Peers,
    problem: Option<String>,
}

impl Shared {
    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inlet {
    /// Receives from now on.
    ///
    /// # Errors
    ///
    /// What the system says: there is no thread, or no more sockets.
    pub fn start(listener: Listener, intake: Intake) -> io::Result<Self> {
        let (local, granted) = (listener.local_addr()?, listener.granted_bytes());
        let lost = Arc::clone(&listener.lost);
        listener.socket.set_read_timeout(Some(LOOK))?;
        let inside = Mutex::new(Inside { intake, peers: Peers::default(), problem: None });
        let shared = Arc::new(Shared { inside, is_over: AtomicBool::new(false) });
        let theirs = Arc::clone(&shared);
        let thread =
            thread::Builder::new().name("osc".to_owned()).spawn(move || receive(listener, &theirs))?;
        Ok(Self { shared, thread: Some(thread), local, granted, lost })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// As [`Listener::granted_bytes`].
    #[must_use]
    pub fn granted_bytes(&self) -> usize {
        self.granted
    }

    /// As [`Listener::lost`].
    #[must_use]
    pub fn lost(&self) -> Option<u64> {
        self.lost.count()
    }

    /// Does something with the channels, while nothing is taken in: be quick.
    pub fn with<R>(&self, act: impl FnOnce(&mut Intake) -> R) -> R {
        act(&mut self.shared.inside().intake)
    }

    /// Who sends, and what went wrong.
    #[must_use]
    pub fn counts(&self) -> InletCounts {
        let mut inside = self.shared.inside();
        InletCounts { peers: inside.peers.count(), problem: inside.problem.clone() }
    }

    /// Stops, and returns when the port is free: within a few hundredths of a second.
    pub fn close(mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // If it panicked, its socket is closed all the same.
            let _ = thread.join();
        }
    }
}

impl Drop for Inlet {
    /// Stops soon, without waiting for it.
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
    }
}

fn receive(mut listener: Listener, shared: &Shared) {
    while !shared.is_over.load(Ordering::Relaxed) {
        match listener.next() {
            Ok(Some((packet, from))) => {
                let mut inside = shared.inside();
                // A fault is counted there.
                let _ = inside.intake.take(packet);
                inside.peers.note(from);
            }
            Ok(None) => {}
            Err(error) => {
                shared.inside().problem = Some(error.to_string());
                thread::sleep(LOOK);
            }
        }
    }
}
