//! Global segments that can be checked: every entry says which frame it belongs to. And what a peer does with them.

use std::str::SplitWhitespace;
use std::time::Duration;

use tdshm::{ChopFrame, Error, GlobalKind, GlobalReceiver, GlobalSender, Pixels, RowOrder, SegmentReceiver};

use crate::acts::Dice;
use crate::frames;
use crate::images::Image;

/// Far longer than the watchdog's.
const EVER: Duration = Duration::from_secs(600);

/// What a frame is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// `a` and `b`, a channel `f` each, which holds the frame's number.
    Steady,
    /// Channels and images whose sizes change all the time, with entries that come and go.
    Sizes,
}

impl Load {
    fn of(word: &str) -> Self {
        match word {
            "steady" => Self::Steady,
            "sizes" => Self::Sizes,
            other => panic!("LOAD is {other:?}"),
        }
    }

    /// How many channels and samples an entry of that frame has; `None`: it is not there.
    fn shape(self, name: &str, frame: u32) -> Option<(usize, usize)> {
        let mut dice = Dice::new(u64::from(frame) * 2 + u64::from(name == "b"));
        match self {
            Self::Steady => Some((1, 1)),
            Self::Sizes if name == "b" && frame % 7 == 3 => None,
            Self::Sizes => {
                let most = if dice.below(20) == 0 { 20_000 } else { 200 };
                Some((1 + dice.below(4) as usize, 1 + dice.below(most) as usize))
            }
        }
    }

    /// Whether that frame has an image, which is then the one of the frame's number.
    fn has_image(self, frame: u32) -> bool {
        self == Self::Sizes && frame % 5 != 4
    }
}

/// Puts and publishes the frame with that number; `between` runs between its parts.
///
/// # Errors
///
/// As [`GlobalSender::publish`].
pub fn publish(
    out: &mut GlobalSender,
    load: Load,
    frame: u32,
    mut between: impl FnMut(),
) -> Result<bool, Error> {
    for name in ["a", "b"] {
        match load.shape(name, frame) {
            None => drop(out.remove(GlobalKind::Channels, name)),
            Some((count, length)) if frame.is_multiple_of(2) => {
                let (names, rows) = (frames::names(frame, count), frames::rows(frame, count, length));
                out.put_channels(name, &ChopFrame::from_rows(names, 60.0, &rows)?)?;
            }
            Some((count, length)) => {
                let names = frames::names(frame, count);
                out.put_channels_with(name, &names, 60.0, length, |block| {
                    block.samples().copy_from(&frames::flat(frame, count, length));
                })?;
            }
        }
        between();
    }
    if load.has_image(frame) {
        let Image { format, width, height, .. } = Image::of(frame);
        let bytes = Image::of(frame).bytes(RowOrder::TopFirst);
        if frame.is_multiple_of(2) {
            out.put_image("cam", &Pixels::top_first(format, width, height, &bytes))?;
        } else {
            out.put_image_with("cam", format, width, height, |block| {
                for index in 0..height {
                    let mut row = block.row(index, RowOrder::TopFirst).expect("a row");
                    row.copy_from(&Image::of(frame).row(index));
                }
            })?;
        }
        between();
    } else {
        out.remove(GlobalKind::Image, "cam");
    }
    Ok(out.publish(frame.into())?.abandoned)
}

/// Checks that all of a copy is of the frame that it says it is; `between` runs between its parts.
///
/// # Errors
///
/// As [`GlobalReceiver::channels`].
pub fn check(input: &mut GlobalReceiver, load: Load, mut between: impl FnMut()) -> Result<u32, Error> {
    let frame = u32::try_from(input.frame().expect("a copy").frame()).expect("a small number");
    for name in ["a", "b"] {
        let expected = load.shape(name, frame);
        between();
        let found = input.channels(name)?;
        assert_eq!(
            found.map(|found| (found.num_channels(), found.len_samples())),
            expected,
            "{name} of {frame}"
        );
        if let (Some(found), Some((count, length))) = (found, expected) {
            assert_eq!(frames::seed_of(found.samples(), count, length), Some(frame), "{name} of {frame}");
            assert_eq!(found.names(), frames::names(frame, count), "{name} of {frame}");
        }
    }
    between();
    let image = input.image("cam")?;
    assert_eq!(image.is_some(), load.has_image(frame), "the image of {frame}");
    if let Some(image) = image {
        assert_eq!(Image::seen(image), Some(Image::of(frame)), "the image of {frame}");
    }
    Ok(frame)
}

/// A pause of random length, in which others run.
fn pause(dice: &mut Dice) {
    for _ in 0..dice.below(30) {
        std::thread::yield_now();
    }
}

/// What a peer has open.
#[derive(Debug, Default)]
pub struct Globals {
    sender: Option<GlobalSender>,
    receiver: Option<GlobalReceiver>,
}

impl Globals {
    /// Obeys; `None`: there is no such command.
    ///
    /// | command | what it does | answer |
    /// | --- | --- | --- |
    /// | `global-sender NAME` | creates a sender | `ok` |
    /// | `global-publish LOAD FRAME` | publishes the frame with that number; LOAD `steady` or `sizes` | `ok clean` or `ok abandoned` |
    /// | `global-flat-out LOAD FROM TO SEED` | publishes these, with random pauses | `ok` |
    /// | `global-detach` | the sender leaves | `ok` |
    /// | `global-receiver NAME`, `global-observer NAME` | opens one | `ok` |
    /// | `global-read LOAD` | reads, and checks | `ok FRAME` or `ok none ATTACHED` |
    /// | `global-last LOAD` | checks the last copy again | `ok FRAME` |
    /// | `global-follow LOAD LAST SEED` | reads with random pauses until the frame with that number, and checks each | `ok RECEIVED MISSED` |
    pub fn obey(&mut self, command: &str, words: &mut SplitWhitespace<'_>) -> Option<Result<String, Error>> {
        if command.starts_with("global-") { Some(self.act(command, words)) } else { None }
    }

    fn act(&mut self, command: &str, words: &mut SplitWhitespace<'_>) -> Result<String, Error> {
        let mut word = || words.next().expect("all words of the command");
        let number = |word: &str| word.parse::<u32>().expect("a number");
        let sender = self.sender.as_mut();
        let receiver = self.receiver.as_mut();
        Ok(match command {
            "global-sender" => {
                self.sender = Some(GlobalSender::builder().name(word()).create()?);
                String::new()
            }
            "global-publish" => {
                let load = Load::of(word());
                let abandoned = publish(sender.expect("a sender"), load, number(word()), || {})?;
                if abandoned { "abandoned" } else { "clean" }.to_owned()
            }
            "global-flat-out" => {
                let (sender, load) = (sender.expect("a sender"), Load::of(word()));
                let (from, to) = (number(word()), number(word()));
                let mut dice = Dice::new(number(word()).into());
                for frame in from..=to {
                    publish(sender, load, frame, || pause(&mut dice))?;
                }
                String::new()
            }
            "global-detach" => {
                self.sender.take().expect("a sender").detach()?;
                String::new()
            }
            "global-receiver" | "global-observer" => {
                let segment =
                    SegmentReceiver::builder(word()).observe(command == "global-observer").open()?;
                self.receiver = Some(GlobalReceiver::over(segment));
                String::new()
            }
            "global-read" => {
                let receiver = receiver.expect("a receiver");
                match receiver.read()?.is_some() {
                    true => check(receiver, Load::of(word()), || {})?.to_string(),
                    false => format!("none {:?}", receiver.attached()),
                }
            }
            "global-last" => check(receiver.expect("a receiver"), Load::of(word()), || {})?.to_string(),
            "global-follow" => {
                let receiver = receiver.expect("a receiver");
                let (load, last) = (Load::of(word()), number(word()));
                let mut dice = Dice::new(number(word()).into());
                let (mut seen, mut received, mut missed) = (0, 0_u64, 0);
                while seen != last {
                    let copied = match dice.below(3) {
                        0 => receiver.read()?,
                        1 => receiver.try_next()?,
                        _ => receiver.next_timeout(EVER)?,
                    };
                    let Some(copied) = copied else {
                        pause(&mut dice);
                        continue;
                    };
                    let is_new = copied.frame() != u64::from(seen);
                    missed += if is_new { copied.missed().expect("ours counts") } else { 0 };
                    received += u64::from(is_new);
                    let frame = check(receiver, load, || pause(&mut dice))?;
                    assert!(frame >= seen, "{frame} after {seen}");
                    seen = frame;
                }
                format!("{received} {missed}")
            }
            other => panic!("{other:?} is no command"),
        })
    }
}
