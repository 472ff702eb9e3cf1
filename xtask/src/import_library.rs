//! `tdshm.lib` and `tdshm.def`: what programs that Visual C++ links need to find the functions of `tdshm.dll`. The import
//! library of MinGW-w64 is laid out for its own linker.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::debian;
use crate::process::{find, outcome, printed, works};
use crate::steps::Outcome;
use crate::workspace::Workspace;

/// LLVM's linker for Windows, which makes such libraries as well, where the toolchain has none of its own.
const LINKERS: &[&str] = &["lld-link", "/usr/lib/llvm-19/bin/lld-link", "/usr/lib/llvm-14/bin/lld-link"];

/// Makes both in the folder `lib`, for the functions that the C header declares.
///
/// # Errors
///
/// When there is no linker that makes them, or the folder cannot be written.
pub(crate) fn make(ws: &Workspace, header: &Path, lib: &Path) -> Result<()> {
    let header = fs::read_to_string(header).with_context(|| format!("no {}", header.display()))?;
    let definitions = lib.join("tdshm.def");
    fs::write(&definitions, module_definition(&header)).context("cannot write tdshm.def")?;
    let mut linker = linker(ws).map_err(anyhow::Error::msg)?;
    linker.arg("/lib").arg("/def:tdshm.def").arg("/out:tdshm.lib").arg("/machine:x64").current_dir(lib);
    match outcome(linker) {
        Outcome::Passed => Ok(()),
        other => Err(other.into_error()),
    }
}

/// A linker that takes the arguments of link.exe.
///
/// # Errors
///
/// What to install.
pub(crate) fn linker(ws: &Workspace) -> Result<Command, String> {
    if let Some(rust) = rust_lld(ws) {
        let mut command = Command::new(rust);
        command.args(["-flavor", "link"]);
        return Ok(command);
    }
    debian::ensure("LLVM's linker", &["lld"], || find(LINKERS).is_some())?;
    find(LINKERS)
        .map(Command::new)
        .ok_or_else(|| "LLVM's lld-link is not found: put it on the PATH".to_owned())
}

/// The one that rustup's toolchains bring.
fn rust_lld(ws: &Workspace) -> Option<PathBuf> {
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--print", "target-libdir"]).current_dir(ws.root());
    let program = PathBuf::from(printed(rustc)?).parent()?.join("bin").join("rust-lld");
    let mut asked = Command::new(&program);
    asked.args(["-flavor", "link", "/?"]);
    works(asked).then_some(program)
}

/// What a DLL has for others, in the words of link.exe.
fn module_definition(header: &str) -> String {
    let mut functions: Vec<&str> = header
        .lines()
        .filter(|line| !line.trim_start().starts_with(['*', '/', '#']))
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("tdshm_"))
        .collect();
    functions.sort_unstable();
    functions.dedup();
    let lines: String = functions.iter().map(|name| format!("    {name}\n")).collect();
    format!("LIBRARY tdshm.dll\nEXPORTS\n{lines}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_and_nothing_else() {
        let header = " * tdshm_free(it) in a comment\n#define TDSHM_X(a) tdshm_x(a)\n/* tdshm_y(1) */\n\
                      tdshm_status_t tdshm_b(const char *name,\n                       size_t bytes);\n\
                      const char *tdshm_a(void);\nuint32_t tdshm_c(void);\n";
        assert_eq!(
            module_definition(header),
            "LIBRARY tdshm.dll\nEXPORTS\n    tdshm_a\n    tdshm_b\n    tdshm_c\n"
        );
    }
}
