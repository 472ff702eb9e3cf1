//! What an operator sees of the world while it cooks.

use core::time::Duration;
use std::mem;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use tdshm::PixelFormat;

use crate::Value;
use crate::clip::{ChannelNames, Clip};
use crate::common::top::TopCommon;
use crate::common::{self, chop::ChopCommon};
use crate::data::{Data, Pool};
use crate::global::GlobalMemory;
use crate::image::{Image, ImageError, output_aspect, output_size};
use crate::network::Network;
use crate::network::info::InfoType;
use crate::network::state::Node;
use crate::object::op::Op;
use crate::op::CommonPage;
use crate::slice::{Interval, SliceRule, most, slice_of, trim};
use crate::table::Table;
use crate::time::Time;
use crate::value::OpId;

/// One cook of one operator: its inputs, parameters and time, and the place for its output.
///
/// Values stay the same during the cook. An operator that fills its output writes into a buffer that it wrote before,
/// so nothing is allocated once shapes are stable; one that passes an input through copies nothing.
#[derive(Debug, Default)]
pub struct Cook {
    net: Option<Network>,
    id: OpId,
    pub(crate) inputs: Vec<Data>,
    pub(crate) is_wired: Vec<bool>,
    pub(crate) output: Output,
    pub(crate) errors: Vec<String>,
    pub(crate) warnings: Vec<String>,
    pub(crate) depends_on_time: bool,
    time: Time,
    slice_rule: SliceRule,
    patience: Duration,
    frame_began: Option<Instant>,
    first: bool,
    common: CommonPage,
    slices_itself: bool,
    pub(crate) pools: Pools,
    chop: ChopCommon,
    top: TopCommon,
    /// Whether the common page has done its part already.
    is_finished: bool,
}

/// What came out.
#[derive(Debug, Default)]
pub(crate) enum Output {
    /// The same as before.
    #[default]
    Keep,
    /// Made here.
    Made(Data),
    /// An input, or what another operator made.
    Passed(Data),
}

/// Buffers of each kind, to be filled again.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    clips: Pool<Clip>,
    images: Pool<Image>,
    tables: Pool<Table>,
}

impl Pools {
    pub(crate) fn give_back(&mut self, data: Data) {
        match data {
            Data::Chop(clip) => self.clips.give_back(clip),
            Data::Top(image) => self.images.give_back(image),
            Data::Dat(table) => self.tables.give_back(table),
            Data::None => {}
        }
    }
}

impl Cook {
    pub(crate) fn begin(
        &mut self,
        id: OpId,
        node: &Node,
        time: Time,
        slice_rule: SliceRule,
        patience: Duration,
        frame_began: Instant,
    ) {
        self.id = id;
        self.time = time;
        self.slice_rule = slice_rule;
        self.patience = patience;
        self.frame_began = Some(frame_began);
        self.first = node.stats.total_cooks == 0;
        self.common = node.spec.common;
        self.slices_itself = node.spec.slices_itself;
        self.depends_on_time = false;
        self.is_finished = false;
        self.output = Output::Keep;
    }

    pub(crate) fn attach(&mut self, net: &Network) {
        self.net = Some(net.clone());
    }

    /// Lets go of everything that belongs to others.
    pub(crate) fn end(&mut self) {
        self.net = None;
        self.inputs.clear();
        self.is_wired.clear();
    }

    /// The operator that cooks.
    #[must_use]
    pub fn me(&self) -> Op {
        match &self.net {
            Some(net) => net.handle(self.id),
            None => Op::new(&Network::default(), self.id),
        }
    }

    /// Another operator, seen from the one that cooks. It is not asked to cook.
    ///
    /// # Errors
    ///
    /// [`OpError::NoSuchOp`](crate::OpError::NoSuchOp).
    pub fn op(&self, path: &str) -> Result<Op, crate::OpError> {
        self.me().op(path)
    }

    /// The timeline and the absolute clock.
    #[must_use]
    pub fn time(&self) -> &Time {
        &self.time
    }

    /// Whether it never cooked before.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.first
    }

    /// Cook again in the next frame in which somebody asks: the output depends on time.
    pub fn depend_on_time(&mut self) {
        self.depends_on_time = true;
    }

    /// How long this cook may wait for somebody else's lock: a quarter of a frame, unless the network says otherwise.
    ///
    /// # Source
    ///
    /// operators §9.2 (ours): TD's classes wait up to five seconds.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// The samples of this frame's time slice at a rate, on the absolute clock (operators §4).
    #[must_use]
    pub fn slice(&self, rate: f64) -> Interval {
        slice_of(rate, self.time.rate, self.time.previous, self.time.abs_frame, self.slice_rule)
    }

    /// The most samples that a time slice has at a rate.
    #[must_use]
    pub fn longest_slice(&self, rate: f64) -> usize {
        usize::try_from(most(rate, self.slice_rule)).unwrap_or(usize::MAX)
    }

    /// The samples of this frame's time slice on the timeline, as indices of a clip: what the Time Slice CHOP cuts out
    /// of it. They end at the current time; there are as many as the slice of the absolute clock has.
    #[must_use]
    pub fn slice_of(&self, clip: &Clip) -> Interval {
        let len = i64::try_from(self.slice(clip.rate()).len()).unwrap_or(i64::MAX);
        // Between two samples the earlier one; what is meant to be a whole number is one.
        let now = self.time.seconds() * clip.rate();
        let now = if (now - now.round()).abs() < 1e-6 { now.round() } else { now.floor() };
        #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, as clocks do")]
        let last = now as i64;
        Interval { first: last.saturating_sub(len.saturating_sub(1)), last }
    }

    /// The samples of this frame's time slice at a rate, on the absolute clock, if the parameter Time Slice of the common
    /// page is on.
    #[must_use]
    pub fn time_slice(&self, rate: f64) -> Option<Interval> {
        self.par_is_on("timeslice").then(|| self.slice(rate))
    }

    // Parameters

    /// The working value of a parameter. [`Value::None`] where there is none of that name.
    #[must_use]
    pub fn par(&self, name: &str) -> Value {
        let value = self
            .net
            .as_ref()
            .and_then(|net| net.with(|state| Some(state.get(self.id)?.par(name)?.value.clone())));
        value.unwrap_or_default()
    }

    /// A toggle.
    #[must_use]
    pub fn par_is_on(&self, name: &str) -> bool {
        self.net
            .as_ref()
            .is_some_and(|net| net.with(|state| state.get(self.id).is_some_and(|node| node.par_is_on(name))))
    }

    /// A number; 0 where there is none.
    #[must_use]
    pub fn par_f64(&self, name: &str) -> f64 {
        self.par(name).as_f64().unwrap_or(0.0)
    }

    /// A whole number; 0 where there is none.
    #[must_use]
    pub fn par_i64(&self, name: &str) -> i64 {
        self.par(name).as_i64().unwrap_or(0)
    }

    /// A text, or the name of a menu's entry; empty where there is none.
    #[must_use]
    pub fn par_text(&self, name: &str) -> Arc<str> {
        match self.par(name) {
            Value::Str(text) => text,
            // Of all empty texts the one that needs no allocation.
            _ => Arc::default(),
        }
    }

    /// The file that a parameter names, seen from the [folder](Network::set_folder) of the network. `None` for the empty
    /// text.
    #[must_use]
    pub fn par_file(&self, name: &str) -> Option<PathBuf> {
        let text = self.par_text(name);
        if text.is_empty() {
            return None;
        }
        self.net.as_ref().map(|net| net.with(|state| state.folder.join(&*text)))
    }

    /// The operator that a parameter names, if it is there.
    #[must_use]
    pub fn par_op(&self, name: &str) -> Option<Op> {
        match self.par(name) {
            Value::Op(id) => Some(self.net.as_ref()?.handle(id)),
            _ => None,
        }
    }

    /// Whether a parameter that names an operator has a path, also where that leads nowhere.
    #[must_use]
    pub fn has_reference(&self, name: &str) -> bool {
        self.net.as_ref().is_some_and(|net| {
            net.with(|state| {
                state
                    .get(self.id)
                    .and_then(|node| node.par(name))
                    .is_some_and(|par| par.mode != crate::par::ParMode::Constant || par.constant.is_true())
            })
        })
    }

    /// The constant of a parameter, whatever counts: of one that names an operator, the path as it was written.
    #[must_use]
    pub fn par_constant(&self, name: &str) -> Value {
        let value = self
            .net
            .as_ref()
            .and_then(|net| net.with(|state| Some(state.get(self.id)?.par(name)?.constant.clone())));
        value.unwrap_or_default()
    }

    // Inputs

    /// How many inputs there are, wired or not, up to the last that is wired.
    #[must_use]
    pub fn num_inputs(&self) -> usize {
        self.inputs.len()
    }

    /// Whether an input has a wire.
    #[must_use]
    pub fn is_wired(&self, input: usize) -> bool {
        self.is_wired.get(input).copied().unwrap_or(false)
    }

    /// What an input gives.
    #[must_use]
    pub fn input(&self, input: usize) -> Data {
        self.inputs.get(input).cloned().unwrap_or_default()
    }

    /// The channels of an input. `None` without a wire, or where nothing came yet.
    #[must_use]
    pub fn clip(&self, input: usize) -> Option<Arc<Clip>> {
        self.inputs.get(input)?.as_clip().cloned()
    }

    /// The pixels of an input.
    #[must_use]
    pub fn image(&self, input: usize) -> Option<Arc<Image>> {
        self.inputs.get(input)?.as_image().cloned()
    }

    /// What another operator put out last, without asking it.
    #[must_use]
    pub fn output_of(&self, op: &Op) -> Data {
        let data =
            self.net.as_ref().and_then(|net| net.with(|state| Some(state.get(op.id())?.output.clone())));
        data.unwrap_or_default()
    }

    /// The output of the last cook.
    #[must_use]
    pub fn last_output(&self) -> Data {
        let data =
            self.net.as_ref().and_then(|net| net.with(|state| Some(state.get(self.id)?.output.clone())));
        data.unwrap_or_default()
    }

    // Scope

    /// Which of some channels are in the scope of the common page: their places, in order.
    ///
    /// Worked out again only where the names or the pattern change. A pattern that cannot be read is an error of the
    /// operator, and the one before counts.
    pub fn scope(&mut self, names: &ChannelNames) -> Arc<[usize]> {
        let text = self.par_text("scope");
        let (picked, problem) = self.chop.scope(&text, names);
        if let Some(problem) = problem {
            self.errors.push(problem);
        }
        picked
    }

    // Output

    /// An input is the output, as it is.
    pub fn pass(&mut self, input: usize) {
        self.output = Output::Passed(self.input(input));
    }

    /// Something that others made is the output.
    pub fn pass_data(&mut self, data: Data) {
        self.output = Output::Passed(data);
    }

    /// Nothing is the output: no channels, no pixels.
    pub fn pass_nothing(&mut self) {
        self.output = Output::Passed(Data::None);
    }

    /// Channels to fill, which become the output. They hold those of some earlier cook, in the shape of that.
    pub fn fill_clip<R>(&mut self, fill: impl FnOnce(&mut Clip) -> R) -> R {
        let mut clip = self.pools.clips.take();
        self.chop.unname(Arc::make_mut(&mut clip));
        let result = fill(Arc::make_mut(&mut clip));
        self.output = Output::Made(Data::Chop(clip));
        result
    }

    /// The same, with the cook at hand.
    pub fn fill_clip_with<R>(&mut self, fill: impl FnOnce(&mut Self, &mut Clip) -> R) -> R {
        let mut clip = self.pools.clips.take();
        self.chop.unname(Arc::make_mut(&mut clip));
        let result = fill(self, Arc::make_mut(&mut clip));
        self.output = Output::Made(Data::Chop(clip));
        result
    }

    /// The output stays as it was, whatever was filled or passed.
    pub fn keep(&mut self) {
        if let Output::Made(data) = mem::take(&mut self.output) {
            self.pools.give_back(data);
        }
    }

    /// The channels that were filled in this cook.
    pub(crate) fn filled_clip(&self) -> Option<Arc<Clip>> {
        match &self.output {
            Output::Made(Data::Chop(clip)) => Some(Arc::clone(clip)),
            _ => None,
        }
    }

    /// Pixels to fill, which become the output. They hold those of some earlier cook, in the shape of that.
    pub fn fill_image<R>(&mut self, fill: impl FnOnce(&mut Image) -> R) -> R {
        let mut image = self.pools.images.take();
        let result = fill(Arc::make_mut(&mut image));
        self.output = Output::Made(Data::Top(image));
        result
    }

    /// Pixels to fill in the size, aspect and format that the Common page asks for, which become the output: for operators
    /// whose image is made of nothing else. Without an input, Use Input and its multiples go by Resolution.
    ///
    /// # Errors
    ///
    /// There can be no such image. The output stays as it was.
    pub fn make_image(&mut self, fill: impl FnOnce(&mut Image)) -> Result<(), ImageError> {
        let settings = common::top::settings(self);
        let (choice, resolution) = (settings.output_resolution, settings.resolution);
        let (width, height) = output_size(choice, resolution, resolution, settings.multiplier);
        let aspect =
            output_aspect(settings.output_aspect, resolution, (1.0, 1.0), (width, height), settings.aspect);
        let format = settings.format.wire_format(PixelFormat::R8G8B8A8_UNORM.into());
        let made = self.fill_image(|image| {
            image.shape(width, height, format)?;
            image.set_aspect(aspect);
            fill(image);
            Ok(())
        });
        if made.is_err() {
            self.keep();
        }
        self.is_finished = true;
        made
    }

    /// The output as the Common page makes it, for operators that send it on. `None`: there is none, or there can be no such
    /// image, which is then an error of the operator.
    pub fn finished_image(&mut self) -> Option<Arc<Image>> {
        if !self.finish_common_page() {
            return None;
        }
        match &self.output {
            Output::Keep => self.last_output().as_image().cloned(),
            Output::Made(data) | Output::Passed(data) => data.as_image().cloned(),
        }
    }

    /// The pixels that were filled in this cook.
    pub(crate) fn filled_image(&self) -> Option<Arc<Image>> {
        match &self.output {
            Output::Made(Data::Top(image)) => Some(Arc::clone(image)),
            _ => None,
        }
    }

    /// A table to fill, which becomes the output. It holds that of some earlier cook.
    pub fn fill_table<R>(&mut self, fill: impl FnOnce(&mut Table) -> R) -> R {
        let mut table = self.pools.tables.take();
        let result = fill(Arc::make_mut(&mut table));
        self.output = Output::Made(Data::Dat(table));
        result
    }

    /// Something is wrong, and the output is not what it should be.
    pub fn error(&mut self, text: impl Into<String>) {
        self.errors.push(text.into());
    }

    /// Something is not as one would expect.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.warnings.push(text.into());
    }

    // Beyond the operator

    /// Adds the Info channels of another operator to a list (operators §8).
    pub fn info_of(&self, op: &Op, kind: InfoType, channels: &mut Vec<(&'static str, f64)>) {
        if let Some(net) = &self.net {
            net.with(|state| state.info(op.id(), kind, &mut |name, value| channels.push((name, value))));
        }
    }

    /// Adds the channel that says how long all operators inside a component cooked in this frame.
    pub(crate) fn children_cook_time_of(&self, op: &Op, channels: &mut Vec<(&'static str, f64)>) {
        let time = self.net.as_ref().and_then(|net| net.with(|state| state.children_cook_time(op.id())));
        channels.extend(time.map(|time| ("children_cpu_cook_time", time.as_secs_f64() * 1000.0)));
    }

    /// The Global memory of this network (operators §2).
    pub(crate) fn global<R>(&self, act: impl FnOnce(&mut GlobalMemory) -> R) -> Option<R> {
        self.net.as_ref().map(|net| net.with(|state| act(&mut state.global)))
    }

    /// The channels that this cook has put out so far; `None` where the output stays, or holds none.
    pub(crate) fn new_clip(&self) -> Option<&Arc<Clip>> {
        match &self.output {
            Output::Made(data) | Output::Passed(data) => data.as_clip(),
            Output::Keep => None,
        }
    }

    /// Gives the channels of the output other names: as many as there are.
    pub(crate) fn name_output(&mut self, names: ChannelNames) {
        let is_own = matches!(self.output, Output::Made(_));
        let (Output::Made(Data::Chop(clip)) | Output::Passed(Data::Chop(clip))) = mem::take(&mut self.output)
        else {
            return;
        };
        // What was passed through belongs to others, and is copied; what was made here is changed, unless the operator
        // has kept a hand on it.
        let mut named = clip;
        if Arc::get_mut(&mut named).is_none() {
            let mut copy = self.pools.clips.take();
            if let Err(error) = Arc::make_mut(&mut copy).copy_from(&named) {
                self.errors.push(error.to_string());
            }
            let before = mem::replace(&mut named, copy);
            if is_own {
                self.pools.give_back(Data::Chop(before));
            }
        }
        let clip = Arc::make_mut(&mut named);
        let len = clip.len_samples();
        if let Err(error) = clip.shape(names, len) {
            self.errors.push(error.to_string());
        }
        self.output = Output::Made(Data::Chop(named));
    }

    /// Whether what comes out is cut to the time slice behind the operator's own work.
    pub(crate) fn cuts_slices(&self) -> bool {
        !self.slices_itself && self.par_is_on("timeslice")
    }

    /// Cuts channels that are no slice to the slice of this frame.
    pub(crate) fn cut_to_slice(&mut self) {
        let Some(clip) = self.new_clip().filter(|clip| !clip.is_slice()).map(Arc::clone) else { return };
        let mut cut = self.pools.clips.take();
        let target = Arc::make_mut(&mut cut);
        match trim(&clip, self.slice_of(&clip), target) {
            Ok(()) => {
                // All slices of one cook have the same interval, which is that of the absolute clock.
                target.set_start(self.slice(clip.rate()).first);
                let before = mem::replace(&mut self.output, Output::Made(Data::Chop(cut)));
                if let Output::Made(before) = before {
                    drop(clip);
                    self.pools.give_back(before);
                }
            }
            Err(error) => self.errors.push(error.to_string()),
        }
    }

    /// The Global Resolution Multiplier (operators §1.6).
    pub(crate) fn resolution_multiplier(&self) -> f64 {
        self.net.as_ref().map_or(1.0, |net| net.with(|state| state.resolution_multiplier))
    }

    /// What the common page does to the output: rename and time slice of a CHOP (operators §1.3), size and format of a TOP
    /// (§1.6). Once in a cook. `false`: it could not be done, and an error says why.
    pub(crate) fn finish_common_page(&mut self) -> bool {
        if mem::replace(&mut self.is_finished, true) {
            return true;
        }
        match self.common {
            CommonPage::None => {}
            CommonPage::Chop => {
                let mut chop = mem::take(&mut self.chop);
                chop.finish(self);
                self.chop = chop;
            }
            CommonPage::Top => {
                let mut top = mem::take(&mut self.top);
                let result = top.finish(self);
                self.top = top;
                if let Err(error) = result {
                    self.error(format!("{error}."));
                    return false;
                }
            }
        }
        true
    }
}
