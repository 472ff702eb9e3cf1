//! `tdshm-net list`: what is shared where.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthStr;
use zenoh::Wait;
use zenoh::sample::SampleKind;

use crate::args::ListArgs;
use crate::encoding::info::Info;
use crate::encoding::key::{self, Leaf};
use crate::session;
use crate::stop::{SLICE, Stop};
use crate::{Exit, say};

/// How long a router may take to answer at least.
const CONNECTING: Duration = Duration::from_secs(1);

/// Streams by their host and name; what each says of itself, once it has said it.
type Found = BTreeMap<(String, String), Option<Info>>;

/// Looks, asks, and prints.
pub(crate) fn run(args: &ListArgs) -> anyhow::Result<Exit> {
    let stop = Stop::on_signals()?;
    let patience = args.wait.max(CONNECTING);
    let Some((session, reach)) = session::open(&args.net, &stop, Some(patience))? else {
        return Ok(stop.requested().unwrap_or(Exit::Done));
    };
    let found = Arc::new(Mutex::new(Found::new()));
    let tokens = Arc::clone(&found);
    let callback = move |sample: zenoh::sample::Sample| {
        let Some(stream) = key::read(sample.key_expr().as_str(), Leaf::Alive) else { return };
        let mut found = tokens.lock().unwrap_or_else(PoisonError::into_inner);
        match sample.kind() {
            SampleKind::Put => found.entry(stream).or_default(),
            SampleKind::Delete => &mut found.remove(&stream).flatten(),
        };
    };
    let subscriber = session.liveliness().declare_subscriber(key::all(Leaf::Alive)).history(true);
    let subscriber = subscriber.callback(callback).wait().map_err(|error| session::failed(&error))?;
    // Twice, so that there is an interval to count frames in.
    for _ in 0..2 {
        let pause = args.wait.checked_div(2).unwrap_or_default();
        let begin = Instant::now();
        while begin.elapsed() < pause && stop.requested().is_none() {
            thread::sleep(SLICE.min(pause));
        }
        let answers = Arc::clone(&found);
        let (to, from) = std::sync::mpsc::channel::<()>();
        let callback = move |reply: zenoh::query::Reply| {
            let _ = &to;
            let Ok(sample) = reply.result() else { return };
            let stream = key::read(sample.key_expr().as_str(), Leaf::Info);
            let info = Info::of(&sample.payload().to_bytes());
            let mut found = answers.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(entry) = stream.and_then(|stream| found.get_mut(&stream)) {
                *entry = info;
            }
        };
        let get = session.get(key::all(Leaf::Info)).timeout(Duration::from_secs(2)).callback(callback);
        get.wait().map_err(|error| session::failed(&error))?;
        // The callback goes with the last answer.
        while stop.requested().is_none() && from.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            thread::sleep(Duration::from_millis(2));
        }
    }
    drop(subscriber);
    let mut found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
    let wanted = &args.streams;
    found.retain(|(host, name), _| wanted.is_empty() || wanted.iter().any(|wanted| wanted.means(host, name)));
    let reached = if found.is_empty() { reach.check(&session) } else { Ok(()) };
    session::close(session);
    reached?;
    print(args, found)?;
    Ok(stop.requested().unwrap_or(Exit::Done))
}

fn print(args: &ListArgs, found: Found) -> anyhow::Result<()> {
    let infos = found.into_iter().map(|((host, segment), info)| {
        // Who shares says who it is by its key alone.
        let mut info = info.unwrap_or_default();
        (info.host, info.segment) = (host, segment);
        info
    });
    let infos: Vec<Info> = infos.collect();
    if args.json {
        say::data(&serde_json::to_string_pretty(&infos)?)?;
        return Ok(());
    }
    if infos.is_empty() {
        say::line("nothing is shared, as far as can be seen from here");
        return Ok(());
    }
    let rows: Vec<[String; 4]> = std::iter::once(["STREAM", "HOLDS", "RATE", "SENDER"].map(str::to_owned))
        .chain(infos.iter().map(row))
        .collect();
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max();
    // Columns of a terminal: some letters take two, which `format!` does not know.
    let blank =
        |column: usize, cell: &str| " ".repeat(width(column).unwrap_or(0).saturating_sub(cell.width()));
    for [stream, holds, rate, sender] in &rows {
        let (first, second, third) = (blank(0, stream), blank(1, holds), blank(2, rate));
        say::data(format!("{stream}{first}  {holds}{second}  {third}{rate}  {sender}").trim_end())?;
    }
    Ok(())
}

fn row(info: &Info) -> [String; 4] {
    let clean = |text: String| text.chars().filter(|c| !turns(*c)).take(60).collect::<String>();
    let rate = info.rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate:.1} Hz"));
    let sender = match (info.program.as_str(), info.pid) {
        ("", _) => info.sender.clone(),
        (program, pid) => format!("{program} ({pid})"),
    };
    let packed = if info.kind == "image" && !info.images.is_empty() {
        format!(", {}", info.images)
    } else {
        String::new()
    };
    let stream = format!("{}/{}", info.host, info.segment);
    [clean(stream), clean(info.shape() + &packed), rate, clean(sender)]
}

/// Whether it moves what stands beside it, or is not seen: others chose these names.
fn turns(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}
