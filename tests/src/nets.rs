//! Networks of operators whose data can be checked, for tests and for their peers.

use std::sync::Arc;

use tdshm_ops::clip::{ChannelNames, Clip};
use tdshm_ops::{Cook, Family, Flag, InfoType, Network, Op, OpSpec, Operator, ParSpec, Registry, Value};

use crate::acts::Dice;
use crate::frames;

/// A network whose Global memory is that of one test, with the types `giveTOP` and `giveCHOP` besides the usual ones: a frame that can be
/// checked, with the number `seed` or, where that is 0, that of the network's frame. With `sliced` it is a time slice
/// whose samples are their own indices.
#[must_use]
pub fn network(global: &str) -> Network {
    let mut registry = Registry::standard();
    let pars = vec![
        ParSpec::int("seed", "Seed", 0),
        ParSpec::int("count", "Count", 1),
        ParSpec::int("len", "Length", 1),
        ParSpec::float("rate", "Rate", 60.0),
        ParSpec::toggle("sliced", "Sliced", false),
        ParSpec::text("names", "Names", ""),
    ];
    registry.add(OpSpec::new("giveCHOP", Family::Chop, "Give", "A frame.", || Box::new(Give)).pars(pars));
    crate::nets_top::register(&mut registry);
    let net = Network::with_registry(registry);
    net.set_global_name(global);
    net
}

struct Give;

impl Operator for Give {
    fn cook(&mut self, cook: &mut Cook) {
        cook.depend_on_time();
        let number = |par: &str| usize::try_from(cook.par_i64(par)).expect("not negative");
        let (mut seed, count, mut len) = (number("seed"), number("count"), number("len"));
        let (rate, sliced, names) = (cook.par_f64("rate"), cook.par_is_on("sliced"), cook.par_text("names"));
        if seed == 0 {
            seed = usize::try_from(cook.time().abs_frame).expect("few frames");
        }
        let slice = cook.slice(rate);
        if sliced {
            len = slice.len();
        }
        cook.fill_clip(|clip| {
            let given = clip.names().are(names.split_whitespace()) && clip.num_channels() == count;
            let names = match (given, names.is_empty()) {
                (true, _) => clip.names().clone(),
                (_, true) => ChannelNames::numbered(count),
                _ => ChannelNames::new(names.split_whitespace()),
            };
            let samples = clip.shape(names, len).expect("there is memory");
            for (index, sample) in samples.iter_mut().enumerate() {
                *sample = if sliced {
                    (slice.first + (index % len) as i64) as f32
                } else {
                    frames::sample(seed as u32, count, len, index)
                };
            }
            clip.set_rate(rate).expect("a rate");
            clip.set_slice(sliced);
            clip.set_start(if sliced { slice.first } else { 0 });
        });
    }
}

/// A Shared Mem In CHOP of that name, which nobody asks.
#[must_use]
pub fn input(net: &Network, name: &str) -> Op {
    let input = net.root().create("sharedmeminCHOP", None).expect("it can be made");
    set(&input, "name", name);
    input
}

/// A Shared Mem Out CHOP of that name, and what it writes.
#[must_use]
pub fn output(net: &Network, name: &str) -> (Op, Op) {
    let give = net.root().create("giveCHOP", None).expect("it can be made");
    let output = net.root().create("sharedmemoutCHOP", None).expect("it can be made");
    set(&output, "name", name);
    give.output_connector(0).and_then(|wire| wire.connect(&output)).expect("they can be wired");
    (give, output)
}

/// Sets a parameter.
pub fn set(op: &Op, par: &str, value: impl Into<Value>) {
    op.par(par).and_then(|par| par.set(value)).expect("the parameter takes it");
}

/// Sets a flag.
pub fn flag(op: &Op, flag: Flag, on: bool) {
    op.set_flag(flag, on).expect("it has the flag");
}

/// Asks for the channels in a new frame.
#[must_use]
pub fn next(op: &Op) -> Arc<Clip> {
    op.network().step().expect("no frame is under way");
    op.clip().expect("a CHOP")
}

/// The number of the frame that came out; `None`: its samples do not belong together, or there are none.
#[must_use]
pub fn seed(clip: &Clip) -> Option<u32> {
    if clip.samples().is_empty() {
        return None;
    }
    frames::seed_of(clip.samples(), clip.num_channels(), clip.len_samples())
}

/// Lets a frame pass and says which one came out.
#[must_use]
pub fn next_seed(op: &Op) -> Option<u32> {
    seed(&next(op))
}

/// The warnings and errors of the last cook.
#[must_use]
pub fn said(op: &Op) -> (String, String) {
    (op.warnings().expect("it is there"), op.errors().expect("it is there"))
}

/// One channel of the info set `shm`.
#[must_use]
pub fn count(op: &Op, channel: &str) -> f64 {
    let info = op.info(InfoType::Shm).expect("it is there");
    info.into_iter().find(|(name, _)| *name == channel).expect("there is such a channel").1
}

/// Sends frames from two operators, `NAMEa` and `NAMEb`, each with the number of the network's frame, with pauses at random.
pub fn send_pairs(name: &str, how: &str, count: u32, seed: u64) {
    let net = network(name);
    for which in ["a", "b"] {
        let (give, output) = output(&net, &format!("{name}{which}"));
        set(&give, "count", 3);
        set(&give, "len", 40);
        set(&output, "memtype", how);
    }
    let mut dice = Dice::new(seed);
    for _ in 0..count {
        net.step().expect("no frame is under way");
        pause(&mut dice);
    }
}

/// No pause, or a short one, or the processor for somebody else.
pub fn pause(dice: &mut Dice) {
    match dice.below(4) {
        0 => {}
        1 => std::thread::yield_now(),
        _ => (0..dice.below(500)).for_each(|_| std::hint::spin_loop()),
    }
}
