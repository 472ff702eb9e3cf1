//! Programs of other people: liblo's `oscsend` and `oscdump`, and python-osc.
//!
//! `cargo xtask test` installs both. Where they are not, the tests say so and do no more.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tdshm::{ChopReceiver, ChopSender};

use super::{Inlet, frame, port, socket, until_some};
use crate::kit::{Name, start};

/// A program of this machine.
fn there(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Both programs of liblo, and what makes `oscdump` write each line at once.
fn has_liblo() -> bool {
    let is_there = ["oscsend", "oscdump", "stdbuf"].iter().all(|name| there(name).is_some());
    if !is_there {
        eprintln!("not run: oscsend and oscdump are not here (Debian: liblo-tools)");
    }
    is_there
}

/// A Python with python-osc, in the folder where the task runner puts it.
fn python_osc() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?.join("python/osc/bin/python");
    if !python.is_file() {
        eprintln!("not run: python-osc is not here (`cargo xtask test --only native` installs it)");
        return None;
    }
    Some(python)
}

/// A program that ends with the test.
struct Other(Child);

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Other {
    /// Starts it, and gives its lines.
    fn start(command: &mut Command) -> (Self, impl Iterator<Item = String> + use<>) {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        (Self(child), lines)
    }
}

fn oscsend(port: u16, args: &[&str]) {
    let sent = Command::new("oscsend").args(["127.0.0.1", &port.to_string()]).args(args).status().unwrap();
    assert!(sent.success(), "{args:?}");
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    port(&socket())
}

#[test]
fn from_oscsend() {
    if !has_liblo() {
        return;
    }
    let name = Name::new();
    let inlet = Inlet::start(&name, &["--strip", "1"]);
    let mut receiver = ChopReceiver::open(name.as_str()).unwrap();
    for args in [
        &["/mix/a", "f", "0.5"][..],
        &["/mix/pos", "fdih", "1.5", "2.5", "-3", "4"],
        &["/mix/state", "TFNsi", "words", "7"],
        &["/mix/go"],
    ] {
        oscsend(inlet.port, args);
    }
    let came = frame(&mut receiver, |frame| frame.num_channels() == 10);
    assert_eq!(
        came.names(),
        ["a", "pos1", "pos2", "pos3", "pos4", "state1", "state2", "state3", "state4", "go"]
    );
    assert_eq!(came.samples()[..9], [0.5, 1.5, 2.5, -3.0, 4.0, 1.0, 0.0, 0.0, 7.0]);
    let last = inlet.end();
    assert_eq!(
        (&last["messages"], &last["not_numbers"], &last["dropped"]),
        (&4.into(), &1.into(), &0.into())
    );
}

#[test]
fn to_oscdump() {
    if !has_liblo() {
        return;
    }
    for (args, expected) in [
        (&[][..], &["/tx f 0.250000", "/h0/pinch f 0.500000"][..]),
        (&["--numeric", "double"], &["/tx d 0.250000", "/h0/pinch d 0.500000"]),
        (&["--numeric", "int", "--no-bundles"], &["/tx i 0", "/h0/pinch i 1"]),
        (&["--format", "transposename"], &["/channels sfsf \"tx\" 0.250000 \"h0/pinch\" 0.500000"]),
    ] {
        let (name, port) = (Name::new(), free_port());
        let mut dump = Command::new("stdbuf");
        let (_dump, mut lines) = Other::start(dump.args(["-oL", "oscdump", &port.to_string()]));
        let mut sender = ChopSender::builder(name.as_str()).channels(["tx", "h0/pinch"]).create().unwrap();
        let to = format!("127.0.0.1:{port}");
        let bridge = start(&[&["bridge", "osc-out", name.as_str(), "--to", &to], args].concat());
        // Until both are there. Each line begins with a time tag, which is left out here.
        let (tell, told) = std::sync::mpsc::channel();
        let sending = std::thread::spawn(move || {
            until_some(|| {
                sender.send(&[[0.25], [0.5]]).unwrap();
                told.recv_timeout(std::time::Duration::from_millis(5)).ok()
            })
        });
        for expected in expected {
            let line = lines.next().unwrap();
            assert!(line.ends_with(expected), "{line:?} {expected:?}");
        }
        tell.send(()).unwrap();
        sending.join().unwrap();
        bridge.signal("INT");
        bridge.wait();
    }
}

const SEND: &str = "
import sys
from pythonosc.osc_bundle_builder import OscBundleBuilder, IMMEDIATELY
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.udp_client import SimpleUDPClient, UDPClient
port = int(sys.argv[1])
SimpleUDPClient('127.0.0.1', port).send_message('/one', 0.5)
SimpleUDPClient('127.0.0.1', port).send_message('/pos', [1.5, -2, True, None, 'text', [7, 8.5]])
inner = OscBundleBuilder(IMMEDIATELY)
for number in range(3):
    message = OscMessageBuilder(address=f'/in/{number}')
    message.add_arg(number + 0.25, 'd')
    inner.add_content(message.build())
outer = OscBundleBuilder(0)
outer.add_content(inner.build())
UDPClient('127.0.0.1', port).send(outer.build())
";

const RECEIVE: &str = "
import sys
from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_server import BlockingOSCUDPServer
dispatcher = Dispatcher()
dispatcher.set_default_handler(lambda address, *values: print(address, *values, flush=True))
server = BlockingOSCUDPServer(('127.0.0.1', 0), dispatcher)
print(server.server_address[1], flush=True)
server.serve_forever()
";

#[test]
fn from_python() {
    let Some(python) = python_osc() else { return };
    let name = Name::new();
    let inlet = Inlet::start(&name, &[]);
    let mut receiver = ChopReceiver::open(name.as_str()).unwrap();
    let sent = Command::new(python).args(["-c", SEND, &inlet.port.to_string()]).status().unwrap();
    assert!(sent.success());
    let came = frame(&mut receiver, |frame| frame.num_channels() == 10);
    let names = ["one", "pos1", "pos2", "pos3", "pos4", "pos5", "pos6", "in/0", "in/1", "in/2"];
    assert_eq!(came.names(), names);
    assert_eq!(came.samples(), [0.5, 1.5, -2.0, 1.0, 0.0, 7.0, 8.5, 0.25, 1.25, 2.25]);
    assert_eq!(inlet.end()["dropped"], 0);
}

#[test]
fn to_python() {
    let Some(python) = python_osc() else { return };
    let name = Name::new();
    let (_server, mut lines) = Other::start(Command::new(python).args(["-c", RECEIVE]));
    let to = format!("localhost:{}", lines.next().unwrap());
    let mut sender = ChopSender::builder(name.as_str()).channels(["tx", "mix"]).create().unwrap();
    let bridge = start(&["bridge", "osc-out", name.as_str(), "--to", &to, "--send-rate"]);
    let (tell, told) = std::sync::mpsc::channel();
    let sending = std::thread::spawn(move || {
        until_some(|| {
            sender.send(&[[0.25, 0.5], [1.0, 2.0]]).unwrap();
            told.recv_timeout(std::time::Duration::from_millis(5)).ok()
        })
    });
    for expected in ["/_samplerate 60.0", "/tx 0.25 0.5", "/mix 1.0 2.0"] {
        assert_eq!(lines.next().unwrap(), expected);
    }
    tell.send(()).unwrap();
    sending.join().unwrap();
    bridge.signal("INT");
    assert_eq!(bridge.wait().code, Some(130));
}
