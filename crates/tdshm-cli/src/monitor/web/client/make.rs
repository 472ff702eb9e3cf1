//! Messages that are made of what is newest, and sent where they are still wanted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinError;
use tokio_websockets::{Message, WebSocketStream};

use super::{Client, End, Form, Subscription, put};
use crate::monitor::web::hub::{Fresh, Had, apart};

/// A message that waited longer than this for the connection is made anew where there is something newer.
const OLD: Duration = Duration::from_millis(100);

/// Where messages are made: those that take long apart, so that nobody else waits for them. There is one of each at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Channels,
    Images,
}

/// Whether a message is being made there, and whose turn is next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Place {
    is_taken: bool,
    turn: usize,
}

/// A message that can be sent.
#[derive(Debug)]
pub(super) struct Made {
    key: u64,
    lane: Lane,
    begun: Instant,
    /// What is had with it; `None`: there was nothing new.
    had: Option<Had>,
    message: Option<Message>,
    done: Instant,
}

impl Client {
    /// Begins to make a message of that kind, of whom it is the turn of among those that are due.
    pub(super) fn begin(&mut self, lane: Lane) {
        let place = *self.place(lane);
        if place.is_taken {
            return;
        }
        let (now, count) = (Instant::now(), self.subscriptions.len());
        let in_turn = (place.turn..count).chain(0..place.turn.min(count));
        let is_due = |subscription: &Subscription| {
            let Some(progress) = self.hub.progress(&subscription.asked.segment) else { return false };
            let is_there = (progress.kind == Some("image")) == (lane == Lane::Images);
            let is_new = progress.taken != subscription.had.taken;
            is_there && is_new && now >= subscription.due && subscription.window_is_open()
        };
        let mut due = in_turn.filter_map(|at| Some((at, self.subscriptions.get(at)?)));
        let Some((at, subscription)) = due.find(|(_, subscription)| is_due(subscription)) else { return };
        let (key, serial, form) = (subscription.key, subscription.serial.wrapping_add(1), self.form);
        let (hub, asked) = (Arc::clone(&self.hub), Arc::clone(&subscription.asked));
        let had = subscription.had.clone();
        self.jobs.spawn(async move {
            let (had, message) = match hub.fresh(asked, had).await {
                Some((had, Some(fresh))) => (Some(had), apart(move || written(fresh, serial, form)).await),
                Some((had, None)) => (Some(had), None),
                None => (None, None),
            };
            Made { key, lane, begun: now, had, message, done: Instant::now() }
        });
        *self.place(lane) = Place { is_taken: true, turn: at.saturating_add(1) };
    }

    fn place(&mut self, lane: Lane) -> &mut Place {
        match lane {
            Lane::Channels => &mut self.channels,
            Lane::Images => &mut self.images,
        }
    }

    /// Sends what was made, if it is still wanted.
    pub(super) async fn deliver<S>(
        &mut self,
        made: Result<Made, JoinError>,
        socket: &mut WebSocketStream<S>,
    ) -> Result<(), End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        // Only the end of the runtime keeps it from being made.
        let Made { key, lane, begun, had, message, done } = made.map_err(|_| End::Gone)?;
        self.place(lane).is_taken = false;
        let Some(subscription) = self.subscriptions.iter_mut().find(|known| known.key == key) else {
            return Ok(());
        };
        let Some(had) = had else { return Ok(()) };
        let newest = self.hub.progress(&subscription.asked.segment).map_or(0, |progress| progress.taken);
        if done.elapsed() > OLD && newest > had.taken {
            return Ok(());
        }
        subscription.had = had;
        let Some(message) = message else { return Ok(()) };
        subscription.serial = subscription.serial.wrapping_add(1);
        // From the last due time on, so that the rate is held; but nothing is made up for.
        let every = Duration::try_from_secs_f64(subscription.asked.hz.recip()).unwrap_or_default();
        let next = subscription.due.checked_add(every).unwrap_or(begun);
        subscription.due = if next < begun { begun } else { next };
        put(socket, message).await
    }
}

fn written(fresh: Fresh, serial: u32, form: Form) -> Message {
    match (fresh, form) {
        (Fresh::Channels(mut message), form) => {
            message.head.serial = serial;
            match form {
                Form::Binary => Message::binary(message.bytes()),
                Form::Json => Message::text(message.json()),
            }
        }
        (Fresh::Image(mut message), form) => {
            message.head.serial = serial;
            match form {
                Form::Binary => Message::binary(message.bytes()),
                Form::Json => Message::text(message.json()),
            }
        }
    }
}
