//! Movie File In TOP: a picture, or a folder of pictures one after the other.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tdshm_ops::{Cook, Family, OpSpec, Operator, ParSpec};

use super::file_in::sentence;
use crate::Picture;
use crate::file::picture;

/// Bytes of pixels that are kept, so that a folder that plays over and over is read once.
const KEPT_BYTES: usize = 256 << 20;

/// The operator type.
///
/// # Source
///
/// The names `file`, `play`, `speed` and `index` are TD's; the specification is silent about this operator, so the rest is
/// ours.
pub(super) fn spec() -> OpSpec {
    OpSpec::new(
        "moviefileinTOP",
        Family::Top,
        "Movie File In",
        "A picture (.png, .jpg, .exr), or a folder of pictures as a sequence, by the numbers in their names. Films are not \
         read.",
        || Box::new(MovieFileIn::default()),
    )
    .pars(pars())
    .common_page()
    .with_default("format", "useinput")
}

fn pars() -> Vec<ParSpec> {
    const PAGE: &str = "Play";
    vec![
        ParSpec::file("file", "File")
            .page(PAGE)
            .help("A picture, or a folder of pictures. A relative path begins in the folder of the patch."),
        ParSpec::menu(
            "playmode",
            "Play Mode",
            &[("locked", "Locked to Timeline"), ("specify", "Specify Index"), ("sequential", "Sequential")],
        )
        .page(PAGE)
        .help(
            "Which picture of a folder is shown: the one of the timeline's frame, the first at frame 1; the one of Index; or, \
             as long as Play is on, one after the other as frames pass, at Speed. After the last one comes the first.",
        ),
        ParSpec::toggle("play", "Play", true)
            .page(PAGE)
            .enabled_when("playmode", &["sequential"])
            .help("Goes on with the frames, or stands."),
        ParSpec::float("speed", "Speed", 1.0)
            .page(PAGE)
            .slider(-2.0, 2.0)
            .enabled_when("playmode", &["locked", "sequential"])
            .help("Pictures a frame: 0.5 shows each for two frames, -1 goes backwards."),
        ParSpec::float("index", "Index", 0.0)
            .page(PAGE)
            .slider(0.0, 100.0)
            .enabled_when("playmode", &["specify"])
            .help("The picture, from 0; a fraction is cut off."),
        ParSpec::pulse("reloadpulse", "Reload").page(PAGE).help("Looks for the files again, and reads them."),
    ]
}

#[derive(Debug, Default)]
struct MovieFileIn {
    path: Option<PathBuf>,
    files: Vec<PathBuf>,
    problem: Option<String>,
    kept: HashMap<usize, Picture>,
    kept_bytes: usize,
    /// Where Sequential is, and the absolute frame of that.
    position: f64,
    abs_frame: Option<u64>,
    /// The picture in the output.
    shown: Option<usize>,
}

impl MovieFileIn {
    fn look(&mut self, path: &Path) {
        self.files.clear();
        self.kept.clear();
        self.kept_bytes = 0;
        self.shown = None;
        self.position = 0.0;
        self.abs_frame = None;
        self.problem = None;
        if path.is_dir() {
            match picture::folder(path) {
                Ok(files) => self.files = files,
                Err(error) => self.problem = Some(error.to_string()),
            }
        } else {
            self.files.push(path.to_owned());
        }
        self.path = Some(path.to_owned());
    }

    /// The place of the picture that is due.
    fn due(&mut self, cook: &mut Cook) -> usize {
        let count = self.files.len();
        if count <= 1 {
            return 0;
        }
        let now = cook.time().abs_frame;
        let position = match &*cook.par_text("playmode") {
            "specify" => cook.par_f64("index"),
            "sequential" => {
                cook.depend_on_time();
                let passed = self.abs_frame.map_or(0, |before| now.saturating_sub(before));
                if cook.par_is_on("play") {
                    #[expect(clippy::cast_precision_loss, reason = "frames between two cooks")]
                    let passed = passed as f64;
                    self.position += passed * cook.par_f64("speed");
                }
                self.position
            }
            _ => {
                cook.depend_on_time();
                (cook.time().frame - 1.0) * cook.par_f64("speed")
            }
        };
        self.abs_frame = Some(now);
        #[expect(clippy::cast_precision_loss, reason = "a number of files")]
        let whole = position.floor().rem_euclid(count as f64);
        if cook.par_text("playmode").as_ref() == "sequential" && self.position.is_finite() {
            #[expect(clippy::cast_precision_loss, reason = "a number of files")]
            let length = count as f64;
            self.position = self.position.rem_euclid(length);
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to the number of files; what is no number becomes 0"
        )]
        let at = whole as usize;
        at.min(count.saturating_sub(1))
    }

    fn show(&mut self, at: usize, cook: &mut Cook) -> Result<(), String> {
        let read;
        let picture = if let Some(kept) = self.kept.get(&at) {
            kept
        } else {
            let path = self.files.get(at).ok_or("there is no such picture")?;
            super::check_ordinary(path)?;
            read = Picture::open(path).map_err(|error| error.to_string())?;
            let bytes = self.kept_bytes.saturating_add(read.pixels().len());
            if self.files.len() > 1 && bytes <= KEPT_BYTES {
                self.kept_bytes = bytes;
                self.kept.entry(at).or_insert(read)
            } else {
                &read
            }
        };
        cook.fill_image(|image| {
            let (width, height) = (picture.width(), picture.height());
            image.shape(width, height, picture.texels()).map_err(|error| error.to_string())?;
            image.set_aspect((1.0, 1.0));
            let stride = image.stride().max(1);
            // Files have the top row first, blocks and textures the bottom one.
            let rows = picture.pixels().chunks_exact(stride).rev();
            for (to, from) in image.pixels_mut().chunks_exact_mut(stride).zip(rows) {
                to.copy_from_slice(from);
            }
            Ok(())
        })
    }
}

impl Operator for MovieFileIn {
    fn cook(&mut self, cook: &mut Cook) {
        let Some(path) = cook.par_file("file") else {
            self.path = None;
            cook.pass_nothing();
            return cook.warn("No file is given.");
        };
        if self.path.as_ref() != Some(&path) || cook.par_is_on("reloadpulse") {
            self.look(&path);
        }
        if self.problem.is_none() {
            let at = self.due(cook);
            if self.shown != Some(at) {
                match self.show(at, cook) {
                    Ok(()) => self.shown = Some(at),
                    Err(problem) => {
                        self.shown = None;
                        cook.error(sentence(&problem));
                    }
                }
            }
        }
        if let Some(problem) = &self.problem {
            cook.error(sentence(problem));
        }
    }
}
