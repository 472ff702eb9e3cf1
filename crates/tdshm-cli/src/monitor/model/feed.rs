//! How a segment is read that somebody follows.

use std::time::{Duration, Instant};

use tdshm::{
    BlockKind, ChopReceiver, Error, Glimpse, GlimpsedBlock, SegmentError, SegmentReceiver, SegmentReport,
    ShortName, TopReceiver,
};

use super::Options;
use super::content::{Arrival, Content};

/// How often a sender of this library is looked at that sends often, and one that does not: twice as often as there are
/// frames is too seldom for all of them.
const OFTEN: Duration = Duration::from_millis(1);
const SELDOM: Duration = Duration::from_millis(10);
/// Looks for each frame.
const LOOKS: f64 = 3.0;
/// How often something is looked for that is not there, or cannot be read.
const ABSENT: Duration = Duration::from_millis(50);

/// Reads one segment.
#[derive(Debug)]
pub(super) struct Feed {
    name: ShortName,
    source: Source,
    /// For what the source was chosen.
    chosen_for: Option<Sender>,
    content: Content,
    due: Instant,
}

#[derive(Debug)]
enum Source {
    Nothing,
    Channels(Box<ChopReceiver>),
    Images(Box<TopReceiver>),
    /// Its lock alone tells whether a copy is whole. The last copy is what the next is compared with.
    Foreign(Option<Box<Glimpse>>),
}

/// What decides how a segment is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sender {
    kind: BlockKind,
    counts: bool,
    owner: Option<u32>,
}

impl Sender {
    fn of(report: &SegmentReport) -> Self {
        let notices = report.notices.as_ref();
        Self {
            kind: report.kind,
            counts: notices.is_some(),
            owner: notices.and_then(|notices| notices.owner_pid),
        }
    }
}

impl Feed {
    pub(super) fn new(name: ShortName, now: Instant) -> Self {
        Self { name, source: Source::Nothing, chosen_for: None, content: Content::default(), due: now }
    }

    pub(super) fn content(&self) -> &Content {
        &self.content
    }

    pub(super) fn forget(&mut self) {
        self.content.forget();
    }

    /// When it is to be read next.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Reads what is new; how long it waited for a lock.
    pub(super) fn read(
        &mut self,
        report: Option<&SegmentReport>,
        rate: Option<f64>,
        now: Instant,
        options: &Options,
    ) -> Duration {
        if let Some(report) = report
            && self.chosen_for != Some(Sender::of(report))
        {
            self.choose(report);
        }
        let waited = tdshm::lock_wait();
        let read = match &mut self.source {
            Source::Nothing => Ok(None),
            Source::Channels(receiver) => channels(receiver, &mut self.content, rate, now, options),
            Source::Images(receiver) => images(receiver, &mut self.content, now, options),
            // Nothing is compared with what is not there.
            Source::Foreign(_) if report.is_none() => Ok(None),
            Source::Foreign(last) => foreign(&self.name, last, &mut self.content, now, options),
        };
        let waited = tdshm::lock_wait().saturating_sub(waited);
        self.content.looked(now);
        let pause = match read {
            Ok(pause) => {
                self.content.failed(None);
                pause.unwrap_or(ABSENT)
            }
            Err(error) => {
                self.failed(&error, report);
                ABSENT
            }
        };
        self.due = now.checked_add(pause).unwrap_or(now);
        waited
    }

    fn choose(&mut self, report: &SegmentReport) {
        let sender = Sender::of(report);
        self.chosen_for = Some(sender);
        let segment = || SegmentReceiver::builder(self.name.as_str()).observe(true).open();
        self.source = match (sender.kind, sender.counts) {
            (BlockKind::Chop, true) => match segment() {
                Ok(segment) => Source::Channels(Box::new(ChopReceiver::over(segment))),
                Err(_) => Source::Nothing,
            },
            (BlockKind::Top, true) => match segment() {
                Ok(segment) => Source::Images(Box::new(TopReceiver::over(segment))),
                Err(_) => Source::Nothing,
            },
            (BlockKind::Chop | BlockKind::Top, false) => Source::Foreign(None),
            _ => Source::Nothing,
        };
    }

    fn failed(&mut self, error: &Error, report: Option<&SegmentReport>) {
        let lives =
            |report: &SegmentReport| report.notices.as_ref().is_none_or(|notices| notices.owner_alive);
        match error {
            // Of the other kind by now: the next survey sees that too.
            Error::Block(error) if error.is_of_other_kind() => self.content.failed(None),
            Error::Segment(SegmentError::OnlyObserved { .. }) => {
                self.content.failed(None);
                // A foreign program has taken the object over. Of the dead what was read stays.
                if report.is_some_and(lives) && !matches!(self.source, Source::Foreign(_)) {
                    self.source = Source::Foreign(None);
                }
            }
            error => self.content.failed(Some(error.to_string())),
        }
    }
}

/// Reads what is new, and says when to come again.
type Read = Result<Option<Duration>, Error>;

fn channels(
    receiver: &mut ChopReceiver,
    content: &mut Content,
    rate: Option<f64>,
    now: Instant,
    options: &Options,
) -> Read {
    if let Some(frame) = receiver.try_next()? {
        let arrival = Arrival {
            at: now,
            number: frame.number(),
            // Before the first there was nothing to miss.
            missed: if content.taken() == 0 { 0 } else { frame.missed().unwrap_or(0) },
            torn: false,
        };
        content.took_channels(
            frame.names(),
            frame.shape(),
            (frame.len_samples(), frame.samples()),
            arrival,
            options,
        );
    }
    let pause = match rate.filter(|rate| *rate > 0.0) {
        Some(rate) => Duration::try_from_secs_f64((LOOKS * rate).recip()).unwrap_or(SELDOM),
        None => SELDOM,
    };
    Ok(Some(pause.clamp(OFTEN, SELDOM)))
}

fn images(receiver: &mut TopReceiver, content: &mut Content, now: Instant, options: &Options) -> Read {
    let Some(frame) = receiver.try_next()? else { return Ok(Some(SELDOM)) };
    let (shape, number) = (frame.shape(), frame.number());
    let arrival = Arrival { at: now, number, missed: 0, torn: false };
    content.took_image(
        shape,
        1,
        |pixels| {
            // Given away where they are not needed to tell the next image from this one.
            if !receiver.swap_pixels(pixels) {
                pixels.clear();
                pixels.extend_from_slice(receiver.frame().map(|frame| frame.pixels()).unwrap_or_default());
            }
        },
        arrival,
    );
    Ok(Some(options.images_every))
}

fn foreign(
    name: &ShortName,
    last: &mut Option<Box<Glimpse>>,
    content: &mut Content,
    now: Instant,
    options: &Options,
) -> Read {
    let glimpsed = tdshm::glimpse(name.as_str(), options.foreign_bytes, options.lock_limit, last.as_deref())?;
    let Some(glimpse) = glimpsed else { return Ok(Some(options.foreign_every)) };
    let arrival = Arrival { at: now, number: None, missed: 0, torn: !glimpse.is_whole };
    let pause = match &glimpse.block {
        GlimpsedBlock::Channels { contents, kept, samples, .. } => {
            let names = match &contents.names {
                Some(names) => names.clone(),
                None => (1..=contents.num_channels).map(|position| format!("chan{position}")).collect(),
            };
            content.took_channels(&names, contents.shape(), (*kept, samples), arrival, options);
            options.foreign_every
        }
        GlimpsedBlock::Image { contents, apart, pixels, .. } => {
            content.took_image(
                contents.shape,
                *apart,
                |to| {
                    to.clear();
                    to.extend_from_slice(pixels);
                },
                arrival,
            );
            options.images_every
        }
        _ => options.foreign_every,
    };
    *last = Some(Box::new(glimpse));
    Ok(Some(pause))
}
