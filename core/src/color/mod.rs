//! What the samples of a file mean, and sRGB made of them, by `moxcms`.
//!
//! Matrix profiles and look-up tables are applied with the perceptual intent, as browsers do; what sRGB cannot show is clipped.

mod profile;

use std::sync::Arc;

use image::{DynamicImage, ImageBuffer as Raster, Pixel};
use moxcms::{CmsError, ColorProfile, DataColorSpace, Layout, TransformExecutor, TransformOptions};
use rayon::prelude::*;

pub use self::profile::{Gamma, Profile, Refusal};
pub(crate) use self::profile::{SRGB_CURVE, TELEVISION, luma_weights};
use crate::codec::ColorSpace;
use crate::error::{Error, Result, catch};

/// How the samples of a picture become sRGB.
#[derive(Debug)]
pub struct Conversion(ColorProfile);

impl Conversion {
    /// `None` if the samples are sRGB already, as far as 8 bits can tell. `Err` if the profile is not one for samples of
    /// `space`: viewers then take them for sRGB.
    pub fn new(profile: &Profile, space: ColorSpace) -> Result<Option<Self>, Refusal> {
        // Profiles come from anywhere: a panic over one is the profile's fault.
        catch(|| Ok(Self::checked(profile, space))).unwrap_or(Err(profile::DAMAGED))
    }

    /// Whether viewers cannot read what the profile says of samples of any kind.
    pub(crate) fn is_damaged(profile: &Profile, space: ColorSpace) -> bool {
        Self::new(profile, space).is_err_and(|refusal| refusal != profile::OTHER_SAMPLES)
    }

    fn checked(profile: &Profile, space: ColorSpace) -> Result<Option<Self>, Refusal> {
        let source = profile.parse()?;
        let layout = match (space, source.color_space) {
            (ColorSpace::Gray, DataColorSpace::Gray) => Layout::Gray,
            // Grey samples are three equal ones.
            (ColorSpace::Gray | ColorSpace::Rgb, DataColorSpace::Rgb) => Layout::Rgb,
            (ColorSpace::Cmyk, DataColorSpace::Cmyk) => Layout::Rgba,
            _ => return Err(profile::OTHER_SAMPLES),
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

#[cfg(test)]
mod tests {
    use image::{GrayImage, RgbImage};

    use super::*;

    const GAMMA_18: Profile = Profile::Gamma(Gamma { exponent: 55_556, chromaticities: None });

    /// No clock, and all that the profile says: what it converts is the same as before.
    #[test]
    fn made_profiles_say_the_same_at_any_time() {
        for profile in [GAMMA_18, Profile::Cicp { primaries: 12, transfer: 13 }] {
            let icc = profile.to_icc().unwrap();
            assert_eq!(icc[24..28], [0x07, 0xD0, 0, 1], "the date");
            let hues =
                RgbImage::from_fn(64, 64, |x, y| image::Rgb([(x * 4) as u8, (y * 4) as u8, ((x + y) * 2) as u8]));
            let convert = |profile: &Profile| {
                let conversion = Conversion::new(profile, ColorSpace::Rgb).unwrap().unwrap();
                conversion.apply(hues.clone().into()).unwrap().into_rgb8()
            };
            let (from_itself, from_icc) = (convert(&profile), convert(&Profile::Icc(icc)));
            assert!(from_itself.iter().zip(from_icc.iter()).all(|(a, b)| a.abs_diff(*b) <= 1), "{profile:?}");
        }
    }

    /// 8-bit levels of gamma 1.8 by hand; both ends stay.
    #[test]
    fn gamma_is_a_power() {
        let conversion = Conversion::new(&GAMMA_18, ColorSpace::Gray).unwrap().unwrap();
        let gray = GrayImage::from_raw(4, 1, vec![0, 64, 128, 255]).unwrap();
        assert_eq!(conversion.apply(gray.into()).unwrap().into_luma8().into_raw(), [0, 81, 146, 255]);
    }

    #[test]
    fn other_samples_are_refused() {
        assert!(Conversion::new(&GAMMA_18, ColorSpace::Cmyk).is_err());
        assert!(Conversion::new(&Profile::Icc(vec![7; 200]), ColorSpace::Rgb).is_err());
        assert!(Conversion::new(&Profile::Cicp { primaries: 77, transfer: 13 }, ColorSpace::Rgb).is_err());
    }

    #[test]
    fn threads_change_no_byte() {
        let conversion = Conversion::new(&GAMMA_18, ColorSpace::Rgb).unwrap().unwrap();
        let image = RgbImage::from_fn(700, 500, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8]));
        let convert = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| conversion.apply(image.clone().into())).unwrap()
        };
        assert!(convert(1) == convert(3));
    }
}
