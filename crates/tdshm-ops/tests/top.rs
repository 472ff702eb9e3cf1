//! The pages of the TOPs against the tables of the specification, typed a second time, and the Common page at work inside one
//! network (operators §1.4 to §1.7).
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

use std::sync::Arc;

use tdshm::PixelFormat;
use tdshm_ops::image::Image;
use tdshm_ops::{Cook, Family, Network, Op, OpSpec, Operator, ParSpec, Registry, Value};

/// Name, label, style, default, and the names of the menu.
type Row = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const SPACES: [&str; 17] = [
    "automatic",
    "srgb",
    "srgblinear",
    "rec601ntsc",
    "rec709",
    "rec709gamma24",
    "rec2020",
    "rec2020st2084pq",
    "rec2020hlg",
    "dcip3",
    "dcip3d60",
    "displayp3d65",
    "displayp3d65linear",
    "aces2065-1",
    "acescg",
    "acesproxy",
    "passthrough",
];
const OUT_SPACES: [&str; 14] = [
    "srgb",
    "srgblinear",
    "rec601ntsc",
    "rec709",
    "rec2020",
    "rec2020st2084pq",
    "rec2020hlg",
    "dcip3",
    "dcip3d60",
    "displayp3d65",
    "aces2065-1",
    "acescg",
    "acesproxy",
    "passthrough",
];
const WHITES: [&str; 4] = ["default", "sdr", "hdr", "ui"];
const FORMATS: [&str; 23] = [
    "useinput",
    "rgba8fixed",
    "rgba16float",
    "rgba32float",
    "rgb10a2fixed",
    "rgba16fixed",
    "rgba11float",
    "mono8fixed",
    "mono16fixed",
    "mono16float",
    "mono32float",
    "rg8fixed",
    "rg16fixed",
    "rg16float",
    "rg32float",
    "a8fixed",
    "a16fixed",
    "a16float",
    "a32float",
    "monoalpha8fixed",
    "monoalpha16fixed",
    "monoalpha16float",
    "monoalpha32float",
];
const RESOLUTIONS: [&str; 11] =
    ["useinput", "eighth", "quarter", "half", "2x", "4x", "8x", "fit", "limit", "custom", "parpanel"];
const SIZES: [&str; 14] = [
    "400x300",
    "640x480",
    "800x600",
    "1024x768",
    "1280x720",
    "1920x1080",
    "1920x1200",
    "3840x2160",
    "4096x2160",
    "256x256",
    "512x512",
    "1024x1024",
    "2048x2048",
    "4096x4096",
];
const FILLS: [&str; 7] = ["useinput", "fill", "width", "height", "best", "outside", "nativeres"];

const NAME: Row = ("name", "Shared Mem Name", "Str", "TOPShm", &[]);
const MEM_TYPE: Row = ("memtype", "Shared Mem Type", "Menu", "local", &["local", "global"]);
const IN: &[Row] = &[
    NAME,
    MEM_TYPE,
    ("inputcolorspace", "Input Color Space", "Menu", "automatic", &SPACES),
    ("inputreferencewhite", "Input Reference White", "Menu", "default", &WHITES),
];
const OUT: &[Row] = &[
    ("active", "Active", "Toggle", "True", &[]),
    NAME,
    MEM_TYPE,
    ("downloadtype", "Download Type", "Menu", "nextframe", &["immediate", "nextframe"]),
    ("outputcolorspace", "Output Color Space", "Menu", "srgb", &OUT_SPACES),
    ("outputreferencewhite", "Output Reference White", "Menu", "default", &WHITES),
];
const COMMON: &[Row] = &[
    ("outputresolution", "Output Resolution", "Menu", "useinput", &RESOLUTIONS),
    ("resolutionw", "Resolution", "Int", "256", &[]),
    ("resolutionh", "Resolution", "Int", "256", &[]),
    ("resmenu", "Resolution Menu", "Menu", "", &SIZES),
    ("resmult", "Use Global Res Multiplier", "Toggle", "True", &[]),
    ("outputaspect", "Output Aspect", "Menu", "resolution", &["useinput", "resolution", "custom"]),
    ("aspect1", "Aspect", "Float", "1.0", &[]),
    ("aspect2", "Aspect", "Float", "1.0", &[]),
    ("armenu", "Aspect Menu", "Menu", "", &["1:1", "4:3", "16:9", "16:10"]),
    ("inputfiltertype", "Input Smoothness", "Menu", "linear", &["nearest", "linear", "mipmap"]),
    ("fillmode", "Fill Viewer", "Menu", "best", &FILLS),
    ("filtertype", "Viewer Smoothness", "Menu", "linear", &["useinput", "nearest", "linear", "mipmap"]),
    ("npasses", "Passes", "Int", "1", &[]),
    ("chanmask", "Channel Mask", "Int", "15", &[]),
    ("format", "Pixel Format", "Menu", "rgba8fixed", &FORMATS),
    ("parmcolorspace", "Parm Color Space", "Menu", "srgb", &OUT_SPACES),
    (
        "parmreferencewhite",
        "Parm Reference White",
        "Menu",
        "default",
        &["default", "useparent", "sdr", "hdr", "ui"],
    ),
];

#[test]
fn the_pages_are_those_of_the_tables() {
    let net = Network::new();
    for (op_type, own) in [("sharedmeminTOP", IN), ("sharedmemoutTOP", OUT)] {
        let op = net.root().create(op_type, None).unwrap();
        let pars = op.pars("*").unwrap();
        let rows: Vec<&Row> = own.iter().chain(COMMON).collect();
        assert_eq!(pars.len(), rows.len(), "{op_type}");
        for (par, (name, label, style, default, menu)) in pars.iter().zip(rows) {
            let spec = par.spec().unwrap();
            assert_eq!((&*spec.name, &*spec.label, spec.style.name()), (*name, *label, *style), "{op_type}");
            assert_eq!(par.eval().unwrap().to_string(), *default, "{op_type} {name}");
            assert!(par.is_default().unwrap());
            assert_eq!(spec.menu_names().collect::<Vec<_>>(), *menu, "{op_type} {name}");
            assert!(!spec.help.is_empty() && !spec.page.is_empty(), "{name}");
        }
        let problem = op.par("nonsense").unwrap_err().to_string();
        assert!(problem.contains("nonsense"), "{problem}");
    }
    let none = net.op("sharedmemin1").unwrap().par("active").unwrap_err().to_string();
    assert!(none.contains("active"), "{none}");
}

#[test]
fn resolution_and_aspect_are_enabled_where_they_count() {
    let net = Network::new();
    let null = net.root().create("nullTOP", None).unwrap();
    let is_enabled = |par: &str| null.par(par).unwrap().is_enabled().unwrap();
    for entry in RESOLUTIONS {
        set(&null, "outputresolution", entry);
        for par in ["resolutionw", "resolutionh", "resmenu"] {
            assert_eq!(is_enabled(par), ["fit", "limit", "custom"].contains(&entry), "{entry} {par}");
        }
    }
    for entry in ["useinput", "resolution", "custom"] {
        set(&null, "outputaspect", entry);
        for par in ["aspect1", "aspect2", "armenu"] {
            assert_eq!(is_enabled(par), entry == "custom", "{entry} {par}");
        }
    }
}

#[test]
fn picking_a_size_or_an_aspect_sets_the_two_numbers() {
    let net = Network::new();
    let null = net.root().create("nullTOP", None).unwrap();
    let number = |par: &str| null.par(par).unwrap().eval_f64().unwrap();
    for entry in SIZES {
        set(&null, "resmenu", entry);
        let (width, height) = entry.split_once('x').unwrap();
        assert_eq!(
            [number("resolutionw"), number("resolutionh")].map(|side| side.to_string()),
            [width, height]
        );
    }
    set(&null, "resolutionw", 7);
    set(&null, "resmenu", "4096x4096");
    assert_eq!(number("resolutionw"), 4096.0, "also the one that was picked last");
    set(&null, "resmenu", 1);
    assert_eq!((number("resolutionw"), number("resolutionh")), (640.0, 480.0));
    for (entry, wide, high) in
        [("1:1", 1.0, 1.0), ("4:3", 4.0, 3.0), ("16:9", 16.0, 9.0), ("16:10", 16.0, 10.0)]
    {
        set(&null, "armenu", entry);
        assert_eq!((number("aspect1"), number("aspect2")), (wide, high));
    }
    assert!(null.par("resmenu").unwrap().set("1x1").is_err());
    assert_eq!(number("resolutionw"), 640.0);
    assert!(null.par("resmenu").unwrap().reset().unwrap());
    assert_eq!(number("resolutionw"), 640.0, "none picked: nothing is set");
    for (par, given, kept) in
        [("resolutionw", -5, 1), ("npasses", 0, 1), ("chanmask", 99, 15), ("chanmask", -1, 0)]
    {
        set(&null, par, given);
        assert_eq!(null.par(par).unwrap().eval().unwrap(), Value::Int(kept));
    }
}

fn set(op: &Op, par: &str, value: impl Into<Value>) {
    op.par(par).unwrap().set(value).unwrap();
}

fn wire(from: &Op, to: &Op) {
    from.output_connector(0).unwrap().connect(to).unwrap();
}

fn image(op: &Op) -> Arc<Image> {
    op.image().unwrap().unwrap()
}

/// A new image in every frame, whose pixels are the frame's number, in an operator that has the page.
struct Count;

impl Operator for Count {
    fn cook(&mut self, cook: &mut Cook) {
        cook.depend_on_time();
        let number = cook.time().abs_frame.to_le_bytes()[0];
        cook.fill_image(|image| {
            image.shape(8, 4, PixelFormat::R8_UNORM).unwrap().fill(number);
            image.set_aspect((1.0, 1.0));
        });
    }
}

fn net() -> Network {
    let mut registry = Registry::standard();
    registry.add(
        OpSpec::new("countTOP", Family::Top, "Count", "", || Box::new(Count))
            .pars(vec![ParSpec::int("x", "X", 0)]),
    );
    let shaped = OpSpec::new("shapedTOP", Family::Top, "Shaped", "", || Box::new(Count)).common_page();
    registry.add(shaped.with_default("outputresolution", "half").with_default("format", "useinput"));
    Network::with_registry(registry)
}

#[test]
fn what_the_page_leaves_alone_is_not_copied() {
    let net = net();
    let count = net.root().create("countTOP", None).unwrap();
    let mut last = count.clone();
    let nulls: Vec<Op> = (0..3)
        .map(|_| {
            let null = net.root().create("nullTOP", None).unwrap();
            wire(&last, &null);
            last = null.clone();
            null
        })
        .collect();
    for frame in 1..5 {
        net.step().unwrap();
        let given = image(&count);
        assert_eq!(given.pixels(), [frame; 32]);
        assert!(nulls.iter().all(|null| Arc::ptr_eq(&image(null), &given)), "shared");
    }
    set(&nulls[1], "outputresolution", "2x");
    net.step().unwrap();
    assert!(Arc::ptr_eq(&image(&nulls[0]), &image(&count)));
    assert_eq!(image(&nulls[1]).size(), (16, 8));
    assert!(Arc::ptr_eq(&image(&nulls[1]), &image(&nulls[2])));
}

#[test]
fn an_image_that_is_shaped_follows_its_input_and_its_settings() {
    let net = net();
    let op = net.root().create("shapedTOP", None).unwrap();
    for frame in 1..6 {
        net.step().unwrap();
        let found = image(&op);
        assert_eq!((found.size(), found.pixels()), ((4, 2), &[frame; 8][..]));
    }
    set(&op, "outputresolution", "custom");
    set(&op, "resmenu", "400x300");
    assert_eq!(image(&op).size(), (400, 300));
    set(&op, "outputaspect", "custom");
    set(&op, "armenu", "16:9");
    let (x, y) = image(&op).aspect();
    assert!((x / y * 400.0 / 300.0 - 16.0 / 9.0).abs() < 1e-6);
    // What cannot be is an error, and the last output stays.
    set(&op, "resolutionw", 32768);
    set(&op, "resolutionh", 32768);
    set(&op, "format", "rgba32float");
    assert_eq!(image(&op).size(), (400, 300));
    let error = op.errors().unwrap();
    assert!(error.contains("32768 x 32768 pixels are 17179869184 bytes") && error.ends_with('.'), "{error}");
    set(&op, "outputresolution", "useinput");
    set(&op, "format", "useinput");
    assert_eq!(image(&op).size(), (8, 4));
    assert_eq!(op.errors().unwrap(), "");
}

#[test]
fn a_constant_is_one_colour_in_the_size_of_its_page() {
    let net = net();
    let op = net.root().create("constantTOP", None).unwrap();
    let given = image(&op);
    assert_eq!((given.size(), given.format()), ((256, 256), Some(PixelFormat::R8G8B8A8_UNORM)));
    assert!(given.pixels().iter().all(|&byte| byte == 255));
    for (par, value) in [("colorr", 0.5), ("colorg", 2.0), ("colorb", -1.0), ("alpha", 0.5)] {
        set(&op, par, value);
    }
    set(&op, "format", "rgba32float");
    assert_eq!(image(&op).sample(9, 9), [0.25, 1.0, -0.5, 0.5], "multiplied by alpha");
    set(&op, "multrgbbyalpha", false);
    assert_eq!(image(&op).sample(9, 9), [0.5, 2.0, -1.0, 0.5]);
    set(&op, "chanmask", 1 + 8);
    assert_eq!(image(&op).sample(9, 9), [0.5, 0.0, 0.0, 0.5], "others are 0");
    set(&op, "chanmask", 15);
    set(&op, "format", "rgb16float");
    let given = image(&op);
    assert_eq!(
        (given.format(), given.sample(0, 0)),
        (Some(PixelFormat::R16G16B16A16_SFLOAT), [0.5, 2.0, -1.0, 1.0])
    );
    set(&op, "resmenu", "1280x720");
    for (entry, size) in
        [("custom", (1280, 720)), ("half", (640, 360)), ("useinput", (1280, 720)), ("2x", (2560, 1440))]
    {
        set(&op, "outputresolution", entry);
        assert_eq!(image(&op).size(), size, "{entry}");
    }
    let cooks = op.total_cooks().unwrap();
    net.step().unwrap();
    let _ = image(&op);
    assert_eq!(op.total_cooks().unwrap(), cooks, "it has no reason to cook");
}

#[test]
fn the_global_multiplier_counts_once_in_a_chain() {
    let net = net();
    let constant = net.root().create("constantTOP", None).unwrap();
    let null = net.root().create("nullTOP", None).unwrap();
    let half = net.root().create("nullTOP", None).unwrap();
    wire(&constant, &null);
    wire(&null, &half);
    set(&half, "outputresolution", "half");
    let sizes = || [&constant, &null, &half].map(|op| image(op).size());
    assert_eq!(sizes(), [(256, 256), (256, 256), (128, 128)]);
    net.set_resolution_multiplier(2.0).unwrap();
    assert_eq!(sizes(), [(512, 512), (512, 512), (256, 256)], "at once, and once");
    set(&constant, "resmult", false);
    assert_eq!(sizes(), [(256, 256), (256, 256), (128, 128)]);
    set(&half, "outputresolution", "custom");
    assert_eq!(sizes()[2], (512, 512), "a size of its own");
    for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(net.set_resolution_multiplier(wrong).is_err());
    }
}
