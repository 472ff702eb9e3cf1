//! For macOS, type-checked: with the one library in C that zenoh brings, the cryptography of its links.

use std::process::Command;

use super::CLIPPY;
use crate::cross::Cross;
use crate::debian;
use crate::process::find;
use crate::steps::{Outcome, Step};
use crate::test::with_component;
use crate::workspace::Workspace;

/// Both kinds of Mac.
const TARGETS: [(&str, &str); 2] =
    [("zenoh: macOS, Apple silicon", "aarch64-apple-darwin"), ("zenoh: macOS, Intel", "x86_64-apple-darwin")];

/// It compiles for every system; what comes out is never linked.
const C_COMPILER: &str = "clang";
/// In the place of macOS's SDK: the one header of it that `ring` includes. The rest it does without, as it does where there
/// is no C library.
const SDK: &str = "xtask/macos";
const FLAGS: &str = "-ffreestanding -nostdlibinc -DRING_CORE_NOSTDLIBINC=1";

pub(super) fn steps(ws: &Workspace) -> impl Iterator<Item = Step<'_>> {
    TARGETS.into_iter().map(move |(name, target)| Step::new(name, move || check(ws, target)))
}

fn check(ws: &Workspace, target: &'static str) -> Outcome {
    let ready = || {
        debian::ensure("clang", &[C_COMPILER], || find(&[C_COMPILER]).is_some())?;
        Cross::to(ws, target)
    };
    match ready() {
        Ok(cross) => with_component(ws, "clippy", "clippy", || {
            let mut cargo = cross.cargo(ws, CLIPPY.iter().copied());
            if !cfg!(target_os = "macos") {
                compile_c(ws, &mut cargo, target);
            }
            cargo
        }),
        Err(missing) => Outcome::NotRun(missing),
    }
}

/// Says how C is compiled for a Mac.
fn compile_c(ws: &Workspace, cargo: &mut Command, target: &str) {
    let sdk = ws.root().join(SDK);
    let name = |what: &str| format!("{what}_{}", target.replace('-', "_"));
    cargo.env(name("CC"), C_COMPILER).env(name("AR"), "ar").env("SDKROOT", &sdk);
    // A flag for each word, whatever the folder is called.
    cargo.env("CC_SHELL_ESCAPED_FLAGS", "1");
    cargo.env(name("CFLAGS"), format!("{FLAGS} -isystem '{}'", sdk.display()));
}
