//! What the samples of a file mean, and sRGB made of them, by `moxcms`.
//!
//! Matrix profiles and look-up tables are applied with the perceptual intent, as browsers do; what sRGB cannot show is clipped.

use std::sync::Arc;

use image::{DynamicImage, ImageBuffer as Raster, Pixel};
use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, CmsError, ColorDateTime, ColorPrimaries, ColorProfile,
    DataColorSpace, Layout, LocalizableString, MatrixCoefficients, ProfileText, ToneReprCurve, TransferCharacteristics,
    TransformExecutor, TransformOptions,
};
use rayon::prelude::*;

use crate::codec::ColorSpace;
use crate::error::{Error, Result, catch};

/// A description of colour that is not sRGB's, as a file gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Profile {
    /// An ICC profile.
    Icc(Vec<u8>),
    /// Code points of ITU-T H.273, of AVIF and of PNG's "cICP".
    Cicp { primaries: u8, transfer: u8 },
    /// "gAMA" and "cHRM" of PNG, in steps of 1/100,000.
    Gamma(Gamma),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gamma {
    /// Exponent of the encoding, not 0: 45,455 for a screen of gamma 2.2.
    pub exponent: u32,
    /// x and y of white, red, green and blue (CIE 1931); sRGB's stand for missing ones.
    pub chromaticities: Option<[u32; 8]>,
}

// Code points of ITU-T H.273, tables 2 and 3.
const BT709: u8 = 1;
const UNSPECIFIED: u8 = 2;
pub(crate) const BT2020: u8 = 9;
pub(crate) const DISPLAY_P3: u8 = 12;
pub(crate) const SRGB_CURVE: u8 = 13;

/// Transfer functions of television, which are one and the same.
pub(crate) const TELEVISION: [u8; 4] = [1, 6, 14, 15];

/// Unit of PNG's numbers.
const STEPS: f32 = 100_000.0;

/// Why a profile is not applied, as the end of a sentence.
pub type Refusal = &'static str;

impl Profile {
    /// What code points say, if it is not sRGB.
    pub(crate) fn from_cicp(primaries: u8, transfer: u8) -> Option<Self> {
        let primaries = if primaries == UNSPECIFIED { BT709 } else { primaries };
        let transfer = if transfer == UNSPECIFIED { SRGB_CURVE } else { transfer };
        ((primaries, transfer) != (BT709, SRGB_CURVE)).then_some(Self::Cicp { primaries, transfer })
    }

    fn parse(&self) -> Result<ColorProfile, Refusal> {
        match self {
            Self::Icc(icc) => ColorProfile::new_from_slice(icc).map_err(|_| "it is damaged"),
            Self::Cicp { primaries, transfer } => from_code_points(*primaries, *transfer),
            Self::Gamma(gamma) => Ok(gamma.to_profile()),
        }
    }

    /// The same as an ICC profile.
    pub(crate) fn to_icc(&self) -> Result<Vec<u8>> {
        if let Self::Icc(icc) = self {
            return Ok(icc.clone());
        }
        let text = |text: &str| {
            let [language, country] = ["en", "US"].map(str::to_owned);
            Some(ProfileText::Localizable(vec![LocalizableString { language, country, value: text.to_owned() }]))
        };
        let mut profile = self.parse().map_err(Error::internal)?;
        profile.description = text("Primaries and curve");
        profile.copyright = text("No copyright");
        profile.media_white_point = Some(profile.white_point);
        // The clock must not be seen in any output.
        profile.creation_date_time =
            ColorDateTime { year: 2000, month: 1, day_of_the_month: 1, hours: 0, minutes: 0, seconds: 0 };
        profile.encode().map_err(|error| internal(&error))
    }

    /// Code point of primaries that say the same beside sRGB's curve: of Display P3 or of BT.2020.
    pub(crate) fn primaries(&self) -> Option<u8> {
        let source = self.parse().ok().filter(|source| source.color_space == DataColorSpace::Rgb)?;
        [DISPLAY_P3, BT2020].into_iter().find(|&primaries| {
            let target = from_code_points(primaries, SRGB_CURVE);
            target.is_ok_and(|target| distance(&source, Layout::Rgb, &target).is_ok_and(|levels| levels <= NEARLY))
        })
    }

    /// Whether it describes one channel.
    pub(crate) fn is_gray(&self) -> bool {
        self.parse().is_ok_and(|profile| profile.color_space == DataColorSpace::Gray)
    }
}

impl Gamma {
    fn to_profile(self) -> ColorProfile {
        let mut profile = ColorProfile::new_srgb();
        if let Some(chromaticities) = self.chromaticities {
            let [white, red, green, blue] =
                [0, 2, 4, 6].map(|at| [at, at + 1].map(|place| chromaticities[place] as f32 / STEPS));
            let point = |[x, y]: [f32; 2]| Chromaticity::new(x, y);
            let primaries = ColorPrimaries { red: point(red), green: point(green), blue: point(blue) };
            profile.update_rgb_colorimetry(point(white).to_xyyb(), primaries);
        }
        with_gamma(profile, STEPS / self.exponent as f32)
    }
}

fn with_gamma(mut profile: ColorProfile, gamma: f32) -> ColorProfile {
    let curve = Some(ToneReprCurve::Parametric(vec![gamma]));
    (profile.red_trc, profile.green_trc, profile.blue_trc) = (curve.clone(), curve.clone(), curve);
    // It would go before the curves.
    profile.cicp = None;
    profile
}

fn from_code_points(primaries: u8, transfer: u8) -> Result<ColorProfile, Refusal> {
    const UNKNOWN: Refusal = "its code points are not known";
    let profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries: CicpColorPrimaries::try_from(primaries).map_err(|_| UNKNOWN)?,
        transfer_characteristics: TransferCharacteristics::try_from(transfer).map_err(|_| UNKNOWN)?,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    match profile.is_matrix_shaper() {
        // What a television screen makes of them (ITU-R BT.1886), as browsers do.
        true if TELEVISION.contains(&transfer) => Ok(with_gamma(profile, 2.4)),
        true => Ok(profile),
        false => Err(UNKNOWN),
    }
}

/// How the samples of a picture become sRGB.
#[derive(Debug)]
pub struct Conversion(ColorProfile);

impl Conversion {
    /// `None` if the samples are sRGB already, as far as 8 bits can tell. `Err` if the profile is not one for samples of
    /// `space`: viewers then take them for sRGB.
    pub fn new(profile: &Profile, space: ColorSpace) -> Result<Option<Self>, Refusal> {
        // Profiles come from anywhere: a panic over one is the profile's fault.
        catch(|| Ok(Self::checked(profile, space))).unwrap_or(Err("it is damaged"))
    }

    fn checked(profile: &Profile, space: ColorSpace) -> Result<Option<Self>, Refusal> {
        let source = profile.parse()?;
        let layout = match (space, source.color_space) {
            (ColorSpace::Gray, DataColorSpace::Gray) => Layout::Gray,
            // Grey samples are three equal ones.
            (ColorSpace::Gray | ColorSpace::Rgb, DataColorSpace::Rgb) => Layout::Rgb,
            (ColorSpace::Cmyk, DataColorSpace::Cmyk) => Layout::Rgba,
            _ => return Err("it describes another kind of samples"),
        };
        let levels = distance(&source, layout, &ColorProfile::new_srgb()).map_err(|_| "it lacks a part")?;
        Ok((levels > SAME).then_some(Self(source)))
    }

    /// The picture in sRGB; one of grey samples stays grey.
    pub fn apply(&self, image: DynamicImage) -> Result<DynamicImage> {
        let converted = match image {
            DynamicImage::ImageLuma8(raster) => self.gray(raster)?.into(),
            DynamicImage::ImageLumaA8(raster) => self.gray(raster)?.into(),
            DynamicImage::ImageLuma16(raster) => self.gray(raster)?.into(),
            DynamicImage::ImageLumaA16(raster) => self.gray(raster)?.into(),
            DynamicImage::ImageRgb8(raster) => self.color(&raster, Layout::Rgb)?.into(),
            DynamicImage::ImageRgba8(raster) => self.color(&raster, Layout::Rgba)?.into(),
            DynamicImage::ImageRgb16(raster) => self.color(&raster, Layout::Rgb)?.into(),
            DynamicImage::ImageRgba16(raster) => self.color(&raster, Layout::Rgba)?.into(),
            other => return Err(Error::internal(format!("no decoder makes {:?}", other.color()))),
        };
        Ok(converted)
    }

    /// sRGB of ink levels, 0 for none, as 8-bit RGB.
    pub fn apply_to_inks(&self, cmyk: &[u8]) -> Result<Vec<u8>> {
        let mut rgb = vec![0; cmyk.len() / 4 * 3];
        transform(&*self.executor::<u8>(Layout::Rgba, Layout::Rgb)?, (cmyk, 4), (&mut rgb, 3))?;
        Ok(rgb)
    }

    fn color<P>(&self, raster: &Raster<P, Vec<P::Subpixel>>, layout: Layout) -> Result<Raster<P, Vec<P::Subpixel>>>
    where
        P: Pixel,
        P::Subpixel: Sample,
    {
        let mut converted = Raster::new(raster.width(), raster.height());
        let executor = self.executor::<P::Subpixel>(layout, layout)?;
        let channels = layout.channels();
        transform(&*executor, (raster, channels), (&mut converted, channels))?;
        Ok(converted)
    }

    /// By a table of all levels.
    fn gray<P>(&self, mut raster: Raster<P, Vec<P::Subpixel>>) -> Result<Raster<P, Vec<P::Subpixel>>>
    where
        P: Pixel,
        P::Subpixel: Sample,
    {
        let layout = if self.0.color_space == DataColorSpace::Gray { Layout::Gray } else { Layout::Rgb };
        let channels = layout.channels();
        let levels = (0..=P::Subpixel::MOST).map(Sample::of_level);
        let levels: Vec<_> = levels.flat_map(|level| std::iter::repeat_n(level, channels)).collect();
        let mut table = vec![P::Subpixel::default(); (P::Subpixel::MOST + 1) * 3];
        transform(&*self.executor(layout, Layout::Rgb)?, (&levels, channels), (&mut table, 3))?;
        for pixel in raster.pixels_mut() {
            let gray = &mut pixel.channels_mut()[0];
            // Of the three, green weighs most.
            *gray = table[gray.level() * 3 + 1];
        }
        Ok(raster)
    }

    fn executor<S: Sample>(&self, from: Layout, to: Layout) -> Result<Executor<S>> {
        S::executor(&self.0, from, &ColorProfile::new_srgb(), to).map_err(|error| internal(&error))
    }
}

type Executor<S> = Arc<dyn TransformExecutor<S> + Send + Sync>;

/// A number that a picture consists of.
trait Sample: Copy + Default + Send + Sync + 'static {
    /// The brightest level.
    const MOST: usize;

    fn of_level(level: usize) -> Self;
    fn level(self) -> usize;
    fn executor(
        source: &ColorProfile,
        from: Layout,
        target: &ColorProfile,
        to: Layout,
    ) -> Result<Executor<Self>, CmsError>;
}

impl Sample for u8 {
    const MOST: usize = 255;

    fn of_level(level: usize) -> Self {
        level as Self
    }

    fn level(self) -> usize {
        self.into()
    }

    fn executor(
        source: &ColorProfile,
        from: Layout,
        target: &ColorProfile,
        to: Layout,
    ) -> Result<Executor<Self>, CmsError> {
        source.create_transform_8bit(from, target, to, TransformOptions::default())
    }
}

impl Sample for u16 {
    const MOST: usize = 65_535;

    fn of_level(level: usize) -> Self {
        level as Self
    }

    fn level(self) -> usize {
        self.into()
    }

    fn executor(
        source: &ColorProfile,
        from: Layout,
        target: &ColorProfile,
        to: Layout,
    ) -> Result<Executor<Self>, CmsError> {
        source.create_transform_16bit(from, target, to, TransformOptions::default())
    }
}

/// Pixels that one job converts: enough that starting it costs nothing.
const PIXELS_PER_JOB: usize = 1 << 16;

/// Converts samples of so many channels in the current rayon pool.
fn transform<S: Sample>(
    executor: &(dyn TransformExecutor<S> + Send + Sync),
    (from, from_channels): (&[S], usize),
    (to, to_channels): (&mut [S], usize),
) -> Result<()> {
    let from = from.par_chunks(PIXELS_PER_JOB * from_channels);
    let to = to.par_chunks_mut(PIXELS_PER_JOB * to_channels);
    from.zip(to).try_for_each(|(from, to)| executor.transform(from, to)).map_err(|error| internal(&error))
}

/// Levels of 8 bits that rounding explains.
const SAME: u8 = 1;

/// The same between two versions of one colour space: short profiles of Display P3 have no negative blue in their red, which
/// is four levels of blue beside full red.
const NEARLY: u8 = 4;

/// How far what 8-bit samples mean in `source` lies from what they mean in `target`, at most, in levels of 255. `Err` if
/// `source` lacks what a conversion needs.
fn distance(source: &ColorProfile, layout: Layout, target: &ColorProfile) -> Result<u8, CmsError> {
    /// Distance of the probed levels: 18 of each channel, both ends among them.
    const STEP: usize = 15;
    let levels = || (0..=u8::MAX).step_by(STEP);
    let executor = u8::executor(source, layout, target, Layout::Rgb)?;
    let colors: Vec<[u8; 3]> = match layout {
        Layout::Rgb => levels().flat_map(|r| levels().flat_map(move |g| levels().map(move |b| [r, g, b]))).collect(),
        Layout::Gray => levels().map(|gray| [gray; 3]).collect(),
        // Inks are no light.
        _ => return Ok(u8::MAX),
    };
    let samples: Vec<u8> = colors.iter().flat_map(|color| &color[..layout.channels()]).copied().collect();
    let mut shown = vec![0; colors.len() * 3];
    executor.transform(&samples, &mut shown)?;
    Ok(colors.as_flattened().iter().zip(&shown).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0))
}

fn internal(error: &CmsError) -> Error {
    Error::internal(error.to_string())
}
