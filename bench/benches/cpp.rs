//! The same work through C++ and in Rust: what the way through the C library costs. `cargo xtask bench` builds the other side
//! and says where it is (`TDSHM_BENCH_ROWS`).
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark that fails stops")]
#![cfg_attr(unix, allow(unsafe_code, reason = "functions of another library"))]

#[cfg(not(unix))]
fn main() {
    tdshm_bench::row("C++ against Rust", "measured on Linux and macOS alone");
}

#[cfg(unix)]
fn main() {
    use std::ffi::{CStr, CString, c_char, c_void};
    use std::hint::black_box;

    use tdshm::{ChopSender, NamedLock, PixelFormat, Pixels, ShortName, TopSender};
    use tdshm_bench::{goal, pairs, row, tidy, unique};

    let Ok(path) = std::env::var("TDSHM_BENCH_ROWS") else {
        return row("C++ against Rust", "not measured: `cargo xtask bench` builds the C++ side");
    };
    let path = CString::new(path).unwrap();
    // SAFETY: a text that ends in NUL; the library has no constructors but those of empty objects.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_NOW) };
    assert!(!library.is_null(), "{path:?} cannot be loaded");
    let find = |name: &CStr| {
        // SAFETY: the library stays open, and the name ends in NUL.
        let found = unsafe { libc::dlsym(library, name.as_ptr()) };
        assert!(!found.is_null(), "there is no {name:?}");
        found
    };
    type Open = unsafe extern "C" fn(*const c_char, *const c_char, *const c_char);
    type Plain = unsafe extern "C" fn();
    type Send<T> = unsafe extern "C" fn(*const T);
    // SAFETY: `rows_open` is declared so in bench/cpp/rows.cpp.
    let open = unsafe { std::mem::transmute_copy::<*mut c_void, Open>(&find(c"rows_open")) };
    // SAFETY: so is `rows_lock`.
    let lock_there = unsafe { std::mem::transmute_copy::<*mut c_void, Plain>(&find(c"rows_lock")) };
    // SAFETY: so is `rows_close`.
    let close = unsafe { std::mem::transmute_copy::<*mut c_void, Plain>(&find(c"rows_close")) };
    // SAFETY: so is `rows_channels`, which reads 64 samples.
    let send_there = unsafe { std::mem::transmute_copy::<*mut c_void, Send<f32>>(&find(c"rows_channels")) };
    // SAFETY: so is `rows_image`, which reads as many bytes as an image has.
    let image_there = unsafe { std::mem::transmute_copy::<*mut c_void, Send<u8>>(&find(c"rows_image")) };

    let [lock_name, here, there] = ["cpplock", "rusthere", "cppthere"].map(unique);
    let [top_here, top_there] = ["rusttop", "cpptop"].map(unique);
    let lock_object = ShortName::new(&lock_name).unwrap().data_lock();
    let names = [&lock_object, &there, &top_there].map(|name| CString::new(name.as_str()).unwrap());
    // SAFETY: three texts that end in NUL and outlive the call.
    unsafe { open(names[0].as_ptr(), names[1].as_ptr(), names[2].as_ptr()) };
    let lock = NamedLock::open(&lock_object).unwrap();
    let samples = [0.5_f32; 64];
    let mut out = ChopSender::create(&here).unwrap();
    let pixels = vec![7_u8; 1920 * 1080 * 4];
    let mut images = TopSender::create(&top_here).unwrap();

    row("# C++ against Rust", "the same work in the same process; goal: at most 1.10");
    let ratio = pairs(
        "lock and unlock",
        31,
        20_000,
        || drop(black_box(lock.lock().unwrap())),
        // SAFETY: it was opened.
        || unsafe { lock_there() },
    );
    goal("lock and unlock, C++", ratio <= 1.1, "at most 1.10 times Rust");
    let ratio = pairs(
        "send, 64 channels x 1 sample",
        31,
        20_000,
        || {
            black_box(out.send_flat(black_box(&samples), 1).unwrap());
        },
        // SAFETY: it was opened, and there are 64 samples.
        || unsafe { send_there(black_box(samples.as_ptr())) },
    );
    goal("send 64x1, C++", ratio <= 1.1, "at most 1.10 times Rust");
    let ratio = pairs(
        "send, 1920 x 1080 RGBA",
        31,
        4,
        || {
            let image = Pixels::bottom_first(PixelFormat::R8G8B8A8_UNORM, 1920, 1080, black_box(&pixels));
            black_box(images.send(&image).unwrap());
        },
        // SAFETY: it was opened, and there are all bytes of an image.
        || unsafe { image_there(black_box(pixels.as_ptr())) },
    );
    goal("send 1080p, C++", ratio <= 1.1, "at most 1.10 times Rust");
    // SAFETY: it was opened, and is not used any more.
    unsafe { close() };
    drop((out, images, lock));
    for name in [&lock_name, &here, &there, &top_here, &top_there] {
        tidy(name);
    }
}
