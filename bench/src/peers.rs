//! Other libraries at the same work: iceoryx2, and Python's `multiprocessing.shared_memory` with a `Lock`.
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "no benchmark without it")]

use std::hint::{black_box, spin_loop};
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
