//! `tdshm run`: patches that run, that are wrong, and that change while they run.

use std::fs;
use std::io::ErrorKind;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::kit::{Ended, Name, run, samples, start};

/// A patch in a folder of its own.
struct Patch {
    folder: tempfile::TempDir,
}

impl Patch {
    fn new(text: &str) -> Self {
        let patch = Self { folder: tempfile::tempdir().unwrap() };
        patch.save(text);
        patch
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("patch.toml")
    }

    /// Saves it as most editors do: a new file takes the place of the old one; on Windows not while somebody reads that, so
    /// editors try again.
    fn save(&self, text: &str) {
        let new = self.folder.path().join("new");
        fs::write(&new, text).unwrap();
        while let Err(error) = fs::rename(&new, self.path()) {
            assert!(cfg!(windows) && error.kind() == ErrorKind::PermissionDenied, "{error}");
            std::thread::yield_now();
        }
    }

    /// Runs it with those arguments to its end.
    fn run(&self, args: &[&str]) -> Ended {
        let path = self.path();
        run(&[&["run", path.to_str().unwrap()], args].concat())
    }
}

/// A constant in a shared segment.
fn sender(name: &Name, value: f64) -> String {
    format!(
        "[op.c]\ntype = \"constantCHOP\"\npar.const0name = \"tx\"\npar.const0value = {value:?}\n\n\
         [op.out]\ntype = \"sharedmemoutCHOP\"\ninputs = [\"c\"]\npar.name = \"{}\"\n",
        name.as_str()
    )
}

const VALUES: &str = r#"
[op.base1]
type = "baseCOMP"
custom.Speed = 2.5
custom.On = true
custom.Mode = { menu = ["slow", "fast"], default = "fast" }

[op.c]
type = "constantCHOP"
par.const0name = "tx"
par.const0value = { expr = "absTime.frame" }
par.const1name = "t[yz]"
par.const1value = -0.5

[op.empty]
type = "nullCHOP"

[op.base1.op.picture]
type = "moviefileinTOP"
par.file = "picture.png"
"#;

fn values() -> Patch {
    let patch = Patch::new(VALUES);
    let picture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures/chelsea.png");
    fs::copy(picture, patch.folder.path().join("picture.png")).unwrap();
    patch
}

#[test]
fn values_are_printed_as_text() {
    let ended = values().run(&["--frames", "2", "--print", "*", "--print", "base1/*"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(
        ended.out,
        [
            "1 /base1 Speed=2.5 On=1 Mode=fast",
            "1 /c tx=1 ty=-0.5 tz=-0.5",
            "1 /empty no channels",
            "1 /base1/picture 451 × 300 rgba8",
            "2 /base1 Speed=2.5 On=1 Mode=fast",
            "2 /c tx=2 ty=-0.5 tz=-0.5",
            "2 /empty no channels",
            "2 /base1/picture 451 × 300 rgba8",
        ]
    );
    assert!(ended.err[0].ends_with("patch.toml: 4 operators, 60 frames a second"), "{:#?}", ended.err);
    assert!(ended.err.contains(&"tdshm: ran 2 frames and left".to_owned()), "{:#?}", ended.err);
}

#[test]
fn values_are_printed_as_csv() {
    let ended = values().run(&["--frames", "2", "--print", "c", "--print", "base1/*", "--format", "csv"]);
    assert_eq!(
        ended.out,
        [
            "frame,path,name,value",
            "1,/c,tx,1",
            "1,/c,ty,-0.5",
            "1,/c,tz,-0.5",
            "1,/base1/picture,width,451",
            "1,/base1/picture,height,300",
            "1,/base1/picture,pixel_format,R8G8B8A8_UNORM",
            "2,/c,tx,2",
            "2,/c,ty,-0.5",
            "2,/c,tz,-0.5",
            "2,/base1/picture,width,451",
            "2,/base1/picture,height,300",
            "2,/base1/picture,pixel_format,R8G8B8A8_UNORM",
        ]
    );
}

#[test]
fn values_are_printed_as_json() {
    let ended = values().run(&[
        "--frames", "1", "--print", "c empty", "--print", "*", "--print", "base1/*", "--format", "json",
    ]);
    assert_eq!(
        ended.out,
        [concat!(
            r#"{"frame":1,"timeline":1.0,"ops":["#,
            r#"{"path":"/c","type":"constantCHOP","sample_rate":60.0,"start":0,"length":1,"channels":["#,
            r#"{"name":"tx","value":1.0},{"name":"ty","value":-0.5},{"name":"tz","value":-0.5}]},"#,
            r#"{"path":"/empty","type":"nullCHOP","sample_rate":60.0,"start":0,"length":0,"channels":[]},"#,
            r#"{"path":"/base1","type":"baseCOMP","pars":[{"name":"Speed","value":2.5},{"name":"On","value":true},"#,
            r#"{"name":"Mode","value":"fast"}]},"#,
            r#"{"path":"/base1/picture","type":"moviefileinTOP","width":451,"height":300,"#,
            r#""pixel_format":"R8G8B8A8_UNORM"}]}"#,
        )]
    );
}

#[test]
fn mistakes_are_shown_in_their_lines_all_at_once() {
    let patch =
        Patch::new("[op.w]\ntype = \"waveCHOP\"\npar.wavetype = \"sinn\"\npar.perod = 2\ninputs = [\"x\"]\n");
    for args in [&["--check"][..], &["--frames", "1"]] {
        let ended = patch.run(args);
        let shown: String = ended.err.iter().map(|line| line.trim_end().to_owned() + "\n").collect();
        let path = patch.path().display().to_string();
        assert_eq!(
            shown.replace(&path, "patch.toml"),
            r#"error: op.w.par.wavetype: the menu has no entry "sinn"
 --> patch.toml:3:16
  |
3 | par.wavetype = "sinn"
  |                ^^^^^^ give const, sin, normal, tri, ramp, square or pulse

error: op.w.par.perod: a waveCHOP has no parameter "perod"
 --> patch.toml:4:5
  |
4 | par.perod = 2
  |     ^^^^^ did you mean period?

error: op.w.inputs: found 1 inputs
 --> patch.toml:5:10
  |
5 | inputs = ["x"]
  |          ^^^^^ a waveCHOP has none: remove the line

error: op.w.inputs: there is no operator "x" beside it
 --> patch.toml:5:11
  |
5 | inputs = ["x"]
  |           ^^^ there is no other operator beside it

tdshm: patch.toml has 4 mistakes
"#
        );
        assert_eq!((ended.code, ended.out), (Some(1), vec![]));
    }
}

#[test]
fn what_is_no_patch_is_refused() {
    let ended = run(&["run", "no/such.toml"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.err[0].starts_with("tdshm: cannot read no/such.toml: "), "{:#?}", ended.err);
    let patch = Patch::new("");
    fs::write(patch.path(), b"[op.a]\n\xff").unwrap();
    assert!(patch.run(&[]).err[0].ends_with("is no text: byte 7 is not UTF-8: give a patch in TOML"));
    let ended = values().run(&["--print", "wave*"]);
    assert_eq!(ended.code, Some(1));
    let said = ended.err.last().unwrap();
    assert!(said.starts_with("tdshm: --print \"wave*\" means no operator of "), "{said}");
    assert!(said.ends_with(": it has /base1, /c, /empty, /base1/picture"), "{said}");
    let ended = values().run(&["--check"]);
    assert_eq!(ended.code, Some(0));
    assert!(ended.err[0].ends_with("patch.toml: 4 operators, no mistakes"), "{:#?}", ended.err);
}

#[test]
fn the_schema_is_complete() {
    let ended = run(&["run", "--schema", "--format", "json"]);
    let schema: Value = serde_json::from_str(&ended.out[0]).unwrap();
    let operators = schema["operators"].as_array().unwrap();
    let text = run(&["run", "--schema"]).out.join("\n");
    for key in schema["keys"].as_array().unwrap() {
        assert!(text.contains(&format!("  {}   for example ", key["name"].as_str().unwrap())), "{key}");
        assert_ne!(key["help"], "", "{key}");
    }
    for operator in operators {
        let op_type = operator["type"].as_str().unwrap();
        assert!(text.contains(&format!("{op_type}   ")), "{op_type}");
        assert_ne!((&operator["summary"], &operator["label"]), (&"".into(), &"".into()), "{op_type}");
        for par in operator["pars"].as_array().unwrap() {
            for key in ["name", "label", "page", "style", "help"] {
                assert_ne!(par[key], "", "{op_type} {par}");
            }
            assert!(text.contains(&format!("    {} = ", par["name"].as_str().unwrap())), "{op_type} {par}");
        }
    }
    for op_type in
        ["fileinCHOP", "moviefileinTOP", "sharedmeminCHOP", "sharedmemoutCHOP", "baseCOMP", "mergeCHOP"]
    {
        assert!(operators.iter().any(|operator| operator["type"] == op_type), "{op_type}");
    }
    let ended = run(&["run", "--schema", "filein moviefileinTOP", "--format", "json"]);
    let schema: Value = serde_json::from_str(&ended.out[0]).unwrap();
    let types: Vec<_> =
        schema["operators"].as_array().unwrap().iter().map(|operator| &operator["type"]).collect();
    assert_eq!(types, ["fileinCHOP", "moviefileinTOP"]);
    let ended = run(&["run", "--schema", "zzz"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.err[0].starts_with("tdshm: \"zzz\" means no operator type: there are "),
        "{:#?}",
        ended.err
    );
}

#[test]
fn every_operator_of_the_schema_can_stand_in_a_patch_with_its_defaults() {
    let ended = run(&["run", "--schema", "--format", "json"]);
    let schema: Value = serde_json::from_str(&ended.out[0]).unwrap();
    let mut text = String::new();
    for (at, operator) in schema["operators"].as_array().unwrap().iter().enumerate() {
        text.push_str(&format!("[op.o{at}]\ntype = {}\n", operator["type"]));
        for par in operator["pars"].as_array().unwrap().iter().filter(|par| par["style"] != "Pulse") {
            text.push_str(&format!("par.{} = {}\n", par["name"].as_str().unwrap(), par["default"]));
        }
    }
    let ended = Patch::new(&text).run(&["--check"]);
    assert_eq!(ended.code, Some(0), "{:#?}", ended.err);
}

#[test]
fn ctrl_c_leaves_the_segments() {
    let name = Name::new();
    let patch = Patch::new(&sender(&name, 1.0));
    let player = start(&["run", patch.path().to_str().unwrap()]);
    let mut watcher = start(&["watch", name.as_str(), "--format", "json"]);
    assert_eq!(samples(&watcher.json(), 0), [1.0]);
    player.signal("INT");
    let ended = player.wait();
    assert_eq!(ended.code, Some(130), "{ended:#?}");
    assert!(ended.err.last().unwrap().ends_with("and left"), "{ended:#?}");
    assert!(!name.has_segments());
    watcher.says("has left");
}

#[test]
fn frames_at_the_end_are_seen() {
    let name = Name::new();
    let patch = Patch::new(&sender(&name, 4.0));
    let mut watcher = start(&["watch", name.as_str(), "--format", "json", "--latest"]);
    watcher.says("no program sends it yet");
    let ended = patch.run(&["--frames", "3"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(samples(&watcher.json(), 0), [4.0]);
    assert!(!name.has_segments());
}

#[test]
fn a_saved_patch_is_read_again_and_receivers_stay() {
    let name = Name::new();
    let patch = Patch::new(&sender(&name, 1.0));
    let mut player = start(&["run", patch.path().to_str().unwrap(), "--watch"]);
    player.says("running");
    let mut watcher = start(&["watch", name.as_str(), "--format", "json", "--latest"]);
    assert_eq!(samples(&watcher.json(), 0), [1.0]);
    let mut until = |value: f32| while samples(&watcher.json(), 0) != [value] {};

    patch.save(&sender(&name, 2.0));
    player.says("patch.toml again: 2 operators");
    until(2.0);
    // Mistakes are told once, and change nothing.
    patch.save(&sender(&name, 3.0).replace("constantCHOP", "constCHOP"));
    player.says("error: op.c.type: there is no operator type \"constCHOP\"");
    player.says("patch.toml has 1 mistake; the patch from before runs on");
    until(2.0);
    // Another operator in front of the same sender.
    let more = sender(&name, 5.0).replace("[\"c\"]", "[\"null1\"]");
    patch.save(&format!("{more}\n[op.null1]\ntype = \"nullCHOP\"\ninputs = [\"c\"]\n"));
    player.says("patch.toml again: 3 operators");
    until(5.0);
    // Another rate of the timeline.
    patch.save(&format!("[network]\nrate = 120\n{}", sender(&name, 6.0)));
    player.says("patch.toml again: 2 operators");
    until(6.0);
    watcher.signal("INT");
    let seen = watcher.wait();
    assert!(
        !seen.err.iter().any(|line| line.contains("has left") || line.contains("has died")),
        "{:#?}",
        seen.err
    );

    // Only now the sender goes.
    let mut watcher = start(&["watch", name.as_str(), "--format", "json", "--latest"]);
    watcher.json();
    patch.save("");
    watcher.says("has left");
    player.says("patch.toml again: 0 operators");
    player.signal("INT");
    assert_eq!(player.wait().code, Some(130));
    assert!(!name.has_segments());
}

#[test]
fn a_patch_that_is_removed_is_told_once_and_the_last_good_one_runs_on() {
    let name = Name::new();
    let patch = Patch::new(&sender(&name, 1.0));
    let mut player = start(&["run", patch.path().to_str().unwrap(), "--watch"]);
    player.says("running");
    let mut watcher = start(&["watch", name.as_str(), "--format", "json"]);
    fs::remove_file(patch.path()).unwrap();
    let said = player.says("patch.toml cannot be read any more: ");
    assert!(said.ends_with("; the patch from before runs on"), "{said}");
    for _ in 0..60 {
        assert_eq!(samples(&watcher.json(), 0), [1.0]);
    }
    // A busy machine drops frames, which is told as well.
    let mut next_said = || loop {
        let said = player.next_said();
        if !said.contains("dropped ") {
            return said;
        }
    };
    // As before, which brings nothing but the file; then with another value.
    patch.save(&sender(&name, 1.0));
    let said = next_said();
    assert!(said.ends_with("patch.toml is there again"), "{said}");
    patch.save(&sender(&name, 2.0));
    let said = next_said();
    assert!(said.ends_with("patch.toml again: 2 operators"), "{said}");
    while samples(&watcher.json(), 0) != [2.0] {}
    player.signal("INT");
    assert_eq!(player.wait().code, Some(130));
}

#[test]
fn warnings_of_operators_are_told_when_they_change() {
    let name = Name::new();
    let text =
        format!("[op.in1]\ntype = \"sharedmeminCHOP\"\npar.name = \"{}\"\nviewer = true\n", name.as_str());
    let patch = Patch::new(&text);
    let mut player = start(&["run", patch.path().to_str().unwrap()]);
    player.says(&format!("/in1: Shared memory '{}' not found.", name.as_str()));
    let sender = start(&["send", name.as_str()]);
    player.says("/in1: all right again");
    sender.signal("INT");
    sender.wait();
    player.says("/in1: ");
    // Windows has no such request.
    let (signal, code) = if cfg!(windows) { ("INT", 130) } else { ("TERM", 143) };
    player.signal(signal);
    assert_eq!(player.wait().code, Some(code));
}

#[test]
fn exports_that_lead_nowhere_are_told_once_with_the_reason() {
    let patch = Patch::new(
        "[op.geo]\ntype = \"baseCOMP\"\ncustom.Tx = 0.0\n\n\
         [op.c]\ntype = \"constantCHOP\"\npar.const0name = \"geo:Tx geo:Ty\"\npar.exportmethod = \"autoname\"\nexport = true\n\n\
         [op.quiet]\ntype = \"constantCHOP\"\npar.const0name = \"geo:Tz\"\npar.exportmethod = \"autoname\"\n",
    );
    let ended = patch.run(&["--frames", "5"]);
    assert_eq!(ended.code, Some(0), "{:?}", ended.err);
    let told: Vec<&String> = ended.err.iter().filter(|line| line.contains("exports to nothing")).collect();
    assert_eq!(told.len(), 1, "{:?}", ended.err);
    assert!(
        told.iter().all(|line| line.ends_with("/c: exports to nothing: geo:Ty: /geo has no parameter Ty")),
        "{told:?}"
    );
}

/// An example, with names of its own instead of those that it has.
fn example(file: &str, names: &[(&str, &Name)]) -> Patch {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/patches");
    let mut text = fs::read_to_string(folder.join(file)).unwrap();
    for (from, to) in names {
        assert!(text.contains(&format!("par.name = \"{from}\"")), "{from}");
        text = text.replace(&format!("par.name = \"{from}\""), &format!("par.name = \"{}\"", to.as_str()));
    }
    let patch = Patch::new(&text);
    fs::copy(folder.join("voice.wav"), patch.folder.path().join("voice.wav")).unwrap();
    let frames = patch.folder.path().join("frames");
    fs::create_dir(&frames).unwrap();
    for entry in fs::read_dir(folder.join("frames")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), frames.join(entry.file_name())).unwrap();
    }
    patch
}

#[test]
fn the_example_of_a_level() {
    let name = Name::new();
    let patch = example("level.toml", &[("level", &name)]);
    let ended = patch.run(&["--frames", "120", "--print", "level", "--format", "json"]);
    assert_eq!((ended.code, ended.out.len()), (Some(0), 120), "{:#?}", ended.err);
    let mut levels = Vec::new();
    for line in &ended.out {
        let frame: Value = serde_json::from_str(line).unwrap();
        let channels = &frame["ops"][0]["channels"];
        assert_eq!((&channels[0]["name"], &channels[1]["name"]), (&"left".into(), &"right".into()));
        levels.push([0, 1].map(|channel| channels[channel]["value"].as_f64().unwrap()));
    }
    // The left one beats every half second, the right one is loudest in the middle of two seconds.
    assert!(levels[31][0] > 0.4 && levels[25][0] < 0.01, "{levels:?}");
    let loudest = (1..119).max_by(|&a, &b| levels[a][1].total_cmp(&levels[b][1])).unwrap();
    assert!((50..70).contains(&loudest), "{loudest} {levels:?}");
}

#[test]
fn the_example_of_a_merge() {
    let names = [Name::new(), Name::new(), Name::new()];
    let patch =
        example("merge.toml", &[("merge_head", &names[0]), ("merge_hand", &names[1]), ("both", &names[2])]);
    let ended = patch.run(&["--frames", "30", "--print", "merge1", "--format", "json"]);
    assert_eq!((ended.code, ended.out.len()), (Some(0), 30), "{:#?}", ended.err);
    let last: Value = serde_json::from_str(&ended.out[29]).unwrap();
    let merged = &last["ops"][0];
    assert_eq!((&merged["sample_rate"], &merged["length"]), (&120.0.into(), &4.into()), "{merged}");
    assert_eq!(
        (&merged["channels"][0]["name"], &merged["channels"][1]["name"]),
        (&"tx".into(), &"ry".into())
    );
}

#[test]
fn the_example_of_a_folder() {
    let name = Name::new();
    let patch = example("frames.toml", &[("frames", &name)]);
    let ended = patch.run(&["--frames", "12", "--print", "out", "--print", "status", "--format", "json"]);
    assert_eq!((ended.code, ended.out.len()), (Some(0), 12), "{:#?}", ended.err);
    assert!(
        !ended.err.iter().any(|line| line.contains("error") || line.contains("warning")),
        "{:#?}",
        ended.err
    );
    for (frame, line) in (1..).zip(&ended.out) {
        let shown: Value = serde_json::from_str(line).unwrap();
        let (out, status) = (&shown["ops"][0], &shown["ops"][1]);
        assert_eq!(
            (&out["width"], &out["height"], &out["pixel_format"]),
            (&96.into(), &54.into(), &"R8G8B8A8_UNORM".into())
        );
        // What the Info CHOP says of the sender, exported: its cooks are as many as the frames.
        let pars = &status["pars"];
        let value = |at: usize| pars[at]["value"].as_f64().unwrap();
        assert_eq!([value(0), value(1), value(2)], [96.0, 54.0, f64::from(frame)], "{status}");
    }
}

#[test]
fn the_example_of_osc() {
    let name = Name::new();
    let patch = example("osc.toml", &[("wave_by_osc", &name)]);
    let monitor = UdpSocket::bind("127.0.0.1:0").unwrap();
    let fader = UdpSocket::bind("127.0.0.1:0").unwrap();
    let to = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text =
        fs::read_to_string(patch.path()).unwrap().replace("port = 10000", &format!("port = {}", to.port()));
    patch.save(&text.replace("port = 10001", &format!("port = {}", monitor.local_addr().unwrap().port())));
    let player = start(&["run", patch.path().to_str().unwrap()]);
    // A packet comes each frame: the bundle of the wave, or the wave alone as long as no fader has moved.
    monitor.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut packet = [0; 1000];
    loop {
        fader.send_to(b"/height\0,f\0\0\x40\x40\0\0", to).unwrap();
        fader.send_to(b"/outside\0\0\0\0,f\0\0\x40\x40\0\0", to).unwrap();
        let len = monitor.recv(&mut packet).unwrap();
        let packet = &packet[..len];
        assert!(packet.starts_with(b"/wave\0") || packet.starts_with(b"#bundle\0"), "{packet:?}");
        assert!(!packet.windows(8).any(|text| text == b"/outside"));
        if packet.ends_with(b"/height\0,f\0\0\x40\x40\0\0") {
            break;
        }
    }
    let watched = start(&["watch", name.as_str(), "--format", "json", "--frames", "1"]).wait();
    assert!(watched.out[0].contains(r#""name":"wave""#) && watched.out[0].contains(r#""name":"height""#));
    player.signal("INT");
    let err = player.wait().err;
    assert!(!err.iter().any(|line| line.contains("error")), "{err:#?}");
}

#[test]
fn the_patch_in_the_documents_has_no_mistakes() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/operators.md");
    let page = fs::read_to_string(page).unwrap();
    let patches: Vec<&str> =
        page.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(!patches.is_empty());
    for patch in patches {
        let ended = Patch::new(patch).run(&["--check"]);
        assert_eq!(ended.code, Some(0), "{:#?}", ended.err);
    }
}
