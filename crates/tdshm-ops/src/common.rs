//! The pages that all operators of a family share.

pub(crate) mod chop;
pub(crate) mod top;
