//! Tells the program for which target it is built, so that `--version` can say.
#![allow(clippy::print_stdout, reason = "this is how cargo is spoken to")]

fn main() {
    let target = std::env::var("TARGET").unwrap_or_else(|_| "unknown".to_owned());
    println!("cargo::rustc-env=TDSHM_TARGET={target}");
    println!("cargo::rerun-if-changed=build.rs");
}
