//! Examples and remarks below the help of each subcommand, and on its page of the manual.

use unicode_width::UnicodeWidthStr;

use crate::output::screen;

/// The widest that help gets, in columns.
pub(crate) const WIDEST: usize = 110;
/// Columns of help where nothing says how wide the terminal is; clap assumes the same.
const USUAL: usize = 100;

/// What to type, and what that does.
pub(crate) type Example = (&'static str, &'static str);

/// What stands below the help of a command: examples, and remarks with a title.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Below {
    pub(crate) examples: &'static [Example],
    pub(crate) remarks: &'static [(&'static str, &'static str)],
}

/// What stands below the help of that subcommand, or of the command itself.
pub(crate) fn below(command: &str) -> Below {
    match command {
        "demo" => Below { examples: DEMO, remarks: &[] },
        "send" => Below { examples: SEND, remarks: &[] },
        "watch" => Below { examples: WATCH, remarks: &[] },
        "snap" => Below { examples: SNAP, remarks: &[] },
        "record" => Below { examples: RECORD, remarks: RECORD_REMARKS },
        "play" => Below { examples: PLAY, remarks: PLAY_REMARKS },
        "convert" => Below { examples: CONVERT, remarks: CONVERT_REMARKS },
        "run" => Below { examples: RUN, remarks: RUN_REMARKS },
        "info" => Below { examples: INFO, remarks: &[] },
        "top" => Below { examples: TOP, remarks: TOP_REMARKS },
        "list" => Below { examples: LIST, remarks: &[] },
        "serve" => Below { examples: SERVE, remarks: SERVE_REMARKS },
        "bridge" => Below { examples: BRIDGE, remarks: BRIDGE_REMARKS },
        "osc-out" => Below { examples: BRIDGE_OSC_OUT, remarks: BRIDGE_OSC_OUT_REMARKS },
        "osc-in" => Below { examples: BRIDGE_OSC_IN, remarks: BRIDGE_OSC_IN_REMARKS },
        "ws" => Below { examples: BRIDGE_WS, remarks: BRIDGE_WS_REMARKS },
        "clean" => Below { examples: CLEAN, remarks: &[] },
        "doctor" => Below { examples: DOCTOR, remarks: DOCTOR_REMARKS },
        "completions" => Below { examples: COMPLETIONS, remarks: &[] },
        "man" => Below { examples: MAN, remarks: &[] },
        _ => Below { examples: TDSHM, remarks: REMARKS },
    }
}

const TDSHM: &[Example] = &[
    ("tdshm demo", "see it work: two processes, a real recording"),
    ("tdshm send mocap --channels tx,ty,tz", "three sines, 60 times a second"),
    ("tdshm send take1 --file walk.csv --rate 120", "a recording at its own speed"),
    ("tdshm send bars --test-pattern 640x360", "images, with a moving test pattern"),
    ("tdshm watch mocap", "what arrives, as a table"),
    ("tdshm watch mocap --format csv > take2.csv", "or into a file"),
    ("tdshm snap bars bars.png", "an image, into a file"),
    ("tdshm record mocap bars -o take.mcap", "all that comes, with its times"),
    ("tdshm play take.mcap", "as if the senders were there"),
    ("tdshm convert take2.csv take2.clip --rate 60", "another format"),
    ("tdshm run patch.toml", "a network of operators, described in a file"),
    ("tdshm list", "every segment of this machine"),
    ("tdshm doctor mocap", "what stands between its sender and its receivers"),
    ("tdshm top", "the same live: a scope, images, and what is wrong"),
    ("tdshm serve --open", "all of them in a browser, live"),
    ("tdshm bridge ws phone", "a browser as a sender of channels"),
    ("tdshm bridge osc-in faders", "what speaks Open Sound Control, too"),
    ("tdshm clean", "remove what dead senders left behind"),
];

const REMARKS: &[(&str, &str)] = &[
    (
        "In TouchDesigner",
        "NAME is the Shared Mem Name of a Shared Mem In CHOP or TOP (to receive) or a Shared Mem Out CHOP or TOP (to send), \
         with Shared Mem Type set to Local.",
    ),
    ("Exit status", "0 done, 1 failed, 2 wrong usage, 130 after Ctrl-C."),
];

const DEMO: &[Example] =
    &[("tdshm demo", "twelve bars for ten seconds"), ("tdshm demo --seconds 60", "or for a minute")];

const SEND: &[Example] = &[
    ("tdshm send mocap", "chan1: a sine of 1 Hz, a sample a frame"),
    ("tdshm send lfo --wave ramp --count 4 --fps 30", "four ramps, a quarter of a period apart"),
    ("tdshm send audio --file voice.wav --loop", "a sound, over and over"),
    ("tdshm send take1 --file walk.csv --rate 120", "120 rows a second"),
    ("tdshm send take1 --file walk.csv --start 5 --speed 0.5", "from 5 seconds on, at half speed"),
    ("tdshm send plate --image plate.exr", "a picture, until Ctrl-C"),
    ("tdshm send shot --image frames --fps 24 --loop", "a folder of pictures, over and over"),
    ("tdshm send shot --image shot.%04d.png --fps 24", "pictures by their numbers"),
    ("tdshm send bars --test-pattern 1280x720 --format rgba16f", "colour bars that move, in half floats"),
    ("tdshm send old --image plate.png --header legacy", "for programs from before 2022"),
    ("sensor | tdshm send knob --stdin", "what a program prints, as it comes"),
    ("tdshm watch a --format json | ssh host tdshm send b --stdin", "to another machine"),
];

const WATCH: &[Example] = &[
    ("tdshm watch mocap", "until Ctrl-C"),
    ("tdshm watch mocap --format csv --frames 600", "600 frames, a row a sample"),
    ("tdshm watch mocap --format json | jq .channels", "an object a line"),
    ("tdshm watch mocap --scope 'tx r* ^ry'", "some channels; the quotes are for the shell"),
    ("tdshm watch mocap --frames 1 --timeout 2", "is anything there? exit status 1 if not"),
];

const SNAP: &[Example] = &[
    ("tdshm snap cam now.png", "the image that is there, or the first one that comes"),
    ("tdshm snap cam next.exr --next --timeout 5", "the next one; fails after five seconds without"),
    ("tdshm snap cam small.jpg --lossy", "whatever it is, as a JPEG"),
];

const RECORD: &[Example] = &[
    ("tdshm record mocap -o take.mcap", "until Ctrl-C"),
    ("tdshm record 'cam*' mocap -o take.mcap", "several segments; the quotes are for the shell"),
    ("tdshm record '*' -o all.mcap --seconds 60", "everything that is there or comes, for a minute"),
    ("tdshm record mocap -o one.mcap -C 1 --force", "the frame that is there, over an older file"),
];

const RECORD_REMARKS: &[(&str, &str)] = &[
    (
        "Lost frames",
        "No sender ever waits for the recorder. Frames that it did not see in time, and frames for which the disk was too \
         slow, are counted and told, here and in the file. Of senders that do not count their frames, TouchDesigner's \
         among them, nobody knows how many were not seen.",
    ),
    (
        "The file",
        "MCAP, which other programs read as well. If this program is killed, or the disk is full, all but the last second \
         can be read: see `tdshm info`.",
    ),
];

const PLAY: &[Example] = &[
    ("tdshm play take.mcap", "all segments, under their names"),
    ("tdshm play take.mcap --loop --from 2 --to 7.5", "five and a half seconds, over and over"),
    ("tdshm play take.mcap --speed 0.25", "at a quarter of the speed"),
    ("tdshm play take.mcap --name mocap --as ghost", "one segment, under another name"),
    ("tdshm play take.mcap --as cam1=a --as cam2=b", "two of them under other names"),
];

const PLAY_REMARKS: &[(&str, &str)] = &[(
    "Frames",
    "Each is sent as it was, bit by bit, when its time has come. While the lock of a segment is not free frames of it are \
     left out, and told.",
)];

const CONVERT: &[Example] = &[
    ("tdshm convert walk.csv walk.clip --rate 120", "a table of 120 rows a second, for TouchDesigner"),
    ("tdshm convert voice.wav voice.parquet", "for pandas"),
    ("tdshm convert walk.clip walk.csv --from 2 --to 5.5 --channels 'tx ty'", "a part of it"),
    ("tdshm convert walk.clip walk.wav --resample 48000", "at another rate"),
    ("tdshm convert frames shot.%04d.exr", "a folder of pictures, in another format"),
    ("tdshm convert take.mcap pose.csv --name pose", "a segment out of a recording"),
    ("tdshm convert walk.csv walk.mcap --rate 120", "a table as a recording"),
    ("tdshm convert take.mcap - --write-as csv | less", "into a pipe"),
];

const CONVERT_REMARKS: &[(&str, &str)] = &[
    (
        "What does not come along",
        "Names, rates, starts and pixels that NEW cannot hold are told on standard error; docs/files.md has a table of them.",
    ),
    (
        "Binary clips",
        "Nobody describes .bclip and .bchan in public: open them in TouchDesigner and save them as .clip or .chan.",
    ),
];

const RUN: &[Example] = &[
    ("tdshm run patch.toml", "until Ctrl-C"),
    ("tdshm run patch.toml --watch --print 'null*'", "values each frame; again whenever the file is saved"),
    ("tdshm run patch.toml --frames 600 --print level --format csv", "600 frames, as fast as they go"),
    ("tdshm run patch.toml --check", "what is wrong with it, if anything"),
    ("tdshm run --schema", "what stands in a patch, and every operator"),
    ("tdshm run --schema 'sharedmem*' --format json", "some operators, for programs"),
];

const RUN_REMARKS: &[(&str, &str)] = &[
    (
        "Frames",
        "Without --frames a patch runs in the time of its own rate; frames that come too late are left out and told, unless it \
         has realtime = false. Errors and warnings of operators are told on standard error when they change.",
    ),
    (
        "Stopping",
        "Ctrl-C ends it after the frame that is being cooked, and leaves all segments; a second one ends it at once, wherever \
         it is, as if it had been killed.",
    ),
];

const INFO: &[Example] = &[
    ("tdshm info mocap", "what is in it, whose it is, who reads it"),
    ("tdshm info mocap --json | jq .frames", "for programs"),
    ("tdshm info take.mcap", "what a recording holds"),
];

const TOP: &[Example] = &[
    ("tdshm top", "every segment; the arrow keys select, ? shows all keys"),
    ("tdshm top 'cam* ^cam3'", "some of them; the quotes are for the shell"),
    ("ssh -t stage tdshm top --fps 10", "on another machine, through a slow connection"),
];

const TOP_REMARKS: &[(&str, &str)] = &[(
    "Nobody notices",
    "Senders of tdshm are observed without their lock, and not told. The lock of another program's sender is taken for one \
     copy of at most 1 MiB, when something has changed. How long a lock is held is what looks add up to: none is taken to see.",
)];

const LIST: &[Example] =
    &[("tdshm list", "a line a segment"), ("tdshm list --json | jq -r '.[].name'", "the names alone")];

const SERVE: &[Example] = &[
    ("tdshm serve --open", "see it in this user's browser"),
    ("tdshm serve --port 0", "at a port that is free"),
    ("tdshm serve --listen 0.0.0.0", "for other machines too: the address that it prints has the token"),
    ("tdshm serve --listen 0.0.0.0 --allow-host studio.local", "where browsers go by the machine's name"),
    ("tdshm serve --token", "where other people use this machine"),
];

const SERVE_REMARKS: &[(&str, &str)] = &[(
    "From another machine",
    "`ssh -L 8765:127.0.0.1:8765 HOST tdshm serve` shows HOST's segments at http://localhost:8765/, encrypted, and without a \
     token.",
)];

const BRIDGE: &[Example] = &[
    ("tdshm bridge ws phone", "browsers send channels into the segment phone, and plot it"),
    ("tdshm bridge osc-out mocap", "a message for each channel of mocap, in each frame, to port 10000 here"),
    ("tdshm bridge osc-in faders", "a channel for each address that is sent there"),
];

const BRIDGE_REMARKS: &[(&str, &str)] = &[
    (
        "How it goes",
        "A line on standard error says how many frames a second pass, how many all in all, how many were dropped, how many \
         bytes that is, and who is at the other side; --json prints the same once a second, and --quiet says nothing.",
    ),
    ("Exit status", "As everywhere: 130 after Ctrl-C. Both sides may come and go, and begin in any order."),
];

const BRIDGE_OSC_OUT: &[Example] = &[
    ("tdshm bridge osc-out mocap", "to this machine, port 10000"),
    ("tdshm bridge osc-out mocap --to studio:9000", "to another one, by its name"),
    (
        "tdshm bridge osc-out mocap --scope 'hand*' --changed --refresh 1",
        "what changed, and all of it once a second",
    ),
    ("tdshm bridge osc-out mocap --to 239.0.0.1:9000 --interface 10.0.0.5", "to a group, by that interface"),
    ("tdshm bridge osc-out pos --format transpose", "pos1, pos2, pos3 as one message /pos"),
];

const BRIDGE_OSC_OUT_REMARKS: &[(&str, &str)] = &[(
    "Messages",
    "A channel h0/pinch is the address /h0/pinch; docs/osc.md has all of it. That nobody listens is no error: UDP has no \
     peers, so what is told as one is an address that is known.",
)];

const BRIDGE_OSC_IN: &[Example] = &[
    ("tdshm bridge osc-in faders", "what is sent to this machine, port 10000, by itself"),
    ("tdshm bridge osc-in faders --listen 0.0.0.0:9000", "by others, too"),
    ("tdshm bridge osc-in faders --listen 239.0.0.1:9000", "to a group"),
    (
        "tdshm bridge osc-in hand --scope '/hand/*' --strip 1",
        "/hand/x is the channel x, and nothing else is taken",
    ),
    ("tdshm bridge osc-in faders --every-packet", "a frame for each packet, at once"),
];

const BRIDGE_OSC_IN_REMARKS: &[(&str, &str)] = &[(
    "Channels",
    "An address /h0/pinch is the channel h0/pinch, one with three arguments pos1, pos2, pos3; docs/osc.md has all of it. \
     Channels stand in the order in which they came first, and keep their last value.",
)];

const BRIDGE_WS: &[Example] = &[
    ("tdshm bridge ws phone", "one segment; the address that it prints is for the browser"),
    ("tdshm bridge ws 'phone*' --read 'cue*'", "one for each phone; what stands in cue1, cue2 may be read"),
    ("tdshm bridge ws 'phone*' --listen 0.0.0.0", "from other machines: the address has the token"),
    ("tdshm bridge ws phone --pages examples/browser", "with a page of your own"),
    ("tdshm bridge ws knobs --json", "for programs that look after it"),
];

const BRIDGE_WS_REMARKS: &[(&str, &str)] = &[
    (
        "When a browser goes",
        "Its segment stays, with its last values, so that TouchDesigner keeps the channels while a page is loaded again; \
         --linger says for how long. One browser sends a segment at a time. All else may be read by nobody: see --read.",
    ),
    ("Another page", "examples/browser has one to begin with, and docs/monitor-protocol.md the messages."),
];

const CLEAN: &[Example] = &[
    ("tdshm clean --dry-run", "what would go?"),
    ("tdshm clean", "everything that the dead left"),
    ("tdshm clean -q", "the same, and say only what stays"),
    ("tdshm clean mocap", "of that name alone, and say what stays and why"),
];

const DOCTOR: &[Example] = &[
    ("tdshm doctor", "does this machine do all that it takes?"),
    ("tdshm doctor mocap", "what stands between the sender of mocap and its receivers?"),
    ("tdshm doctor mocap 'cam*' --timeout 10", "of several, watched for ten seconds"),
    ("tdshm doctor mocap --json | jq -r '.todo[].what'", "for programs: what to do"),
    ("tdshm doctor --touchdesigner", "with TouchDesigner running: both ways, channels and images"),
    ("tdshm doctor --touchdesigner --timeout 300 > report.txt", "with more time; the summary into a file"),
];

const DOCTOR_REMARKS: &[(&str, &str)] = &[
    (
        "With NAME",
        "Nothing is disturbed: it reads beside the locks, and where only taking one tells how it stands, takes it for an \
         instant. docs/doctor.md lists every check with its id.",
    ),
    ("Exit status", "0 when nothing failed, also where there are warnings; 1 when something did."),
];

const COMPLETIONS: &[Example] = &[
    ("tdshm completions bash > ~/.local/share/bash-completion/completions/tdshm", "bash"),
    ("tdshm completions zsh > ~/.zfunc/_tdshm", "zsh, with ~/.zfunc in fpath"),
    ("tdshm completions fish > ~/.config/fish/completions/tdshm.fish", "fish"),
    ("tdshm completions powershell >> $PROFILE", "PowerShell"),
];

const MAN: &[Example] = &[
    ("tdshm man | man -l -", "read the page of the command"),
    ("tdshm man send | man -l -", "or of a subcommand"),
    ("tdshm man --out ~/.local/share/man/man1", "keep all pages where man finds them"),
];

/// The text below the help of a command, for a terminal as wide as this one.
pub(crate) fn help(command: &str) -> String {
    text(&below(command), screen::columns().unwrap_or(USUAL).min(WIDEST))
}

fn text(below: &Below, columns: usize) -> String {
    let mut text = "Examples:\n".to_owned();
    let widest = below.examples.iter().map(|(command, _)| command.width()).max().unwrap_or(0);
    let fits = |example: &Example| widest.saturating_add(example.1.width()).saturating_add(5) <= columns;
    let beside = below.examples.iter().all(fits);
    for (command, what) in below.examples {
        text.push_str(&match beside {
            true => format!("  {command:widest$}   {what}\n"),
            false => format!("  {command}\n      {what}\n"),
        });
    }
    for (title, remark) in below.remarks {
        text.push_str(&format!("\n{title}: {remark}\n"));
    }
    text.truncate(text.trim_end().len());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Args;
    use clap::{CommandFactory, Parser};

    #[test]
    fn what_is_done_stands_beside_or_below() {
        let below = Below {
            examples: &[("tdshm a", "does this"), ("tdshm bc", "that")],
            remarks: &[("So", "it is.")],
        };
        let wide = "Examples:\n  tdshm a    does this\n  tdshm bc   that\n\nSo: it is.";
        assert_eq!(text(&below, 23), wide);
        let narrow = "Examples:\n  tdshm a\n      does this\n  tdshm bc\n      that\n\nSo: it is.";
        assert_eq!(text(&below, 21), narrow);
    }

    #[test]
    fn every_subcommand_has_examples_that_parse() {
        let mut command = Args::command().disable_help_subcommand(true);
        command.build();
        let kinds = command.get_subcommands().flat_map(clap::Command::get_subcommands);
        for command in command.get_subcommands().chain(kinds) {
            let name = command.get_name();
            let full = command.get_bin_name().unwrap();
            for (example, _) in below(name).examples {
                let typed =
                    example.split(['|', '>']).map(str::trim).find(|part| part.contains("tdshm ")).unwrap();
                // Every other part stands in quotes, and is one word.
                let mut words: Vec<&str> = Vec::new();
                for (part, text) in typed
                    .trim_start_matches("ssh host ")
                    .trim_start_matches("ssh -t stage ")
                    .split('\'')
                    .enumerate()
                {
                    match part % 2 {
                        0 => words.extend(text.split_whitespace()),
                        _ => words.push(text),
                    }
                }
                let parsed = Args::try_parse_from(words);
                assert!(parsed.is_ok(), "{example}: {parsed:?}");
                assert!(example.contains(full), "{example} is one of {full}");
            }
            assert!(!below(name).examples.is_empty());
        }
    }
}
