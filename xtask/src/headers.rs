//! `cargo xtask headers`: the C header, made from the declarations in `crates/tdshm-capi`.
//!
//! The header is committed, so that nobody needs Rust to read it, and its changes are what a review of the ABI reads;
//! `cargo xtask lint` compares it with what would be made now.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use cbindgen::{Builder, Config, DocumentationStyle, Language, SortKey, Style};

use crate::workspace::Workspace;

const CRATE: &str = "crates/tdshm-capi";
/// The header, from the root.
pub(crate) const FILE: &str = "crates/tdshm-capi/include/tdshm/tdshm.h";

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Write the header
    #[arg(long)]
    write: bool,
}

/// Compares, or writes with `--write`.
///
/// # Errors
///
/// When the header is not what the sources make of it, or cannot be read or written.
pub(crate) fn run(ws: &Workspace, options: &Options) -> Result<()> {
    let now = generate(ws)?;
    let path = ws.root().join(FILE);
    if fs::read_to_string(&path).unwrap_or_default() == now {
        println!("    {FILE}: {} lines", now.lines().count());
    } else if options.write {
        fs::write(&path, &now).with_context(|| format!("cannot write {}", path.display()))?;
        println!("    {FILE}: written, {} lines", now.lines().count());
    } else {
        bail!("{FILE} is not what its sources make of it: run `cargo xtask headers --write`");
    }
    Ok(())
}

/// What is wrong with the header that lies there; `None`: nothing.
///
/// # Errors
///
/// When it cannot be made.
pub(crate) fn difference(ws: &Workspace) -> Result<Option<&'static str>> {
    let there = fs::read_to_string(ws.root().join(FILE)).unwrap_or_default();
    let differs = there != generate(ws)?;
    Ok(differs.then_some("is not what its sources make of it: run `cargo xtask headers --write`"))
}

/// The header as the sources make it.
fn generate(ws: &Workspace) -> Result<String> {
    let package = ws.package("tdshm-capi", "has the declarations of the header")?;
    let folder = ws.root().join(CRATE);
    let prelude = fs::read_to_string(folder.join("src/prelude.h")).context("cannot read src/prelude.h")?;
    let version = &package.version;
    let config = Config {
        language: Language::C,
        header: Some(prelude.trim_end().to_owned()),
        include_guard: Some("TDSHM_H".to_owned()),
        cpp_compat: true,
        documentation_style: DocumentationStyle::Doxy,
        style: Style::Both,
        usize_is_size_t: true,
        line_length: 118,
        sys_includes: ["stddef.h", "stdint.h", "string.h"].map(str::to_owned).to_vec(),
        no_includes: true,
        after_includes: Some(definitions(version.major, version.minor, version.patch)),
        sort_by: SortKey::None,
        ..Config::default()
    };
    let mut builder = Builder::new().with_config(config);
    for source in sources(&folder.join("src"))? {
        builder = builder.with_src(source);
    }
    let bindings = builder.generate().context("cbindgen cannot read the declarations")?;
    let mut header = Vec::new();
    bindings.write(&mut header);
    tidy(&String::from_utf8(header).context("the header is not UTF-8")?)
}

/// The sources whose declarations go into the header, in the order in which it has them.
const SOURCES: &[&str] = &[
    "status.rs",
    "caller.rs",
    "segment.rs",
    "segment/sender.rs",
    "segment/receiver.rs",
    "lock.rs",
    "chop.rs",
    "chop/sender.rs",
    "chop/receiver.rs",
    "top.rs",
    "top/sender.rs",
    "top/receiver.rs",
    "format.rs",
    "discovery.rs",
];

fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    for entry in ["call.rs", "handle.rs", "held.rs", "lib.rs"] {
        let text = fs::read_to_string(folder.join(entry)).unwrap_or_default();
        if text.contains("no_mangle") {
            bail!(
                "{CRATE}/src/{entry} exports a function: put it into one of the files that the header is made of"
            );
        }
    }
    Ok(SOURCES.iter().map(|source| folder.join(source)).collect())
}

/// What no declaration gives: versions, and macros.
fn definitions(major: u64, minor: u64, patch: u64) -> String {
    format!(
        "\n/** The version of this header. */\n\
         #define TDSHM_VERSION_MAJOR {major}\n\
         #define TDSHM_VERSION_MINOR {minor}\n\
         #define TDSHM_VERSION_PATCH {patch}\n\
         /** The same as one number, as tdshm_version gives that of the library. */\n\
         #define TDSHM_VERSION ((TDSHM_VERSION_MAJOR << 16) | (TDSHM_VERSION_MINOR << 8) | TDSHM_VERSION_PATCH)\n\
         /** The same as a text. */\n\
         #define TDSHM_VERSION_TEXT \"{major}.{minor}.{patch}\"\n\
         \n\
         /** Whether a status is an error. */\n\
         #define TDSHM_FAILED(status) ((status) > 0)\n\
         /** Makes all of a structure zero and sets its size: TDSHM_INIT(options). */\n\
         #define TDSHM_INIT(object) (memset(&(object), 0, sizeof(object)), (void)((object).struct_size = (uint32_t)sizeof(object)))"
    )
}

/// The header with one newline at its end, no blanks at the ends of lines, negative numbers in brackets, and nothing that a
/// compiler of another code page stumbles over.
fn tidy(header: &str) -> Result<String> {
    let mut text = String::new();
    for line in header.trim_end().lines() {
        let line = line.trim_end().replace('…', "...");
        match line.strip_prefix("#define ").and_then(|rest| rest.split_once(" -")) {
            Some((name, digits)) => text.push_str(&format!("#define {name} (-{digits})")),
            None => text.push_str(&line),
        }
        text.push('\n');
    }
    if let Some(line) = text.lines().find(|line| !line.is_ascii()) {
        bail!("the header is to be ASCII, and this is not: {line}");
    }
    if !text.contains("tdshm_version(void)") {
        bail!("the header has no functions: its sources were not read");
    }
    Ok(text)
}
