//! Whether a name leads to what is mapped: `fstat` tells nothing of such objects but their size, so what lies there is
//! compared.
//!
//! Two objects with the same bytes count as one, until they differ: what could be read from the other one is no other
//! than what is read here.

use crate::directory;
use crate::mem::Region;
use crate::sys::ObjectError;
use crate::sys::posix::whole::Whole;

/// Bytes that are compared at once.
const CHUNK: usize = 4096;
/// So many chunks from the beginning are compared, and as many of the rest, evenly spread: in large objects this has to
/// be enough.
const CHUNKS: usize = 128;
/// How often a chunk is looked at again that changes meanwhile.
const TRIES: usize = 16;

/// Whether an object's name leads to `here`. Where the directory cannot be asked, it does.
pub(super) fn leads_to(name: &str, here: Region<'_>) -> bool {
    match directory::SHARED.look_up(name) {
        Ok(Some(token)) => is_in(&token, here),
        Ok(None) => false,
        Err(_) => true,
    }
}

/// Whether the system's name leads to `here`.
pub(super) fn is_in(token: &str, here: Region<'_>) -> bool {
    match Whole::open_to_read(token) {
        Ok(there) => is_same(here, there.region()),
        Err(ObjectError::Absent) => false,
        Err(_) => true,
    }
}

/// Whether two mappings are of one object, by what lies there.
fn is_same(here: Region<'_>, there: Region<'_>) -> bool {
    let chunks = here.len().div_ceil(CHUNK);
    let stride = chunks.saturating_sub(CHUNKS).div_ceil(CHUNKS).max(1);
    here.len() == there.len()
        && (0..chunks.min(CHUNKS))
            .chain((CHUNKS..chunks).step_by(stride))
            .all(|chunk| is_same_chunk(here, there, chunk.saturating_mul(CHUNK)))
}

fn is_same_chunk(here: Region<'_>, there: Region<'_>, at: usize) -> bool {
    let (mut before, mut after) = ([0; CHUNK], [0; CHUNK]);
    let len = here.len().saturating_sub(at).min(CHUNK);
    for _ in 0..TRIES {
        let Some(before) = before.get_mut(..len) else { return true };
        if here.copy_out(at, before).is_err() || there.equals(at, before) != Ok(false) {
            return true;
        }
        let Some(after) = after.get_mut(..len) else { return true };
        // They differ. If these did not change meanwhile, they are others.
        if here.copy_out(at, after).is_ok() && before == after {
            return false;
        }
    }
    true // somebody writes here all the time
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mem::on_heap;

    #[test]
    fn a_byte_tells_two_objects_apart() {
        on_heap(10_000, |here| {
            on_heap(10_000, |there| {
                assert!(is_same(here, here) && is_same(here, there));
                for at in [0, 4095, 4096, 9999] {
                    there.write(at, &1_u8).unwrap();
                    assert!(!is_same(here, there), "at {at}");
                    there.write(at, &0_u8).unwrap();
                }
            });
            on_heap(9_999, |there| assert!(!is_same(here, there)));
        });
    }

    #[test]
    fn large_objects_are_compared_at_their_beginning_and_here_and_there() {
        let bytes = CHUNK * CHUNKS * 8;
        on_heap(bytes, |here| {
            on_heap(bytes, |there| {
                there.copy_in(bytes / 2, &vec![1; bytes / 2]).unwrap();
                assert!(!is_same(here, there));
            });
        });
    }

    #[test]
    fn what_is_written_meanwhile_is_no_other_object() {
        on_heap(CHUNK, |here| {
            let done = std::sync::atomic::AtomicBool::new(false);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    let counter = here.atomic_u64(64).unwrap();
                    while !done.load(std::sync::atomic::Ordering::Relaxed) {
                        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                });
                for _ in 0..2000 {
                    assert!(is_same(here, here));
                }
                done.store(true, std::sync::atomic::Ordering::Relaxed);
            });
        });
    }
}
