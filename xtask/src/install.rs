//! `cargo xtask install`: the C and C++ libraries with their headers and what build systems look for, in a folder that may
//! be moved; and `cargo xtask archive`, which makes such a folder into what is published for a system.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;

use crate::cross::{Cross, WINDOWS};
use crate::debian;
use crate::import_library;
use crate::process::{find, outcome};
use crate::steps::Outcome;
use crate::workspace::Workspace;

const PACKAGE: &str = "tdshm-capi";
const MINGW: &[&str] = &["gcc-mingw-w64-x86-64", "g++-mingw-w64-x86-64"];
/// The libraries of the system that the archive needs, as `rustc --print native-static-libs` lists them.
pub(crate) const LINUX_LIBRARIES: &[&str] = &["gcc_s", "util", "rt", "pthread", "m", "dl", "c"];
const MACOS_LIBRARIES: &[&str] = &["System", "c", "m"];
pub(crate) const WINDOWS_LIBRARIES: &[&str] = &["kernel32", "ntdll", "userenv", "ws2_32", "dbghelp"];

/// Where to put what is for C and C++.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The folder: include/, lib/, bin/ and share/ come to lie in it
    #[arg(long, value_name = "FOLDER")]
    prefix: PathBuf,
    /// For which system
    #[arg(long, value_enum, default_value_t = System::Here)]
    target: System,
    /// Without optimisation: for those who work on the library
    #[arg(long)]
    dev: bool,
}

/// What is made for publication.
#[derive(Debug, clap::Args)]
pub(crate) struct ArchiveOptions {
    /// Where the archives come to lie [default: target/archives]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// For which systems [default: this one]
    #[arg(long, value_enum, value_delimiter = ',')]
    target: Vec<System>,
}

/// A system to build for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum System {
    /// This one
    Here,
    /// Windows, with MinGW-w64
    Windows,
}

/// How the libraries are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// As people use them.
    Release,
    /// Soon.
    Dev,
}

impl System {
    /// Windows on Windows is here as well.
    fn is_windows(self) -> bool {
        self == Self::Windows || cfg!(windows)
    }

    fn triple(self) -> String {
        match self {
            Self::Windows => WINDOWS.to_owned(),
            Self::Here => {
                format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS)
            }
        }
    }

    /// The libraries as cargo makes them, and the names under which they are installed, from the prefix.
    fn libraries(self, version: &str) -> Vec<(&'static str, String)> {
        if self.is_windows() {
            return vec![
                ("libtdshm.a", "lib/libtdshm.a".to_owned()),
                ("libtdshm.dll.a", "lib/libtdshm.dll.a".to_owned()),
                ("tdshm.dll", "bin/tdshm.dll".to_owned()),
            ];
        }
        if cfg!(target_os = "macos") {
            return vec![
                ("libtdshm.a", "lib/libtdshm.a".to_owned()),
                ("libtdshm.dylib", "lib/libtdshm.dylib".to_owned()),
            ];
        }
        vec![
            ("libtdshm.a", "lib/libtdshm.a".to_owned()),
            ("libtdshm.so", format!("lib/libtdshm.so.{version}")),
        ]
    }
}

/// Builds and installs.
///
/// # Errors
///
/// When it cannot be built, or the folder not be written.
pub(crate) fn run(ws: &Workspace, options: &Options) -> Result<()> {
    let profile = if options.dev { Profile::Dev } else { Profile::Release };
    install(ws, options.target, profile, &options.prefix)?;
    println!("{}: for C and C++, see docs/cpp.md", options.prefix.display());
    Ok(())
}

/// Makes the archives.
///
/// # Errors
///
/// As [`run`], and when they cannot be packed.
pub(crate) fn archive(ws: &Workspace, options: &ArchiveOptions) -> Result<()> {
    let out = options.out.clone().unwrap_or_else(|| ws.target().join("archives"));
    let systems = if options.target.is_empty() { &[System::Here][..] } else { &options.target };
    debian::ensure("CMake", &["cmake"], || find(&["cmake"]).is_some()).map_err(anyhow::Error::msg)?;
    let version = version(ws)?;
    fs::create_dir_all(&out).with_context(|| format!("cannot make {}", out.display()))?;
    let mut files = Vec::new();
    for system in systems {
        let name = format!("tdshm-{version}-{}", system.triple());
        let folder = out.join(&name);
        let _ = fs::remove_dir_all(&folder);
        install(ws, *system, Profile::Release, &folder)?;
        let (file, kind) = if system.is_windows() {
            (format!("{name}.zip"), "cf")
        } else {
            (format!("{name}.tar.gz"), "czf")
        };
        let _ = fs::remove_file(out.join(&file));
        let mut tar = Command::new("cmake");
        tar.args(["-E", "tar", kind, &file]);
        if system.is_windows() {
            tar.arg("--format=zip");
        }
        succeed(tar.arg(&name).current_dir(&out))?;
        files.push(file);
    }
    let mut sums = Command::new("cmake");
    let output = sums.args(["-E", "sha256sum"]).args(&files).current_dir(&out).output()?;
    ensure!(output.status.success(), "cmake -E sha256sum: {}", String::from_utf8_lossy(&output.stderr));
    let sums = String::from_utf8_lossy(&output.stdout);
    fs::write(out.join("SHA256SUMS"), sums.as_bytes()).context("cannot write SHA256SUMS")?;
    print!("{sums}");
    Ok(())
}

fn version(ws: &Workspace) -> Result<String> {
    Ok(ws.package(PACKAGE, "is the C library")?.version.to_string())
}

/// Builds the libraries; gives the folder where they lie.
pub(crate) fn build(ws: &Workspace, system: System, profile: Profile) -> Result<PathBuf> {
    let args = ["build", "--locked", "--package", PACKAGE, "--profile"];
    let (name, folder) = match profile {
        Profile::Release => ("release", "release"),
        Profile::Dev => ("dev", "debug"),
    };
    let args = args.into_iter().chain([name]);
    let (cargo, place) = match system {
        System::Here => (ws.cargo(args), ws.target().to_owned()),
        System::Windows => {
            let there = || find(&["x86_64-w64-mingw32-g++"]).is_some();
            debian::ensure("MinGW-w64", MINGW, there).map_err(anyhow::Error::msg)?;
            let cross = Cross::to(ws, WINDOWS).map_err(anyhow::Error::msg)?;
            (cross.cargo(ws, args), cross.folder(ws))
        }
    };
    match outcome(cargo) {
        Outcome::Passed => Ok(place.join(folder)),
        other => Err(other.into_error()),
    }
}

/// Builds the libraries and puts all that belongs to them below `prefix`.
///
/// # Errors
///
/// When it cannot be built, or the folder not be written.
pub(crate) fn install(ws: &Workspace, system: System, profile: Profile, prefix: &Path) -> Result<()> {
    let built = build(ws, system, profile)?;
    let version = version(ws)?;
    let source = ws.root().join("crates").join(PACKAGE);
    for (from, to) in system.libraries(&version) {
        copy(&built.join(from), &prefix.join(to))?;
    }
    shared_names(system, &version, prefix)?;
    copy_folder(&source.join("include"), &prefix.join("include"))?;

    let template = |name: &str, to: PathBuf| -> Result<()> {
        let text =
            fs::read_to_string(source.join("cmake").join(name)).with_context(|| format!("no {name}"))?;
        write(&to, &filled(&text, &version, system))
    };
    for name in ["tdshm-config.cmake", "tdshm-config-version.cmake"] {
        template(name, prefix.join("lib/cmake/tdshm").join(name))?;
    }
    for name in ["tdshm.pc", "tdshm-static.pc"] {
        template(name, prefix.join("lib/pkgconfig").join(name))?;
    }
    if system.is_windows() {
        import_library::make(ws, &source.join("include/tdshm/tdshm.h"), &prefix.join("lib"))?;
    }

    let share = prefix.join("share/tdshm");
    // Below one another as here, so that what leads from one to the other still does.
    for name in ["LICENSE-APACHE", "LICENSE-MIT", "docs/cpp.md", "docs/protocol.md", "CHANGELOG.md"] {
        copy(&ws.root().join(name), &share.join(name))?;
    }
    for language in ["c", "cpp"] {
        copy_folder(&ws.root().join("examples").join(language), &share.join("examples").join(language))?;
    }
    Ok(())
}

/// The names that the linker and the loader look for, which lead to the library itself.
fn shared_names(system: System, version: &str, prefix: &Path) -> Result<()> {
    if system.is_windows() || cfg!(not(target_os = "linux")) {
        return Ok(());
    }
    let lib = prefix.join("lib");
    let library = format!("libtdshm.so.{version}");
    for name in [soname(version), "libtdshm.so".to_owned()] {
        let _ = fs::remove_file(lib.join(&name));
        link(&library, &lib.join(&name))?;
    }
    Ok(())
}

#[cfg(unix)]
fn link(to: &str, place: &Path) -> Result<()> {
    std::os::unix::fs::symlink(to, place).with_context(|| format!("cannot make the link {}", place.display()))
}

#[cfg(not(unix))]
fn link(_to: &str, place: &Path) -> Result<()> {
    anyhow::bail!("there are no links for {} on this system", place.display())
}

/// The name under which programs ask for the shared library: one for all versions that are compatible.
fn soname(version: &str) -> String {
    let parts: Vec<&str> = version.split('.').collect();
    match parts.as_slice() {
        ["0", minor, ..] => format!("libtdshm.so.0.{minor}"),
        [major, ..] => format!("libtdshm.so.{major}"),
        [] => "libtdshm.so".to_owned(),
    }
}

/// A file with its placeholders replaced.
fn filled(text: &str, version: &str, system: System) -> String {
    let semicolons = |libraries: &[&str]| format!("\"{}\"", libraries.join(";"));
    let ours = match system {
        system if system.is_windows() => WINDOWS_LIBRARIES,
        _ if cfg!(target_os = "macos") => MACOS_LIBRARIES,
        _ => LINUX_LIBRARIES,
    };
    let private: Vec<String> = ours.iter().map(|library| format!("-l{library}")).collect();
    text.replace("@VERSION@", version)
        .replace("@LINUX_LIBRARIES@", &semicolons(LINUX_LIBRARIES))
        .replace("@MACOS_LIBRARIES@", &semicolons(MACOS_LIBRARIES))
        .replace("@WINDOWS_LIBRARIES@", &semicolons(WINDOWS_LIBRARIES))
        .replace("@PRIVATE@", &private.join(" "))
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    let entries = fs::read_dir(from).with_context(|| format!("cannot list {}", from.display()))?;
    for entry in entries {
        let path = entry?.path();
        let place = to.join(path.file_name().unwrap_or_default());
        if path.is_dir() { copy_folder(&path, &place)? } else { copy(&path, &place)? }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    make_folder_of(to)?;
    fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

fn write(to: &Path, text: &str) -> Result<()> {
    make_folder_of(to)?;
    fs::write(to, text).with_context(|| format!("cannot write {}", to.display()))
}

fn make_folder_of(file: &Path) -> Result<()> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

fn succeed(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{:?} did not start", command.get_program()))?;
    ensure!(status.success(), "{:?} ended with {status}", command.get_program());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shared_library_is_asked_for_by_what_is_compatible() {
        assert_eq!(soname("0.1.0"), "libtdshm.so.0.1");
        assert_eq!(soname("1.2.3"), "libtdshm.so.1");
    }

    #[test]
    fn every_placeholder_is_replaced() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/tdshm-capi/cmake");
        for name in ["tdshm-config.cmake", "tdshm-config-version.cmake", "tdshm.pc", "tdshm-static.pc"] {
            let text = fs::read_to_string(folder.join(name)).unwrap();
            let filled = filled(&text, "0.1.0", System::Windows);
            assert_ne!(text, filled, "{name}");
            assert!(!filled.contains('@'), "{name}: {filled}");
        }
    }
}
