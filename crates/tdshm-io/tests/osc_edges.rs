//! Open Sound Control where senders, receivers and networks are not as one would wish.
#![cfg(feature = "osc")]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

use tdshm_io::osc::{
    EncodeOptions, Encoder, Fault, FrameInfo, Handed, Intake, IntakeOptions, Layout, MAX_PACKET,
};

fn intake() -> Intake {
    Intake::new(IntakeOptions::new())
}

fn encoded(options: EncodeOptions, channels: &[(&str, &[f32])]) -> Vec<Vec<u8>> {
    let mut sent = Vec::new();
    Encoder::new(options)
        .encode(FrameInfo::default(), channels.iter().copied(), |packet| sent.push(packet.to_vec()));
    sent
}

#[test]
fn a_pulse_is_one_in_any_company() {
    let mut intake = intake();
    intake.take(b"/x\0\0,fI\0\x3F\0\0\0").unwrap();
    assert_eq!(intake.values(), [0.5, 1.0]);
    intake.settle();
    assert_eq!(intake.values(), [0.5, 0.0]);
    intake.set_queue(4);
    intake.take(b"/x\0\0,If\0\x3E\x80\0\0").unwrap();
    let mut samples = [[9.0; 3]; 2];
    samples.iter_mut().enumerate().for_each(|(channel, samples)| intake.samples(channel, samples));
    assert_eq!(samples, [[1.0, 0.0, 0.0], [0.25; 3]]);
}

#[test]
fn what_is_no_finite_number_changes_nothing_but_a_count() {
    let mut intake = intake();
    intake.take(b"/x\0\0,f\0\0\x7F\xC0\0\0").unwrap();
    assert_eq!((intake.names().len(), intake.values()), (1, &[0.0][..]), "the channel is there");
    intake.take(b"/x\0\0,f\0\0\x3F\0\0\0").unwrap();
    let infinity = b"/x\0\0,f\0\0\xFF\x80\0\0";
    let beyond = b"/x\0\0,d\0\0\x7E\x37\xE4\x3C\x88\0\x75\x9C";
    for (held, packet) in (2_u64..).zip([&infinity[..], beyond]) {
        intake.take(packet).unwrap();
        assert_eq!((intake.values(), intake.counts().held), (&[0.5][..], held));
    }
    intake.set_queue(4);
    intake.take(infinity).unwrap();
    let mut samples = [9.0; 2];
    intake.samples(0, &mut samples);
    assert_eq!(samples, [0.5; 2]);
    assert_eq!((intake.counts().dropped(), intake.counts().not_numbers), (0, 0));
}

#[test]
fn arrays_end_where_they_begin() {
    let mut intake = intake();
    for tags in [&b",[ff\0\0\0\0"[..], b",ff]\0\0\0\0", b",]f[f\0\0\0", b",[[ff]\0\0"] {
        let packet = [b"/x\0\0", tags, &[0; 8]].concat();
        assert_eq!(intake.take(&packet), Err(Fault::Malformed), "{tags:?}");
    }
    intake.take(&[&b"/x\0\0,[f]f\0\0\0"[..], &[0; 8]].concat()).unwrap();
    assert_eq!(intake.names().len(), 2);
}

#[test]
fn old_senders_leave_types_out() {
    let mut intake = intake();
    for packet in [&b"/go\0"[..], b"/go\0\x3F\0\0\0", b"#bundle\0\0\0\0\0\0\0\0\x01\0\0\0\x04/go\0"] {
        intake.take(packet).unwrap();
        assert_eq!(intake.values(), [1.0], "{packet:?}");
        intake.settle();
        assert_eq!(intake.values(), [0.0]);
    }
    assert_eq!(intake.take(b"/go\0\x3F\0\0"), Err(Fault::Malformed), "no multiple of four");
}

#[test]
fn a_message_goes_without_the_bundle_that_would_be_too_large() {
    let channels: &[(&str, &[f32])] = &[("tx", &[1.0]), ("ty", &[2.0, 3.0])];
    for most in 16..=36 {
        let sent = encoded(EncodeOptions::new().max_bytes(most), channels);
        assert!(sent.iter().all(|packet| packet.len() <= most), "{most} {sent:?}");
        let mut intake = intake();
        sent.iter().for_each(|packet| intake.take(packet).unwrap());
        assert_eq!(intake.values()[0], 1.0);
        assert_eq!(intake.counts().messages, 3, "one sample each");
    }
    let bundle = encoded(EncodeOptions::new().max_bytes(64), channels);
    assert_eq!(bundle.len(), 1, "both fit into one");
    let names: Vec<String> = (0..100).map(|number| format!("c{number}")).collect();
    let all: Vec<(&str, &[f32])> = names.iter().map(|name| (name.as_str(), &[0.0][..])).collect();
    let sent = encoded(EncodeOptions::new().layout(Layout::Transpose).max_bytes(16), &all);
    assert!(sent.len() == 1 && sent[0].len() < MAX_PACKET, "what cannot be split goes all the same");
}

#[test]
fn what_did_not_leave_does_not_count_and_nobody_waits_for_the_rest() {
    let names: Vec<String> = (0..1000).map(|number| format!("c{number}")).collect();
    let all: Vec<(&str, &[f32])> = names.iter().map(|name| (name.as_str(), &[0.5; 100][..])).collect();
    for bundles in [true, false] {
        let mut encoder = Encoder::new(EncodeOptions::new().max_bytes(100).bundles(bundles));
        let (mut asked, mut bytes) = (0_u64, 0_u64);
        encoder.encode_to(FrameInfo::default(), all.iter().copied(), |packet| {
            asked += 1;
            match asked {
                1 | 3 => {
                    bytes += u64::try_from(packet.len()).unwrap();
                    Handed::On
                }
                2 => Handed::Lost,
                _ => Handed::Stop,
            }
        });
        assert_eq!(asked, 4, "nothing is asked after that");
        let counts = encoder.counts();
        assert_eq!((counts.packets, counts.bytes, counts.messages), (2, bytes, 2));
        encoder.resend();
        let mut whole = 0;
        encoder.encode(FrameInfo::default(), all.iter().copied(), |_| whole += 1);
        assert!(whole > 1000, "the next frame is whole");
    }
}
