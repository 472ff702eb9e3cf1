//! Sends and receives, and matches names, with every system call forbidden and every allocation counted: what is
//! promised of the paths once the layout stays. Ends with status 0; with 1 when it allocated; killed by the system when it called.
//!
//! `quiet NAME CHANNELS LENGTH`
#![allow(unsafe_code, reason = "a counting allocator, and the filter that forbids system calls")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use tdshm::{ChopReceiver, ChopSender};
use tdshm_ops::Pattern;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: both functions hand their arguments on to the system's allocator, whose duties are the same.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's duties are those of the function that is called.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (name, channels, length) =
        (&args[1], args[2].parse::<usize>().unwrap(), args[3].parse::<usize>().unwrap());
    let rows = vec![vec![0.5_f32; length]; channels];
    let mut samples = vec![0.5_f32; length * channels];
    let mut to = vec![0_f32; length * channels];
    let mut out = ChopSender::builder(name).room_for(channels, length).create().unwrap();
    let mut input = ChopReceiver::open(name).unwrap();
    let scope = Pattern::parse("(chan* ~ *[0-9]) & ?*[xyz] | \"b c\"").unwrap();
    let longest = format!("chan{}x", "1".repeat(506));
    let mut exchange = |value: f32| {
        samples.fill(value);
        out.send_flat(&samples, length).unwrap();
        assert!(input.read().unwrap().unwrap().samples()[0].to_bits() == value.to_bits());
        out.send(&rows).unwrap();
        assert!(input.try_next().unwrap().is_some() && input.try_next().unwrap().is_none());
        assert!(input.read_into(&mut to).unwrap().is_some());
        assert!(input.view().unwrap().is_some());
    };
    for round in 0_u8..4 {
        exchange(f32::from(round));
    }

    // Nobody else lives in this process, and nothing below needs the system: from here on only read, write and
    // leaving are allowed, and anything else kills.
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let refused = forbid_calls();
    for round in 0_u8..100 {
        exchange(f32::from(round) + 0.25);
    }
    // Not between frames: a receiver that is kept waiting looks, now and then, whether its sender lives.
    assert!(scope.matches(&longest) && scope.matches("b c") && !scope.matches("chan1"));
    let allocated = ALLOCATIONS.load(Ordering::Relaxed) != before;
    end(if allocated { 1 } else { refused });
}

/// From here on the system kills this process when it is called for anything else. 2: it cannot.
#[cfg(target_os = "linux")]
fn forbid_calls() -> i32 {
    // SAFETY: the call takes no pointers, and this process has one thread.
    let strict = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_STRICT) };
    if strict == 0 { 0 } else { 2 }
}

/// A lock is a call of the kernel's here, so calls are not forbidden; allocations are counted all the same.
#[cfg(not(target_os = "linux"))]
fn forbid_calls() -> i32 {
    0
}

fn end(code: i32) {
    #[cfg(target_os = "linux")]
    // SAFETY: ends this thread, which is the last one; `exit_group` is not among the allowed calls.
    unsafe {
        libc::syscall(libc::SYS_exit, code)
    };
    #[cfg(not(target_os = "linux"))]
    std::process::exit(code)
}
