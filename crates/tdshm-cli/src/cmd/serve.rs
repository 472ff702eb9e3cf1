//! `tdshm serve`: the monitor in a browser.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::thread;

use serde::Serialize;

use crate::args::serve::{DoorArgs, ServeArgs};
use crate::monitor::web::pages::Pages;
use crate::monitor::web::publish::Rules;
use crate::monitor::web::{Settings, Web, new_token};
use crate::output::json;
use crate::stop::{SLICE, Stop};
use crate::{Exit, say};

/// What `--json` says.
#[derive(Debug, Serialize)]
pub(super) struct Start {
    pub(super) url: String,
    address: String,
    port: u16,
    token: Option<String>,
    clients: u16,
}

impl Start {
    pub(super) fn of(web: &Web, door: &DoorArgs) -> Self {
        let address = web.address();
        Self {
            url: web.url(),
            address: address.ip().to_string(),
            port: address.port(),
            token: web.token().map(str::to_owned),
            clients: door.clients,
        }
    }
}

/// Opens a server of those pages with that door. `rules`: what browsers may send, if anything.
pub(super) fn open_at(port: u16, door: &DoorArgs, pages: Pages, rules: Option<Rules>) -> anyhow::Result<Web> {
    let token = match door.token.as_deref() {
        Some("") => Some(new_token()?),
        token => token.map(str::to_owned),
    };
    Web::start(Settings {
        listen: door.listen,
        port,
        token,
        names: door.allow_host.clone(),
        most_clients: usize::from(door.clients),
        rules,
        pages,
    })
}

/// Serves until somebody asks to stop.
pub(crate) fn run(args: &ServeArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let web = open_at(args.port, &args.door, Pages::Monitor, None)?;
    let start = Start::of(&web, &args.door);
    if args.json {
        json::print(&start)?;
    } else {
        print(&start.url)?;
    }
    if args.door.listen.is_loopback() {
        say::line("showing this machine's segments there, to this machine alone, until Ctrl-C");
    } else {
        say::line(
            "showing this machine's segments there until Ctrl-C, to everybody who has that address; nothing is encrypted",
        );
    }
    if args.open
        && let Err(error) = open(&start.url)
    {
        say::error(format_args!("cannot open a browser: {error}: open the address yourself"));
    }
    loop {
        if let Some(exit) = stop.requested() {
            return Ok(exit);
        }
        thread::sleep(web.pump().min(SLICE));
    }
}

/// Says where it is.
pub(super) fn print(url: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{url}")?;
    out.flush()
}

/// Asks the system to show that address.
fn open(url: &str) -> io::Result<()> {
    let (program, args): (&str, &[&str]) = if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else if cfg!(target_os = "macos") {
        ("open", &[])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(args).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn()?;
    // It ends by itself, some at once, some with the browser.
    thread::spawn(move || child.wait());
    Ok(())
}
