//! What a client says, and what comes of it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_websockets::{CloseCode, Message};

use super::{Client, End, Subscription};
use crate::monitor::web::hub::Had;
use crate::monitor::web::message::{self, Asked, Mistake, SUBSCRIPTIONS, Subscribe, Told};

/// Wrong messages that are answered before the connection is closed.
const MISTAKES: u32 = 100;

const NO_FRAMES: &str = "this server takes no frames: `tdshm bridge ws` does";

impl Client {
    pub(super) fn hear(&mut self, message: &Message) -> Result<(), End> {
        let now = Instant::now();
        self.heard = now;
        if message.is_close() {
            return Err(End::Gone);
        }
        if !self.messages.take(now) {
            return Err(End::Closed(CloseCode::POLICY_VIOLATION, "too many messages a second"));
        }
        if message.is_ping() || message.is_pong() {
            return Ok(());
        }
        let size = message.as_payload().len();
        if !self.bytes.take_many(size as f64, now) {
            return Err(End::Closed(CloseCode::POLICY_VIOLATION, "too many bytes a second"));
        }
        let done = match (message.as_text(), &mut self.desk) {
            (Some(text), _) => message::read(text).and_then(|asked| self.does(asked, size, now)),
            (None, Some(desk)) => desk.binary(message.as_payload()),
            (None, None) if message.as_payload().starts_with(b"TDSM") => {
                Err(Mistake::new("publish", None, NO_FRAMES))
            }
            (None, None) => Err(Mistake::new("message", None, "only text is understood here")),
        };
        if let Err(mistake) = done {
            self.mistakes = self.mistakes.saturating_add(1);
            if self.mistakes > MISTAKES {
                return Err(End::Closed(CloseCode::POLICY_VIOLATION, "too many messages that make no sense"));
            }
            self.answer(Told::from(&mistake).text())?;
        }
        Ok(())
    }

    fn does(&mut self, asked: Asked, size: usize, now: Instant) -> Result<(), Mistake> {
        if !matches!(asked, Asked::Ack { .. } | Asked::Channels(_)) && !self.changes.take(now) {
            let id = match &asked {
                Asked::Subscribe(subscribe) => Some(subscribe.id),
                Asked::Publish(publish) => Some(publish.id),
                Asked::Unsubscribe { id } | Asked::Unpublish { id } => Some(*id),
                _ => None,
            };
            return Err(Mistake::new("rate", id, "too many changes a second: wait, and ask again"));
        }
        match asked {
            Asked::List { hz } => {
                self.list_every =
                    (hz > 0.0).then(|| Duration::try_from_secs_f64(hz.recip()).unwrap_or_default());
                self.list_due = now;
            }
            Asked::Ack { id, serial } => {
                let subscription = self.subscriptions.iter_mut().find(|known| known.asked.id == id);
                // Of one that has gone there may still be some under way.
                let Some(subscription) = subscription else { return Ok(()) };
                let ahead = subscription.serial.wrapping_sub(serial);
                let open = subscription.serial.wrapping_sub(subscription.acked);
                if ahead > open {
                    return Err(Mistake::new("ack", Some(id), "nothing of that serial is under way"));
                }
                subscription.acked = serial;
            }
            Asked::Unsubscribe { id } => {
                let at = self.subscriptions.iter().position(|known| known.asked.id == id);
                let at =
                    at.ok_or_else(|| Mistake::new("id", Some(id), "there is no subscription of that id"))?;
                let gone = self.subscriptions.swap_remove(at);
                self.hub.unfollow(&gone.asked.segment);
            }
            Asked::Subscribe(asked) => self.subscribe(Arc::new(*asked), now)?,
            Asked::Publish(asked) => {
                let id = Some(asked.id);
                if self.subscriptions.iter().any(|known| known.asked.id == asked.id) {
                    return Err(Mistake::new("id", id, "a subscription has that id: take another one"));
                }
                let desk = self.desk.as_mut().ok_or_else(|| Mistake::new("publish", id, NO_FRAMES))?;
                desk.publish(asked)?;
            }
            Asked::Unpublish { id } => {
                if !self.desk.as_mut().is_some_and(|desk| desk.unpublish(id)) {
                    return Err(Mistake::new("id", Some(id), "nothing is sent under that id"));
                }
            }
            Asked::Channels(written) => {
                let desk = self.desk.as_mut().ok_or_else(|| Mistake::new("publish", None, NO_FRAMES))?;
                desk.written(written, size)?;
            }
        }
        Ok(())
    }

    /// A new subscription, or another wish for one that is there.
    fn subscribe(&mut self, asked: Arc<Subscribe>, now: Instant) -> Result<(), Mistake> {
        let id = Some(asked.id);
        if self.desk.as_ref().is_some_and(|desk| desk.has(asked.id)) {
            return Err(Mistake::new("id", id, "something is sent under that id: take another one"));
        }
        if !self.hub.shows(asked.segment.as_str()) {
            let sentence = format_args!("{:?} may not be read here", asked.segment.as_str());
            return Err(Mistake::new("segment", id, sentence));
        }
        let there = self.subscriptions.iter().position(|known| known.asked.id == asked.id);
        if there.is_none() && self.subscriptions.len() >= SUBSCRIPTIONS {
            let most = format_args!("there are {SUBSCRIPTIONS} already: unsubscribe first");
            return Err(Mistake::new("subscriptions", Some(asked.id), most));
        }
        // Before the old one is let go of, so that what was read of the same segment stays.
        self.hub.follow(&asked.segment);
        self.keys = self.keys.wrapping_add(1);
        let (key, had) = (self.keys, Had::default());
        let new = Subscription { key, asked, had, serial: 0, acked: 0, due: now, told: None };
        match there.and_then(|at| self.subscriptions.get_mut(at)) {
            Some(known) => {
                let old = std::mem::replace(known, new);
                known.serial = old.serial;
                known.acked = old.acked;
                self.hub.unfollow(&old.asked.segment);
            }
            None => self.subscriptions.push(new),
        }
        Ok(())
    }
}
