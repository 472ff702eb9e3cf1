//! What the shared-memory operators have in common: their parameters, what they say, and what they count.

use core::time::Duration;
use std::sync::Arc;
use std::time::Instant;

use tdshm::{
    Attached, BlockError, ChopFrame, ChopReceiver, Error, ErrorState, GlobalKind, LockError, NameError,
    Occupant, SegmentError, SegmentReceiver, SegmentStats, Sent, TopFrame, TopReceiver,
};

use crate::cook::Cook;
use crate::par::ParSpec;

mod feed;
mod through_global;

pub(super) use feed::Feed;
pub(super) use through_global::{FromGlobal, IntoGlobal, Looked};

/// What a receiver bears with besides a lock: a write that is under way when it comes (wire §11).
const WRITE: Duration = Duration::from_millis(1);
/// What a sender bears with besides: readers that are in the middle of a copy.
const READERS: Duration = Duration::from_millis(2);

/// Active, where the operator has it.
pub(super) fn active(help: &'static str) -> ParSpec {
    ParSpec::toggle("active", "Active", true).help(help)
}

/// Shared Mem Name.
pub(super) fn name(default: &str) -> ParSpec {
    ParSpec::text("name", "Shared Mem Name", default)
        .help("The short name of the segment, as the other side has it. The default is what TouchDesigner's own is taken to be.")
}

/// Shared Mem Type.
pub(super) fn mem_type() -> ParSpec {
    ParSpec::menu("memtype", "Shared Mem Type", &[("local", "Local"), ("global", "Global")]).help(
        "Local: a segment of its own, the only way to and from TouchDesigner. Global: one segment for all operators of \
         a process, so that all who read show the same frame; between programs of this project alone, for \
         TouchDesigner's Global memory is not public.",
    )
}

/// Which side of the segment speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    In,
    Out,
}

impl Side {
    /// How long to wait for one lock. A cook meets two at most, the data's and the info block's, and with what is
    /// borne with besides they stay within its patience.
    pub(super) fn lock_limit(self, cook: &Cook) -> Duration {
        let patience = cook.patience();
        let besides = match self {
            Self::In => WRITE,
            Self::Out => READERS,
        };
        let half = patience.saturating_sub(besides).checked_div(2).unwrap_or_default();
        half.max(patience.checked_div(8).unwrap_or_default())
    }
}

/// What an image or channels are called where the other kind lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Channels,
    Image,
}

impl Kind {
    fn global(self) -> GlobalKind {
        match self {
            Self::Channels => GlobalKind::Channels,
            Self::Image => GlobalKind::Image,
        }
    }
}

/// The segment that an operator is to use, as its parameters say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) name: Arc<str>,
    pub(super) is_global: bool,
}

impl Wanted {
    pub(super) fn of(cook: &Cook) -> Self {
        Self { name: cook.par_text("name"), is_global: &*cook.par_text("memtype") == "global" }
    }
}

/// Something that is wrong, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    Warning(String),
    Error(String),
}

impl Trouble {
    /// What is wrong, in the words of operators §9.4.
    pub(super) fn of(side: Side, kind: Kind, name: &str, error: &Error) -> Self {
        match error {
            Error::Name(error) => Self::Error(illegal(name, error)),
            Error::Lock(error) => Self::of_lock(name, error),
            Error::Segment(error) => match error {
                SegmentError::DoesNotExist { .. } => Self::Warning(not_found(name)),
                SegmentError::InfoDoesNotExist { .. } => Self::Warning(no_sender(name)),
                SegmentError::UnableToLockInfo { source, .. } => Self::of_lock(name, source),
                SegmentError::AlreadyExists { by, .. } | SegmentError::InfoAlreadyExists { by, .. } => {
                    Self::Error(taken(name, by))
                }
                SegmentError::UnableToMap { source, .. } => Self::Error(unable_to_map(name, source)),
                error => Self::Error(unable_to_map(name, error)),
            },
            Error::Block(error) if side == Side::In => Self::Error(invalid(name, kind, error)),
            Error::Block(error) => {
                Self::Error(format!("Shared memory '{name}' cannot hold the input: {error}."))
            }
            error => Self::Error(format!("Shared memory '{name}': {error}.")),
        }
    }

    fn of_lock(name: &str, error: &LockError) -> Self {
        match error {
            LockError::Timeout { .. } => {
                Self::Warning(format!("Shared memory '{name}' is locked by another process."))
            }
            error => Self::Error(format!("Shared memory '{name}' cannot be locked: {error}.")),
        }
    }

    pub(super) fn tell(self, cook: &mut Cook) {
        match self {
            Self::Warning(text) => cook.warn(text),
            Self::Error(text) => cook.error(text),
        }
    }
}

/// What a receiver of channels or of images does for its operator.
pub(super) trait Receiver {
    const KIND: Kind;

    fn over(segment: SegmentReceiver) -> Self;
    /// How old the newest frame is, where its sender says.
    fn age(&self) -> Option<Duration>;
    /// Lets go of the segment.
    fn close(&mut self);

    /// Copies the next frame, if there is one: how many were missed before it.
    fn take_next(&mut self) -> Result<Option<Option<u64>>, Error>;
    fn limit_locks(&mut self, limit: Duration);
    fn stats(&self) -> SegmentStats;
    fn attached(&self) -> Attached;
    fn state(&self) -> ErrorState;

    fn is_connected(&self) -> bool {
        self.stats().mapped_bytes > 0 && self.attached() == Attached::Yes
    }
}

macro_rules! receivers {
    ($($receiver:ty, $frame:ty, $kind:ident;)*) => { $(
        impl Receiver for $receiver {
            const KIND: Kind = Kind::$kind;

            fn over(segment: SegmentReceiver) -> Self {
                Self::over(segment)
            }

            fn age(&self) -> Option<Duration> {
                self.frame().and_then(<$frame>::age)
            }

            fn close(&mut self) {
                Self::close(self);
            }

            fn take_next(&mut self) -> Result<Option<Option<u64>>, Error> {
                Ok(self.try_next()?.map(<$frame>::missed))
            }

            fn limit_locks(&mut self, limit: Duration) {
                self.set_lock_limit(limit);
            }

            fn stats(&self) -> SegmentStats {
                Self::stats(self)
            }

            fn attached(&self) -> Attached {
                Self::attached(self)
            }

            fn state(&self) -> ErrorState {
                Self::state(self)
            }
        }
    )* };
}

receivers! {
    ChopReceiver, ChopFrame, Channels;
    TopReceiver, TopFrame, Image;
}

/// Takes the next frame in, and says what is in the way. `true`: there is one.
pub(super) fn take_in<R: Receiver>(
    receiver: &mut R,
    cook: &mut Cook,
    name: &str,
    counts: &mut Counts,
) -> bool {
    receiver.limit_locks(Side::In.lock_limit(cook));
    let abandoned = receiver.stats().abandoned;
    let is_new = match counts.waiting(|| receiver.take_next()) {
        Ok(Some(missed)) => {
            counts.took(missed);
            true
        }
        Ok(None) => {
            tell_absence(cook, name, receiver.attached(), receiver.state());
            false
        }
        Err(error) => {
            Trouble::of(Side::In, R::KIND, name, &error).tell(cook);
            false
        }
    };
    if receiver.stats().abandoned != abandoned {
        cook.warn(sender_died(name));
    }
    is_new
}

/// Counts a frame that was sent, or says why it was not; `is_open`: there was a segment for it.
pub(super) fn tell_sent(
    cook: &mut Cook,
    kind: Kind,
    name: &str,
    counts: &mut Counts,
    is_open: bool,
    result: &Result<Option<Sent>, Error>,
) {
    match result {
        Ok(sent) => {
            counts.frames = counts.frames.saturating_add(1);
            counts.last = Some(Instant::now());
            if sent.is_some_and(|sent| sent.abandoned) {
                cook.warn(receiver_died(name));
            }
        }
        Err(error) => {
            counts.missed = counts.missed.saturating_add(u64::from(is_open));
            Trouble::of(Side::Out, kind, name, error).tell(cook);
        }
    }
}

/// Says who is missing, after a look that found no frame.
fn tell_absence(cook: &mut Cook, name: &str, attached: Attached, state: ErrorState) {
    match (attached, state) {
        (Attached::Yes, _) => {}
        (Attached::NotYet, ErrorState::DoesNotExist) => cook.warn(not_found(name)),
        _ => cook.warn(no_sender(name)),
    }
}

pub(super) const NAME_IS_EMPTY: &str = "Shared Mem Name is empty.";
const NO_GLOBAL_SENDER: &str = "No Global sender of this project runs; TouchDesigner's Global memory cannot be \
     read: set Shared Mem Type to Local.";
pub(super) const NOT_ENOUGH_INPUTS: &str = "Not enough inputs.";

fn sender_died(name: &str) -> String {
    format!("The sender of '{name}' died while writing.")
}

fn receiver_died(name: &str) -> String {
    format!("A receiver of '{name}' died while reading.")
}

pub(super) fn not_found(name: &str) -> String {
    format!("Shared memory '{name}' not found.")
}

fn no_sender(name: &str) -> String {
    format!("Shared memory '{name}' has no sender.")
}

fn unable_to_map(name: &str, said: &dyn core::fmt::Display) -> String {
    format!("Unable to map shared memory '{name}': {said}.")
}

fn illegal(name: &str, error: &NameError) -> String {
    let reason = match error {
        NameError::Empty => return NAME_IS_EMPTY.into(),
        NameError::Character { found, .. } => format!("it holds {found:?}"),
        NameError::Namespace { .. } => "it holds '\\', which leads to another namespace".into(),
        NameError::TooLong { length, unit, limit, .. } => {
            format!("it has {length} {unit}, and at most {limit} fit")
        }
        error => error.to_string(),
    };
    let shown: String = name.chars().take(200).collect();
    format!("Shared Mem Name '{shown}' cannot be used: {reason}.")
}

fn taken(name: &str, by: &Occupant) -> String {
    let process = match by {
        Occupant::Process(pid) => format!("process {pid}"),
        Occupant::Heirs { owner, heirs } => {
            let heirs: Vec<String> = heirs.iter().map(ToString::to_string).collect();
            format!("process {}, forked from {owner} that died", heirs.join(" and "))
        }
        _ => "process unknown: the sender is none of this project".into(),
    };
    format!("Shared memory '{name}' already exists ({process}).")
}

fn invalid(name: &str, kind: Kind, error: &BlockError) -> String {
    if error.is_of_other_kind() {
        let (holds, wanted) = match kind {
            Kind::Channels => ("an image", "channels"),
            Kind::Image => ("channels", "an image"),
        };
        return format!("Shared memory '{name}' holds {holds}, not {wanted}.");
    }
    let (field, value, bound) = (error.field, error.value, error.bound());
    format!("Shared memory '{name}' holds invalid data: {field} is {value}, expected {bound}.")
}

/// What an operator has counted in shared memory: the info set `shm` (operators §8.5).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    /// Frames taken in, or written.
    pub(super) frames: u64,
    /// Frames of the sender that were never seen here, or own ones that could not be written.
    pub(super) missed: u64,
    /// When the newest frame was taken in, or written.
    pub(super) last: Option<Instant>,
    /// All the time that was spent waiting for locks.
    pub(super) lock_wait: Duration,
    /// Moves of the segments that were open before this one.
    moves_before: u64,
}

impl Counts {
    /// Does something that may wait for locks, and counts how long it did.
    pub(super) fn waiting<R>(&mut self, act: impl FnOnce() -> R) -> R {
        let before = tdshm::lock_wait();
        let result = act();
        self.waited(tdshm::lock_wait().saturating_sub(before));
        result
    }

    /// A frame was taken in, before which so many were missed.
    pub(super) fn took(&mut self, missed: Option<u64>) {
        self.frames = self.frames.saturating_add(1);
        self.missed = self.missed.saturating_add(missed.unwrap_or(0));
        self.last = Some(Instant::now());
    }

    /// So long was waited for locks.
    pub(super) fn waited(&mut self, time: Duration) {
        self.lock_wait = self.lock_wait.saturating_add(time);
    }

    /// A segment is let go of for another one.
    pub(super) fn part(&mut self, stats: SegmentStats) {
        self.moves_before = self.moves_before.saturating_add(stats.resizes);
    }

    /// Adds the channels of the info set. `age` is that of the newest frame, where the sender says; -1 stands for no frame.
    pub(super) fn add(
        &self,
        connected: bool,
        age: Option<Duration>,
        stats: SegmentStats,
        add: &mut dyn FnMut(&'static str, f64),
    ) {
        let age = age.or_else(|| self.last.map(|last| last.elapsed()));
        add("shm_connected", f64::from(u8::from(connected)));
        add("shm_frames", number(self.frames));
        add("shm_missed", number(self.missed));
        add("shm_age_ms", age.map_or(-1.0, |age| age.as_secs_f64() * 1000.0));
        add("shm_bytes", number(u64::try_from(stats.mapped_bytes).unwrap_or(u64::MAX)));
        add("shm_lock_wait_ms", self.lock_wait.as_secs_f64() * 1000.0);
        add("shm_resizes", number(self.moves_before.saturating_add(stats.resizes)));
        add("shm_sender_pid", f64::from(stats.sender.unwrap_or(0)));
    }
}

#[expect(clippy::cast_precision_loss, reason = "counters of a process stay far below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

    use tdshm::{ChopSender, TopReceiver};

    use super::*;

    fn of(error: impl Into<Error>) -> Trouble {
        Trouble::of(Side::In, Kind::Channels, "a", &error.into())
    }

    /// The table of operators §9.4, typed a second time.
    #[test]
    fn each_condition_has_its_words() {
        let name = || "a".to_owned();
        let timeout = || LockError::Timeout { name: name(), waited: WRITE, holder: Some(7) };
        let exists = |by| SegmentError::InfoAlreadyExists { name: name(), object: name(), by };
        let warnings = [
            (of(SegmentError::DoesNotExist { name: name() }), "Shared memory 'a' not found."),
            (of(SegmentError::InfoDoesNotExist { name: name() }), "Shared memory 'a' has no sender."),
            (of(timeout()), "Shared memory 'a' is locked by another process."),
            (
                of(SegmentError::UnableToLockInfo { name: name(), source: Box::new(timeout()) }),
                "Shared memory 'a' is locked by another process.",
            ),
        ];
        for (found, expected) in warnings {
            assert_eq!(found, Trouble::Warning(expected.into()));
        }
        let said = std::io::Error::other("no memory");
        let data = SegmentError::AlreadyExists { name: name(), object: name(), by: Occupant::Process(7) };
        let errors = [
            (of(NameError::Empty), "Shared Mem Name is empty."),
            (
                of(NameError::TooLong { name: name(), length: 300, unit: "bytes", limit: 200 }),
                "Shared Mem Name 'a' cannot be used: it has 300 bytes, and at most 200 fit.",
            ),
            (
                of(NameError::Character { name: name(), found: '/' }),
                "Shared Mem Name 'a' cannot be used: it holds '/'.",
            ),
            (of(data), "Shared memory 'a' already exists (process 7)."),
            (of(exists(Occupant::Process(8))), "Shared memory 'a' already exists (process 8)."),
            (
                of(SegmentError::UnableToMap { object: name(), source: said }),
                "Unable to map shared memory 'a': no memory.",
            ),
        ];
        for (found, expected) in errors {
            assert_eq!(found, Trouble::Error(expected.into()));
        }
    }

    #[test]
    fn channels_are_no_image() {
        let name = format!("opskind{}", std::process::id());
        let mut out = ChopSender::create(&name).unwrap();
        out.send(&[[1.0]]).unwrap();
        let error = TopReceiver::open(&name).unwrap().read().map(drop).unwrap_err();
        let text = format!("Shared memory '{name}' holds channels, not an image.");
        assert_eq!(Trouble::of(Side::In, Kind::Image, &name, &error), Trouble::Error(text));
        drop(out);
        tdshm::clean(&[&name], tdshm::DryRun::No).unwrap();
    }
}
