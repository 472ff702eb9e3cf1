//! The file, and the thread that writes it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{anyhow, bail};
use clap::error::ErrorKind;
use tdshm::ShortName;
use tdshm_io::FileError;
use tdshm_io::file::Format;
use tdshm_io::file::recording::{McapError, Writer};
use tdshm_io::file::sequence::holds_pictures;

use crate::args;
use crate::args::record::RecordArgs;
use crate::cmd::record::queue::Next;
use crate::cmd::record::tally::Tally;
use crate::cmd::record::{Lost, Shared};

/// How long a frame is waited for before it is looked whether what was written should go to the system.
const WAIT: Duration = Duration::from_millis(100);

/// The file, which nobody else records into.
pub(super) struct Target {
    path: PathBuf,
    /// One that was there before stays as it is until the first frame comes.
    file: Destination,
}

enum Destination {
    New(Box<Writer<BufWriter<File>>>),
    Over(File),
}

/// The thread that writes, and what others may know of it.
#[derive(Debug)]
pub(super) struct Writing {
    thread: JoinHandle<Ended>,
    progress: Arc<Progress>,
    path: PathBuf,
}

#[derive(Debug, Default)]
struct Progress {
    frames: AtomicU64,
    bytes: AtomicU64,
    failed: AtomicBool,
}

/// The file, where it has not failed; `None`: nothing came, and the older one was left as it was.
type Ended = Result<Option<Writer<BufWriter<File>>>, McapError>;

/// What became of the file.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) frames: u64,
    /// Bytes of blocks.
    pub(super) bytes: u64,
    /// Bytes of the file, which is a little larger; `None` where nobody can tell.
    pub(super) file_bytes: Option<u64>,
    pub(super) result: Result<(), McapError>,
}

impl Target {
    /// Makes the file, which is there from now on, or opens the one that it writes over.
    pub(super) fn create(args: &RecordArgs) -> anyhow::Result<Self> {
        let path = args.out.clone();
        refuse_other_formats(&path)?;
        match std::fs::metadata(&path) {
            Ok(about) if about.is_dir() => bail!("{} is a folder: name a file in it", path.display()),
            Ok(_) if !args.force => {
                bail!("{} is there already: name another file, or write over it with --force", path.display())
            }
            Ok(about) if !about.is_file() => {
                bail!("{} is no ordinary file: name one, or one that is not there yet", path.display())
            }
            _ => {}
        }
        let is_there = path.exists();
        let mut options = OpenOptions::new();
        let file = options.write(true).create(is_there || args.force).create_new(!is_there && !args.force);
        let file = file
            .truncate(false)
            .open(&path)
            .map_err(|error| anyhow!("cannot write {}: {error}", path.display()))?;
        // On Windows nobody could read the file either, and a file system may have no such locks.
        if !cfg!(windows) && matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            bail!("another program is recording into {}: name another file", path.display());
        }
        let file =
            if is_there { Destination::Over(file) } else { Destination::New(Box::new(begin(file, &path)?)) };
        Ok(Self { path, file })
    }

    /// Starts to write what comes.
    pub(super) fn start(self, shared: &Arc<Shared>) -> Writing {
        let progress = Arc::new(Progress::default());
        let (shared, its, path) = (Arc::clone(shared), Arc::clone(&progress), self.path.clone());
        let thread = thread::spawn(move || {
            let ended = write(self, &shared, &its);
            its.failed.store(ended.is_err(), Ordering::Relaxed);
            ended
        });
        Writing { thread, progress, path }
    }
}

/// A name that says another format would have everybody else misunderstand the file.
fn refuse_other_formats(path: &Path) -> anyhow::Result<()> {
    let wrong = |what: String| Err(args::wrong("record", ErrorKind::ValueValidation, what));
    if path.as_os_str() == "-" {
        return wrong(
            "a recording goes into a file, which an index ends: name one, or print frames with `tdshm watch --format json`"
                .to_owned(),
        );
    }
    let is_other = match Format::of(path) {
        Ok(format) => format != Format::Recording,
        Err(FileError::NotPublic { .. }) => true,
        Err(_) => holds_pictures(path),
    };
    if !is_other {
        return Ok(());
    }
    let into = path.with_extension("mcap");
    let (into, shown) = (into.display(), path.display());
    wrong(format!(
        "a recording is an .mcap file, and {shown} would not be what it is called: record into {into}, and then `tdshm convert \
         {into} {shown}`"
    ))
}

/// Begins a recording; a file that nothing can be written to does not stay.
fn begin(file: File, path: &Path) -> Result<Writer<BufWriter<File>>, McapError> {
    let begun = file.set_len(0).map_err(McapError::Write).and_then(|()| Writer::new(BufWriter::new(file)));
    begun.inspect_err(|_| drop(std::fs::remove_file(path)))
}

fn write(target: Target, shared: &Shared, progress: &Progress) -> Ended {
    let (mut writer, mut over) = match target.file {
        Destination::New(writer) => (Some(*writer), None),
        Destination::Over(file) => (None, Some(file)),
    };
    loop {
        match shared.queue.next(WAIT) {
            Next::Frame(taken) => {
                if let Some(file) = over.take() {
                    writer = Some(begin(file, &target.path)?);
                }
                let Some(writer) = &mut writer else { return Ok(None) };
                let name = taken.segment.as_str();
                if taken.lost != Lost::default() {
                    writer.lost(name, taken.lost, taken.stamp.received)?;
                }
                writer.block(name, taken.kind, &taken.block, &taken.stamp)?;
                progress.frames.fetch_add(1, Ordering::Relaxed);
                let bytes = u64::try_from(taken.block.len()).unwrap_or(u64::MAX);
                progress.bytes.fetch_add(bytes, Ordering::Relaxed);
                shared.queue.give_back(taken);
            }
            Next::Nothing => writer.as_mut().map_or(Ok(()), Writer::flush_if_due)?,
            Next::End => return Ok(writer),
        }
    }
}

impl Writing {
    pub(super) fn frames(&self) -> u64 {
        self.progress.frames.load(Ordering::Relaxed)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.progress.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn has_failed(&self) -> bool {
        self.progress.failed.load(Ordering::Relaxed)
    }

    /// Waits until all is written, and ends the file.
    pub(super) fn finish(self, tallies: &BTreeMap<ShortName, Arc<Tally>>, now: Duration) -> Written {
        let Self { thread, progress, path } = self;
        let gone = || McapError::Format("the thread that writes has gone".into());
        let result = thread.join().unwrap_or_else(|_| Err(gone())).and_then(|writer| {
            let Some(mut writer) = writer else { return Ok(()) };
            for (name, tally) in tallies {
                let lost = tally.take_untold();
                if lost != Lost::default() {
                    writer.lost(name.as_str(), lost, now)?;
                }
            }
            writer.finish().map(drop)
        });
        let (frames, bytes) =
            (progress.frames.load(Ordering::Relaxed), progress.bytes.load(Ordering::Relaxed));
        let file_bytes = path.metadata().map(|about| about.len()).ok();
        Written { frames, bytes, file_bytes, result }
    }
}
