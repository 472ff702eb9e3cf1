//! A cargo that builds for another system: that of the toolchain in use, with the target that rustup adds, or
//! Debian's, which builds the standard library from its source.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian;
use crate::process::{find, printed};
use crate::workspace::Workspace;

/// Windows programs, made with MinGW-w64.
pub(crate) const WINDOWS: &str = "x86_64-pc-windows-gnu";

/// The parts of a Windows program begin on pages of its file, so that Wine maps them. Otherwise it reads them, all of them at each
/// start: 130 ms instead of 30 for `tdshm`.
pub(crate) const IN_PAGES: &str = "-Clink-arg=-Wl,--file-alignment,4096";

const DEBIAN_CARGO: &str = "/usr/bin/cargo";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CLIPPY: &str = "/usr/bin/cargo-clippy";
const DEBIAN_PACKAGES: &[&str] = &["rustc-web", "cargo-web", "rust-web-src", "rust-web-clippy"];

/// How to build for a target.
#[derive(Debug, Clone)]
pub(crate) struct Cross {
    target: &'static str,
    /// Where Debian's cargo builds, so that the two toolchains do not redo each other's work; `None`: the toolchain in
    /// use has the target.
    debian: Option<PathBuf>,
}

impl Cross {
    /// Finds a way, and fetches what it needs.
    ///
    /// # Errors
    ///
    /// What is missing and how to install it, in one line.
    pub(crate) fn to(ws: &Workspace, target: &'static str) -> Result<Self, String> {
        if !has_std(ws, target) {
            println!("    {target} is not installed: trying `rustup target add {target}`");
            let mut rustup = Command::new("rustup");
            // Whether it worked shows in what is there afterwards.
            let _ = rustup.args(["target", "add", target]).current_dir(ws.root()).status();
        }
        if has_std(ws, target) {
            return Ok(Self { target, debian: None });
        }
        println!(
            "    rustup cannot add it here: trying Debian's toolchain, and the standard library from its source"
        );
        let what = format!("a toolchain for {target} (`rustup target add {target}` failed)");
        debian::ensure(&what, DEBIAN_PACKAGES, debian_is_there)?;
        Ok(Self { target, debian: Some(ws.target().join("debian")) })
    }

    /// A cargo at the root of the workspace that builds for the target.
    pub(crate) fn cargo<'a>(&self, ws: &Workspace, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = ws.cargo(args);
        if let Some(target) = &self.debian {
            let mut debian = Command::new(DEBIAN_CARGO);
            debian.args(command.get_args()).current_dir(ws.root());
            command = debian;
            let path = std::env::var("PATH").unwrap_or_default();
            command
                .env("PATH", format!("/usr/bin:/bin:{path}"))
                .env("CARGO", DEBIAN_CARGO)
                .env("RUSTC", DEBIAN_RUSTC)
                .env("RUSTDOC", "/usr/bin/rustdoc")
                .env("RUSTC_BOOTSTRAP", "1")
                // The same as -Zbuild-std, also for cargo's external subcommands.
                .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort,panic_unwind,proc_macro,test")
                .env("CARGO_TARGET_DIR", target)
                .env_remove("RUSTUP_TOOLCHAIN")
                .env_remove("LD_LIBRARY_PATH");
        }
        command.env("CARGO_BUILD_TARGET", self.target);
        if self.target == WINDOWS {
            command.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS", IN_PAGES);
        }
        command
    }

    /// Where programs for the target lie: below it, a folder a profile.
    pub(crate) fn folder(&self, ws: &Workspace) -> PathBuf {
        self.debian.as_deref().unwrap_or_else(|| ws.target()).join(self.target)
    }
}

/// Whether the toolchain in use has the standard library of `target`.
fn has_std(ws: &Workspace, target: &str) -> bool {
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--print", "target-libdir", "--target", target]).current_dir(ws.root());
    printed(rustc).is_some_and(|folder| Path::new(&folder).is_dir())
}

fn debian_is_there() -> bool {
    let mut rustc = Command::new(DEBIAN_RUSTC);
    rustc.args(["--print", "sysroot"]).env_remove("LD_LIBRARY_PATH");
    let source = |sysroot: String| Path::new(&sysroot).join("lib/rustlib/src/rust/library/std/Cargo.toml");
    find(&[DEBIAN_CARGO]).is_some()
        && find(&[DEBIAN_CLIPPY]).is_some()
        && printed(rustc).is_some_and(|sysroot| source(sysroot).is_file())
}
