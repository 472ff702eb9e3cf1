//! What documents and help texts tell people to type is what the command takes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::kit::run;

/// The documents: at the root, and in `docs/`.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut found = Vec::new();
    let mut folders = vec![root.join("docs")];
    let mut look = |path: PathBuf, folders: &mut Vec<PathBuf>| {
        if path.is_dir() {
            folders.push(path);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    };
    for entry in fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            look(path, &mut folders);
        }
    }
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            look(entry.unwrap().path(), &mut folders);
        }
    }
    found
}

/// The lines of a document that stand in fences of a shell.
fn shell_lines(document: &str) -> Vec<&str> {
    let mut inside = None;
    let mut found = Vec::new();
    for line in document.lines() {
        match (line.trim_start().strip_prefix("```"), inside) {
            (Some(language), None) => {
                inside = Some(matches!(language.trim(), "sh" | "bash" | "console" | "powershell"));
            }
            (Some(_), Some(_)) => inside = None,
            (None, Some(true)) => found.push(line),
            (None, _) => {}
        }
    }
    found
}

/// The words of each command `tdshm` in a line of a shell: pipes and lists are parted, comments and redirections go.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::<String>::new()];
    let mut chars = line.trim().trim_start_matches("$ ").chars().peekable();
    let mut word: Option<String> = None;
    let ends = |commands: &mut Vec<Vec<String>>, word: &mut Option<String>| {
        commands.last_mut().unwrap().extend(word.take());
    };
    while let Some(char) = chars.next() {
        match char {
            '\'' | '"' => {
                let text: String = chars.by_ref().take_while(|next| *next != char).collect();
                word.get_or_insert_default().push_str(&text);
            }
            '#' if word.is_none() => break,
            '|' | '&' | ';' | '>' | '<' => {
                ends(&mut commands, &mut word);
                commands.push(Vec::new());
            }
            space if space.is_whitespace() => ends(&mut commands, &mut word),
            other => word.get_or_insert_default().push(other),
        }
    }
    ends(&mut commands, &mut word);
    let ours = |words: Vec<String>| {
        let from_source = ["cargo", "run", "--release", "--"];
        let rest = words.strip_prefix(&from_source.map(str::to_owned)[..]);
        match rest {
            Some(rest) => Some(rest.to_vec()),
            None if words.first().is_some_and(|program| program == "tdshm") => Some(words[1..].to_vec()),
            None => None,
        }
    };
    commands.into_iter().filter_map(ours).collect()
}

/// Whether the command takes these words, without doing what they say.
#[track_caller]
fn is_taken(words: &[String], place: &str) {
    // What stands before `--help` is looked at, and then nothing is done.
    let harmless = matches!(words.first().map(String::as_str), Some("help" | "--version"));
    let help = (!harmless).then_some("--help");
    let args: Vec<&str> = words.iter().map(String::as_str).chain(help).collect();
    let ended = run(&args);
    assert_eq!(ended.code, Some(0), "{place}: tdshm {}: {:#?}", words.join(" "), ended.err);
}

#[test]
fn what_documents_tell_people_to_type() {
    let mut checked = 0;
    for path in documents() {
        let text = fs::read_to_string(&path).unwrap();
        for words in shell_lines(&text).into_iter().flat_map(commands) {
            is_taken(&words, &path.display().to_string());
            checked += 1;
        }
    }
    assert!(checked >= 6, "the README alone has more than {checked}");
}

#[test]
fn what_help_texts_tell_people_to_type() {
    let help = |args: &[&str]| {
        let ended = run(args);
        assert_eq!(ended.code, Some(0), "{args:?}");
        ended.out
    };
    let main = help(&["--help"]);
    let subcommands = main
        .iter()
        .skip_while(|line| !line.starts_with("Commands:"))
        .skip(1)
        .take_while(|line| !line.is_empty())
        // What an explanation goes on with stands further in.
        .filter(|line| line.chars().nth(2).is_some_and(|c| c != ' '))
        .filter_map(|line| line.split_whitespace().next());
    let subcommands: Vec<&str> = subcommands.filter(|name| *name != "help").collect();
    assert!(subcommands.contains(&"send"), "{main:#?}");
    let mut checked = 0;
    for lines in subcommands.iter().map(|name| help(&[name, "--help"])).chain([main.clone()]) {
        for line in lines.iter().filter(|line| line.starts_with("  tdshm ")) {
            // Behind two spaces stands what it is for.
            let line = line.trim().split("  ").next().unwrap();
            for words in commands(line) {
                is_taken(&words, "help");
                checked += 1;
            }
        }
    }
    assert!(checked >= 10, "{checked}");
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let shown: Vec<Vec<String>> = shell_lines(&readme).into_iter().flat_map(commands).collect();
    for words in &shown {
        assert!(subcommands.contains(&words[0].as_str()), "the README shows {words:?}");
    }
}

#[test]
fn lines_are_read_as_a_shell_reads_them() {
    let words = |line: &str| commands(line).into_iter().map(|words| words.join("+")).collect::<Vec<_>>();
    assert_eq!(
        words("tdshm send circle --channels tx,ty &   # or: tdshm x"),
        ["send+circle+--channels+tx,ty"]
    );
    assert_eq!(words("$ tdshm watch a --scope 'tx r* ^ry' > take.csv"), ["watch+a+--scope+tx r* ^ry"]);
    assert_eq!(words("ssh b tdshm watch a | tdshm send a --stdin"), ["send+a+--stdin"]);
    assert_eq!(words("cargo run --release -- demo"), ["demo"]);
    assert_eq!(words("cargo xtask test"), [""; 0]);
}

#[test]
fn words_that_the_command_does_not_take_are_noticed() {
    for wrong in [
        &["send", "a", "--chanels", "x", "--help"][..],
        &["sned", "--help"],
        &["send", "a", "--rate", "0", "--help"],
    ] {
        assert_eq!(run(wrong).code, Some(2), "{wrong:?}");
    }
}
