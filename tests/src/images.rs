//! Images that can be checked: every byte follows from the image's number, its size and its place, so one that is whole
//! can be told from one that was put together from two. And what a peer does with them.

use std::str::SplitWhitespace;
use std::time::Duration;

use tdshm::{
    Error, HeaderVersion, NamedLock, PixelFormat, Pixels, PixelsMut, RowOrder, SegmentReceiver, TopFrame,
    TopReceiver, TopSender, TopShape, TopView,
};

use tdshm_ops::Network;

use crate::acts::Dice;
use crate::foreign::Names;
use crate::foreign_top::ForeignTop;
use crate::reel::Reel;

/// Far longer than the watchdog's.
const EVER: Duration = Duration::from_secs(600);

/// One image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Image {
    /// Its number. The top row begins with it, where it has four bytes.
    pub number: u32,
    /// What its pixels are.
    pub format: PixelFormat,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Image {
    /// The image with that number among those of any size and format that every header can say.
    #[must_use]
    pub fn of(number: u32) -> Self {
        let mut dice = Dice::new(u64::from(number) + 1);
        let _ = dice.below(2);
        let format = loop {
            let format = PixelFormat::ALL[dice.below(25) as usize];
            if !matches!(format.number(), 64 | 122) {
                break format;
            }
        };
        let most = if dice.below(12) == 0 { 200 } else { 40 };
        Self { number, format, width: 4 + dice.below(most) as usize, height: 1 + dice.below(most) as usize }
    }

    /// Bytes of a row.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        self.width * self.format.bytes_per_pixel().expect("a known format")
    }

    /// One row, counted from the top.
    #[must_use]
    pub fn row(&self, index: usize) -> Vec<u8> {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for part in [
            self.number.into(),
            self.width as u64,
            self.height as u64,
            self.format.number().into(),
            index as u64,
        ] {
            hash = (hash ^ part).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23);
        }
        let mut row = Vec::with_capacity(self.row_bytes() + 8);
        while row.len() < self.row_bytes() {
            hash = (hash ^ (hash >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            row.extend(hash.to_le_bytes());
        }
        row.truncate(self.row_bytes());
        if index == 0 && row.len() >= 4 {
            row[..4].copy_from_slice(&self.number.to_le_bytes());
        }
        row
    }

    /// All rows, without gaps.
    #[must_use]
    pub fn bytes(&self, order: RowOrder) -> Vec<u8> {
        self.strided(order, self.row_bytes())
    }

    /// All rows, the last one without a gap behind it.
    #[must_use]
    pub fn strided(&self, order: RowOrder, stride: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for index in 0..self.height {
            bytes.resize(index * stride, 0xee);
            bytes.extend(self.row(if order == RowOrder::TopFirst { index } else { self.height - 1 - index }));
        }
        bytes
    }

    /// Whether a shape is this one's.
    #[must_use]
    pub fn has(&self, shape: &TopShape) -> bool {
        (shape.width, shape.height, shape.texels.format()) == (self.width, self.height, Some(self.format))
            && shape.data_bytes == self.row_bytes() * self.height
    }

    /// Whether rows are this one's, the top one first.
    pub fn is<'r>(&self, rows: impl ExactSizeIterator<Item = &'r [u8]>) -> bool {
        rows.len() == self.height && rows.enumerate().all(|(index, row)| row == self.row(index))
    }

    /// Sends it, in a way that follows from its number.
    ///
    /// # Errors
    ///
    /// As [`TopSender::send`].
    pub fn send(&self, out: &mut TopSender) -> Result<bool, Error> {
        let &Self { format, width, height, .. } = self;
        let stride = self.row_bytes() + self.number as usize % 7;
        let sent = match self.number % 6 {
            0 => out.send(&Pixels::top_first(format, width, height, &self.bytes(RowOrder::TopFirst))),
            1 => out.send(&Pixels::bottom_first(format, width, height, &self.bytes(RowOrder::BottomFirst))),
            2 => {
                let bytes = self.strided(RowOrder::TopFirst, stride);
                out.send(&Pixels::top_first(format, width, height, &bytes).stride(stride))
            }
            3 => {
                let bytes = self.strided(RowOrder::BottomFirst, stride);
                out.send(&Pixels::bottom_first(format, width, height, &bytes).stride(stride))
            }
            4 => return self.draft(out),
            _ => out.send_with(format, width, height, |block| {
                for index in 0..height {
                    let mut row = block.row(index, RowOrder::TopFirst).expect("a row");
                    assert_eq!(row.copy_from(&self.row(index)), self.row_bytes());
                }
                assert!(block.row(height, RowOrder::TopFirst).is_none());
            }),
        };
        Ok(sent?.abandoned)
    }

    /// Draws and commits it.
    ///
    /// # Errors
    ///
    /// As [`TopSender::draft`] and [`TopSender::commit`].
    pub fn draft(&self, out: &mut TopSender) -> Result<bool, Error> {
        let mut draft = out.draft(self.format, self.width, self.height)?;
        assert!(self.has(&draft.shape()) && draft.stride_bytes() == self.row_bytes());
        for index in 0..self.height {
            let mut row = draft.row(index, RowOrder::TopFirst).expect("a row");
            assert_eq!(row.copy_from(&self.row(index)), self.row_bytes());
        }
        Ok(out.commit(&draft)?.abandoned)
    }

    /// What a frame is: which image, whole. `None`: torn.
    #[must_use]
    pub fn seen(frame: &TopFrame) -> Option<Self> {
        let first = frame.rows(RowOrder::TopFirst).next()?.first_chunk::<4>()?;
        let shape = frame.shape();
        let number = u32::from_le_bytes(*first);
        let image = Self { number, format: shape.texels.format()?, width: shape.width, height: shape.height };
        image.is(frame.rows(RowOrder::TopFirst)).then_some(image)
    }

    /// What a view is: which image, whole.
    ///
    /// # Panics
    ///
    /// Where it is torn: nobody writes while it is there.
    #[must_use]
    pub fn viewed(view: &TopView<'_>) -> Self {
        let mut first = [0; 4];
        view.row(0, RowOrder::TopFirst).expect("a row").copy_to(&mut first);
        let image = Self::of(u32::from_le_bytes(first));
        assert!(image.has(&view.shape()), "{:?}", view.shape());
        for index in 0..image.height {
            let mut row = vec![0; image.row_bytes()];
            view.row(index, RowOrder::TopFirst).expect("a row").copy_to(&mut row);
            assert_eq!(row, image.row(index), "torn under the lock");
        }
        image
    }
}

/// What a peer has open.
#[derive(Debug, Default)]
pub struct Images {
    sender: Option<TopSender>,
    receiver: Option<TopReceiver>,
    echo: Option<Network>,
    reel: Option<Reel>,
}

fn seen(frame: &TopFrame) -> String {
    let number = Image::seen(frame).map_or("torn".to_owned(), |image| image.number.to_string());
    let how = if frame.is_abandoned() { "abandoned" } else { "clean" };
    format!("image {number} {}x{} {how}", frame.width(), frame.height())
}

impl Images {
    fn receiver(&mut self) -> &mut TopReceiver {
        self.receiver.as_mut().expect("a receiver")
    }

    fn reel(&self) -> &Reel {
        self.reel.as_ref().expect("a reel")
    }

    fn sender(&mut self) -> &mut TopSender {
        self.sender.as_mut().expect("a sender")
    }

    /// Obeys; `None`: there is no such command. `hold` answers, and obeys other commands until it is told to let go.
    ///
    /// | command | what it does | answer |
    /// | --- | --- | --- |
    /// | `top-sender NAME SLOTS VERSION [MS]` | creates a sender: SLOTS `auto` or how many, VERSION `legacy`, `1`, `2`; limit for locks | `ok` |
    /// | `top-send NUMBER` | sends the image with that number | `ok clean` or `ok abandoned` |
    /// | `top-draft NUMBER` | the same, drawn and committed | the same |
    /// | `top-hold-draft NUMBER` | draws half of it, then holds, until `let-go` | `ok half`, then as `top-draft` |
    /// | `top-hold-send NUMBER` | fills half of it, then holds, until `let-go` | `ok half` |
    /// | `top-flat-out N [FIRST]` | sends N images, of the numbers that they are counted by, or from FIRST on | `ok` |
    /// | `top-reel WIDTH HEIGHT` | makes a [`Reel`] | `ok` |
    /// | `top-reel-send N` | sends its next N images | `ok` |
    /// | `top-reel-follow N` | receives N of them, and checks every byte | `ok MISSED` |
    /// | `top-fork NUMBER` | Linux: forks while it fills the image; the child tries to send another one | `ok` and the code of the child's error |
    /// | `top-detach` | the sender leaves | `ok` |
    /// | `top-receiver NAME`, `top-observer NAME` | opens one | `ok` |
    /// | `top-read`, `top-try-next`, `top-next MS` | reads | `ok image NUMBER WxH HOW` or `ok none ATTACHED` |
    /// | `top-view` | reads under the lock | `ok image NUMBER` or `ok none ATTACHED` |
    /// | `top-hold-view` | reads, and holds the lock, until `let-go` | `ok image` or `ok none ATTACHED` |
    /// | `top-follow LAST` | receives until the image with number LAST of a `top-flat-out`, in all ways | `ok RECEIVED MISSED` |
    /// | `top-echo FROM TO` | a network hands on what it receives: see [`nets_top`](crate::nets_top) | `ok` |
    /// | `top-echo-step` | lets a frame of it pass | `ok` |
    /// | `top-follow-any LAST` | receives, from senders that come and go, until the image with number LAST | `ok RECEIVED` |
    /// | `top-follow-foreign NAME LAST` | the same by hand, under the data lock | `ok RECEIVED` |
    pub fn obey(
        &mut self,
        command: &str,
        words: &mut SplitWhitespace<'_>,
        hold: impl FnMut(&str),
    ) -> Option<Result<String, Error>> {
        if command.starts_with("top-") { Some(self.act(command, words, hold)) } else { None }
    }

    fn act(
        &mut self,
        command: &str,
        words: &mut SplitWhitespace<'_>,
        mut hold: impl FnMut(&str),
    ) -> Result<String, Error> {
        let mut word = || words.next().expect("all words of the command");
        let how = |abandoned: bool| if abandoned { "abandoned" } else { "clean" }.to_owned();
        Ok(match command {
            "top-sender" => {
                let builder = TopSender::builder(word());
                let builder = match word() {
                    "auto" => builder,
                    slots => builder.slots(slots.parse().expect("SLOTS")),
                };
                let builder = builder.header(match word() {
                    "legacy" => HeaderVersion::Legacy,
                    "1" => HeaderVersion::V1,
                    "2" => HeaderVersion::V2,
                    other => panic!("VERSION is {other:?}"),
                });
                let builder = match words.next() {
                    Some(ms) => builder.lock_limit(Duration::from_millis(ms.parse().expect("MS"))),
                    None => builder,
                };
                self.sender = Some(builder.create()?);
                String::new()
            }
            "top-send" => how(Image::of(word().parse().expect("NUMBER")).send(self.sender())?),
            "top-draft" => how(Image::of(word().parse().expect("NUMBER")).draft(self.sender())?),
            "top-hold-draft" => {
                let image = Image::of(word().parse().expect("NUMBER"));
                let bytes = image.bytes(RowOrder::BottomFirst);
                let (half, _) = bytes.split_at(bytes.len() / 2);
                let mut draft = self.sender().draft(image.format, image.width, image.height)?;
                draft.pixels().copy_from(half);
                hold("half");
                draft.pixels().copy_from(&bytes);
                how(self.sender().commit(&draft)?.abandoned)
            }
            "top-hold-send" => {
                let image = Image::of(word().parse().expect("NUMBER"));
                let bytes = image.bytes(RowOrder::BottomFirst);
                let (half, _) = bytes.split_at(bytes.len() / 2);
                let sent = self.sender().send_with(image.format, image.width, image.height, |block| {
                    block.pixels().copy_from(half);
                    hold("half");
                    block.pixels().copy_from(&bytes);
                })?;
                how(sent.abandoned)
            }
            "top-flat-out" => {
                let count = word().parse::<u32>().expect("N");
                let counted = u32::try_from(self.sender().frames() + 1).expect("few");
                let first = words.next().map_or(counted, |first| first.parse().expect("FIRST"));
                for number in first..first + count {
                    Image::of(number).send(self.sender())?;
                }
                String::new()
            }
            "top-reel" => {
                let mut side = || word().parse().expect("a side");
                self.reel = Some(Reel::new(side(), side()));
                String::new()
            }
            "top-reel-send" => {
                let mut sender = self.sender.take().expect("a sender");
                let sent = self.reel().send(&mut sender, word().parse().expect("N"));
                self.sender = Some(sender);
                sent?;
                String::new()
            }
            "top-reel-follow" => {
                let mut missed = 0;
                let mut receiver = self.receiver.take().expect("a receiver");
                for _ in 0..word().parse::<u64>().expect("N") {
                    let frame = receiver.next_timeout(EVER)?.expect("images come");
                    self.reel().check(frame);
                    missed += frame.missed().expect("counted");
                }
                self.receiver = Some(receiver);
                missed.to_string()
            }
            #[cfg(target_os = "linux")]
            "top-fork" => fork_while_filling(self.sender(), word().parse().expect("NUMBER"))?.to_string(),
            "top-detach" => {
                self.sender.take().expect("a sender").detach()?;
                String::new()
            }
            "top-receiver" => {
                self.receiver = Some(TopReceiver::open(word())?);
                String::new()
            }
            "top-observer" => {
                self.receiver =
                    Some(TopReceiver::over(SegmentReceiver::builder(word()).observe(true).open()?));
                String::new()
            }
            "top-read" => self.receiver().read()?.map(seen).unwrap_or_else(|| self.none()),
            "top-try-next" => self.receiver().try_next()?.map(seen).unwrap_or_else(|| self.none()),
            "top-next" => {
                let limit = Duration::from_millis(word().parse().expect("MS"));
                self.receiver().next_timeout(limit)?.map(seen).unwrap_or_else(|| self.none())
            }
            "top-view" => {
                let viewed = self.receiver().view()?.map(|view| Image::viewed(&view).number);
                viewed.map_or_else(|| self.none(), |number| format!("image {number}"))
            }
            "top-hold-view" => {
                let held = self.receiver().view()?.map(|_view| hold("image"));
                held.map_or_else(|| self.none(), |()| "free".to_owned())
            }
            "top-echo" => {
                self.echo = Some(crate::nets_top::echo(word(), word()));
                String::new()
            }
            "top-echo-step" => {
                self.echo.as_ref().expect("an echo").step().expect("no frame is under way");
                String::new()
            }
            "top-follow" => follow(self.receiver(), word().parse().expect("LAST"))?,
            "top-follow-any" => follow_any(self.receiver(), word().parse().expect("LAST"))?.to_string(),
            "top-follow-foreign" => follow_foreign(word(), word().parse().expect("LAST"))?.to_string(),
            other => panic!("no such command: {other}"),
        })
    }

    fn none(&self) -> String {
        format!("none {:?}", self.receiver.as_ref().expect("a receiver").attached())
    }
}

fn follow(input: &mut TopReceiver, last: u64) -> Result<String, Error> {
    let (mut received, mut missed, mut before) = (0_u64, 0_u64, 0);
    let mut buffer = Vec::new();
    while before != last {
        let frame = input.next_timeout(EVER)?.expect("images come until the last one");
        let (number, lost) = (frame.number().expect("counted"), frame.missed().expect("counted"));
        assert!(received == 0 || number == before + 1 + lost, "{number} after {before}, with {lost} missed");
        let image = Image::of(u32::try_from(number).expect("few"));
        assert_eq!(Image::seen(frame), Some(image), "torn, or another one's");
        assert!(image.has(&frame.shape()), "{:?}", frame.shape());
        (received, missed, before) = (received + 1, missed + lost, number);
        // The same or a later one, into a buffer that may be too small by then.
        buffer.resize(image.row_bytes() * image.height, 0);
        match (number % 4, input.read_into(PixelsMut::top_first(&mut buffer))) {
            (_, Ok(Some(shape))) => {
                let number = buffer.first_chunk().copied().map(u32::from_le_bytes).expect("four bytes");
                let image = Image::of(number);
                assert!(image.has(&shape), "{number}: {shape:?}");
                assert!(u64::from(number) >= before, "{number} after {before}");
                assert!(image.is(buffer.chunks(image.row_bytes()).take(image.height)), "torn");
            }
            (0, Err(Error::Block(error))) => assert_eq!(error.field, "bytes of the image"),
            (_, Err(Error::Block(_))) => {}
            (_, other) => panic!("{other:?}"),
        }
        if number % 3 == 0
            && let Some(view) = input.view()?
        {
            let _ = Image::viewed(&view);
        }
    }
    Ok(format!("{received} {missed}"))
}

/// Senders are replaced meanwhile: nobody counts through, but each image says which one it is.
fn follow_any(input: &mut TopReceiver, last: u32) -> Result<u32, Error> {
    let (mut received, mut before) = (0, 0);
    while before < last {
        let Some(frame) = input.next_timeout(EVER)? else { continue };
        let image = Image::seen(frame).unwrap_or_else(|| panic!("torn, after {before}: {:?}", frame.shape()));
        assert_eq!(image, Image::of(image.number), "put together from two");
        assert!(image.number > before, "{} after {before}", image.number);
        (received, before) = (received + 1, image.number);
    }
    Ok(received)
}

fn follow_foreign(name: &str, last: u32) -> Result<u32, Error> {
    let lock = NamedLock::open(&Names::of(name).data_lock)?;
    let mut input = loop {
        match ForeignTop::attach(name) {
            Some(input) => break input,
            None => std::thread::yield_now(),
        }
    };
    let (mut received, mut before) = (0, 0);
    while before < last {
        let held = lock.lock_timeout(EVER)?;
        let block = input.read();
        drop(held);
        std::thread::yield_now(); // a lock is not fair
        let Some(block) = block else { continue };
        let top = block.rows().next_back().expect("a row").first_chunk().copied().expect("four bytes");
        let image = Image::of(u32::from_le_bytes(top));
        assert_eq!((block.width, block.height), (image.width, image.height));
        assert!(image.number >= before, "{} after {before}", image.number);
        assert!(block.rows().rev().enumerate().all(|(index, row)| row == image.row(index)), "torn");
        received += u32::from(image.number > before);
        before = image.number;
    }
    Ok(received)
}

/// Forks while it fills an image. The child sends another one, and whatever it is told has no effect on this one.
#[cfg(target_os = "linux")]
fn fork_while_filling(out: &mut TopSender, number: u32) -> Result<i32, Error> {
    let image = Image::of(number);
    let bytes = image.bytes(RowOrder::BottomFirst);
    let (mut child, mut code) = (0, 0);
    let sent = out.send_with(image.format, image.width, image.height, |block| {
        block.pixels().copy_from(&bytes);
        // SAFETY: the child uses memory of its own, the segment and `_exit`; the other thread of this program waits for
        // its input, and holds nothing that the child needs.
        child = unsafe { libc::fork() };
        if child != 0 {
            let mut status = 0;
            // SAFETY: a child of this process, and a place for the status.
            unsafe { libc::waitpid(child, &raw mut status, 0) };
            code = libc::WEXITSTATUS(status);
        }
    });
    if child != 0 {
        sent?;
        return Ok(code);
    }
    let other = Image { number: number + 1, ..image };
    let tried = [sent.map(|_| false), other.send(out), other.send(out)];
    let codes = tried.map(|tried| tried.map_or_else(|error| error.code(), |_| 0));
    let code = if codes == [codes[0]; 3] { codes[0] } else { 255 };
    // SAFETY: ends the child at once, without touching what it has from its parent.
    unsafe { libc::_exit(code) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_differ_in_every_row_and_rows_can_be_told_apart() {
        let image = Image::of(7);
        assert_eq!(image, Image::of(7));
        let (one, two) =
            (image.bytes(RowOrder::TopFirst), Image { number: 8, ..image }.bytes(RowOrder::TopFirst));
        assert!(image.is(one.chunks(image.row_bytes())));
        assert!(!image.is(two.chunks(image.row_bytes())));
        for at in (1..one.len()).step_by(97) {
            let torn = [&one[..at], &two[at..]].concat();
            assert!(!image.is(torn.chunks(image.row_bytes())), "torn at {at}");
        }
        let turned = image.bytes(RowOrder::BottomFirst);
        assert!(image.is(turned.chunks(image.row_bytes()).rev()));
    }
}
