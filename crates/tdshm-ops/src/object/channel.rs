//! Channels as objects.

use std::sync::Arc;

use crate::clip::{ChannelNames, Clip};
use crate::error::OpError;
use crate::network::Network;
use crate::object::op::Op;
use crate::value::OpId;

/// A channel of a CHOP. It goes stale when the channels of its CHOP change their number or names.
///
/// # Source
///
/// operators §10.4: TD's `Channel`.
#[derive(Clone, Debug)]
pub struct Channel {
    net: Network,
    op: OpId,
    index: usize,
    names: ChannelNames,
    name: String,
}

impl Channel {
    pub(crate) fn new(net: &Network, op: OpId, index: usize, names: &ChannelNames) -> Option<Self> {
        let name = names.get(index)?.to_owned();
        Some(Self { net: net.clone(), op, index, names: names.clone(), name })
    }

    /// Whether its CHOP still has these channels.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.net.with(|state| state.get(self.op).is_some_and(|node| self.is_of(node.output.as_clip())))
    }

    fn is_of(&self, clip: Option<&Arc<Clip>>) -> bool {
        clip.is_some_and(|clip| *clip.names() == self.names)
    }

    /// The channels of its CHOP, which is asked to cook first; `None` where this one is gone.
    fn clip(&self) -> Result<Option<Arc<Clip>>, OpError> {
        let data = self.owner().data()?;
        Ok(data.as_clip().filter(|clip| self.is_of(Some(clip))).cloned())
    }

    /// Its place among the channels, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The CHOP it belongs to.
    #[must_use]
    pub fn owner(&self) -> Op {
        Op::new(&self.net, self.op)
    }

    /// Its value at the current time; in a time slice the last sample. The CHOP is asked to cook first. `None` where the
    /// channel is gone.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn eval(&self) -> Result<Option<f64>, OpError> {
        self.net.pull(self.op, false);
        self.net.with(|state| {
            let is_there = self.is_of(state.node(self.op)?.output.as_clip());
            Ok(is_there.then(|| state.channel_now(self.op, self.index)).flatten())
        })
    }

    /// Its value at a sample, counted from 0; outside the interval what its extend conditions say. The CHOP is asked to
    /// cook first. `None` where the channel is gone.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    ///
    /// # Source
    ///
    /// operators §10.4: `Channel.eval(index)`; that it counts from 0, as all look-ups of samples do, is §3.1.
    pub fn eval_at(&self, index: i64) -> Result<Option<f64>, OpError> {
        Ok(self.clip()?.map(|clip| clip.value_at(self.index, clip.start().saturating_add(index))))
    }

    /// Its value at a frame of the timeline, the first of which is 1. Otherwise as [`eval_at`](Self::eval_at).
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn eval_frame(&self, frame: f64) -> Result<Option<f64>, OpError> {
        let rate = self.net.time().rate;
        self.eval_seconds((frame - 1.0) / rate)
    }

    /// Its value at a time of the timeline, in seconds. Otherwise as [`eval_at`](Self::eval_at).
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn eval_seconds(&self, seconds: f64) -> Result<Option<f64>, OpError> {
        Ok(self.clip()?.map(|clip| clip.value_at_seconds(self.index, seconds)))
    }

    /// How many samples it has; 0 where it is gone.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn num_samples(&self) -> Result<usize, OpError> {
        Ok(self.clip()?.map_or(0, |clip| clip.len_samples()))
    }

    /// A sample, counted from 0.
    ///
    /// # Errors
    ///
    /// [`OpError::OutOfRange`] where there is none of that number; [`OpError::Destroyed`].
    pub fn sample(&self, index: usize) -> Result<f32, OpError> {
        let clip = self.clip()?;
        let samples = clip.as_ref().and_then(|clip| clip.channel(self.index)).unwrap_or_default();
        samples.get(index).copied().ok_or_else(|| OpError::OutOfRange {
            what: "the place of a sample",
            value: index.to_string(),
            expected: "below the number of samples, counted from 0",
        })
    }

    /// The mean of its samples; `None` where there are none.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn average(&self) -> Result<Option<f64>, OpError> {
        let vals = self.vals()?;
        #[expect(clippy::cast_precision_loss, reason = "a clip has too few samples to lose precision")]
        let count = vals.len() as f64;
        Ok((!vals.is_empty()).then(|| vals.iter().map(|&sample| f64::from(sample)).sum::<f64>() / count))
    }

    /// The smallest of its samples; `None` where there are none. Those that are no numbers do not count.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn min(&self) -> Result<Option<f32>, OpError> {
        Ok(self.vals()?.into_iter().reduce(f32::min))
    }

    /// The greatest of its samples; `None` where there are none. Those that are no numbers do not count.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn max(&self) -> Result<Option<f32>, OpError> {
        Ok(self.vals()?.into_iter().reduce(f32::max))
    }

    /// Its samples. The CHOP is asked to cook first. Empty where the channel is gone.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn vals(&self) -> Result<Vec<f32>, OpError> {
        let clip = self.clip()?;
        Ok(clip.and_then(|clip| clip.channel(self.index).map(<[f32]>::to_vec)).unwrap_or_default())
    }

    /// The parameters that it drives.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn exports(&self) -> Result<Vec<crate::object::par::Par>, OpError> {
        let targets = self.net.with(|state| {
            state.settle_exports();
            let is_there = self.is_of(state.node(self.op)?.output.as_clip());
            Ok::<_, OpError>(if is_there { state.exports_of(self.op, self.index) } else { Vec::new() })
        })?;
        Ok(targets.into_iter().map(|(op, par)| crate::object::par::Par::new(&self.net, op, par)).collect())
    }
}
