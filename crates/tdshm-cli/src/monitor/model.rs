//! What there is on this machine, looked at again and again: state and sampling, without terminal or network.
//!
//! [`Model`] is driven by calls of [`Model::tick`], which does whatever is due and says when to come again; [`Live`] does
//! that on a thread of its own, and lets views look in between. All segments are looked at from outside, a few times a
//! second. Those that somebody [follows](Model::follow) are read as well: the samples of each channel go into a bounded
//! [`History`], of images the newest one is kept.
//!
//! Nobody notices. A sender of this library is observed: without its lock, without an entry, on a mapping that cannot be
//! written. A foreign one cannot be read without its lock, so that is taken for one copy of at most
//! [`Options::foreign_bytes`], and only when something has changed. Whether a lock is held is looked up, never tried. No
//! object is made.
//!
//! | module | what lives there |
//! | --- | --- |
//! | `content` | what was read of a followed segment: channels with their history, or an image |
//! | `feed` | how that is read: by observing, or by glimpses under the lock |
//! | `history` | the last samples of each channel |
//! | `lock_watch` | what looks at a lock add up to |
//! | `pulse` | how many frames a second there are |
//! | `warnings` | what is wrong with a segment, or nearly so |
//! | `live` | the thread |

mod content;
mod feed;
mod history;
mod live;
mod lock_watch;
mod pulse;
mod warnings;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::{Duration, Instant};

use tdshm::{BlockKind, Examination, NoticeReport, SegmentReport, ShortName, Survey};

pub(crate) use content::{Channels, Content, Image};
#[cfg(feature = "web")]
pub(crate) use history::History;
pub(crate) use live::Live;
pub(crate) use lock_watch::LockWatch;
pub(crate) use warnings::{Severity, Warning};

use feed::Feed;
use pulse::Pulse;

/// How much is looked at and kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Options {
    /// How often all segments are looked at.
    pub(crate) survey_every: Duration,
    /// Samples of each channel that are kept at most.
    pub(crate) history_samples: usize,
    /// Samples of all channels of a segment that are kept at most: with many channels each has a shorter history.
    pub(crate) history_total: usize,
    /// How often a new image is taken at most. Those between are passed over, and not counted as missed.
    pub(crate) images_every: Duration,
    /// How often a foreign sender's block is compared with the last copy.
    pub(crate) foreign_every: Duration,
    /// Bytes that are copied at most while a foreign program's lock is held.
    pub(crate) foreign_bytes: usize,
    /// How long that lock is waited for.
    pub(crate) lock_limit: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            survey_every: Duration::from_millis(250),
            history_samples: 65_536,
            history_total: 1 << 22,
            images_every: Duration::from_millis(50),
            foreign_every: Duration::from_millis(16),
            foreign_bytes: 1 << 20,
            lock_limit: Duration::from_millis(5),
        }
    }
}

/// All segments of the machine, and what was read of those that are followed.
#[derive(Debug)]
pub(crate) struct Model {
    options: Options,
    segments: BTreeMap<ShortName, Segment>,
    /// When all segments are looked at next; `None`: at once.
    survey_at: Option<Instant>,
    /// Why they could not be listed.
    trouble: Option<String>,
    /// How full the place is in which the objects are.
    place: Vec<Warning>,
    surveys: u64,
}

/// One segment, as far as it is known.
#[derive(Debug)]
pub(crate) struct Segment {
    name: ShortName,
    /// What the last look found; `None`: it is not there, or cannot be looked at.
    report: Option<SegmentReport>,
    /// Why it cannot be looked at.
    trouble: Option<String>,
    examination: Option<Examination>,
    /// When it was first seen.
    since: Instant,
    pulse: Pulse,
    lock: LockWatch,
    warnings: Vec<Warning>,
    /// How many views follow it.
    followers: usize,
    feed: Option<Feed>,
}

impl Model {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            segments: BTreeMap::new(),
            survey_at: None,
            trouble: None,
            place: Vec::new(),
            surveys: 0,
        }
    }

    /// All segments that are there or followed, by name.
    pub(crate) fn segments(&self) -> impl Iterator<Item = &Segment> {
        self.segments.values()
    }

    pub(crate) fn segment(&self, name: &ShortName) -> Option<&Segment> {
        self.segments.get(name)
    }

    /// Why segments cannot be listed, if that is so.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// What there is to say of the place that all objects are in.
    pub(crate) fn place(&self) -> &[Warning] {
        &self.place
    }

    /// How often all segments have been looked at.
    pub(crate) fn surveys(&self) -> u64 {
        self.surveys
    }

    /// Reads that segment from now on, whether it is there already or not, until each that follows it has
    /// [let go](Self::unfollow).
    pub(crate) fn follow(&mut self, name: &ShortName, now: Instant) {
        let segment = match self.segments.entry(name.clone()) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(free) => free.insert(Segment::new(name.clone(), now)),
        };
        segment.followers = segment.followers.saturating_add(1);
        if segment.feed.is_none() {
            segment.feed = Some(Feed::new(name.clone(), now));
        }
    }

    /// Takes one [`follow`](Self::follow) back; with the last one what was read goes.
    pub(crate) fn unfollow(&mut self, name: &ShortName) {
        let Some(segment) = self.segments.get_mut(name) else { return };
        segment.followers = segment.followers.saturating_sub(1);
        if segment.followers == 0 {
            segment.feed = None;
            if !segment.is_there() {
                self.segments.remove(name);
            }
        }
    }

    /// Forgets the samples that were kept of that segment, and goes on.
    pub(crate) fn forget(&mut self, name: &ShortName) {
        if let Some(feed) = self.segments.get_mut(name).and_then(|segment| segment.feed.as_mut()) {
            feed.forget();
        }
    }

    /// Looks at all segments at the next [`tick`](Self::tick).
    #[cfg(all(test, target_os = "linux"))]
    pub(crate) fn survey_soon(&mut self) {
        self.survey_at = None;
    }

    /// Does what is due at `now`, and says when to come again.
    pub(crate) fn tick(&mut self, now: Instant) -> Instant {
        if self.survey_at.is_none_or(|due| now >= due) {
            self.survey(now);
            self.survey_at = now.checked_add(self.options.survey_every);
        }
        let mut next = self.survey_at.unwrap_or(now);
        for segment in self.segments.values_mut() {
            if let Some(due) = segment.read(now, &self.options) {
                next = next.min(due);
            }
        }
        next
    }

    fn survey(&mut self, now: Instant) {
        self.surveys = self.surveys.saturating_add(1);
        let Survey { segments, left_out, .. } = match tdshm::survey() {
            Ok(survey) => survey,
            Err(error) => {
                self.trouble = Some(error.to_string());
                return;
            }
        };
        self.trouble = None;
        let found = segments.into_iter().map(|report| (report.name.clone(), Ok(report)));
        let mut found: BTreeMap<ShortName, Result<SegmentReport, String>> = found.collect();
        found.extend(left_out.into_iter().map(|(name, error)| (name, Err(error.to_string()))));
        self.segments.retain(|name, segment| found.contains_key(name) || segment.followers > 0);
        for segment in self.segments.values_mut() {
            if !found.contains_key(&segment.name) {
                segment.is_gone();
            }
        }
        for (name, found) in found {
            let segment = self.segments.entry(name.clone()).or_insert_with(|| Segment::new(name, now));
            segment.saw(found, now);
        }
        self.place = warnings::of_place(&tdshm::place());
    }
}

impl Segment {
    fn new(name: ShortName, now: Instant) -> Self {
        Self {
            lock: LockWatch::of(&name),
            name,
            report: None,
            trouble: None,
            examination: None,
            since: now,
            pulse: Pulse::default(),
            warnings: Vec::new(),
            followers: 0,
            feed: None,
        }
    }

    pub(crate) fn name(&self) -> &ShortName {
        &self.name
    }

    /// What the last look from outside found; `None`: it is not there, or cannot be looked at.
    pub(crate) fn report(&self) -> Option<&SegmentReport> {
        self.report.as_ref()
    }

    /// Why it cannot be looked at.
    pub(crate) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Whether there is anything of that name. What is followed stays in the list when it goes.
    pub(crate) fn is_there(&self) -> bool {
        self.report.is_some() || self.trouble.is_some()
    }

    /// How long it has been seen, without a break.
    pub(crate) fn seen_for(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    pub(crate) fn kind(&self) -> BlockKind {
        self.report.as_ref().map_or(BlockKind::Unknown, |report| report.kind)
    }

    /// What a sender of this library says of itself; `None`: it is a foreign one.
    pub(crate) fn notices(&self) -> Option<&NoticeReport> {
        self.report.as_ref()?.notices.as_ref()
    }

    /// Frames that its sender wrote, by its own count; `None`: it does not count.
    pub(crate) fn frames(&self) -> Option<u64> {
        self.notices().map(|notices| notices.frames)
    }

    /// Frames a second, measured over the last seconds. Of a foreign sender changes are counted, which takes
    /// [following](Model::follow) it, and one that sends the same twice counts as one.
    pub(crate) fn rate(&self) -> Option<f64> {
        match (&self.feed, self.notices()) {
            (_, Some(_)) => self.pulse.rate(),
            (Some(feed), None) => feed.content().changes().rate(),
            (None, None) => None,
        }
    }

    /// How old the last frame is; `None` where nobody says.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.notices()?.age
    }

    /// How many receivers of this library live, and of how many frames the slowest of them is behind.
    pub(crate) fn receivers(&self) -> Option<(usize, u64)> {
        let living = || self.notices().map(|notices| notices.receivers.iter().filter(|reader| reader.alive));
        Some((living()?.count(), living()?.map(|reader| reader.behind).max().unwrap_or(0)))
    }

    /// What was seen of its data lock.
    pub(crate) fn lock(&self) -> &LockWatch {
        &self.lock
    }

    /// What is wrong, or nearly so, worst first.
    pub(crate) fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// The headers of its objects field by field.
    pub(crate) fn examination(&self) -> Option<&Examination> {
        self.examination.as_ref()
    }

    /// What was read of it; `None`: nobody follows it.
    pub(crate) fn content(&self) -> Option<&Content> {
        self.feed.as_ref().map(Feed::content)
    }

    fn is_gone(&mut self) {
        self.report = None;
        self.trouble = None;
        self.examination = None;
        self.warnings.clear();
        self.pulse = Pulse::default();
        self.lock.is_gone();
    }

    /// A look from outside found this.
    fn saw(&mut self, found: Result<SegmentReport, String>, now: Instant) {
        if !self.is_there() {
            self.since = now;
        }
        let before = self.examination.take();
        match found {
            Ok(report) => {
                self.trouble = None;
                if let Some(notices) = &report.notices {
                    self.pulse.counted(now, notices.frames);
                }
                self.report = Some(report);
                self.examination = tdshm::examine(self.name.as_str()).ok();
            }
            Err(why) => {
                self.report = None;
                self.trouble = Some(why);
            }
        }
        self.lock.look(now, self.frames());
        self.warnings = warnings::of(self, before.as_ref(), now);
    }

    /// Reads what is new, if it is followed and that is due; when it is due next.
    fn read(&mut self, now: Instant, options: &Options) -> Option<Instant> {
        let feed = self.feed.as_mut()?;
        if now < feed.due() {
            return Some(feed.due());
        }
        let report = self.report.as_ref();
        self.lock.look(now, report.and_then(|report| report.notices.as_ref()).map(|notices| notices.frames));
        let rate = self.pulse.rate();
        let waited = feed.read(report, rate, now, options);
        self.lock.waited(waited);
        Some(feed.due())
    }
}

#[cfg(test)]
mod tests;
