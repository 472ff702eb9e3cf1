//! Merge CHOP: the channels of all inputs in one (operators §3.3, §6).

mod names;

use std::sync::Arc;

use super::generator::{fill, room_for, sample};
use super::resample_chop::longest;
use crate::clip::{ChannelNames, Clip, ClipError};
use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;
use crate::resample::{Interpolation, Method, RateMatch, Resampling, SliceRates, resample};
use crate::slice::{Interval, trim};
use names::MergedNames;

pub(crate) fn spec() -> OpSpec {
    OpSpec::new(
        "mergeCHOP",
        Family::Chop,
        "Merge",
        "The channels of all inputs, one behind the other, at one rate and over one interval. As soon as one input is a time \
         slice the output is the slice of this frame, and inputs that are none are cut to it (ours).",
        || Box::<Merge>::default(),
    )
    .inputs(1, usize::MAX)
    .pars(vec![
        ParSpec::menu(
            "align",
            "Align",
            &[
                ("automatic", "Automatic"),
                ("extendtomin", "Extend to Min/Max"),
                ("stretchtomin", "Stretch to Min/Max"),
                ("shifttomin", "Shift to Minimum"),
                ("trimtofirst", "Trim to First Interval"),
                ("stretchtofirst", "Stretch to First Interval"),
                ("shifttofirst", "Shift to First Interval"),
            ],
        )
        .page("Merge")
        .help("How inputs over different intervals come together. Automatic extends them; channels outside Scope are always extended, never stretched or shifted (ours). Time slices of one frame have the same interval anyhow."),
        ParSpec::menu(
            "duplicate",
            "Duplicate Names",
            &[("unique", "Make Unique"), ("keepfirst", "Keep First"), ("keeplast", "Keep Last")],
        )
        .page("Merge")
        .help("What happens to a name that occurs again. Make Unique counts the number at its end up until it is free."),
    ])
    .common_page()
}

/// The inputs of a cook, at one rate and over one interval.
#[derive(Default)]
struct Merge {
    names: MergedNames,
    inputs: Vec<Arc<Clip>>,
    rates: Vec<f64>,
    prepared: Vec<Prepared>,
}

/// What is made of an input.
#[derive(Default)]
struct Prepared {
    /// At the rate of the output.
    at_rate: Clip,
    /// And stretched over its interval.
    stretched: Clip,
    slices: SliceRates,
    is_at_rate: bool,
    is_stretched: bool,
}

impl Prepared {
    /// The input at the rate of the output, as it stands in time.
    fn in_place<'c>(&'c self, input: &'c Clip) -> &'c Clip {
        if self.is_at_rate { &self.at_rate } else { input }
    }

    fn aligned<'c>(&'c self, input: &'c Clip) -> &'c Clip {
        if self.is_stretched { &self.stretched } else { self.in_place(input) }
    }
}

/// How inputs over different intervals come together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Align {
    Extend,
    Stretch,
    Shift,
}

impl Operator for Merge {
    fn cook(&mut self, cook: &mut Cook) {
        self.inputs.clear();
        self.inputs.extend((0..cook.num_inputs()).filter_map(|input| cook.clip(input)));
        if self.inputs.is_empty() {
            cook.warn("Not enough inputs.");
            return cook.pass_nothing();
        }
        self.rates.clear();
        self.rates.extend(self.inputs.iter().map(|input| input.rate()));
        let rate_match: RateMatch = cook.par_text("srselect").parse().unwrap_or_default();
        match rate_match.resolve(&self.rates) {
            Ok(rate) => self.merge(cook, rate.unwrap_or(cook.time().rate)),
            Err(error) => {
                let error = error.to_string();
                cook.error(format!("T{}.", error.strip_prefix('t').unwrap_or(&error)));
                cook.fill_clip(|clip| {
                    let _fits = clip.shape(ChannelNames::default(), 0);
                });
            }
        }
        self.inputs.clear();
    }
}

impl Merge {
    fn merge(&mut self, cook: &mut Cook, rate: f64) {
        self.names.work_out(&self.inputs, &cook.par_text("duplicate"));
        self.prepared.resize_with(self.inputs.len(), Prepared::default);
        let is_slice = self.inputs.iter().any(|input| input.is_slice());
        let names = self.names.names().clone();
        let scope = cook.scope(&names);
        let (how, to_first) = match &*cook.par_text("align") {
            _ if is_slice => (Align::Extend, false),
            "stretchtomin" => (Align::Stretch, false),
            "stretchtofirst" => (Align::Stretch, true),
            "shifttomin" => (Align::Shift, false),
            "shifttofirst" => (Align::Shift, true),
            "trimtofirst" => (Align::Extend, true),
            _ => (Align::Extend, false),
        };
        let slice = is_slice.then(|| cook.slice(rate));
        let prepared = match slice {
            Some(slice) => self.cut(cook, rate, slice),
            None => self.bring_to_rate(rate),
        };
        let interval = slice.unwrap_or_else(|| self.interval(how, to_first));
        let prepared = prepared
            .and_then(|()| room_for(names.len(), interval.len()))
            .and_then(|()| if how == Align::Stretch { self.stretch(rate, interval) } else { Ok(()) });
        let this = &*self;
        fill(cook, |clip| {
            prepared?;
            let samples = clip.shape(names, interval.len())?;
            let mut scope = scope.iter().peekable();
            let places = samples.chunks_exact_mut(interval.len().max(1)).zip(this.names.picked());
            for (channel, (target, &(input, from))) in places.enumerate() {
                let is_in_scope = scope.next_if(|next| **next == channel).is_some();
                this.place(target, input, from, interval, if is_in_scope { how } else { Align::Extend });
            }
            if let Some(first) = this.inputs.first() {
                clip.copy_layout_from(first);
            }
            clip.set_start(interval.first);
            clip.set_slice(is_slice);
            clip.set_rate(rate)
        });
    }

    /// All inputs as slices over one interval. Those that are none are cut where they stand on the timeline.
    fn cut(&mut self, cook: &Cook, rate: f64, slice: Interval) -> Result<(), ClipError> {
        for (input, prepared) in self.inputs.iter().zip(&mut self.prepared) {
            prepared.is_stretched = false;
            prepared.is_at_rate = false;
            if input.is_slice() {
                let is_there = input.rate().to_bits() == rate.to_bits()
                    && (input.start(), input.end()) == (slice.first, slice.last);
                if !is_there {
                    prepared.slices.resample(input, rate, slice, &mut prepared.at_rate)?;
                    prepared.is_at_rate = true;
                }
                continue;
            }
            let mut source: &Clip = input;
            if input.rate().to_bits() != rate.to_bits() {
                to_rate(input, rate, &mut prepared.stretched)?;
                source = &prepared.stretched;
            }
            trim(source, cook.slice_of(source), &mut prepared.at_rate)?;
            prepared.at_rate.set_start(slice.first);
            prepared.is_at_rate = true;
        }
        Ok(())
    }

    fn bring_to_rate(&mut self, rate: f64) -> Result<(), ClipError> {
        for (input, prepared) in self.inputs.iter().zip(&mut self.prepared) {
            prepared.is_stretched = false;
            prepared.is_at_rate = input.rate().to_bits() != rate.to_bits();
            if prepared.is_at_rate {
                to_rate(input, rate, &mut prepared.at_rate)?;
            }
        }
        Ok(())
    }

    fn stretch(&mut self, rate: f64, interval: Interval) -> Result<(), ClipError> {
        let how = Resampling::new(Method::Stretch, Interpolation::Linear, rate, interval);
        for (input, prepared) in self.inputs.iter().zip(&mut self.prepared) {
            let Prepared { at_rate, stretched, is_at_rate, .. } = prepared;
            let source = if *is_at_rate { at_rate } else { &**input };
            if (source.start(), source.end()) != (interval.first, interval.last) {
                resample(source, &how, stretched)?;
                prepared.is_stretched = true;
            }
        }
        Ok(())
    }

    /// The interval of the output: that of the first input, or one that holds all.
    fn interval(&self, how: Align, to_first: bool) -> Interval {
        let mut intervals = self.inputs.iter().zip(&self.prepared).map(|(input, prepared)| {
            let clip = prepared.in_place(input);
            Interval { first: clip.start(), last: clip.end() }
        });
        let first = intervals.next().unwrap_or_default();
        if to_first {
            return first;
        }
        intervals.fold(first, |all, next| match how {
            // Shifted to the earliest start, as long as the longest.
            Align::Shift => {
                let first = all.first.min(next.first);
                let len = i64::try_from(all.len().max(next.len())).unwrap_or(i64::MAX);
                Interval { first, last: first.saturating_add(len).saturating_sub(1) }
            }
            Align::Extend | Align::Stretch if next.is_empty() => all,
            Align::Extend | Align::Stretch if all.is_empty() => next,
            Align::Extend | Align::Stretch => {
                Interval { first: all.first.min(next.first), last: all.last.max(next.last) }
            }
        })
    }

    /// Puts a channel of an input into its place in the output.
    fn place(&self, target: &mut [f32], input: usize, channel: usize, interval: Interval, how: Align) {
        let (Some(clip), Some(prepared)) = (self.inputs.get(input), self.prepared.get(input)) else { return };
        let source = if how == Align::Stretch { prepared.aligned(clip) } else { prepared.in_place(clip) };
        let shift = if how == Align::Shift { source.start().saturating_sub(interval.first) } else { 0 };
        let is_in_place = source.start().saturating_sub(shift) == interval.first;
        match source.channel(channel) {
            Some(samples) if is_in_place && samples.len() == target.len() => target.copy_from_slice(samples),
            Some(_) => {
                for (offset, target) in (0_i64..).zip(target) {
                    let index = interval.first.saturating_add(offset).saturating_add(shift);
                    *target = sample(source.value_at(channel, index));
                }
            }
            None => target.fill(0.0),
        }
    }
}

/// A clip at another rate, over the same time.
fn to_rate(input: &Clip, rate: f64, out: &mut Clip) -> Result<(), ClipError> {
    let how = Resampling::to_rate(rate);
    room_for(input.num_channels(), longest(input, &how))?;
    resample(input, &how, out)
}
