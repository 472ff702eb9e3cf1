//! The pixel formats: their numbers, their names, and what lies where in a pixel (wire §9.1).

use core::fmt;
use core::str::FromStr;

/// Vulkan's numbers, and above `0xF0000` TD's own.
pub(crate) mod number {
    pub(crate) const R8_UNORM: u32 = 9;
    pub(crate) const R8G8_UNORM: u32 = 16;
    pub(crate) const R8G8B8A8_UNORM: u32 = 37;
    pub(crate) const R8G8B8A8_SRGB: u32 = 43;
    pub(crate) const B8G8R8A8_UNORM: u32 = 44;
    pub(crate) const B8G8R8A8_SRGB: u32 = 50;
    pub(crate) const A2B10G10R10_UNORM_PACK32: u32 = 64;
    pub(crate) const R16_UNORM: u32 = 70;
    pub(crate) const R16_SFLOAT: u32 = 76;
    pub(crate) const R16G16_UNORM: u32 = 77;
    pub(crate) const R16G16_SFLOAT: u32 = 83;
    pub(crate) const R16G16B16A16_UNORM: u32 = 91;
    pub(crate) const R16G16B16A16_SFLOAT: u32 = 97;
    pub(crate) const R32_SFLOAT: u32 = 100;
    pub(crate) const R32G32_SFLOAT: u32 = 103;
    pub(crate) const R32G32B32A32_SFLOAT: u32 = 109;
    pub(crate) const B10G11R11_UFLOAT_PACK32: u32 = 122;
    pub(crate) const A8_UNORM: u32 = 0xf_0001;
    pub(crate) const A16_UNORM: u32 = 0xf_0002;
    pub(crate) const A16_SFLOAT: u32 = 0xf_0003;
    pub(crate) const A32_SFLOAT: u32 = 0xf_0004;
    pub(crate) const R8A8_UNORM: u32 = 0xf_0005;
    pub(crate) const R16A16_UNORM: u32 = 0xf_0006;
    pub(crate) const R16A16_SFLOAT: u32 = 0xf_0007;
    pub(crate) const R32A32_SFLOAT: u32 = 0xf_0008;
}

/// What a pixel is: which channels in which order, of which numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Anatomy {
    pub(crate) channels: Channels,
    pub(crate) sample: Sample,
    /// Red, green and blue are stored as sRGB has them, and mean what is linear.
    pub(crate) srgb: bool,
}

/// The channels of a pixel, in memory's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channels {
    R,
    Rg,
    Rgb,
    Rgba,
    Bgr,
    Bgra,
    Abgr,
    /// Reads as 0, 0, 0, A.
    A,
    /// Reads as L, L, L, 1: of old blocks alone.
    L,
    /// Reads as L, L, L, A.
    La,
}

/// The numbers of a pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sample {
    Unorm8,
    Unorm16,
    Half,
    Float,
    /// All four in one u32: 10 bits of red, green and blue each from the lowest up, then 2 of alpha.
    Unorm10,
    /// All three in one u32: floats without sign, 11 bits of red and of green from the lowest up, 10 of blue.
    Float11,
}

impl Channels {
    /// How many there are.
    pub(crate) const fn count(self) -> usize {
        match self {
            Self::R | Self::A | Self::L => 1,
            Self::Rg | Self::La => 2,
            Self::Rgb | Self::Bgr => 3,
            Self::Rgba | Self::Bgra | Self::Abgr => 4,
        }
    }
}

impl Anatomy {
    /// Bytes of a pixel.
    pub(crate) const fn bytes(self) -> usize {
        let each = match self.sample {
            Sample::Unorm8 => 1,
            Sample::Unorm16 | Sample::Half => 2,
            Sample::Float => 4,
            Sample::Unorm10 | Sample::Float11 => return 4,
        };
        self.channels.count().saturating_mul(each)
    }
}

/// What the pixels of an image are, by the number that goes over the wire.
///
/// The constants are the 25 formats that TouchDesigner has. A number that is none of them is a value too, so that a
/// receiver can say which one it met: it has no [`name`](Self::name), and nobody knows its pixels' size.
///
/// Text reads as a format by its name, by a short one, or by its number, in capitals or not:
///
/// ```
/// use tdshm::PixelFormat;
///
/// let format: PixelFormat = "rgba8".parse()?;
/// assert_eq!(format, PixelFormat::R8G8B8A8_UNORM);
/// assert_eq!(format.to_string(), "R8G8B8A8_UNORM");
/// assert_eq!((format.number(), format.bytes_per_pixel()), (37, Some(4)));
/// # Ok::<(), tdshm::ParsePixelFormatError>(())
/// ```
///
/// # Source
///
/// wire §9.1, seen: the numbers below `0xF0000` are Vulkan's.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[doc(alias = "VkFormat", alias = "OP_PixelFormat")]
pub struct PixelFormat(u32);

/// What is known of a format.
struct Known {
    name: &'static str,
    short: &'static str,
    anatomy: Anatomy,
}

macro_rules! formats {
    ($($name:ident, $short:literal, $channels:ident, $sample:ident, $srgb:literal, $doc:literal;)*) => {
        impl PixelFormat {
            $(
                #[doc = $doc]
                pub const $name: Self = Self(number::$name);
            )*

            /// All of them, in the order of their numbers.
            pub const ALL: [Self; 25] = [$(Self::$name),*];

            const fn known(self) -> Option<&'static Known> {
                match self.0 {
                    $(number::$name => {
                        const KNOWN: Known = Known {
                            name: stringify!($name),
                            short: $short,
                            anatomy: Anatomy {
                                channels: Channels::$channels,
                                sample: Sample::$sample,
                                srgb: $srgb,
                            },
                        };
                        Some(&KNOWN)
                    })*
                    _ => None,
                }
            }
        }
    };
}

formats! {
    R8_UNORM, "r8", R, Unorm8, false, "One byte: red.";
    R8G8_UNORM, "rg8", Rg, Unorm8, false, "Two bytes: red, green.";
    R8G8B8A8_UNORM, "rgba8", Rgba, Unorm8, false, "Four bytes: red, green, blue, alpha.";
    R8G8B8A8_SRGB, "rgba8_srgb", Rgba, Unorm8, true,
        "Four bytes: red, green, blue as sRGB encodes them, and alpha, which is linear.";
    B8G8R8A8_UNORM, "bgra8", Bgra, Unorm8, false, "Four bytes: blue, green, red, alpha.";
    B8G8R8A8_SRGB, "bgra8_srgb", Bgra, Unorm8, true,
        "Four bytes: blue, green, red as sRGB encodes them, and alpha, which is linear.";
    A2B10G10R10_UNORM_PACK32, "rgb10a2", Rgba, Unorm10, false,
        "A `u32`: 10 bits of red, green and blue each, from the lowest up, then 2 bits of alpha.";
    R16_UNORM, "r16", R, Unorm16, false, "A `u16`: red.";
    R16_SFLOAT, "r16f", R, Half, false, "A half float: red.";
    R16G16_UNORM, "rg16", Rg, Unorm16, false, "Two `u16`: red, green.";
    R16G16_SFLOAT, "rg16f", Rg, Half, false, "Two half floats: red, green.";
    R16G16B16A16_UNORM, "rgba16", Rgba, Unorm16, false, "Four `u16`: red, green, blue, alpha.";
    R16G16B16A16_SFLOAT, "rgba16f", Rgba, Half, false, "Four half floats: red, green, blue, alpha.";
    R32_SFLOAT, "r32f", R, Float, false, "An `f32`: red.";
    R32G32_SFLOAT, "rg32f", Rg, Float, false, "Two `f32`: red, green.";
    R32G32B32A32_SFLOAT, "rgba32f", Rgba, Float, false, "Four `f32`: red, green, blue, alpha.";
    B10G11R11_UFLOAT_PACK32, "rg11b10f", Rgb, Float11, false,
        "A `u32`: floats without a sign, 11 bits of red and of green, from the lowest up, then 10 bits of blue.";
    A8_UNORM, "a8", A, Unorm8, false, "One byte: alpha alone, which reads as 0, 0, 0, A.";
    A16_UNORM, "a16", A, Unorm16, false, "A `u16`: alpha alone, which reads as 0, 0, 0, A.";
    A16_SFLOAT, "a16f", A, Half, false, "A half float: alpha alone, which reads as 0, 0, 0, A.";
    A32_SFLOAT, "a32f", A, Float, false, "An `f32`: alpha alone, which reads as 0, 0, 0, A.";
    R8A8_UNORM, "ra8", La, Unorm8, false, "Two bytes: mono and alpha, which read as R, R, R, A.";
    R16A16_UNORM, "ra16", La, Unorm16, false, "Two `u16`: mono and alpha, which read as R, R, R, A.";
    R16A16_SFLOAT, "ra16f", La, Half, false, "Two half floats: mono and alpha, which read as R, R, R, A.";
    R32A32_SFLOAT, "ra32f", La, Float, false, "Two `f32`: mono and alpha, which read as R, R, R, A.";
}

impl PixelFormat {
    /// The format of that number, which may be one that nobody knows.
    #[must_use]
    pub const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// The number that goes over the wire.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Its name, as the constants have it; `None` of an unknown number.
    #[must_use]
    pub fn name(self) -> Option<&'static str> {
        self.known().map(|known| known.name)
    }

    /// The name that people type, `rgba8` for example; `None` of an unknown number.
    #[must_use]
    pub fn short_name(self) -> Option<&'static str> {
        self.known().map(|known| known.short)
    }

    /// Bytes of one pixel, from 1 to 16; `None` of an unknown number.
    #[must_use]
    pub fn bytes_per_pixel(self) -> Option<usize> {
        self.anatomy().map(Anatomy::bytes)
    }

    /// Whether its red, green and blue are stored as sRGB encodes them.
    ///
    /// What another format's numbers mean it does not say: a block of version 2 does.
    #[must_use]
    pub fn is_srgb(self) -> bool {
        self.anatomy().is_some_and(|anatomy| anatomy.srgb)
    }

    /// What its pixels are.
    pub(crate) fn anatomy(self) -> Option<Anatomy> {
        self.known().map(|known| known.anatomy)
    }
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.pad(name),
            None => f.pad(&format!("{:#x}", self.0)),
        }
    }
}

impl fmt::Debug for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PixelFormat({self})")
    }
}

/// A text that is no pixel format.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParsePixelFormatError {
    /// The text.
    pub text: String,
}

impl fmt::Display for ParsePixelFormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} is not a pixel format: use ", self.text)?;
        for (index, known) in PixelFormat::ALL.into_iter().filter_map(PixelFormat::known).enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{} ({})", known.short, known.name)?;
        }
        f.write_str(", or a number")
    }
}

impl core::error::Error for ParsePixelFormatError {}

impl FromStr for PixelFormat {
    type Err = ParsePixelFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_meant = |format: &Self| {
            format.known().is_some_and(|known| {
                text.eq_ignore_ascii_case(known.name) || text.eq_ignore_ascii_case(known.short)
            })
        };
        let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
        let number = || match hexadecimal {
            // `from_str_radix` and `parse` take a sign as well.
            Some(digits) if digits.starts_with(|c: char| c.is_ascii_hexdigit()) => {
                u32::from_str_radix(digits, 16).ok()
            }
            None if text.starts_with(|c: char| c.is_ascii_digit()) => text.parse().ok(),
            _ => None,
        };
        Self::ALL
            .into_iter()
            .find(is_meant)
            .or_else(|| number().map(Self))
            .ok_or_else(|| ParsePixelFormatError { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The table of wire §9.1, typed again by hand.
    const TABLE: [(u32, &str, usize); 25] = [
        (9, "R8_UNORM", 1),
        (16, "R8G8_UNORM", 2),
        (37, "R8G8B8A8_UNORM", 4),
        (43, "R8G8B8A8_SRGB", 4),
        (44, "B8G8R8A8_UNORM", 4),
        (50, "B8G8R8A8_SRGB", 4),
        (64, "A2B10G10R10_UNORM_PACK32", 4),
        (70, "R16_UNORM", 2),
        (76, "R16_SFLOAT", 2),
        (77, "R16G16_UNORM", 4),
        (83, "R16G16_SFLOAT", 4),
        (91, "R16G16B16A16_UNORM", 8),
        (97, "R16G16B16A16_SFLOAT", 8),
        (100, "R32_SFLOAT", 4),
        (103, "R32G32_SFLOAT", 8),
        (109, "R32G32B32A32_SFLOAT", 16),
        (122, "B10G11R11_UFLOAT_PACK32", 4),
        (0xF0001, "A8_UNORM", 1),
        (0xF0002, "A16_UNORM", 2),
        (0xF0003, "A16_SFLOAT", 2),
        (0xF0004, "A32_SFLOAT", 4),
        (0xF0005, "R8A8_UNORM", 2),
        (0xF0006, "R16A16_UNORM", 4),
        (0xF0007, "R16A16_SFLOAT", 4),
        (0xF0008, "R32A32_SFLOAT", 8),
    ];

    #[test]
    fn all_are_those_of_the_table() {
        let ours = PixelFormat::ALL
            .map(|f| (f.number(), f.name().unwrap(), f.bytes_per_pixel().unwrap_or_default()));
        assert_eq!(ours, TABLE);
        for (number, name, _) in TABLE {
            assert_eq!(PixelFormat::from_number(number).to_string(), name);
        }
        let srgb: Vec<_> = PixelFormat::ALL.into_iter().filter(|f| f.is_srgb()).collect();
        assert_eq!(srgb, [PixelFormat::R8G8B8A8_SRGB, PixelFormat::B8G8R8A8_SRGB]);
    }

    #[test]
    fn text_is_a_format() {
        let parse = |text: &str| text.parse::<PixelFormat>().unwrap();
        let short = "r8 rg8 rgba8 rgba8_srgb bgra8 bgra8_srgb rgb10a2 r16 r16f rg16 rg16f rgba16 rgba16f r32f rg32f \
                     rgba32f rg11b10f a8 a16 a16f a32f ra8 ra16 ra16f ra32f";
        assert_eq!(short.split(' ').map(parse).collect::<Vec<_>>(), PixelFormat::ALL);
        for format in PixelFormat::ALL {
            assert_eq!(parse(&format.to_string()), format);
            assert_eq!(parse(&format.to_string().to_ascii_lowercase()), format);
            assert_eq!(parse(&format.short_name().unwrap().to_ascii_uppercase()), format);
            assert_eq!(parse(&format.number().to_string()), format);
        }
    }

    #[test]
    fn text_that_is_none_is_told_what_there_is() {
        for text in ["", "rgb8", "rgba 8", "-1", "+37", "0x", "0x+1", "4294967296", "rgba8 ", "ſrgb"] {
            let error = text.parse::<PixelFormat>().unwrap_err();
            assert_eq!(error.text, text);
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("{text:?} is not a pixel format: use r8 (R8_UNORM), "))
            );
            assert!(error.to_string().ends_with(", ra32f (R32A32_SFLOAT), or a number"), "{error}");
        }
    }

    #[test]
    fn shown_in_a_column() {
        assert_eq!(format!("[{:>9}]", PixelFormat::R8_UNORM), "[ R8_UNORM]");
        assert_eq!(
            format!("{:?} {:?}", PixelFormat::R8_UNORM, PixelFormat(0xf0009)),
            "PixelFormat(R8_UNORM) PixelFormat(0xf0009)"
        );
    }

    proptest! {
        #[test]
        fn every_number_is_one_and_comes_back(number in any::<u32>()) {
            let format = PixelFormat::from_number(number);
            prop_assert_eq!(format.number(), number);
            prop_assert_eq!(format.to_string().parse(), Ok(format));
            prop_assert_eq!(format.name().is_some(), PixelFormat::ALL.contains(&format));
        }
    }
}
