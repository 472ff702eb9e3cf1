//! The kill matrix for images: senders killed at every step of a write, with places and without, and receivers killed or
//! stopped while they have a place pinned (wire §3 to §6, §9, §11).
//!
//! Afterwards the others go on, every image that they are given is whole, a new sender gets the name, and `clean` leaves
//! nothing.

use tdshm::{DryRun, RowOrder, TopFrame, TopReceiver};
use tdshm_tests::foreign_top::ForeignTop;
use tdshm_tests::images::Image;
use tdshm_tests::info::EVER;
#[cfg(target_os = "linux")]
use tdshm_tests::info::Info;
use tdshm_tests::{Peer, Scene};

/// Where an entry says what its receiver has pinned.
#[cfg(target_os = "linux")]
const PINNED: u64 = 32;

/// Who dies.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// A first sender, with so many places.
    Sender(&'static str),
    /// One that draws its images.
    Drafter(&'static str),
    /// One that takes over from a dead one.
    Heir(&'static str),
    /// A receiver of a sender with so many places.
    Receiver(&'static str),
}
use Role::{Drafter, Heir, Receiver, Sender};

/// Who dies at which step, and up to which time it is reached.
const MATRIX: &[(Role, &str, u32)] = &[
    (Sender("0"), "create: claimed", 1),
    (Sender("0"), "write: begun", 4),
    (Sender("0"), "write: written", 4),
    (Sender("0"), "write: ended", 4),
    (Sender("0"), "write: unlocked", 4),
    (Sender("0"), "resize: begun", 2),
    (Sender("0"), "resize: made", 2),
    (Sender("0"), "resize: info locked", 2),
    (Sender("0"), "resize: published", 2),
    (Sender("0"), "resize: even", 2),
    (Sender("0"), "resize: unlocked", 2),
    (Sender("0"), "detach: said", 1),
    (Sender("3"), "slot: begun", 4),
    (Sender("3"), "slot: filled", 4),
    (Sender("3"), "slot: ended", 4),
    (Sender("3"), "write: begun", 4),
    (Sender("3"), "slot: switched", 4),
    (Sender("3"), "write: written", 4),
    (Sender("3"), "write: ended", 4),
    (Sender("3"), "write: unlocked", 4),
    (Sender("3"), "resize: begun", 2),
    (Sender("3"), "resize: made", 2),
    (Sender("3"), "resize: info locked", 2),
    (Sender("3"), "resize: published", 2),
    (Sender("3"), "resize: even", 2),
    (Sender("3"), "resize: unlocked", 2),
    (Sender("3"), "detach: said", 1),
    (Sender("2"), "slot: filled", 4),
    (Sender("2"), "slot: switched", 4),
    (Sender("auto"), "slot: filled", 1),
    (Drafter("3"), "draft: begun", 5),
    (Drafter("3"), "draft: drawn", 3),
    (Drafter("3"), "slot: ended", 3),
    (Drafter("3"), "slot: switched", 3),
    (Drafter("3"), "resize: published", 2),
    (Drafter("0"), "draft: begun", 4),
    (Drafter("0"), "write: begun", 4),
    (Drafter("auto"), "draft: begun", 2),
    (Drafter("auto"), "draft: drawn", 2),
    (Heir("0"), "take-over: published", 1),
    (Heir("0"), "write: begun", 2),
    (Heir("0"), "resize: published", 1),
    (Heir("3"), "take-over: data", 1),
    (Heir("3"), "take-over: published", 1),
    (Heir("3"), "take-over: owner", 1),
    (Heir("3"), "take-over: attached", 1),
    (Heir("3"), "slot: begun", 2),
    (Heir("3"), "slot: switched", 2),
    (Heir("3"), "resize: published", 1),
    (Receiver("0"), "attach: registered", 1),
    (Receiver("0"), "read: locked", 2),
    (Receiver("3"), "attach: registered", 1),
    (Receiver("3"), "attach: attached", 1),
    (Receiver("3"), "follow: info locked", 1),
    (Receiver("3"), "slot: pinned", 4),
    (Receiver("3"), "read: locked", 2),
    (Receiver("3"), "wait: counted in", 1),
];

/// What is sent, in this order: images of all formats, most of them small, and twice one that does not fit.
fn numbers() -> impl Iterator<Item = u32> {
    let bytes = |number: &u32| {
        let image = Image::of(*number);
        image.row_bytes() * image.height
    };
    let mut from = 0;
    let sizes = [1..20_000, 1..20_000, 70_000..120_000, 1..20_000, 400_000..9_000_000, 1..20_000];
    sizes.into_iter().cycle().map(move |size| {
        from = (from + 1..).find(|number| size.contains(&bytes(number))).expect("there is one");
        from
    })
}

/// Those who stay.
struct Audience<'s> {
    scene: &'s Scene,
    here: TopReceiver,
    there: Peer,
    foreign: Option<ForeignTop>,
    last: u32,
}

impl<'s> Audience<'s> {
    fn new(scene: &'s Scene) -> Self {
        let mut there = scene.peer();
        there.ask(&format!("top-receiver {}", scene.name()));
        Self { scene, here: TopReceiver::open(scene.name()).unwrap(), there, foreign: None, last: 0 }
    }

    /// What they see now is whole, and of now or before.
    fn look(&mut self, newest: u32) {
        let mut found: Vec<u32> = ["top-try-next", "top-read"]
            .iter()
            .filter_map(|how| {
                let answer = self.there.ask(how);
                let mut words = answer.split_whitespace();
                (words.next() == Some("image")).then(|| words.next().unwrap().parse().expect("whole"))
            })
            .collect();
        let seen = |frame: &TopFrame| Image::seen(frame).expect("whole");
        found.extend(self.here.try_next().unwrap().map(seen).map(|image| image.number));
        if let Some(image) = self.here.read().unwrap().map(seen) {
            assert_eq!(image, Image::of(image.number), "put together from two");
            found.push(image.number);
        }
        if let Some(view) = self.here.view().unwrap() {
            found.push(Image::viewed(&view).number);
        }
        for number in found {
            assert!((self.last..=newest).contains(&number), "{number} is not in {}..={newest}", self.last);
            self.last = number;
        }
        // Without the lock it may see half of an image, and must not be led out of the mapping.
        match &mut self.foreign {
            Some(foreign) if !foreign.detached() => drop(foreign.read()),
            foreign => *foreign = ForeignTop::attach(self.scene.name()),
        }
    }

    /// All of them get that image of the sender that lives.
    fn arrives(&mut self, number: u32) {
        let image = Image::of(number);
        while self.there.ask("top-next 600000").split_whitespace().nth(1) != Some(&number.to_string()) {}
        while self.here.next_timeout(EVER).unwrap().map(Image::seen) != Some(Some(image)) {}
        assert_eq!(Image::viewed(&self.here.view().unwrap().unwrap()), image);
        let wanted = image.bytes(RowOrder::BottomFirst);
        let (name, foreign) = (self.scene.name(), &mut self.foreign);
        self.scene.until("the foreign receiver to see it", || {
            if foreign.as_mut().and_then(ForeignTop::read).is_some_and(|block| block.pixels == wanted) {
                return true;
            }
            if foreign.as_ref().is_none_or(ForeignTop::detached) {
                *foreign = ForeignTop::attach(name);
            }
            false
        });
        self.last = number;
    }
}

fn play(role: Role, step: &str) {
    let scene = Scene::new("kill: images");
    scene.doing(&format!("{role:?} at {step:?}"));
    let name = scene.name().to_owned();
    let mut numbers = numbers();
    let mut newest = 0;
    let (Sender(slots) | Drafter(slots) | Heir(slots) | Receiver(slots)) = role;
    let mut audience = Audience::new(&scene);
    let mut first = None;
    if !matches!(role, Sender(_) | Drafter(_)) {
        let mut peer = scene.peer();
        peer.ask(&format!("top-sender {name} {slots} 1"));
        for number in numbers.by_ref().take(3) {
            newest = number;
            peer.ask(&format!("top-send {number}"));
            audience.look(newest);
        }
        match role {
            Receiver(_) => first = Some(peer),
            _ => peer.kill(),
        }
    }

    let mut victim = scene.dying_peer(step);
    let mut died = false;
    if matches!(role, Receiver(_)) {
        let sender = first.as_mut().unwrap();
        let open = format!("top-receiver {name}");
        for command in
            [&open, "top-read", "+", "top-read", "+", "top-next 600000", "+", "+", "top-read", "top-next 20"]
        {
            if command == "+" {
                newest = numbers.next().unwrap();
                sender.ask(&format!("top-send {newest}"));
            } else if victim.ask_dying(command).is_none() {
                died = true;
                break;
            }
            if command == "top-read" && victim.ask_dying("top-view").is_none() {
                died = true;
                break;
            }
        }
    } else if victim.ask_dying(&format!("top-sender {name} {slots} 1")).is_none() {
        died = true;
    } else {
        for number in numbers.by_ref().take(6) {
            newest = number;
            let how = if matches!(role, Drafter(_)) { "top-draft" } else { "top-send" };
            if victim.ask_dying(&format!("{how} {number}")).is_none() {
                died = true;
                break;
            }
            // A program of others would end the places that come by themselves.
            if slots != "auto" {
                audience.look(newest);
            }
        }
        died = died || victim.ask_dying("top-detach").is_none();
    }
    assert!(died, "{role:?} never reaches {step}");

    audience.look(newest);
    let mut next = first.unwrap_or_else(|| {
        let mut heir = scene.peer();
        heir.ask(&format!("top-sender {name} {slots} 1"));
        heir
    });
    for number in numbers.take(4) {
        next.ask(&format!("top-send {number}"));
        audience.arrives(number);
    }
    next.ask("top-detach");
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
}

fn all_of(is: impl Fn(&Role) -> bool) {
    for (who, step, most) in MATRIX.iter().filter(|(who, ..)| is(who)) {
        for time in 1..=*most {
            play(*who, &format!("{step}:{time}"));
        }
    }
}

#[test]
fn a_sender_without_places_may_die_at_every_step() {
    all_of(|role| matches!(role, Sender("0")));
}

#[test]
fn a_sender_with_places_may_die_at_every_step() {
    all_of(|role| matches!(role, Sender("2" | "3" | "auto")));
}

#[test]
fn a_sender_that_draws_may_die_at_every_step() {
    all_of(|role| matches!(role, Drafter(_)));
}

#[test]
fn a_sender_of_images_may_die_while_it_takes_over() {
    all_of(|role| matches!(role, Heir(_)));
}

#[test]
fn a_receiver_of_images_may_die_at_every_step() {
    all_of(|role| matches!(role, Receiver(_)));
}

/// Stopped with a place pinned, before the first byte of its copy, a receiver keeps that place as it was, however many
/// images come, and delivers it when it goes on; where there are more of them than places it copies again.
#[cfg(target_os = "linux")]
#[test]
fn a_receiver_that_stands_still_with_a_place_pinned_gets_a_whole_image_later() {
    for (slots, readers) in [("3", 1), ("auto", 1), ("4", 2), ("2", 1), ("2", 3), ("3", 4)] {
        let scene = Scene::new("top: stopped where it pins");
        let name = scene.name();
        let mut writer = scene.peer();
        writer.ask("top-reel 64 48");
        writer.ask(&format!("top-sender {name} {slots} 1"));
        writer.ask("top-reel-send 1");
        let info = Info::of(&scene);
        let mut stopped = Vec::new();
        for _ in 0..readers {
            // Each at another image.
            writer.ask("top-reel-send 1");
            let mut reader = scene.stopping_peer("slot: pinned");
            reader.ask("top-reel 64 48");
            reader.ask(&format!("top-receiver {name}"));
            reader.begin("top-reel-follow 1");
            reader.until_it_stands_still();
            assert_ne!(info.u32(info.entry_of(reader.pid()) + PINNED), 0);
            stopped.push(reader);
        }
        for _ in 0..40 {
            writer.ask("top-reel-send 3");
        }
        for reader in &mut stopped {
            reader.go_on();
            reader.answer().unwrap();
            assert_eq!(info.u32(info.entry_of(reader.pid()) + PINNED), 0);
        }
        // One of them dies there: its place is used again, after a while.
        let mut reader = scene.stopping_peer("slot: pinned");
        reader.ask(&format!("top-receiver {name}"));
        reader.begin("top-read");
        reader.until_it_stands_still();
        let entry = info.entry_of(reader.pid());
        reader.kill();
        scene.until("the pin of the dead to be taken away", || {
            writer.ask("top-reel-send 5");
            info.u32(entry + PINNED) == 0
        });
    }
}
