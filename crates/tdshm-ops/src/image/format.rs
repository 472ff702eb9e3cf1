//! The menu of pixel formats, and what goes over the wire for each entry (operators §1.6).

use core::fmt;
use core::str::FromStr;

use tdshm::{PixelFormat, Texels};

use super::error::ParseMenuError;
use super::menu::{Menu, menus};

menus! {
    /// The pixel format of the output: `format`, by default `rgba8fixed`.
    ///
    /// # Source
    ///
    /// operators §1.6: names and labels documented, the pairing with the formats of the wire inferred from the names.
    PixelFormatChoice of "format" {
        /// As the input, or as the block.
        UseInput, "useinput", "Use Input";
        /// 8 bits of red, green, blue and alpha.
        #[default] Rgba8Fixed, "rgba8fixed", "8-bit fixed (RGBA)";
        /// As before, red, green and blue stored by the curve of sRGB. Accepted, not offered.
        Srgba8Fixed, "srgba8fixed", "sRGB 8-bit fixed (RGBA)";
        /// Half floats.
        Rgba16Float, "rgba16float", "16-bit float (RGBA)";
        /// Floats.
        Rgba32Float, "rgba32float", "32-bit float (RGBA)";
        /// 10 bits of red, green and blue, 2 of alpha.
        Rgb10A2Fixed, "rgb10a2fixed", "10-bit RGB, 2-bit Alpha, fixed (RGBA)";
        /// 16 bits of red, green, blue and alpha.
        Rgba16Fixed, "rgba16fixed", "16-bit fixed (RGBA)";
        /// Floats of 11 and 10 bits: nothing below 0, and alpha is 1.
        Rgba11Float, "rgba11float", "11-bit float (RGB), Positive Values Only";
        /// Half floats without alpha, which the wire does not have: they go as RGBA with alpha 1. Accepted, not offered.
        Rgb16Float, "rgb16float", "16-bit float (RGB)";
        /// Floats without alpha: as half floats.
        Rgb32Float, "rgb32float", "32-bit float (RGB)";
        /// 8 bits of one channel that is red, green and blue, as the next three.
        Mono8Fixed, "mono8fixed", "8-bit fixed (Mono)";
        /// 16 bits.
        Mono16Fixed, "mono16fixed", "16-bit fixed (Mono)";
        /// A half float.
        Mono16Float, "mono16float", "16-bit float (Mono)";
        /// A float.
        Mono32Float, "mono32float", "32-bit float (Mono)";
        /// 8 bits of red and green, as the next three.
        Rg8Fixed, "rg8fixed", "8-bit fixed (RG)";
        /// 16 bits.
        Rg16Fixed, "rg16fixed", "16-bit fixed (RG)";
        /// Half floats.
        Rg16Float, "rg16float", "16-bit float (RG)";
        /// Floats.
        Rg32Float, "rg32float", "32-bit float (RG)";
        /// 8 bits of alpha, as the next three.
        A8Fixed, "a8fixed", "8-bit fixed (A)";
        /// 16 bits.
        A16Fixed, "a16fixed", "16-bit fixed (A)";
        /// A half float.
        A16Float, "a16float", "16-bit float (A)";
        /// A float.
        A32Float, "a32float", "32-bit float (A)";
        /// 8 bits of mono and of alpha, as the next three.
        MonoAlpha8Fixed, "monoalpha8fixed", "8-bit fixed (Mono+Alpha)";
        /// 16 bits.
        MonoAlpha16Fixed, "monoalpha16fixed", "16-bit fixed (Mono+Alpha)";
        /// Half floats.
        MonoAlpha16Float, "monoalpha16float", "16-bit float (Mono+Alpha)";
        /// Floats.
        MonoAlpha32Float, "monoalpha32float", "32-bit float (Mono+Alpha)";
    }
}

/// How many entries are accepted but not offered.
const UNOFFERED: usize = 3;

impl PixelFormatChoice {
    /// Names and labels of what today's menu offers, in its order. [`MENU`](Self::MENU) has those that are only accepted as
    /// well.
    pub const OFFERED: Menu = {
        const MENU: Menu = PixelFormatChoice::MENU;
        const COUNT: usize = MENU.len().saturating_sub(UNOFFERED);
        const OFFERED: [(&str, &str); COUNT] = {
            let mut offered = [("", ""); COUNT];
            let (mut from, mut to) = (0_usize, 0_usize);
            #[expect(clippy::indexing_slicing, reason = "beyond the end it would not compile")]
            while from < MENU.len() {
                if PixelFormatChoice::ALL[from].is_offered() {
                    offered[to] = MENU[from];
                    to = to.saturating_add(1);
                }
                from = from.saturating_add(1);
            }
            offered
        };
        &OFFERED
    };

    /// Whether today's menu has it. The others come from older files, and work.
    #[must_use]
    pub const fn is_offered(self) -> bool {
        !matches!(self, Self::Srgba8Fixed | Self::Rgb16Float | Self::Rgb32Float)
    }

    /// Whether alpha goes as 1, whatever it is: formats without alpha that go over the wire as RGBA.
    #[must_use]
    pub const fn is_opaque(self) -> bool {
        matches!(self, Self::Rgb16Float | Self::Rgb32Float)
    }

    /// The formats of the wire that are this entry, the one that is made first; none of `useinput`.
    #[must_use]
    pub const fn wire_formats(self) -> &'static [PixelFormat] {
        match self {
            Self::UseInput => &[],
            Self::Rgba8Fixed => &[PixelFormat::R8G8B8A8_UNORM, PixelFormat::B8G8R8A8_UNORM],
            Self::Srgba8Fixed => &[PixelFormat::R8G8B8A8_SRGB, PixelFormat::B8G8R8A8_SRGB],
            Self::Rgba16Float | Self::Rgb16Float => &[PixelFormat::R16G16B16A16_SFLOAT],
            Self::Rgba32Float | Self::Rgb32Float => &[PixelFormat::R32G32B32A32_SFLOAT],
            Self::Rgb10A2Fixed => &[PixelFormat::A2B10G10R10_UNORM_PACK32],
            Self::Rgba16Fixed => &[PixelFormat::R16G16B16A16_UNORM],
            Self::Rgba11Float => &[PixelFormat::B10G11R11_UFLOAT_PACK32],
            Self::Mono8Fixed => &[PixelFormat::R8_UNORM],
            Self::Mono16Fixed => &[PixelFormat::R16_UNORM],
            Self::Mono16Float => &[PixelFormat::R16_SFLOAT],
            Self::Mono32Float => &[PixelFormat::R32_SFLOAT],
            Self::Rg8Fixed => &[PixelFormat::R8G8_UNORM],
            Self::Rg16Fixed => &[PixelFormat::R16G16_UNORM],
            Self::Rg16Float => &[PixelFormat::R16G16_SFLOAT],
            Self::Rg32Float => &[PixelFormat::R32G32_SFLOAT],
            Self::A8Fixed => &[PixelFormat::A8_UNORM],
            Self::A16Fixed => &[PixelFormat::A16_UNORM],
            Self::A16Float => &[PixelFormat::A16_SFLOAT],
            Self::A32Float => &[PixelFormat::A32_SFLOAT],
            Self::MonoAlpha8Fixed => &[PixelFormat::R8A8_UNORM],
            Self::MonoAlpha16Fixed => &[PixelFormat::R16A16_UNORM],
            Self::MonoAlpha16Float => &[PixelFormat::R16A16_SFLOAT],
            Self::MonoAlpha32Float => &[PixelFormat::R32A32_SFLOAT],
        }
    }

    /// The entry that an image of these pixels has; of those with the same pixels the one that is offered. `None` for pixels
    /// that no entry makes.
    ///
    /// # Source
    ///
    /// operators §10.6: `TOP.pixelFormatName`, documented as the name in the menu.
    #[must_use]
    pub fn of(texels: Texels) -> Option<Self> {
        let format = texels.format()?;
        let of = |is_offered: bool| {
            let mut all = Self::ALL.iter().copied().filter(|entry| entry.is_offered() == is_offered);
            all.find(|entry| entry.wire_formats().contains(&format))
        };
        of(true).or_else(|| of(false))
    }

    /// The format that an image of `input` gets: its own where that is the entry already, otherwise the one that is made.
    ///
    /// Pixels that only blocks from before 2022 have, such as BGR of bytes, stay what they are nearest to with `useinput`:
    /// RGBA of the same numbers.
    #[must_use]
    pub fn wire_format(self, input: Texels) -> PixelFormat {
        let own = input.format();
        if let (Self::UseInput, Some(own)) = (self, own) {
            return own;
        }
        if let Some(own) = own.filter(|own| self.wire_formats().contains(own)) {
            return own;
        }
        if let Some(made) = self.wire_formats().first() {
            return *made;
        }
        let srgb = matches!(input, Texels::Legacy(legacy) if legacy.is_srgb());
        match input.kind().map(|kind| (kind.bits, kind.float)) {
            Some((32, _)) => PixelFormat::R32G32B32A32_SFLOAT,
            Some((_, true)) => PixelFormat::R16G16B16A16_SFLOAT,
            Some((16, false)) => PixelFormat::R16G16B16A16_UNORM,
            _ if srgb => PixelFormat::R8G8B8A8_SRGB,
            _ => PixelFormat::R8G8B8A8_UNORM,
        }
    }
}
