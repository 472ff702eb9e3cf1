//! Which streams there are: those that are offered, and for a while those that were.

use std::collections::{BTreeMap, VecDeque};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::encoding::key::{self, Leaf};
use crate::mirror::slot::Slot;
use crate::mirror::stream::Stream;
use crate::say::{self, Moderate};
use crate::thread::Handle;

/// Host and segment.
pub(super) type Key = (String, String);

/// Where the tokens of streams that are mirrored are told of.
type Slots = Arc<Mutex<BTreeMap<Key, Arc<Slot>>>>;

/// How long streams are kept, and how many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// At most: whoever may write tokens may invent as many as they like.
    pub(super) most: usize,
    /// How long one is kept that nobody offers.
    pub(super) keep: Duration,
}

/// The end of [`Roll`] that zenoh's callbacks have.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    slots: Slots,
    to: Sender<(Key, bool)>,
}

impl Tokens {
    /// A token came, or went.
    pub(super) fn note(&self, key: &str, alive: bool) {
        let Some(stream) = key::read(key, Leaf::Alive) else { return };
        // The lock is held until it is told: what came later must not be told first.
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        match slots.get(&stream) {
            Some(slot) => slot.set_alive(alive),
            // Nobody listens any more: this is the end.
            None => drop(self.to.send((stream, alive))),
        }
    }
}

/// The streams.
#[derive(Debug)]
pub(super) struct Roll {
    bounds: Bounds,
    slots: Slots,
    tokens: Receiver<(Key, bool)>,
    /// What was told and has not been looked at.
    waiting: VecDeque<(Key, bool)>,
    streams: BTreeMap<Key, Handle<Stream>>,
    /// There are streams for which there was no room.
    left_out: bool,
    moderate: Moderate,
}

impl Roll {
    pub(super) fn new(bounds: Bounds) -> (Self, Tokens) {
        let (to, tokens) = mpsc::channel();
        let slots = Slots::default();
        let told = Tokens { slots: Arc::clone(&slots), to };
        let roll = Self {
            bounds,
            slots,
            tokens,
            waiting: VecDeque::new(),
            streams: BTreeMap::new(),
            left_out: false,
            moderate: Moderate::default(),
        };
        (roll, told)
    }

    /// Waits for that long until there is a stream that nobody has looked at. `None`: there is none. An error: there will be none.
    pub(super) fn next(&mut self, wait: Duration) -> Result<Option<Key>, RecvTimeoutError> {
        let (stream, alive) = match self.waiting.pop_front() {
            Some(told) => told,
            None => match self.tokens.recv_timeout(wait) {
                Err(RecvTimeoutError::Timeout) => return Ok(None),
                told => told?,
            },
        };
        if let Some(handle) = self.streams.get(&stream) {
            handle.stream().slot().set_alive(alive);
            return Ok(None);
        }
        Ok(alive.then_some(stream))
    }

    /// Begins one, where there is room.
    pub(super) fn begin(&mut self, stream: Key, start: impl FnOnce(&Key) -> anyhow::Result<Handle<Stream>>) {
        if self.streams.len() >= self.bounds.most {
            self.make_room();
        }
        if self.streams.len() >= self.bounds.most {
            if !self.left_out {
                say::error(format_args!(
                    "{}/{} is left out, and whatever else comes: {} are mirrored; say more closely which you want",
                    stream.0, stream.1, self.bounds.most
                ));
            }
            self.left_out = true;
            return;
        }
        match start(&stream) {
            Ok(handle) => {
                let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
                // What was told of it before anybody knew its place comes first.
                self.waiting.extend(self.tokens.try_iter());
                let slot = handle.stream().slot();
                let of_this = |told: &(Key, bool)| told.0 == stream;
                self.waiting
                    .iter()
                    .filter(|told| of_this(told))
                    .for_each(|(_, alive)| slot.set_alive(*alive));
                self.waiting.retain(|told| !of_this(told));
                slots.insert(stream.clone(), slot);
                drop(slots);
                self.streams.insert(stream, handle);
            }
            Err(error) if self.moderate.may() => {
                say::error(format_args!("{}/{} is left out: {error:#}", stream.0, stream.1));
            }
            Err(_) => {}
        }
    }

    /// Forgets streams that nobody has offered for so long. `true`: there is room for those that were left out.
    pub(super) fn forget_old(&mut self) -> bool {
        let over = |handle: &Handle<Stream>| handle.stream().slot().away() >= Some(self.bounds.keep);
        let old: Vec<Key> =
            self.streams.iter().filter(|(_, handle)| over(handle)).map(|(key, _)| key.clone()).collect();
        for key in &old {
            self.forget(key);
        }
        let away = || self.streams.values().any(|handle| handle.stream().slot().away().is_some());
        let room = self.left_out && (self.streams.len() < self.bounds.most || away());
        if room {
            self.left_out = false;
        }
        room
    }

    /// Forgets the stream that nobody has offered for the longest time.
    fn make_room(&mut self) {
        let away =
            self.streams.iter().filter_map(|(key, handle)| Some((handle.stream().slot().away()?, key)));
        if let Some((_, key)) = away.max() {
            let key = key.clone();
            self.forget(&key);
        }
    }

    fn forget(&mut self, key: &Key) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let back = slots.get(key).is_some_and(|slot| slot.away().is_none());
        if back {
            return;
        }
        slots.remove(key);
        drop(slots);
        // From here on a token of it begins it anew, and finds its name free.
        if let Some(mut handle) = self.streams.remove(key) {
            handle.end();
            handle.join();
            say::line(format_args!("{}/{} is forgotten: nobody shares it any more", key.0, key.1));
        }
    }

    pub(super) fn streams(&self) -> &BTreeMap<Key, Handle<Stream>> {
        &self.streams
    }

    /// Ends all of them, and waits until they have.
    pub(super) fn end(&mut self) {
        self.streams.values().for_each(Handle::end);
        self.streams.values_mut().for_each(Handle::join);
    }
}

#[cfg(test)]
mod tests {
    use tdshm::ShortName;
    use zenoh::Wait;

    use super::*;

    /// A session that reaches nobody.
    fn session() -> zenoh::Session {
        let mut config = zenoh::Config::default();
        config.insert_json5("scouting/multicast/enabled", "false").unwrap();
        config.insert_json5("listen/endpoints", "[]").unwrap();
        zenoh::open(config).wait().unwrap()
    }

    fn token(stream: &str) -> String {
        key::of("host", stream, Leaf::Alive)
    }

    /// Looks at all that was told.
    fn look(roll: &mut Roll, session: &zenoh::Session) {
        while let Some(stream) = roll.next(Duration::ZERO).unwrap() {
            roll.begin(stream, |(host, name)| {
                let local = ShortName::new(&format!("never-made-{name}"))?;
                Stream::new(session, host, name, local, false, Duration::from_secs(15), &Arc::default())
                    .start()
            });
        }
    }

    fn names(roll: &Roll) -> String {
        roll.streams().keys().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn the_longest_gone_makes_room_and_who_is_there_stays() {
        let session = session();
        let (mut roll, tokens) = Roll::new(Bounds { most: 2, keep: Duration::from_secs(600) });
        for name in ["a", "b", "c"] {
            tokens.note(&token(name), true);
        }
        look(&mut roll, &session);
        assert_eq!(names(&roll), "a b");
        assert!(!roll.forget_old(), "there is no room for c");
        tokens.note(&token("b"), false);
        tokens.note(&token("a"), false);
        assert!(roll.forget_old(), "whoever was left out is to be looked for");
        assert!(!roll.forget_old(), "once");
        tokens.note(&token("c"), true);
        look(&mut roll, &session);
        assert_eq!(names(&roll), "a c", "b has been gone for longer");
        // It is back, and the other one is not to be touched.
        tokens.note(&token("a"), true);
        tokens.note(&token("d"), true);
        look(&mut roll, &session);
        assert_eq!(names(&roll), "a c");
        roll.end();
    }

    #[test]
    fn who_has_gone_is_kept_for_a_while() {
        let session = session();
        let (mut roll, tokens) = Roll::new(Bounds { most: 9, keep: Duration::from_secs(600) });
        for (name, alive) in [("a", true), ("b", true), ("a", false), ("never", false)] {
            tokens.note(&token(name), alive);
        }
        look(&mut roll, &session);
        assert!(!roll.forget_old());
        assert_eq!(names(&roll), "a b");
        roll.bounds.keep = Duration::ZERO;
        assert!(!roll.forget_old());
        assert_eq!(names(&roll), "b");
        // And begins anew.
        tokens.note(&token("a"), true);
        look(&mut roll, &session);
        assert!(!roll.forget_old());
        assert_eq!(names(&roll), "a b");
        roll.end();
    }

    #[test]
    fn what_was_told_while_a_stream_began_is_told_in_order() {
        let session = session();
        let (mut roll, tokens) = Roll::new(Bounds { most: 9, keep: Duration::from_secs(600) });
        tokens.note(&token("a"), true);
        let stream = roll.next(Duration::ZERO).unwrap().unwrap();
        roll.begin(stream, |(host, name)| {
            for alive in [false, true, false] {
                tokens.note(&token("a"), alive);
            }
            tokens.note(&token("b"), true);
            let local = ShortName::new("never-made")?;
            Stream::new(&session, host, name, local, false, Duration::from_secs(15), &Arc::default()).start()
        });
        let away = |roll: &Roll| roll.streams().values().next().unwrap().stream().slot().away().is_some();
        assert!(away(&roll));
        tokens.note(&token("a"), true);
        assert_eq!(roll.next(Duration::ZERO).unwrap(), Some(("host".into(), "b".into())));
        assert!(!away(&roll), "the last word counts");
        roll.end();
    }
}
