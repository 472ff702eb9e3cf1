//! The programs that tests start, built before any test waits for them.

use crate::process::outcome;
use crate::steps::Outcome;
use crate::workspace::Workspace;

/// The peers of the tests that are built with flags of their own. Tests build them where they are missing, but each of
/// them has only so long, and on a slow machine one build would take all of it.
pub(crate) fn peers(ws: &Workspace) -> Outcome {
    let kinds = [("steps", "--cfg tdshm_steps"), ("macos", "--cfg tdshm_macos --cfg tdshm_steps")];
    for (folder, flags) in kinds {
        if cfg!(not(target_os = "linux")) && folder == "macos" {
            continue; // what is rehearsed there is rehearsed on Linux alone
        }
        let mut cargo = ws.cargo(["build", "--locked", "--package", "tdshm-tests", "--bin", "peer"]);
        cargo.arg("--target-dir").arg(ws.target().join(folder));
        cargo.env("RUSTFLAGS", flags).env_remove("CARGO_ENCODED_RUSTFLAGS");
        let built = outcome(cargo);
        if built != Outcome::Passed {
            return built;
        }
    }
    Outcome::Passed
}
