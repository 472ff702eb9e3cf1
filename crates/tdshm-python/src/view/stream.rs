//! Copies that leave the caches alone.

/// From so many bytes on rows are copied past the caches, as the core does when it turns images.
pub(super) const PAST_CACHES_BYTES: usize = 4 << 20;

/// Copies bytes with stores that leave the caches alone, where the processor has such.
///
/// # Safety
///
/// `from` and `to` are good for `len` bytes and do not overlap. Whoever hands `to` to another thread calls
/// [`order_past_caches`] before.
#[cfg(target_arch = "x86_64")]
pub(super) unsafe fn copy_past_caches(from: *const u8, to: *mut u8, len: usize) {
    use core::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_stream_si128};
    const STEP: usize = size_of::<__m128i>();
    let head = to.align_offset(STEP).min(len);
    let steps = (len - head) / STEP;
    // SAFETY: the caller's, of the first bytes, up to an aligned one.
    unsafe { std::ptr::copy_nonoverlapping(from, to, head) };
    for step in 0..steps {
        let at = head + step * STEP;
        // SAFETY: `at + STEP <= len`; the load asks for no alignment.
        let value = unsafe { _mm_loadu_si128(from.wrapping_add(at).cast()) };
        // SAFETY: as above, and `to + head` is aligned (`align_offset`).
        unsafe { _mm_stream_si128(to.wrapping_add(at).cast(), value) };
    }
    let done = head + steps * STEP;
    // SAFETY: the caller's, of the last bytes.
    unsafe { std::ptr::copy_nonoverlapping(from.wrapping_add(done), to.wrapping_add(done), len - done) };
}

/// The same, where every store is like any other.
///
/// # Safety
///
/// As above.
#[cfg(not(target_arch = "x86_64"))]
pub(super) unsafe fn copy_past_caches(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: the caller's.
    unsafe { std::ptr::copy_nonoverlapping(from, to, len) };
}

/// What was written past the caches comes before whatever is written from now on.
pub(super) fn order_past_caches() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every processor of this kind has the instruction, which takes nothing.
    unsafe {
        std::arch::x86_64::_mm_sfence();
    }
}
