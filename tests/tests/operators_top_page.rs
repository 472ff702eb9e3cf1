//! The Common page of TOPs at work on what comes from shared memory and goes there: formats, sizes, aspects (operators §1.6),
//! through two processes, and images in Global memory beside channels.

use tdshm::{PixelFormat, RowOrder, TopReceiver};
use tdshm_ops::Network;
use tdshm_ops::image::PixelFormatChoice;
use tdshm_tests::acts::Dice;
use tdshm_tests::foreign_top::ForeignTop;
use tdshm_tests::images::Image;
use tdshm_tests::nets::{self, network, pause, said, set};
use tdshm_tests::nets_top::{self, image, input, next, seed, sender};
use tdshm_tests::{Peer, Scene};

/// A network here whose images go through another process, `echo`, and come back.
struct Round {
    scene: Scene,
    net: Network,
    echo: Peer,
}

impl Round {
    fn new(title: &'static str) -> Self {
        let scene = Scene::new(title);
        let mut echo = scene.peer();
        echo.ask(&format!("top-echo {0}there {0}back", scene.name()));
        let net = network(&format!("{}here", scene.name()));
        Self { scene, net, echo }
    }

    fn there(&self) -> String {
        format!("{}there", self.scene.name())
    }

    fn back(&self) -> String {
        format!("{}back", self.scene.name())
    }

    /// Lets one frame go there and back.
    fn turn(&mut self) {
        self.net.step().unwrap();
        self.echo.ask("top-echo-step");
        self.net.step().unwrap();
    }
}

#[test]
fn every_format_of_the_wire_goes_through_both_operators_as_it_is() {
    let mut round = Round::new("operators: formats");
    let (_, out) = nets_top::output(&round.net, &round.there());
    let constant = round.net.root().create("constantTOP", None).unwrap();
    for (par, value) in [("resolutionw", 5), ("resolutionh", 3)] {
        set(&constant, par, value);
    }
    constant.output_connector(0).unwrap().connect(&out).unwrap();
    let here = input(&round.net, &round.back());
    nets::flag(&here, tdshm_ops::Flag::Viewer, true);
    let mut formats = Vec::new();
    for choice in PixelFormatChoice::ALL {
        if matches!(
            choice,
            PixelFormatChoice::UseInput | PixelFormatChoice::Rgb16Float | PixelFormatChoice::Rgb32Float
        ) {
            continue;
        }
        set(&constant, "format", choice.menu_name());
        for (par, value) in [("colorr", 0.25), ("colorg", 0.5), ("colorb", 0.75)] {
            set(&constant, par, value);
        }
        round.turn();
        let (given, back) = (image(&constant), image(&here));
        assert_eq!(said(&here), Default::default());
        assert_eq!(*given, *back, "{choice}");
        formats.extend(back.format());
    }
    // Those two that a Constant does not make, and all others again, with bytes of every kind.
    drop(constant);
    for number in 1..=200_u32 {
        let given = Image::of(number);
        let feed = round.net.root().create("giveTOP", None).unwrap();
        set(&feed, "seed", i64::from(number));
        feed.output_connector(0).unwrap().connect(&out).unwrap();
        round.turn();
        let back = image(&here);
        assert_eq!((back.format(), seed(&back)), (Some(given.format), Some(number)));
        formats.extend(back.format());
        feed.destroy().unwrap();
    }
    let missing: Vec<_> = PixelFormat::ALL.iter().filter(|format| !formats.contains(format)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(PixelFormat::ALL.len(), 25);
}

/// The table of operators §1.6, typed again: what goes over the wire, and what becomes of 0.25, 0.5, 0.75, 0.5.
#[test]
fn every_entry_of_pixel_format_is_sent_as_the_table_says() {
    const RGBA: [f32; 4] = [0.25, 0.5, 0.75, 0.5];
    const RGB: [f32; 4] = [0.25, 0.5, 0.75, 1.0];
    const MONO: [f32; 4] = [0.25, 0.25, 0.25, 1.0];
    const RG: [f32; 4] = [0.25, 0.5, 0.0, 1.0];
    const A: [f32; 4] = [0.0, 0.0, 0.0, 0.5];
    const MONO_ALPHA: [f32; 4] = [0.25, 0.25, 0.25, 0.5];
    const EIGHT: f32 = 0.5 / 255.0 + 1e-6;
    let table = [
        ("useinput", 109, RGBA, 0.0),
        ("rgba8fixed", 37, RGBA, EIGHT),
        ("srgba8fixed", 43, RGBA, 0.005),
        ("rgba16float", 97, RGBA, 0.0),
        ("rgba32float", 109, RGBA, 0.0),
        ("rgb10a2fixed", 64, [0.25, 0.5, 0.75, 2.0 / 3.0], 0.0006),
        ("rgba16fixed", 91, RGBA, 1e-5),
        ("rgba11float", 122, RGB, 0.0),
        ("rgb16float", 97, RGB, 0.0),
        ("rgb32float", 109, RGB, 0.0),
        ("mono8fixed", 9, MONO, EIGHT),
        ("mono16fixed", 70, MONO, 1e-5),
        ("mono16float", 76, MONO, 0.0),
        ("mono32float", 100, MONO, 0.0),
        ("rg8fixed", 16, RG, EIGHT),
        ("rg16fixed", 77, RG, 1e-5),
        ("rg16float", 83, RG, 0.0),
        ("rg32float", 103, RG, 0.0),
        ("a8fixed", 0xf_0001, A, EIGHT),
        ("a16fixed", 0xf_0002, A, 1e-5),
        ("a16float", 0xf_0003, A, 0.0),
        ("a32float", 0xf_0004, A, 0.0),
        ("monoalpha8fixed", 0xf_0005, MONO_ALPHA, EIGHT),
        ("monoalpha16fixed", 0xf_0006, MONO_ALPHA, 1e-5),
        ("monoalpha16float", 0xf_0007, MONO_ALPHA, 0.0),
        ("monoalpha32float", 0xf_0008, MONO_ALPHA, 0.0),
    ];
    let mut round = Round::new("operators: menu of formats");
    let constant = round.net.root().create("constantTOP", None).unwrap();
    set(&constant, "format", "rgba32float");
    set(&constant, "multrgbbyalpha", false);
    for (par, value) in ["colorr", "colorg", "colorb", "alpha"].into_iter().zip(RGBA) {
        set(&constant, par, f64::from(value));
    }
    let out = sender(&round.net, &round.there());
    constant.output_connector(0).unwrap().connect(&out).unwrap();
    let here = input(&round.net, &round.back());
    nets::flag(&here, tdshm_ops::Flag::Viewer, true);
    let (mut sent, mut returned) = (None, None);
    for (entry, number, expected, within) in table {
        set(&out, "format", entry);
        round.turn();
        assert_eq!((said(&out), said(&here)), Default::default());
        let on_the_wire =
            sent.get_or_insert_with(|| ForeignTop::attach(&round.there()).unwrap()).read().unwrap();
        assert_eq!(on_the_wire.kind, (1, number), "{entry}");
        let echoed =
            returned.get_or_insert_with(|| ForeignTop::attach(&round.back()).unwrap()).read().unwrap();
        assert_eq!((echoed.kind, &echoed.pixels), ((1, number), &on_the_wire.pixels), "{entry}");
        let back = image(&here);
        assert_eq!(back.format().map(PixelFormat::number), Some(number), "{entry}");
        let found = back.sample(100, 200);
        let near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() <= within);
        assert!(near, "{entry}: {found:?}, not {expected:?}");
        assert_eq!(image(&out).format(), back.format(), "what is passed on is what was written");
    }
    let listed = out.par("format").unwrap().menu_names().unwrap().unwrap();
    for (entry, ..) in table {
        let is_old = ["srgba8fixed", "rgb16float", "rgb32float"].contains(&entry);
        assert_eq!(listed.iter().any(|listed| listed == entry), !is_old, "{entry}");
    }
    assert_eq!(listed.len(), table.len() - 3);
}

/// Sizes by every entry, on both sides of shared memory.
#[test]
fn every_entry_of_output_resolution_on_both_sides() {
    let table = [
        ("useinput", (64, 48), (64, 48)),
        ("eighth", (8, 6), (8, 6)),
        ("quarter", (16, 12), (16, 12)),
        ("half", (32, 24), (32, 24)),
        ("2x", (128, 96), (128, 96)),
        ("4x", (256, 192), (256, 192)),
        ("8x", (512, 384), (512, 384)),
        ("fit", (100, 75), (200, 150)),
        ("limit", (64, 48), (64, 48)),
        ("custom", (100, 90), (200, 180)),
        ("parpanel", (64, 48), (64, 48)),
    ];
    for side in ["out", "in"] {
        for (multiplier, toggle) in [(1.0, true), (2.0, true), (2.0, false)] {
            let mut round = Round::new("operators: sizes");
            let constant = round.net.root().create("constantTOP", None).unwrap();
            for (par, value) in [("resolutionw", 64), ("resolutionh", 48)] {
                set(&constant, par, value);
            }
            set(&constant, "resmult", false);
            let out = sender(&round.net, &round.there());
            constant.output_connector(0).unwrap().connect(&out).unwrap();
            let here = input(&round.net, &round.back());
            nets::flag(&here, tdshm_ops::Flag::Viewer, true);
            let op = if side == "out" { &out } else { &here };
            for (par, value) in [("resolutionw", 100), ("resolutionh", 90)] {
                set(op, par, value);
            }
            round.net.set_resolution_multiplier(multiplier).unwrap();
            set(op, "resmult", toggle);
            let times = multiplier > 1.0 && toggle;
            for (entry, once, twice) in table {
                set(op, "outputresolution", entry);
                round.turn();
                let expected = if times { twice } else { once };
                assert_eq!(
                    image(&here).size(),
                    expected,
                    "{entry} of the {side}, times {multiplier} {toggle}"
                );
                assert_eq!(said(op), Default::default());
            }
            set(op, "outputresolution", "limit");
            set(op, "resolutionw", 32);
            round.turn();
            assert_eq!(image(&here).size(), if times { (64, 48) } else { (32, 24) }, "a limit that counts");
        }
    }
}

/// The aspect of a pixel on the wire, and what a receiver makes of it.
#[test]
fn aspects_go_through() {
    let mut round = Round::new("operators: aspects");
    let constant = round.net.root().create("constantTOP", None).unwrap();
    for (par, value) in [("resolutionw", 1920), ("resolutionh", 1080)] {
        set(&constant, par, value);
    }
    let out = sender(&round.net, &round.there());
    constant.output_connector(0).unwrap().connect(&out).unwrap();
    let here = input(&round.net, &round.back());
    nets::flag(&here, tdshm_ops::Flag::Viewer, true);
    set(&out, "outputaspect", "custom");
    set(&out, "armenu", "4:3");
    assert_eq!(out.par("aspect1").unwrap().eval_f64().unwrap(), 4.0);
    round.turn();
    let mut raw = TopReceiver::open(&round.there()).unwrap();
    assert_eq!(raw.read().unwrap().unwrap().shape().aspect, (0.75, 1.0));
    assert_eq!(image(&here).aspect(), (1.0, 1.0), "Resolution is square pixels");
    set(&here, "outputaspect", "useinput");
    round.net.step().unwrap();
    assert_eq!(image(&here).aspect(), (0.75, 1.0));
    let info = here.info(tdshm_ops::InfoType::All).unwrap();
    assert_eq!(info[2..4], [("aspectx", 0.75), ("aspecty", 1.0)]);
    // In Global memory as well.
    for op in [&out, &here] {
        set(op, "memtype", "global");
        set(op, "name", "a");
    }
    let there = network(&format!("{}here", round.scene.name()));
    let sending = sender(&there, "a");
    let source = there.root().create("constantTOP", None).unwrap();
    source.output_connector(0).unwrap().connect(&sending).unwrap();
    for (par, value) in [("outputaspect", "custom"), ("armenu", "16:9"), ("memtype", "global")] {
        set(&sending, par, value);
    }
    out.destroy().unwrap();
    there.step().unwrap();
    round.net.step().unwrap();
    assert_eq!(said(&here), Default::default());
    assert_eq!((image(&here).size(), image(&here).aspect()), ((256, 256), (16.0 / 9.0, 1.0)));
}

/// As TouchDesigner sees it: the first row of the block is the bottom one.
#[test]
fn rows_go_bottom_first() {
    let mut round = Round::new("operators: rows");
    let (give, _out) = nets_top::output(&round.net, &round.there());
    set(&give, "seed", 9);
    let here = input(&round.net, &round.back());
    nets::flag(&here, tdshm_ops::Flag::Viewer, true);
    round.turn();
    let given = Image::of(9);
    let on_the_wire = ForeignTop::attach(&round.back()).unwrap().read().unwrap();
    assert_eq!(on_the_wire.rows().next().unwrap(), given.row(given.height - 1));
    assert_eq!(image(&here).pixels(), given.bytes(RowOrder::BottomFirst));
}

/// Channels and images of one process, in Global memory: always of one frame.
#[test]
fn a_global_image_is_of_the_frame_of_its_channels() {
    const FRAMES: u32 = 600;
    let scene = Scene::new("global: image and channels");
    let name = scene.name();
    let mut peer = scene.peer();
    peer.begin(&format!("nets-mixed {name} 4000000000 7"));
    let net = network(name);
    let channels = nets::input(&net, &format!("{name}a"));
    let images = input(&net, &format!("{name}b"));
    for op in [&channels, &images] {
        set(op, "memtype", "global");
    }
    let mut dice = Dice::new(5);
    let (mut seen, mut last) = (0, 0);
    scene.doing("frames to be seen");
    while seen < FRAMES {
        net.step().unwrap();
        let (number, other);
        if dice.below(2) == 0 {
            number = nets::seed(&channels.clip().unwrap());
            pause(&mut dice);
            other = seed(&image(&images));
        } else {
            other = seed(&image(&images));
            pause(&mut dice);
            number = nets::seed(&channels.clip().unwrap());
        }
        let Some(number) = number else {
            assert_eq!(last, 0, "what was there stays");
            continue;
        };
        assert_eq!(other, Some(number), "after {seen} frames");
        assert!(number >= last);
        seen += u32::from(number > last);
        last = number;
    }
    assert_eq!((said(&channels), said(&images)), Default::default());
    peer.kill();
    scene.until("the death to be seen", || {
        let stays = seed(&next(&images)).is_some();
        stays && said(&images).0.starts_with("No Global sender of this project runs;")
    });
    // What is sent late is of the frame before.
    let there = network(name);
    let (_, out) = nets_top::output(&there, &format!("{name}b"));
    set(&out, "memtype", "global");
    set(&out, "downloadtype", "nextframe");
    for frame in 1..6 {
        there.step().unwrap();
        let found = seed(&next(&images)).unwrap();
        assert!(frame == 1 || found == frame - 1, "{found} in frame {frame}");
    }
    // An entry that is not there is told by name, while others are.
    set(&images, "name", "nobody");
    let _ = next(&images);
    assert_eq!(said(&images).0, "Shared memory 'nobody' not found.");
}
