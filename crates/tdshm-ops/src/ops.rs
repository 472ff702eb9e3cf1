//! The operators, a file each.

mod base;
mod null;
mod shared_mem;
mod shared_mem_in_chop;
mod shared_mem_out_chop;

use crate::op::Registry;

/// Adds all of them.
pub(crate) fn register(registry: &mut Registry) {
    registry.add(base::spec());
    registry.add(null::chop());
    registry.add(null::top());
    registry.add(shared_mem_in_chop::spec());
    registry.add(shared_mem_out_chop::spec());
}
