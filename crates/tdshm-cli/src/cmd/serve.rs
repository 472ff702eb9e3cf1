//! `tdshm serve`: the monitor in a browser.

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::thread;

use serde::Serialize;

use crate::args::serve::ServeArgs;
use crate::monitor::web::{Settings, Web, new_token};
use crate::output::json;
use crate::stop::{SLICE, Stop};
use crate::{Exit, say};

/// What `--json` says.
#[derive(Serialize)]
struct Start<'s> {
    url: &'s str,
    address: String,
    port: u16,
    token: Option<&'s str>,
    clients: u16,
}

/// Serves until somebody asks to stop.
pub(crate) fn run(args: &ServeArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let token = match args.token.as_deref() {
        Some("") => Some(new_token()?),
        token => token.map(str::to_owned),
    };
    let web = Web::start(Settings {
        listen: args.listen,
        port: args.port,
        token,
        names: args.allow_host.clone(),
        most_clients: usize::from(args.clients),
    })?;
    let url = web.url();
    if args.json {
        let address = web.address();
        json::print(&Start {
            url: &url,
            address: address.ip().to_string(),
            port: address.port(),
            token: web.token(),
            clients: args.clients,
        })?;
    } else {
        let mut out = io::stdout().lock();
        writeln!(out, "{url}")?;
        out.flush()?;
    }
    if args.listen.is_loopback() {
        say::line("showing this machine's segments there, to this machine alone, until Ctrl-C");
    } else {
        say::line(
            "showing this machine's segments there until Ctrl-C, to everybody who has that address; nothing is encrypted",
        );
    }
    if args.open
        && let Err(error) = open(&url)
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
