//! Shared Mem Out CHOP: its input, written for other programs (operators §1.2, §4.4, §9.2).

use std::sync::Arc;

use tdshm::{ChopBlockMut, ChopSender, Error, SegmentStats, Sent};

use crate::clip::{ChannelNames, Clip};
use crate::cook::Cook;
use crate::op::{CookPolicy, Family, OpSpec, Operator};
use crate::ops::shared_mem::{self, Counts, IntoGlobal, Kind, Side, Wanted};
use crate::par::ParSpec;
use crate::slice;

const PAGE: &str = "SharedMemOut";
const OURS: &str = "TDSHM";

/// Bytes of a block's header (wire §8).
const HEADER: usize = 36;
const SAMPLE: usize = size_of::<f32>();

pub(super) fn spec() -> OpSpec {
    let own = [
        shared_mem::active(
            "Switches writing on. Off: the segment is left, and the input still passes through.",
        ),
        shared_mem::name("CHOPShm"),
        shared_mem::mem_type(),
    ];
    let ours = [ParSpec::toggle("legalnames", "Legal Names", false).help(
        "Ours. What TouchDesigner does not allow in a channel's name is written as _, and an empty name as chanN. Off: \
         names are written as they are.",
    )];
    OpSpec::new(
        "sharedmemoutCHOP",
        Family::Chop,
        "Shared Mem Out",
        "Writes its input into shared memory every frame, for other programs, and passes it on. With Time Slice on, what is \
         no slice yet is cut to one first. Scope says which channels are written: all of them are passed on. What is \
         written has the names of the input: Rename is for what is passed on.",
        || Box::new(SharedMemOut::default()),
    )
    .inputs(1, 1)
    .policy(CookPolicy::EveryFrame)
    .pars(own.map(|par| par.page(PAGE)).into_iter().chain(ours.map(|par| par.page(OURS))).collect())
    .common_page()
    .slices_itself()
}

#[derive(Default)]
struct SharedMemOut {
    wanted: Wanted,
    sender: Option<ChopSender>,
    global: Option<IntoGlobal>,
    names: Names,
    counts: Counts,
}

/// The names of the channels, made anew only where they change.
#[derive(Default)]
struct Names {
    given: ChannelNames,
    only_legal: bool,
    /// What the channels are called in the block, in scope or not.
    all: ChannelNames,
    /// Those in scope, which the sender was given.
    sent: Option<ChannelNames>,
}

impl Operator for SharedMemOut {
    fn cook(&mut self, cook: &mut Cook) {
        let input = cook.clip(0);
        match &input {
            Some(clip) if cook.par_is_on("timeslice") && !clip.is_slice() => {
                let interval = cook.slice(clip.rate());
                if let Err(error) = cook.fill_clip(|out| slice::trim(clip, interval, out)) {
                    cook.pass(0);
                    return cook.error(format!("{error}."));
                }
            }
            Some(_) => cook.pass(0),
            None => cook.pass_nothing(),
        }
        if !cook.par_is_on("active") {
            return self.part(cook);
        }
        if !cook.is_wired(0) {
            cook.warn(shared_mem::NOT_ENOUGH_INPUTS);
        }
        let written = cook.filled_clip().or(input).unwrap_or_default();
        self.write(cook, &written);
    }

    fn shm_info(&self, add: &mut dyn FnMut(&'static str, f64)) {
        let (connected, stats) = match (&self.sender, &self.global) {
            (Some(sender), _) => (true, sender.stats()),
            (None, Some(global)) => (global.has_place(), global.stats),
            (None, None) => (false, SegmentStats::default()),
        };
        self.counts.add(connected, None, stats, add);
    }
}

impl SharedMemOut {
    fn write(&mut self, cook: &mut Cook, clip: &Clip) {
        let wanted = Wanted::of(cook);
        if wanted != self.wanted {
            self.part(cook);
            self.wanted = wanted;
        }
        if self.wanted.name.is_empty() {
            return cook.error(shared_mem::NAME_IS_EMPTY);
        }
        let scope = self.names.scope(cook, clip);
        let result = if self.wanted.is_global {
            self.names.select(&scope);
            self.put(cook, clip, &scope)
        } else {
            self.open(cook, clip).and_then(|()| self.send(clip, &scope))
        };
        let is_open = self.sender.is_some();
        shared_mem::tell_sent(cook, Kind::Channels, &self.wanted.name, &mut self.counts, is_open, &result);
    }

    /// Creates the segment where there is none yet, with room for the longest slice.
    fn open(&mut self, cook: &Cook, clip: &Clip) -> Result<(), Error> {
        let limit = Side::Out.lock_limit(cook);
        if let Some(sender) = &mut self.sender {
            sender.set_lock_limit(limit);
            return Ok(());
        }
        let slice = if clip.is_slice() { cook.longest_slice(clip.rate()) } else { 0 };
        let channel = clip.len_samples().max(slice).saturating_mul(SAMPLE);
        let names = clip.names().iter().map(|name| name.len().saturating_add(1));
        let names = names.fold(0_usize, usize::saturating_add);
        let room = clip.num_channels().saturating_mul(channel).saturating_add(names).saturating_add(HEADER);
        let builder = ChopSender::builder(&self.wanted.name).lock_limit(limit).room_bytes(room);
        self.sender = Some(self.counts.waiting(|| builder.create())?);
        self.names.sent = None;
        Ok(())
    }

    fn send(&mut self, clip: &Clip, scope: &[usize]) -> Result<Option<Sent>, Error> {
        let Self { sender: Some(sender), names, counts, .. } = self else { return Ok(None) };
        if names.select(scope)
            && let Err(error) = sender.set_channels(names.selected())
        {
            names.sent = None;
            return Err(error.into());
        }
        sender.set_sample_rate(rate_of(clip))?;
        let len = clip.len_samples();
        let sent = counts.waiting(|| {
            if scope.len() == clip.num_channels() {
                return sender.send_flat(clip.samples(), len);
            }
            sender.send_with(scope.len(), len, |block| fill(block, clip, scope))
        });
        sent.map(Some)
    }

    /// Puts the channels into Global memory.
    fn put(&mut self, cook: &mut Cook, clip: &Clip, scope: &[usize]) -> Result<Option<Sent>, Error> {
        let Self { wanted: Wanted { name, .. }, names, counts, global, .. } = self;
        let names = names.sent.as_ref().map_or(&[][..], ChannelNames::slice);
        let put = global.get_or_insert_default().put(cook, Kind::Channels, name, counts, |sender| {
            let len = clip.len_samples();
            sender.put_channels_with(name, names, rate_of(clip), len, |block| fill(block, clip, scope))
        });
        put.map(|()| None)
    }

    /// Leaves the segment, where one is open.
    fn part(&mut self, cook: &mut Cook) {
        self.wanted = Wanted::default();
        if let Some(global) = self.global.take() {
            self.counts.part(global.stats);
        }
        let Some(mut sender) = self.sender.take() else { return };
        self.counts.part(sender.stats());
        sender.set_lock_limit(Side::Out.lock_limit(cook));
        // It has left also where somebody held the info lock: receivers see it by the owner.
        let _ = self.counts.waiting(|| sender.detach());
    }
}

/// A block has 32 bits for it.
#[expect(clippy::cast_possible_truncation, reason = "a rate beyond 32 bits is refused by the sender")]
fn rate_of(clip: &Clip) -> f32 {
    clip.rate() as f32
}

fn fill(block: &mut ChopBlockMut<'_>, clip: &Clip, scope: &[usize]) {
    if scope.len() == clip.num_channels() {
        block.samples().copy_from(clip.samples());
        return;
    }
    for (to, from) in scope.iter().enumerate() {
        if let (Some(mut to), Some(from)) = (block.channel(to), clip.channel(*from)) {
            to.copy_from(from);
        }
    }
}

impl Names {
    /// Which channels are in scope.
    fn scope(&mut self, cook: &mut Cook, clip: &Clip) -> Arc<[usize]> {
        let only_legal = cook.par_is_on("legalnames");
        if !self.given.same(clip.names()) || self.only_legal != only_legal {
            self.given = clip.names().clone();
            self.only_legal = only_legal;
            self.all = if only_legal { self.given.sanitised() } else { self.given.clone() };
        }
        cook.scope(&self.given)
    }

    /// Finds out what those in scope are called. `true`: other than before.
    fn select(&mut self, scope: &[usize]) -> bool {
        let in_scope = || scope.iter().filter_map(|index| self.all.get(*index));
        let is_whole = scope.len() == self.all.len();
        if self.sent.as_ref().is_some_and(|sent| is_whole && sent.same(&self.all) || sent.are(in_scope())) {
            return false;
        }
        self.sent = Some(if is_whole { self.all.clone() } else { ChannelNames::new(in_scope()) });
        true
    }

    fn selected(&self) -> impl Iterator<Item = &str> {
        self.sent.iter().flat_map(ChannelNames::iter)
    }
}
