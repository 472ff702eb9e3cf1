//! Channel blocks whose layout changes: every change there is, right after every other (wire §8).

use tdshm::{ChopReceiver, ChopSender};
use tdshm_tests::{Scene, Seen, frames};

/// What a sender is set to for one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Layout {
    count: usize,
    length: usize,
    rate: f32,
    given: Given,
    sent: bool,
}

/// Which names a sender gives its channels.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Given {
    None,
    /// `a0`, `a1`, …
    Short,
    /// Longer ones that fit the same number of channels.
    Long,
}

impl Layout {
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for count in [0, 1, 3] {
            for length in [0, 1, 7] {
                for rate in [60.0, 44_100.5] {
                    for given in [Given::None, Given::Short, Given::Long] {
                        for sent in [true, false] {
                            all.push(Self { count, length, rate, given, sent });
                        }
                    }
                }
            }
        }
        all
    }

    fn names(&self) -> Vec<String> {
        let name = |index| match self.given {
            Given::None => format!("chan{}", index + 1),
            Given::Short => format!("a{index}"),
            Given::Long => format!("a_much_longer_name_{index}"),
        };
        (0..self.count).map(name).collect()
    }

    fn send(&self, out: &mut ChopSender, seed: u32) {
        match self.given {
            Given::None => out.set_channels([""; 0]).unwrap(),
            _ => out.set_channels(self.names()).unwrap(),
        }
        out.set_names_sent(self.sent);
        out.set_sample_rate(self.rate).unwrap();
        // The three ways of sending take turns.
        match seed % 3 {
            // Rows of no channels cannot say how long they are.
            0 if self.count > 0 => out.send(&frames::rows(seed, self.count, self.length)).unwrap(),
            1 if self.count * self.length > 0 => {
                out.send_flat(&frames::flat(seed, self.count, self.length), self.length).unwrap()
            }
            _ => out
                .send_with(self.count, self.length, |block| {
                    assert_eq!((block.num_channels(), block.len_samples()), (self.count, self.length));
                    for (index, row) in frames::rows(seed, self.count, self.length).iter().enumerate() {
                        assert_eq!(block.channel(index).unwrap().copy_from(row), self.length);
                    }
                    assert!(block.channel(self.count).is_none());
                })
                .unwrap(),
        };
    }

    fn seen(&self, seed: u32, names: &[String]) -> Seen {
        let seed = if self.count * self.length == 0 { 0 } else { seed };
        Seen {
            count: self.count,
            length: self.length,
            rate: self.rate,
            seed: Some(seed),
            abandoned: false,
            names: names.to_vec(),
        }
    }
}

/// The naming rules once more, by themselves: what was sent counts, then what was known, then the position.
#[derive(Default)]
struct Known(Vec<String>);

impl Known {
    fn after(&mut self, layout: &Layout) -> Vec<String> {
        if layout.sent {
            let names = layout.names();
            let kept = self.0.len().min(names.len());
            self.0.splice(..kept, names.clone());
            return names;
        }
        let known = self.0.iter().take(layout.count).cloned();
        let positions = (self.0.len()..layout.count).map(|position| format!("chan{}", position + 1));
        known.chain(positions).collect()
    }
}

/// Every layout right after every other one, and after itself.
fn every_change(layouts: &[Layout]) -> impl Iterator<Item = (u32, Layout)> + '_ {
    let pairs = layouts.iter().enumerate().flat_map(|(index, &one)| {
        let later = layouts[index + 1..].iter().flat_map(move |&other| [one, other]);
        [one].into_iter().chain(later)
    });
    pairs.zip(1_u32..).map(|(layout, seed)| (seed, layout))
}

#[test]
fn the_walk_makes_every_change() {
    let layouts = Layout::all();
    let walk: Vec<Layout> = every_change(&layouts).map(|(_, layout)| layout).collect();
    let key = |pair: &[Layout]| format!("{pair:?}");
    let changes: std::collections::HashSet<String> = walk.windows(2).map(key).collect();
    let wanted = layouts.len() * layouts.len();
    assert!(changes.len() >= wanted - 1, "{} of {wanted}", changes.len());
}

#[test]
fn every_change_of_layout_within_one_thread() {
    let scene = Scene::new("chop: every change, one thread");
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut input = ChopReceiver::open(scene.name()).unwrap();
    let mut known = Known::default();
    let mut buffer = [0.0; 32];
    for (seed, layout) in every_change(&Layout::all()) {
        layout.send(&mut out, seed);
        let expected = layout.seen(seed, &known.after(&layout));
        let samples = frames::flat(seed, layout.count, layout.length);
        // The three ways of reading, in turns of which comes first.
        for way in 0..3 {
            match (seed + way) % 3 {
                0 => assert_eq!(Seen::of(input.read().unwrap().unwrap()), expected, "{seed}: {layout:?}"),
                1 => {
                    buffer.fill(-1.0);
                    let shape = input.read_into(&mut buffer).unwrap().unwrap();
                    let found = (shape.num_channels, shape.len_samples, shape.sample_rate);
                    assert_eq!(found, (layout.count, layout.length, layout.rate), "{seed}: {layout:?}");
                    assert_eq!(buffer[..samples.len()], samples, "{seed}: {layout:?}");
                    assert!(buffer[samples.len()..].iter().all(|left| *left == -1.0));
                    assert_eq!(input.names(), expected.names, "{seed}: {layout:?}");
                }
                _ => {
                    let view = input.view().unwrap().unwrap();
                    assert_eq!(view.names(), expected.names, "{seed}: {layout:?}");
                    assert_eq!(view.samples().len(), samples.len());
                    for (index, row) in frames::rows(seed, layout.count, layout.length).iter().enumerate() {
                        let channel = view.channel(&expected.names[index]).unwrap();
                        assert_eq!(channel.len(), row.len());
                        assert_eq!(channel.get(row.len()), None);
                        for (at, sample) in row.iter().enumerate() {
                            assert_eq!(channel.get(at), Some(*sample));
                        }
                    }
                    assert!(
                        view.channel_at(layout.count).is_none() && view.channel("no such name").is_none()
                    );
                }
            }
        }
    }
}

#[test]
fn every_change_of_layout_between_two_processes() {
    let scene = Scene::new("chop: every change, two processes");
    let mut reader = scene.peer();
    reader.ask(&format!("receiver {}", scene.name()));
    let mut out = ChopSender::create(scene.name()).unwrap();
    let mut known = Known::default();
    // All changes of each kind, with fewer values of each: a pipe is slower than shared memory.
    let layouts: Vec<Layout> = Layout::all()
        .into_iter()
        .filter(|layout| layout.count != 1 || layout.length == 1)
        .filter(|layout| layout.length != 0 || layout.rate == 60.0)
        .collect();
    for (seed, layout) in every_change(&layouts) {
        layout.send(&mut out, seed);
        let expected = layout.seen(seed, &known.after(&layout));
        let how = ["read", "view", "try-next"][seed as usize % 3];
        let seen = reader.see(how);
        if how == "try-next" && seen.is_none() {
            assert_eq!(layout.count * layout.length, 0, "only an empty frame can be like the last one");
            continue;
        }
        assert_eq!(seen.unwrap(), expected, "{seed}: {layout:?}");
    }
}
