//! Open Sound Control as bytes: made by hand, by another implementation, and by strangers.
#![cfg(feature = "osc")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

use std::time::Duration;

use proptest::prelude::*;
use rosc::{OscArray, OscBundle, OscMessage, OscPacket, OscTime, OscType};
use tdshm_io::osc::{
    EncodeOptions, Encoder, Fault, FrameInfo, Intake, IntakeOptions, Layout, MAX_ARGUMENTS, MAX_NESTING,
    MAX_PACKET, Numeric, read,
};

/// Packets of one frame.
fn packets(encoder: &mut Encoder, time: Duration, channels: &[(&str, &[f32])]) -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    let frame = FrameInfo { time, rate: 60.0 };
    encoder.encode(frame, channels.iter().copied(), |packet| packets.push(packet.to_vec()));
    packets
}

fn encoded(options: EncodeOptions, channels: &[(&str, &[f32])]) -> Vec<Vec<u8>> {
    packets(&mut Encoder::new(options), Duration::ZERO, channels)
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: String = hex.split_whitespace().collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn intake() -> Intake {
    Intake::new(IntakeOptions::new())
}

fn channels(intake: &Intake) -> Vec<(&str, f32)> {
    intake.names().iter().map(|name| &**name).zip(intake.values().iter().copied()).collect()
}

fn message(addr: &str, args: Vec<OscType>) -> OscPacket {
    OscPacket::Message(OscMessage { addr: addr.to_owned(), args })
}

fn strange(packet: &OscPacket) -> Vec<u8> {
    rosc::encoder::encode(packet).unwrap()
}

/// What the other implementation reads: nothing may be left over.
fn read_by_stranger(packet: &[u8]) -> OscPacket {
    let (rest, packet) = rosc::decoder::decode_udp(packet).unwrap();
    assert!(rest.is_empty());
    packet
}

/// The messages of a packet, however it nests.
fn flat(packet: OscPacket, into: &mut Vec<OscMessage>) {
    match packet {
        OscPacket::Message(message) => into.push(message),
        OscPacket::Bundle(bundle) => bundle.content.into_iter().for_each(|packet| flat(packet, into)),
    }
}

/// The bytes of operators §11.3, and more, each by hand.
mod golden {
    use super::*;

    const PINCH: &str = "2F68302F 70696E63 68000000 2C660000 3F000000";
    const MIX: &str = "2F6D6978 00000000 2C666666 00000000 3E800000 3F000000 3F400000";

    #[test]
    fn one_value_is_one_message_of_20_bytes() {
        let options = EncodeOptions::new;
        assert_eq!(encoded(options(), &[("h0/pinch", &[0.5])]), [bytes(PINCH)]);
        assert_eq!(
            encoded(options().layout(Layout::Sample), &[("h0/pinch", &[9.0, 0.5])]),
            [bytes(PINCH)],
            "the newest one"
        );
        let mut intake = intake();
        intake.take(&bytes(PINCH)).unwrap();
        assert_eq!(channels(&intake), [("h0/pinch", 0.5)]);
    }

    #[test]
    fn a_slice_is_as_many_arguments() {
        assert_eq!(encoded(EncodeOptions::new(), &[("mix", &[0.25, 0.5, 0.75])]), [bytes(MIX)]);
        let mut intake = intake();
        intake.take(&bytes(MIX)).unwrap();
        assert_eq!(channels(&intake), [("mix1", 0.25), ("mix2", 0.5), ("mix3", 0.75)]);
    }

    #[test]
    fn whole_numbers_and_doubles() {
        let of = |numeric, value| encoded(EncodeOptions::new().numeric(numeric), &[("a", &[value])]);
        assert_eq!(of(Numeric::Int, -1.5), [bytes("2F610000 2C690000 FFFFFFFE")]);
        assert_eq!(of(Numeric::Int, f32::NAN), [bytes("2F610000 2C690000 00000000")]);
        assert_eq!(of(Numeric::Int, 1e30), [bytes("2F610000 2C690000 7FFFFFFF")]);
        assert_eq!(of(Numeric::Double, 0.5), [bytes("2F610000 2C640000 3FE00000 00000000")]);
    }

    #[test]
    fn several_are_a_bundle_with_the_time() {
        let mut encoder = Encoder::new(EncodeOptions::new());
        let at = |encoder: &mut Encoder, ms| {
            packets(encoder, Duration::from_millis(ms), &[("a", &[1.0]), ("b", &[2.0])])
        };
        let content = "0000000C 2F610000 2C660000 3F800000 0000000C 2F620000 2C660000 40000000";
        let whole = |time: &str| vec![bytes(&format!("2362756E 646C6500 {time} {content}"))];
        assert_eq!(at(&mut encoder, 0), whole("00000000 00000001"), "at once");
        assert_eq!(at(&mut encoder, 1250), whole("00000001 40000000"));
    }

    #[test]
    fn transposed_ones_are_one_message() {
        let of = |layout| {
            let options = EncodeOptions::new().layout(layout);
            encoded(options, &[("pos1", &[1.0, 9.0]), ("pos2", &[2.0, 9.0])])
        };
        assert_eq!(of(Layout::Transpose), [bytes("2F706F73 00000000 2C666600 3F800000 40000000")]);
        assert_eq!(
            of(Layout::TransposeName),
            [bytes(
                "2F706F73 00000000 2C736673 66000000 706F7331 00000000 3F800000 706F7332 00000000 40000000"
            )]
        );
        let mut intake = intake();
        intake.take(&of(Layout::Transpose)[0]).unwrap();
        assert_eq!(channels(&intake), [("pos1", 1.0), ("pos2", 2.0)], "what came in comes out");
    }

    #[test]
    fn the_rate_goes_along_where_it_is_asked_for() {
        let options = EncodeOptions::new().rate_sent(true).only_changed(true);
        let mut encoder = Encoder::new(options);
        let mut frame = |value: f32| packets(&mut encoder, Duration::ZERO, &[("a", &[value])]);
        let rate = "00000018 2F5F7361 6D706C65 72617465 00000000 2C660000 42700000";
        let first = format!("2362756E 646C6500 00000000 00000001 {rate} 0000000C 2F610000 2C660000 3F800000");
        assert_eq!(frame(1.0), [bytes(&first)]);
        assert_eq!(frame(2.0), [bytes("2F610000 2C660000 40000000")], "it has not changed");
    }
}

mod out {
    use super::*;

    #[test]
    fn only_what_changed() {
        let mut encoder = Encoder::new(EncodeOptions::new().only_changed(true).numeric(Numeric::Int));
        let mut frame = |a: &[f32], b: &[f32]| {
            let mut messages = Vec::new();
            for packet in packets(&mut encoder, Duration::ZERO, &[("a", a), ("b", b)]) {
                flat(read_by_stranger(&packet), &mut messages);
            }
            messages.into_iter().map(|message| message.addr).collect::<Vec<_>>()
        };
        assert_eq!(frame(&[1.0], &[1.0]), ["/a", "/b"]);
        assert!(frame(&[1.0], &[1.2]).is_empty(), "nobody would see the difference");
        assert_eq!(frame(&[1.0, 1.0], &[2.0]), ["/b"]);
        assert_eq!(frame(&[5.0, 1.0], &[2.0]), ["/a"], "something happened in between");
        assert!(frame(&[], &[2.0]).is_empty(), "without samples there is nothing to say");
        encoder.resend();
        let all = packets(&mut encoder, Duration::ZERO, &[("a", &[1.0]), ("c", &[2.0])]);
        assert_eq!(all.len(), 1);
        assert!(packets(&mut encoder, Duration::ZERO, &[("a", &[1.0]), ("c", &[2.0])]).is_empty());

        let mut encoder = Encoder::new(EncodeOptions::new().only_changed(true).layout(Layout::Transpose));
        let mut frame = |channels: &[(&str, &[f32])]| packets(&mut encoder, Duration::ZERO, channels).len();
        assert_eq!(frame(&[("a1", &[1.0]), ("a2", &[2.0])]), 1);
        assert_eq!(frame(&[("a1", &[1.0]), ("a2", &[2.0])]), 0);
        assert_eq!(frame(&[("a1", &[1.0]), ("a2", &[3.0])]), 1);
        assert_eq!(frame(&[("a1", &[1.0])]), 1, "another message");
        assert_eq!(frame(&[("a1", &[1.0])]), 0);
        assert_eq!(frame(&[("b1", &[1.0])]), 1, "another address");
    }

    #[test]
    fn what_is_too_much_is_split_and_what_cannot_be_is_told() {
        let long = vec![0.5; 5000];
        let sent = encoded(EncodeOptions::new().max_bytes(1000), &[("a", &long)]);
        assert!(sent.len() > 20 && sent.iter().all(|packet| packet.len() <= 1000));
        let mut messages = Vec::new();
        sent.iter().for_each(|packet| flat(read_by_stranger(packet), &mut messages));
        assert_eq!(messages.iter().map(|message| message.args.len()).sum::<usize>(), 5000);
        assert!(messages.iter().all(|message| message.addr == "/a"));

        // A sample of its own fits into no packet that small, and goes all the same.
        assert_eq!(encoded(EncodeOptions::new().max_bytes(8), &[("a", &[1.0, 2.0])]).len(), 2);

        let names: Vec<String> = (0..20_000).map(|number| format!("c{number}")).collect();
        let all: Vec<(&str, &[f32])> = names.iter().map(|name| (name.as_str(), &[0.0][..])).collect();
        let mut encoder = Encoder::new(EncodeOptions::new().layout(Layout::Transpose));
        assert!(packets(&mut encoder, Duration::ZERO, &all).is_empty());
        assert_eq!(encoder.counts().too_large, 1);
        assert_eq!(packets(&mut encoder, Duration::ZERO, &all[..10_000]).len(), 1, "larger than asked for");
        // One that fits, but not with a bundle around it.
        let name = "n".repeat(MAX_PACKET - 15);
        let sent = packets(&mut encoder, Duration::ZERO, &[(&name, &[0.0])]);
        assert_eq!(sent[0].len(), MAX_PACKET - 3);
    }

    #[test]
    fn packets_without_bundles() {
        let sent = encoded(EncodeOptions::new().bundles(false), &[("a", &[1.0]), ("b", &[2.0])]);
        assert_eq!(sent, [bytes("2F610000 2C660000 3F800000"), bytes("2F620000 2C660000 40000000")]);
    }
}

mod came {
    use super::*;

    #[test]
    fn every_type_of_argument() {
        let packet = message(
            "/x",
            vec![
                OscType::Float(0.1),
                OscType::Double(0.1),
                OscType::Int(-7),
                OscType::Long(1 << 40),
                OscType::Bool(true),
                OscType::String("no number".into()),
                OscType::Nil,
                OscType::Char('A'),
                OscType::Blob(vec![1, 2, 3]),
                OscType::Time(OscTime { seconds: 3, fractional: 1 << 31 }),
                OscType::Color(rosc::OscColor { red: 1, green: 2, blue: 3, alpha: 4 }),
                OscType::Midi(rosc::OscMidiMessage { port: 1, status: 2, data1: 3, data2: 4 }),
                OscType::Array(OscArray { content: vec![OscType::Float(5.0), OscType::Bool(false)] }),
                OscType::Inf,
            ],
        );
        let mut intake = intake();
        intake.take(&strange(&packet)).unwrap();
        let expected = [0.1, 0.1, -7.0, 2.0_f32.powi(40), 1.0, 0.0, 65.0, 3.5, 5.0, 0.0, 1.0];
        assert_eq!(intake.values(), expected);
        assert_eq!(&*intake.names()[10], "x11");
        let counts = intake.counts();
        assert_eq!((counts.packets, counts.messages, counts.not_numbers, counts.dropped()), (1, 1, 4, 0));
    }

    #[test]
    fn channels_stand_as_they_came_and_keep_their_values() {
        let mut intake = intake();
        for (address, args) in
            [("/b", vec![1.0]), ("/a/x", vec![2.0]), ("/b", vec![3.0]), ("/b", vec![4.0, 5.0])]
        {
            intake.take(&strange(&message(address, args.into_iter().map(OscType::Float).collect()))).unwrap();
        }
        assert_eq!(channels(&intake), [("b", 3.0), ("a/x", 2.0), ("b1", 4.0), ("b2", 5.0)]);
        intake.forget();
        assert_eq!((intake.names().len(), intake.counts().packets), (0, 4));
    }

    #[test]
    fn a_pulse_is_over_when_it_has_been_seen() {
        let mut intake = intake();
        let bang = strange(&message("/go", vec![]));
        intake.take(&bang).unwrap();
        intake.take(&strange(&message("/now", vec![OscType::Inf]))).unwrap();
        assert_eq!(channels(&intake), [("go", 1.0), ("now", 1.0)]);
        intake.settle();
        assert_eq!(intake.values(), [0.0, 0.0]);
        intake.take(&bang).unwrap();
        intake.take(&strange(&message("/go", vec![OscType::Float(7.0)]))).unwrap();
        intake.settle();
        assert_eq!(intake.values(), [7.0, 0.0], "a number is none");
        intake.take(&bang).unwrap();
        intake.settle();
        assert_eq!(intake.values(), [0.0, 0.0]);
    }

    #[test]
    fn values_wait_in_a_queue_of_which_the_newest_stay() {
        let mut intake = intake();
        let send = |intake: &mut Intake, value: f32| {
            intake.take(&strange(&message("/x", vec![OscType::Float(value)]))).unwrap();
        };
        send(&mut intake, 1.0);
        intake.set_queue(3);
        let mut samples = [0.0; 2];
        intake.samples(0, &mut samples);
        assert_eq!(samples, [1.0, 1.0], "what was there before");
        (2_u8..=6).for_each(|value| send(&mut intake, f32::from(value)));
        intake.samples(0, &mut samples);
        assert_eq!((samples, intake.counts().overtaken), ([4.0, 5.0], 2));
        intake.samples(0, &mut samples);
        assert_eq!(samples, [6.0, 6.0]);
        send(&mut intake, 7.0);
        intake.set_queue(0);
        intake.samples(0, &mut samples);
        assert_eq!(samples, [7.0, 7.0]);
        intake.samples(9, &mut samples);
        assert_eq!(samples, [0.0, 0.0], "no such channel");
    }

    #[test]
    fn a_scope_is_about_addresses_as_they_were_sent() {
        for (scope, taken) in [
            ("*", &["accel/x", "gyro/x", "gyro/y"][..]),
            ("gyro/*", &["gyro/x", "gyro/y"]),
            ("/gyro/* ^/gyro/y", &["gyro/x"]),
            ("^*accel*", &["gyro/x", "gyro/y"]),
            ("* ~ /accel/*", &["gyro/x", "gyro/y"]),
        ] {
            let mut intake = Intake::new(IntakeOptions::new().scope(scope.parse().unwrap()));
            for address in ["/accel/x", "/gyro/x", "/gyro/y", "/gyro/x"] {
                intake.take(&strange(&message(address, vec![OscType::Float(0.0)]))).unwrap();
            }
            let names: Vec<&str> = intake.names().iter().map(|name| &**name).collect();
            assert_eq!(names, taken, "{scope}");
            assert_eq!(intake.counts().dropped(), 0);
        }
        let options = IntakeOptions::new().scope("a/*".parse().unwrap()).strip_segments(1);
        let mut intake = Intake::new(options);
        intake.take(&strange(&message("/a/b/c", vec![OscType::Float(1.0)]))).unwrap();
        assert_eq!(channels(&intake), [("b/c", 1.0)]);
    }
}

mod hostile {
    use super::*;

    /// A bundle in a bundle in a bundle, that deep, around a message.
    fn nested(depth: usize) -> Vec<u8> {
        let mut packet = strange(&message("/x", vec![OscType::Float(1.0)]));
        for _ in 0..depth {
            let size = u32::try_from(packet.len()).unwrap();
            packet = [&b"#bundle\0\0\0\0\0\0\0\0\x01"[..], &size.to_be_bytes(), &packet].concat();
        }
        packet
    }

    #[test]
    fn bundles_nest_up_to_a_bound() {
        let mut intake = intake();
        intake.take(&nested(MAX_NESTING)).unwrap();
        assert_eq!(intake.take(&nested(MAX_NESTING + 1)), Err(Fault::Nested));
        let deepest = nested(3000);
        assert!(deepest.len() < MAX_PACKET);
        assert_eq!(intake.take(&deepest), Err(Fault::Nested));
        assert_eq!((intake.counts().nested, intake.counts().messages), (2, 1));
        assert_eq!(Fault::Nested.to_string(), "bundles lie in one another more than 8 deep: send them flat");
    }

    #[test]
    fn arrays_that_never_end_cost_nothing() {
        let tags = format!(",{}{}", "[".repeat(8000), "]".repeat(8000));
        let packet = [b"/x\0\0", tags.as_bytes(), &[0; 3]].concat();
        let mut intake = intake();
        intake.take(&packet).unwrap();
        let tags = format!(",{}", "[".repeat(MAX_ARGUMENTS + 1));
        let packet = [b"/x\0\0", tags.as_bytes(), &[0; 2]].concat();
        assert_eq!(intake.take(&packet), Err(Fault::Arguments));
    }

    #[test]
    fn a_packet_counts_whole_or_not_at_all() {
        let good = strange(&message("/good", vec![OscType::Float(1.0)]));
        let bundle = OscPacket::Bundle(OscBundle {
            timetag: OscTime { seconds: 0, fractional: 1 },
            content: vec![
                message("/good", vec![OscType::Float(1.0)]),
                message("/bad", vec![OscType::Float(2.0)]),
            ],
        });
        let whole = strange(&bundle);
        let mut intake = intake();
        for len in 0..whole.len() {
            // Cut behind the head it is an empty bundle; behind the first message it is a shorter one.
            let is_whole = [16, 36].contains(&len);
            assert_eq!(intake.take(&whole[..len]).is_ok(), is_whole, "{len}");
        }
        assert_eq!(channels(&intake), [("good", 1.0)]);
        for (packet, fault) in [
            (&b""[..], Fault::Malformed),
            (b"good\0\0\0\0,f\0\0\0\0\0\0", Fault::Malformed),
            (b"/x\0", Fault::Malformed),
            (b"/x\0\0f\0\0\0\0\0\0", Fault::Malformed),
            (b"/\xFF\0\0,\0\0\0", Fault::Malformed),
            (b"/x\0\0,q\0\0\0\0\0\0", Fault::UnknownType(b'q')),
            (b"/x\0\0,b\0\0\xFF\xFF\xFF\xFF", Fault::Malformed),
            (b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\0", Fault::Malformed),
            (b"#bundle\0\0\0\0\0\0\0\0\x01\xFF\xFF\xFF\xFC", Fault::Malformed),
        ] {
            assert_eq!(intake.take(packet), Err(fault), "{packet:?}");
        }
        assert_eq!(
            intake.take(&[good.as_slice(), &[0; 4]].concat()),
            Err(Fault::Malformed),
            "something behind"
        );
        assert_eq!(intake.names().len(), 1);
    }

    #[test]
    fn names_and_channels_have_bounds() {
        let mut intake = Intake::new(IntakeOptions::new().max_channels(3));
        let mut send = |address: &str, count: usize| {
            let args = vec![OscType::Float(1.0); count];
            intake.take(&strange(&message(address, args))).unwrap();
            (intake.names().len(), intake.counts().too_many_channels, intake.counts().long_names)
        };
        assert_eq!(send(&format!("/{}", "a".repeat(255)), 1), (1, 0, 0));
        assert_eq!(send(&format!("/{}", "b".repeat(256)), 1), (1, 0, 1));
        assert_eq!(send("/c", 3), (1, 1, 1), "all of them or none");
        assert_eq!(send("/c", 2), (3, 1, 1));
        for number in 0..100 {
            assert_eq!(send(&format!("/more{number}"), 1).0, 3);
        }
        assert_eq!(send("/c", 2), (3, 101, 1), "those that are there go on");
    }

    #[test]
    fn made_up_addresses_of_one_name_fill_no_memory_and_still_count() {
        let mut intake = Intake::new(IntakeOptions::new().max_channels(2));
        for sign in '!'..='/' {
            let value = f32::from(u16::try_from(u32::from(sign)).unwrap());
            intake.take(&strange(&message(&format!("/x{sign}y"), vec![OscType::Float(value)]))).unwrap();
        }
        assert!(intake.names().len() <= 2, "{:?}", intake.names());
        let at = intake.names().iter().position(|name| &**name == "x_y").unwrap();
        assert_eq!(intake.values()[at], f32::from(b'.'));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let mut intake = intake();
            let _ = intake.take(&bytes);
            prop_assert_eq!(intake.names().len(), intake.values().len());
        }

        /// Any packet of the other implementation, then the same with some bytes changed.
        #[test]
        fn no_packet_panics_and_none_is_half_taken(
            packet in any_packet(),
            changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        ) {
            let mut bytes = strange(&packet);
            let mut expected = Vec::new();
            flat(packet, &mut expected);
            let mut addresses = Vec::new();
            read(&bytes, |message| addresses.push((message.address().to_owned(), message.arguments().count()))).unwrap();
            let count = |args: &[OscType]| args.len();
            prop_assert_eq!(
                addresses,
                expected.iter().map(|message| (message.addr.clone(), count(&message.args))).collect::<Vec<_>>()
            );
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            let mut visited = 0;
            let result = read(&bytes, |message| visited += message.arguments().count().max(1));
            prop_assert!(result.is_ok() || visited == 0);
        }

        /// What we write, the other implementation reads: every sample at its place, bit for bit.
        #[test]
        fn what_we_write_others_read(
            samples in prop::collection::vec(prop::collection::vec(any::<f32>(), 1..6), 1..40),
            max_bytes in 40_usize..3000,
            double in any::<bool>(),
            bundles in any::<bool>(),
        ) {
            let names: Vec<String> = (0..samples.len()).map(|at| format!("group{}/chan{at}", at % 3)).collect();
            let all: Vec<(&str, &[f32])> =
                names.iter().map(String::as_str).zip(samples.iter().map(Vec::as_slice)).collect();
            let numeric = if double { Numeric::Double } else { Numeric::Float };
            let options = EncodeOptions::new().numeric(numeric).max_bytes(max_bytes).bundles(bundles);
            let sent = encoded(options, &all);
            let mut messages = Vec::new();
            for packet in &sent {
                // The longest message that cannot be split is one of 16 + 4 + 8 bytes, in a bundle.
                prop_assert!(packet.len() <= max_bytes.max(48));
                flat(read_by_stranger(packet), &mut messages);
                read(packet, |_| ()).unwrap();
            }
            let mut got: Vec<(String, Vec<u32>)> = Vec::new();
            for message in messages {
                let values = message.args.iter().map(|arg| match arg {
                    OscType::Float(value) => value.to_bits(),
                    OscType::Double(value) => (*value as f32).to_bits(),
                    other => panic!("{other:?}"),
                });
                match got.last_mut().filter(|last| last.0 == message.addr) {
                    Some(last) => last.1.extend(values),
                    None => got.push((message.addr, values.collect())),
                }
            }
            // A signalling NaN becomes a quiet one on its way through 64 bits.
            let quiet = |sample: &f32| if double { f64::from(*sample) as f32 } else { *sample }.to_bits();
            let expected: Vec<(String, Vec<u32>)> = all
                .iter()
                .map(|(name, samples)| (format!("/{name}"), samples.iter().map(quiet).collect()))
                .collect();
            prop_assert_eq!(got, expected);
        }
    }

    fn any_argument() -> impl Strategy<Value = OscType> {
        prop_oneof![
            any::<f32>().prop_filter("equal to itself", |value| !value.is_nan()).prop_map(OscType::Float),
            any::<i32>().prop_map(OscType::Int),
            any::<i64>().prop_map(OscType::Long),
            any::<f64>().prop_map(OscType::Double),
            any::<bool>().prop_map(OscType::Bool),
            "[a-z]{0,9}".prop_map(OscType::String),
            prop::collection::vec(any::<u8>(), 0..9).prop_map(OscType::Blob),
            Just(OscType::Nil),
            Just(OscType::Inf),
        ]
    }

    fn any_packet() -> impl Strategy<Value = OscPacket> {
        let one = ("/[a-z/]{0,12}", prop::collection::vec(any_argument(), 0..6))
            .prop_map(|(addr, args)| message(&addr, args));
        one.prop_recursive(4, 24, 5, |inner| {
            prop::collection::vec(inner, 0..5).prop_map(|content| {
                OscPacket::Bundle(OscBundle { timetag: OscTime { seconds: 1, fractional: 2 }, content })
            })
        })
    }
}
