//! Other libraries at the same work: iceoryx2, and Python's `multiprocessing.shared_memory` with a `Lock`.
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "no benchmark without it")]

use std::hint::{black_box, spin_loop};
use std::sync::atomic::Ordering;
use std::time::Duration;

use iceoryx2::port::{publisher::Publisher, subscriber::Subscriber};
use iceoryx2::prelude::*;

use crate::duo::{Course, Other};
use crate::unique;

type Payload = [f32; 64];

/// Both ends of a service, and the node that they hang on.
struct Ends {
    publisher: Publisher<ipc::Service, Payload, ()>,
    subscriber: Subscriber<ipc::Service, Payload, ()>,
    _node: Node<ipc::Service>,
}

/// Opens them: one side uses the one, the other side the other.
fn open(name: &str) -> Ends {
    let node = NodeBuilder::new().create::<ipc::Service>().expect("a node");
    let service = node
        .service_builder(&name.try_into().expect("a name"))
        .publish_subscribe::<Payload>()
        .open_or_create()
        .expect("a service");
    let publisher = service.publisher_builder().create().expect("a publisher");
    let subscriber = service.subscriber_builder().create().expect("a subscriber");
    Ends { publisher, subscriber, _node: node }
}

/// Deliveries to a subscriber that looks without a pause: the middle of them, in seconds.
#[must_use]
pub fn iceoryx(payload: &[f32], rounds: usize, apart: Duration) -> f64 {
    let name = unique("ice");
    let Ends { publisher, subscriber, _node } = open(&name);
    drop(subscriber);
    let other = Other::start(&format!("iceoryx {name} {rounds}"));
    let payload: Payload = payload.try_into().expect("64 samples");
    let p50 = other.course.deliver(rounds, apart, || {
        let sample = publisher.loan_uninit().expect("a loan");
        sample.write_payload(payload).send().expect("it is sent");
    });
    let _ = other.end();
    p50
}

/// The other side of it.
pub fn iceoryx_there(course: &Course, name: &str, rounds: usize) {
    let Ends { publisher, subscriber, _node } = open(name);
    drop(publisher);
    let mut own = [0_f32; 64];
    course.ready();
    for _ in 0..rounds {
        let sample = loop {
            if let Some(sample) = subscriber.receive().expect("it can be asked") {
                break sample;
            }
            spin_loop();
        };
        own.copy_from_slice(&*sample);
        black_box(&own);
        course.arrived();
    }
}

/// Both ends of a service of frames of any size.
struct Frames {
    service: iceoryx2::service::port_factory::publish_subscribe::PortFactory<ipc::Service, [u8], ()>,
    _node: Node<ipc::Service>,
}

impl Frames {
    fn open(name: &str) -> Self {
        let node = NodeBuilder::new().create::<ipc::Service>().expect("a node");
        let service = node
            .service_builder(&name.try_into().expect("a name"))
            .publish_subscribe::<[u8]>()
            .open_or_create()
            .expect("a service");
        Self { service, _node: node }
    }
}

/// Frames of so many bytes as fast as it goes, copied in on one side and out on the other: how many a second arrive.
#[must_use]
pub fn iceoryx_flat_out(bytes: usize, time: Duration) -> f64 {
    let name = unique("iceflat");
    let frames = Frames::open(&name);
    let publisher =
        frames.service.publisher_builder().initial_max_slice_len(bytes).create().expect("a publisher");
    let images: Vec<Vec<u8>> = (0..4).map(|value| vec![value; bytes]).collect();
    let other = Other::start(&format!("iceoryx {name} {bytes}"));
    let begin = std::time::Instant::now();
    for image in images.iter().cycle() {
        let sample = publisher.loan_slice_uninit(bytes).expect("a loan");
        sample.write_from_slice(image).send().expect("it is sent");
        if begin.elapsed() > time {
            break;
        }
    }
    let time = begin.elapsed();
    let [received, _] = other.end();
    received as f64 / time.as_secs_f64()
}

/// The other side of it.
pub fn iceoryx_flat_out_there(course: &Course, name: &str, bytes: usize) {
    let frames = Frames::open(name);
    let subscriber = frames.service.subscriber_builder().create().expect("a subscriber");
    let mut own = vec![0_u8; bytes];
    let [received, torn] = &course.words().counts.0;
    course.ready();
    while !course.stopped() {
        let Some(sample) = subscriber.receive().expect("it can be asked") else {
            spin_loop();
            continue;
        };
        own.copy_from_slice(&sample);
        drop(sample);
        let whole = own.iter().step_by(128).all(|byte| Some(byte) == own.first());
        received.fetch_add(1, Ordering::Relaxed);
        torn.fetch_add(u64::from(!whole), Ordering::Relaxed);
    }
}

/// What the script beside this package prints; the reason where it cannot run.
#[must_use]
pub fn python() -> String {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/shared_memory.py");
    match std::process::Command::new("python3").arg(script).output() {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).trim().to_owned(),
        Ok(output) => format!("not run: {}", String::from_utf8_lossy(&output.stderr).trim()),
        Err(error) => format!("not run: python3: {error}"),
    }
}
