//! The menus of the pages that TOPs have, as data (operators §1.5 to §1.7).

use core::fmt;
use core::str::FromStr;

use super::error::ParseMenuError;

/// The entries of a menu, in their order: the name that scripts and files use, and the label that people see.
pub type Menu = &'static [(&'static str, &'static str)];

macro_rules! menus {
    ($($(#[$doc:meta])* $type:ident of $parameter:literal {
        $($(#[$entry_doc:meta])* $entry:ident, $name:literal, $label:literal;)*
    })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
            #[non_exhaustive]
            pub enum $type {
                $($(#[$entry_doc])* $entry,)*
            }

            impl $type {
                /// All entries, in the order of the menu.
                pub const ALL: &'static [Self] = &[$(Self::$entry),*];
                /// Names and labels, in the order of the menu.
                pub const MENU: Menu = &[$(($name, $label)),*];

                /// The name that scripts and files use.
                #[must_use]
                pub const fn menu_name(self) -> &'static str {
                    match self {
                        $(Self::$entry => $name,)*
                    }
                }

                /// The label that people see.
                #[must_use]
                pub const fn label(self) -> &'static str {
                    match self {
                        $(Self::$entry => $label,)*
                    }
                }
            }

            impl fmt::Display for $type {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.pad(self.menu_name())
                }
            }

            impl FromStr for $type {
                type Err = ParseMenuError;

                /// Reads the name of an entry, letter by letter as the menu has it.
                fn from_str(text: &str) -> Result<Self, ParseMenuError> {
                    Self::ALL.iter().copied().find(|entry| entry.menu_name() == text).ok_or_else(|| ParseMenuError {
                        text: text.to_owned(),
                        parameter: $parameter,
                        menu: Self::MENU,
                    })
                }
            }
        )*
    };
}
pub(super) use menus;

menus! {
    /// What size the output has: `outputresolution`, by default that of the input.
    OutputResolution of "outputresolution" {
        /// As the input; of an In TOP as the image in the block.
        #[default] UseInput, "useinput", "Use Input";
        /// An eighth of both sides, rounded down, as each of the others that make it smaller.
        Eighth, "eighth", "Eighth";
        /// A quarter.
        Quarter, "quarter", "Quarter";
        /// A half.
        Half, "half", "Half";
        /// Twice.
        Twice, "2x", "2X";
        /// Four times.
        FourTimes, "4x", "4X";
        /// Eight times.
        EightTimes, "8x", "8X";
        /// The largest that fits into the resolution with the aspect kept, growing if needed.
        Fit, "fit", "Fit Resolution";
        /// As fit, but never growing.
        Limit, "limit", "Limit Resolution";
        /// The resolution.
        Custom, "custom", "Custom Resolution";
        /// The size of the parent panel. There are no panels here: it is as the input.
        ParentPanel, "parpanel", "Parent Panel Size";
    }

    /// What aspect the output has: `outputaspect`. On the shared-memory TOPs it is `resolution` by default.
    OutputAspect of "outputaspect" {
        /// The picture keeps the aspect that the input has.
        UseInput, "useinput", "Use Input";
        /// Square pixels.
        #[default] Resolution, "resolution", "Resolution";
        /// The picture is as wide to high as the two numbers of the parameter.
        Custom, "custom", "Custom Aspect";
    }

    /// How pixels are made of those of an input of another size: `inputfiltertype`, by default `linear`.
    Smoothness of "inputfiltertype" {
        /// The one nearest pixel.
        Nearest, "nearest", "Nearest Pixel";
        /// Between the four pixels around.
        #[default] Linear, "linear", "Interpolate Pixels";
        /// As linear, after every pixel of the input has been weighed in where it shrinks.
        Mipmap, "mipmap", "Mipmap Pixels";
    }

    /// How a viewer places the image: `fillmode`, by default `best`. Never changes pixels.
    FillMode of "fillmode" {
        /// As the input has it.
        UseInput, "useinput", "Use Input";
        /// All of the viewer, whatever the aspect.
        Fill, "fill", "Fill";
        /// Its width.
        Width, "width", "Fit Horizontal";
        /// Its height.
        Height, "height", "Fit Vertical";
        /// As large as all of the image fits.
        #[default] Best, "best", "Fit Best";
        /// As small as nothing of the viewer stays empty.
        Outside, "outside", "Fit Outside";
        /// A pixel for a pixel.
        NativeRes, "nativeres", "Native Resolution";
    }

    /// When pixels come from the GPU into the block: `downloadtype` of the Out TOP, by default `nextframe`.
    DownloadType of "downloadtype" {
        /// In the cook that has them.
        Immediate, "immediate", "Immediate (Slow)";
        /// A cook later.
        #[default] NextFrame, "nextframe", "Next frame (Fast)";
    }
}

/// `filtertype`, how a viewer filters: `linear` by default. The entry in front is that of the newest builds. Never changes
/// pixels.
pub const VIEWER_SMOOTHNESS: Menu = &[
    ("useinput", "Use Input"),
    ("nearest", "Nearest Pixel"),
    ("linear", "Interpolate Pixels"),
    ("mipmap", "Mipmap Pixels"),
];

/// `resmenu`, sizes in common use that set the resolution: [`resolution_of_menu`] reads an entry.
pub const RESOLUTION_MENU: Menu = &[
    ("400x300", "400x300"),
    ("640x480", "640x480"),
    ("800x600", "800x600"),
    ("1024x768", "1024x768"),
    ("1280x720", "1280x720"),
    ("1920x1080", "1920x1080"),
    ("1920x1200", "1920x1200"),
    ("3840x2160", "3840x2160"),
    ("4096x2160", "4096x2160"),
    ("256x256", "256x256"),
    ("512x512", "512x512"),
    ("1024x1024", "1024x1024"),
    ("2048x2048", "2048x2048"),
    ("4096x4096", "4096x4096"),
];

/// `armenu`, aspects in common use that set the aspect: [`aspect_of_menu`] reads an entry.
pub const ASPECT_MENU: Menu = &[("1:1", "1:1"), ("4:3", "4:3"), ("16:9", "16:9"), ("16:10", "16:10")];

/// Width and height that an entry of [`RESOLUTION_MENU`] stands for; `None` of anything else.
#[must_use]
pub fn resolution_of_menu(name: &str) -> Option<(usize, usize)> {
    let (width, height) = entry(RESOLUTION_MENU, name)?.split_once('x')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

/// The two numbers of the aspect that an entry of [`ASPECT_MENU`] stands for; `None` of anything else.
#[must_use]
pub fn aspect_of_menu(name: &str) -> Option<(f32, f32)> {
    let (width, height) = entry(ASPECT_MENU, name)?.split_once(':')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

fn entry(menu: Menu, name: &str) -> Option<&'static str> {
    menu.iter().map(|(entry, _)| *entry).find(|entry| *entry == name)
}

/// `inputcolorspace` of the In TOP: `automatic` by default.
///
/// Colours are not managed here: every entry is accepted, and works as `passthrough`, which converts nothing.
///
/// # Source
///
/// operators §1.7: names inferred from measured catalogues; labels are ours.
pub const INPUT_COLOR_SPACES: Menu = &[
    ("automatic", "Automatic"),
    ("srgb", "sRGB"),
    ("srgblinear", "sRGB - Linear"),
    ("rec601ntsc", "Rec.601 (NTSC)"),
    ("rec709", "Rec.709"),
    ("rec709gamma24", "Rec.709 (Gamma 2.4)"),
    ("rec2020", "Rec.2020"),
    ("rec2020st2084pq", "Rec.2020 (ST2084 PQ)"),
    ("rec2020hlg", "Rec.2020 (HLG)"),
    ("dcip3", "DCI-P3"),
    ("dcip3d60", "DCI-P3 (D60)"),
    ("displayp3d65", "Display P3 (D65)"),
    ("displayp3d65linear", "Display P3 (D65) - Linear"),
    ("aces2065-1", "ACES2065-1"),
    ("acescg", "ACEScg"),
    ("acesproxy", "ACESproxy"),
    ("passthrough", "Passthrough"),
];

/// `outputcolorspace` of the Out TOP: `srgb` by default. What [`INPUT_COLOR_SPACES`] says holds for it as well.
pub const OUTPUT_COLOR_SPACES: Menu = &[
    ("srgb", "sRGB"),
    ("srgblinear", "sRGB - Linear"),
    ("rec601ntsc", "Rec.601 (NTSC)"),
    ("rec709", "Rec.709"),
    ("rec2020", "Rec.2020"),
    ("rec2020st2084pq", "Rec.2020 (ST2084 PQ)"),
    ("rec2020hlg", "Rec.2020 (HLG)"),
    ("dcip3", "DCI-P3"),
    ("dcip3d60", "DCI-P3 (D60)"),
    ("displayp3d65", "Display P3 (D65)"),
    ("aces2065-1", "ACES2065-1"),
    ("acescg", "ACEScg"),
    ("acesproxy", "ACESproxy"),
    ("passthrough", "Passthrough"),
];

/// `inputreferencewhite` and `outputreferencewhite`: `default` by default. Kept, and without effect, as the colour spaces.
pub const REFERENCE_WHITES: Menu = &[("default", "Default"), ("sdr", "SDR"), ("hdr", "HDR"), ("ui", "UI")];

/// `parmreferencewhite` of the Common page: `default` by default. It is about parameters that are colours, of which the
/// shared-memory TOPs have none.
pub const PARAMETER_REFERENCE_WHITES: Menu =
    &[("default", "Default"), ("useparent", "Use Parent"), ("sdr", "SDR"), ("hdr", "HDR"), ("ui", "UI")];

/// Which channels an operator works on: `chanmask`, a sum of 1 for red, 2 for green, 4 for blue and 8 for alpha; all of
/// them by default.
///
/// Channels that are masked out pass as the input has them. An operator that changes no colour, as those that send, show
/// or resize, gives the same pixels with every mask.
///
/// # Source
///
/// operators §1.6: documented; that it has no effect on the Out TOP is inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChannelMask(u8);

impl Default for ChannelMask {
    fn default() -> Self {
        Self::ALL
    }
}

impl ChannelMask {
    /// Red, green, blue and alpha.
    pub const ALL: Self = Self(15);

    /// The mask of that number; what is beyond the four channels is left out.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        Self((number & 15) as u8)
    }

    /// The number, from 0 to 15.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }

    /// What comes out for one pixel, in red, green, blue and alpha: `worked` where a channel is selected, and `input`
    /// where it is masked out.
    #[must_use]
    pub fn select(self, input: [f32; 4], worked: [f32; 4]) -> [f32; 4] {
        let mut out = input;
        for (bit, (out, worked)) in [1, 2, 4, 8].into_iter().zip(out.iter_mut().zip(worked)) {
            if self.0 & bit != 0 {
                *out = worked;
            }
        }
        out
    }
}
