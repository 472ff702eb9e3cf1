//! The kill matrix: a process killed at every step that the specification names (wire §3 to §6), and at random.
//!
//! Afterwards the others go on, what they are given is whole, a new sender gets the name, and `clean` leaves nothing.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tdshm::{ChopReceiver, DryRun};
use tdshm_tests::acts::Dice;
use tdshm_tests::foreign::ForeignReceiver;
use tdshm_tests::system::DIES_WITH_HANDLES;
use tdshm_tests::{Peer, Scene, Seen, frames};

/// Far longer than the watchdog's: nobody may have to wait for a time limit.
const EVER: Duration = Duration::from_secs(600);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// A first sender, with receivers of both kinds waiting for it.
    Sender,
    /// A first sender without any receiver.
    Alone,
    /// A first sender that fills one place beside another.
    Beside,
    /// A first sender that draws its frames.
    Drafter,
    /// A sender that takes over from a dead one.
    Heir,
    /// A receiver of a living sender.
    Receiver,
    /// A receiver of a sender that fills one place beside another.
    Pinner,
    /// Somebody who cleans up after a dead sender.
    Cleaner,
}

/// Which step, up to which time it is reached, and who dies there.
const MATRIX: &[(Role, &str, u32)] = &[
    (Role::Sender, "object before its name", if cfg!(windows) { 3 } else { 5 }), // locks, info, data, moved data
    (Role::Sender, "create: locks", 1),
    (Role::Sender, "create: locked", 1),
    (Role::Sender, "claim: info", 1),
    (Role::Sender, "create: claimed", 1),
    (Role::Sender, "write: begun", 2),
    (Role::Sender, "write: header", 3),
    (Role::Sender, "write: samples", 3),
    (Role::Sender, "write: written", 2),
    (Role::Sender, "write: ended", 2),
    (Role::Sender, "write: unlocked", 2),
    (Role::Sender, "resize: begun", 2),
    (Role::Sender, "resize: made", 2),
    (Role::Sender, "resize: info locked", 2),
    (Role::Sender, "resize: published", 2),
    (Role::Sender, "resize: even", 2),
    (Role::Sender, "resize: unlocked", 2),
    (Role::Sender, "detach: locked", 1),
    (Role::Sender, "detach: said", 1),
    (Role::Sender, "detach: data", 1),
    (Role::Alone, "object between two names", 2),
    (Role::Alone, "resize: anew", 2),
    (Role::Alone, "resize: even", 2),
    (Role::Alone, "resize: unlocked", 2),
    (Role::Beside, "slot: begun", 3),
    (Role::Beside, "slot: filled", 3),
    (Role::Beside, "slot: ended", 3),
    (Role::Beside, "slot: switched", 3),
    (Role::Beside, "resize: made", 1),
    (Role::Beside, "resize: even", 1),
    (Role::Beside, "write: unlocked", 2),
    (Role::Drafter, "draft: begun", 6),
    (Role::Drafter, "draft: drawn", 4),
    (Role::Drafter, "slot: ended", 3),
    (Role::Drafter, "slot: switched", 3),
    (Role::Drafter, "resize: published", 2),
    (Role::Heir, "claim: info", 1),
    (Role::Heir, "object before its name", 2),
    (Role::Heir, "take-over: data", 1),
    (Role::Heir, "take-over: published", 1),
    (Role::Heir, "take-over: owner", 1),
    (Role::Heir, "take-over: attached", 1),
    (Role::Heir, "create: claimed", 1),
    (Role::Receiver, "attach: info locked", 1),
    (Role::Receiver, "attach: registered", 1),
    (Role::Receiver, "attach: attached", 1),
    (Role::Receiver, "follow: info locked", 1),
    (Role::Receiver, "read: locked", 2),
    (Role::Receiver, "wait: before its flag", 1),
    (Role::Receiver, "wait: counted in", 1),
    (Role::Pinner, "slot: pinned", 3),
    (Role::Cleaner, "clean: owned", 1),
    (Role::Cleaner, "clean: detached", 1),
    (Role::Cleaner, "clean: data", 1),
    (Role::Cleaner, "clean: lock claimed", 2),
];

/// Steps that only a system has where objects stay until they are removed.
const OF_LASTING_OBJECTS: &[&str] =
    &["object between two names", "resize: anew", "clean: data", "clean: lock claimed"];

/// The steps in the sources, but for those that only macOS takes.
fn steps() -> BTreeSet<String> {
    let mut steps = BTreeSet::new();
    let mut folders =
        vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../crates/tdshm/src"))];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(path).unwrap();
            steps.extend(
                text.split("step!(\"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()),
            );
        }
    }
    steps.retain(|step| !step.starts_with("mac "));
    steps
}

#[test]
fn every_step_of_the_sources_is_in_the_matrix() {
    let tried: BTreeSet<String> = MATRIX.iter().map(|(_, step, _)| (*step).to_owned()).collect();
    assert_eq!(tried, steps());
}

/// Those who stay: a receiver of ours in this process, one in another, and a foreign one.
struct Audience<'s> {
    scene: &'s Scene,
    here: ChopReceiver,
    there: Peer,
    foreign: Option<ForeignReceiver>,
    last: u32,
}

impl<'s> Audience<'s> {
    fn new(scene: &'s Scene) -> Self {
        let mut there = scene.peer();
        there.ask(&format!("receiver {} 600000", scene.name()));
        let here = ChopReceiver::open(scene.name()).unwrap();
        Self { scene, here, there, foreign: None, last: 0 }
    }

    /// What they see now is whole, and of now or before.
    fn look(&mut self, seed: u32) {
        for how in ["try-next", "read", "view"] {
            self.scene.doing(&format!("the receiver here to {how}"));
            let seen = match how {
                "try-next" => self.here.try_next().unwrap().map(Seen::of),
                _ => self.here.read().unwrap().map(Seen::of),
            };
            for seen in [seen, self.there.see(how)].into_iter().flatten() {
                self.check(&seen, seed);
            }
        }
        // Without the lock it may see half of a frame, and must not be led out of the mapping.
        match &mut self.foreign {
            Some(foreign) if !foreign.detached() => drop(foreign.read()),
            foreign => *foreign = ForeignReceiver::attach(self.scene.name()),
        }
    }

    fn check(&mut self, seen: &Seen, seed: u32) {
        let found = seen.seed.unwrap_or_else(|| panic!("torn: {seen:?}"));
        assert!((self.last..=seed).contains(&found), "{found} is not in {}..={seed}", self.last);
        self.last = found;
        let names = if found.is_multiple_of(2) {
            frames::names(found, seen.count)
        } else {
            default_names(seen.count)
        };
        assert_eq!(seen.names, names, "misnamed: {seen:?}");
    }

    /// All of them get a frame of the sender that lives.
    fn arrives(&mut self, seed: u32) -> Duration {
        let begin = Instant::now();
        self.there.begin(&format!("wait {seed}"));
        self.scene.doing(&format!("frame {seed} to reach the receiver here"));
        loop {
            let seen = self.here.next_timeout(EVER).unwrap().map(Seen::of).unwrap();
            self.check(&seen, seed);
            if seen.seed == Some(seed) {
                break;
            }
        }
        let seen = Seen::parse(&self.there.answer().unwrap()).unwrap();
        self.check(&seen, seed);
        let took = begin.elapsed();
        let wanted = frames::flat(seed, seen.count, seen.length);
        let wanted: Vec<u8> = wanted.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let (name, foreign) = (self.scene.name(), &mut self.foreign);
        self.scene.until("the foreign receiver to see it", || {
            if foreign.as_mut().and_then(ForeignReceiver::read).is_some_and(|block| block.samples == wanted) {
                return true;
            }
            if foreign.as_ref().is_none_or(ForeignReceiver::detached) {
                *foreign = ForeignReceiver::attach(name);
            }
            false
        });
        took
    }
}

fn default_names(count: usize) -> Vec<String> {
    (1..=count).map(|index| format!("chan{index}")).collect()
}

/// The frames of a script: small ones, and twice one that does not fit.
fn send(seed: u32) -> String {
    let length = match seed {
        3 => 20_000,
        5 => 100_000,
        _ => 50,
    };
    let names = if seed.is_multiple_of(2) { "names" } else { "default" };
    format!("send 2 {length} 60 {seed} {names}")
}

/// Lets one die and the others go on. `false`: it did not die. Prints how long the next frame took.
fn play(role: Role, step: &str, outside: Option<u64>) -> Option<Duration> {
    let scene = Scene::new("kill");
    scene.doing(&format!("{role:?} at {step:?}"));
    let name = scene.name().to_owned();
    let mut seed = 0;
    let mut audience = (role != Role::Alone).then(|| Audience::new(&scene));
    let mut living = None;
    if matches!(role, Role::Heir | Role::Receiver | Role::Pinner | Role::Cleaner) {
        let mut first = scene.peer();
        first.ask(&match role {
            Role::Pinner => format!("divided {name} 65536 3"),
            _ => format!("sender {name} 65536"),
        });
        for _ in 0..3 {
            seed += 1;
            first.ask(&send(seed));
            audience.as_mut().unwrap().look(seed);
        }
        if matches!(role, Role::Receiver | Role::Pinner) {
            living = Some(first);
        } else {
            first.kill();
        }
    }

    let mut victim = if outside.is_some() { scene.peer() } else { scene.dying_peer(step) };
    let mut script: Vec<String> = match role {
        Role::Sender | Role::Alone | Role::Beside | Role::Drafter => {
            let mut script = vec![match role {
                Role::Beside | Role::Drafter => format!("divided {name} 65536 3"),
                _ => format!("sender {name} 65536"),
            }];
            let how = if role == Role::Drafter { "draft" } else { "send" };
            script.extend((1..=6).map(|seed| send(seed).replacen("send", how, 1)));
            script.push("detach".to_owned());
            script
        }
        Role::Heir => {
            let mut script = vec![format!("sender {name} 65536")];
            script.extend((4..=6).map(send));
            script.push("detach".to_owned());
            script
        }
        Role::Receiver | Role::Pinner => {
            ["receiver {} 600000", "read", "view", "+", "read", "+", "+", "view", "next 20", "next 20"]
                .map(|command| command.replace("{}", &name))
                .to_vec()
        }
        Role::Cleaner => {
            // A lock that somebody has open stays, so those who watch go first.
            if step.starts_with("clean: lock")
                && let Some(mut audience) = audience.take()
            {
                audience.there.quit();
            }
            vec![format!("clean {name}")]
        }
    };
    script.reverse();
    let mut died = false;
    let mut left = outside.unwrap_or(u64::MAX);
    while let Some(command) = script.pop() {
        if command == "+" {
            seed += 1;
            living.as_mut().unwrap().ask(&send(seed));
            continue;
        }
        if command.starts_with("send ") || command.starts_with("draft ") {
            seed += 1;
        }
        if left == 0 {
            // In the middle of whatever it does.
            victim.begin(&command);
            for _ in 0..outside.unwrap_or(0) % 7 * 300 {
                std::hint::spin_loop();
            }
            victim.kill();
            died = true;
            break;
        }
        left -= 1;
        if victim.ask_dying(&command).is_none() {
            died = true;
            break;
        }
        if let Some(audience) = &mut audience {
            audience.look(seed);
        }
    }
    if !died {
        return None;
    }

    let mut audience = audience.unwrap_or_else(|| Audience::new(&scene));
    audience.look(seed);
    let begin = Instant::now();
    let mut next = living.unwrap_or_else(|| {
        let mut heir = scene.peer();
        heir.ask(&format!("sender {name} 65536"));
        heir
    });
    let mut slowest = begin.elapsed();
    for length in [50, 200_000, 60] {
        seed += 1;
        let names = if seed.is_multiple_of(2) { "names" } else { "default" };
        next.ask(&format!("send 2 {length} 60 {seed} {names}"));
        slowest = slowest.max(audience.arrives(seed));
    }
    next.ask("detach");
    next.quit();
    audience.there.quit();
    drop(audience);
    // Another test of this process that starts a program keeps the locks that were open here for a moment.
    scene.until(&format!("clean to leave nothing after {role:?} at {step:?}"), || {
        tdshm::clean(&[&name], DryRun::No).unwrap();
        let left = scene.objects();
        assert!(left.iter().all(|object| object.ends_with("Mutex")), "{role:?} at {step:?} left {left:?}");
        left.is_empty()
    });
    Some(slowest)
}

fn all_of(role: &[Role]) {
    let here = |step: &str| !(DIES_WITH_HANDLES && OF_LASTING_OBJECTS.contains(&step));
    for (who, step, most) in MATRIX.iter().filter(|(who, step, _)| role.contains(who) && here(step)) {
        for time in 1..=*most {
            let took = play(*who, &format!("{step}:{time}"), None);
            let took = took.unwrap_or_else(|| panic!("{who:?} never reaches {step}:{time}"));
            println!("{who:?} killed at {step:?}, time {time}: the next frame after {took:?}");
        }
    }
}

#[test]
fn a_sender_may_die_at_every_step() {
    all_of(&[Role::Sender]);
}

#[test]
fn a_sender_without_receivers_may_die_at_every_step() {
    all_of(&[Role::Alone]);
}

#[test]
fn a_sender_may_die_at_every_step_of_a_take_over() {
    all_of(&[Role::Heir]);
}

#[test]
fn a_receiver_may_die_at_every_step() {
    all_of(&[Role::Receiver]);
}

#[test]
fn a_sender_that_fills_places_may_die_at_every_step_and_so_may_its_receivers() {
    all_of(&[Role::Beside, Role::Pinner]);
}

#[test]
fn a_sender_that_draws_may_die_at_every_step() {
    all_of(&[Role::Drafter]);
}

#[test]
fn a_cleaner_may_die_at_every_step() {
    all_of(&[Role::Cleaner]);
}

/// For soak: `TDSHM_KILLS` and `TDSHM_SEED` in the environment; 1000 kills where it does not say.
fn at_random(kills: u32, seed: u64) {
    let mut dice = Dice::new(seed);
    let mut done = 0;
    let mut slowest = Duration::ZERO;
    while done < kills {
        let (role, step, most) = MATRIX[dice.below(MATRIX.len() as u64) as usize];
        let took = match dice.below(3) {
            0 => play(role, "", Some(dice.below(8))),
            _ => play(role, &format!("{step}:{}", 1 + dice.below(u64::from(most) + 1)), None),
        };
        done += u32::from(took.is_some());
        slowest = slowest.max(took.unwrap_or_default());
    }
    println!("{done} kills with seed {seed}: the slowest next frame after {slowest:?}");
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[test]
fn a_few_kills_at_random() {
    at_random(12, from_environment("TDSHM_SEED", 7));
}

#[test]
#[ignore = "long: for soak"]
fn a_thousand_kills_at_random() {
    at_random(from_environment("TDSHM_KILLS", 1000) as u32, from_environment("TDSHM_SEED", 1));
}
