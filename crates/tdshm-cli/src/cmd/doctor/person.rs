//! Questions to whoever sits there, and waiting for either side.

use std::collections::VecDeque;
use std::io::{self, BufRead, IsTerminal};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use crate::say;
use crate::stop::{SLICE, Stop};

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    No,
    /// They do not know, did not answer in time, or nobody is there.
    Open,
}

/// How waiting ended.
#[derive(Debug)]
pub(super) enum Waited<T> {
    /// It came, after so long.
    Came(T, Duration),
    /// It did not come within the limit.
    Late,
    /// Somebody typed `s`: go on without it.
    Skipped,
    /// Somebody asked to stop.
    Stopped,
}

/// Whoever sits there: lines of standard input, or nobody.
#[derive(Debug)]
pub(super) struct Person {
    lines: Option<Receiver<String>>,
    /// Typed, and not yet taken for an answer.
    typed: VecDeque<String>,
    /// Whether they see the questions before they type.
    at_terminal: bool,
    limit: Duration,
}

impl Person {
    /// Nobody, so every question stays open.
    pub(super) fn nobody(limit: Duration) -> Self {
        Self { lines: None, typed: VecDeque::new(), at_terminal: false, limit }
    }

    /// Somebody, or a script, at standard input.
    pub(super) fn at_stdin(limit: Duration) -> Self {
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in io::stdin().lock().lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let at_terminal = io::stdin().is_terminal();
        Self { lines: Some(lines), typed: VecDeque::new(), at_terminal, limit }
    }

    /// Says what to do.
    pub(super) fn tell(&self, what: &str) {
        say::to_person(&format!("\n{}\n", what.trim_end()));
    }

    /// Asks, and does `meanwhile` until the answer comes.
    pub(super) fn ask(&mut self, question: &str, stop: &Stop, mut meanwhile: impl FnMut()) -> Answer {
        self.take_in();
        if self.at_terminal {
            // What was typed before the question is no answer to it.
            self.typed.clear();
        }
        if self.lines.is_none() && self.typed.is_empty() {
            return Answer::Open;
        }
        say::to_person(&format!("\n? {question} [y/n, s: cannot say] "));
        let begin = Instant::now();
        loop {
            self.take_in();
            if let Some(line) = self.typed.pop_front() {
                let answer = match line.trim().to_ascii_lowercase().as_str() {
                    "y" | "yes" => Answer::Yes,
                    "n" | "no" => Answer::No,
                    "s" | "skip" => Answer::Open,
                    _ => {
                        say::to_person("y for yes, n for no, or s: ");
                        continue;
                    }
                };
                if !self.at_terminal {
                    say::to_person("\n");
                }
                return answer;
            }
            if self.lines.is_none() || stop.requested().is_some() || begin.elapsed() >= self.limit {
                say::to_person("\n");
                return Answer::Open;
            }
            meanwhile();
            thread::sleep(SLICE);
        }
    }

    /// Looks until something is there, for as long as the limit says.
    pub(super) fn wait<T>(
        &mut self,
        stop: &Stop,
        mut look: impl FnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<Waited<T>> {
        let begin = Instant::now();
        loop {
            if let Some(found) = look()? {
                return Ok(Waited::Came(found, begin.elapsed()));
            }
            self.take_in();
            if self.typed.front().is_some_and(|line| line.trim().eq_ignore_ascii_case("s")) {
                self.typed.pop_front();
                return Ok(Waited::Skipped);
            }
            if stop.requested().is_some() {
                return Ok(Waited::Stopped);
            }
            if begin.elapsed() >= self.limit {
                return Ok(Waited::Late);
            }
            thread::sleep(SLICE);
        }
    }

    fn take_in(&mut self) {
        while let Some(lines) = &self.lines {
            match lines.try_recv() {
                Ok(line) => self.typed.push_back(line),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => self.lines = None,
            }
        }
    }
}
