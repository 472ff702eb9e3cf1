//! Channels and images where the tests of their operators ask the same of both.

use tdshm_ops::{Network, Op};

use crate::nets::{self, set};
use crate::{Peer, nets_top};

/// How a peer sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filled {
    /// As senders do it by themselves: an image beside the one that is read.
    AsUsual,
    /// With the lock held, also images.
    WithTheLock,
}

/// The operators of one family, and the peer's commands for it.
pub trait Kind {
    /// Whether a sender that stands still in the middle of a frame leaves the lock to others.
    const FILLS_WITHOUT_THE_LOCK: bool;

    /// A Shared Mem In of that name, which nobody asks.
    fn input(net: &Network, name: &str) -> Op;
    /// A Shared Mem Out of that name, and what it writes.
    fn output(net: &Network, name: &str) -> (Op, Op);
    /// The number of what came out, asked in this frame.
    fn seed(op: &Op) -> Option<u32>;
    /// Whether nothing comes out.
    fn is_nothing(op: &Op) -> bool;
    /// Makes the next block need another segment, where blocks of this kind grow.
    fn outgrow(give: &Op, does: bool);

    /// Makes the peer a sender.
    fn sender(peer: &mut Peer, name: &str, filled: Filled);
    /// Sends a frame of that number.
    fn send(peer: &mut Peer, number: u32);
    /// Begins one, and stands still in the middle.
    fn hold_send(peer: &mut Peer, number: u32);
    /// Leaves.
    fn detach(peer: &mut Peer);
    /// Makes the peer a receiver.
    fn receiver(peer: &mut Peer, name: &str);
    /// The number of the frame that lies there.
    fn read(peer: &mut Peer) -> Option<u32>;
    /// The number of the next frame, `None` where there is no new one.
    fn try_next(peer: &mut Peer) -> Option<u32>;
    /// Whether the peer knows that the sender has left.
    fn left(peer: &mut Peer) -> bool;
    /// Looks at the frame with the lock held, and stands still.
    fn hold_view(peer: &mut Peer);

    /// Lets a frame pass, and says which one came out.
    fn next_seed(op: &Op) -> Option<u32> {
        op.network().step().expect("no frame is under way");
        Self::seed(op)
    }
}

/// Channels.
#[derive(Debug)]
pub struct Chop;

impl Kind for Chop {
    const FILLS_WITHOUT_THE_LOCK: bool = false;

    fn input(net: &Network, name: &str) -> Op {
        nets::input(net, name)
    }

    fn output(net: &Network, name: &str) -> (Op, Op) {
        nets::output(net, name)
    }

    fn seed(op: &Op) -> Option<u32> {
        nets::seed(&op.clip().expect("a CHOP"))
    }

    fn is_nothing(op: &Op) -> bool {
        op.clip().expect("a CHOP").num_channels() == 0
    }

    fn outgrow(give: &Op, does: bool) {
        set(give, "len", if does { 100_000 } else { 1 });
    }

    fn sender(peer: &mut Peer, name: &str, _filled: Filled) {
        peer.ask(&format!("sender {name} 4096"));
    }

    fn send(peer: &mut Peer, number: u32) {
        peer.ask(&format!("send 2 5 60 {number} default"));
    }

    fn hold_send(peer: &mut Peer, number: u32) {
        peer.ask(&format!("hold-send 2 5 60 {number}"));
    }

    fn detach(peer: &mut Peer) {
        peer.ask("detach");
    }

    fn receiver(peer: &mut Peer, name: &str) {
        peer.ask(&format!("receiver {name}"));
    }

    fn read(peer: &mut Peer) -> Option<u32> {
        peer.see("read").expect("a frame").seed
    }

    fn try_next(peer: &mut Peer) -> Option<u32> {
        peer.see("try-next").map(|seen| seen.seed.expect("a whole frame"))
    }

    fn left(peer: &mut Peer) -> bool {
        peer.ask("state").starts_with("Left")
    }

    fn hold_view(peer: &mut Peer) {
        assert!(peer.see("hold-view").expect("a frame").seed.is_some());
    }
}

/// Images.
#[derive(Debug)]
pub struct Top;

impl Kind for Top {
    const FILLS_WITHOUT_THE_LOCK: bool = true;

    fn input(net: &Network, name: &str) -> Op {
        nets_top::input(net, name)
    }

    fn output(net: &Network, name: &str) -> (Op, Op) {
        nets_top::output(net, name)
    }

    fn seed(op: &Op) -> Option<u32> {
        nets_top::seed(&nets_top::image(op))
    }

    fn is_nothing(op: &Op) -> bool {
        op.image().expect("a TOP").is_none()
    }

    fn outgrow(_give: &Op, _does: bool) {}

    fn sender(peer: &mut Peer, name: &str, filled: Filled) {
        let places = if filled == Filled::AsUsual { "auto" } else { "0" };
        peer.ask(&format!("top-sender {name} {places} 1"));
    }

    fn send(peer: &mut Peer, number: u32) {
        peer.ask(&format!("top-send {number}"));
    }

    fn hold_send(peer: &mut Peer, number: u32) {
        assert_eq!(peer.ask(&format!("top-hold-send {number}")), "half");
    }

    fn detach(peer: &mut Peer) {
        peer.ask("top-detach");
    }

    fn receiver(peer: &mut Peer, name: &str) {
        peer.ask(&format!("top-receiver {name}"));
    }

    fn read(peer: &mut Peer) -> Option<u32> {
        see(peer, "top-read")
    }

    fn try_next(peer: &mut Peer) -> Option<u32> {
        see(peer, "top-try-next")
    }

    fn left(peer: &mut Peer) -> bool {
        peer.ask("top-try-next") == "none Left"
    }

    fn hold_view(peer: &mut Peer) {
        assert_eq!(peer.ask("top-hold-view"), "image");
    }
}

/// Which image a peer saw: `None` for no image.
///
/// # Panics
///
/// It saw a torn one.
pub fn see(peer: &mut Peer, command: &str) -> Option<u32> {
    let answer = peer.ask(command);
    let mut words = answer.split_whitespace();
    if words.next() == Some("none") {
        return None;
    }
    let number = words.next().expect("a number");
    Some(number.parse().unwrap_or_else(|_| panic!("{command}: {answer}")))
}

/// Runs each test once for channels and once for images.
#[macro_export]
macro_rules! of_both_kinds {
    ($($test:ident,)*) => {
        mod chop { $( #[test] fn $test() { super::$test::<$crate::kinds::Chop>(); } )* }
        mod top { $( #[test] fn $test() { super::$test::<$crate::kinds::Top>(); } )* }
    };
}
