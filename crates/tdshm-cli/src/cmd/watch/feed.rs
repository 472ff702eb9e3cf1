//! What is received, and how it is shown: channels, or images.

use std::io;
use std::time::Duration;

use tdshm::{Attached, BlockKind, ChopReceiver, Error, SegmentReceiver, TopReceiver};

use crate::args::{Format, WatchArgs};
use crate::cmd::LOCK_LIMIT;
use crate::cmd::watch::scope::Scope;
use crate::output::csv::CsvView;
use crate::output::image::{ImageArrival, ImageView};
use crate::output::json::JsonView;
use crate::output::table::TableView;
use crate::output::{Arrival, View};
use crate::say;

/// A receiver and its view. Frames are counted by whoever has it.
pub(super) trait Feed {
    fn kind(&self) -> BlockKind;

    fn name(&self) -> &str;

    fn attached(&self) -> Attached;

    /// Waits up to `limit` for a frame; whether one came.
    fn next(&mut self, limit: Duration) -> Result<bool, Error>;

    /// Follows the names of the channels; what there is to say about that.
    fn follow_names(&mut self) -> Vec<String> {
        Vec::new()
    }

    /// How many frames were missed before the last one.
    fn missed(&self) -> Option<u64>;

    /// Whether a process died with the lock before the last one.
    fn is_abandoned(&self) -> bool;

    fn show(&mut self, count: u64) -> io::Result<()>;

    fn idle(&mut self, count: u64) -> io::Result<()>;

    fn settle(&mut self, count: u64) -> io::Result<()>;
}

fn segment(args: &WatchArgs) -> Result<SegmentReceiver, Error> {
    SegmentReceiver::builder(args.name.as_str()).lock_limit(LOCK_LIMIT).open()
}

pub(super) struct Channels {
    receiver: ChopReceiver,
    view: Box<dyn View>,
    scope: Option<Scope>,
}

impl Channels {
    pub(super) fn open(args: &WatchArgs) -> Result<Self, Error> {
        Ok(Self {
            receiver: ChopReceiver::over(segment(args)?),
            view: match args.format {
                Format::Table => Box::new(TableView::new(args.name.clone())),
                Format::Csv => Box::new(CsvView::default()),
                Format::Json => Box::new(JsonView::default()),
            },
            scope: args.scope.clone().map(Scope::new),
        })
    }
}

/// The last frame that arrived.
fn last<'f>(receiver: &'f ChopReceiver, scope: Option<&'f Scope>, count: u64) -> Option<Arrival<'f>> {
    receiver.frame().map(|frame| Arrival { count, frame, scope: scope.map(Scope::picked) })
}

impl Feed for Channels {
    fn kind(&self) -> BlockKind {
        BlockKind::Chop
    }

    fn name(&self) -> &str {
        self.receiver.name().as_str()
    }

    fn attached(&self) -> Attached {
        self.receiver.attached()
    }

    fn next(&mut self, limit: Duration) -> Result<bool, Error> {
        Ok(self.receiver.next_timeout(limit)?.is_some())
    }

    /// Applies the scope again where the names are other ones.
    fn follow_names(&mut self) -> Vec<String> {
        match (&mut self.scope, self.receiver.frame()) {
            (Some(scope), Some(frame)) => scope.follow(self.receiver.name().as_str(), frame.names()),
            _ => Vec::new(),
        }
    }

    fn missed(&self) -> Option<u64> {
        self.receiver.frame()?.missed()
    }

    fn is_abandoned(&self) -> bool {
        self.receiver.frame().is_some_and(|frame| frame.is_abandoned())
    }

    fn show(&mut self, count: u64) -> io::Result<()> {
        let Some(last) = last(&self.receiver, self.scope.as_ref(), count) else { return Ok(()) };
        self.view.show(last)
    }

    fn idle(&mut self, count: u64) -> io::Result<()> {
        let Some(last) = last(&self.receiver, self.scope.as_ref(), count) else { return Ok(()) };
        self.view.idle(last)
    }

    fn settle(&mut self, count: u64) -> io::Result<()> {
        self.view.settle(last(&self.receiver, self.scope.as_ref(), count))
    }
}

pub(super) struct Images {
    receiver: TopReceiver,
    view: ImageView,
}

impl Images {
    pub(super) fn open(args: &WatchArgs) -> Result<Self, Error> {
        if args.scope.is_some() {
            say::line(format_args!(
                "--scope is for channels: all of the images of {:?} are shown",
                args.name.as_str()
            ));
        }
        let view = ImageView::new(args.name.clone(), args.format);
        Ok(Self { receiver: TopReceiver::over(segment(args)?), view })
    }
}

impl Feed for Images {
    fn kind(&self) -> BlockKind {
        BlockKind::Top
    }

    fn name(&self) -> &str {
        self.receiver.name().as_str()
    }

    fn attached(&self) -> Attached {
        self.receiver.attached()
    }

    fn next(&mut self, limit: Duration) -> Result<bool, Error> {
        Ok(self.receiver.next_timeout(limit)?.is_some())
    }

    fn missed(&self) -> Option<u64> {
        self.receiver.frame()?.missed()
    }

    fn is_abandoned(&self) -> bool {
        self.receiver.frame().is_some_and(|frame| frame.is_abandoned())
    }

    fn show(&mut self, count: u64) -> io::Result<()> {
        let Some(frame) = self.receiver.frame() else { return Ok(()) };
        self.view.show(ImageArrival { count, frame })
    }

    fn idle(&mut self, count: u64) -> io::Result<()> {
        let Some(frame) = self.receiver.frame() else { return Ok(()) };
        self.view.idle(ImageArrival { count, frame })
    }

    fn settle(&mut self, count: u64) -> io::Result<()> {
        self.view.settle(self.receiver.frame().map(|frame| ImageArrival { count, frame }))
    }
}
