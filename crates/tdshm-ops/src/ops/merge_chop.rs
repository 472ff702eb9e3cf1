//! Merge CHOP: the channels of all inputs in one (operators §3.3, §6).

use std::collections::HashSet;
use std::sync::Arc;

use crate::clip::{ChannelNames, Clip, ClipError};
use crate::cook::Cook;
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;
use crate::resample::{Interpolation, Method, RateMatch, Resampling, resample};
use crate::slice::Interval;

pub(crate) fn spec() -> OpSpec {
    OpSpec::new(
        "mergeCHOP",
        Family::Chop,
        "Merge",
        "The channels of all inputs, one behind the other, at one rate and over one interval.",
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
        .help("How inputs over different intervals come together. Automatic extends them."),
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

/// What was worked out for inputs of these names, and the inputs at one rate.
#[derive(Default)]
struct Merge {
    duplicate: Arc<str>,
    names_of: Vec<ChannelNames>,
    names: ChannelNames,
    /// Which channel of which input each output channel is.
    picked: Vec<(usize, usize)>,
    inputs: Vec<Arc<Clip>>,
    rates: Vec<f64>,
    resampled: Vec<Clip>,
    stretched: Clip,
    nothing: Clip,
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
        let result = self.merge(cook);
        self.inputs.clear();
        if let Err(problem) = result {
            cook.error(problem);
            cook.fill_clip(|clip| clip.shape(ChannelNames::default(), 0).map(|_| ()).unwrap_or(()));
        }
    }
}

impl Merge {
    fn merge(&mut self, cook: &mut Cook) -> Result<(), String> {
        self.rates.clear();
        self.rates.extend(self.inputs.iter().map(|input| input.rate()));
        let rate_match: RateMatch = cook.par_text("srselect").parse().unwrap_or_default();
        let rate =
            rate_match.resolve(&self.rates).map_err(|error| error.to_string())?.unwrap_or(cook.time().rate);
        self.resampled.resize_with(self.inputs.len(), Clip::default);
        for (input, resampled) in self.inputs.iter().zip(&mut self.resampled) {
            if input.rate().to_bits() != rate.to_bits() {
                resample(input, &Resampling::to_rate(rate), resampled).map_err(|error| error.to_string())?;
            }
        }
        self.name(&cook.par_text("duplicate"));
        let align = cook.par_text("align");
        let (how, to_first) = match &*align {
            "stretchtomin" => (Align::Stretch, false),
            "stretchtofirst" => (Align::Stretch, true),
            "shifttomin" => (Align::Shift, false),
            "shifttofirst" => (Align::Shift, true),
            "trimtofirst" => (Align::Extend, true),
            _ => (Align::Extend, false),
        };
        let Self { inputs, resampled, names, picked, stretched, nothing, .. } = self;
        let (inputs, resampled, nothing) = (&*inputs, &*resampled, &*nothing);
        let at = |index: usize| -> &Clip {
            match inputs.get(index) {
                Some(input) if input.rate().to_bits() == rate.to_bits() => input,
                _ => resampled.get(index).unwrap_or(nothing),
            }
        };
        let interval = interval_of(inputs.len(), &at, how, to_first);
        let is_slice = inputs.iter().all(|input| input.is_slice());
        let first = at(0);
        cook.fill_clip(|clip| {
            clip.copy_layout_from(first);
            clip.set_start(interval.first);
            clip.set_slice(is_slice);
            let len = interval.len();
            let samples = clip.shape(names.clone(), len)?;
            let mut stretched_of = None;
            for (target, &(input, channel)) in samples.chunks_exact_mut(len.max(1)).zip(picked.iter()) {
                let source = at(input);
                let is_aligned = source.start() == interval.first && source.len_samples() == len;
                match (source.channel(channel), how) {
                    (Some(channel), _) if is_aligned => target.copy_from_slice(channel),
                    (Some(samples), Align::Shift) if samples.len() == len => target.copy_from_slice(samples),
                    (Some(_), Align::Stretch) => {
                        if stretched_of != Some(input) {
                            let how = Resampling::new(Method::Stretch, Interpolation::Linear, rate, interval);
                            resample(source, &how, stretched)?;
                            stretched_of = Some(input);
                        }
                        if let Some(channel) = stretched.channel(channel) {
                            target.copy_from_slice(channel);
                        }
                    }
                    (Some(_), _) => {
                        let shift = if how == Align::Shift {
                            source.start().saturating_sub(interval.first)
                        } else {
                            0
                        };
                        for (index, sample) in (interval.first..).zip(target) {
                            #[expect(clippy::cast_possible_truncation, reason = "samples are 32-bit")]
                            let value = source.value_at(channel, index.saturating_add(shift)) as f32;
                            *sample = value;
                        }
                    }
                    (None, _) => target.fill(0.0),
                }
            }
            Ok(())
        })
        .map_err(|error: ClipError| error.to_string())
    }

    /// Works the names out again where those of an input, or the rule, changed.
    fn name(&mut self, duplicate: &Arc<str>) {
        let same = self.duplicate == *duplicate
            && self.names_of.len() == self.inputs.len()
            && self
                .names_of
                .iter()
                .zip(&self.inputs)
                .all(|(old, new)| old.same(new.names()) || old == new.names());
        if same {
            return;
        }
        self.duplicate = Arc::clone(duplicate);
        self.names_of = self.inputs.iter().map(|input| input.names().clone()).collect();
        self.picked.clear();
        let mut names: Vec<String> = Vec::new();
        let mut taken: HashSet<String> = HashSet::new();
        for (input, input_names) in self.names_of.iter().enumerate() {
            for (channel, name) in input_names.iter().enumerate() {
                let is_new = taken.insert(name.to_owned());
                match (is_new, &**duplicate) {
                    (true, _) => names.push(name.to_owned()),
                    (false, "keepfirst") => continue,
                    (false, "keeplast") => {
                        if let Some(at) = names.iter().position(|known| known == name)
                            && let Some(place) = self.picked.get_mut(at)
                        {
                            *place = (input, channel);
                        }
                        continue;
                    }
                    (false, _) => {
                        let free = free_name(name, &taken);
                        taken.insert(free.clone());
                        names.push(free);
                    }
                }
                self.picked.push((input, channel));
            }
        }
        self.names = ChannelNames::new(names);
    }
}

/// The interval of the output: that of the first input, or one that holds all.
fn interval_of<'c>(inputs: usize, at: &impl Fn(usize) -> &'c Clip, how: Align, to_first: bool) -> Interval {
    let of = |clip: &Clip| Interval { first: clip.start(), last: clip.end() };
    let first = of(at(0));
    if to_first {
        return first;
    }
    (1..inputs).map(|input| of(at(input))).fold(first, |all, next| match how {
        // Shifted to the earliest start, as long as the longest.
        Align::Shift => {
            let begin = all.first.min(next.first);
            let len = i64::try_from(all.len().max(next.len())).unwrap_or(i64::MAX);
            Interval { first: begin, last: begin.saturating_add(len).saturating_sub(1) }
        }
        Align::Extend | Align::Stretch => {
            Interval { first: all.first.min(next.first), last: all.last.max(next.last) }
        }
    })
}

/// A name that is free, by the number at its end counted up, or a number behind it.
fn free_name(name: &str, taken: &HashSet<String>) -> String {
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let number: u64 = name.get(base.len()..).and_then(|digits| digits.parse().ok()).unwrap_or(0);
    (number.saturating_add(1)..)
        .map(|number| format!("{base}{number}"))
        .find(|free| !taken.contains(free))
        .unwrap_or_else(|| name.to_owned())
}
