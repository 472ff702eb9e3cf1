//! Lines for programs, on standard output: whoever reads slowly, or stops, holds nothing up.

use std::io;
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError, TrySendError};
use std::time::Duration;

use crate::{say, thread};

/// How long the last lines are waited for.
const LAST: Duration = Duration::from_secs(2);

/// Standard output, with a thread that writes to it.
#[derive(Debug)]
pub(crate) struct Output {
    to: Option<SyncSender<String>>,
    /// How it ended, if it has.
    over: Receiver<io::Result<()>>,
}

impl Output {
    pub(crate) fn start() -> anyhow::Result<Self> {
        Self::through(say::data)
    }

    fn through(mut write: impl FnMut(&str) -> io::Result<()> + Send + 'static) -> anyhow::Result<Self> {
        let (to, lines) = mpsc::sync_channel::<String>(1);
        let (ends, over) = mpsc::channel();
        // Whoever listens may have gone: then nobody asks how it ended.
        thread::start("output", move || ends.send(lines.iter().try_for_each(|line| write(&line))))?;
        Ok(Self { to: Some(to), over })
    }

    /// Writes a line, or leaves it out where one still waits to be written.
    pub(crate) fn line(&self, line: String) -> io::Result<()> {
        match self.to.as_ref().map(|to| to.try_send(line)) {
            Some(Err(TrySendError::Disconnected(_))) => self.check(),
            _ => Ok(()),
        }
    }

    /// Whether lines can still be written.
    pub(crate) fn check(&self) -> io::Result<()> {
        match self.over.try_recv() {
            Ok(over) => over,
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => Ok(()),
        }
    }

    /// Waits until all of it is written, but not for ever.
    pub(crate) fn end(&mut self) -> io::Result<()> {
        self.to = None;
        self.over.recv_timeout(LAST).unwrap_or(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_written_in_order_and_the_last_one_is_waited_for() {
        let (to, written) = mpsc::channel();
        let mut output = Output::through(move |line| {
            to.send(line.to_owned()).unwrap();
            Ok(())
        })
        .unwrap();
        for number in 0..3 {
            output.line(number.to_string()).unwrap();
            assert_eq!(written.recv(), Ok(number.to_string()));
        }
        output.line("last".to_owned()).unwrap();
        output.end().unwrap();
        assert_eq!(written.try_recv(), Ok("last".to_owned()));
    }

    #[test]
    fn who_does_not_read_holds_nothing_up() {
        let (go_on, wait) = mpsc::channel::<()>();
        let (to, written) = mpsc::channel();
        let mut output = Output::through(move |line| {
            to.send(line.to_owned()).unwrap();
            wait.recv().unwrap();
            Ok(())
        })
        .unwrap();
        output.line("first".to_owned()).unwrap();
        written.recv().unwrap();
        for number in 0..9 {
            output.line(number.to_string()).unwrap();
        }
        go_on.send(()).unwrap();
        go_on.send(()).unwrap();
        output.end().unwrap();
        assert_eq!(written.iter().collect::<Vec<_>>(), ["0"], "one waits, the others are left out");
    }

    #[test]
    fn that_nobody_reads_any_more_is_told() {
        let (to, written) = mpsc::channel();
        let mut output = Output::through(move |_| {
            to.send(()).unwrap();
            Err(io::ErrorKind::BrokenPipe.into())
        })
        .unwrap();
        output.line("one".to_owned()).unwrap();
        written.recv().unwrap();
        assert_eq!(output.end().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        output.check().unwrap();
    }
}
