//! `tdshm info` and `tdshm list`.

use serde_json::{Value, json};
use tdshm::{
    ChopFrame, ChopReceiver, ChopSender, HeaderVersion, PixelFormat, Pixels, SegmentSender, TopColour,
    TopSender,
};

use crate::kit::{ForeignSegment, Name, run};

fn info(name: &Name) -> Value {
    let ended = run(&["info", name.as_str(), "--json"]);
    assert_eq!((ended.code, ended.out.len()), (Some(0), 1), "{ended:?}");
    serde_json::from_str(&ended.out[0]).unwrap()
}

#[test]
fn json_has_every_key_and_null_for_what_is_not_known() {
    let name = Name::new();
    let mut out = ChopSender::create(name.as_str()).unwrap();
    out.send(&ChopFrame::from_rows(["cha1", "cha2"], 30.0, &[[0.5; 5]; 2]).unwrap()).unwrap();
    let owner = std::process::id();
    let mut expected = json!({
        "name": name.as_str(),
        "kind": "chop",
        "segment": format!("TouchSHM{}", name.as_str()),
        "mapped_bytes": 65536,
        "block_bytes": 86,
        "num_channels": 2,
        "length": 5,
        "sample_rate": 30.0,
        "names": ["cha1", "cha2"],
        "owner_pid": owner,
        "owner_alive": true,
        "supported": false,
        "frames": 1,
        "age_ms": null,
        "receivers": [],
    });
    // How old a frame is changes from look to look.
    let without_age = |mut info: Value| {
        assert!(info["age_ms"].take().as_f64().is_some_and(|age| age >= 0.0), "{info}");
        info
    };
    assert_eq!(without_age(info(&name)), expected);

    let list = run(&["list", "--json"]);
    assert_eq!((list.code, list.out.len()), (Some(0), 1), "{list:?}");
    let list: Vec<Value> = serde_json::from_str(&list.out[0]).unwrap();
    let mine = list.iter().find(|info| info["name"] == name.as_str()).expect("it is listed");
    assert_eq!(without_age(mine.clone()), expected);

    let mut input = ChopReceiver::open(name.as_str()).unwrap();
    input.read().unwrap().unwrap();
    out.send_flat(&[0.5; 10], 5).unwrap();
    expected["frames"] = json!(2);
    expected["receivers"] =
        json!([{ "pid": owner, "alive": true, "waiting": false, "frame": 1, "behind": 1 }]);
    assert_eq!(without_age(info(&name)), expected);

    let people = run(&["list"]);
    assert!(people.out[0].starts_with("NAME"), "{people:?}");
    let line = people.out.iter().find(|line| line.contains(name.as_str())).unwrap();
    assert_eq!(line.split_whitespace().collect::<Vec<_>>(), [name.as_str(), "chop", "2", "5", "30", "65536"]);

    let people = run(&["info", name.as_str()]);
    assert!(people.out.contains(&"  channels  2 channels × 5 samples at 30 Hz".to_owned()), "{people:?}");
    assert!(people.out.contains(&"  names     cha1 cha2".to_owned()), "{people:?}");
    assert!(
        people.out.iter().any(|line| line.starts_with(&format!("  sender    process {owner} ("))),
        "{people:?}"
    );
    assert!(people.out.contains(&format!("  receivers process {owner} is 1 frame behind")), "{people:?}");
}

#[test]
fn a_foreign_sender_has_no_owner_and_no_count() {
    let name = Name::new();
    let _foreign = ForeignSegment::create(name.as_str());
    let info = info(&name);
    // Without an info segment not even that is known.
    assert_eq!(info["supported"], if cfg!(windows) { json!(false) } else { Value::Null });
    for key in ["owner_pid", "owner_alive", "frames", "age_ms", "receivers"] {
        assert_eq!(info[key], Value::Null, "{key} in {info}");
    }
}

#[test]
fn what_holds_nothing_yet_is_unknown() {
    let name = Name::new();
    let _out = ChopSender::create(name.as_str()).unwrap();
    let info = info(&name);
    assert_eq!(
        (&info["kind"], &info["num_channels"], &info["block_bytes"]),
        (&json!("unknown"), &Value::Null, &Value::Null)
    );
}

/// With an info segment that leads nowhere it is no bare segment, and no empty one.
#[cfg(target_os = "linux")]
#[test]
fn a_broken_info_segment_is_named() {
    let good: Vec<u8> = [&[0xba, 0x34, 0xed, 0x56, 2, 0, 0, 0][..], &[0; 40]].concat();
    let (mut magic, mut postfix) = (good.clone(), good.clone());
    magic[0] = 0;
    postfix[9..12].copy_from_slice(b"abc");
    for (info, said) in [(good, None), (magic, Some("its magic is ")), (postfix, Some("abc is not there"))] {
        let name = Name::new();
        let path = |object: String| format!("/dev/shm/TouchSHM{object}");
        std::fs::write(path(name.as_str().to_owned()), [0; 64]).unwrap();
        std::fs::write(path(format!("TouchSHM{}4jhd783h", name.as_str())), info).unwrap();
        let ended = run(&["info", name.as_str()]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.err.len(), usize::from(said.is_some()), "{ended:?}");
        assert!(said.is_none_or(|said| ended.err[0].contains(said)), "{ended:?}");
    }
}

#[test]
fn a_broken_header_is_named() {
    let name = Name::new();
    let mut segment = SegmentSender::create(name.as_str(), 4096).unwrap();
    let header: Vec<u8> =
        [0x12ed_54cf_u32, 1, 36, 5000, 1].iter().flat_map(|field| field.to_le_bytes()).collect();
    segment.lock().unwrap().view().copy_from(&header);
    let ended = run(&["info", name.as_str()]);
    assert_eq!((ended.code, ended.err.len()), (Some(0), 1), "{ended:?}");
    assert!(ended.err[0].contains("malformed: "), "{ended:?}");
    assert!(ended.out.contains(&"  channels  malformed".to_owned()), "{ended:?}");
    let info = info(&name);
    assert_eq!(
        (&info["kind"], &info["num_channels"], &info["block_bytes"]),
        (&json!("chop"), &Value::Null, &json!(36))
    );
}

#[test]
fn an_absent_name_is_status_1() {
    let name = Name::new();
    let ended = run(&["info", name.as_str()]);
    assert_eq!((ended.code, ended.out.len(), ended.err.len()), (Some(1), 0, 1), "{ended:?}");
    assert!(ended.err[0].starts_with(&format!("tdshm: no segment named {:?}", name.as_str())), "{ended:?}");
}

#[test]
fn an_image_says_size_format_version_and_where_it_lies() {
    let name = Name::new();
    let mut out = TopSender::builder(name.as_str()).slots(1).create().unwrap();
    out.send(&Pixels::top_first(PixelFormat::R16G16_SFLOAT, 7, 3, &[0; 84])).unwrap();
    let known = info(&name);
    let expected = [
        ("kind", json!("top")),
        ("width", json!(7)),
        ("height", json!(3)),
        ("pixel_format", json!("R16G16_SFLOAT")),
        ("pixel_format_number", json!(83)),
        ("header_version", json!(1)),
        ("legacy", json!(false)),
        ("data_offset", json!(48)),
        ("data_bytes", json!(84)),
        ("num_channels", Value::Null),
        ("frames", json!(1)),
    ];
    for (key, value) in expected {
        assert_eq!(known[key], value, "{key} in {known}");
    }
    let people = run(&["info", name.as_str()]);
    assert!(people.out.contains(&"  kind      top".to_owned()), "{people:?}");
    assert!(people.out.contains(&"  image     7 × 3, R16G16_SFLOAT (83)".to_owned()), "{people:?}");
    let header = "  header    version 1, 84 bytes of pixels from byte 48 on";
    assert!(people.out.contains(&header.to_owned()), "{people:?}");
    let list = run(&["list"]);
    let line = list.out.iter().find(|line| line.contains(name.as_str())).unwrap();
    let words: Vec<_> = line.split_whitespace().collect();
    assert_eq!(words, [name.as_str(), "top", "-", "-", "-", "65536", "7", "×", "3", "rg16f"]);
}

#[test]
fn other_headers_of_images_are_told_apart() {
    let name = Name::new();
    let coloured = TopSender::builder(name.as_str()).slots(1).colour(TopColour::SRGB);
    let mut out = coloured.aspect(2.0, 1.0).create().unwrap();
    out.send(&Pixels::top_first(PixelFormat::R8_UNORM, 4, 1, &[0; 4])).unwrap();
    let known = info(&name);
    assert_eq!((&known["header_version"], &known["data_offset"]), (&json!(2), &json!(56)), "{known}");
    let people = run(&["info", name.as_str()]);
    let image = "  image     4 × 1, R8_UNORM (9), pixels of 2 : 1, primaries 2, transfer 1";
    assert!(people.out.contains(&image.to_owned()), "{people:?}");
    drop(out);

    let mut out = TopSender::builder(name.as_str()).slots(1).header(HeaderVersion::Legacy).create().unwrap();
    out.send(&Pixels::top_first(PixelFormat::R8G8B8A8_UNORM, 1, 1, &[0; 4])).unwrap();
    let known = info(&name);
    for (key, value) in
        [("legacy", json!(true)), ("data_offset", json!(40)), ("pixel_format", json!("R8G8B8A8_UNORM"))]
    {
        assert_eq!(known[key], value, "{key} in {known}");
    }
    let people = run(&["info", name.as_str()]);
    assert!(people.out.iter().any(|line| line.starts_with("  header    from before 2022, ")), "{people:?}");
}

#[test]
fn a_broken_or_unknown_image_is_named() {
    let name = Name::new();
    let mut segment = SegmentSender::create(name.as_str(), 4096).unwrap();
    let mut put = |format: u32, height: u32| {
        let fields = [0xd95e_f835_u32, 1, 2, height, 0x3f80_0000, 0x3f80_0000, format, 0, 8, 0, 48, 0];
        let header: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
        segment.lock().unwrap().view().copy_from(&header);
    };
    put(9, 40_000);
    let ended = run(&["info", name.as_str()]);
    assert_eq!((ended.code, ended.err.len()), (Some(0), 1), "{ended:?}");
    assert!(ended.err[0].contains("malformed: ") && ended.err[0].contains("40000"), "{ended:?}");
    assert!(ended.out.contains(&"  image     malformed".to_owned()), "{ended:?}");
    let known = info(&name);
    assert_eq!((&known["kind"], &known["width"]), (&json!("top"), &Value::Null), "{known}");
    let list = run(&["list"]);
    assert!(
        list.out.iter().any(|line| line.contains(name.as_str()) && line.contains("malformed")),
        "{list:?}"
    );

    put(4242, 1);
    let known = info(&name);
    assert_eq!((&known["pixel_format"], &known["pixel_format_number"]), (&json!("0x1092"), &json!(4242)));
    let people = run(&["info", name.as_str()]);
    let image = "  image     2 × 1, 0x1092, which is unknown here";
    assert!(people.out.contains(&image.to_owned()), "{people:?}");
}
