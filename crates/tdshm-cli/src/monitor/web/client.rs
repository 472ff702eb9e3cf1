//! One client: what it asked for, what it has had, and what is sent next. Nothing is queued for it but the few sentences that
//! answer its own messages: of each segment it gets what is newest when its connection takes more.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{sleep_until, timeout};
use tokio_websockets::{CloseCode, Message, WebSocketStream};

use super::hub::{Fresh, Had, Hub, State};
use super::message::{self, Asked, Mistake, SUBSCRIPTIONS, Subscribe, Told};

/// How long one message may take to be sent: who takes longer has gone, or might as well have.
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// How long a client may take to hear that it is over.
const CLOSING: Duration = Duration::from_millis(100);
/// How often a quiet client is asked whether it is there, and how long it may be quiet.
const PING_EVERY: Duration = Duration::from_secs(10);
const QUIET_LIMIT: Duration = Duration::from_secs(40);
/// Answers that wait to be sent: who asks faster than it reads is sent away.
const ANSWERS: usize = 64;
/// Messages a second from a client, and how many it may save up. Acknowledgements are most of them.
const RATE: f64 = 2500.0;
const BURST: f64 = 2500.0;
/// The same of what changes subscriptions.
const CHANGES: f64 = 20.0;
const CHANGES_BURST: f64 = 60.0;
/// Wrong messages that are answered before the connection is closed.
const MISTAKES: u32 = 100;

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
        let since = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.tokens = (self.tokens + since * self.rate).min(self.burst);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[derive(Debug)]
struct Subscription {
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
    /// Whose turn is next.
    turn: usize,
    answers: VecDeque<String>,
    list_every: Option<Duration>,
    list_due: Instant,
    messages: Bucket,
    changes: Bucket,
    mistakes: u32,
    heard: Instant,
    pinged: Instant,
}

/// Talks with a client until it goes or `over` says so.
pub(super) async fn talk<S>(
    hub: Arc<Hub>,
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
        turn: 0,
        answers: VecDeque::from([Told::hello().text()]),
        list_every: None,
        list_due: now,
        messages: Bucket::new(RATE, BURST, now),
        changes: Bucket::new(CHANGES, CHANGES_BURST, now),
        mistakes: 0,
        heard: now,
        pinged: now,
    };
    let end = tokio::select! {
        biased;
        _ = over.wait_for(|over| *over) => End::Closed(CloseCode::GOING_AWAY, "the server has ended"),
        end = client.run(&mut socket, &mut news) => end,
    };
    if let End::Closed(code, why) = end {
        // Who does not take this much has gone.
        let _ = timeout(CLOSING, socket.send(Message::close(Some(code), why))).await;
    }
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
                    Some(Err(_)) => {
                        // What was wrong is told by the one that saw it, in the frame that closes the connection.
                        let _ = timeout(CLOSING, socket.next()).await;
                        return End::Gone;
                    }
                    None => return End::Gone,
                },
                // The sender of it lives as long as the hub.
                _ = news.changed() => {}
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
        let asked = match message.as_text() {
            Some(text) => message::read(text),
            None => Err(Mistake::new("message", None, "only text is understood here")),
        };
        if let Err(mistake) = asked.and_then(|asked| self.does(asked, now)) {
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

    fn does(&mut self, asked: Asked, now: Instant) -> Result<(), Mistake> {
        if !matches!(asked, Asked::Ack { .. }) && !self.changes.take(now) {
            let id = match &asked {
                Asked::Subscribe(subscribe) => Some(subscribe.id),
                Asked::Unsubscribe { id } => Some(*id),
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
        }
        Ok(())
    }

    /// A new subscription, or another wish for one that is there.
    fn subscribe(&mut self, asked: Arc<Subscribe>, now: Instant) -> Result<(), Mistake> {
        let there = self.subscriptions.iter().position(|known| known.asked.id == asked.id);
        if there.is_none() && self.subscriptions.len() >= SUBSCRIPTIONS {
            let most = format_args!("there are {SUBSCRIPTIONS} already: unsubscribe first");
            return Err(Mistake::new("subscriptions", Some(asked.id), most));
        }
        // Before the old one is let go of, so that what was read of the same segment stays.
        self.hub.follow(&asked.segment);
        let new = Subscription { asked, had: Had::default(), serial: 0, acked: 0, due: now, told: None };
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
            let list = apart(move || hub.list()).await?;
            put(socket, Message::text(list.to_string())).await?;
        }
        // One of each, beginning with whom it is the turn of.
        for _ in 0..self.subscriptions.len() {
            let count = self.subscriptions.len();
            let at = self.turn.checked_rem(count).unwrap_or(0);
            self.turn = at.saturating_add(1);
            self.serve(at, socket).await?;
        }
        Ok(())
    }

    async fn serve<S>(&mut self, at: usize, socket: &mut WebSocketStream<S>) -> Result<(), End>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let (hub, form) = (&self.hub, self.form);
        let Some(subscription) = self.subscriptions.get_mut(at) else { return Ok(()) };
        let asked = Arc::clone(&subscription.asked);
        let Some(progress) = hub.progress(&asked.segment) else { return Ok(()) };
        let now = (progress.state, progress.sentence);
        if subscription.told.as_ref() != Some(&now) {
            let told = Told::State {
                id: asked.id,
                segment: asked.segment.as_str(),
                kind: progress.kind,
                state: now.0.word(),
                sentence: &now.1,
            };
            let text = told.text();
            subscription.told = Some(now);
            put(socket, Message::text(text)).await?;
        }
        let begin = Instant::now();
        let is_due = begin >= subscription.due && subscription.window_is_open();
        if !is_due || progress.taken == subscription.had.taken {
            return Ok(());
        }
        let serial = subscription.serial.wrapping_add(1);
        let mut had = std::mem::take(&mut subscription.had);
        let hub = Arc::clone(hub);
        let wish = Arc::clone(&asked);
        let (had, message) = apart(move || {
            let fresh = hub.fresh(&wish, &mut had);
            (had, fresh.map(|fresh| written(fresh, serial, form)))
        })
        .await?;
        subscription.had = had;
        if let Some(message) = message {
            subscription.serial = serial;
            // From the last due time on, so that the rate is held; but nothing is made up for.
            let every = Duration::try_from_secs_f64(asked.hz.recip()).unwrap_or_default();
            let next = subscription.due.checked_add(every).unwrap_or(begin);
            subscription.due = if next < begin { begin } else { next };
            put(socket, message).await?;
        }
        Ok(())
    }
}

impl Drop for Client {
    fn drop(&mut self) {
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

/// Where it may take a while, and wait for a lock.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, End> {
    // Only the end of the runtime keeps it from being done.
    tokio::task::spawn_blocking(work).await.map_err(|_| End::Gone)
}

async fn put<S>(socket: &mut WebSocketStream<S>, message: Message) -> Result<(), End>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match timeout(SEND_LIMIT, socket.send(message)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(End::Gone),
    }
}
