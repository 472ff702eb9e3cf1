//! What goes in comes out: channels bit by bit, images in every packing, the last frame for who comes late, a day in a minute.

use std::io::Cursor;
use std::time::Duration;

use tdshm::{ChopFrame, ChopReceiver, ChopSender, PixelFormat, Pixels, TopFrame, TopReceiver, TopSender};
use tdshm_io::file::recording::{Kind, Reader, Stamp, Writer};

use crate::kit::{ENDED, Name, channels, endpoint, image, mirror, net, share};

fn frame(values: &[f32]) -> ChopFrame {
    let rows: Vec<[f32; 1]> = values.iter().map(|value| [*value]).collect();
    ChopFrame::from_rows((0..rows.len()).map(|row| format!("c{row}")), 44.1, &rows).unwrap()
}

fn bits(samples: &[f32]) -> Vec<u32> {
    samples.iter().map(|sample| sample.to_bits()).collect()
}

#[test]
fn channels_come_bit_by_bit_whoever_starts_first() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let mut mirroring = mirror(&["there/*"], &endpoint, &[]);
    let sharing = share(&[&name.0], &endpoint, &[]);
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    let mut out = ChopSender::create(&name.0).unwrap();
    let odd = [f32::NAN, -0.0, f32::INFINITY, f32::MIN_POSITIVE / 2.0, f32::from_bits(0x7fa0_0001)];
    for round in 0..20 {
        // Now all of it is new, now one sample, now nothing but the frame.
        let mut values = odd.to_vec();
        values.extend((0..100).map(|at| if round % 3 == 0 { (round * at) as f32 } else { at as f32 }));
        values[7] = round as f32;
        let sent = frame(&values);
        out.send(&sent).unwrap();
        let got = channels(&mut receiver, |frame| {
            frame.num_channels() == 105 && frame.samples()[7] == round as f32
        });
        assert_eq!(bits(got.samples()), bits(sent.samples()), "{round}");
        assert_eq!((got.names(), got.sample_rate()), (sent.names(), sent.sample_rate()));
    }
    // Another shape, larger than there was room for.
    let rows = vec![vec![0.25_f32; 4000]; 50];
    out.send(&ChopFrame::from_rows((0..50).map(|row| format!("n{row}")), 96000.0, &rows).unwrap()).unwrap();
    let got = channels(&mut receiver, |frame| frame.num_channels() == 50);
    assert_eq!((got.len_samples(), got.names()[49].as_str(), got.sample_rate()), (4000, "n49", 96000.0));
    let stream = mirroring
        .json("mirrored", |stream| stream["state"] == "mirrored" && stream["latency_ms"]["p50"].is_number());
    assert_eq!(
        (&stream["host"], &stream["lost"], &stream["broken"]),
        (&"there".into(), &0.into(), &0.into())
    );
    let (status, out, err) = mirroring.end();
    assert_eq!(status, ENDED, "{out:?} {err:?}");
    assert_eq!(sharing.end().0, ENDED);
}

#[test]
fn few_changes_take_few_bytes() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mirrored = name.mirrored();
    let mut values = vec![0.5; 1000];
    let mut out = ChopSender::create(&name.0).unwrap();
    out.send(&frame(&values)).unwrap();
    let mut sharing = share(&[&name.0], &endpoint, &[]);
    let _mirroring = mirror(&["there/*"], &endpoint, &[]);
    let mut receiver = ChopReceiver::open(&mirrored.0).unwrap();
    channels(&mut receiver, |frame| frame.samples()[3] == 0.5);
    for round in 1..=50 {
        values[3] = round as f32;
        out.send(&frame(&values)).unwrap();
        let got = channels(&mut receiver, |frame| frame.samples()[3] == round as f32);
        assert_eq!(got.samples(), values);
    }
    let stream = sharing.json("frames", |stream| stream["number"].as_u64() > Some(50));
    let (bytes, frames) = (stream["bytes"].as_u64().unwrap(), stream["number"].as_u64().unwrap());
    // A whole one has 4 kB of samples and 5 kB of names, and goes out once a second.
    assert!(bytes < frames * 4000, "{bytes} bytes in {frames} frames");
}

/// Colours that run from one side to the other, with a stripe that says which image it is.
fn picture(format: PixelFormat, width: usize, height: usize, number: u8) -> TopFrame {
    let per_pixel = format.bytes_per_pixel().unwrap();
    let pixels: Vec<u8> = (0..width * height)
        .flat_map(|at| {
            (0..per_pixel).map(move |byte| if at < width { number } else { ((at / width) * 3 + byte) as u8 })
        })
        .collect();
    TopFrame::from_pixels(&Pixels::bottom_first(format, width, height, &pixels)).unwrap()
}

fn send(out: &mut TopSender, frame: &TopFrame) {
    let shape = frame.shape();
    let format = shape.texels.format().unwrap();
    out.send(&Pixels::bottom_first(format, shape.width, shape.height, frame.pixels())).unwrap();
}

#[test]
fn images_come_in_every_packing_and_size() {
    for packing in ["raw", "lz4", "jpeg"] {
        let (name, endpoint) = (Name::new(), endpoint());
        let mirrored = name.mirrored();
        let mut out = TopSender::create(&name.0).unwrap();
        let first = picture(PixelFormat::R8G8B8A8_UNORM, 64, 48, 1);
        send(&mut out, &first);
        let _sharing = share(&["net*"], &endpoint, &["--images", packing, "--quality", "95"]);
        let wanted = format!("there/{}", name.0);
        let mut mirroring = mirror(&[&wanted], &endpoint, &[]);
        let mut receiver = TopReceiver::open(&mirrored.0).unwrap();
        let sizes = [(64, 48), (8, 8), (640, 480), (1, 1)];
        for (number, (width, height)) in (1..).zip(sizes) {
            for format in
                [PixelFormat::R8G8B8A8_UNORM, PixelFormat::R8_UNORM, PixelFormat::R32G32B32A32_SFLOAT]
            {
                let sent = picture(format, width, height, number);
                send(&mut out, &sent);
                let got = image(&mut receiver, |frame| frame.shape() == sent.shape());
                let bytes = format.bytes_per_pixel().unwrap();
                if packing == "jpeg" && bytes != 16 {
                    let pairs = got.pixels().iter().zip(sent.pixels()).enumerate();
                    let colours = pairs.filter(|(at, _)| bytes == 1 || at % 4 != 3);
                    let apart: u64 = colours.map(|(_, (a, b))| u64::from(a.abs_diff(*b))).sum();
                    assert!(apart / (width * height * bytes) as u64 <= 40, "{apart}");
                } else {
                    assert_eq!(got.pixels(), sent.pixels(), "{packing} {format:?} {width} x {height}");
                }
            }
        }
        let stream = mirroring.json("an image", |stream| stream["kind"] == "image");
        assert_eq!(stream["broken"], 0);
    }
}

#[test]
fn who_comes_late_has_the_last_frame_at_once() {
    let (channels_name, image_name, endpoint) = (Name::new(), Name::new(), endpoint());
    let mut out = ChopSender::create(&channels_name.0).unwrap();
    let mut images = TopSender::create(&image_name.0).unwrap();
    let _sharing = share(&[&channels_name.0, &image_name.0], &endpoint, &[]);
    out.send(&frame(&[1.0, 2.0])).unwrap();
    send(&mut images, &picture(PixelFormat::R8_UNORM, 5, 4, 9));
    // Neither sends anything more.
    for _ in 0..2 {
        let mirrored = [channels_name.mirrored(), image_name.mirrored()];
        let late = mirror(&["there/*"], &endpoint, &[]);
        let got = channels(&mut ChopReceiver::open(&mirrored[0].0).unwrap(), |_| true);
        assert_eq!(got.samples(), [1.0, 2.0]);
        let got = image(&mut TopReceiver::open(&mirrored[1].0).unwrap(), |_| true);
        assert_eq!(got.pixels()[0], 9);
        assert_eq!(late.end().0, ENDED);
    }
}

#[test]
fn what_is_shared_is_listed() {
    let (name, endpoint) = (Name::new(), endpoint());
    let mut out = TopSender::create(&name.0).unwrap();
    send(&mut out, &picture(PixelFormat::R8_UNORM, 5, 4, 9));
    let mut sharing = share(&[&name.0], &endpoint, &["--images", "lz4"]);
    sharing.err("sharing ");
    let list = |more: &[&str]| {
        let output = net(&[&["list", "--connect", &endpoint], more].concat()).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    let table = crate::kit::until("the list", || Some(list(&[])).filter(|table| table.contains(&name.0)));
    let line = table.lines().find(|line| line.contains(&name.0)).unwrap();
    assert!(
        line.starts_with(&format!("there/{} ", name.0)) && line.contains("5 x 4 R8_UNORM, lz4"),
        "{table}"
    );
    let json: serde_json::Value = serde_json::from_str(&list(&["--json", "there/*"])).unwrap();
    assert_eq!((&json[0]["width"], &json[0]["pid"]), (&5.into(), &std::process::id().into()));
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&list(&["--json", "elsewhere/*"])).unwrap(),
        serde_json::json!([])
    );
}

/// A frame a minute for a day, an image an hour; and the same frames out of the segments of the other side.
#[test]
fn a_days_recording_comes_through_frame_by_frame() {
    let (pose, camera, endpoint) = (Name::new(), Name::new(), endpoint());
    let minute = Duration::from_secs(60);
    let stamp = |number: u64| {
        let at = Duration::from_secs(1_700_000_000) + minute * u32::try_from(number).unwrap();
        Stamp { received: at, sent: Some(at), number: Some(number) }
    };
    let mut writer = Writer::new(Cursor::new(Vec::new())).unwrap();
    let mut block = Vec::new();
    for number in 1..=24 * 60 {
        let values: Vec<f32> =
            (0..32).map(|at| if at % 4 == number % 4 { number as f32 } else { at as f32 }).collect();
        block.clear();
        let mut rows: Vec<[f32; 1]> = values.iter().map(|value| [*value]).collect();
        rows[31] = [number as f32];
        frame(&rows.concat()).append_block(&mut block).unwrap();
        writer.block(&pose.0, Kind::Channels, &block, &stamp(number)).unwrap();
        if number % 60 == 0 {
            block.clear();
            picture(PixelFormat::B8G8R8A8_UNORM, 32, 24, (number / 60) as u8)
                .append_block(&mut block)
                .unwrap();
            writer.block(&camera.0, Kind::Image, &block, &stamp(number)).unwrap();
        }
    }
    let recording = writer.finish().unwrap();

    let mirrored = [pose.mirrored(), camera.mirrored()];
    let mut sharing = share(&[&pose.0, &camera.0], &endpoint, &["--images", "lz4"]);
    let _mirroring = mirror(&["there/*"], &endpoint, &[]);
    let mut out = ChopSender::create(&pose.0).unwrap();
    let mut images = TopSender::create(&camera.0).unwrap();
    let mut poses = ChopReceiver::open(&mirrored[0].0).unwrap();
    let mut pictures = TopReceiver::open(&mirrored[1].0).unwrap();
    let mut reader = Reader::new(recording).unwrap();
    let mut frames = 0;
    while let Some(original) = reader.next_frame().unwrap() {
        frames += 1;
        block.clear();
        // The next one goes when this one has come: none may be missing.
        if original.kind == Kind::Channels {
            let sent = ChopFrame::from_block(&original.block).unwrap();
            out.send(&sent).unwrap();
            channels(&mut poses, |frame| frame.samples().last() == sent.samples().last())
                .append_block(&mut block)
                .unwrap();
        } else {
            let sent = TopFrame::from_block(&original.block).unwrap();
            send(&mut images, &sent);
            image(&mut pictures, |frame| frame.pixels()[0] == sent.pixels()[0])
                .append_block(&mut block)
                .unwrap();
        }
        assert_eq!(block, original.block, "frame {frames}");
    }
    assert_eq!(frames, 24 * 60 + 24);
    let stream = sharing.json("all", |stream| {
        stream["segment"] == pose.0.as_str() && stream["number"].as_u64() >= Some(1440)
    });
    assert_eq!((&stream["missed"], &stream["broken"]), (&0.into(), &0.into()));
}
