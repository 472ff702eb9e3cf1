//! `tdshm convert`, as a person runs it.

use std::fs;
use std::path::Path;

use tdshm::ChopFrame;
use tdshm_io::file::Existing;
use tdshm_io::{Loss, Picture, ReadOptions, Recording};

use crate::kit::{Ended, run};

const TABLE: &str = "tx,ty,rz\n0,10,1e-7\n1,11,nan\n2,12,-inf\n3,13,0.1\n";

/// Runs in a folder: paths are those in it.
fn convert(folder: &Path, args: &[&str]) -> Ended {
    let paths: Vec<String> = args
        .iter()
        .enumerate()
        .map(
            |(at, arg)| {
                if at < 2 { folder.join(arg).to_str().unwrap().to_owned() } else { (*arg).to_owned() }
            },
        )
        .collect();
    let args: Vec<&str> = ["convert"].into_iter().chain(paths.iter().map(String::as_str)).collect();
    run(&args)
}

/// What was said, without the folder.
fn said(folder: &Path, ended: &Ended) -> String {
    let folder = format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR);
    ended.err.join("\n").replace(&folder, "")
}

fn files(folder: &Path) -> Vec<String> {
    let mut files: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    files
}

#[test]
fn a_table_goes_round_through_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("0.csv"), TABLE).unwrap();
    let round = ["clip", "parquet", "aiff", "wav", "chan", "csv"];
    let mut from = "0.csv".to_owned();
    for (number, format) in round.into_iter().enumerate() {
        let to = format!("{}.{format}", number + 1);
        let rate: &[&str] = if number == 0 { &["--rate", "120"] } else { &[] };
        let ended = convert(folder, &[&[from.as_str(), &to], rate].concat());
        assert_eq!((ended.code, ended.out.len()), (Some(0), 0), "{ended:?}");
        let hz = if format == "csv" { 60 } else { 120 };
        assert!(
            said(folder, &ended).contains(&format!("wrote {to}: 3 channels × 4 samples at {hz} Hz")),
            "{ended:?}"
        );
        from = to;
    }
    let names = TABLE.split_once('\n').unwrap().1.replace("nan", "NaN");
    assert_eq!(fs::read_to_string(folder.join("6.csv")).unwrap(), format!("chan1,chan2,chan3\n{names}"));
    assert_eq!(files(folder).len(), 7, "and nothing else");
}

#[test]
fn what_does_not_come_along_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("a.csv"), TABLE).unwrap();
    let ended = convert(folder, &["a.csv", "a.clip"]);
    let expected = "tdshm: a.csv holds no sample rate: 60 Hz is assumed, --rate says another one\n\
                    tdshm: wrote a.clip: 3 channels × 4 samples at 60 Hz\n\
                    tdshm: 2 samples are infinite or no number: not every program takes that from .clip files";
    assert_eq!(said(folder, &ended), expected);
    let ended = convert(folder, &["a.clip", "a.wav", "--from", "0.034"]);
    let expected = "tdshm: wrote a.wav: 3 channels × 2 samples at 60 Hz\n\
                    tdshm: .wav files hold no channel names: who reads this one finds chan1, chan2 and so on\n\
                    tdshm: .wav files always begin at sample 0: that these samples began at 2 is lost\n\
                    tdshm: 1 sample is infinite or no number: not every program takes that from .wav files";
    assert_eq!(said(folder, &ended), expected);
    let quiet = convert(folder, &["a.clip", "b.wav", "--quiet"]);
    assert_eq!((quiet.code, quiet.err.len()), (Some(0), 0), "{quiet:?}");
}

#[test]
fn a_part_some_channels_and_another_rate() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("a.csv"), TABLE).unwrap();
    let table = |args: &[&str]| {
        let ended = convert(folder, &[&["a.csv", "b.csv", "--force", "--rate", "10"], args].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        fs::read_to_string(folder.join("b.csv")).unwrap()
    };
    assert_eq!(table(&["--from", "0.1", "--to", "0.3", "--channels", "t*"]), "tx,ty\n1,11\n2,12\n");
    assert_eq!(table(&["--channels", "ty tx"]), "tx,ty\n0,10\n1,11\n2,12\n3,13\n");
    assert_eq!(table(&["--channels", "tx", "--to", "99"]), "tx\n0\n1\n2\n3\n");
    assert_eq!(table(&["--channels", "tx", "--resample", "20"]), "tx\n0\n0.5\n1\n1.5\n2\n2.5\n3\n3\n");
    assert_eq!(table(&["--channels", "tx", "--resample", "5", "--from", "0.2"]), "tx\n2.5\n");

    let failed = |args: &[&str], code| {
        let ended = convert(folder, &[&["a.csv", "c.csv", "--rate", "10"], args].concat());
        assert_eq!((ended.code, folder.join("c.csv").exists()), (Some(code), false), "{ended:?}");
        said(folder, &ended)
    };
    assert!(
        failed(&["--from", "0.4"], 1).contains("--from 0.4 lies behind the end of a.csv, which lasts 0.4 s")
    );
    assert!(
        failed(&["--from", "0.31", "--to", "0.32"], 1).contains("no sample between --from and --to in a.csv")
    );
    assert!(failed(&["--from", "2", "--to", "1"], 2).contains("--to has to lie behind --from"));
    let none = failed(&["--channels", "q*"], 1);
    assert!(none.contains("--channels picks none of the 3 channels of a.csv: tx ty rz"), "{none}");
    assert!(failed(&["--channels", "(tx"], 2).contains("--channels"));
}

#[test]
fn nothing_is_lost_by_accident() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("a.csv"), TABLE).unwrap();
    fs::write(folder.join("b.csv"), "kept").unwrap();
    let kept = |args: &[&str], says: &str| {
        let ended = convert(folder, args);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(said(folder, &ended).contains(says), "{ended:?}");
        assert_eq!(fs::read_to_string(folder.join("b.csv")).unwrap(), "kept");
        assert_eq!(files(folder), ["a.csv", "b.csv"]);
    };
    kept(&["a.csv", "b.csv"], "b.csv is there already: choose another name, or replace it with --force");
    fs::write(folder.join("a.csv"), "tx\n1\nx\n").unwrap();
    kept(&["a.csv", "b.csv", "--force"], "a.csv: line 3, column 1 (channel \"tx\"): \"x\" is not a number");
    kept(&["a.csv", "no/c.csv"], "line 3");
    fs::write(folder.join("a.csv"), TABLE).unwrap();
    kept(&["a.csv", "no/c.csv"], "cannot write no/c.csv: ");
    kept(&["b.csv", "c.csv"], "b.csv: ");
    kept(&["a.csv", "c.mp3"], "cannot tell the format of c.mp3");
    kept(&["a.csv", "c.bclip"], "TouchDesigner opens .bclip and saves .clip");
    kept(&["a.bchan", "c.csv"], "TouchDesigner opens .bchan and saves .chan");
    kept(
        &["a.csv", "c.wav", "--rate", "59.94"],
        "the sample rate is 59.94, and in a .wav file it is a whole number",
    );
    // Into itself: it is whole at every moment.
    let ended = convert(folder, &["a.csv", "a.csv", "--channels", "tx", "--force"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(fs::read_to_string(folder.join("a.csv")).unwrap(), "tx\n0\n1\n2\n3\n");
}

#[test]
fn rates_belong_to_those_who_have_none() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let recording = Recording::new(vec!["a".into()], 59.94, vec![vec![1.0, 2.0]]).unwrap();
    recording.save(folder.join("a.clip"), Existing::Refuse).unwrap();
    let ended = convert(folder, &["a.clip", "a.csv", "--rate", "120"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(said(folder, &ended).contains("brings its own rate of 59.94 Hz: leave --rate out"), "{ended:?}");
    assert_eq!(convert(folder, &["a.clip", "a.parquet", "--rate", "59.94"]).code, Some(0));
    let back = Recording::open(folder.join("a.parquet"), &ReadOptions::new()).unwrap();
    assert_eq!(back.layout().sample_rate(), 59.94);
    // A table whose rate somebody says has it from then on, one that nobody knows has none.
    fs::write(folder.join("t.csv"), TABLE).unwrap();
    for (args, assumed) in [(&["--rate", "59.94"][..], false), (&[], true)] {
        assert_eq!(convert(folder, &[&["t.csv", "t.parquet", "--force"], args].concat()).code, Some(0));
        let back = Recording::open(folder.join("t.parquet"), &ReadOptions::new()).unwrap();
        assert_eq!(back.layout().rate_is_assumed(), assumed);
    }
}

fn picture(at: u8) -> Picture {
    Picture::new(tdshm::PixelFormat::R8_UNORM, 2, 1, vec![at, 0]).unwrap()
}

#[test]
fn pictures_become_pictures() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("in")).unwrap();
    for number in [1, 2, 10] {
        picture(number).save(folder.join(format!("in/shot{number}.png")), Loss::Refuse).unwrap();
    }
    let first = |file: &str| Picture::open(folder.join(file)).unwrap().pixels()[0];
    let ended = convert(folder, &["in", "out/a.%03d.png"]);
    assert_eq!(
        (ended.code, files(&folder.join("out"))),
        (Some(0), vec!["a.001.png".into(), "a.002.png".into(), "a.003.png".into()])
    );
    assert_eq!([first("out/a.001.png"), first("out/a.003.png")], [1, 10], "by their numbers");
    assert!(said(folder, &ended).contains("wrote 3 pictures: out"), "{ended:?}");
    // A folder, one picture, a part.
    assert_eq!(convert(folder, &["out/a.###.png", "frames"]).code, Some(0));
    assert_eq!(files(&folder.join("frames")), ["0001.png", "0002.png", "0003.png"]);
    assert_eq!(convert(folder, &["in/shot10.png", "one.exr"]).code, Some(0));
    assert!(folder.join("one.exr").exists());
    assert_eq!(convert(folder, &["in", "part.png", "--from", "0.5", "--rate", "2"]).code, Some(0));
    assert_eq!([first("part0001.png"), first("part0002.png")], [2, 10]);

    let refused = convert(folder, &["in", "frames"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(said(folder, &refused).contains("3 pictures are there already"), "{refused:?}");
    let older = convert(folder, &["in", "frames", "--force", "--from", "1", "--rate", "1"]);
    assert_eq!(older.code, Some(0), "{older:?}");
    assert!(said(folder, &older).contains("1 picture of before"), "{older:?}");
    let itself = convert(folder, &["frames", "frames", "--force"]);
    assert_eq!(itself.code, Some(1), "{itself:?}");
    assert!(said(folder, &itself).contains("would be read and written"), "{itself:?}");
    // Floats do not fit a PNG.
    let floats = Picture::new(tdshm::PixelFormat::R32_SFLOAT, 1, 1, 2.5_f32.to_le_bytes().to_vec()).unwrap();
    floats.save(folder.join("f.exr"), Loss::Refuse).unwrap();
    let lossy = convert(folder, &["f.exr", "f.png"]);
    assert_eq!(lossy.code, Some(1), "{lossy:?}");
    assert!(said(folder, &lossy).contains("allow the loss with --lossy"), "{lossy:?}");
    assert_eq!(convert(folder, &["f.exr", "f.png", "--lossy"]).code, Some(0));
    // Neither becomes the other.
    fs::write(folder.join("a.csv"), TABLE).unwrap();
    for args in [&["in", "x.csv"][..], &["a.csv", "x.png"], &["in", "x", "--channels", "a"]] {
        let ended = convert(folder, args);
        assert_eq!(ended.code, Some(2), "{ended:?}");
    }
}

/// A file as large as all the memory that there is, that of the program included.
#[cfg(target_os = "linux")]
#[test]
fn a_long_recording_takes_no_more_memory_than_a_short_one() {
    use tdshm_io::file::{ChannelWriter, Layout};

    let folder = tempfile::tempdir().unwrap();
    let wav = folder.path().join("long.wav");
    let layout = Layout::new((1..=8).map(|n| format!("chan{n}")).collect(), 48_000.0).unwrap();
    let mut file = ChannelWriter::create(&wav, &layout, Existing::Refuse).unwrap();
    let samples: Vec<f32> = (0_u32..8 * 65536).map(|n| (n % 1000) as f32 / 1000.0).collect();
    for _ in 0..32 {
        file.write(&samples, 65536).unwrap();
    }
    file.finish().unwrap();
    assert!(wav.metadata().unwrap().len() > 64 << 20);
    for to in ["long.aiff", "long.parquet"] {
        let to = folder.path().join(to);
        let command = "ulimit -v 65536; exec \"$0\" convert \"$1\" \"$2\"";
        let mut limited = std::process::Command::new("sh");
        limited.args(["-c", command, env!("CARGO_BIN_EXE_tdshm")]).arg(&wav).arg(&to);
        let ended = limited.output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        fs::remove_file(&to).unwrap();
    }
}

#[test]
fn channels_go_into_recordings_and_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let rows: String = (0..1000).map(|row| format!("{row},{}\n", row * 2)).collect();
    fs::write(folder.join("walk.csv"), format!("tx,ty\n{rows}")).unwrap();
    assert_eq!(convert(folder, &["walk.csv", "walk.mcap", "--rate", "240"]).code, Some(0));
    let ended = convert(folder, &["walk.mcap", "back.csv"]);
    assert_eq!(
        said(folder, &ended),
        "tdshm: wrote back.csv: 2 channels × 1000 samples at 240 Hz\n\
         tdshm: .csv files hold no sample rate: who reads this one has to know that it is 240 Hz"
    );
    assert_eq!(fs::read(folder.join("back.csv")).unwrap(), fs::read(folder.join("walk.csv")).unwrap());
    // Frames are of four samples: what is cut is cut between them.
    assert_eq!(
        convert(folder, &["walk.mcap", "part.parquet", "--from", "1", "--to", "2", "--channels", "ty"]).code,
        Some(0)
    );
    let part = Recording::open(folder.join("part.parquet"), &ReadOptions::new()).unwrap();
    assert_eq!(
        (part.names(), part.channel(0)),
        (&["ty".to_owned()][..], Some(&(240..480).map(|row| row as f32 * 2.0).collect::<Vec<_>>()[..]))
    );

    let refused = |args: &[&str], says: &str| {
        let ended = convert(folder, args);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        assert!(said(folder, &ended).contains(says), "{ended:?}");
    };
    refused(&["walk.mcap", "x.png"], "walk.mcap holds no segment of images: of those it has none");
    refused(
        &["walk.mcap", "x.csv", "--name", "nix"],
        "walk.mcap holds no segment of channels called \"nix\": of those it has walk",
    );
    refused(&["walk.csv", "x/y.mcap"], "cannot write");
    refused(&["walk.csv", "walk.mcap"], "walk.mcap is there already");
    fs::write(folder.join("broken.mcap"), "no recording").unwrap();
    refused(&["broken.mcap", "x.csv"], "broken.mcap: the file begins with");
    fs::write(folder.join("empty.mcap"), "").unwrap();
    refused(&["empty.mcap", "x.csv"], "empty.mcap: ");
    let ended = convert(folder, &["walk.csv", "x.csv", "--as", "pose"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(!folder.join("x.csv").exists());
}

#[test]
fn what_changes_in_a_recording_is_said() {
    use std::time::Duration;
    use tdshm_io::file::recording::{Lost as Gap, Stamp, Writer};

    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut writer = Writer::create(folder.join("a.mcap")).unwrap();
    for at in 0..30_u64 {
        let value = at as f32;
        let frame = match at {
            0..10 => ChopFrame::from_rows(["a", "b"], 30.0, &[[value], [-value]]),
            10..20 => ChopFrame::from_rows(["a", "b"], 60.0, &[[value], [-value]]),
            _ => ChopFrame::from_rows(["c"], 30.0, &[[value]]),
        };
        let stamp = Stamp::at(Duration::from_millis(at * 100));
        writer.channels("pose", &frame.unwrap(), &stamp).unwrap();
        if at == 25 {
            writer.lost("pose", Gap { unseen: 3, dropped: 0 }, stamp.received).unwrap();
        }
    }
    writer
        .channels(
            "other",
            &ChopFrame::from_rows(["z"], 60.0, &[[1.0_f32]]).unwrap(),
            &Stamp::at(Duration::ZERO),
        )
        .unwrap();
    writer.finish().unwrap();

    let ended = convert(folder, &["a.mcap", "a.clip"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        said(folder, &ended)
            .contains("several segments that could be meant: choose one of other, pose, with --name"),
        "{ended:?}"
    );
    let ended = convert(folder, &["a.mcap", "a.clip", "--name", "pose"]);
    assert_eq!(
        said(folder, &ended),
        "tdshm: wrote a.clip: 2 channels × 20 samples at 30 Hz\n\
         tdshm: 10 frames have other channels than the first one, and are left out: from 2.000 s on there are c\n\
         tdshm: 10 frames have another rate than the first one, whose 30 Hz all of them get: from 1.000 s on it is 60 Hz\n\
         tdshm: the samples last 0.667 s at 30 Hz, and their frames came over 1.933 s: the times between are lost\n\
         tdshm: the recording lacks 3 frames of \"pose\", which leave no gap in what is made of it"
    );
    let ended = convert(folder, &["a.mcap", "c.csv", "--name", "pose", "--from", "2"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let rest: String = (20..30).map(|at| format!("{at}\n")).collect();
    assert_eq!(fs::read_to_string(folder.join("c.csv")).unwrap(), format!("c\n{rest}"));
    // A part of it, as it was.
    let ended = convert(
        folder,
        &["a.mcap", "b.mcap", "--name", "pose", "--as", "pose2", "--from", "0.5", "--to", "1.5"],
    );
    assert!(said(folder, &ended).starts_with("tdshm: wrote b.mcap: 10 frames of 1 segment\n"), "{ended:?}");
    let ended = convert(folder, &["b.mcap", "b.csv"]);
    assert!(said(folder, &ended).contains("wrote b.csv: 2 channels × 10 samples at 30 Hz"), "{ended:?}");
    assert_eq!(convert(folder, &["a.mcap", "all.mcap"]).code, Some(0));
    assert_eq!(convert(folder, &["a.mcap", "x.mcap", "--as", "x"]).code, Some(1), "one of them alone");
    assert_eq!(files(folder), ["a.clip", "a.mcap", "all.mcap", "b.csv", "b.mcap", "c.csv"]);
}

#[test]
fn images_go_into_recordings_and_out_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("in")).unwrap();
    for number in 1..=4 {
        picture(number).save(folder.join(format!("in/{number}.png")), Loss::Refuse).unwrap();
    }
    let ended = convert(folder, &["in", "cam.mcap", "--rate", "10", "--from", "0.1"]);
    assert_eq!(said(folder, &ended), "tdshm: wrote cam.mcap: 3 images of \"cam\" at 10 a second");
    let ended = convert(folder, &["cam.mcap", "out"]);
    assert!(
        said(folder, &ended).contains("pictures hold no times: these came over 0.200 s, 10.000 a second"),
        "{ended:?}"
    );
    assert_eq!(files(&folder.join("out")), ["0001.png", "0002.png", "0003.png"]);
    for number in 2..=4 {
        let out = Picture::open(folder.join(format!("out/000{}.png", number - 1))).unwrap();
        assert_eq!(out, picture(number));
    }
    let again = convert(folder, &["cam.mcap", "out"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    let ended = convert(folder, &["cam.mcap", "x.csv"]);
    assert!(said(folder, &ended).contains("cam.mcap holds no segment of channels"), "{ended:?}");
    let ended = convert(folder, &["in", "y.mcap", "--as", "a/b"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(!folder.join("y.mcap").exists());
}
