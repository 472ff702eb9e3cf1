//! What becomes of the last frame where the next one cannot be had.
#![allow(clippy::arithmetic_side_effects, reason = "a test that overflows has failed")]

use core::cell::Cell;
use core::convert::Infallible;

use crate::error::BlockError;
use crate::intake::Intake;
use crate::intake::block::{Block, Examined, Receipt};
use crate::mem::Region;
use crate::segment::receiver::SegmentReceiver;
use crate::segment::sender::SegmentSender;

/// A block of as many bytes as its first one says, which has to be looked at each time, so that the lock is taken.
#[derive(Debug, Default)]
struct Counted {
    len: usize,
    /// How often somebody asked for its place since it was looked at.
    asked: Cell<u32>,
    /// The next look after room was made for it finds something broken.
    breaks: bool,
}

#[derive(Debug, Default)]
struct Frame {
    len: usize,
    data: Vec<u8>,
    receipt: Receipt,
}

impl Block for Counted {
    type Item = u8;
    type Frame = Frame;
    type Change = Infallible;

    fn is_at(&mut self, _region: Region<'_>) -> bool {
        false
    }

    fn examine(&mut self, region: Region<'_>) -> Result<Examined<Infallible>, BlockError> {
        // Whether there is room was asked, and then room was made.
        if self.breaks && self.asked.replace(0) == 2 {
            return Err(self.unsettled());
        }
        self.len = region.read::<u8>(0).unwrap().into();
        Ok(Examined::Ready)
    }

    fn rebuild(&mut self, change: Infallible) -> Result<(), BlockError> {
        match change {}
    }

    fn unsettled(&self) -> BlockError {
        BlockError::int("length", 0, "is not", 1, "mend it")
    }

    fn place(&self) -> (usize, usize) {
        self.asked.set(self.asked.get() + 1);
        (0, self.len)
    }

    fn describe(&self, frame: &mut Frame) {
        frame.len = self.len;
    }

    fn data(frame: &Frame) -> &[u8] {
        &frame.data
    }

    fn parts(frame: &mut Frame) -> (&mut Vec<u8>, &mut Receipt) {
        (&mut frame.data, &mut frame.receipt)
    }
}

#[test]
fn a_larger_block_that_turns_out_to_be_broken_leaves_the_last_frame_as_it_was() {
    let name = format!("intake{}", std::process::id());
    let mut out = SegmentSender::create(&name, 4096).unwrap();
    let mut input = Intake::<Counted>::over(SegmentReceiver::open(&name).unwrap(), Frame::default());
    let mut send = |len: u8| {
        out.lock().unwrap().view().copy_from(&vec![len; len.into()]);
    };
    for _ in 0..3 {
        input.block.breaks = false;
        send(10);
        input.read().unwrap().unwrap();
        for len in [200, 5] {
            input.block.breaks = true;
            send(len);
            let larger = len > 10;
            assert_eq!(input.read().is_err(), larger);
            let frame = input.frame().unwrap();
            let whole = if larger { 10 } else { len };
            assert_eq!((frame.len, &frame.data), (whole.into(), &vec![whole; whole.into()]));
        }
        // What room was made for is not needed again.
        (input.next, input.frame.data) = (Vec::new(), input.frame.data.clone());
    }
    drop(input);
    out.detach().unwrap();
    crate::clean(&[&name], crate::DryRun::No).unwrap();
}
