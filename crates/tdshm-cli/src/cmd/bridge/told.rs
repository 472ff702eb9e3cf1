//! What a bridge has said already: each thing that goes wrong once, and who sends when that changes.

use std::collections::HashSet;
use std::net::SocketAddr;

use tdshm::Attached;

use crate::cmd::watch;
use crate::say;

/// Different errors that are told before somebody who keeps making up new ones has been explained enough.
const MOST: usize = 32;

#[derive(Debug, Default)]
pub(super) struct Told {
    wrong: HashSet<String>,
    /// That there is no sender, now.
    absent: bool,
}

impl Told {
    /// Something went wrong, and the bridge goes on.
    pub(super) fn wrong(&mut self, what: &str) {
        if self.wrong.len() < MOST && !self.wrong.contains(what) {
            say::error(what);
            self.wrong.insert(what.to_owned());
        }
    }

    /// An option that says something of groups alone was given with that address.
    pub(super) fn for_groups(&mut self, option: &str, address: SocketAddr) {
        if !address.ip().is_multicast() {
            self.wrong(&format!("{option} is for groups, and {} is none: it changes nothing", address.ip()));
        }
    }

    /// Whether the sender is there.
    pub(super) fn sender(&mut self, name: &str, attached: Attached) {
        if (attached != Attached::Yes) != self.absent {
            self.absent = !self.absent;
            say::line(watch::about_sender(name, attached));
        }
    }
}
