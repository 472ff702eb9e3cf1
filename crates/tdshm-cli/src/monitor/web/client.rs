//! One client: what it asked for, what it has had, and what is sent next. Nothing is queued for it but the few sentences that
//! answer its own messages: of each segment it gets what is newest when its connection takes more.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep_until, timeout};
use tokio_websockets::{CloseCode, Error, Message, WebSocketStream};

use super::hub::{Fresh, Had, Hub, State, apart};
use super::message::{self, Asked, Mistake, SUBSCRIPTIONS, Subscribe, Told};
use super::publish::{Board, Desk, Event};

/// How long one message may take to be sent: who takes longer has gone, or might as well have.
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// How long a client may take to be told that it is over, and to go then. What it says meanwhile is read and dropped: a
/// connection that is let go of with something unread in it is reset, and takes the close frame along.
const CLOSING: Duration = Duration::from_millis(100);
const LINGERING: Duration = Duration::from_secs(2);
/// A message that waited longer than this for the connection is made anew where there is something newer.
const OLD: Duration = Duration::from_millis(100);
/// How often a quiet client is asked whether it is there, and how long it may be quiet.
const PING_EVERY: Duration = Duration::from_secs(10);
const QUIET_LIMIT: Duration = Duration::from_secs(40);
/// Answers that wait to be sent: who asks faster than it reads is sent away.
const ANSWERS: usize = 64;
/// Messages a second from a client, and how many it may save up. Acknowledgements are most of them.
const RATE: f64 = 2500.0;
const BURST: f64 = 2500.0;
/// The same of bytes.
const BYTES: f64 = 32e6;
/// The same of what changes subscriptions.
const CHANGES: f64 = 20.0;
const CHANGES_BURST: f64 = 60.0;
/// Wrong messages that are answered before the connection is closed.
const MISTAKES: u32 = 100;

const NO_FRAMES: &str = "this server takes no frames: `tdshm bridge ws` does";

/// How a client's messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Binary,
    Json,
}

/// So many a second on average.
#[derive(Debug)]
struct Bucket {
    tokens: f64,
    burst: f64,
    rate: f64,
    at: Instant,
}

impl Bucket {
    fn new(rate: f64, burst: f64, now: Instant) -> Self {
        Self { tokens: burst, burst, rate, at: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        self.take_many(1.0, now)
    }

    fn take_many(&mut self, many: f64, now: Instant) -> bool {
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.tokens = (self.tokens + since * self.rate).min(self.burst);
        if self.tokens < many {
            return false;
        }
        self.tokens -= many;
        true
    }
}

#[derive(Debug)]
struct Subscription {
    /// Of its own for each wish, so that what was made for the one before is known.
    key: u64,
    asked: Arc<Subscribe>,
    had: Had,
    serial: u32,
    acked: u32,
    /// When the next message may be sent.
    due: Instant,
    told: Option<(State, String)>,
}

impl Subscription {
    fn window_is_open(&self) -> bool {
        self.asked.window == 0 || self.serial.wrapping_sub(self.acked) < self.asked.window
    }
}

/// Where messages are made: those that take long apart, so that nobody else waits for them. There is one of each at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    Channels,
    Images,
}

/// Whether a message is being made there, and whose turn is next.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    is_taken: bool,
    turn: usize,
}

/// A message that can be sent.
#[derive(Debug)]
struct Made {
    key: u64,
    lane: Lane,
    begun: Instant,
    /// What is had with it; `None`: there was nothing new.
    had: Option<Had>,
    message: Option<Message>,
    done: Instant,
}

/// Why a connection ends.
#[derive(Debug)]
enum End {
    /// The other side has gone, or might as well have.
    Gone,
    /// It is told why.
    Closed(CloseCode, &'static str),
}

struct Client {
    hub: Arc<Hub>,
    form: Form,
    subscriptions: Vec<Subscription>,
    keys: u64,
    jobs: JoinSet<Made>,
    channels: Place,
    images: Place,
    answers: VecDeque<String>,
    list_every: Option<Duration>,
    list_due: Instant,
    messages: Bucket,
    changes: Bucket,
    bytes: Bucket,
    /// What it sends, where frames are taken.
    desk: Option<Desk>,
    mistakes: u32,
    heard: Instant,
    pinged: Instant,
}

/// Talks with a client until it goes or `over` says so.
pub(super) async fn talk<S>(
    hub: Arc<Hub>,
    board: Option<&Arc<Board>>,
    mut socket: WebSocketStream<S>,
    form: Form,
    mut over: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let now = Instant::now();
    let mut news = hub.news();
    let mut client = Client {
        hub,
        form,
        subscriptions: Vec::new(),
        keys: 0,
        jobs: JoinSet::new(),
        channels: Place::default(),
        images: Place::default(),
        answers: VecDeque::from([Told::hello(super::message_bytes(board), board.map(|b| b.offer())).text()]),
        list_every: None,
        list_due: now,
        messages: Bucket::new(RATE, BURST, now),
        changes: Bucket::new(CHANGES, CHANGES_BURST, now),
        bytes: Bucket::new(BYTES, BYTES, now),
        desk: board.map(Desk::new),
        mistakes: 0,
        heard: now,
        pinged: now,
    };
    let end = tokio::select! {
        biased;
        _ = over.wait_for(|over| *over) => End::Closed(CloseCode::GOING_AWAY, "the server has ended"),
        end = client.run(&mut socket, &mut news) => end,
    };
    drop(client);
    if let End::Closed(code, why) = end {
        // Who does not take this much has gone. Where the other side broke the rules of WebSocket the answer is on its way already.
        let _ = timeout(CLOSING, async {
            if socket.send(Message::close(Some(code), why)).await.is_err() {
                let _ = socket.next().await;
            }
        })
        .await;
        let _ = timeout(LINGERING, linger(socket.get_mut())).await;
    }
}

/// Says that nothing more comes, and reads until the other side has gone.
async fn linger<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    let mut bytes = [0; 4096];
    let _ = stream.shutdown().await;
    while let Ok(1..) = stream.read(&mut bytes).await {}
}

impl Client {
    async fn run<S>(&mut self, socket: &mut WebSocketStream<S>, news: &mut watch::Receiver<u64>) -> End
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        loop {
            if let Err(end) = self.send(socket).await {
                return end;
            }
            let next = self.next_due();
            tokio::select! {
                message = socket.next() => match message {
                    Some(Ok(message)) => {
                        if let Err(end) = self.hear(&message) {
                            return end;
                        }
                    }
                    Some(Err(Error::Io(_))) | None => return End::Gone,
                    Some(Err(Error::PayloadTooLong { .. })) => {
                        return End::Closed(CloseCode::MESSAGE_TOO_BIG, "the message is too long");
                    }
                    Some(Err(_)) => {
                        return End::Closed(CloseCode::PROTOCOL_ERROR, "the rules of WebSocket are broken");
                    }
                },
                Some(made) = self.jobs.join_next() => {
                    if let Err(end) = self.deliver(made, socket).await {
                        return end;
                    }
                }
                // The sender of it lives as long as the hub.
                _ = news.changed() => {}
                event = event(&mut self.desk) => {
                    if let Err(end) = self.relay(event) {
                        return end;
                    }
                }
                () = sleep_until(next.into()) => {}
            }
        }
    }

    /// When there is something to do even if nothing happens.
    fn next_due(&self) -> Instant {
        let now = Instant::now();
        let lists = self.list_every.map(|_| self.list_due);
        // Those that are not due yet; the others wait for news or for an acknowledgement.
        let subscriptions =
            self.subscriptions.iter().map(|subscription| subscription.due).filter(|due| *due > now);
        let ping = now.checked_add(PING_EVERY).unwrap_or(now);
        lists.into_iter().chain(subscriptions).fold(ping, Instant::min)
    }

    fn hear(&mut self, message: &Message) -> Result<(), End> {
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

    fn answer(&mut self, text: String) -> Result<(), End> {
        if self.answers.len() >= ANSWERS {
            return Err(End::Closed(CloseCode::POLICY_VIOLATION, "answers are not read"));
        }
        self.answers.push_back(text);
        Ok(())
    }

    /// Tells what became of what it sends.
    fn relay(&mut self, event: Option<Event>) -> Result<(), End> {
        match event {
            Some(Event::Published { id, segment, resumed }) => {
                self.answer(Told::Published { id, segment: &segment, resumed }.text())
            }
            Some(Event::Over(_, mistake)) => self.answer(Told::from(&mistake).text()),
            None => Ok(()),
        }
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

    /// Sends all that is due now.
    async fn send<S>(&mut self, socket: &mut WebSocketStream<S>) -> Result<(), End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        while let Some(text) = self.answers.pop_front() {
            put(socket, Message::text(text)).await?;
        }
        let now = Instant::now();
        if now.saturating_duration_since(self.heard) > QUIET_LIMIT {
            return Err(End::Gone);
        }
        if now.saturating_duration_since(self.pinged) >= PING_EVERY {
            self.pinged = now;
            put(socket, Message::ping("")).await?;
        }
        if let Some(every) = self.list_every
            && now >= self.list_due
        {
            self.list_due = now.checked_add(every).unwrap_or(now);
            let hub = Arc::clone(&self.hub);
            let list = apart(move || hub.list()).await.ok_or(End::Gone)?;
            put(socket, Message::text(list.to_string())).await?;
        }
        for at in 0..self.subscriptions.len() {
            self.tell(at, socket).await?;
        }
        self.begin(Lane::Channels);
        self.begin(Lane::Images);
        Ok(())
    }

    /// How it stands with the sender, where that is news.
    async fn tell<S>(&mut self, at: usize, socket: &mut WebSocketStream<S>) -> Result<(), End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let Some(subscription) = self.subscriptions.get_mut(at) else { return Ok(()) };
        let asked = &subscription.asked;
        let Some(progress) = self.hub.progress(&asked.segment) else { return Ok(()) };
        let now = (progress.state, progress.sentence);
        if subscription.told.as_ref() == Some(&now) {
            return Ok(());
        }
        let told = Told::State {
            id: asked.id,
            segment: asked.segment.as_str(),
            kind: progress.kind,
            state: now.0.word(),
            sentence: &now.1,
        };
        let text = told.text();
        subscription.told = Some(now);
        put(socket, Message::text(text)).await
    }

    /// Begins to make a message of that kind, of whom it is the turn of among those that are due.
    fn begin(&mut self, lane: Lane) {
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
    async fn deliver<S>(
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

impl Drop for Client {
    fn drop(&mut self) {
        // Others may wait for the same picture.
        self.jobs.detach_all();
        for subscription in &self.subscriptions {
            self.hub.unfollow(&subscription.asked.segment);
        }
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

/// What is new of what it sends; nothing ever where it may not.
async fn event(desk: &mut Option<Desk>) -> Option<Event> {
    match desk {
        Some(desk) => desk.event().await,
        None => std::future::pending().await,
    }
}

async fn put<S>(socket: &mut WebSocketStream<S>, message: Message) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match timeout(SEND_LIMIT, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(End::Gone),
        Err(_) => Err(End::Closed(CloseCode::POLICY_VIOLATION, "what was sent is not read")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_gives_as_much_as_its_rate_and_saves_some_up() {
        let begin = Instant::now();
        let second = Duration::from_secs(1);
        let mut bucket = Bucket::new(100.0, 150.0, begin);
        assert!(bucket.take_many(150.0, begin) && !bucket.take(begin));
        assert!(bucket.take_many(99.0, begin + second) && !bucket.take_many(2.0, begin + second));
        assert!(bucket.take_many(150.0, begin + second * 9) && !bucket.take_many(1.0, begin + second * 9));
    }
}
