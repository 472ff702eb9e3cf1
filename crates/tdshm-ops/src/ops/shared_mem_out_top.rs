//! Shared Mem Out TOP: its input, written for other programs (operators §1.5, §9.2, §9.3).

use std::mem;
use std::sync::Arc;

use tdshm::{Error, PixelFormat, Pixels, SegmentStats, Sent, TopSender};

use crate::cook::Cook;
use crate::image::{DownloadType, Image, OUTPUT_COLOR_SPACES, REFERENCE_WHITES};
use crate::op::{CookPolicy, Family, OpSpec, Operator};
use crate::ops::shared_mem::{self, Counts, IntoGlobal, Kind, Side, Wanted};
use crate::par::ParSpec;

const PAGE: &str = "SharedMemOut";

pub(super) fn spec() -> OpSpec {
    let own = [
        shared_mem::active(
            "Switches writing on. Off: an image that is pending is written, the segment is left, and the input still passes \
             through.",
        ),
        shared_mem::name("TOPShm"),
        shared_mem::mem_type(),
        ParSpec::menu("downloadtype", "Download Type", DownloadType::MENU)
            .default_to(DownloadType::default().menu_name())
            .help(
                "Immediate: the image of this cook is written in it. Next frame: it is written at the next cook, and the \
                 first cook writes nothing; there is no GPU to wait for here, and the delay is kept so that a patch \
                 behaves the same.",
            ),
        ParSpec::menu("outputcolorspace", "Output Color Space", OUTPUT_COLOR_SPACES).help(
            "What the colours in the block are to mean. Colours are not managed here: every entry is as passthrough, and \
             nothing is converted.",
        ),
        ParSpec::menu("outputreferencewhite", "Output Reference White", REFERENCE_WHITES)
            .help("The white of the colours in the block. Kept, and without effect: colours are not managed here."),
    ];
    OpSpec::new(
        "sharedmemoutTOP",
        Family::Top,
        "Shared Mem Out",
        "Writes its input into shared memory every frame, for other programs, and passes it on, both as the Common page makes \
         it: RGBA of 8 bits, unless Pixel Format says something else.",
        || Box::new(SharedMemOut::default()),
    )
    .inputs(1, 1)
    .policy(CookPolicy::EveryFrame)
    .pars(own.map(|par| par.page(PAGE)).into())
    .common_page()
    .with_default("outputaspect", "resolution")
}

#[derive(Default)]
struct SharedMemOut {
    wanted: Wanted,
    sender: Option<TopSender>,
    global: Option<IntoGlobal>,
    /// What is written at the next cook.
    pending: Option<Arc<Image>>,
    counts: Counts,
}

impl Operator for SharedMemOut {
    fn cook(&mut self, cook: &mut Cook) {
        if cook.image(0).is_some() {
            cook.pass(0);
        } else {
            cook.pass_nothing();
        }
        if !cook.par_is_on("active") {
            return self.part(cook);
        }
        if !cook.is_wired(0) {
            cook.warn(shared_mem::NOT_ENOUGH_INPUTS);
        }
        let image = cook.finished_image();
        let wanted = Wanted::of(cook);
        if wanted != self.wanted {
            self.part(cook);
            self.wanted = wanted;
        }
        if self.wanted.name.is_empty() {
            return cook.error(shared_mem::NAME_IS_EMPTY);
        }
        let is_late = cook.par_text("downloadtype").parse() == Ok(DownloadType::NextFrame);
        let before = mem::replace(&mut self.pending, image.clone().filter(|_| is_late));
        let due = if is_late { before } else { image.clone() };
        // There is a segment as soon as there is an image, also where that is written later.
        let opened = image.as_ref().map_or(Ok(()), |image| self.open(cook, image));
        match (opened, due) {
            (Ok(()), Some(due)) => self.write(cook, &due),
            (Ok(()), None) => {}
            (Err(error), _) => self.tell(cook, &Err(error)),
        }
    }

    fn shm_info(&self, add: &mut dyn FnMut(&'static str, f64)) {
        let (connected, stats) = match (&self.sender, &self.global) {
            (Some(sender), _) => (true, sender.stats()),
            (None, Some(global)) => (global.has_place(), global.stats),
            (None, None) => (false, SegmentStats::default()),
        };
        self.counts.add(connected, None, stats, add);
    }
}

impl SharedMemOut {
    /// Creates the segment where there is none yet, with room for images of this size.
    fn open(&mut self, cook: &Cook, image: &Image) -> Result<(), Error> {
        let limit = Side::Out.lock_limit(cook);
        if let Some(sender) = &mut self.sender {
            sender.set_lock_limit(limit);
        } else if !self.wanted.is_global {
            let (width, height) = image.size();
            let builder = TopSender::builder(&self.wanted.name).lock_limit(limit);
            let builder = builder.room_for(format_of(image), width, height);
            self.sender = Some(self.counts.waiting(|| builder.create())?);
        }
        Ok(())
    }

    fn write(&mut self, cook: &mut Cook, image: &Image) {
        let Self { wanted: Wanted { name, is_global }, sender, global, counts, .. } = self;
        let (width, height) = image.size();
        let (x, y) = image.aspect();
        let pixels = Pixels::bottom_first(format_of(image), width, height, image.pixels()).aspect(x, y);
        let result = match sender {
            Some(sender) => counts.waiting(|| sender.send(&pixels)).map(Some),
            None if *is_global => {
                let global = global.get_or_insert_default();
                let put =
                    global.put(cook, Kind::Image, name, counts, |sender| sender.put_image(name, &pixels));
                put.map(|()| None)
            }
            // It could not be created, and that was said.
            None => return,
        };
        self.tell(cook, &result);
    }

    fn tell(&mut self, cook: &mut Cook, result: &Result<Option<Sent>, Error>) {
        let is_open = self.sender.is_some();
        shared_mem::tell_sent(cook, Kind::Image, &self.wanted.name, &mut self.counts, is_open, result);
    }

    /// Leaves the segment, where one is open, with what is pending as its last image. In Global memory that would go with
    /// its entry before anybody could see it.
    fn part(&mut self, cook: &mut Cook) {
        if let Some(pending) = self.pending.take()
            && let Some(sender) = &mut self.sender
        {
            sender.set_lock_limit(Side::Out.lock_limit(cook));
            self.write(cook, &pending);
        }
        self.wanted = Wanted::default();
        if let Some(global) = self.global.take() {
            self.counts.part(global.stats);
        }
        let Some(mut sender) = self.sender.take() else { return };
        self.counts.part(sender.stats());
        sender.set_lock_limit(Side::Out.lock_limit(cook));
        // It has left also where somebody held the info lock: receivers see it by the owner.
        let _ = self.counts.waiting(|| sender.detach());
    }
}

/// What the Common page made has a format of today.
fn format_of(image: &Image) -> PixelFormat {
    image.format().unwrap_or(PixelFormat::R8G8B8A8_UNORM)
}
