//! The operators, a file each.

mod base;
mod null;

use crate::op::Registry;

/// Adds all of them.
pub(crate) fn register(registry: &mut Registry) {
    registry.add(base::spec());
    registry.add(null::chop());
    registry.add(null::top());
}
