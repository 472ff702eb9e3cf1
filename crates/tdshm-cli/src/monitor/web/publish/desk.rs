//! The publications of one client.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc::{self, Receiver, Sender};

use super::Board;
use super::frame::{Binary, Frame, Layout, Publish, Written};
use super::stage::{Holder, Stage};
use crate::monitor::web::message::Mistake;
use crate::output::short;

/// Publications of one client.
pub(super) const PUBLICATIONS: usize = 16;
/// What may wait to be told to a client. Each publication has few at a time.
const EVENTS: usize = 64;

/// What a client is told about its publications.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::monitor::web) enum Event {
    Published {
        id: u32,
        segment: String,
        /// The segment was there, with what its channels had last.
        resumed: bool,
    },
    /// The publication of that serial is over, and why.
    Over(u64, Mistake),
}

#[derive(Debug)]
struct Publication {
    id: u32,
    /// What tells it from an older one of the same id.
    serial: u64,
    stage: Arc<Stage>,
    layout: Arc<Layout>,
}

/// What one client sends.
#[derive(Debug)]
pub(in crate::monitor::web) struct Desk {
    board: Arc<Board>,
    /// Its own number, by which stages know it.
    number: u64,
    publications: Vec<Publication>,
    next_serial: u64,
    events: (Sender<Event>, Receiver<Event>),
}

impl Desk {
    pub(in crate::monitor::web) fn new(board: &Arc<Board>) -> Self {
        board.clients.fetch_add(1, Ordering::Relaxed);
        let number = board.next_desk.fetch_add(1, Ordering::Relaxed);
        let events = mpsc::channel(EVENTS);
        Self { board: Arc::clone(board), number, publications: Vec::new(), next_serial: 0, events }
    }

    /// Whether that id is one of a publication.
    pub(in crate::monitor::web) fn has(&self, id: u32) -> bool {
        self.publications.iter().any(|known| known.id == id)
    }

    /// Begins to send a segment, or goes on with other names or another rate.
    pub(in crate::monitor::web) fn publish(&mut self, asked: Publish) -> Result<(), Mistake> {
        let id = asked.id;
        match self.publications.iter().find(|known| known.id == id) {
            Some(known) if known.stage.name() != &asked.segment => {
                let sentence = format_args!(
                    "it is the id of {:?}: unpublish that first, or take another id",
                    known.stage.name().as_str()
                );
                return Err(Mistake::new("id", Some(id), sentence));
            }
            None if self.publications.iter().any(|known| known.stage.name() == &asked.segment) => {
                return Err(Mistake::new("taken", Some(id), "this connection sends it under another id"));
            }
            None if self.publications.len() >= PUBLICATIONS => {
                let sentence = format_args!("there are {PUBLICATIONS} already: unpublish first");
                return Err(Mistake::new("segments", Some(id), sentence));
            }
            _ => {}
        }
        let serial = self.next_serial;
        self.next_serial = serial.wrapping_add(1);
        let events = self.events.0.clone();
        let holder = Holder { desk: self.number, id, serial, key: asked.key.clone(), events };
        let stage = self.board.claim(&asked, holder)?;
        self.publications.retain(|known| known.id != id);
        self.publications.push(Publication { id, serial, stage, layout: asked.layout });
        Ok(())
    }

    /// Leaves a segment for good.
    pub(in crate::monitor::web) fn unpublish(&mut self, id: u32) -> bool {
        let Some(at) = self.publications.iter().position(|known| known.id == id) else { return false };
        let gone = self.publications.swap_remove(at);
        gone.stage.leave(self.number, true);
        true
    }

    /// Takes a frame that was said in JSON.
    pub(in crate::monitor::web) fn written(&mut self, written: Written, bytes: usize) -> Result<(), Mistake> {
        let Some(known) = self.publications.iter_mut().find(|known| known.id == written.id) else {
            self.board.count(|traffic| &traffic.dropped, 1);
            // One that has just been lost may still be written to.
            return Ok(());
        };
        let frame = written.frame(&known.layout)?;
        known.take(&self.board, self.number, frame, bytes);
        Ok(())
    }

    /// Takes a frame that came as bytes.
    pub(in crate::monitor::web) fn binary(&mut self, bytes: &[u8]) -> Result<(), Mistake> {
        let binary = Binary::read(bytes)?;
        let Some(known) = self.publications.iter_mut().find(|known| known.id == binary.id) else {
            self.board.count(|traffic| &traffic.dropped, 1);
            return Ok(());
        };
        let frame = binary.frame(&known.layout)?;
        known.take(&self.board, self.number, frame, bytes.len());
        Ok(())
    }

    /// What there is to tell, when there is something.
    pub(in crate::monitor::web) async fn event(&mut self) -> Option<Event> {
        let event = self.events.1.recv().await;
        if let Some(Event::Over(serial, _)) = &event {
            self.publications.retain(|known| known.serial != *serial);
        }
        event
    }
}

impl Publication {
    fn take(&mut self, board: &Board, desk: u64, frame: Frame, bytes: usize) {
        self.layout = Arc::clone(&frame.layout);
        board.count(|traffic| &traffic.bytes, bytes);
        if !self.stage.put(desk, frame) {
            board.count(|traffic| &traffic.dropped, 1);
        }
    }
}

/// Its segments stay for a while, with their last values.
impl Drop for Desk {
    fn drop(&mut self) {
        for publication in &self.publications {
            if publication.stage.leave(self.number, false) {
                let name = publication.stage.name().as_str();
                let stays = match self.board.rules.linger(name) {
                    None => String::new(),
                    Some(time) => format!(" for {} s", short(time.as_secs_f64())),
                };
                self.board.say(format!(
                    "the browser that sends {name:?} has gone: it keeps its last values{stays}"
                ));
            }
        }
        self.board.clients.fetch_sub(1, Ordering::Relaxed);
    }
}
