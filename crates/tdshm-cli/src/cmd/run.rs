//! `tdshm run`: a network of operators, described in a file.

mod print;
mod report;
mod schema;
mod told;
mod watched;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use tdshm_ops::patch::Patch;
use tdshm_ops::{CookPolicy, Network, Op, Registry};

use crate::args::run::RunArgs;
use crate::cmd::run::print::Printer;
use crate::cmd::run::told::Told;
use crate::cmd::run::watched::{News, Watched};
use crate::output::{pipe, short};
use crate::pace::Pace;
use crate::stop::Stop;
use crate::{Exit, say};

/// How long the last frame stays, so that receivers get it: they look once a frame of theirs.
const LAST_FRAME_STAYS: Duration = Duration::from_millis(100);
/// How often dropped frames are told of.
const DROPPED_EVERY: Duration = Duration::from_secs(1);

/// Runs a patch until there were enough frames or somebody asks to stop; or only checks it, or describes what it can be.
pub(crate) fn run(args: &RunArgs, stop: &Stop) -> anyhow::Result<Exit> {
    let registry = registry();
    if let Some(pattern) = &args.schema {
        schema::print(&registry, pattern, args.format)?;
        return Ok(Exit::Done);
    }
    let Some(path) = args.patch.as_deref() else { bail!("give a patch") };
    let text = match stop.unless({
        let path = path.to_owned();
        move || read(&path)
    })? {
        Ok(text) => text?,
        Err(exit) => return Ok(exit),
    };
    let patch = match Patch::parse_with(&text, &registry) {
        Ok(patch) => patch,
        Err(error) => {
            say::to_person(&report::mistakes(path, &text, &error));
            bail!(report::summary(path, &error));
        }
    };
    if args.check {
        say::line(format_args!(
            "{}: {}, no mistakes",
            path.display(),
            say::count_of(patch.num_ops(), "operator")
        ));
        return Ok(Exit::Done);
    }
    let net = Network::with_registry(registry);
    // Absolute, so that nothing depends on where this command was started.
    let folder = std::path::absolute(path)?.parent().map(Path::to_owned).unwrap_or_default();
    net.set_folder(folder);
    patch.apply(&net)?;
    let mut player = Player {
        printer: Printer::new(&args.print, args.format),
        told: Told::default(),
        ops: Vec::new(),
        frames: 0,
        dropped: 0,
        told_of_dropped: None,
        net,
        patch,
    };
    player.look_around()?;
    if let Some(pattern) = player.printer.means_nothing() {
        bail!(
            "--print {pattern:?} means no operator of {}: it has {}",
            path.display(),
            listed(&player.patch)
        );
    }
    say::line(format_args!(
        "running {}: {}, {} frames a second",
        path.display(),
        say::count_of(player.patch.num_ops(), "operator"),
        short(player.patch.settings().rate)
    ));
    let watched = args.watch.then(|| Watched::new(path, text));
    let result = player.play(args, watched, stop);
    player.leave(args, &result, stop);
    result
}

/// The operators of a patch, for a sentence.
fn listed(patch: &Patch) -> String {
    const MOST: usize = 8;
    let mut paths: Vec<&str> = patch.paths().take(MOST).collect();
    if patch.num_ops() > MOST {
        paths.push("…");
    }
    if paths.is_empty() { "none".to_owned() } else { paths.join(", ") }
}

/// All operator types that a patch can have.
fn registry() -> Registry {
    let mut registry = Registry::standard();
    tdshm_io::op::register(&mut registry);
    registry
}

fn read(path: &Path) -> anyhow::Result<String> {
    let bytes =
        fs::read(path).map_err(|error| anyhow!("cannot read {}: {error}: check the path", path.display()))?;
    let text = String::from_utf8(bytes);
    text.map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        anyhow!("{} is no text: byte {at} is not UTF-8: give a patch in TOML", path.display())
    })
}

/// A network that runs.
struct Player {
    net: Network,
    patch: Patch,
    printer: Printer,
    told: Told,
    /// All operators.
    ops: Vec<Op>,
    /// Frames that were cooked.
    frames: u64,
    /// Frames that were left out, and have not been told of.
    dropped: u64,
    told_of_dropped: Option<Instant>,
}

impl Player {
    /// Finds the operators there are, and those that are printed.
    fn look_around(&mut self) -> anyhow::Result<()> {
        self.ops.clear();
        let mut levels = vec![self.net.root()];
        while let Some(component) = levels.pop() {
            for op in component.children()? {
                levels.push(op.clone());
                self.ops.push(op);
            }
        }
        self.printer.find(&self.net)?;
        self.told.keep(&self.ops);
        Ok(())
    }

    fn play(&mut self, args: &RunArgs, mut watched: Option<Watched>, stop: &Stop) -> anyhow::Result<Exit> {
        let mut begin = Instant::now();
        let mut pace = Pace::new(self.patch.settings().rate);
        let mut passes = 1;
        while args.frames.is_none_or(|frames| self.frames < frames) {
            loop {
                if let Some(exit) = stop.requested() {
                    return Ok(exit);
                }
                if let Some(watched) = &mut watched
                    && let Some(news) = watched.news()
                {
                    let rate = self.patch.settings().rate;
                    self.hear(watched.path(), news)?;
                    if self.patch.settings().rate != rate {
                        (begin, pace, passes) = (Instant::now(), Pace::new(self.patch.settings().rate), 1);
                    }
                }
                if args.frames.is_some() {
                    break;
                }
                let due = pace.due();
                let soon = begin.elapsed().saturating_add(watched::EVERY);
                stop.wait_until(begin, due.min(soon));
                if begin.elapsed() >= due && stop.requested().is_none() {
                    break;
                }
            }
            self.frame(passes)?;
            if args.frames.is_some() {
                continue;
            }
            passes = pace.advance(begin.elapsed());
            if passes > 1 && (args.no_realtime || !self.patch.settings().realtime) {
                // The next frame is the next one, and it is due now.
                begin = Instant::now();
                pace = Pace::new(self.patch.settings().rate);
                passes = 1;
            }
        }
        Ok(Exit::Done)
    }

    /// Lets frames pass, and shows what came of it.
    fn frame(&mut self, passes: u64) -> anyhow::Result<()> {
        self.net.advance(passes)?;
        self.frames = self.frames.saturating_add(1);
        self.dropped = self.dropped.saturating_add(passes.saturating_sub(1));
        self.told.tell(&self.ops)?;
        self.printer.print(&self.net)?;
        self.tell_of_dropped(false);
        if !self.printer.is_quiet() && pipe::nobody_reads() {
            return Err(std::io::Error::from(std::io::ErrorKind::BrokenPipe).into());
        }
        Ok(())
    }

    /// Says how many frames were left out, once in a while, or `now`.
    fn tell_of_dropped(&mut self, now: bool) {
        let soon = !now && self.told_of_dropped.is_some_and(|told| told.elapsed() < DROPPED_EVERY);
        if self.dropped == 0 || soon {
            return;
        }
        let dropped = say::count(self.dropped, "frame");
        say::error(format_args!(
            "dropped {dropped} before frame {}: cooking took too long",
            self.net.time().abs_frame
        ));
        self.dropped = 0;
        self.told_of_dropped = Some(Instant::now());
    }

    /// Takes in what is new about the file.
    fn hear(&mut self, path: &Path, news: News) -> anyhow::Result<()> {
        match news {
            News::Text(text) => return self.reload(path, &text),
            News::Gone(error) => say::error(format_args!(
                "{} cannot be read any more: {error}; the patch from before runs on",
                path.display()
            )),
            News::Back => say::line(format_args!("{} is there again", path.display())),
        }
        Ok(())
    }

    /// Takes over what changed in the file; nothing where it has mistakes.
    fn reload(&mut self, path: &Path, text: &str) -> anyhow::Result<()> {
        match Patch::parse_with(text, &self.net.registry()) {
            Ok(patch) => {
                patch.reload(&self.net)?;
                self.patch = patch;
                self.look_around()?;
                let count = say::count_of(self.patch.num_ops(), "operator");
                say::line(format_args!("read {} again: {count}", path.display()));
                if let Some(pattern) = self.printer.means_nothing() {
                    say::line(format_args!("--print {pattern:?} means no operator now"));
                }
            }
            Err(error) => {
                say::to_person(&report::mistakes(path, text, &error));
                say::error(format_args!("{}; the patch from before runs on", report::summary(path, &error)));
            }
        }
        Ok(())
    }

    /// Leaves all segments.
    fn leave(&mut self, args: &RunArgs, result: &anyhow::Result<Exit>, stop: &Stop) {
        let sends = |op: &Op| op.spec().is_ok_and(|spec| spec.policy == CookPolicy::EveryFrame);
        if args.frames.is_some() && self.frames > 0 && result.is_ok() && self.ops.iter().any(sends) {
            stop.wait_until(Instant::now(), LAST_FRAME_STAYS);
        }
        self.tell_of_dropped(true);
        for op in self.net.root().children().unwrap_or_default() {
            // What is gone already has left.
            let _ = op.destroy();
        }
        say::line(format_args!("ran {} and left", say::count(self.frames, "frame")));
    }
}
