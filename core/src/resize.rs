//! The option `resize`, and what it means for a picture of a given size. What is done to the pixels is in `resample.rs`.

use crate::checks::{boolean_of, invalid, keyword_of, reject_unknown, whole_number};
use crate::codec::Header;
use crate::decode::within;
use crate::error::Result;
use crate::limits::{Limits, MAX_SIDE};
use crate::value::Value;

/// The size that is asked for. Of the two sides at least one is there, each from 1 to [`MAX_SIDE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resize {
    width: Option<u32>,
    height: Option<u32>,
    fit: Fit,
    enlarge: bool,
}

/// How a picture meets a box of another aspect ratio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fit {
    /// The largest size that fits within the box; the aspect ratio stays.
    #[default]
    Inside,
    /// The box is filled and what is beyond it is cut off, as much on either side.
    Cover,
    /// As inside, and padded to the box, as much on either side.
    Contain,
    /// Stretched to the box.
    Fill,
}

/// What becomes of the pixels: a part of the picture is scaled, and lies in the middle of the result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Geometry {
    /// The part of the picture that is used, across and down.
    pub across: Span,
    pub down: Span,
    /// Width and height of the result in pixels; larger than the scaled part only where that is padded.
    pub size: (u64, u64),
}

impl Geometry {
    /// Pixels of the result.
    #[must_use]
    pub fn pixels(&self) -> u64 {
        self.size.0 * self.size.1
    }
}

/// A part of one axis, and how many pixels it becomes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// In pixels from the left or the top; may lie within a pixel.
    pub start: f64,
    pub length: f64,
    pub to: u64,
}

impl Span {
    /// All `from` pixels of an axis become `to`.
    fn whole(from: u64, to: u64) -> Self {
        Self { start: 0.0, length: from as f64, to }
    }

    /// `length` pixels from the middle of an axis of `from` become `to`.
    fn middle(from: u64, length: f64, to: u64) -> Self {
        let exact = Self { start: (from as f64 - length) / 2.0, length, to };
        // What keeps its scale is not blurred by half a pixel either.
        if exact.keeps_scale() { Self { start: exact.start.floor(), ..exact } } else { exact }
    }

    #[expect(clippy::float_cmp, reason = "a length that is a whole number is exact")]
    fn keeps_scale(&self) -> bool {
        self.length == self.to as f64
    }

    /// Whether its pixels are others afterwards, and not only fewer.
    #[must_use]
    pub fn scales(&self) -> bool {
        !self.keeps_scale() || self.start.fract() > 0.0
    }

    #[must_use]
    pub fn shrinks(&self) -> bool {
        (self.to as f64) < self.length
    }
}

/// Names of the options inside `resize`.
const NAMES: [&str; 4] = ["width", "height", "fit", "enlarge"];

impl Resize {
    /// # Errors
    /// [`crate::error::Error::InvalidOption`] with the name, what was expected and what came.
    pub(crate) fn parse(value: &Value) -> Result<Option<Self>> {
        let entries = match value {
            Value::Undefined => return Ok(None),
            Value::Object(entries) => entries,
            other => return Err(invalid("resize", "an object", other)),
        };
        reject_unknown("resize.", entries, &NAMES)?;
        let side = |name| -> Result<Option<u32>> {
            let sides = 1..=u64::from(MAX_SIDE);
            Ok(whole_number(value.get(name), &format!("resize.{name}"), sides)?.map(|side| side as u32))
        };
        let (width, height) = (side("width")?, side("height")?);
        if width.is_none() && height.is_none() {
            return Err(invalid("resize", "a width, a height or both in it", "neither"));
        }
        let fit = match keyword_of(value.get("fit"), "resize.fit", &["inside", "cover", "contain", "fill"])? {
            Some("cover") => Fit::Cover,
            Some("contain") => Fit::Contain,
            Some("fill") => Fit::Fill,
            _ => Fit::Inside,
        };
        let enlarge = boolean_of(value.get("enlarge"), "resize.enlarge")?.unwrap_or(false);
        Ok(Some(Self { width, height, fit, enlarge }))
    }

    /// Within a square of `side` pixels.
    pub(crate) fn inside(side: u32, enlarge: bool) -> Self {
        Self { width: Some(side), height: Some(side), fit: Fit::Inside, enlarge }
    }

    /// Stretched to a size.
    pub(crate) fn fill(width: u32, height: u32) -> Self {
        Self { width: Some(width), height: Some(height), fit: Fit::Fill, enlarge: true }
    }

    /// What is done to a picture of `shown` size; `None` if it has the size that is asked for already.
    #[must_use]
    pub fn geometry(&self, shown: (u32, u32)) -> Option<Geometry> {
        let shown @ (width, height) = (u64::from(shown.0), u64::from(shown.1));
        let geometry = match (self.width.map(u64::from), self.height.map(u64::from)) {
            (Some(w), Some(h)) => self.boxed(shown, (w, h)),
            // The other side follows the aspect ratio, whatever the fit.
            (Some(w), None) if self.enlarge || w < width => whole(shown, (w, scaled(height, w, width))),
            (None, Some(h)) if self.enlarge || h < height => whole(shown, (scaled(width, h, height), h)),
            _ => whole(shown, shown),
        };
        (geometry.size != shown).then_some(geometry)
    }

    fn boxed(&self, shown: (u64, u64), within: (u64, u64)) -> Geometry {
        let (width, height) = shown;
        let grows_across = within.0 > width;
        let grows_down = within.1 > height;
        match self.fit {
            Fit::Fill if self.enlarge => whole(shown, within),
            Fit::Fill => whole(shown, (within.0.min(width), within.1.min(height))),
            // What is limited by both sides of the box is enlarged only if both are larger.
            Fit::Inside | Fit::Contain if !self.enlarge && grows_across && grows_down => match self.fit {
                Fit::Contain => padded(shown, shown, around(shown, within)),
                _ => whole(shown, shown),
            },
            Fit::Inside => whole(shown, inside(shown, within)),
            Fit::Contain => padded(shown, inside(shown, within), within),
            // What has to reach both sides is enlarged if either is larger.
            Fit::Cover if !self.enlarge && (grows_across || grows_down) => {
                // A box of the same aspect ratio that just fits: nothing is scaled.
                let (w, h) = inside(within, shown);
                cropped(shown, (w as f64, h as f64), (w, h))
            }
            Fit::Cover => cropped(shown, reduced(shown, within), within),
        }
    }

    /// What the header alone can tell: whether the result is within the limits.
    ///
    /// # Errors
    /// [`crate::error::Error::LimitExceeded`] for a side beyond [`MAX_SIDE`] or more pixels than `limits` allow.
    pub(crate) fn check(&self, header: &Header, limits: &Limits) -> Result<()> {
        let Some(geometry) = self.geometry(header.shown_size()) else { return Ok(()) };
        within("width", geometry.size.0, u64::from(MAX_SIDE))?;
        within("height", geometry.size.1, u64::from(MAX_SIDE))?;
        within("maxPixels", geometry.pixels(), limits.max_pixels)
    }
}

/// `side · to / of`, rounded to the nearest, at least 1. All are sides of pictures or boxes, below 2^17.
fn scaled(side: u64, to: u64, of: u64) -> u64 {
    ((2 * side * to + of) / (2 * of)).max(1)
}

/// The largest size of `shown`'s aspect ratio within a box: one side is the box's.
fn inside(shown: (u64, u64), within: (u64, u64)) -> (u64, u64) {
    let (width, height) = shown;
    if within.0 * height <= within.1 * width {
        (within.0, scaled(height, within.0, width))
    } else {
        (scaled(width, within.1, height), within.1)
    }
}

/// The smallest size of a box's aspect ratio around `shown`: one side is `shown`'s.
fn around(shown: (u64, u64), within: (u64, u64)) -> (u64, u64) {
    let (width, height) = shown;
    if within.0 * height <= within.1 * width {
        (width, scaled(within.1, width, within.0))
    } else {
        (scaled(within.0, height, within.1), height)
    }
}

/// The largest part of `shown` that has a box's aspect ratio.
fn reduced(shown: (u64, u64), within: (u64, u64)) -> (f64, f64) {
    let (width, height) = (shown.0 as f64, shown.1 as f64);
    if within.0 * shown.1 <= within.1 * shown.0 {
        (height * within.0 as f64 / within.1 as f64, height)
    } else {
        (width, width * within.1 as f64 / within.0 as f64)
    }
}

fn whole(shown: (u64, u64), size: (u64, u64)) -> Geometry {
    padded(shown, size, size)
}

fn padded(shown: (u64, u64), to: (u64, u64), size: (u64, u64)) -> Geometry {
    Geometry { across: Span::whole(shown.0, to.0), down: Span::whole(shown.1, to.1), size }
}

fn cropped(shown: (u64, u64), part: (f64, f64), size: (u64, u64)) -> Geometry {
    let (across, down) = (Span::middle(shown.0, part.0, size.0), Span::middle(shown.1, part.1, size.1));
    Geometry { across, down, size }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resize(width: u32, height: u32, fit: Fit, enlarge: bool) -> Resize {
        let side = |side| (side > 0).then_some(side);
        Resize { width: side(width), height: side(height), fit, enlarge }
    }

    /// Shown size, box (0 for a side that is left out), then for inside, cover, contain and fill the size without and
    /// with `enlarge`.
    type Row = ((u32, u32), (u32, u32), [[(u64, u64); 2]; 4]);

    const SIZES: [Row; 13] = [
        ((400, 200), (100, 100), [[(100, 50); 2], [(100, 100); 2], [(100, 100); 2], [(100, 100); 2]]),
        // One side alone: the other follows.
        ((400, 200), (100, 0), [[(100, 50); 2]; 4]),
        ((400, 200), (0, 100), [[(200, 100); 2]; 4]),
        ((400, 200), (800, 0), [[(400, 200), (800, 400)]; 4]),
        ((400, 200), (0, 201), [[(400, 200), (402, 201)]; 4]),
        // A box that is larger in both directions, in one, and as large.
        (
            (400, 200),
            (800, 800),
            [[(400, 200), (800, 400)], [(200, 200), (800, 800)], [(400, 400), (800, 800)], [(400, 200), (800, 800)]],
        ),
        (
            (400, 200),
            (300, 300),
            [[(300, 150); 2], [(200, 200), (300, 300)], [(300, 300); 2], [(300, 200), (300, 300)]],
        ),
        ((400, 200), (400, 200), [[(400, 200); 2]; 4]),
        (
            (400, 200),
            (400, 300),
            [[(400, 200); 2], [(267, 200), (400, 300)], [(400, 300); 2], [(400, 200), (400, 300)]],
        ),
        // Rounded to the nearest, and never to nothing.
        ((3, 1000), (10, 10), [[(1, 10); 2], [(3, 3), (10, 10)], [(10, 10); 2], [(3, 10), (10, 10)]]),
        ((1000, 1), (10, 10), [[(10, 1); 2], [(1, 1), (10, 10)], [(10, 10); 2], [(10, 1), (10, 10)]]),
        ((101, 67), (50, 0), [[(50, 33); 2]; 4]),
        ((1, 1), (3, 2), [[(1, 1), (2, 2)], [(1, 1), (3, 2)], [(2, 1), (3, 2)], [(1, 1), (3, 2)]]),
    ];

    #[test]
    fn sizes() {
        for (shown, (width, height), expected) in SIZES {
            for (fit, sizes) in [Fit::Inside, Fit::Cover, Fit::Contain, Fit::Fill].into_iter().zip(expected) {
                for (enlarge, size) in [false, true].into_iter().zip(sizes) {
                    let geometry = resize(width, height, fit, enlarge).geometry(shown);
                    let shown_size = (u64::from(shown.0), u64::from(shown.1));
                    let case = format!("{shown:?} {width}×{height} {fit:?} enlarge: {enlarge}");
                    assert_eq!(geometry.map_or(shown_size, |geometry| geometry.size), size, "{case}");
                    if let Some(geometry) = geometry {
                        assert_sound(&geometry, shown_size, enlarge, &case);
                    }
                }
            }
        }
    }

    /// What holds for every geometry: the part lies in the picture, the scaled part in the result, and without `enlarge`
    /// no pixel is enlarged.
    fn assert_sound(geometry: &Geometry, shown: (u64, u64), enlarge: bool, case: &str) {
        for (span, side, size) in
            [(geometry.across, shown.0, geometry.size.0), (geometry.down, shown.1, geometry.size.1)]
        {
            assert!(span.start >= 0.0 && span.length > 0.0, "{case}: {span:?}");
            assert!(span.start + span.length <= side as f64, "{case}: {span:?}");
            assert!(span.to >= 1 && span.to <= size, "{case}: {span:?}");
            assert!(enlarge || span.to as f64 <= span.length.ceil(), "{case}: {span:?}");
            assert!(!span.keeps_scale() || !span.scales(), "{case}: blurred by half a pixel: {span:?}");
        }
    }

    /// Every small picture in every small box.
    #[test]
    fn every_geometry_is_sound() {
        let sides = [1, 2, 3, 5, 8, 13, 40];
        for fit in [Fit::Inside, Fit::Cover, Fit::Contain, Fit::Fill] {
            for code in 0..sides.len().pow(4) * 2 {
                let side = |place: u32| sides[code / 2 / sides.len().pow(place) % sides.len()];
                let (shown, enlarge) = ((side(0), side(1)), code % 2 == 1);
                let case = format!("{shown:?} in {}×{}, {fit:?} enlarge: {enlarge}", side(2), side(3));
                if let Some(geometry) = resize(side(2), side(3), fit, enlarge).geometry(shown) {
                    assert_sound(&geometry, (u64::from(shown.0), u64::from(shown.1)), enlarge, &case);
                }
            }
        }
    }

    #[test]
    fn cover_keeps_the_middle() {
        let geometry = resize(100, 100, Fit::Cover, false).geometry((401, 200)).unwrap();
        assert_eq!(geometry.across, Span { start: 100.5, length: 200.0, to: 100 });
        assert_eq!(geometry.down, Span { start: 0.0, length: 200.0, to: 100 });
        // Nothing is scaled here, so the part starts at a whole pixel.
        let geometry = resize(200, 200, Fit::Cover, true).geometry((401, 200)).unwrap();
        assert_eq!(geometry.across, Span { start: 100.0, length: 200.0, to: 200 });
    }

    #[test]
    fn the_result_is_held_against_the_limits() {
        let header = |width, height| {
            let raster = image::GrayImage::new(width, height);
            let mut png = std::io::Cursor::new(Vec::new());
            raster.write_to(&mut png, image::ImageFormat::Png).unwrap();
            crate::decode::read_header(&png.into_inner(), &Limits::default()).unwrap()
        };
        let limits = Limits { max_pixels: 10_000, ..Limits::default() };
        let exceeded = |limit, actual, bound| Err(crate::error::Error::LimitExceeded { limit, actual, bound });
        let enlarged = |width, height| resize(width, height, Fit::Fill, true);
        assert_eq!(enlarged(100, 100).check(&header(5, 5), &limits), Ok(()));
        assert_eq!(enlarged(101, 100).check(&header(5, 5), &limits), exceeded("maxPixels", 10_100, 10_000));
        assert_eq!(enlarged(60_000, 0).check(&header(1, 2), &limits), exceeded("height", 120_000, 65_535));
        assert_eq!(enlarged(0, 60_000).check(&header(2, 1), &limits), exceeded("width", 120_000, 65_535));
        // Padding counts too.
        let contain = resize(200, 200, Fit::Contain, false);
        assert_eq!(contain.check(&header(300, 1), &limits), exceeded("maxPixels", 40_000, 10_000));
    }
}
