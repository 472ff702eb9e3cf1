//! Open Sound Control over sockets of this machine.
#![cfg(feature = "osc")]
#![allow(clippy::arithmetic_side_effects, clippy::unwrap_used, reason = "a test that panics has failed")]

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tdshm_io::osc::{
    EncodeOptions, Encoder, FrameInfo, Inlet, Intake, IntakeOptions, Listener, Lookup, MAX_PACKET, Multicast,
    Outlet, resolve,
};

const LIMIT: Duration = Duration::from_secs(60);

fn message(name: &str, value: f32) -> Vec<u8> {
    let mut sent = Vec::new();
    let channels = [(name, &[value][..])];
    Encoder::new(EncodeOptions::new())
        .encode(FrameInfo::default(), channels, |packet| sent = packet.to_vec());
    sent
}

fn until(what: impl Fn() -> bool) {
    let begin = Instant::now();
    while !what() {
        assert!(begin.elapsed() < LIMIT);
        std::thread::yield_now();
    }
}

fn inlet(at: SocketAddr) -> Inlet {
    Inlet::start(Listener::open(at, Multicast::new()).unwrap(), Intake::new(IntakeOptions::new())).unwrap()
}

#[test]
fn from_one_socket_to_another_and_the_port_is_free_afterwards() {
    for loopback in ["127.0.0.1:0", "[::1]:0"] {
        // A machine may be without IPv6.
        let Ok(probe) = std::net::UdpSocket::bind(loopback) else { continue };
        drop(probe);
        let first = inlet(loopback.parse().unwrap());
        let at = first.local_addr();
        assert!(first.granted_bytes() > 0);
        let outlet = Outlet::open(at, Multicast::new()).unwrap();
        assert_eq!(outlet.to(), at);
        outlet.send(&message("tx", 0.5)).unwrap();
        outlet.send(b"no packet").unwrap();
        until(|| first.with(|intake| intake.counts().packets) == 2);
        assert_eq!(
            first.with(|intake| (intake.values().to_vec(), intake.counts().malformed)),
            (vec![0.5], 1)
        );
        let counts = first.counts();
        assert_eq!((counts.peers, counts.problem), (1, None));
        assert!(Listener::open(at, Multicast::new()).is_err(), "one program a port");
        first.close();
        let second = inlet(at);
        // What nobody listened to in between was no error.
        outlet.send(&message("ty", 1.5)).unwrap();
        until(|| second.with(|intake| intake.names().len()) == 1);
    }
}

#[test]
fn nobody_there_is_no_error() {
    let listener = Listener::open("127.0.0.1:0".parse().unwrap(), Multicast::new()).unwrap();
    let at = listener.local_addr().unwrap();
    drop(listener);
    let outlet = Outlet::open(at, Multicast::new()).unwrap();
    for _ in 0..20 {
        outlet.send(b"/x\0\0,\0\0\0").unwrap();
    }
    assert!(outlet.send(&[0; MAX_PACKET + 1]).is_err(), "what fits into no packet is one");
}

#[test]
fn nothing_comes_within_the_limit() {
    let mut listener = Listener::open("127.0.0.1:0".parse().unwrap(), Multicast::new()).unwrap();
    assert!(listener.receive(Duration::ZERO).unwrap().is_none());
}

#[test]
fn hosts_have_names() {
    assert!(resolve("localhost", 10_000).unwrap().ip().is_loopback());
    assert_eq!(resolve("::1", 7).unwrap(), "[::1]:7".parse().unwrap());
    assert!(resolve("no such host", 1).is_err());
}

#[test]
fn names_are_looked_up_beside() {
    for (host, expected) in [("localhost", "127.0.0.1:5"), ("10.0.0.1", "10.0.0.1:5"), ("::1", "[::1]:5")] {
        assert_eq!(Lookup::start(host, 5).unwrap().poll().unwrap().unwrap(), expected.parse().unwrap());
    }
    let mut lookup = Lookup::start("no such host", 5).unwrap();
    let begin = Instant::now();
    let found = loop {
        if let Some(found) = lookup.poll() {
            break found;
        }
        assert!(begin.elapsed() < LIMIT);
        std::thread::yield_now();
    };
    assert!(found.is_err());
    assert!(lookup.poll().is_none(), "it is said once");
}

#[test]
#[cfg(not(windows))]
fn a_group_hears_what_is_sent_to_it_alone() {
    let here = Multicast::new().interface(std::net::Ipv4Addr::LOCALHOST);
    // A port that nobody has.
    let probe = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = probe.local_addr().unwrap().port();
    drop(probe);
    let groups = ["239.83.71.1", "239.83.71.2"].map(|group| SocketAddr::new(group.parse().unwrap(), port));
    // A machine may be without groups.
    let Ok(mut first) = Listener::open(groups[0], here) else { return };
    let mut second = Listener::open(groups[1], here).unwrap();
    let [to_first, to_second] = groups.map(|group| Outlet::open(group, here).unwrap());
    let to_one = Outlet::open(SocketAddr::new([127, 0, 0, 1].into(), port), Multicast::new()).unwrap();
    for round in 0_u8..3 {
        to_one.send(b"to this machine").unwrap();
        let sent = [b'1', round];
        if to_first.send(&sent).is_err() {
            return;
        }
        to_second.send(&[b'2', round]).unwrap();
        // What was for somebody else would have come first, or in the next round.
        assert_eq!(first.receive(LIMIT).unwrap().unwrap().0, sent);
        assert_eq!(second.receive(LIMIT).unwrap().unwrap().0, [b'2', round]);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_whole_network_may_be_sent_to() {
    let mut listener = Listener::open("0.0.0.0:0".parse().unwrap(), Multicast::new()).unwrap();
    let port = listener.local_addr().unwrap().port();
    let outlet = Outlet::open(SocketAddr::new([127, 255, 255, 255].into(), port), Multicast::new()).unwrap();
    outlet.send(b"all").unwrap();
    assert_eq!(listener.receive(LIMIT).unwrap().unwrap().0, b"all");
}

#[test]
#[cfg(target_os = "linux")]
fn what_the_system_drops_is_counted() {
    let mut listener = Listener::open("127.0.0.1:0".parse().unwrap(), Multicast::new()).unwrap();
    assert_eq!(listener.lost(), Some(0));
    let outlet = Outlet::open(listener.local_addr().unwrap(), Multicast::new()).unwrap();
    let packet = vec![0; 50_000];
    let sent = 2 * (listener.granted_bytes() / packet.len()) + 10;
    for _ in 0..sent {
        outlet.send(&packet).unwrap();
    }
    let mut came = 0;
    while listener.receive(Duration::from_millis(1)).unwrap().is_some() {
        came += 1;
    }
    let lost = usize::try_from(listener.lost().unwrap()).unwrap();
    assert!(lost > 0 && came > 0 && came + lost == sent, "{came} came, {lost} lost, {sent} sent");
}
