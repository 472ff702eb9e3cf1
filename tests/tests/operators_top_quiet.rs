//! Images that go through a network, into shared memory and out of it, allocate nothing once their shapes stay.
#![allow(unsafe_code, reason = "a counting allocator")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use tdshm_ops::{Flag, Op};
use tdshm_tests::Scene;
use tdshm_tests::nets::{count, flag, network, set};
use tdshm_tests::nets_top::{image, input, sender};

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: the functions hand their arguments on to the system's allocator, whose duties are the same.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.set(ALLOCATIONS.get() + 1);
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

/// What it takes for an image to be another one in every frame, without a type of its own: an expression.
fn changing(net: &tdshm_ops::Network) -> Op {
    let constant = net.root().create("constantTOP", None).unwrap();
    constant.par("colorr").unwrap().set_expr("(absTime.frame % 256) / 255").unwrap();
    set(&constant, "resolutionw", 80);
    constant
}

fn run(title: &'static str, how: &str, download: &str, page: &[(&str, &str)]) {
    let scene = Scene::new(title);
    let net = network(&format!("{}global", scene.name()));
    let (from, out, here) = (changing(&net), sender(&net, scene.name()), input(&net, scene.name()));
    let null = net.root().create("nullTOP", None).unwrap();
    from.output_connector(0).unwrap().connect(&out).unwrap();
    here.output_connector(0).unwrap().connect(&null).unwrap();
    flag(&null, Flag::Viewer, true);
    set(&out, "downloadtype", download);
    for op in [&out, &here] {
        set(op, "memtype", how);
        set(op, "resolutionh", 99);
        for (par, value) in page {
            set(op, par, *value);
        }
    }
    // So long, too, until every place and buffer has had an image.
    for _ in 0..16 {
        net.step().unwrap();
    }
    let frames = count(&here, "shm_frames");
    let before = ALLOCATIONS.get();
    for _ in 0..64 {
        net.step().unwrap();
    }
    let made = ALLOCATIONS.get() - before;
    assert_eq!(count(&here, "shm_frames") - frames, 64.0, "each is another one");
    assert_eq!(made, 0, "{title} {how} {download} {page:?}");
    let red = (f64::from(image(&null).sample(3, 3)[0]) * 255.0).round();
    let late = match (how, download) {
        ("local", "immediate") => 0.0,
        ("global", "nextframe") => 2.0,
        _ => 1.0,
    };
    assert_eq!(red, 80.0 - late, "{how} {download}");
}

#[test]
fn images_that_are_passed_on_allocate_nothing() {
    for download in ["immediate", "nextframe"] {
        run("quiet images", "local", download, &[]);
    }
}

#[test]
fn images_that_are_resized_and_converted_allocate_nothing() {
    let page = [("outputresolution", "half"), ("format", "mono16float"), ("outputaspect", "custom")];
    run("quiet images, shaped", "local", "immediate", &page);
    let page = [("outputresolution", "custom"), ("inputfiltertype", "mipmap")];
    run("quiet images, mipmap", "local", "nextframe", &page);
}

#[test]
fn images_in_global_memory_allocate_nothing() {
    run("quiet images, global", "global", "immediate", &[]);
}
