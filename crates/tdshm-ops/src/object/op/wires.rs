//! The wires of an operator.

use super::Op;
use crate::error::OpError;
use crate::network::Network;
use crate::network::state::Node;
use crate::object::connector::{Connector, Side};
use crate::op::Family;

impl Op {
    /// The operators wired into its inputs; `None` for an input without a wire.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn inputs(&self) -> Result<Vec<Option<Self>>, OpError> {
        let inputs = self.read(|node| node.inputs.clone())?;
        Ok(inputs.into_iter().map(|id| id.map(|id| Self::new(&self.net, id))).collect())
    }

    /// The operators that its output is wired into.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn outputs(&self) -> Result<Vec<Self>, OpError> {
        Ok(self.read(|node| node.outputs.clone())?.into_iter().map(|id| Self::new(&self.net, id)).collect())
    }

    /// An input connector, counted from 0.
    ///
    /// # Errors
    ///
    /// [`OpError::NoSuchConnector`], [`OpError::Destroyed`].
    pub fn input_connector(&self, index: usize) -> Result<Connector, OpError> {
        self.connector(Side::Input, index, |node| node.spec.max_inputs)
    }

    /// An output connector, counted from 0.
    ///
    /// # Errors
    ///
    /// [`OpError::NoSuchConnector`], [`OpError::Destroyed`].
    pub fn output_connector(&self, index: usize) -> Result<Connector, OpError> {
        self.connector(Side::Output, index, |node| usize::from(node.spec.family != Family::Comp))
    }

    /// All input connectors; of an operator that takes any number those that are wired, and one more.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn input_connectors(&self) -> Result<Vec<Connector>, OpError> {
        let count = self.read(|node| match node.spec.max_inputs {
            usize::MAX => node.inputs.len().saturating_add(1),
            fixed => fixed,
        })?;
        Ok((0..count).map(|index| Connector::new(&self.net, self.id, Side::Input, index)).collect())
    }

    /// All output connectors.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn output_connectors(&self) -> Result<Vec<Connector>, OpError> {
        let count = self.read(|node| usize::from(node.spec.family != Family::Comp))?;
        Ok((0..count).map(|index| Connector::new(&self.net, self.id, Side::Output, index)).collect())
    }

    fn connector(
        &self,
        side: Side,
        index: usize,
        limit: impl FnOnce(&Node) -> usize,
    ) -> Result<Connector, OpError> {
        let limit = self.read(limit)?;
        if index >= limit {
            return Err(OpError::NoSuchConnector { op: self.path()?, side: side.name(), index, limit });
        }
        Ok(Connector::new(&self.net, self.id, side, index))
    }

    /// Replaces all wires of the inputs: one operator an input, `None` for none.
    ///
    /// # Errors
    ///
    /// As [`Connector::connect`]; the inputs before the one that failed have changed, and none where an operator is of
    /// another network.
    pub fn set_inputs(&self, inputs: &[Option<Self>]) -> Result<(), OpError> {
        for input in inputs.iter().flatten() {
            input.same_network(&self.net, self)?;
        }
        let had = self.read(|node| node.inputs.len())?;
        for index in (0..had).rev() {
            self.net.with(|state| state.disconnect(self.id, index))?;
        }
        for (index, input) in inputs.iter().enumerate() {
            if let Some(input) = input {
                self.net.with(|state| state.connect(input.id, self.id, index))?;
            }
        }
        Ok(())
    }

    /// Numbers of operators mean something in their own network only.
    pub(crate) fn same_network(&self, net: &Network, wired: &Self) -> Result<(), OpError> {
        if self.net.is_same(net) {
            return Ok(());
        }
        Err(OpError::CannotConnect {
            from: self.path()?,
            to: wired.path()?,
            reason: "they are in different networks: use an operator of this one".into(),
        })
    }
}
