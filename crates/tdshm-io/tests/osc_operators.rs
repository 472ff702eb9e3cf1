//! OSC In CHOP and OSC Out CHOP, in a network and on the wire.
#![cfg(all(feature = "ops", feature = "osc"))]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use rosc::{OscMessage, OscPacket, OscType};
use tdshm_ops::{Network, Op, Registry};

const WATCHDOG: Duration = Duration::from_secs(60);

fn network() -> Network {
    let mut registry = Registry::standard();
    tdshm_io::op::register(&mut registry);
    Network::with_registry(registry)
}

fn create(net: &Network, op_type: &str, pars: &[(&str, &str)]) -> Op {
    let op = net.root().create(op_type, op_type).unwrap();
    for (name, value) in pars {
        let par = op.par(name).unwrap();
        match value.parse::<i64>() {
            Ok(number) => par.set(number).unwrap(),
            Err(_) => par.set(*value).unwrap(),
        }
    }
    op
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn info(net: &Network, op: &Op) -> Vec<(String, f64)> {
    let info = net.root().create("infoCHOP", "info").unwrap();
    info.par("op").unwrap().set(op.path().unwrap().as_str()).unwrap();
    info.par("infotype").unwrap().set("shm").unwrap();
    let clip = info.clip().unwrap();
    let values = clip.names().iter().enumerate().map(|(at, name)| (name.to_owned(), clip.value_at(at, 0)));
    let values = values.collect();
    info.destroy().unwrap();
    values
}

/// Lets frames pass until it is so.
fn until(net: &Network, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    loop {
        net.step().unwrap();
        if is_so() {
            return;
        }
        assert!(begin.elapsed() < WATCHDOG);
        std::thread::yield_now();
    }
}

/// Tries until it is so.
fn until_so(mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < WATCHDOG);
        std::thread::yield_now();
    }
}

fn channels(op: &Op) -> Vec<(String, Vec<f32>)> {
    let clip = op.clip().unwrap();
    let samples = |at| clip.channel(at).unwrap().to_vec();
    clip.names().iter().enumerate().map(|(at, name)| (name.to_owned(), samples(at))).collect()
}

mod incoming {
    use super::*;

    struct Sender(UdpSocket, u16);

    impl Sender {
        fn send(&self, addr: &str, args: Vec<OscType>) {
            let packet = OscPacket::Message(OscMessage { addr: addr.to_owned(), args });
            self.bytes(&rosc::encoder::encode(&packet).unwrap());
        }

        fn bytes(&self, bytes: &[u8]) {
            self.0.send_to(bytes, ("127.0.0.1", self.1)).unwrap();
        }
    }

    fn osc_in(net: &Network, pars: &[(&str, &str)]) -> (Op, Sender) {
        let sender = Sender(UdpSocket::bind("127.0.0.1:0").unwrap(), free_port());
        let op = create(net, "oscinCHOP", pars);
        op.par("port").unwrap().set(i64::from(sender.1)).unwrap();
        assert_eq!(op.num_chans().unwrap(), 0);
        assert_eq!(op.errors().unwrap(), "");
        (op, sender)
    }

    #[test]
    fn messages_become_channels_that_keep_their_values() {
        let net = network();
        let (op, sender) = osc_in(&net, &[("oscaddressscope", "/a/*"), ("stripsegments", "1")]);
        sender.send("/a/b/x", vec![OscType::Float(0.5)]);
        sender.send("/outside", vec![OscType::Float(9.0)]);
        sender.send("/a/pos", vec![OscType::Int(1), OscType::Double(2.0)]);
        until(&net, || op.num_chans().unwrap() == 3);
        let expected = |slice: usize| {
            vec![
                ("b/x".to_owned(), vec![0.5; slice]),
                ("pos1".to_owned(), vec![1.0; slice]),
                ("pos2".to_owned(), vec![2.0; slice]),
            ]
        };
        assert_eq!(channels(&op), expected(1));
        let clip = op.clip().unwrap();
        assert_eq!((clip.start(), clip.rate(), clip.is_slice()), (0, 60.0, false));

        op.par("timeslice").unwrap().set(true).unwrap();
        op.par("useglobalrate").unwrap().set(false).unwrap();
        op.par("samplerate").unwrap().set(240.0).unwrap();
        op.clip().unwrap();
        net.step().unwrap();
        assert_eq!(channels(&op), expected(4));
        assert!(op.clip().unwrap().is_slice());

        op.par("scope").unwrap().set("pos*").unwrap();
        assert_eq!(op.clip().unwrap().names().iter().collect::<Vec<_>>(), ["pos1", "pos2"]);
        let info = info(&net, &op);
        let value = |name: &str| info.iter().find(|(there, _)| there == name).unwrap().1;
        assert_eq!(
            ["osc_listening", "osc_packets", "osc_messages", "osc_out_of_scope", "osc_dropped", "osc_peers"]
                .map(value),
            [1.0, 3.0, 3.0, 1.0, 0.0, 1.0]
        );
        assert!(value("osc_buffer_bytes") > 0.0);

        // Switched off it keeps what it had, and somebody else may have the port.
        op.par("active").unwrap().set(false).unwrap();
        assert_eq!(op.num_chans().unwrap(), 2);
        until(&net, || UdpSocket::bind(("127.0.0.1", sender.1)).is_ok());
        op.par("active").unwrap().set(true).unwrap();
        until(&net, || {
            sender.send("/a/new", vec![OscType::Bool(true)]);
            op.par("scope").unwrap().set("*").unwrap();
            channels(&op) == [("new".to_owned(), vec![1.0; op.num_samples().unwrap()])]
        });
    }

    #[test]
    fn a_pulse_lasts_a_frame_and_all_can_be_forgotten() {
        let net = network();
        let (op, sender) = osc_in(&net, &[]);
        sender.send("/go", vec![]);
        until(&net, || op.num_chans().unwrap() == 1);
        assert_eq!(channels(&op), [("go".to_owned(), vec![1.0])]);
        net.step().unwrap();
        assert_eq!(channels(&op), [("go".to_owned(), vec![0.0])]);
        op.par("resetchannelspulse").unwrap().pulse().unwrap();
        assert_eq!(op.num_chans().unwrap(), 0);
    }

    #[test]
    fn queued_values_are_samples_of_the_slice() {
        let net = network();
        let pars = [("timeslice", "1"), ("queued", "1"), ("useglobalrate", "0"), ("samplerate", "240")];
        let (op, sender) = osc_in(&net, &pars);
        sender.send("/x", vec![OscType::Float(0.0)]);
        until(&net, || op.num_chans().unwrap() == 1);
        // Ten values between two frames, in slices of four; then a pulse.
        for value in 1_u8..=10 {
            sender.send("/x", vec![OscType::Float(f32::from(value))]);
        }
        sender.send("/x", vec![OscType::Inf]);
        let frame = || {
            net.step().unwrap();
            channels(&op)[0].1.clone()
        };
        let mut seen = vec![0.0];
        until_so(|| {
            seen.extend(frame());
            let zeros = seen.iter().rev().take_while(|value| **value == 0.0).count();
            (1..=4).contains(&zeros) && seen.iter().rev().nth(zeros) == Some(&1.0) && seen.contains(&10.0)
        });
        seen.dedup();
        let expected: Vec<f32> = (0_u8..=10).map(f32::from).chain([1.0, 0.0]).collect();
        assert_eq!(seen, expected);

        // More than may wait: the newest ones are there.
        op.par("maxqueue").unwrap().set(0.02).unwrap();
        frame();
        for value in 20_u8..60 {
            sender.send("/x", vec![OscType::Float(f32::from(value))]);
        }
        until_so(|| {
            std::thread::yield_now();
            frame().last() == Some(&59.0)
        });
    }

    #[test]
    fn what_is_wrong_is_told() {
        let net = network();
        let (op, sender) = osc_in(&net, &[]);
        sender.bytes(b"what is this");
        sender.send("/x", vec![OscType::String("text".into()), OscType::Float(1.0)]);
        until(&net, || op.num_chans().unwrap() == 1);
        assert_eq!(
            op.warnings().unwrap(),
            "Packets that are no OSC, or beyond its limits, are dropped.\nArguments that are no numbers are left out."
        );
        let error = |par: &str, value: &str| {
            let before = op.par(par).unwrap().eval().unwrap();
            op.par(par).unwrap().set(value).unwrap();
            net.step().unwrap();
            op.clip().unwrap();
            let said = op.errors().unwrap();
            op.par(par).unwrap().set(before).unwrap();
            said
        };
        assert!(error("oscaddressscope", "(a").starts_with("OSC Address Scope: "));
        assert_eq!(
            error("localaddress", "here"),
            "Local Address 'here' is no address: give one such as 127.0.0.1."
        );
        assert_eq!(
            error("netaddress", "10.0.0.1"),
            "Network Address '10.0.0.1' is no group: give one such as 239.0.0.1, or nothing."
        );
        let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let other = net.root().create("oscinCHOP", "other").unwrap();
        other.par("port").unwrap().set(i64::from(port)).unwrap();
        other.clip().unwrap();
        assert_eq!(
            other.errors().unwrap(),
            format!("Cannot listen at 127.0.0.1:{port}: another program listens there: give another port.")
        );
        drop(taken);
        until(&net, || {
            other.clip().unwrap();
            other.errors().unwrap().is_empty()
        });
    }
}

mod outgoing {
    use super::*;

    struct Receiver(UdpSocket);

    impl Receiver {
        fn new() -> Self {
            let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
            socket.set_read_timeout(Some(WATCHDOG)).unwrap();
            Self(socket)
        }

        fn next(&self) -> OscPacket {
            let mut buffer = [0; 65_536];
            let len = self.0.recv(&mut buffer).unwrap();
            rosc::decoder::decode_udp(&buffer[..len]).unwrap().1
        }

        /// Whether nothing waits.
        fn is_empty(&self) -> bool {
            self.0.set_nonblocking(true).unwrap();
            let empty =
                self.0.recv(&mut [0; 16]).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
            self.0.set_nonblocking(false).unwrap();
            empty
        }
    }

    /// Two constants, sent.
    fn osc_out(net: &Network, pars: &[(&str, &str)]) -> (Op, Op, Receiver) {
        let receiver = Receiver::new();
        let source = create(net, "constantCHOP", &[("const0name", "tx"), ("const1name", "h0/pinch")]);
        source.par("const1value").unwrap().set(0.5).unwrap();
        let op = create(net, "oscoutCHOP", pars);
        op.par("port").unwrap().set(i64::from(receiver.0.local_addr().unwrap().port())).unwrap();
        op.input_connectors().unwrap()[0].connect(&source).unwrap();
        (source, op, receiver)
    }

    fn message(addr: &str, args: Vec<OscType>) -> OscPacket {
        OscPacket::Message(OscMessage { addr: addr.to_owned(), args })
    }

    fn content(packet: OscPacket) -> (f64, Vec<OscPacket>) {
        let OscPacket::Bundle(bundle) = packet else { panic!("{packet:?}") };
        let time =
            f64::from(bundle.timetag.seconds) + f64::from(bundle.timetag.fractional) / 2.0_f64.powi(32);
        (time, bundle.content)
    }

    #[test]
    fn each_frame_is_a_bundle_with_its_time() {
        let net = network();
        let (_source, op, receiver) = osc_out(&net, &[]);
        for frame in 0..5 {
            net.step().unwrap();
            let (time, content) = content(receiver.next());
            assert!((time - f64::from(frame) / 60.0).abs() < 1e-6, "{time}");
            assert_eq!(
                content,
                [
                    message("/_samplerate", vec![OscType::Float(60.0)]),
                    message("/tx", vec![OscType::Float(0.0)]),
                    message("/h0/pinch", vec![OscType::Float(0.5)]),
                ]
            );
        }
        assert_eq!(op.errors().unwrap() + &op.warnings().unwrap(), "");
        assert_eq!(op.num_chans().unwrap(), 2, "it is passed on");
        let info = info(&net, &op);
        assert_eq!(info[0], ("osc_open".to_owned(), 1.0));
        assert_eq!(info[1], ("osc_packets".to_owned(), 5.0));
        assert_eq!(info[3], ("osc_messages".to_owned(), 15.0));
    }

    #[test]
    fn only_what_changed_of_what_is_in_scope() {
        let net = network();
        let (source, op, receiver) = osc_out(
            &net,
            &[("sendevents", "0"), ("sendrate", "0"), ("scope", "tx"), ("numericformat", "double")],
        );
        net.step().unwrap();
        assert_eq!(receiver.next(), message("/tx", vec![OscType::Double(0.0)]), "20 bytes, no bundle");
        for _ in 0..3 {
            net.step().unwrap();
        }
        assert!(receiver.is_empty());
        source.par("const0value").unwrap().set(2.0).unwrap();
        net.step().unwrap();
        assert_eq!(receiver.next(), message("/tx", vec![OscType::Double(2.0)]));
        op.par("active").unwrap().set(false).unwrap();
        source.par("const0value").unwrap().set(3.0).unwrap();
        net.step().unwrap();
        assert!(receiver.is_empty());
    }

    #[test]
    fn slices_go_whole_and_clips_are_cut_to_them() {
        let net = network();
        let receiver = Receiver::new();
        // Four samples a frame, of a ramp over one second.
        let wave = create(&net, "waveCHOP", &[("wavetype", "ramp"), ("channelname", "w")]);
        wave.par("rate").unwrap().set(240.0).unwrap();
        let op = create(&net, "oscoutCHOP", &[("sendrate", "0"), ("netaddress", "127.0.0.1")]);
        op.par("port").unwrap().set(i64::from(receiver.0.local_addr().unwrap().port())).unwrap();
        op.input_connectors().unwrap()[0].connect(&wave).unwrap();
        net.step().unwrap();
        receiver.next();
        net.step().unwrap();
        let OscPacket::Message(slice) = receiver.next() else { panic!("one message") };
        assert_eq!((slice.addr.as_str(), slice.args.len()), ("/w", 4), "{slice:?}");
        op.par("format").unwrap().set("sample").unwrap();
        wave.par("timeslice").unwrap().set(true).unwrap();
        net.step().unwrap();
        let OscPacket::Message(sample) = receiver.next() else { panic!("one message") };
        assert_eq!(sample.args.len(), 1);
    }

    #[test]
    fn a_name_that_is_not_known_is_told_and_nobody_waits_for_it() {
        let net = network();
        let (_source, op, _receiver) = osc_out(&net, &[("netaddress", "no such host")]);
        until(&net, || !op.errors().unwrap().is_empty());
        assert!(op.errors().unwrap().starts_with("Cannot find 'no such host': "), "{:?}", op.errors());
        // It is tried again meanwhile, and stays wrong.
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_millis(2500) {
            net.step().unwrap();
            assert!(op.errors().unwrap().starts_with("Cannot find 'no such host': "), "{:?}", op.errors());
        }
        op.par("netaddress").unwrap().set("").unwrap();
        net.step().unwrap();
        assert_eq!(op.errors().unwrap(), "Network Address is empty: give a name or an address.");
        op.par("netaddress").unwrap().set("localhost").unwrap();
        op.par("port").unwrap().set(0_i64).unwrap();
        net.step().unwrap();
        assert_eq!(op.errors().unwrap(), "Network Port is 0: give one from 1 to 65535.");
        // Nobody listens there.
        op.par("port").unwrap().set(i64::from(free_port())).unwrap();
        for _ in 0..20 {
            net.step().unwrap();
        }
        assert_eq!(op.errors().unwrap() + &op.warnings().unwrap(), "");
    }
}
