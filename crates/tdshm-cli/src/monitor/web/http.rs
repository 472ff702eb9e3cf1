//! Connections: who is let in, the page, and how a WebSocket begins.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_websockets::{Config, Limits, ServerBuilder};

use super::client::{self, Form};
use super::gate::{Gate, Pass};
use super::hub::Hub;
use super::message;
use super::pages::{self, Found, Missing, Pages};
use super::publish::Board;
use super::wire::base64;

/// How long a request may take to be said.
const HEAD_LIMIT: Duration = Duration::from_secs(3);
/// Bytes that the head of a request may have.
const HEAD_BYTES: usize = 16 * 1024;
/// Connections besides those of browsers that watch.
const SPARE_CONNECTIONS: usize = 48;
/// After how many bytes a message goes on its way.
const FLUSH_BYTES: usize = 64 * 1024;

type Answer = Response<Full<Bytes>>;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) gate: Gate,
    pub(super) hub: Arc<Hub>,
    /// What browsers send; `None`: nothing.
    pub(super) board: Option<Arc<Board>>,
    pub(super) pages: Pages,
    /// Clients that watch at once, at most.
    pub(super) most_clients: usize,
    pub(super) clients: AtomicUsize,
    pub(super) over: watch::Sender<bool>,
}

/// Takes connections until the runtime ends.
pub(super) async fn accept(server: Arc<Server>, listener: TcpListener) {
    let room = Arc::new(Semaphore::new(server.most_clients.saturating_add(SPARE_CONNECTIONS)));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            // Out of descriptors, or the other side went before its turn.
            Err(_) => {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
        };
        // One connection too many is closed: who waits for an answer would wait for ever.
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else { continue };
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            converse(server, stream).await;
            drop(place);
        });
    }
}

async fn converse(server: Arc<Server>, stream: TcpStream) {
    // Frames are whole messages: nothing follows that they could wait for.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(answer(&server, request).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT).max_buf_size(HEAD_BYTES).max_headers(64);
    // How it ended interests nobody.
    let _ = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

async fn answer(server: &Arc<Server>, request: Request<Incoming>) -> Answer {
    let passed = server.gate.admit(request.method(), request.uri(), request.headers());
    let mut answer = match passed {
        Ok(pass) => {
            let mut answer = route(server, request).await;
            if let Pass::Keep(cookie) = pass
                && let Ok(cookie) = HeaderValue::try_from(cookie)
            {
                answer.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            answer
        }
        Err(refusal) => {
            let mut answer = sentence(refusal.status, &refusal.sentence);
            if refusal.status == StatusCode::METHOD_NOT_ALLOWED {
                answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            }
            answer
        }
    };
    protect(answer.headers_mut(), &server.pages);
    answer
}

async fn route(server: &Arc<Server>, request: Request<Incoming>) -> Answer {
    match request.uri().path() {
        "/socket" => upgrade(server, request),
        "/health" if server.is_full() => sentence(StatusCode::SERVICE_UNAVAILABLE, FULL),
        "/health" => sentence(StatusCode::OK, "tdshm"),
        path => match file(server, path).await {
            Ok(file) => {
                let is_head = *request.method() == Method::HEAD;
                let bytes = if is_head { Bytes::new() } else { file.bytes.clone() };
                let mut answer = Response::new(Full::new(bytes));
                answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(file.kind));
                if is_head {
                    answer.headers_mut().insert(header::CONTENT_LENGTH, file.bytes.len().into());
                }
                answer
            }
            Err(Missing::Absent) => sentence(StatusCode::NOT_FOUND, "there is nothing of that name here"),
            Err(Missing::TooLarge) => {
                sentence(StatusCode::PAYLOAD_TOO_LARGE, "that file is too large to be served")
            }
        },
    }
}

/// The file of that path.
async fn file(server: &Server, path: &str) -> Result<Found, Missing> {
    let folder = match &server.pages {
        Pages::Folder(folder) => folder.clone(),
        pages => return pages.built_in(path).unwrap_or(Err(Missing::Absent)),
    };
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || pages::read(&folder, &path));
    // Only the end of the runtime keeps it from being done.
    read.await.unwrap_or(Err(Missing::Absent))
}

fn sentence(status: StatusCode, text: &str) -> Answer {
    let mut answer = Response::new(Full::from(format!("{text}\n")));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// What every answer says to a browser.
fn protect(headers: &mut HeaderMap, pages: &Pages) {
    let always = [
        (header::CONTENT_SECURITY_POLICY, pages.policy()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), pages.permissions()),
    ];
    for (name, value) in always {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

const FULL: &str = "as many browsers watch as this server takes: close one, or start it with more --clients";

/// A place among those who watch, given back when it is dropped.
struct Place(Arc<Server>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.clients.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Server {
    fn is_full(&self) -> bool {
        self.clients.load(Ordering::Acquire) >= self.most_clients
    }

    fn place(self: &Arc<Self>) -> Option<Place> {
        let more = |count: usize| (count < self.most_clients).then(|| count.saturating_add(1));
        self.clients.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).ok()?;
        Some(Place(Arc::clone(self)))
    }
}

/// Begins a WebSocket (RFC 6455, section 4.2).
fn upgrade(server: &Arc<Server>, mut request: Request<Incoming>) -> Answer {
    let headers = request.headers();
    let says = |name: HeaderName, word: &str| {
        let mut values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.any(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)))
    };
    let wants = says(header::UPGRADE, "websocket") && says(header::CONNECTION, "upgrade");
    let key = headers.get(header::SEC_WEBSOCKET_KEY).filter(|key| key.len() == 24).cloned();
    let (true, Some(key), true) = (wants, key, *request.method() == Method::GET) else {
        return sentence(StatusCode::BAD_REQUEST, "this address is for WebSockets");
    };
    if !says(header::SEC_WEBSOCKET_VERSION, "13") {
        let mut answer =
            sentence(StatusCode::UPGRADE_REQUIRED, "only version 13 of WebSocket is spoken here");
        answer.headers_mut().insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        return answer;
    }
    let (form, protocol) = if says(header::SEC_WEBSOCKET_PROTOCOL, message::BINARY) {
        (Form::Binary, message::BINARY)
    } else if says(header::SEC_WEBSOCKET_PROTOCOL, message::JSON) {
        (Form::Json, message::JSON)
    } else {
        let text = format!("offer the protocol {} or {}", message::BINARY, message::JSON);
        return sentence(StatusCode::BAD_REQUEST, &text);
    };
    let Some(place) = server.place() else { return sentence(StatusCode::SERVICE_UNAVAILABLE, FULL) };
    let (hub, board, over) = (Arc::clone(&server.hub), server.board.clone(), server.over.subscribe());
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        if let Ok(stream) = upgraded.await {
            let socket = ServerBuilder::new()
                .limits(Limits::default().max_payload_len(Some(super::message_bytes(board.as_ref()))))
                .config(Config::default().frame_size(usize::MAX).flush_threshold(FLUSH_BYTES))
                .serve(TokioIo::new(stream));
            client::talk(hub, board.as_ref(), socket, form, over).await;
        }
        drop(place);
    });
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = answer.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(protocol));
    if let Ok(accept) = HeaderValue::try_from(receipt(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    answer
}

/// What shows that the key was read by somebody who speaks WebSocket.
fn receipt(key: &[u8]) -> String {
    let mut hash = sha1_smol::Sha1::new();
    hash.update(key);
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    base64(&hash.digest().bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_receipt_is_that_of_the_standard() {
        // RFC 6455, section 1.3.
        assert_eq!(receipt(b"dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
