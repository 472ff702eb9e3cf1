//! Bytes that were made by hand from the protocol's tables, in files: `golden/<section>-<case>.bin`, each with
//! a text file beside it that says what it is and whence.

use std::path::PathBuf;

/// The folder.
#[must_use]
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// The bytes of one case.
#[must_use]
pub fn bytes(case: &str) -> Vec<u8> {
    let path = folder().join(case).with_extension("bin");
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All cases of a section, sorted.
#[must_use]
pub fn cases(section: &str) -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("the folder of golden bytes");
    let mut cases: Vec<String> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "bin"))
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .filter(|case| case.split('-').next() == Some(section))
        .collect();
    cases.sort();
    cases
}
