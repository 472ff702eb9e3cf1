//! Constant TOP: one colour.

use crate::cook::Cook;
use crate::image::{ChannelMask, PixelFormatChoice};
use crate::op::{Family, OpSpec, Operator};
use crate::par::ParSpec;

const PAGE: &str = "Constant";

pub(super) fn spec() -> OpSpec {
    let colour = |name, index| {
        ParSpec::float(name, "Color", 1.0)
            .in_group("color", index)
            .help("Red, green and blue. Formats of floats take any number, fixed ones 0 to 1.")
    };
    let own = [
        colour("colorr", 0),
        colour("colorg", 1),
        colour("colorb", 2),
        ParSpec::float("alpha", "Alpha", 1.0).slider(0.0, 1.0).help("Alpha."),
        ParSpec::toggle("multrgbbyalpha", "Multiply RGB by Alpha", true)
            .help("Red, green and blue are multiplied by alpha."),
    ];
    OpSpec::new(
        "constantTOP",
        Family::Top,
        "Constant",
        "An image of one colour, in the size and the pixel format of its Common page. Channels that are masked out are 0.",
        || Box::new(Constant),
    )
    .pars(own.map(|par| par.page(PAGE)).into())
    .common_page()
    .with_default("outputresolution", "custom")
    .with_default("outputaspect", "resolution")
}

struct Constant;

impl Operator for Constant {
    fn cook(&mut self, cook: &mut Cook) {
        #[expect(clippy::cast_possible_truncation, reason = "pixels have 32 bits at most")]
        let mut rgba = ["colorr", "colorg", "colorb", "alpha"].map(|par| cook.par_f64(par) as f32);
        if cook.par_is_on("multrgbbyalpha") {
            let [r, g, b, a] = rgba;
            rgba = [r * a, g * a, b * a, a];
        }
        rgba = ChannelMask::from_number(cook.par_i64("chanmask")).select([0.0; 4], rgba);
        if cook.par_text("format").parse().is_ok_and(PixelFormatChoice::is_opaque) {
            rgba = ChannelMask::from_number(8).select(rgba, [1.0; 4]);
        }
        if let Err(error) = cook.make_image(|image| image.fill(rgba)) {
            cook.error(format!("{error}."));
        }
    }
}
