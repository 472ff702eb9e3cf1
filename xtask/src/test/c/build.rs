//! The programs in C and C++ of the tests and examples, compiled.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::passed;
use crate::install::{LINUX_LIBRARIES, WINDOWS_LIBRARIES};
use crate::steps::Outcome;
use crate::workspace::Workspace;

const TESTS: &str = "crates/tdshm-capi/tests/cpp";
const INCLUDE: &str = "crates/tdshm-capi/include";
/// For all of them.
const WARNINGS: &[&str] = &["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-g", "-O1"];

/// A kind of programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// As people build them.
    Plain,
    /// With AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer.
    Sanitized,
    /// For Windows, with MinGW-w64.
    Windows,
}

/// One program: its name, its source from the root, and what it is compiled with.
struct Source {
    name: &'static str,
    path: &'static str,
    flags: &'static [&'static str],
}

const fn cpp(name: &'static str, path: &'static str) -> Source {
    Source { name, path, flags: &["-std=c++17"] }
}

const SOURCES: &[Source] = &[
    Source { name: "misuse", path: "misuse.c", flags: &["-std=c99"] },
    cpp("classic_checks", "classic_checks.cpp"),
    cpp("modern_checks", "modern_checks.cpp"),
    Source {
        name: "modern_checks_without_exceptions",
        path: "modern_checks.cpp",
        flags: &["-std=c++20", "-fno-exceptions"],
    },
    cpp("classic_peer", "classic_peer.cpp"),
    cpp("modern_peer", "modern_peer.cpp"),
    cpp("fragments", "fragments.cpp"),
    Source { name: "fragments_narrow", path: "fragments.cpp", flags: &["-std=c++17", "-DNARROW"] },
    cpp("example_send", "../../../../examples/cpp/send.cpp"),
    cpp("example_receive", "../../../../examples/cpp/receive.cpp"),
    cpp("example_send_image", "../../../../examples/cpp/send_image.cpp"),
    cpp("example_receive_image", "../../../../examples/cpp/receive_image.cpp"),
    cpp("example_classic_send", "../../../../examples/cpp/classic_send.cpp"),
    Source { name: "example_receive_c", path: "../../../../examples/c/receive.c", flags: &["-std=c99"] },
];

/// Programs of one kind, in a folder of their own.
#[derive(Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
    flavour: Flavour,
}

impl Programs {
    /// Compiles all of them, linked to the library in the folder `library`; what is newer than all it is made of stays.
    pub(crate) fn build(ws: &Workspace, flavour: Flavour, library: &Path) -> Result<Self, Outcome> {
        let folder = ws.target().join("cpp").join(match flavour {
            Flavour::Plain => "plain",
            Flavour::Sanitized => "sanitized",
            Flavour::Windows => "windows",
        });
        fs::create_dir_all(&folder)
            .map_err(|e| Outcome::Failed(format!("cannot make {}: {e}", folder.display())))?;
        let programs = Self { folder, flavour };
        let archive = library.join("libtdshm.a");
        let newest = newest(&[
            &ws.root().join(TESTS),
            &ws.root().join(INCLUDE),
            &ws.root().join("examples"),
            &archive,
        ]);
        // As many at a time as there are processors: each takes a second or two.
        let at_once = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        for sources in SOURCES.chunks(at_once) {
            let compile = |source| programs.compile(ws, source, &archive, newest);
            let compiled: Vec<_> = std::thread::scope(|scope| {
                let threads: Vec<_> =
                    sources.iter().map(|source| scope.spawn(move || compile(source))).collect();
                threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
            });
            for one in compiled {
                one.unwrap_or_else(|_| Err(Outcome::Failed("a compiler could not be watched".to_owned())))?;
            }
        }
        Ok(programs)
    }

    fn compile(
        &self,
        ws: &Workspace,
        source: &Source,
        archive: &Path,
        newest: Option<std::time::SystemTime>,
    ) -> Result<(), Outcome> {
        let program = self.program(source.name);
        let built = fs::metadata(&program).and_then(|about| about.modified()).ok();
        if built.is_some() && built > newest {
            return Ok(());
        }
        let path = ws.root().join(TESTS).join(source.path);
        let is_c = source.path.ends_with(".c");
        let windows = self.flavour == Flavour::Windows;
        let mut compiler = Command::new(match (windows, is_c) {
            (false, false) => "g++",
            (false, true) => "gcc",
            (true, false) => "x86_64-w64-mingw32-g++",
            (true, true) => "x86_64-w64-mingw32-gcc",
        });
        compiler.args(source.flags).args(WARNINGS).arg("-I").arg(ws.root().join(INCLUDE));
        compiler.arg("-I").arg(ws.root().join(INCLUDE).join("tdshm/compat"));
        if self.flavour == Flavour::Sanitized {
            compiler.args([
                "-fsanitize=address,undefined",
                "-fno-sanitize-recover=all",
                "-fno-omit-frame-pointer",
            ]);
        }
        compiler.arg(&path).arg("-o").arg(&program).arg(archive);
        let libraries = if windows { WINDOWS_LIBRARIES } else { LINUX_LIBRARIES };
        compiler.args(libraries.iter().map(|library| format!("-l{library}")));
        if windows {
            compiler.arg("-static");
        }
        passed(compiler)
    }

    /// A program by its name.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        let program = self.folder.join(name);
        if self.flavour == Flavour::Windows { program.with_extension("exe") } else { program }
    }

    /// Tells the tests where they are.
    pub(crate) fn environment(&self, tests: &mut Command) {
        tests.env("TDSHM_CPP_PROGRAMS", &self.folder);
        for (variable, name) in [("TDSHM_CLASSIC_PEER", "classic_peer"), ("TDSHM_MODERN_PEER", "modern_peer")]
        {
            tests.env(variable, self.program(name));
        }
        if self.flavour == Flavour::Sanitized {
            tests.env("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=1");
            tests.env("UBSAN_OPTIONS", "print_stacktrace=1");
        }
    }

    /// Runs those that check themselves, watched for every byte.
    pub(crate) fn under_valgrind(&self) -> Result<(), Outcome> {
        for name in ["misuse", "classic_checks", "modern_checks"] {
            let mut valgrind = Command::new("valgrind");
            valgrind.args([
                "--quiet",
                "--error-exitcode=9",
                "--leak-check=full",
                "--errors-for-leak-kinds=definite",
            ]);
            let short = format!("valgrind{}{name}", std::process::id());
            valgrind.arg(self.program(name)).arg(&short);
            let watched = passed(valgrind);
            // Locks stay on purpose; these are nobody's.
            for object in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
                if object.file_name().to_string_lossy().contains(&short) {
                    let _ = fs::remove_file(object.path());
                }
            }
            watched?;
        }
        Ok(())
    }
}

/// When the newest file in these places was written.
pub(super) fn newest(places: &[&Path]) -> Option<std::time::SystemTime> {
    let mut newest = None;
    let mut left: Vec<PathBuf> = places.iter().map(|place| place.to_path_buf()).collect();
    while let Some(place) = left.pop() {
        match fs::read_dir(&place) {
            Ok(entries) => left.extend(entries.flatten().map(|entry| entry.path())),
            Err(_) => newest = newest.max(fs::metadata(&place).and_then(|about| about.modified()).ok()),
        }
    }
    newest
}
