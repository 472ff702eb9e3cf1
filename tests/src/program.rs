//! A program that is no peer, such as an example: started as a user starts it, and judged by what it prints.

use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use crate::scene::{Stage, lock};
use crate::system::without_console;

/// Another program. It ends with its [`Scene`](crate::Scene).
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Arc<Mutex<Child>>,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    stage: Arc<Stage>,
}

impl Program {
    pub(crate) fn start(stage: &Arc<Stage>, path: &str, args: &[&str]) -> Self {
        let mut command = Command::new(path);
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = without_console(&mut command).spawn().expect("the program starts");
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().expect("it is piped");
        let child = Arc::new(Mutex::new(child));
        stage.owns(Arc::clone(&child));
        let lines = stage.lines_of(stdout);
        let name = Path::new(path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Self { name, child, stdin, lines, stage: Arc::clone(stage) }
    }

    /// Reads on to the first line that holds `text`, and gives that line.
    ///
    /// # Panics
    ///
    /// When the program ends without having printed one.
    pub fn line_with(&self, text: &str) -> String {
        self.stage.waits_for(format!("{} to print {text:?}", self.name));
        let mut seen = String::new();
        loop {
            match self.lines.recv() {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen = line,
                Err(_) => {
                    panic!("{} ended, and never printed {text:?}; its last line was {seen:?}", self.name)
                }
            }
        }
    }

    /// Tells it a line on its standard input.
    pub fn tell(&mut self, line: &str) {
        let stdin = self.stdin.as_mut().expect("it has not been ended");
        stdin.write_all(format!("{line}\n").as_bytes()).expect("the program listens");
        stdin.flush().expect("the program listens");
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&self) {
        let mut child = lock(&self.child);
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Closes its standard input and waits for its end; gives the status, and the lines it had printed that were not
    /// read yet.
    pub fn end(mut self) -> (ExitStatus, Vec<String>) {
        self.stage.waits_for(format!("{} to end", self.name));
        self.stdin = None;
        // They end with the program.
        let lines = self.lines.iter().collect();
        let status = lock(&self.child).wait().expect("a child can be waited for");
        (status, lines)
    }
}
