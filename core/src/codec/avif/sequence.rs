//! The sequence header of an AV1 stream (AV1 specification, 5.5), which is what decoders take memory by.

use super::boxes::corrupt;
use super::color::Description;
use crate::error::Result;

/// What a decoder takes on trust, and a container repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "the flags of AV1, each on its own")]
pub(super) struct SequenceHeader {
    pub profile: u8,
    /// `seq_level_idx` and `seq_tier` of the first operating point.
    pub level: u8,
    pub tier: bool,
    /// Of the largest frame, in pixels.
    pub width: u32,
    pub height: u32,
    /// 8, 10 or 12.
    pub bit_depth: u8,
    pub monochrome: bool,
    /// Whether chroma has half the width, and half the height; both in a monochrome picture.
    pub subsampling: (bool, bool),
    /// `chroma_sample_position`, 0 where it is unknown.
    pub chroma_position: u8,
    pub description: Description,
    /// Whether frames may be layers of one picture.
    pub layered: bool,
    /// Whether there is one frame, which is shown.
    reduced: bool,
}

impl SequenceHeader {
    /// AV1 specification, 5.5.1.
    pub(super) fn parse(payload: &[u8]) -> Result<Self> {
        let mut bits = Bits { bytes: payload, position: 0 };
        let profile = bits.take(3)? as u8;
        let _still_picture = bits.flag()?;
        let reduced = bits.flag()?;
        let Point { layers, level, tier } = if reduced { Point::reduced(&mut bits)? } else { Point::first(&mut bits)? };
        let (wide, high) = (bits.take(4)? + 1, bits.take(4)? + 1);
        let (width, height) = (bits.take(wide)? + 1, bits.take(high)? + 1);
        if !reduced && bits.flag()? {
            // Lengths of frame numbers.
            bits.skip(4 + 3);
        }
        // Large superblocks, filters of intra prediction.
        bits.skip(3);
        if !reduced {
            skip_tools_of_video(&mut bits)?;
        }
        // Super-resolution, CDEF, loop restoration.
        bits.skip(3);
        let color = ColorConfig::parse(&mut bits, profile)?;
        let ColorConfig { bit_depth, monochrome, subsampling, chroma_position, description } = color;
        Ok(Self {
            profile,
            level,
            tier,
            width,
            height,
            bit_depth,
            monochrome,
            subsampling,
            chroma_position,
            description,
            layered: layers != 0,
            reduced,
        })
    }

    /// Whether a frame of this header, or the one that it names, is shown (AV1 specification, 5.9.2).
    pub(super) fn shows(&self, frame_header: &[u8]) -> Result<bool> {
        if self.reduced {
            return Ok(true);
        }
        let mut bits = Bits { bytes: frame_header, position: 0 };
        let shows_existing = bits.flag()?;
        let _frame_type = bits.take(2)?;
        Ok(shows_existing || bits.flag()?)
    }
}

/// The first operating point, which is the one that decoders choose.
struct Point {
    /// A bit for each layer; 0 if there are none.
    layers: u32,
    level: u8,
    tier: bool,
}

impl Point {
    fn reduced(bits: &mut Bits<'_>) -> Result<Self> {
        Ok(Self { layers: 0, level: bits.take(5)? as u8, tier: false })
    }

    fn first(bits: &mut Bits<'_>) -> Result<Self> {
        let mut delay_bits = None;
        // Timing information …
        if bits.flag()? {
            bits.skip(32 + 32);
            if bits.flag()? {
                bits.skip_uvlc()?;
            }
            // … and with it the decoder model.
            if bits.flag()? {
                delay_bits = Some(bits.take(5)? as usize + 1);
                bits.skip(32 + 5 + 5);
            }
        }
        let has_display_delay = bits.flag()?;
        let mut first = None;
        for _ in 0..=bits.take(5)? {
            let (layers, level) = (bits.take(12)?, bits.take(5)? as u8);
            let tier = level > 7 && bits.flag()?;
            if let Some(delay_bits) = delay_bits
                && bits.flag()?
            {
                bits.skip(2 * delay_bits + 1);
            }
            if has_display_delay && bits.flag()? {
                bits.skip(4);
            }
            first.get_or_insert(Self { layers, level, tier });
        }
        first.ok_or_else(|| corrupt("its AV1 stream has no operating point"))
    }
}

/// Tools that pictures which refer to each other have.
fn skip_tools_of_video(bits: &mut Bits<'_>) -> Result<()> {
    // Compound prediction, warped motion, dual filters.
    bits.skip(4);
    let has_order = bits.flag()?;
    if has_order {
        bits.skip(2);
    }
    // Screen content tools: chosen per frame, or for all.
    let has_screen_tools = bits.flag()? || bits.flag()?;
    if has_screen_tools && !bits.flag()? {
        bits.skip(1);
    }
    if has_order {
        bits.skip(3);
    }
    Ok(())
}

/// AV1 specification, 5.5.2.
struct ColorConfig {
    bit_depth: u8,
    monochrome: bool,
    subsampling: (bool, bool),
    chroma_position: u8,
    description: Description,
}

impl ColorConfig {
    fn parse(bits: &mut Bits<'_>, profile: u8) -> Result<Self> {
        const UNSPECIFIED: u16 = 2;
        let high = bits.flag()?;
        let bit_depth = match (high, profile == 2 && high && bits.flag()?) {
            (false, _) => 8,
            (true, false) => 10,
            (true, true) => 12,
        };
        let monochrome = profile != 1 && bits.flag()?;
        let [primaries, transfer, matrix] = if bits.flag()? {
            [bits.take(8)? as u16, bits.take(8)? as u16, bits.take(8)? as u16]
        } else {
            [UNSPECIFIED; 3]
        };
        let is_rgb = (primaries, transfer, matrix) == (1, 13, 0);
        let full_range = if is_rgb && !monochrome { true } else { bits.flag()? };
        let subsampling = match profile {
            _ if monochrome => (true, true),
            _ if is_rgb => (false, false),
            0 => (true, true),
            1 => (false, false),
            _ if bit_depth < 12 => (true, false),
            _ => {
                let x = bits.flag()?;
                (x, x && bits.flag()?)
            }
        };
        let has_position = !monochrome && subsampling == (true, true);
        let chroma_position = if has_position { bits.take(2)? as u8 } else { 0 };
        let description = Description { primaries, transfer, matrix, full_range };
        Ok(Self { bit_depth, monochrome, subsampling, chroma_position, description })
    }
}

/// Bits from the front of a slice, the highest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl Bits<'_> {
    /// A number of at most 32 bits.
    fn take(&mut self, count: u32) -> Result<u32> {
        (0..count).try_fold(0, |number, _| Ok(number << 1 | u32::from(self.flag()?)))
    }

    fn flag(&mut self) -> Result<bool> {
        let byte = self.bytes.get(self.position / 8).ok_or_else(|| corrupt("its AV1 header is cut"))?;
        let flag = byte >> (7 - self.position % 8) & 1 == 1;
        self.position += 1;
        Ok(flag)
    }

    /// What is skipped beyond the end is missed by the next that is taken.
    fn skip(&mut self, count: usize) {
        self.position = self.position.saturating_add(count);
    }

    /// A number of variable length (AV1 specification, 4.10.3).
    fn skip_uvlc(&mut self) -> Result<()> {
        const MOST_ZEROS: usize = 32;
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
        }
        if zeros < MOST_ZEROS {
            self.skip(zeros);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of numbers with their lengths in bits, and the bit that ends a header.
    fn bytes(fields: &[(u32, u64)]) -> Vec<u8> {
        let bits = fields.iter().flat_map(|&(length, value)| (0..length).rev().map(move |bit| value >> bit & 1 == 1));
        let bits: Vec<bool> = bits.chain([true]).collect();
        bits.chunks(8)
            .map(|byte| byte.iter().enumerate().fold(0, |sum, (at, &bit)| sum | u8::from(bit) << (7 - at)))
            .collect()
    }

    /// Width and height of 300 × 200 in nine and eight bits.
    const SIZE: [(u32, u64); 4] = [(4, 8), (4, 7), (9, 299), (8, 199)];

    #[test]
    fn a_reduced_header() {
        let color = [(1, 1), (1, 0), (1, 1), (8, 12), (8, 13), (8, 6), (1, 0), (2, 2)];
        let fields = [&[(3, 0), (1, 1), (1, 1), (5, 13)][..], &SIZE, &[(3, 0), (3, 0)], &color].concat();
        let header = SequenceHeader::parse(&bytes(&fields)).unwrap();
        let description = Description { primaries: 12, transfer: 13, matrix: 6, full_range: false };
        let expected = SequenceHeader {
            profile: 0,
            level: 13,
            tier: false,
            width: 300,
            height: 200,
            bit_depth: 10,
            monochrome: false,
            subsampling: (true, true),
            chroma_position: 2,
            description,
            layered: false,
            reduced: true,
        };
        assert_eq!(header, expected);
        assert!(header.shows(&[]).unwrap());
    }

    /// With timing, a decoder model, two operating points of layers, frame numbers, and every tool of video.
    #[test]
    fn a_whole_header() {
        // The number of variable length has four zeros, a one and four bits.
        let model = [(1, 1), (32, 1), (32, 30), (1, 1), (9, 21), (1, 1), (5, 9), (32, 7), (10, 0)];
        let point = |layers, level| [(12, layers), (5, level), (1, 1), (1, 1), (20, 5), (1, 0), (1, 1), (4, 3)];
        let points = [&[(1, 1), (5, 1)][..], &point(0x303, 9), &point(0x101, 8)].concat();
        let tools =
            [(1, 1), (4, 2), (3, 1), (3, 0), (4, 0), (1, 1), (2, 3), (1, 0), (1, 1), (1, 0), (1, 1), (3, 6), (3, 7)];
        let color = [(1, 1), (1, 1), (1, 0), (1, 1), (8, 1), (8, 13), (8, 0)];
        let fields = [&[(3, 2), (1, 0), (1, 0)][..], &model, &points, &SIZE, &tools, &color].concat();
        let header = SequenceHeader::parse(&bytes(&fields)).unwrap();
        assert_eq!((header.profile, header.level, header.tier, header.layered), (2, 9, true, true));
        assert_eq!((header.width, header.height, header.bit_depth), (300, 200, 12));
        assert_eq!((header.description.full_range, header.subsampling), (true, (false, false)));
        // Not shown, shown, an earlier one shown.
        assert_eq!(
            [0b0000_0000, 0b0001_0000, 0b1000_0000].map(|first| header.shows(&[first]).unwrap()),
            [false, true, true]
        );
        assert!(header.shows(&[]).is_err());
        for length in 0..bytes(&fields).len() - 1 {
            assert!(SequenceHeader::parse(&bytes(&fields)[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn a_monochrome_header_has_no_chroma() {
        let color = [(1, 0), (1, 1), (1, 0), (1, 1)];
        let fields = [&[(3, 0), (1, 1), (1, 1), (5, 0)][..], &SIZE, &[(3, 0), (3, 0)], &color].concat();
        let header = SequenceHeader::parse(&bytes(&fields)).unwrap();
        assert_eq!((header.bit_depth, header.monochrome, header.subsampling), (8, true, (true, true)));
        assert_eq!(header.description, Description { primaries: 2, transfer: 2, matrix: 2, full_range: true });
    }
}
