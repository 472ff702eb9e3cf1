//! Memory of this program alone, in the shape of a mapping.

use core::ptr::NonNull;
use std::alloc::{Layout, alloc_zeroed, dealloc};

use super::Region;

/// Memory of this program alone that is handed out by its address, as a mapping is: nobody makes a reference into it
/// either. It begins as zeroes, at a multiple of 64.
#[derive(Debug)]
pub(crate) struct Buffer {
    whole: Region<'static>,
    layout: Layout,
}

impl Buffer {
    /// `None`: there is no room for so many bytes.
    pub(crate) fn new(bytes: usize) -> Option<Self> {
        let layout = Layout::from_size_align(bytes.max(1), 64).ok()?;
        // SAFETY: the layout has at least one byte.
        let base = NonNull::new(unsafe { alloc_zeroed(layout) })?;
        // SAFETY: the allocator gave this memory to its caller alone; it is initialised, and stays until `drop`, which every
        // region that `region` hands out precedes, because it borrows the buffer; nobody makes references into it, since
        // nothing here does; a layout has at most `isize::MAX` bytes.
        let whole = unsafe { Region::new(base, layout.size()) };
        Some(Self { whole, layout })
    }

    pub(crate) fn region(&self) -> Region<'_> {
        self.whole
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: what `new` was given by this allocator for this layout, once; every region of it has ended, because they
        // borrow the buffer.
        unsafe { dealloc(self.whole.base.as_ptr(), self.layout) };
    }
}
