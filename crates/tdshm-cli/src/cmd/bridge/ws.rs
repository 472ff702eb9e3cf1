//! `tdshm bridge ws`: browsers send channels into segments. The server is that of `serve`, which here takes frames as well.

use std::thread;
use std::time::Duration;

use serde::Serialize;

use crate::args::bridge::WsArgs;
use crate::cmd::bridge::status::{Status, Tally};
use crate::cmd::names::Wanted;
use crate::cmd::serve::{Start, open_at, print};
use crate::monitor::web::Web;
use crate::monitor::web::pages::Pages;
use crate::monitor::web::publish::{Rules, Shown};
use crate::stop::{SLICE, Stop};
use crate::{Exit, say};

/// What a program is told of it, besides what it is told of all bridges.
#[derive(Serialize)]
struct Details {
    /// Numbers that were none: their channels held what they had.
    held: u64,
    segments: Vec<Shown>,
}

/// Takes frames until somebody asks to stop.
pub(crate) fn run(args: &WsArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let rules = Rules {
        names: Wanted::read_all(&args.names)?,
        read: Wanted::read_all(&args.read)?,
        linger: args.linger.map(|s| Duration::try_from_secs_f64(s).unwrap_or(Duration::MAX)),
        take_over: args.take_over,
    };
    let pages = args.pages.as_deref().map_or(Ok(Pages::Send), Pages::folder)?;
    let web = open_at(args.port, &args.door, pages, Some(rules))?;
    let start = Start::of(&web, &args.door);
    if !args.status.json {
        print(&start.url)?;
    }
    let names = args.names.join(" or ");
    if args.door.listen.is_loopback() {
        say::line(format_args!(
            "browsers of this machine may send {names} there, until Ctrl-C; receive with `tdshm watch`, or a Shared Mem In CHOP"
        ));
    } else {
        say::line(format_args!(
            "everybody who has that address may send {names} there, until Ctrl-C; nothing is encrypted"
        ));
    }
    let mut status = Status::start("ws", &names, args.status.json, &start)?;
    let exit = loop {
        if let Some(exit) = stop.requested() {
            break exit;
        }
        let wait = web.pump();
        for sentence in web.news() {
            say::line(sentence);
        }
        status.look(tally(&web), || details(&web))?;
        thread::sleep(wait.min(SLICE));
    };
    let last = details(&web);
    let tally = tally(&web);
    drop(web);
    status.end(tally, &last)?;
    Ok(exit)
}

fn tally(web: &Web) -> Tally {
    let passed = web.passed();
    Tally { frames: passed.written, dropped: passed.dropped, bytes: passed.bytes, peers: web.clients() }
}

fn details(web: &Web) -> Details {
    Details { held: web.passed().held, segments: web.shown() }
}
