//! What all clients share: the model that looks, what it has found, and pictures that several of them want.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tdshm::{BlockKind, ShortName};
use tokio::sync::{OnceCell, Semaphore, watch};

use super::message::{ImageWish, Stretch, Subscribe};
use super::picture::{self, Raw};
use super::publish::Rules;
use super::rows;
use super::wire::{ChannelsMessage, Head, ImageMessage, Picture, reduce};
use crate::monitor::model::{Content, History, Image, Live, Model, Options, Segment};

/// How often it is looked whether something new was read, with and without somebody who wants it.
const BUSY: Duration = Duration::from_millis(3);
const IDLE: Duration = Duration::from_millis(50);
/// How old the list of segments may be that is given out.
const LIST_AGE: Duration = Duration::from_millis(90);
/// Pictures that are kept for the next who wants the same.
const PICTURES: usize = 32;
/// Frames shorter than this come one after the other: what matters of them is their history.
const SHORT: usize = 32;
/// An image is taken as often as this at most.
const IMAGES_EVERY: Duration = Duration::from_millis(15);
/// Pictures that are packed at once, where there are processors for more: channels want some too.
const PACKERS: usize = 4;

/// What all clients share.
#[derive(Debug)]
pub(super) struct Hub {
    live: Live,
    /// What may be read; `None`: everything.
    rules: Option<Rules>,
    began: Instant,
    /// Another value whenever something new was read, or somebody came or went.
    news: watch::Sender<u64>,
    followed: Mutex<BTreeMap<ShortName, Followed>>,
    list: Mutex<Option<(Instant, Arc<str>)>>,
    pictures: Mutex<Vec<Packing>>,
    packers: Arc<Semaphore>,
}

#[derive(Debug)]
struct Followed {
    clients: usize,
    progress: Progress,
}

/// How far the reading of a segment has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Progress {
    /// Frames that were read.
    pub(super) taken: u64,
    pub(super) kind: Option<&'static str>,
    pub(super) state: State,
    pub(super) sentence: String,
}

/// How it stands with a sender.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum State {
    #[default]
    Waiting,
    There,
    Left,
    Died,
    Error,
}

impl State {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::There => "there",
            Self::Left => "left",
            Self::Died => "died",
            Self::Error => "error",
        }
    }
}

/// A picture that is packed, or was: once for all who want it in the same way.
#[derive(Clone, Debug)]
struct Packing {
    name: ShortName,
    wish: ImageWish,
    seen: Seen,
    /// Until somebody begins to pack it.
    raw: Arc<Mutex<Option<Raw>>>,
    /// `None`: it cannot be shown.
    picture: Arc<OnceCell<Option<Arc<Picture>>>>,
}

/// A frame, as it was read.
#[derive(Clone, Copy, Debug)]
struct Seen {
    taken: u64,
    number: Option<u64>,
    time: f64,
    torn: bool,
}

impl Seen {
    fn of(content: &Content, began: Instant) -> Self {
        Self {
            taken: content.taken(),
            number: content.number(),
            time: content.taken_at().map_or(0.0, |at| at.saturating_duration_since(began).as_secs_f64()),
            torn: content.may_be_torn(),
        }
    }

    /// The head of a message about it, for somebody who has had that much.
    fn head(self, id: u32, had: &Had) -> Head {
        let Self { taken, number, time, torn } = self;
        let skipped = if had.taken == 0 { 0 } else { taken.saturating_sub(had.taken).saturating_sub(1) };
        Head { id, serial: 0, number, time, dropped: u32::try_from(skipped).unwrap_or(u32::MAX), torn }
    }
}

/// What a client has had of a segment.
#[derive(Clone, Debug, Default)]
pub(super) struct Had {
    pub(super) taken: u64,
    /// The place in the history behind the last sample.
    end: u64,
    /// The names that were sent last, as the model keeps them.
    names: Option<Arc<[String]>>,
    /// Which of them the pattern picks.
    picked: Arc<[usize]>,
    /// Of how many of those the names were sent.
    named: usize,
}

/// What is to be sent.
#[derive(Debug)]
pub(super) enum Fresh {
    Channels(ChannelsMessage),
    Image(ImageMessage),
}

impl Hub {
    pub(super) fn start(rules: Option<Rules>) -> Arc<Self> {
        let options = Options { images_every: IMAGES_EVERY, ..Options::default() };
        Arc::new(Self {
            live: Live::start(options),
            rules,
            began: Instant::now(),
            news: watch::Sender::new(0),
            followed: Mutex::new(BTreeMap::new()),
            list: Mutex::new(None),
            pictures: Mutex::new(Vec::new()),
            packers: Arc::new(Semaphore::new(packers())),
        })
    }

    /// Whether clients may read that segment.
    pub(super) fn shows(&self, name: &str) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.shows(name))
    }

    /// Changes whenever there is something new for somebody.
    pub(super) fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Looks what is new, tells, and says when to look again.
    pub(super) fn pump(&self) -> Duration {
        // Whoever asks how far a segment is does not wait for the model meanwhile.
        let known: Vec<(ShortName, Progress)> =
            lock(&self.followed).iter().map(|(name, there)| (name.clone(), there.progress.clone())).collect();
        if known.is_empty() {
            return IDLE;
        }
        let found: Vec<(ShortName, Progress)> = self.live.with(|model| {
            let look = |(name, before): (ShortName, Progress)| {
                let found = progress(model.segment(&name)?, &before);
                (found != before).then_some((name, found))
            };
            known.into_iter().filter_map(look).collect()
        });
        if !found.is_empty() {
            let mut followed = lock(&self.followed);
            for (name, progress) in found {
                if let Some(there) = followed.get_mut(&name) {
                    there.progress = progress;
                }
            }
            drop(followed);
            self.news.send_modify(|count| *count = count.wrapping_add(1));
        }
        BUSY
    }

    pub(super) fn progress(&self, name: &ShortName) -> Option<Progress> {
        lock(&self.followed).get(name).map(|followed| followed.progress.clone())
    }

    /// A segment is read as long as somebody follows it.
    pub(super) fn follow(&self, name: &ShortName) {
        let mut followed = lock(&self.followed);
        if let Some(there) = followed.get_mut(name) {
            there.clients = there.clients.saturating_add(1);
            return;
        }
        self.live.with(|model| model.follow(name, Instant::now()));
        self.live.wake();
        followed.insert(name.clone(), Followed { clients: 1, progress: Progress::default() });
    }

    pub(super) fn unfollow(&self, name: &ShortName) {
        let mut followed = lock(&self.followed);
        let Some(there) = followed.get_mut(name) else { return };
        there.clients = there.clients.saturating_sub(1);
        if there.clients == 0 {
            followed.remove(name);
            self.live.with(|model| model.unfollow(name));
            lock(&self.pictures).retain(|known| known.name != *name);
        }
    }

    /// All segments, as a message.
    pub(super) fn list(&self) -> Arc<str> {
        let mut list = lock(&self.list);
        match &*list {
            Some((made, text)) if made.elapsed() < LIST_AGE => Arc::clone(text),
            _ => {
                let text: Arc<str> = self
                    .live
                    .with(|model| rows::message(model, |name| self.shows(name), Instant::now()))
                    .into();
                *list = Some((Instant::now(), Arc::clone(&text)));
                text
            }
        }
    }

    /// What is new of a segment for somebody who has had that much, and what has been had then; `None`: nothing. Who
    /// begins to pack a picture packs it for others too, so this is done to its end.
    pub(super) async fn fresh(
        self: Arc<Self>,
        asked: Arc<Subscribe>,
        mut had: Had,
    ) -> Option<(Had, Option<Fresh>)> {
        let hub = Arc::clone(&self);
        let wish = Arc::clone(&asked);
        let found = apart(move || hub.live.with(|model| hub.found(model, &wish, &mut had)).zip(Some(had)));
        let (found, mut had) = found.await??;
        match found {
            Found::Channels(message) => Some((had, Some(Fresh::Channels(message)))),
            Found::Image(packing) => {
                let head = packing.seen.head(asked.id, &had);
                had = Had { taken: packing.seen.taken, ..Had::default() };
                let picture = packing.picture.get_or_init(|| self.pack(&packing)).await.clone();
                Some((had, picture.map(|picture| Fresh::Image(ImageMessage { head, picture }))))
            }
        }
    }

    /// On a thread of its own, and no more at once than leave processors for the rest.
    async fn pack(&self, packing: &Packing) -> Option<Arc<Picture>> {
        let place = Arc::clone(&self.packers).acquire_owned().await.ok()?;
        let (raw, wish) = (lock(&packing.raw).take()?, packing.wish);
        let packed = apart(move || {
            let picture = raw.shown(&wish);
            drop(place);
            picture
        });
        packed.await?.map(Arc::new)
    }

    fn found(&self, model: &mut Model, asked: &Subscribe, had: &mut Had) -> Option<Found> {
        let content = model.segment(&asked.segment)?.content()?;
        let seen = Seen::of(content, self.began);
        if seen.taken == had.taken {
            return None;
        }
        match content.image() {
            Some(image) => Some(Found::Image(self.packing(asked, had.taken, seen, image))),
            None => channels(content, asked, had, seen).map(Found::Channels),
        }
    }

    /// The picture of that frame, or of one that is being packed just now: it comes sooner.
    fn packing(&self, asked: &Subscribe, had: u64, seen: Seen, image: &Image) -> Packing {
        let mut pictures = lock(&self.pictures);
        let same = |known: &Packing| known.name == asked.segment && known.wish == asked.image;
        let fits = |known: &&Packing| {
            let is_on_its_way = known.seen.taken > had && !known.picture.initialized();
            same(known) && (known.seen.taken == seen.taken || is_on_its_way)
        };
        if let Some(known) = pictures.iter().rfind(fits) {
            return known.clone();
        }
        pictures.retain(|known| !same(known));
        if pictures.len() >= PICTURES {
            pictures.remove(0);
        }
        let raw = Arc::new(Mutex::new(Some(Raw::of(image))));
        let (name, wish) = (asked.segment.clone(), asked.image);
        let new = Packing { name, wish, seen, raw, picture: Arc::default() };
        pictures.push(new.clone());
        new
    }
}

/// How many pictures are packed at once.
fn packers() -> usize {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    processors.saturating_sub(1).clamp(1, PACKERS)
}

/// Where it may take a while, and wait for a lock; `None`: the runtime ends.
pub(super) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn progress(segment: &Segment, before: &Progress) -> Progress {
    let content = segment.content();
    let taken = content.map_or(0, Content::taken);
    let (state, sentence) = state(segment, before.state);
    let kind = match segment.kind() {
        BlockKind::Chop => Some("channels"),
        BlockKind::Top => Some("image"),
        _ => before.kind,
    };
    Progress { taken, kind, state, sentence }
}

/// How it stands with the sender, and that in a sentence.
fn state(segment: &Segment, before: State) -> (State, String) {
    let name = segment.name().as_str();
    let content = segment.content();
    if let Some(trouble) = segment.trouble() {
        return (State::Error, trouble.to_owned());
    }
    let Some(report) = segment.report() else {
        return match before {
            State::Waiting => (State::Waiting, format!("waiting for {name:?}: no program sends it yet")),
            State::Died => (State::Died, format!("the sender of {name:?} has died: waiting for another one")),
            _ => (State::Left, format!("the sender of {name:?} has left: waiting for another one")),
        };
    };
    let died =
        report.notices.as_ref().is_some_and(|notices| !notices.owner_alive && notices.owner_pid.is_some());
    if died {
        return (State::Died, format!("the sender of {name:?} has died: waiting for another one"));
    }
    if report.detached == Some(true) {
        return (State::Left, format!("the sender of {name:?} has left: waiting for another one"));
    }
    if let Some(error) = content.and_then(Content::error) {
        return (State::Error, error.to_owned());
    }
    if let Some(why) = content.and_then(Content::image).and_then(picture::unshown) {
        return (State::Error, why);
    }
    match report.kind {
        BlockKind::Chop | BlockKind::Top => (State::There, format!("the sender of {name:?} is there")),
        BlockKind::Global => (
            State::Error,
            format!(
                "{name:?} is a combined segment of TouchDesigner's Global type: it has no channels of its own"
            ),
        ),
        _ => (State::Error, format!("{name:?} holds neither channels nor an image")),
    }
}

enum Found {
    Channels(ChannelsMessage),
    Image(Packing),
}

/// Channels as they are asked for.
fn channels(content: &Content, asked: &Subscribe, had: &mut Had, seen: Seen) -> Option<ChannelsMessage> {
    let mut head = seen.head(asked.id, had);
    had.taken = seen.taken;
    let channels = content.channels()?;
    let names = channels.names();
    let mut named =
        !had.names.as_ref().is_some_and(|before| Arc::ptr_eq(before, names) || **before == **names);
    if named {
        had.picked = asked.channels.select(names).into();
        had.names = Some(Arc::clone(names));
        had.end = 0;
    }
    let history = channels.history();
    let kept = channels.kept();
    let range = history.range();
    let since = match asked.stretch {
        Stretch::Auto => channels.shape().len_samples < SHORT,
        Stretch::Frame => false,
        Stretch::Since => true,
    };
    let places = if since {
        head.dropped = 0;
        had.end.clamp(range.start, range.end)..range.end
    } else {
        range.end.saturating_sub(kept as u64).max(range.start)..range.end
    };
    let whole = !since && places.end.saturating_sub(places.start) != kept as u64;
    had.end = range.end;
    let len =
        if whole { kept } else { usize::try_from(places.end.saturating_sub(places.start)).unwrap_or(0) };
    let points = if len > asked.points { (asked.points / 2).saturating_mul(2) } else { len };
    let room = super::message::SAMPLES.checked_div(points).unwrap_or(usize::MAX);
    let picked = had.picked.get(..room.min(had.picked.len())).unwrap_or_default();
    named |= picked.len() != had.named;
    had.named = picked.len();
    let mut samples = Vec::with_capacity(picked.len().saturating_mul(points));
    for &channel in picked {
        if whole {
            // Longer than the history.
            reduce(channels.newest(channel).iter().copied(), points, &mut samples);
        } else {
            let [first, second] = history.stretches(channel, places.clone());
            reduce(Joined { first, second }, points, &mut samples);
        }
    }
    let shape = channels.shape();
    let span = if since { span(history, places.start, content.taken_at(), shape.sample_rate) } else { 0.0 };
    Some(ChannelsMessage {
        head,
        names: named.then(|| picked.iter().filter_map(|channel| names.get(*channel)).cloned().collect()),
        count: picked.len(),
        points,
        samples,
        all_channels: shape.num_channels,
        len_samples: len,
        first: if since { 0 } else { shape.len_samples.saturating_sub(len) },
        rate: shape.sample_rate,
        reduced: len > points,
        since,
        span,
    })
}

/// Seconds from the sample of that place to the last one, by when their frames were read.
fn span(history: &History, first: u64, last: Option<Instant>, rate: f32) -> f32 {
    let Some((mark, last)) = history.mark_of(first).zip(last) else { return 0.0 };
    // The last sample of a frame is as old as the frame.
    let before = mark.begin.saturating_add(mark.len as u64).saturating_sub(first).saturating_sub(1);
    let within = if rate > 0.0 { before as f32 / rate } else { 0.0 };
    last.saturating_duration_since(mark.taken).as_secs_f32() + within
}

/// Two stretches of samples, one behind the other.
#[derive(Clone)]
struct Joined<'s> {
    first: &'s [f32],
    second: &'s [f32],
}

impl Iterator for Joined<'_> {
    type Item = f32;

    fn next(&mut self) -> Option<f32> {
        let part = if self.first.is_empty() { &mut self.second } else { &mut self.first };
        let (value, rest) = part.split_first()?;
        *part = rest;
        Some(*value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let len = self.first.len().saturating_add(self.second.len());
        (len, Some(len))
    }
}

impl ExactSizeIterator for Joined<'_> {}

#[cfg(test)]
mod tests;
