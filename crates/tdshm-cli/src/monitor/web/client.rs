//! One client: what it asked for, what it has had, and what is sent next. Nothing is queued for it but the few sentences that
//! answer its own messages: of each segment it gets what is newest when its connection takes more.

mod hear;
mod limit;
mod make;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};
use tokio_websockets::{CloseCode, Error, Message, WebSocketStream};

use super::hub::{Had, Hub, State, apart};
use super::message::{Subscribe, Told};
use super::publish::{Board, Desk, Event};
use limit::{BURST, BYTES, Bucket, CHANGES, CHANGES_BURST, RATE};
use make::{Lane, Made, Place};

/// How long one message may take to be sent: who takes longer has gone, or might as well have.
const SEND_LIMIT: Duration = Duration::from_secs(30);
/// How long a client may take to be told that it is over, and to go then. What it says meanwhile is read and dropped: a
/// connection that is let go of with something unread in it is reset, and takes the close frame along.
const CLOSING: Duration = Duration::from_millis(100);
const LINGERING: Duration = Duration::from_secs(2);
/// How often a quiet client is asked whether it is there, and how long it may be quiet.
const PING_EVERY: Duration = Duration::from_secs(10);
const QUIET_LIMIT: Duration = Duration::from_secs(40);
/// Answers that wait to be sent: who asks faster than it reads is sent away.
const ANSWERS: usize = 64;
/// How a client's messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Binary,
    Json,
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
