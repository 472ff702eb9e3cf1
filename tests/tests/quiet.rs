//! Neither path allocates or makes a system call once the layout stays. On Windows a lock is a call of the kernel's, so
//! there only the allocations are counted; nor are they forbidden to a network, which looks at clocks.

use std::process::Command;

use tdshm_tests::Scene;

fn exchange_quietly(title: &'static str, channels: usize, length: usize) {
    let scene = Scene::new(title);
    let name = scene.name();
    run(&[name, &channels.to_string(), &length.to_string()]);
}

fn run(args: &[&str]) {
    let status = Command::new(env!("CARGO_BIN_EXE_quiet")).args(args).status().expect("the program starts");
    assert_eq!(
        status.code(),
        Some(0),
        "1: it allocated; 2: no filter here; 3: something did not cook; killed: it called the system ({status})"
    );
}

#[test]
fn small_frames_need_no_allocation_and_no_system_call() {
    exchange_quietly("quiet, small", 64, 1);
}

#[test]
fn large_frames_need_no_allocation_and_no_system_call() {
    exchange_quietly("quiet, large", 100, 6000);
}

#[test]
fn a_network_whose_shapes_stay_cooks_without_an_allocation() {
    run(&["network"]);
}

#[test]
fn each_operator_and_the_shaping_of_images_need_no_allocation() {
    run(&["operators"]);
}
