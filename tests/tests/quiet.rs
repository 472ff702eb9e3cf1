//! Neither path allocates or makes a system call once the layout stays. On Windows a lock is a call of the kernel's, so
//! there only the allocations are counted.

use std::process::Command;

use tdshm_tests::Scene;

fn exchange_quietly(title: &'static str, channels: usize, length: usize) {
    let scene = Scene::new(title);
    let name = scene.name();
    let program = env!("CARGO_BIN_EXE_quiet");
    let status = Command::new(program).args([name, &channels.to_string(), &length.to_string()]).status();
    let status = status.expect("the program starts");
    assert_eq!(
        status.code(),
        Some(0),
        "1: it allocated; 2: no filter here; killed: it called the system ({status})"
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
