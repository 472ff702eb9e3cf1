//! Other programs: whether they are there, and how they ended.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::steps::Outcome;

/// Whether a command starts and succeeds; nothing is shown.
pub(crate) fn works(mut command: Command) -> bool {
    let silent = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    silent.status().is_ok_and(|status| status.success())
}

/// Runs a command to its end, with its output where ours goes.
pub(crate) fn outcome(mut command: Command) -> Outcome {
    match command.status() {
        Ok(status) if status.success() => Outcome::Passed,
        Ok(status) => Outcome::Failed(format!("`{}` ended with {status}", shown(&command))),
        Err(error) => Outcome::Failed(format!("`{}` did not start: {error}", shown(&command))),
    }
}

/// What a command prints on its standard output; `None` where it does not start or fails.
pub(crate) fn printed(mut command: Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The first of these programs that is there: a path, or a name to look up in `PATH`.
pub(crate) fn find(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    // Joining an absolute path gives that path.
    let places =
        |name: &&str| std::env::split_paths(&path).map(|folder| folder.join(name)).find(|p| p.is_file());
    names.iter().find_map(places)
}

/// A command as one would type it.
fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default().to_string_lossy();
    let args = command.get_args().map(|arg| arg.to_string_lossy());
    std::iter::once(program).chain(args).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_types_it() {
        let mut command = Command::new("/some/where/cargo");
        command.args(["doc", "--no-deps"]);
        assert_eq!(shown(&command), "cargo doc --no-deps");
    }

    #[test]
    fn the_first_program_that_is_there_is_found() {
        let here = std::env::current_exe().unwrap();
        let here_text = here.to_str().unwrap();
        assert_eq!(find(&["no-such-program-here", here_text]), Some(here.clone()));
        assert_eq!(find(&["no-such-program-here", "/no/such/program"]), None);
    }

    #[test]
    fn a_command_that_does_not_start_has_failed() {
        let Outcome::Failed(why) = outcome(Command::new("no-such-program-here")) else { panic!() };
        assert!(why.starts_with("`no-such-program-here` did not start: "), "{why}");
        assert!(!works(Command::new("no-such-program-here")));
        assert_eq!(printed(Command::new("no-such-program-here")), None);
    }
}
