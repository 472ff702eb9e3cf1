//! Shared Mem In CHOP: channels that another program writes (operators §1.1, §4.3, §9.2).

use core::str::FromStr;
use std::sync::Arc;

use tdshm::{ChopFrame, ChopReceiver};

use crate::clip::{ChannelNames, Clip, ClipError};
use crate::cook::Cook;
use crate::data::Data;
use crate::op::{CookPolicy, Family, OpSpec, Operator};
use crate::ops::shared_mem::{self, Feed, FromGlobal, Kind, Looked, Side, Trouble};
use crate::par::ParSpec;
use crate::slice::{Fill, Filler};

const PAGE: &str = "SharedMemIn";
const OURS: &str = "TDSHM";

pub(super) fn spec() -> OpSpec {
    let own = [
        shared_mem::active(
            "Switches reading on. Off: the output stays as it was, and the segment is let go of.",
        ),
        shared_mem::name("CHOPShm"),
        shared_mem::mem_type(),
    ];
    let ours = [
        ParSpec::menu("slicefill", "Slice Fill", &[("hold", "Hold"), ("linear", "Linear"), ("trim", "Trim")])
            .default_to("linear")
            .enabled_when("timeslice", &["1"])
            .help(
                "Ours. How a time slice is filled from the block. Hold: its newest sample, all the time. Linear: its last \
                 samples, or, where it has fewer, straight lines from the last value to them. Trim: as Linear, but those \
                 fewer samples stand at the end as they are. Without a new block the last value is held.",
            ),
        ParSpec::menu("scopemode", "Scope Mode", &[("filter", "Filter"), ("passthrough", "Pass Through")]).help(
            "Ours: TouchDesigner does not document what Scope does here. Filter: channels outside the scope are left \
             out. Pass Through: all channels are there, and those outside the scope keep the value that they had; one \
             that never had a value is 0.",
        ),
        ParSpec::toggle("rawnames", "Raw Names", false).help(
            "Ours. Channels keep the names that were sent. Off: what TouchDesigner does not allow in a name becomes _, \
             and an empty name chanN.",
        ),
    ];
    OpSpec::new(
        "sharedmeminCHOP",
        Family::Chop,
        "Shared Mem In",
        "Reads channels that another program writes into shared memory. With Time Slice off the output is the block as it \
         is; with it on, a slice of this network's time at the block's rate. Scope leaves channels out, unless Scope Mode \
         says otherwise.",
        || Box::new(SharedMemIn::default()),
    )
    .policy(CookPolicy::WhenAsked)
    .pars(own.map(|par| par.page(PAGE)).into_iter().chain(ours.map(|par| par.page(OURS))).collect())
    .common_page()
    .slices_itself()
}

#[derive(Default)]
struct SharedMemIn {
    feed: Feed<ChopReceiver>,
    names: Names,
    /// The last block, where the output is not the block itself.
    block: Clip,
    /// The one before, of which what is out of scope keeps its values.
    before: Clip,
    /// Whether `block` holds the newest frame, as the parameters want it.
    is_made: bool,
    filler: Filler,
    settings: Settings,
}

/// The names of the channels, made anew only where they change.
#[derive(Default)]
struct Names {
    sent: ChannelNames,
    legal: ChannelNames,
    selected: ChannelNames,
    rate: Rate,
}

/// A sample rate as it is in a block, and what was meant.
struct Rate {
    sent: f32,
    meant: f64,
}

/// The parameters that say what the output is, besides the block.
#[derive(Clone, Debug, Default, PartialEq)]
struct Settings {
    sliced: bool,
    pass_through: bool,
    raw_names: bool,
    scope: Arc<str>,
    rename: [Arc<str>; 2],
}

impl Settings {
    fn of(cook: &Cook) -> Self {
        Self {
            sliced: cook.par_is_on("timeslice"),
            pass_through: &*cook.par_text("scopemode") == "passthrough",
            raw_names: cook.par_is_on("rawnames"),
            scope: cook.par_text("scope"),
            rename: ["commonrenamefrom", "commonrenameto"].map(|par| cook.par_text(par)),
        }
    }
}

impl Operator for SharedMemIn {
    fn cook(&mut self, cook: &mut Cook) {
        if !cook.par_is_on("active") {
            // The names stay for a block that comes without.
            return self.feed.close();
        }
        self.feed.follow(cook);
        if self.feed.name().is_empty() {
            cook.error(shared_mem::NAME_IS_EMPTY);
            return self.put_out(cook, None, false);
        }
        if self.feed.is_global() { self.cook_global(cook) } else { self.cook_local(cook) }
    }

    fn shm_info(&self, add: &mut dyn FnMut(&'static str, f64)) {
        self.feed.shm_info(add);
    }
}

impl SharedMemIn {
    fn cook_local(&mut self, cook: &mut Cook) {
        let Some(mut receiver) = self.feed.take_local(cook) else { return self.put_out(cook, None, false) };
        let name = self.feed.name();
        let is_new = shared_mem::take_in(&mut *receiver, cook, &name, &mut self.feed.counts);
        self.put_out(cook, receiver.frame(), is_new);
        self.feed.put_local(receiver);
    }

    fn cook_global(&mut self, cook: &mut Cook) {
        let name = self.feed.name();
        let from = self.feed.take_global();
        let looked = FromGlobal::look(from, cook, Kind::Channels, &name, &mut self.feed.counts);
        let Some(Looked { mut copy, from, is_new, may_be_there }) = looked else {
            return self.put_out(cook, None, false);
        };
        match copy.receiver().channels(&name) {
            Ok(frame) => {
                if is_new && frame.is_some() {
                    self.feed.counts.took(None);
                }
                if frame.is_none() && may_be_there {
                    cook.warn(shared_mem::not_found(&name));
                }
                self.put_out(cook, frame, is_new && frame.is_some());
            }
            Err(error) => {
                Trouble::of(Side::In, Kind::Channels, &name, &error.into()).tell(cook);
                self.put_out(cook, None, false);
            }
        }
        self.feed.put_global(from);
        cook.global(|global| global.give_back(copy));
    }

    /// Makes the output of the last good frame; `is_new` says whether that came just now.
    fn put_out(&mut self, cook: &mut Cook, frame: Option<&ChopFrame>, is_new: bool) {
        let settings = Settings::of(cook);
        let is_due = is_new || settings != self.settings || matches!(cook.last_output(), Data::None);
        self.is_made &= !is_due;
        self.settings = settings;
        let Self { names, block, before, is_made, filler, settings, .. } = self;
        let result = if settings.sliced || settings.pass_through {
            if let Some(frame) = frame.filter(|_| !*is_made) {
                core::mem::swap(block, before);
                if let Err(error) = names.make(cook, frame, settings, before, block) {
                    return cook.error(format!("{error}."));
                }
                *is_made = true;
            } else if !settings.sliced {
                return;
            }
            if settings.sliced {
                if block.num_channels() == 0 && frame.is_none() {
                    return;
                }
                let interval = cook.slice(block.rate());
                let how = Fill::from_str(&cook.par_text("slicefill")).unwrap_or_default();
                cook.fill_clip(|out| filler.fill(block, is_new, interval, how, out))
            } else {
                cook.fill_clip(|out| out.copy_from(block))
            }
        } else {
            let Some(frame) = frame.filter(|_| is_due) else { return };
            let scope = names.scope(cook, frame, settings.raw_names);
            cook.fill_clip(|out| names.select(frame, &scope, out))
        };
        if let Err(error) = result {
            cook.keep();
            cook.error(format!("{error}."));
        }
    }
}

impl Names {
    /// Which channels of the frame are in scope.
    fn scope(&mut self, cook: &mut Cook, frame: &ChopFrame, raw: bool) -> Arc<[usize]> {
        self.rate.learn(frame.sample_rate());
        if !self.sent.are(frame.names()) {
            self.sent = ChannelNames::new(frame.names().iter().map(String::as_str));
            self.legal = self.sent.sanitised();
        }
        let names = if raw { &self.sent } else { &self.legal };
        let scope = cook.scope(names);
        if scope.len() == names.len() {
            self.selected = names.clone();
        } else {
            let in_scope = || scope.iter().filter_map(|index| names.get(*index));
            if !self.selected.are(in_scope()) {
                self.selected = ChannelNames::new(in_scope());
            }
        }
        scope
    }

    /// The channels in scope, and no others.
    fn select(&self, frame: &ChopFrame, scope: &[usize], out: &mut Clip) -> Result<(), ClipError> {
        let len = frame.len_samples();
        let samples = out.shape(self.selected.clone(), len)?;
        if scope.len() == frame.num_channels() {
            samples.copy_from_slice(frame.samples());
        } else if len > 0 {
            for (to, index) in samples.chunks_exact_mut(len).zip(scope) {
                to.copy_from_slice(frame.channel_at(*index).unwrap_or_default());
            }
        }
        self.rate.lay_out(out)
    }

    /// The block that is sliced, or of which some channels stay as they were in the one before.
    fn make(
        &mut self,
        cook: &mut Cook,
        frame: &ChopFrame,
        settings: &Settings,
        before: &Clip,
        block: &mut Clip,
    ) -> Result<(), ClipError> {
        let scope = self.scope(cook, frame, settings.raw_names);
        if !settings.pass_through || scope.len() == frame.num_channels() {
            return self.select(frame, &scope, block);
        }
        let names = if settings.raw_names { &self.sent } else { &self.legal };
        let len = frame.len_samples();
        block.shape(names.clone(), len)?;
        let mut in_scope = scope.iter().copied().peekable();
        for (index, name) in names.iter().enumerate() {
            let Some(to) = block.channel_mut(index) else { continue };
            if in_scope.next_if_eq(&index).is_some() {
                to.copy_from_slice(frame.channel_at(index).unwrap_or_default());
                continue;
            }
            // The same channel, as a rule at the same place.
            let was = if before.names().get(index) == Some(name) {
                before.channel(index)
            } else {
                before.channel_named(name)
            };
            match was {
                Some(was) if was.len() == len => to.copy_from_slice(was),
                was => to.fill(was.and_then(<[f32]>::last).copied().unwrap_or(0.0)),
            }
        }
        self.rate.lay_out(block)
    }
}

impl Default for Rate {
    fn default() -> Self {
        Self { sent: 60.0, meant: 60.0 }
    }
}

impl Rate {
    /// Rates have 32 bits in a block, and a clock that runs for days needs more: the shortest decimal that gives
    /// those bits is what was meant.
    fn learn(&mut self, sent: f32) {
        if self.sent.to_bits() != sent.to_bits() {
            let meant = sent.to_string().parse();
            *self = Self { sent, meant: meant.unwrap_or(sent.into()) };
        }
    }

    /// A block says no more than its rate: it starts at 0 and is no slice (operators §3.1).
    fn lay_out(&self, out: &mut Clip) -> Result<(), ClipError> {
        out.set_start(0);
        out.set_slice(false);
        out.set_rate(self.meant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_what_was_meant() {
        let mut rate = Rate::default();
        for meant in [60.0, 29.97, 0.1, 44_100.0, 1e-3] {
            #[expect(clippy::cast_possible_truncation, reason = "as it is sent")]
            rate.learn(meant as f32);
            assert_eq!(rate.meant, meant);
        }
    }
}
