//! What clients share, with senders of this process.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that panics has failed, which is what its helpers are for"
)]

use tdshm::{PixelFormat, Pixels, TopSender};
use tokio::runtime::Builder;

use super::*;
use crate::monitor::web::message::{Asked, read};

/// How long anything may take before the test fails.
const WATCHDOG: Duration = Duration::from_secs(60);

fn subscribe(name: &str, id: u32) -> Arc<Subscribe> {
    let text = format!(
        r#"{{"type":"subscribe","id":{id},"segment":"{name}","image":{{"width":4,"encoding":"jpeg"}}}}"#
    );
    match read(&text).unwrap() {
        Asked::Subscribe(subscribe) => Arc::new(*subscribe),
        other => panic!("{other:?}"),
    }
}

/// A short name whose objects are removed at the end.
struct Name(String);

impl Drop for Name {
    fn drop(&mut self) {
        let _ = tdshm::clean(&[&self.0], tdshm::DryRun::No);
    }
}

fn until(is_so: impl Fn() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < WATCHDOG);
        std::thread::yield_now();
    }
}

#[test]
fn a_picture_is_packed_once_for_all_who_want_it() {
    let removed = Name(format!("hub{}", std::process::id()));
    let name = removed.0.as_str();
    let short = ShortName::new(name).unwrap();
    let mut out = TopSender::create(name).unwrap();
    let mut send = |value: u8| {
        let pixels = vec![value; 8 * 8 * 4];
        out.send(&Pixels::bottom_first(PixelFormat::R8G8B8A8_UNORM, 8, 8, &pixels)).unwrap();
    };
    let hub = Hub::start(None);
    let number = || hub.live.with(|model| model.segment(&short)?.content()?.number());
    hub.follow(&short);
    send(50);
    until(|| number() == Some(1));

    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    // Nothing is packed for now.
    let places = u32::try_from(packers()).unwrap();
    let all = runtime.block_on(Arc::clone(&hub.packers).acquire_many_owned(places)).unwrap();
    let fresh = |id: u32| runtime.spawn(Arc::clone(&hub).fresh(subscribe(name, id), Had::default()));
    let first = fresh(1);
    until(|| lock(&hub.pictures).len() == 1);
    // Who comes while a newer frame is there already gets the one that is on its way.
    send(60);
    until(|| number() == Some(2));
    let second = fresh(2);
    until(|| {
        let pictures = lock(&hub.pictures);
        assert_eq!(pictures.len(), 1);
        pictures.iter().all(|packing| Arc::strong_count(&packing.picture) == 3)
    });
    drop(all);
    let both = [first, second].map(|fresh| match runtime.block_on(fresh).unwrap() {
        Some((had, Some(Fresh::Image(message)))) => (had, message),
        other => panic!("{other:?}"),
    });
    assert!(Arc::ptr_eq(&both[0].1.picture, &both[1].1.picture));
    assert_eq!(
        both.each_ref().map(|(_, message)| (message.head.id, message.head.number)),
        [(1, Some(1)), (2, Some(1))]
    );

    // The next one is the newest, and nothing was left out.
    let [(had, _), _] = both;
    let next = runtime.block_on(Arc::clone(&hub).fresh(subscribe(name, 1), had)).unwrap();
    let (had, Some(Fresh::Image(next))) = next else { panic!("no image") };
    assert_eq!((next.head.number, next.head.dropped), (Some(2), 0));
    assert!(runtime.block_on(Arc::clone(&hub).fresh(subscribe(name, 1), had)).is_none());
    hub.unfollow(&short);
    assert!(lock(&hub.pictures).is_empty());
}
