//! Channels as objects.

use crate::clip::ChannelNames;
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
        self.net.with(|state| {
            let names = state.get(self.op).and_then(|node| node.output.as_clip()).map(|clip| clip.names());
            names.is_some_and(|names| names.same(&self.names) || *names == self.names)
        })
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
            state.node(self.op)?;
            Ok(state.channel_now(self.op, self.index))
        })
    }

    /// Its samples. The CHOP is asked to cook first. Empty where the channel is gone.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn vals(&self) -> Result<Vec<f32>, OpError> {
        let clip = self.owner().clip()?;
        Ok(clip.channel(self.index).map(<[f32]>::to_vec).unwrap_or_default())
    }

    /// The parameters that it drives.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn exports(&self) -> Result<Vec<crate::object::par::Par>, OpError> {
        let targets = self.net.with(|state| {
            state.node(self.op)?;
            Ok::<_, OpError>(state.exports_of(self.op, self.index))
        })?;
        Ok(targets.into_iter().map(|(op, par)| crate::object::par::Par::new(&self.net, op, par)).collect())
    }
}
