//! The library as strangers find it: installed into a folder that is moved afterwards, and found there by CMake and by
//! pkg-config, as an archive and as a shared library; and the checkout as a part of somebody's CMake project.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::passed;
use crate::import_library;
use crate::install::{self, Profile, System};
use crate::process::printed;
use crate::steps::Outcome;
use crate::wine::Wine;
use crate::workspace::Workspace;

/// Installs, moves, builds and runs.
pub(super) fn build_and_run(ws: &Workspace) -> Result<(), Outcome> {
    let place = ws.target().join("cpp").join("consumers");
    let _ = fs::remove_dir_all(&place);
    let first = place.join("first");
    install::install(ws, System::Here, Profile::Dev, &first)
        .map_err(|e| Outcome::Failed(format!("{e:#}")))?;
    // Whatever points back is found by this.
    let prefix = place.join("moved here");
    fs::rename(&first, &prefix)
        .map_err(|e| Outcome::Failed(format!("cannot move what was installed: {e}")))?;
    // The headers name them.
    for name in ["docs/cpp.md", "docs/protocol.md"] {
        if !prefix.join("share/tdshm").join(name).is_file() {
            return Err(Outcome::Failed(format!("{name} is not installed")));
        }
    }
    for shared in [false, true] {
        with_cmake(&place, &prefix, shared)?;
        with_pkg_config(&place, &prefix, shared)?;
    }
    refused(&place, &prefix)?;
    checkout(ws, &place)
}

/// The examples, as they were installed, with the CMakeLists.txt beside them.
fn with_cmake(place: &Path, prefix: &Path, shared: bool) -> Result<(), Outcome> {
    for language in ["cpp", "c"] {
        let build = place.join(format!("cmake-{language}-{shared}"));
        let mut cmake = Command::new("cmake");
        cmake.arg("-S").arg(prefix.join("share/tdshm/examples").join(language)).arg("-B").arg(&build);
        cmake.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()));
        cmake.arg(format!("-DBUILD_SHARED_LIBS={}", if shared { "ON" } else { "OFF" }));
        cmake.args(["--no-warn-unused-cli", "-Wno-dev", "--log-level=WARNING"]);
        passed(cmake)?;
        let mut cmake = Command::new("cmake");
        cmake.arg("--build").arg(&build).args(["--parallel", "--", "-s"]);
        passed(cmake)?;
        if language == "cpp" {
            runs(&build.join("version"), shared, None)?;
        } else {
            is_linked(&build.join("receive"), shared, None)?;
        }
    }
    Ok(())
}

fn with_pkg_config(place: &Path, prefix: &Path, shared: bool) -> Result<(), Outcome> {
    let ask = |what: &[&str]| {
        let mut pkg_config = Command::new("pkg-config");
        pkg_config.args(what).env("PKG_CONFIG_PATH", prefix.join("lib/pkgconfig"));
        let said = printed(pkg_config);
        said.ok_or_else(|| Outcome::Failed(format!("pkg-config {} says nothing", what.join(" "))))
    };
    let program = place.join(format!("pkg-config-{shared}"));
    // As a shell takes it apart; the blank in the folder's name comes with a backslash.
    let flags = ask(&["--cflags", "--libs", if shared { "tdshm" } else { "tdshm-static" }])?;
    let source = prefix.join("share/tdshm/examples/cpp/version.cpp");
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!("g++ -std=c++17 \"$1\" -o \"$2\" {flags}"))
        .arg("sh")
        .arg(source)
        .arg(&program);
    passed(shell)?;
    runs(&program, shared, Some(&prefix.join("lib")))
}

/// It runs, and is linked as was asked for.
fn runs(program: &Path, shared: bool, library: Option<&PathBuf>) -> Result<(), Outcome> {
    let mut run = Command::new(program);
    run.arg("--version");
    if let Some(library) = library {
        run.env("LD_LIBRARY_PATH", library);
    }
    let said = printed(run).unwrap_or_default();
    if !said.starts_with("tdshm 0.") {
        return Err(Outcome::Failed(format!("{} says {said:?}", program.display())));
    }
    is_linked(program, shared, library)
}

fn is_linked(program: &Path, shared: bool, library: Option<&PathBuf>) -> Result<(), Outcome> {
    let mut ldd = Command::new("ldd");
    ldd.arg(program);
    if let Some(library) = library {
        ldd.env("LD_LIBRARY_PATH", library);
    }
    let linked = printed(ldd).unwrap_or_default();
    if linked.contains("libtdshm.so.0") != shared {
        return Err(Outcome::Failed(format!("{} is linked to {linked}", program.display())));
    }
    Ok(())
}

/// What is installed for Windows, as Visual C++ finds it: LLVM's linker in the place of link.exe, and Wine.
pub(super) fn with_visual_cpp(ws: &Workspace, wine: &Wine) -> Result<(), Outcome> {
    let place = ws.target().join("cpp").join("visual");
    let _ = fs::remove_dir_all(&place);
    let prefix = place.join("installed");
    install::install(ws, System::Windows, Profile::Dev, &prefix)
        .map_err(|e| Outcome::Failed(format!("{e:#}")))?;

    // CMake knows no Visual C++ here, so it is told that it has one.
    let project = place.join("project");
    let text = "cmake_minimum_required(VERSION 3.16)\nproject(x LANGUAGES NONE)\nset(WIN32 1)\nset(MSVC 1)\n\
                find_package(tdshm REQUIRED)\nget_target_property(which tdshm::tdshm INTERFACE_LINK_LIBRARIES)\n\
                foreach(what IMPORTED_IMPLIB IMPORTED_LOCATION)\nget_target_property(file ${which} ${what})\n\
                if(NOT EXISTS \"${file}\")\nmessage(FATAL_ERROR \"${what} of ${which}: ${file}\")\nendif()\nendforeach()\n";
    fs::create_dir_all(&project).map_err(|e| Outcome::Failed(e.to_string()))?;
    fs::write(project.join("CMakeLists.txt"), text).map_err(|e| Outcome::Failed(e.to_string()))?;
    let mut cmake = Command::new("cmake");
    cmake.arg("-S").arg(&project).arg("-B").arg(place.join("build")).arg("--log-level=WARNING");
    cmake.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display()));
    passed(cmake)?;

    let object = place.join("import_library.o");
    let mut compiler = Command::new("x86_64-w64-mingw32-gcc");
    compiler.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-fno-stack-protector", "-c"]);
    compiler.arg("-I").arg(prefix.join("include")).arg("-o").arg(&object);
    compiler.arg(ws.root().join("crates/tdshm-capi/tests/cpp/import_library.c"));
    passed(compiler)?;
    let mut system = Command::new("x86_64-w64-mingw32-gcc");
    system.arg("-print-file-name=libkernel32.a");
    let kernel = printed(system).unwrap_or_default();
    let program = prefix.join("bin/import_library.exe");
    let mut linker = import_library::linker(ws).map_err(Outcome::NotRun)?;
    linker.args(["/entry:start", "/subsystem:console", "/nodefaultlib"]);
    linker
        .arg(format!("/out:{}", program.display()))
        .arg(&object)
        .arg(prefix.join("lib/tdshm.lib"))
        .arg(kernel);
    passed(linker)?;
    match wine.program(&program).status() {
        Ok(status) if status.code() == Some(42) => Ok(()),
        said => Err(Outcome::Failed(format!("{} says {said:?}", program.display()))),
    }
}

/// A version that is not compatible is not found.
fn refused(place: &Path, prefix: &Path) -> Result<(), Outcome> {
    let project = place.join("refused");
    fs::create_dir_all(&project).map_err(|e| Outcome::Failed(e.to_string()))?;
    for (version, found) in [("0.1", true), ("0.1.0", true), ("0.2", false), ("1", false), ("0.0.9", false)] {
        let text = format!(
            "cmake_minimum_required(VERSION 3.16)\nproject(x LANGUAGES CXX)\nfind_package(tdshm {version} QUIET)\n\
             if(NOT \"${{tdshm_FOUND}}\" STREQUAL \"{}\")\nmessage(FATAL_ERROR \"{version}: ${{tdshm_FOUND}}\")\nendif()\n",
            if found { "1" } else { "0" }
        );
        fs::write(project.join("CMakeLists.txt"), text).map_err(|e| Outcome::Failed(e.to_string()))?;
        let mut cmake = Command::new("cmake");
        cmake.arg("-S").arg(&project).arg("-B").arg(project.join(format!("build-{version}")));
        cmake.arg(format!("-DCMAKE_PREFIX_PATH={}", prefix.display())).arg("--log-level=WARNING");
        passed(cmake)?;
    }
    Ok(())
}

/// The checkout itself in a project, as FetchContent brings it: CMake calls cargo.
fn checkout(ws: &Workspace, place: &Path) -> Result<(), Outcome> {
    let project = place.join("checkout");
    fs::create_dir_all(&project).map_err(|e| Outcome::Failed(e.to_string()))?;
    let root = ws.root().display();
    let text = format!(
        "cmake_minimum_required(VERSION 3.16)\nproject(x LANGUAGES CXX)\n\
         add_subdirectory(\"{root}/crates/tdshm-capi\" tdshm)\n\
         add_executable(version \"{root}/examples/cpp/version.cpp\")\n\
         target_link_libraries(version PRIVATE tdshm::tdshm)\n"
    );
    fs::write(project.join("CMakeLists.txt"), text).map_err(|e| Outcome::Failed(e.to_string()))?;
    let build = project.join("build");
    let mut cmake = Command::new("cmake");
    cmake.arg("-S").arg(&project).arg("-B").arg(&build).arg("--log-level=WARNING");
    // What is built already for the tests is built.
    cmake.arg("-DCMAKE_BUILD_TYPE=Debug").arg(format!("-DTDSHM_CARGO_TARGET_DIR={}", ws.target().display()));
    passed(cmake)?;
    let mut cmake = Command::new("cmake");
    cmake.arg("--build").arg(&build).args(["--", "-s"]);
    passed(cmake)?;
    runs(&build.join("version"), false, None)
}
