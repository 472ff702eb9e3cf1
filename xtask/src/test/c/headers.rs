//! The headers by every compiler, each alone and all together in two files of one program.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::build::newest;
use super::passed;
use crate::steps::Outcome;
use crate::workspace::Workspace;

const FOLDER: &str = "crates/tdshm-capi/include";
const C: &[(&str, &[&str])] = &[
    ("gcc", &["-std=c99", "-std=c11"]),
    ("clang", &["-std=c99", "-std=c11"]),
    ("x86_64-w64-mingw32-gcc", &["-std=c99", "-std=c11"]),
];
const CPP: &[(&str, &[&str])] = &[
    ("g++", &["-std=c++17", "-std=c++20"]),
    ("clang++", &["-std=c++17", "-std=c++20"]),
    ("x86_64-w64-mingw32-g++", &["-std=c++17", "-std=c++20"]),
];
const WARNINGS: &[&str] =
    &["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Werror"];
/// What C++ alone knows of what people ask for besides, and what one compiler alone knows.
const WARNINGS_OF_CPP: &[&str] = &["-Wold-style-cast", "-Wnon-virtual-dtor"];
const WARNINGS_OF_GNU: &[&str] = &["-Wuseless-cast"];
/// How people build who do without.
const WITHOUT: &[&str] = &["-fno-exceptions", "-fno-rtti"];
/// What C understands of them.
const FOR_C: &str = "tdshm/tdshm.h";

/// Compiles all of them in all ways.
pub(super) fn compile(ws: &Workspace) -> Result<(), Outcome> {
    let include = ws.root().join(FOLDER);
    let headers = headers(&include)?;
    if headers.len() < 10 || !headers.iter().any(|header| header == FOR_C) {
        return Err(Outcome::Failed(format!("{FOLDER} has no headers: {headers:?}")));
    }
    for header in &headers {
        let path = include.join(header);
        let text = fs::read(&path).map_err(|e| failed(&path, &e))?;
        // Visual C++ reads them in the code page of its user's country.
        if let Some(line) = text.split(|byte| *byte == b'\n').position(|line| !line.is_ascii()) {
            return Err(Outcome::Failed(format!("{header}:{}: not ASCII", line.saturating_add(1))));
        }
    }
    let scratch = ws.target().join("cpp").join("headers");
    fs::create_dir_all(&scratch).map_err(|e| failed(&scratch, &e))?;
    // What has been compiled already is as it was.
    let stamp = scratch.join("done");
    let done = fs::metadata(&stamp).and_then(|about| about.modified()).ok();
    if done.is_some() && done > newest(&[&include]) {
        return Ok(());
    }
    let mut jobs = Vec::new();
    for (index, header) in headers.iter().enumerate() {
        let mut add = |compilers: &[(&str, &[&str])], extension: &str| -> Result<(), Outcome> {
            // Twice: what has no guard is found.
            let source = scratch.join(format!("alone{index}.{extension}"));
            let text = format!("#include <{header}>\n#include <{header}>\nextern int there;\nint there;\n");
            fs::write(&source, text).map_err(|e| failed(&source, &e))?;
            for (compiler, standards) in compilers {
                let gnu = *compiler == "g++" || compiler.ends_with("-g++");
                for (index, standard) in standards.iter().enumerate() {
                    let mut command = Command::new(compiler);
                    command.arg(standard).args(WARNINGS);
                    if extension == "cpp" {
                        command.args(WARNINGS_OF_CPP).args(if gnu { WARNINGS_OF_GNU } else { &[] });
                        // The newer standard, as people build who do without.
                        command.args(if index > 0 { WITHOUT } else { &[] });
                    }
                    command.arg("-fsyntax-only").arg("-I").arg(&include).arg(&source);
                    jobs.push(command);
                }
            }
            Ok(())
        };
        if header == FOR_C {
            add(C, "c")?;
        }
        add(CPP, "cpp")?;
    }
    run_all(jobs)?;
    for (compiler, standards) in CPP {
        for standard in *standards {
            together(&include, &headers, &scratch, compiler, standard)?;
        }
    }
    fs::write(&stamp, "").map_err(|e| failed(&stamp, &e))
}

/// Two files with all headers become one program without a word of the linker.
fn together(
    include: &Path,
    headers: &[String],
    scratch: &Path,
    compiler: &str,
    standard: &str,
) -> Result<(), Outcome> {
    let includes: String = headers.iter().map(|header| format!("#include <{header}>\n")).collect();
    let one = scratch.join("one.cpp");
    let two = scratch.join("two.cpp");
    let uses = "extern const void *use();\nconst void *use() { return &tdshm::category(); }\n";
    fs::write(&one, format!("{includes}{uses}")).map_err(|e| failed(&one, &e))?;
    let main = "extern const void *use();\nint main() { return use() == &tdshm::category() ? 0 : 1; }\n";
    fs::write(&two, format!("{includes}{main}")).map_err(|e| failed(&two, &e))?;
    // Without the library: nothing of it is called, so what is asked for twice would be the headers' own.
    let functions = ["text", "kind"].map(|what| format!("tdshm_status_{what}"));
    let stand_in = scratch.join("stand_in.cpp");
    let text = format!(
        "#include <{FOR_C}>\nextern \"C\" const char *{}(tdshm_status_t) {{ return \"\"; }}\n\
         extern \"C\" tdshm_kind_t {}(tdshm_status_t) {{ return 0; }}\n",
        functions[0], functions[1]
    );
    fs::write(&stand_in, text).map_err(|e| failed(&stand_in, &e))?;
    let mut command = Command::new(compiler);
    command.arg(standard).args(WARNINGS).args(["-O1", "-ffunction-sections", "-Wl,--gc-sections"]);
    command.arg("-I").arg(include).arg(&one).arg(&two).arg(&stand_in);
    command.arg("-o").arg(scratch.join(format!("together-{compiler}{standard}.exe")));
    passed(command)
}

/// All headers, as programs include them.
fn headers(include: &Path) -> Result<Vec<String>, Outcome> {
    let mut headers = Vec::new();
    let mut folders = vec![PathBuf::from("tdshm")];
    while let Some(folder) = folders.pop() {
        let place = include.join(&folder);
        for entry in fs::read_dir(&place).map_err(|e| failed(&place, &e))?.flatten() {
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                folders.push(path);
            } else {
                headers.push(path.to_string_lossy().replace('\\', "/"));
            }
        }
    }
    headers.sort();
    Ok(headers)
}

/// Runs commands, as many at once as there are processors.
fn run_all(commands: Vec<Command>) -> Result<(), Outcome> {
    let at_once = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut commands = commands.into_iter().peekable();
    while commands.peek().is_some() {
        let some: Vec<Command> = commands.by_ref().take(at_once).collect();
        let done: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                some.into_iter().map(|command| scope.spawn(move || passed(command))).collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect()
        });
        for one in done {
            one.unwrap_or_else(|_| Err(Outcome::Failed("a compiler could not be watched".to_owned())))?;
        }
    }
    Ok(())
}

fn failed(place: &Path, error: &std::io::Error) -> Outcome {
    Outcome::Failed(format!("{}: {error}", place.display()))
}
