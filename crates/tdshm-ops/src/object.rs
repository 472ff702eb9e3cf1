//! Operators, parameters, connectors and channels as objects, named as in TD's Python (operators §10).

pub(crate) mod channel;
pub(crate) mod connector;
pub(crate) mod op;
pub(crate) mod par;
