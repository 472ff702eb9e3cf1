//! Packages of a Debian machine, installed where that is allowed and asked for in one line where it is not.

use std::process::Command;

use crate::process::{find, printed, works};

/// Makes sure that what `there` looks for is on this machine: installs `packages` when this is Debian and we are root.
///
/// # Errors
///
/// What is missing and how to install it, in one line.
pub(crate) fn ensure(what: &str, packages: &[&str], there: impl Fn() -> bool) -> Result<(), String> {
    if there() {
        return Ok(());
    }
    if may_install() {
        println!("    {what}: not here yet, so apt-get installs {}", packages.join(" "));
        install(packages);
        if there() {
            return Ok(());
        }
    }
    Err(request(what, packages))
}

fn request(what: &str, packages: &[&str]) -> String {
    format!(
        "{what}: not on this machine; on Debian, as root: apt-get update && apt-get install -y --no-install-recommends {}",
        packages.join(" ")
    )
}

fn may_install() -> bool {
    let mut id = Command::new("id");
    id.arg("-u");
    find(&["apt-get"]).is_some() && printed(id).as_deref() == Some("0")
}

/// Whether it worked shows in what is there afterwards.
fn install(packages: &[&str]) {
    let apt = |args: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(args).env("DEBIAN_FRONTEND", "noninteractive");
        works(apt)
    };
    let args = [&["install", "-y", "--no-install-recommends"], packages].concat();
    // The lists of packages may be old, or absent: they take a few seconds to fetch.
    let _ = apt(&["update"]) && apt(&args);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_needs_nothing() {
        assert_eq!(ensure("a thing", &["no-such-package"], || true), Ok(()));
    }

    #[test]
    fn what_is_missing_is_asked_for_in_one_line() {
        let line = request("Wine", &["wine", "wine64"]);
        assert_eq!(
            line,
            "Wine: not on this machine; on Debian, as root: \
             apt-get update && apt-get install -y --no-install-recommends wine wine64"
        );
    }
}
