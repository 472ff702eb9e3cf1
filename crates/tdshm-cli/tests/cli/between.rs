//! `tdshm doctor NAME`: each fault it knows, made for real, is named by its id with what to do; and what is healthy is left
//! alone. Foreign senders are bytes of the protocol's tables, written by hand.

#[cfg(unix)]
mod files;
mod header;
mod healthy;
mod life;
mod names;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{fs, thread};

use serde_json::Value;
use tdshm::{NamedLock, ShortName};

use crate::kit::{ForeignOut, Name, run, start};

/// What was found, and how it ended.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) code: Option<i32>,
    report: Value,
}

/// The ids of the page.
fn documented() -> &'static BTreeSet<String> {
    static IDS: OnceLock<BTreeSet<String>> = OnceLock::new();
    IDS.get_or_init(|| {
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/doctor.md");
        let page = fs::read_to_string(page).unwrap();
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
        rows.map(|row| row.split('`').next().unwrap().to_owned()).collect()
    })
}

/// Holds the lines of a report against the page.
#[track_caller]
pub(crate) fn documented_all(report: &Value) {
    for line in report["lines"].as_array().unwrap() {
        let id = line["id"].as_str().unwrap();
        assert!(documented().contains(id), "{id} is not in docs/doctor.md");
        let verdict = line["verdict"].as_str().unwrap();
        let known = ["ok", "seen", "warning", "failed", "skipped", "unknown"];
        assert!(known.contains(&verdict), "{line}");
    }
}

/// What the doctor finds out about a name, with these further arguments.
pub(crate) fn doctor_with(args: &[&str]) -> Found {
    let ended = run(&[&["doctor", "--json"], args].concat());
    Found::of(ended.code, ended.out.first().unwrap_or_else(|| panic!("{:#?}", ended.err)))
}

pub(crate) fn doctor(name: &str) -> Found {
    doctor_with(&[name, "--timeout", "0.2"])
}

impl Found {
    /// Reads the object, and holds it against the page.
    pub(crate) fn of(code: Option<i32>, line: &str) -> Self {
        let report: Value = serde_json::from_str(line).unwrap();
        let found = Self { code, report };
        documented_all(&found.report);
        for line in found.lines() {
            let (id, verdict) = (line["id"].as_str().unwrap(), line["verdict"].as_str().unwrap());
            let needs_advice =
                ["warning", "failed", "unknown"].contains(&verdict) && !id.starts_with("machine.");
            assert!(!needs_advice || !line["advice"].as_str().unwrap_or_default().is_empty(), "{line}");
        }
        let failed = found.lines().iter().any(|line| line["verdict"] == "failed");
        assert_eq!(found.report["failed"].as_bool(), Some(failed));
        assert_eq!(found.code, Some(failed.into()), "{:#}", found.report);
        // What failed comes first, and everything that failed is there.
        let todo: Vec<&str> = found.report["todo"]
            .as_array()
            .unwrap()
            .iter()
            .map(|task| task["verdict"].as_str().unwrap())
            .collect();
        assert!(todo.is_sorted(), "{todo:?}");
        assert_eq!(todo.first() == Some(&"failed"), failed);
        found
    }

    fn lines(&self) -> &[Value] {
        self.report["lines"].as_array().unwrap()
    }

    /// That a check has this verdict, says this, and tells this to be done.
    #[track_caller]
    pub(crate) fn tells(&self, id: &str, verdict: &str, said: &str, advice: &str) -> &Self {
        let mut of = self.lines().iter().filter(|line| line["id"] == id && line["verdict"] == verdict);
        let told = of.any(|line| {
            let advised = line["advice"].as_str().unwrap_or_default();
            line["said"].as_str().unwrap().contains(said) && advised.contains(advice)
        });
        assert!(told, "{id} {verdict}: {said:?} → {advice:?} in {:#}", self.report["lines"]);
        self
    }

    /// What failed, or is to be looked at.
    fn wrong(&self) -> BTreeSet<&str> {
        let wrong = |line: &&Value| {
            // The machine's own state is not what is tested.
            ["warning", "failed"].iter().any(|verdict| line["verdict"] == **verdict)
                && !line["id"].as_str().unwrap().starts_with("machine.")
        };
        self.lines().iter().filter(wrong).map(|line| line["id"].as_str().unwrap()).collect()
    }

    /// What is to be done, in that order, on any machine.
    fn todo(&self) -> Vec<&str> {
        let ids = self.report["todo"].as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap());
        ids.filter(|id| !id.starts_with("machine.")).collect()
    }

    /// That nothing else failed, or is to be looked at, than these checks. On a slow machine a test's own sender is silent
    /// for as long as that takes, and that is told with good reason.
    #[track_caller]
    pub(crate) fn only(&self, ids: &[&str]) {
        let mut wrong = self.wrong();
        let silent = |line: &Value| {
            line["id"] == "sender.frames" && line["said"].as_str().unwrap().starts_with("nothing came")
        };
        if self.lines().iter().any(silent) && !ids.contains(&"sender.frames") {
            wrong.remove("sender.frames");
        }
        assert_eq!(wrong, ids.iter().copied().collect(), "{:#}", self.report["lines"]);
    }
}

/// A channel block of two channels of one sample: its header's nine fields, and what follows them.
pub(crate) fn channels() -> Block {
    let fields = [0x12ED_54CF, 1, 50, 2, 1, 60_f32.to_bits(), 1, 36, 44];
    Block { fields: fields.to_vec(), wide: None, rest: [&[0; 8][..], b"tx\0ty\0"].concat() }
}

/// An image block of 8 by 8 pixels of 4 bytes, version 1.
pub(crate) fn image() -> Block {
    let fields = [0xd95e_f835, 1, 8, 8, 1_f32.to_bits(), 1_f32.to_bits(), 37, 0];
    Block { fields: fields.to_vec(), wide: Some((256, 48)), rest: vec![7; 256] }
}

/// A header, and what stands behind it.
#[derive(Clone)]
pub(crate) struct Block {
    fields: Vec<u32>,
    /// An image's dataSize and dataOffset.
    wide: Option<(i64, i32)>,
    rest: Vec<u8>,
}

impl Block {
    pub(crate) fn with(mut self, field: usize, value: u32) -> Self {
        self.fields[field] = value;
        self
    }

    fn sized(mut self, data_size: i64, data_offset: i32) -> Self {
        self.wide = Some((data_size, data_offset));
        self
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.fields.iter().flat_map(|field| field.to_le_bytes()).collect();
        if let Some((size, offset)) = self.wide {
            bytes.extend(size.to_le_bytes());
            bytes.extend(offset.to_le_bytes());
            bytes.extend([2, 0, 0, 0]);
        }
        bytes.extend(&self.rest);
        bytes
    }
}

/// A foreign sender of this block, looked at.
fn of_foreign(block: &Block) -> Found {
    of_foreign_with(block, |_| {})
}

/// The same after something else was done to it.
fn of_foreign_with(block: &Block, change: impl FnOnce(&mut ForeignOut)) -> Found {
    let name = Name::new();
    let mut out = ForeignOut::create(name.as_str(), &block.bytes(), 4096);
    change(&mut out);
    doctor(name.as_str())
}

/// Is busy for so long.
fn spin(milliseconds: u64) {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(milliseconds) {
        thread::yield_now();
    }
}

fn data_lock(name: &Name) -> NamedLock {
    NamedLock::open(&ShortName::new(name.as_str()).unwrap().data_lock()).unwrap()
}

/// Does something while the doctor watches, and gives what it says in the end.
fn while_it_watches(name: &str, act: impl FnOnce()) -> Vec<String> {
    let mut doctor = start(&["doctor", name, "--timeout", "3"]);
    while !doctor.line().contains("every field of the info block") {}
    act();
    doctor.wait().out
}
