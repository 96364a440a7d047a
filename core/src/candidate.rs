//! The plan: which files to try to make, and why not others; and what became of each format.

use std::sync::Arc;
use std::time::Duration;

use crate::animation::Animation;
use crate::codec::{CRISP_QUALITY, Format, Header, Target};
use crate::color::Profile;
use crate::content::looks_drawn;
use crate::image::ImageBuffer;
use crate::ladder::{Ladder, Method};
use crate::options::{Look, Options, Strategy};
use crate::search::Goal;

/// One way of making a file of one requested format. A format may have several; the best one stands for it.
#[derive(Debug, Clone)]
pub struct Contender {
    pub format: Format,
    pub method: Method,
    /// What it encodes: the picture, on a background where the format needs one.
    pub image: ImageBuffer,
    pub ladder: Ladder,
}

/// A requested format that cannot hold this image or keep these promises.
#[derive(Debug, Clone)]
pub struct Skipped {
    pub format: Format,
    /// As a sentence.
    pub reason: String,
}

/// Everything that a call is about to try.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The picture as every candidate is to show it: 8 bits per sample unless `lossless`.
    pub image: ImageBuffer,
    pub contenders: Vec<Contender>,
    pub skipped: Vec<Skipped>,
}

/// The plan for `image`, whose samples mean what `profile` says, or else sRGB; contenders in the order of the requested formats.
#[must_use]
pub fn plan(header: &Header, image: &ImageBuffer, profile: Option<&Profile>, options: &Options) -> Plan {
    // Without `lossless` every format gets the same 8 bits per sample.
    let image = if options.lossless() { image.clone() } else { image.to_eight_bit() };
    let flat = options.flatten().filter(|_| image.has_alpha()).map(|background| image.flatten(background));
    let (mut open, mut skipped) = (Vec::new(), Vec::new());
    for &format in options.formats() {
        match density_obstacle(format, header, options).or_else(|| obstacle(format, &image, profile, options)) {
            Some(reason) => skipped.push(Skipped { format, reason }),
            None => open.push(format),
        }
    }
    let mut contenders = Vec::new();
    for &format in &open {
        let image = if format == Format::Jpeg { flat.as_ref().unwrap_or(&image) } else { &image };
        let ways = match format {
            Format::Png if deserves_palettes(image, options, &open) => {
                [Method::Palette, Method::Dithered, Method::Lossless]
                    .map(|way| (way, Ladder::of_photograph(way)))
                    .into()
            }
            _ => ladders(format, image, options),
        };
        contenders.extend(ways.into_iter().map(|(method, ladder)| Contender {
            format,
            method,
            image: image.clone(),
            ladder,
        }));
    }
    Plan { image, contenders, skipped }
}

/// The plan for an animation, or an input of which only the first frame is read: `image` is one frame.
#[must_use]
pub fn plan_animated(
    header: &Header,
    animation: Option<&Animation>,
    image: &ImageBuffer,
    profile: Option<&Profile>,
    options: &Options,
) -> Plan {
    let (mut contenders, mut skipped) = (Vec::new(), Vec::new());
    for &format in options.formats() {
        if let Some(reason) = animation_obstacle(format, header).or_else(|| obstacle(format, image, profile, options)) {
            skipped.push(Skipped { format, reason });
            continue;
        }
        let mut ways = match options.look() {
            Look::Searched { .. } => {
                [Method::Lossy, Method::Lossless].map(|method| (method, Ladder::whole(format, method))).into()
            }
            Look::Fixed(_) | Look::Identical => ladders(format, image, options),
        };
        if let Some(animation) = animation {
            keep_moving(&mut ways, animation.lowest_quality(format));
        }
        contenders.extend(ways.into_iter().map(|(method, ladder)| Contender {
            format,
            method,
            image: image.clone(),
            ladder,
        }));
    }
    Plan { image: image.clone(), contenders, skipped }
}

/// The plan for a picture of high dynamic range: nothing to try.
#[must_use]
pub fn plan_high_dynamic_range(image: &ImageBuffer, options: &Options) -> Plan {
    let reason = |format| format!("{format}: this version writes no high dynamic range, and this image has it.");
    let skipped = options.formats().iter().map(|&format| Skipped { format, reason: reason(format) }).collect();
    Plan { image: image.clone(), contenders: Vec::new(), skipped }
}

/// Raises qualities at which nothing would move any more; keeps every pixel where none would do.
fn keep_moving(ways: &mut Vec<(Method, Ladder)>, lowest: Option<u8>) {
    let Some(lowest) = lowest else {
        *ways = vec![(Method::Lossless, Ladder::single(Target::Visible))];
        return;
    };
    for target in ways.iter_mut().flat_map(|(_, ladder)| &mut ladder.targets) {
        if let Target::Quality(quality) = target {
            *quality = lowest.max(*quality);
        }
    }
}

/// Why this version makes no animation of `format` from this input.
fn animation_obstacle(format: Format, header: &Header) -> Option<String> {
    let (pages, input) = (header.pages, header.format);
    if !header.frames_are_read() {
        return Some(format!("{format}: this version reads no animated {input}, and this one has {pages} frames."));
    }
    match format {
        Format::Webp => None,
        Format::Jpeg => Some(format!("JPEG has no animation, and this image has {pages} frames.")),
        Format::Avif | Format::Png => {
            Some(format!("{format}: this version writes no animated {format}, and this image has {pages} frames."))
        }
    }
}

/// Browsers take the resolution in a JPEG's EXIF for the size that a page shows it at, and in no other format.
fn density_obstacle(format: Format, header: &Header, options: &Options) -> Option<String> {
    header.density_corrected.filter(|_| options.resize().is_none() && format != Format::Jpeg)?;
    let ((width, height), (across, down)) = (header.shown_size(), header.layout_size());
    Some(format!(
        "{format} cannot say that {width} × {height} pixels are shown as {across} × {down}, as this JPEG does by its \
         resolution; set `resize` to decide on a size in pixels."
    ))
}

/// The ways to make a file of `format` that these options allow and that this picture deserves.
fn ladders(format: Format, image: &ImageBuffer, options: &Options) -> Vec<(Method, Ladder)> {
    let whole = |method| (method, Ladder::whole(format, method));
    match (options.look(), format) {
        (Look::Identical, _) => vec![(Method::Lossless, Ladder::single(Target::Lossless))],
        (Look::Fixed(_), Format::Png) => vec![whole(Method::Lossless)],
        // WebP halves the resolution of colour, whatever the quality.
        (Look::Fixed(qualities), Format::Webp)
            if qualities.of(format) >= CRISP_QUALITY && suits_lossless(image, options.goal()) =>
        {
            vec![whole(Method::Lossless)]
        }
        (Look::Fixed(qualities), _) => {
            vec![(Method::Lossy, Ladder::single(Target::Quality(qualities.of(format))))]
        }
        (Look::Searched { .. }, Format::Avif | Format::Jpeg) => vec![whole(Method::Lossy)],
        (Look::Searched { .. }, Format::Webp) if !suits_lossless(image, options.goal()) => vec![whole(Method::Lossy)],
        (Look::Searched { .. }, Format::Webp) => [Method::Lossy, Method::Palette, Method::Lossless].map(whole).into(),
        (Look::Searched { .. }, Format::Png) if !suits_lossless(image, options.goal()) => vec![whole(Method::Lossless)],
        (Look::Searched { .. }, Format::Png) => [Method::Palette, Method::Lossless].map(whole).into(),
    }
}

/// Whether a photograph is to be tried in few colours as PNG: where no lossy format is open, because one would win by far, and
/// where each format is to do its best. Not on trust, if others are: nobody would judge it.
fn deserves_palettes(image: &ImageBuffer, options: &Options, open: &[Format]) -> bool {
    let alone = !open.iter().any(|format| format.is_lossy());
    let goal = options.goal();
    let asked = options.strategy() == Strategy::All && !goal.on_trust && !suits_lossless(image, goal);
    matches!(options.look(), Look::Searched { .. }) && (alone || asked) && !looks_drawn(image)
}

/// Whether few colours, or every pixel, may be the smallest way to this goal: for drawings and for small pictures, which
/// cost little to try; for photographs only where hardly any loss is allowed.
fn suits_lossless(image: &ImageBuffer, goal: Goal) -> bool {
    let strict = goal.min_score.is_some_and(|score| score >= STRICT_SCORE);
    let generous = goal.best_look && goal.max_bytes.is_some_and(|bytes| bytes >= image.pixel_count());
    strict || generous || image.pixel_count() <= SMALL_PIXELS || looks_drawn(image)
}

/// Lossy WebP and JPEG end below 93 on most photographs, and take as many bytes as lossless WebP before that.
const STRICT_SCORE: f64 = 90.0;

/// An icon or a thumbnail.
const SMALL_PIXELS: u64 = 1 << 16;

/// Why `format` cannot hold this image or keep these promises.
fn obstacle(format: Format, image: &ImageBuffer, profile: Option<&Profile>, options: &Options) -> Option<String> {
    let longest = image.width().max(image.height());
    if longest > format.max_side() {
        let side = format.max_side();
        return Some(format!("{format} cannot hold a side of {longest} pixels (at most {side})."));
    }
    if options.lossless() {
        return match format {
            Format::Avif => Some("AVIF cannot keep every pixel with the engine of this version.".to_owned()),
            Format::Jpeg => Some("JPEG cannot keep every pixel.".to_owned()),
            Format::Webp if image.bit_depth() > 8 => {
                Some("WebP holds 8 bits per sample, and this image needs 16.".to_owned())
            }
            Format::Webp | Format::Png => None,
        };
    }
    if profile.is_some_and(|profile| !format.can_tell(profile)) {
        return Some(format!("{format} cannot carry this colour profile here (Display P3 and BT.2020 it can)."));
    }
    (format == Format::Jpeg && image.has_alpha() && options.flatten().is_none()).then(|| {
        "JPEG has no transparency, and this image uses it; set `flatten` to a background colour to allow JPEG."
            .to_owned()
    })
}

/// How a candidate ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Won,
    Lost,
    OverBudget,
    BelowScore,
    Failed,
    Skipped,
    Abandoned,
}

/// One requested format, or the original, after the race.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// `None` for the original.
    pub format: Option<Format>,
    /// The finished file.
    pub data: Option<Arc<Vec<u8>>>,
    /// Where it was encoded by quality.
    pub quality: Option<u8>,
    /// SSIMULACRA2 against the input, where it was computed; 100 where every pixel is kept.
    pub score: Option<f64>,
    /// What the goal is held against instead: of a small picture it may be less ([`crate::score::Verdict`]).
    pub judged: Option<f64>,
    /// How many times an encoder ran over the whole picture for this format.
    pub encodes: u32,
    pub elapsed: Duration,
    pub outcome: Outcome,
}

impl Candidate {
    /// One that has no file: skipped, failed or abandoned.
    #[must_use]
    pub fn without_file(format: Format, outcome: Outcome) -> Self {
        Self {
            format: Some(format),
            data: None,
            quality: None,
            score: None,
            judged: None,
            encodes: 0,
            elapsed: Duration::ZERO,
            outcome,
        }
    }

    #[must_use]
    pub fn bytes(&self) -> Option<u64> {
        self.data.as_ref().map(|data| data.len() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::InputFormat;
    use crate::value::Value;
    use image::{DynamicImage, RgbImage, RgbaImage};

    fn noise(x: u32, y: u32) -> u8 {
        ((x * 7919 + y * 104_729).wrapping_mul(2_654_435_761) >> 24) as u8
    }

    /// Noise, of more pixels than an icon has.
    fn photograph() -> ImageBuffer {
        let pixel = |x, y| image::Rgb([noise(x, y), noise(y, x), noise(x + y, y)]);
        ImageBuffer::new(DynamicImage::ImageRgb8(RgbImage::from_fn(300, 300, pixel)))
    }

    fn translucent() -> ImageBuffer {
        let pixel = |x, y| image::Rgba([noise(x, y), noise(y, x), noise(x + y, y), 200]);
        ImageBuffer::new(DynamicImage::ImageRgba8(RgbaImage::from_fn(300, 300, pixel)))
    }

    /// The ways in which a PNG of `image` is to be made.
    fn png_ways(image: &ImageBuffer, formats: &[&str], more: &[(&str, Value)]) -> Vec<Method> {
        let formats = formats.iter().map(|&format| Value::Text(format.to_owned())).collect();
        let more = more.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let entries = [("formats".to_owned(), Value::List(formats))].into_iter().chain(more).collect();
        let options = Options::parse(&Value::Object(entries)).unwrap();
        let header = Header::plain(InputFormat::Png, image.width(), image.height());
        let plan = plan(&header, image, None, &options);
        plan.contenders.iter().filter(|one| one.format == Format::Png).map(|one| one.method).collect()
    }

    const PALETTES: [Method; 3] = [Method::Palette, Method::Dithered, Method::Lossless];

    #[test]
    fn a_photograph_gets_palettes_where_no_lossy_format_is_open() {
        let photo = photograph();
        assert_eq!(png_ways(&photo, &["png"], &[]), PALETTES);
        assert_eq!(png_ways(&photo, &["png"], &[("verify", Value::Boolean(false))]), PALETTES);
        for other in ["avif", "webp", "jpeg"] {
            assert_eq!(png_ways(&photo, &["png", other], &[]), [Method::Lossless], "{other}");
        }
        // JPEG is skipped where there is alpha, unless it gets a background.
        let background = [("flatten", Value::Text("#ffffff".to_owned()))];
        assert_eq!(png_ways(&translucent(), &["jpeg", "png"], &[]), PALETTES);
        assert_eq!(png_ways(&translucent(), &["jpeg", "png"], &background), [Method::Lossless]);
    }

    #[test]
    fn with_strategy_all_it_gets_them_beside_others_too_if_they_are_judged() {
        let all = ("strategy", Value::Text("all".to_owned()));
        assert_eq!(png_ways(&photograph(), &["avif", "png"], std::slice::from_ref(&all)), PALETTES);
        let on_trust = [all, ("verify", Value::Boolean(false))];
        assert_eq!(png_ways(&photograph(), &["avif", "png"], &on_trust), [Method::Lossless]);
    }

    #[test]
    fn what_asks_for_every_pixel_gets_it() {
        let quality = [("quality", Value::Number(50.0))];
        assert_eq!(png_ways(&photograph(), &["png"], &quality), [Method::Lossless]);
        assert_eq!(png_ways(&photograph(), &["png"], &[("lossless", Value::Boolean(true))]), [Method::Lossless]);
    }
}
