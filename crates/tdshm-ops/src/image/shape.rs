//! What size and what aspect an output has (operators §1.6).

use super::MAX_SIDE;
use super::menu::{OutputAspect, OutputResolution};

/// The parameter Resolution, before anybody sets it.
pub(super) const DEFAULT_RESOLUTION: (usize, usize) = (256, 256);

/// The width and height of the output, each from 1 to [`MAX_SIDE`].
///
/// `input` is the size of the input, of an In TOP that of the block; `resolution` is the parameter. The multiples of the
/// input round down, as halves of textures do. Fit and limit keep the ratio of `input` as nearly as whole pixels can.
/// The size of the parent panel is that of the input, since there are no panels.
///
/// In the end both sides are multiplied by `multiplier`, the Global Resolution Multiplier where *Use Global Res
/// Multiplier* is on and 1 elsewhere, and rounded to the nearest. It is for sizes that nobody has multiplied before:
/// an operator whose size follows a TOP that is wired to it passes 1. What is no number above 0 counts as 1.
///
/// # Source
///
/// operators §1.6: documented (NDI In TOP, Shared Mem Out TOP); rounding is ours.
///
/// ```
/// use tdshm_ops::image::{OutputResolution, output_size};
///
/// assert_eq!(output_size(OutputResolution::Half, (1920, 1081), (256, 256), 1.0), (960, 540));
/// assert_eq!(output_size(OutputResolution::Fit, (1920, 1080), (256, 256), 1.0), (256, 144));
/// assert_eq!(output_size(OutputResolution::Limit, (64, 32), (256, 256), 1.0), (64, 32));
/// ```
#[must_use]
pub fn output_size(
    choice: OutputResolution,
    input: (usize, usize),
    resolution: (usize, usize),
    multiplier: f64,
) -> (usize, usize) {
    let input = (input.0.clamp(1, MAX_SIDE), input.1.clamp(1, MAX_SIDE));
    let resolution = (resolution.0.clamp(1, MAX_SIDE), resolution.1.clamp(1, MAX_SIDE));
    let times = |factor: usize| (input.0.saturating_mul(factor), input.1.saturating_mul(factor));
    let part = |of: u32| (input.0.wrapping_shr(of), input.1.wrapping_shr(of));
    let (width, height) = match choice {
        OutputResolution::UseInput | OutputResolution::ParentPanel => input,
        OutputResolution::Eighth => part(3),
        OutputResolution::Quarter => part(2),
        OutputResolution::Half => part(1),
        OutputResolution::Twice => times(2),
        OutputResolution::FourTimes => times(4),
        OutputResolution::EightTimes => times(8),
        OutputResolution::Fit => fit(input, resolution),
        OutputResolution::Limit if input.0 <= resolution.0 && input.1 <= resolution.1 => input,
        OutputResolution::Limit => fit(input, resolution),
        OutputResolution::Custom => resolution,
    };
    let multiplier = if multiplier.is_finite() && multiplier > 0.0 { multiplier } else { 1.0 };
    // A conversion of floats saturates.
    let multiplied = |side: usize| ((side as f64 * multiplier).round() as usize).clamp(1, MAX_SIDE);
    (multiplied(width), multiplied(height))
}

/// The largest size with the ratio of `input` inside `resolution`.
fn fit(input: (usize, usize), resolution: (usize, usize)) -> (usize, usize) {
    let side = |given: usize, times: usize, of: usize| {
        let rounded = given.saturating_mul(times).saturating_add(of / 2).checked_div(of);
        rounded.unwrap_or(1).max(1)
    };
    if resolution.0.saturating_mul(input.1) <= resolution.1.saturating_mul(input.0) {
        (resolution.0, side(input.1, resolution.0, input.0))
    } else {
        (side(input.0, resolution.1, input.1), resolution.1)
    }
}

/// The aspect of a pixel of the output, as blocks have it: width and height, 1 and 1 where pixels are square.
///
/// `size` is the size of the input and `aspect` that of one of its pixels; `output` is the size of the output, and
/// `custom` the parameter, the aspect of the whole picture. With `useinput` the picture keeps the aspect that it has,
/// so that pixels change it where the size does. Numbers that are no aspect, such as 0 and NaN, give square pixels.
///
/// # Source
///
/// operators §1.6: documented (Shared Mem Out TOP); wire §9.1: that a block has the aspect of a pixel was seen.
///
/// ```
/// use tdshm_ops::image::{OutputAspect, output_aspect};
///
/// // A picture of 4:3 in 1920 x 1080 pixels: each is narrower than high.
/// let aspect = output_aspect(OutputAspect::Custom, (1920, 1080), (1.0, 1.0), (1920, 1080), (4.0, 3.0));
/// assert_eq!(aspect, (0.75, 1.0));
/// ```
#[must_use]
pub fn output_aspect(
    choice: OutputAspect,
    size: (usize, usize),
    aspect: (f32, f32),
    output: (usize, usize),
    custom: (f32, f32),
) -> (f32, f32) {
    const SQUARE: (f32, f32) = (1.0, 1.0);
    let ratio = |(x, y): (f32, f32)| f64::from(x) / f64::from(y);
    let picture = match choice {
        OutputAspect::Resolution => return SQUARE,
        OutputAspect::UseInput if size == output => return aspect,
        OutputAspect::UseInput => ratio(aspect) * size.0 as f64 / size.1 as f64,
        OutputAspect::Custom => ratio(custom),
    };
    let pixel = (picture * output.1 as f64 / output.0 as f64) as f32;
    if pixel.is_normal() && pixel > 0.0 { (pixel, 1.0) } else { SQUARE }
}
