//! Sends and receives, and matches names, with every system call forbidden and every allocation counted: what is
//! promised of the paths once the layout stays. Ends with status 0; with 1 when it allocated; killed by the system when it called.
//!
//! `quiet NAME CHANNELS LENGTH` does so in shared memory, `quiet network` lets a network of operators cook, `quiet
//! operators` each operator by itself.
#![allow(unsafe_code, reason = "a counting allocator, and the filter that forbids system calls")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use tdshm::{ChopReceiver, ChopSender, PixelFormat, TopReceiver, TopSender};
use tdshm_ops::image::{Image, OutputResolution, PixelFormatChoice, ShapeSettings, Shaper, Smoothness};
use tdshm_ops::{Flag, Network, ParSpec, Pattern, Table};

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: both functions hand their arguments on to the system's allocator, whose duties are the same.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's duties are those of the function that is called.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    match args[1].as_str() {
        "network" => return cook_quietly(),
        "operators" => return each_quietly(),
        _ => {}
    }
    let (name, channels, length) =
        (&args[1], args[2].parse::<usize>().unwrap(), args[3].parse::<usize>().unwrap());
    let rows = vec![vec![0.5_f32; length]; channels];
    let mut samples = vec![0.5_f32; length * channels];
    let mut to = vec![0_f32; length * channels];
    let mut out = ChopSender::builder(name).room_for(channels, length).create().unwrap();
    let mut input = ChopReceiver::open(name).unwrap();
    let scope = Pattern::parse("(chan* ~ *[0-9]) & ?*[xyz] | \"b c\"").unwrap();
    let longest = format!("chan{}x", "1".repeat(506));
    let images = format!("{name}i");
    let mut picture =
        TopSender::builder(&images).room_for(PixelFormat::R8_UNORM, 300, 300).slots(4).create().unwrap();
    let mut watching = TopReceiver::open(&images).unwrap();
    let (pixels, mut last) = (vec![7_u8; 300 * 300], None);
    let mut exchange = |value: f32| {
        samples.fill(value);
        out.send_flat(&samples, length).unwrap();
        assert!(input.read().unwrap().unwrap().samples()[0].to_bits() == value.to_bits());
        out.send(&rows).unwrap();
        assert!(input.try_next().unwrap().is_some() && input.try_next().unwrap().is_none());
        assert!(input.read_into(&mut to).unwrap().is_some());
        assert!(input.view().unwrap().is_some());
        let mut draft = out.draft(channels, length).unwrap();
        draft.samples().copy_from(&samples);
        out.commit(&draft).unwrap();
        assert!(input.try_next().unwrap().is_some());
        for _ in 0..2 {
            // The second one is published.
            let mut draft = picture.draft(PixelFormat::R8_UNORM, 300, 300).unwrap();
            draft.pixels().copy_from(&pixels);
            assert!(draft.is_in_place());
            last = Some(draft);
        }
        picture.commit(last.as_ref().unwrap()).unwrap();
        assert!(watching.try_next().unwrap().is_some());
    };
    for round in 0_u8..4 {
        exchange(f32::from(round));
    }

    // Nobody else lives in this process, and nothing below needs the system: from here on only read, write and
    // leaving are allowed, and anything else kills.
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    let refused = forbid_calls();
    for round in 0_u8..100 {
        exchange(f32::from(round) + 0.25);
    }
    // Not between frames: a receiver that is kept waiting looks, now and then, whether its sender lives.
    assert!(scope.matches(&longest) && scope.matches("b c") && !scope.matches("chan1"));
    let allocated = ALLOCATIONS.load(Ordering::Relaxed) != before;
    end(if allocated { 1 } else { refused });
}

/// Operators whose values change every frame and whose shapes do not: made, sliced, renamed, passed on, exported by name
/// and by table to each kind of parameter, followed by expressions, looked at by an Info CHOP that is exported too, and
/// sent and received through shared memory.
fn cook_quietly() {
    let net = Network::new();
    let root = net.root();
    let create = |op_type: &str, name: &str, pars: &[(&str, &str)]| {
        let op = root.create(op_type, name).unwrap();
        for &(par, value) in pars {
            op.par(par).unwrap().set(value).unwrap();
        }
        op
    };
    let base = create("baseCOMP", "base1", &[]);
    base.append_custom_par(ParSpec::float("Tx", "Tx", 0.0)).unwrap();
    base.append_custom_par(ParSpec::int("Cooks", "Cooks", 0)).unwrap();
    base.append_custom_par(ParSpec::menu("Kind", "Kind", &[("a", "A"), ("b", "B")])).unwrap();
    let constant =
        create("constantCHOP", "constant1", &[("const0name", "base1:Tx"), ("const1name", "base1:Kind")]);
    constant.par("const0value").unwrap().set_expr("absTime.frame * 2 + op('base1').par.Cooks").unwrap();
    let null = create("nullCHOP", "null1", &[("exportmethod", "autoname")]);
    let wave = create("waveCHOP", "wave1", &[]);
    wave.par("timeslice").unwrap().set(true).unwrap();
    let renamed = create("nullCHOP", "renamed1", &[("commonrenameto", "new*"), ("scope", "*")]);
    let cut = create("nullCHOP", "cut1", &[("exporttable", "table1")]);
    cut.par("timeslice").unwrap().set(true).unwrap();
    let table = create("tableDAT", "table1", &[]);
    table
        .set_table(Table::from_rows([["index", "path", "parameter"], ["0", "renamed1", "srselect"]]))
        .unwrap();
    let info = create("infoCHOP", "info1", &[("op", "wave1"), ("iscope", "total_cooks")]);
    info.par("commonrenameto").unwrap().set("base1:Cooks").unwrap();
    info.par("exportmethod").unwrap().set("autoname").unwrap();
    for (from, to) in [(&constant, &null), (&wave, &renamed), (&constant, &cut)] {
        from.output_connector(0).unwrap().connect(to).unwrap();
    }
    for exporter in [&null, &cut, &info] {
        exporter.set_flag(Flag::Export, true).unwrap();
    }
    let (name, global) =
        (format!("quiet{}", std::process::id()), format!("quiet{}global", std::process::id()));
    net.set_global_name(&global);
    let mut shared = Vec::new();
    for mem_type in ["local", "global"] {
        let out =
            create("sharedmemoutCHOP", &format!("{mem_type}out"), &[("name", &name), ("memtype", mem_type)]);
        constant.output_connector(0).unwrap().connect(&out).unwrap();
        shared.push(out);
        for (which, scope, mode) in
            [("a", "*", "filter"), ("b", "*Tx", "filter"), ("c", "*Tx", "passthrough")]
        {
            for sliced in [false, true] {
                let pars =
                    [("name", name.as_str()), ("memtype", mem_type), ("scope", scope), ("scopemode", mode)];
                let input = create("sharedmeminCHOP", &format!("{mem_type}{which}{sliced}"), &pars);
                input.par("timeslice").unwrap().set(sliced).unwrap();
                input.set_flag(Flag::Viewer, true).unwrap();
                shared.push(input);
            }
        }
    }
    renamed.set_flag(Flag::Viewer, true).unwrap();
    base.set_flag(Flag::Viewer, true).unwrap();
    for _ in 0..16 {
        net.step().unwrap();
    }

    let cooks = base.total_cooks().unwrap();
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..200 {
        net.step().unwrap();
    }
    let allocated = ALLOCATIONS.load(Ordering::Relaxed) != before;
    let all = [&constant, &null, &wave, &renamed, &cut, &info, &base];
    let alive =
        base.total_cooks() == Ok(cooks + 200) && all.iter().all(|op| op.cooked_this_frame() == Ok(true));
    let alive =
        alive && shared.iter().all(|op| op.num_chans().unwrap() > 0 && op.warnings().unwrap().is_empty());
    for op in shared {
        op.destroy().unwrap();
    }
    // Global memory is left at the end of a frame.
    net.step().unwrap();
    tdshm::clean(&[&name, &global], tdshm::DryRun::No).unwrap();
    end(if allocated {
        1
    } else if alive {
        0
    } else {
        3
    });
}

/// Each operator that makes, joins or changes channels, with values that change every frame: of a time slice, whose length
/// comes back every few frames, and of a clip. Says which of them allocates, or does not cook.
fn each_quietly() {
    type Pars = [(&'static str, &'static str)];
    let filters: [(&str, &Pars); 16] = [
        ("resampleCHOP", &[("rate", "144")]),
        ("resampleCHOP", &[("rate", "20"), ("scope", "chan1")]),
        ("resampleCHOP", &[("method", "strech"), ("interp", "cubic")]),
        ("extendCHOP", &[("left", "mirror")]),
        ("timesliceCHOP", &[]),
        ("timesliceCHOP", &[("method", "hold"), ("scope", "chan2")]),
        ("renameCHOP", &[("renameto", "new*"), ("scope", "^chan2")]),
        ("selectCHOP", &[("channames", "chan2 chan1"), ("renameto", "x*")]),
        ("selectCHOP", &[("chop", "constant1")]),
        ("nullCHOP", &[]),
        ("nullCHOP", &[("timeslice", "1"), ("commonrenameto", "b[1-2]")]),
        ("mergeCHOP", &[("duplicate", "keeplast")]),
        ("mergeCHOP", &[("srselect", "min"), ("align", "stretchtomin"), ("scope", "chan1")]),
        ("mergeCHOP", &[("srselect", "first"), ("align", "shifttofirst")]),
        ("noiseCHOP", &[("timeslice", "1"), ("rate", "44100")]),
        ("waveCHOP", &[("timeslice", "1"), ("wavetype", "square"), ("scope", "a*")]),
    ];
    let mut code = 0;
    for slices in [false, true] {
        for (op_type, pars) in filters {
            let net = Network::new();
            let root = net.root();
            let wave = |rate: f64| {
                let wave = root.create("waveCHOP", None).unwrap();
                wave.par("channelname").unwrap().set("chan[1-2]").unwrap();
                wave.par("end").unwrap().set(30).unwrap();
                wave.par("rate").unwrap().set(rate).unwrap();
                wave.par("offset").unwrap().set_expr("absTime.frame").unwrap();
                wave.par("timeslice").unwrap().set(slices).unwrap();
                wave
            };
            let constant = root.create("constantCHOP", None).unwrap();
            constant.par("const0value").unwrap().set_expr("absTime.frame").unwrap();
            let op = root.create(op_type, None).unwrap();
            for &(par, value) in pars {
                let par = op.par(par).unwrap();
                match value.parse::<f64>() {
                    Ok(number) => par.set(number).unwrap(),
                    Err(_) => par.set(value).unwrap(),
                }
            }
            let inputs = if op_type == "mergeCHOP" {
                vec![wave(100.0), wave(24.0), constant]
            } else {
                vec![wave(100.0)]
            };
            if op.spec().unwrap().max_inputs > 0 {
                for (at, input) in inputs.iter().enumerate() {
                    op.input_connector(at).unwrap().connect(input).unwrap();
                }
            }
            op.set_flag(Flag::Viewer, true).unwrap();
            for _ in 0..32 {
                net.step().unwrap();
            }
            let (cooks, before) = (op.total_cooks().unwrap(), ALLOCATIONS.load(Ordering::Relaxed));
            for _ in 0..100 {
                net.step().unwrap();
            }
            let allocated = ALLOCATIONS.load(Ordering::Relaxed) - before;
            let cooked = op.total_cooks().unwrap() - cooks;
            let errors = format!("{}{}", op.errors().unwrap(), op.warnings().unwrap());
            if allocated > 0 || cooked != 100 || !errors.is_empty() {
                eprintln!(
                    "{op_type} {pars:?}, sliced {slices}: {allocated} allocations, {cooked} cooks {errors}"
                );
                code = if allocated > 0 { 1 } else { 3 };
            }
        }
    }
    end(if code == 0 { shape_quietly() } else { code });
}

/// Images brought to another size and format, by each way there is.
fn shape_quietly() -> i32 {
    let mut code = 0;
    for from in [PixelFormat::R8G8B8A8_UNORM, PixelFormat::R16_UNORM, PixelFormat::R32G32B32A32_SFLOAT] {
        for format in PixelFormatChoice::ALL {
            for smoothness in Smoothness::ALL {
                let mut settings = ShapeSettings::default();
                settings.output_resolution = OutputResolution::Half;
                settings.format = *format;
                settings.smoothness = *smoothness;
                let mut input = Image::constant(160, 90, from, [0.25, 0.5, 0.75, 1.0]).unwrap();
                let (mut shaper, mut output) = (Shaper::default(), Image::default());
                shaper.apply(&input, &settings, &mut output).unwrap();
                let before = ALLOCATIONS.load(Ordering::Relaxed);
                for round in 0_u8..4 {
                    input.pixels_mut().fill(round);
                    shaper.apply(&input, &settings, &mut output).unwrap();
                }
                let allocated = ALLOCATIONS.load(Ordering::Relaxed) - before;
                if allocated > 0 {
                    eprintln!("{from:?} to {format:?}, {smoothness:?}: {allocated} allocations");
                    code = 1;
                }
            }
        }
    }
    code
}

/// From here on the system kills this process when it is called for anything else. 2: it cannot.
#[cfg(target_os = "linux")]
fn forbid_calls() -> i32 {
    // SAFETY: the call takes no pointers, and this process has one thread.
    let strict = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_STRICT) };
    if strict == 0 { 0 } else { 2 }
}

/// A lock is a call of the kernel's here, so calls are not forbidden; allocations are counted all the same.
#[cfg(not(target_os = "linux"))]
fn forbid_calls() -> i32 {
    0
}

fn end(code: i32) {
    #[cfg(target_os = "linux")]
    // SAFETY: ends this thread, which is the last one; `exit_group` is not among the allowed calls.
    unsafe {
        libc::syscall(libc::SYS_exit, code)
    };
    #[cfg(not(target_os = "linux"))]
    std::process::exit(code)
}
