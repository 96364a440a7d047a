//! What EXIF says of the size at which a picture is shown. Browsers read it in JPEGs alone: where the resolution makes of the
//! pixels just the size that EXIF calls the picture's, a page lays it out at that size ("density-corrected").

use image::metadata::Orientation;

// Tags of EXIF 3.0 (4.6.4, 4.6.6.3), and their types (TIFF 6.0, section 2).
const ORIENTATION: u16 = 0x0112;
const X_RESOLUTION: u16 = 0x011A;
const Y_RESOLUTION: u16 = 0x011B;
const RESOLUTION_UNIT: u16 = 0x0128;
const EXIF_DIRECTORY: u16 = 0x8769;
const PIXEL_X_DIMENSION: u16 = 0xA002;
const PIXEL_Y_DIMENSION: u16 = 0xA003;
const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;

const INCH: u32 = 2;

/// Pixels per inch at which a pixel is one of CSS's.
const PLAIN_RESOLUTION: u32 = 72;

const HEADER_BYTES: usize = 8;
const ENTRY_BYTES: usize = 12;

/// Width and height at which a page shows the stored picture, in CSS pixels and before it is turned, if `exif` makes them
/// others than `pixels`. As in Chromium: both resolutions, their unit and both sides have to be there, each in its own type,
/// and fit to the pixel.
pub(super) fn density_corrected(exif: &[u8], pixels: (u32, u32)) -> Option<(u32, u32)> {
    let found = Tags::read(exif)?;
    if found.unit != Some(INCH) {
        return None;
    }
    let corrected = |side: u32, resolution: Option<f32>| {
        let resolution = resolution.filter(|resolution| *resolution > 0.0 && resolution.is_finite())?;
        Some((side as f32 * PLAIN_RESOLUTION as f32 / resolution + 0.5).floor() as u32)
    };
    let size = (corrected(pixels.0, found.x_resolution)?, corrected(pixels.1, found.y_resolution)?);
    let fits = (found.width, found.height) == (Some(size.0), Some(size.1)) && size.0 > 0 && size.1 > 0;
    (fits && size != pixels).then_some(size)
}

/// A TIFF structure that says no more than how to turn a picture and, if that is not its pixels, the size at which a page
/// shows it: `Some((pixels, size))`, both before it is turned.
pub(super) fn minimal(orientation: Orientation, density: Option<((u32, u32), (u32, u32))>) -> Vec<u8> {
    let mut first = vec![(ORIENTATION, SHORT, u32::from(orientation.to_exif()) << 16)];
    let Some((pixels, size)) = density else { return [header().as_slice(), &directory(&first)].concat() };
    first.retain(|_| orientation != Orientation::NoTransforms);
    let behind = (HEADER_BYTES + directory_bytes(first.len() + 4)) as u32;
    let rational = |numerator: u32, denominator: u32| [numerator.to_be_bytes(), denominator.to_be_bytes()].concat();
    let resolution = |pixels: u32, size: u32| rational(pixels * PLAIN_RESOLUTION, size);
    first.extend([
        (X_RESOLUTION, RATIONAL, behind),
        (Y_RESOLUTION, RATIONAL, behind + 8),
        (RESOLUTION_UNIT, SHORT, INCH << 16),
        (EXIF_DIRECTORY, LONG, behind + 16),
    ]);
    let second = [(PIXEL_X_DIMENSION, LONG, size.0), (PIXEL_Y_DIMENSION, LONG, size.1)];
    [
        header().as_slice(),
        &directory(&first),
        &resolution(pixels.0, size.0),
        &resolution(pixels.1, size.1),
        &directory(&second),
    ]
    .concat()
}

/// The same structure for the picture turned upright: what is said of across is said of down, and the other way round.
pub(super) fn swap_sides(exif: &mut [u8]) {
    let Some(places) = Tags::read(exif).map(|tags| tags.places) else { return };
    for (one, other) in [(X_RESOLUTION, Y_RESOLUTION), (PIXEL_X_DIMENSION, PIXEL_Y_DIMENSION)] {
        let place = |tag| places.iter().find(|(found, _)| *found == tag).map(|(_, at)| *at);
        let (Some(one), Some(other)) = (place(one), place(other)) else { continue };
        // Type, count, and the value or where it is.
        for byte in 2..ENTRY_BYTES {
            exif.swap(one + byte, other + byte);
        }
    }
}

/// Takes the unit of the resolution away, so that a page shows a picture of another size pixel by pixel.
pub(super) fn forget_density(exif: &mut [u8]) {
    /// EXIF's "none".
    const NO_UNIT: u16 = 1;
    let Some(tags) = Tags::read(exif) else { return };
    let unit = tags.places.iter().find(|(tag, _)| *tag == RESOLUTION_UNIT);
    if let Some(value) = unit.and_then(|(_, at)| exif.get_mut(at + 8..at + 10)) {
        value.copy_from_slice(&if tags.little_endian { NO_UNIT.to_le_bytes() } else { NO_UNIT.to_be_bytes() });
    }
}

fn header() -> Vec<u8> {
    [b"MM\0*".as_slice(), &(HEADER_BYTES as u32).to_be_bytes()].concat()
}

const fn directory_bytes(entries: usize) -> usize {
    2 + entries * ENTRY_BYTES + 4
}

/// A directory of single values; a SHORT is in the upper half of its four bytes.
fn directory(entries: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(directory_bytes(entries.len()));
    bytes.extend((entries.len() as u16).to_be_bytes());
    for (tag, kind, value) in entries {
        bytes.extend([tag.to_be_bytes(), kind.to_be_bytes()].as_flattened());
        bytes.extend([1_u32.to_be_bytes(), value.to_be_bytes()].as_flattened());
    }
    bytes.extend([0; 4]);
    bytes
}

/// The tags that matter here. Of one that is there more than once the first value counts.
#[derive(Debug, Default)]
struct Tags {
    little_endian: bool,
    x_resolution: Option<f32>,
    y_resolution: Option<f32>,
    unit: Option<u32>,
    width: Option<u32>,
    height: Option<u32>,
    /// Where the entries are that were taken.
    places: Vec<(u16, usize)>,
}

impl Tags {
    /// From the first directory and the one that EXIF hangs below it, so that no loop of pointers is followed.
    fn read(exif: &[u8]) -> Option<Self> {
        let little_endian = match exif.first_chunk()? {
            b"II*\0" => true,
            b"MM\0*" => false,
            _ => return None,
        };
        let data = Words { data: exif, little_endian };
        let mut tags = Self { little_endian, ..Self::default() };
        for entry in data.entries(data.u32_at(4)? as usize) {
            match (data.u16_at(entry), data.number_at(entry)) {
                (Some(EXIF_DIRECTORY), Some(below)) => {
                    for entry in data.entries(below as usize) {
                        tags.take(data, entry);
                    }
                }
                _ => tags.take(data, entry),
            }
        }
        Some(tags)
    }

    fn take(&mut self, data: Words<'_>, entry: usize) {
        let Some(tag) = data.u16_at(entry) else { return };
        let number = data.number_at(entry);
        let taken = match tag {
            X_RESOLUTION => fill(&mut self.x_resolution, data.ratio_at(entry)),
            Y_RESOLUTION => fill(&mut self.y_resolution, data.ratio_at(entry)),
            RESOLUTION_UNIT => fill(&mut self.unit, number.filter(|_| data.u16_at(entry + 2) == Some(SHORT))),
            PIXEL_X_DIMENSION => fill(&mut self.width, number),
            PIXEL_Y_DIMENSION => fill(&mut self.height, number),
            _ => false,
        };
        if taken {
            self.places.push((tag, entry));
        }
    }
}

/// Whether the place was free and there is something to put there.
fn fill<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let free = place.is_none() && value.is_some();
    if free {
        *place = value;
    }
    free
}

#[derive(Clone, Copy)]
struct Words<'a> {
    data: &'a [u8],
    little_endian: bool,
}

impl<'a> Words<'a> {
    fn u16_at(self, at: usize) -> Option<u16> {
        let bytes = *self.data.get(at..)?.first_chunk()?;
        Some(if self.little_endian { u16::from_le_bytes(bytes) } else { u16::from_be_bytes(bytes) })
    }

    fn u32_at(self, at: usize) -> Option<u32> {
        let bytes = *self.data.get(at..)?.first_chunk()?;
        Some(if self.little_endian { u32::from_le_bytes(bytes) } else { u32::from_be_bytes(bytes) })
    }

    /// Where the entries of a directory begin, as far as the data go: at most 65,535.
    fn entries(self, directory: usize) -> impl Iterator<Item = usize> + use<'a> {
        let count = self.u16_at(directory).map_or(0, usize::from);
        let bytes = self.data.len();
        (0..count).map(move |index| directory + 2 + index * ENTRY_BYTES).take_while(move |at| at + ENTRY_BYTES <= bytes)
    }

    /// A single SHORT or LONG.
    fn number_at(self, entry: usize) -> Option<u32> {
        match (self.u16_at(entry + 2)?, self.u32_at(entry + 4)?) {
            (SHORT, 1) => self.u16_at(entry + 8).map(u32::from),
            (LONG, 1) => self.u32_at(entry + 8),
            _ => None,
        }
    }

    /// A single RATIONAL.
    fn ratio_at(self, entry: usize) -> Option<f32> {
        if (self.u16_at(entry + 2)?, self.u32_at(entry + 4)?) != (RATIONAL, 1) {
            return None;
        }
        let at = self.u32_at(entry + 8)? as usize;
        Some(self.u32_at(at)? as f32 / self.u32_at(at.checked_add(4)?)? as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIXELS: (u32, u32) = (40, 20);

    fn dense(size: (u32, u32)) -> Vec<u8> {
        minimal(Orientation::NoTransforms, Some((PIXELS, size)))
    }

    /// What is written is what is read, whatever the sizes; resolutions of both axes may differ.
    #[test]
    fn a_minimal_block_gives_back_its_size() {
        for size in [(20, 10), (80, 40), (1, 1), (13, 7), (40, 10), (39, 20)] {
            assert_eq!(density_corrected(&dense(size), PIXELS), Some(size));
        }
        let (huge, less) = ((65_535, 65_535), (21_845, 9_362));
        assert_eq!(density_corrected(&minimal(Orientation::Rotate90, Some((huge, less))), huge), Some(less));
        assert_eq!(density_corrected(&dense(PIXELS), PIXELS), None, "nothing to correct");
    }

    /// Chromium asks for all of it: the size that the resolution makes, to the pixel, and inches.
    #[test]
    fn what_does_not_fit_corrects_nothing() {
        let exif = dense((20, 10));
        assert_eq!(density_corrected(&exif, (40, 21)), None, "another height");
        let mut plain = exif.clone();
        forget_density(&mut plain);
        assert_eq!(density_corrected(&plain, PIXELS), None, "no unit");
        // The last four bytes say that there is no other directory.
        for cut in 0..exif.len() - 4 {
            assert_eq!(density_corrected(&exif[..cut], PIXELS), None, "{cut} bytes");
        }
        for tag in [X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT, EXIF_DIRECTORY, PIXEL_X_DIMENSION, PIXEL_Y_DIMENSION] {
            let at = exif.windows(2).position(|pair| pair == tag.to_be_bytes()).unwrap();
            for other in [at, at + 2, at + 4] {
                let mut broken = exif.clone();
                broken[other] ^= 0x40;
                assert_eq!(density_corrected(&broken, PIXELS), None, "tag {tag:x}, byte {}", other - at);
            }
        }
    }

    #[test]
    fn a_turned_picture_has_its_sides_swapped() {
        let mut exif = dense((20, 5));
        swap_sides(&mut exif);
        assert_eq!(density_corrected(&exif, (20, 40)), Some((5, 20)));
    }

    #[test]
    fn orientation_alone_is_one_entry() {
        for orientation in 2..=8 {
            let exif = minimal(Orientation::from_exif(orientation).unwrap(), None);
            assert_eq!(Orientation::from_exif_chunk(&exif).map(Orientation::to_exif), Some(orientation));
        }
    }

    /// A directory that points at itself, or claims more than is there, ends.
    #[test]
    fn pointers_are_followed_once() {
        let mut exif = dense((20, 10));
        let pointer = exif.windows(2).position(|pair| pair == EXIF_DIRECTORY.to_be_bytes()).unwrap();
        exif[pointer + 8..pointer + 12].copy_from_slice(&8_u32.to_be_bytes());
        assert_eq!(density_corrected(&exif, PIXELS), None);
        exif[8..10].fill(0xFF);
        assert_eq!(density_corrected(&exif, PIXELS), None);
    }
}
