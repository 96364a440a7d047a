//! What a file says its samples mean.

use std::ops::Range;

use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace, Layout,
    LocalizableString, MatrixCoefficients, ProfileText, ToneReprCurve, TransferCharacteristics,
};

use super::{distance, internal};
use crate::error::{Error, Result};

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
const BT2020: u8 = 9;
const DISPLAY_P3: u8 = 12;
pub(crate) const SRGB_CURVE: u8 = 13;

/// Transfer functions of high dynamic range: PQ and HLG.
const HIGH_DYNAMIC_RANGE: [u8; 2] = [16, 18];

/// Transfer functions of television, which are one and the same.
pub(crate) const TELEVISION: [u8; 4] = [1, 6, 14, 15];

/// Where an ICC profile has its date: year, month, day, hour, minute and second, 16 bits each (ICC.1:2022, 7.2.8).
const DATE: Range<usize> = 24..36;
const NEW_YEAR_2000: [u8; 12] = [0x07, 0xD0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0];

/// Levels of 8 bits between two versions of one colour space: short profiles of Display P3 have no negative blue in their red, which
/// is four levels of blue beside full red.
const NEARLY: u8 = 4;

/// Unit of PNG's numbers.
const STEPS: f32 = 100_000.0;

/// Why a profile is not applied, as the end of a sentence.
pub type Refusal = &'static str;
pub(super) const DAMAGED: Refusal = "it is damaged";
pub(super) const OTHER_SAMPLES: Refusal = "it describes another kind of samples";

impl Profile {
    /// What code points say, if it is not sRGB.
    pub(crate) fn from_cicp(primaries: u8, transfer: u8) -> Option<Self> {
        let primaries = if primaries == UNSPECIFIED { BT709 } else { primaries };
        let transfer = if transfer == UNSPECIFIED { SRGB_CURVE } else { transfer };
        ((primaries, transfer) != (BT709, SRGB_CURVE)).then_some(Self::Cicp { primaries, transfer })
    }

    pub(super) fn parse(&self) -> Result<ColorProfile, Refusal> {
        match self {
            // moxcms does not look whether all of it is there (ICC.1:2022, 7.2.2).
            Self::Icc(icc) if declared_bytes(icc).is_none_or(|bytes| bytes > icc.len()) => Err(DAMAGED),
            Self::Icc(icc) => ColorProfile::new_from_slice(icc).map_err(|_| DAMAGED),
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
        let mut icc = profile.encode().map_err(|error| internal(&error))?;
        // The clock must not be seen in any output, and moxcms looks at it.
        icc.get_mut(DATE)
            .ok_or_else(|| Error::internal("an ICC profile without a header"))?
            .copy_from_slice(&NEW_YEAR_2000);
        Ok(icc)
    }

    /// Code point of primaries that say the same beside sRGB's curve: of Display P3 or of BT.2020.
    pub(crate) fn primaries(&self) -> Option<u8> {
        let source = self.parse().ok().filter(|source| source.color_space == DataColorSpace::Rgb)?;
        [DISPLAY_P3, BT2020].into_iter().find(|&primaries| {
            let target = from_code_points(primaries, SRGB_CURVE);
            target.is_ok_and(|target| distance(&source, Layout::Rgb, &target).is_ok_and(|levels| levels <= NEARLY))
        })
    }

    /// Whether viewers map what it describes to what their screen can show. Without that it would be dull and pale.
    pub(crate) fn is_high_dynamic_range(&self) -> bool {
        matches!(self, Self::Cicp { transfer, .. } if HIGH_DYNAMIC_RANGE.contains(transfer))
    }

    /// Whether it describes one channel.
    pub(crate) fn is_gray(&self) -> bool {
        self.parse().is_ok_and(|profile| profile.color_space == DataColorSpace::Gray)
    }
}

fn declared_bytes(icc: &[u8]) -> Option<usize> {
    icc.first_chunk().map(|bytes| u32::from_be_bytes(*bytes) as usize)
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

/// How much of red and of blue is in luma that is derived from primaries with a white of D65 (H.273, 8.3, equations 39 to
/// 44). `None` for other primaries.
pub(crate) fn luma_weights(primaries: u8) -> Option<(f64, f64)> {
    const WHITE: Chromaticity = Chromaticity { x: 0.3127, y: 0.329 };
    let primaries = match if primaries == UNSPECIFIED { BT709 } else { primaries } {
        BT709 => ColorPrimaries::BT_709,
        5 => ColorPrimaries::BT_470BG,
        6 | 7 => ColorPrimaries::BT_601,
        BT2020 => ColorPrimaries::BT_2020,
        DISPLAY_P3 => ColorPrimaries::DISPLAY_P3,
        22 => ColorPrimaries::EBU_3213,
        _ => return None,
    };
    let [_, [red, _, blue], _] = primaries.transform_to_xyz_d(WHITE).v;
    Some((red, blue))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_points_of_srgb_are_no_profile() {
        assert_eq!([(1, 13), (2, 2), (1, 2)].map(|(a, b)| Profile::from_cicp(a, b)), [None, None, None]);
        assert!(Profile::from_cicp(12, 13).is_some() && Profile::from_cicp(1, 8).is_some());
    }

    #[test]
    fn known_primaries_are_told() {
        assert_eq!(Profile::Cicp { primaries: 12, transfer: 13 }.primaries(), Some(DISPLAY_P3));
        assert_eq!(
            Profile::Icc(Profile::Cicp { primaries: 9, transfer: 13 }.to_icc().unwrap()).primaries(),
            Some(BT2020)
        );
        let gamma = Profile::Gamma(Gamma { exponent: 55_556, chromaticities: None });
        assert_eq!(gamma.primaries(), None);
    }

    /// BT.709 gives the weights of its own matrix, BT.2020 too.
    #[test]
    fn luma_follows_from_primaries() {
        for (primaries, expected) in [(1, (0.2126, 0.0722)), (2, (0.2126, 0.0722)), (9, (0.2627, 0.0593))] {
            let (red, blue) = luma_weights(primaries).unwrap();
            assert!((red - expected.0).abs() < 1e-4 && (blue - expected.1).abs() < 1e-4, "{red} {blue}");
        }
        assert_eq!(luma_weights(3), None);
    }
}
