//! Connectors: where wires begin and end.

use crate::error::OpError;
use crate::network::Network;
use crate::object::op::Op;
use crate::value::OpId;

/// Which end of a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// Where data comes in.
    Input,
    /// Where data goes out.
    Output,
}

impl Side {
    /// `input` or `output`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Output => "output",
        }
    }
}

/// An input or output of an operator.
///
/// # Source
///
/// operators §10.5: TD's `Connector`.
#[derive(Clone, Debug)]
pub struct Connector {
    net: Network,
    op: OpId,
    side: Side,
    index: usize,
}

/// What a connector can be connected to: an operator, which means its first connector of the other side, or a connector.
pub trait Target {
    /// The operator and, where it is meant, the input.
    #[doc(hidden)]
    fn place(&self) -> (Op, Option<(Side, usize)>);
}

impl Target for Op {
    fn place(&self) -> (Op, Option<(Side, usize)>) {
        (self.clone(), None)
    }
}

impl Target for Connector {
    fn place(&self) -> (Op, Option<(Side, usize)>) {
        (self.owner(), Some((self.side, self.index)))
    }
}

impl Connector {
    pub(crate) fn new(net: &Network, op: OpId, side: Side, index: usize) -> Self {
        Self { net: net.clone(), op, side, index }
    }

    /// The operator it belongs to.
    #[must_use]
    pub fn owner(&self) -> Op {
        Op::new(&self.net, self.op)
    }

    /// Its place among the connectors of its side, from 0.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// Whether it is an input or an output.
    #[must_use]
    pub fn side(&self) -> Side {
        self.side
    }

    /// Connects it. The wire of an input is replaced; an output gets one more.
    ///
    /// # Errors
    ///
    /// [`OpError::CannotConnect`] between families, between components, between networks, and between two
    /// connectors of one side;
    /// [`OpError::NoSuchConnector`]; [`OpError::Destroyed`].
    pub fn connect(&self, target: &impl Target) -> Result<(), OpError> {
        let (other, connector) = target.place();
        if connector.is_some_and(|(side, _)| side == self.side) {
            return Err(OpError::CannotConnect {
                from: self.owner().path()?,
                to: other.path()?,
                reason: format!("both connectors are {}s: connect an output to an input", self.side.name()),
            });
        }
        other.same_network(&self.net, &self.owner())?;
        let index = connector.map_or(0, |(_, index)| index);
        self.net.with(|state| match self.side {
            Side::Input => state.connect(other.id(), self.op, self.index),
            Side::Output => state.connect(self.op, other.id(), index),
        })
    }

    /// Takes its wires away: the one of an input, all of an output.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn disconnect(&self) -> Result<(), OpError> {
        self.net.with(|state| match self.side {
            Side::Input => state.disconnect(self.op, self.index),
            Side::Output => {
                while let Some(&to) = state.node(self.op)?.outputs.first() {
                    let inputs = &state.node(to)?.inputs;
                    let Some(input) = inputs.iter().position(|&input| input == Some(self.op)) else { break };
                    state.disconnect(to, input)?;
                }
                Ok(())
            }
        })
    }

    /// The same as [`connect`](Self::connect) with an operator: its first connector of the other side.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub fn connect_op(&self, op: &Op) -> Result<(), OpError> {
        self.connect(op)
    }

    /// The same as [`connect`](Self::connect) with a connector.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub fn connect_to(&self, connector: &Self) -> Result<(), OpError> {
        self.connect(connector)
    }

    /// The connectors at the other ends of its wires.
    ///
    /// # Errors
    ///
    /// [`OpError::Destroyed`].
    pub fn connections(&self) -> Result<Vec<Self>, OpError> {
        self.net.with(|state| {
            let node = state.node(self.op)?;
            Ok(match self.side {
                Side::Input => {
                    let from = node.inputs.get(self.index).copied().flatten();
                    from.map(|from| Self::new(&self.net, from, Side::Output, 0)).into_iter().collect()
                }
                Side::Output => {
                    let ends = state.ends_of(self.op).into_iter();
                    ends.map(|(to, input)| Self::new(&self.net, to, Side::Input, input)).collect()
                }
            })
        })
    }

    /// What it is called: `Input 0`, `Output 0`.
    #[must_use]
    pub fn description(&self) -> String {
        match self.side {
            Side::Input => format!("Input {}", self.index),
            Side::Output => format!("Output {}", self.index),
        }
    }
}
