//! The TOP Common page: size, aspect and pixel format of the output (operators §1.6).

use std::mem;
use std::sync::Arc;

use crate::cook::{Cook, Output};
use crate::data::Data;
use crate::image::{
    ASPECT_MENU, FillMode, Image, ImageError, OUTPUT_COLOR_SPACES, OutputAspect, OutputResolution,
    PARAMETER_REFERENCE_WHITES, PixelFormatChoice, RESOLUTION_MENU, ShapeSettings, Shaper, Smoothness,
    VIEWER_SMOOTHNESS, output_size,
};
use crate::par::ParSpec;

const PAGE: &str = "Common";
/// Where the size is taken from Resolution.
const SIZED: &[&str] = &["fit", "limit", "custom"];

/// What the common page's parameters are.
pub(crate) fn pars() -> Vec<ParSpec> {
    let unoffered: Vec<_> = PixelFormatChoice::ALL
        .iter()
        .filter(|choice| !choice.is_offered())
        .map(|choice| (choice.menu_name(), choice.label()))
        .collect();
    let pars = [
        ParSpec::menu("outputresolution", "Output Resolution", OutputResolution::MENU).help(
            "The size of the output. Fit and Limit keep the aspect of the input; Limit never grows it. There are no panels \
             here: Parent Panel Size is as Use Input.",
        ),
        size("resolutionw", 0),
        size("resolutionh", 1),
        ParSpec::menu("resmenu", "Resolution Menu", RESOLUTION_MENU)
            .sets(&["resolutionw", "resolutionh"])
            .enabled_when("outputresolution", SIZED)
            .help("Picking an entry sets Resolution."),
        ParSpec::toggle("resmult", "Use Global Res Multiplier", true).help(
            "Multiplies the size by the network's Global Resolution Multiplier, which is 1 unless set. Only where the size \
             is this operator's own: what follows the size of an input was multiplied there.",
        ),
        ParSpec::menu("outputaspect", "Output Aspect", OutputAspect::MENU)
            .help("The aspect of the output. Resolution is square pixels."),
        aspect("aspect1", 0),
        aspect("aspect2", 1),
        ParSpec::menu("armenu", "Aspect Menu", ASPECT_MENU)
            .sets(&["aspect1", "aspect2"])
            .enabled_when("outputaspect", &["custom"])
            .help("Picking an entry sets Aspect."),
        ParSpec::menu("inputfiltertype", "Input Smoothness", Smoothness::MENU)
            .default_to(Smoothness::default().menu_name())
            .help("How pixels are made where the size changes. Images of 32-bit floats are always nearest."),
        ParSpec::menu("fillmode", "Fill Viewer", FillMode::MENU)
            .default_to(FillMode::default().menu_name())
            .help("How a viewer places the image. Never changes pixels."),
        ParSpec::menu("filtertype", "Viewer Smoothness", VIEWER_SMOOTHNESS)
            .default_to("linear")
            .help("How a viewer filters the image. Never changes pixels."),
        ParSpec::int("npasses", "Passes", 1).at_least(1.0).slider(1.0, 10.0).help(
            "How often the operation is repeated on its own result. Kept, and without effect here: a second pass would \
             change nothing.",
        ),
        ParSpec::int("chanmask", "Channel Mask", 15).clamped(0.0, 15.0).help(
            "The channels that the operator works on: the sum of 1 for red, 2 for green, 4 for blue and 8 for alpha. Others \
             pass as the input has them, so that it has no effect where colours do not change.",
        ),
        ParSpec::menu("format", "Pixel Format", PixelFormatChoice::OFFERED)
            .also_takes(&unoffered)
            .default_to(PixelFormatChoice::default().menu_name())
            .help(
                "What the pixels of the output are. srgba8fixed, rgb16float and rgb32float of older versions are taken as \
                 well; the last two go out as RGBA with alpha 1.",
            ),
        ParSpec::menu("parmcolorspace", "Parm Color Space", OUTPUT_COLOR_SPACES)
            .help("What parameters that are colours mean. Kept, and without effect: colours are not managed here."),
        ParSpec::menu("parmreferencewhite", "Parm Reference White", PARAMETER_REFERENCE_WHITES)
            .help("The white of parameters that are colours. Kept, and without effect."),
    ];
    pars.map(|par| par.page(PAGE)).into()
}

fn size(name: &'static str, index: usize) -> ParSpec {
    ParSpec::int(name, "Resolution", 256)
        .at_least(1.0)
        .slider(1.0, 2048.0)
        .in_group("resolution", index)
        .enabled_when("outputresolution", SIZED)
        .help("Width and height, of which Fit, Limit and Custom Resolution make the size. At most 32768 pixels are made.")
}

fn aspect(name: &'static str, index: usize) -> ParSpec {
    ParSpec::float(name, "Aspect", 1.0)
        .in_group("aspect", index)
        .enabled_when("outputaspect", &["custom"])
        .help("How wide the picture is to how high, whatever its pixels.")
}

/// The page at work, and what it made last.
#[derive(Debug, Default)]
pub(crate) struct TopCommon {
    shaper: Shaper,
    last: Option<Last>,
}

/// What was made of an image. Holding that keeps others from writing another one into it.
#[derive(Debug)]
struct Last {
    input: Arc<Image>,
    settings: ShapeSettings,
    output: Arc<Image>,
}

impl TopCommon {
    /// What comes behind the operator's own work: the size, the aspect and the format that are asked for. Where they are
    /// there already nothing is done, and where the same image was the input before it is not made again.
    ///
    /// # Errors
    ///
    /// There can be no such image: the output stays as it was.
    pub(crate) fn finish(&mut self, cook: &mut Cook) -> Result<(), ImageError> {
        let input = match &cook.output {
            Output::Made(Data::Top(image)) | Output::Passed(Data::Top(image)) => Arc::clone(image),
            _ => return Ok(()),
        };
        let settings = settings_for(cook, &input);
        if settings.is_identity(&input) {
            self.last = None;
            return Ok(());
        }
        if self.last.as_ref().is_some_and(|last| last.is(&input, &settings, cook)) {
            cook.keep();
            return Ok(());
        }
        self.last = None;
        let before = mem::take(&mut cook.output);
        let shaped = cook.fill_image(|out| self.shaper.apply(&input, &settings, out));
        if let Output::Made(data) = before {
            cook.pools.give_back(data);
        }
        if shaped.is_err() {
            cook.keep();
        } else if let Some(output) = cook.filled_image() {
            self.last = Some(Last { input, settings, output });
        }
        shaped
    }
}

impl Last {
    /// Whether it is the output still, and would be made again.
    fn is(&self, input: &Arc<Image>, settings: &ShapeSettings, cook: &Cook) -> bool {
        Arc::ptr_eq(&self.input, input)
            && self.settings == *settings
            && cook.last_output().as_image().is_some_and(|output| Arc::ptr_eq(output, &self.output))
    }
}

/// What the page says of an output that is made of `input`.
fn settings_for(cook: &Cook, input: &Image) -> ShapeSettings {
    let mut settings = settings(cook);
    let own = match settings.output_resolution {
        OutputResolution::Fit | OutputResolution::Custom => true,
        OutputResolution::Limit => {
            output_size(OutputResolution::Limit, input.size(), settings.resolution, 1.0) != input.size()
        }
        _ => false,
    };
    if !own {
        settings.multiplier = 1.0;
    }
    settings
}

/// What the page says of an output that is the operator's own.
pub(crate) fn settings(cook: &Cook) -> ShapeSettings {
    let side = |par| usize::try_from(cook.par_i64(par)).unwrap_or(1);
    #[expect(clippy::cast_possible_truncation, reason = "a block has 32 bits for it")]
    let aspect = |par| cook.par_f64(par) as f32;
    ShapeSettings {
        output_resolution: cook.par_text("outputresolution").parse().unwrap_or_default(),
        resolution: (side("resolutionw"), side("resolutionh")),
        multiplier: if cook.par_is_on("resmult") { cook.resolution_multiplier() } else { 1.0 },
        output_aspect: cook.par_text("outputaspect").parse().unwrap_or_default(),
        aspect: (aspect("aspect1"), aspect("aspect2")),
        smoothness: cook.par_text("inputfiltertype").parse().unwrap_or_default(),
        format: cook.par_text("format").parse().unwrap_or_default(),
    }
}
