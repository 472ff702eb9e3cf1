//! The operators, a file each.

mod analyze_chop;
mod base;
mod constant_chop;
mod constant_top;
mod extend_chop;
pub(crate) mod generator;
mod info_chop;
mod merge_chop;
mod noise_chop;
mod null;
mod rename_chop;
mod resample_chop;
mod script_chop;
mod select_chop;
mod shared_mem;
mod shared_mem_in_chop;
mod shared_mem_in_top;
mod shared_mem_out_chop;
mod shared_mem_out_top;
mod table_dat;
mod time_slice_chop;
mod wave_chop;

use crate::op::Registry;

/// Adds all of them.
pub(crate) fn register(registry: &mut Registry) {
    for spec in [
        analyze_chop::spec(),
        base::spec(),
        constant_chop::spec(),
        constant_top::spec(),
        extend_chop::spec(),
        info_chop::spec(),
        merge_chop::spec(),
        noise_chop::spec(),
        null::chop(),
        null::top(),
        rename_chop::spec(),
        resample_chop::spec(),
        script_chop::spec(),
        select_chop::spec(),
        shared_mem_in_chop::spec(),
        shared_mem_in_top::spec(),
        shared_mem_out_chop::spec(),
        shared_mem_out_top::spec(),
        table_dat::spec(),
        time_slice_chop::spec(),
        wave_chop::spec(),
    ] {
        registry.add(spec);
    }
}
