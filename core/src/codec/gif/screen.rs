//! The frames of a GIF, unpacked by weezl and drawn on one canvas, as browsers compose them: what is disposed becomes
//! transparent, whatever the background colour; what lies outside the canvas is not seen.

use image::{Rgba, RgbaImage};
use weezl::decode::Decoder;
use weezl::{BitOrder, LzwStatus};

use super::blocks::{Area, Disposal, Frame, sub_blocks};
use super::corrupt;
use crate::codec::Canvas;
use crate::error::Result;

/// What is seen, and what becomes of it before the next frame.
pub struct Screen {
    canvas: RgbaImage,
    disposal: Disposal,
    /// Of the last frame.
    area: Area,
    /// The canvas before the last frame, if it is to be restored.
    before: Option<RgbaImage>,
}

impl Screen {
    pub fn new(width: u32, height: u32) -> Self {
        let area = Area { left: 0, top: 0, width: 0, height: 0 };
        Self { canvas: RgbaImage::new(width, height), disposal: Disposal::Keep, area, before: None }
    }

    pub fn show(&mut self, frame: &Frame<'_>) -> Result<Canvas> {
        match (self.disposal, self.before.take()) {
            (Disposal::Restore, Some(before)) => self.canvas = before,
            (Disposal::Clear, _) => self.clear(),
            _ => {}
        }
        (self.disposal, self.area) = (frame.disposal, frame.area);
        self.before = (frame.disposal == Disposal::Restore).then(|| self.canvas.clone());
        self.draw(frame)?;
        // Hundredths of a second.
        Ok(Canvas { image: self.canvas.clone(), duration: u32::from(frame.delay) * 10 })
    }

    /// Row by row, so that a frame takes no memory of its own.
    fn draw(&mut self, frame: &Frame<'_>) -> Result<()> {
        let Area { left, top, width, height } = frame.area;
        if width == 0 || height == 0 {
            return Ok(());
        }
        let colors = colors_of(frame);
        let mut rows = Rows::new(frame)?;
        let mut row = vec![0; width as usize];
        for y in row_order(height, frame.interlaced) {
            rows.read(&mut row)?;
            if top + y >= self.canvas.height() {
                continue;
            }
            for (x, &index) in (left..self.canvas.width()).zip(&row) {
                if let Some(color) = colors[usize::from(index)] {
                    self.canvas.put_pixel(x, top + y, color);
                }
            }
        }
        Ok(())
    }

    fn clear(&mut self) {
        let Area { left, top, width, height } = self.area;
        for y in top..(top + height).min(self.canvas.height()) {
            for x in left..(left + width).min(self.canvas.width()) {
                self.canvas.put_pixel(x, y, Rgba([0; 4]));
            }
        }
    }
}

/// What each index is drawn as. Without a table, and beyond its end, everything is black.
fn colors_of(frame: &Frame<'_>) -> [Option<Rgba<u8>>; 256] {
    let mut colors = [Some(Rgba([0, 0, 0, 255])); 256];
    for (color, rgb) in colors.iter_mut().zip(frame.colors.as_chunks::<3>().0) {
        *color = Some(Rgba([rgb[0], rgb[1], rgb[2], 255]));
    }
    if let Some(index) = frame.transparent {
        colors[usize::from(index)] = None;
    }
    colors
}

/// The indices of a frame, in the order of the file.
struct Rows<'a> {
    decoder: Decoder,
    sub_blocks: Box<dyn Iterator<Item = &'a [u8]> + 'a>,
    /// What is left of the current one.
    codes: &'a [u8],
}

impl<'a> Rows<'a> {
    fn new(frame: &Frame<'a>) -> Result<Self> {
        // weezl panics beyond.
        const CODE_SIZES: std::ops::RangeInclusive<u8> = 1..=11;
        if !CODE_SIZES.contains(&frame.code_size) {
            return Err(corrupt("its pixels have an impossible number of bits"));
        }
        let decoder = Decoder::new(BitOrder::Lsb, frame.code_size);
        Ok(Self { decoder, sub_blocks: Box::new(sub_blocks(frame.codes)), codes: &[] })
    }

    fn read(&mut self, row: &mut [u8]) -> Result<()> {
        let mut filled = 0;
        while filled < row.len() {
            let step = self.decoder.decode_bytes(self.codes, &mut row[filled..]);
            self.codes = &self.codes[step.consumed_in..];
            filled += step.consumed_out;
            let ended = matches!(step.status.map_err(corrupt)?, LzwStatus::Done);
            // Without progress it wants more codes than this sub-block has.
            let stuck = step.consumed_in == 0 && step.consumed_out == 0;
            if filled < row.len() && (ended || stuck) {
                let next = if ended { None } else { self.sub_blocks.next() };
                self.codes = next.ok_or_else(|| corrupt("a frame is truncated"))?;
            }
        }
        Ok(())
    }
}

/// An interlaced frame comes in four passes (GIF89a, appendix E).
fn row_order(height: u32, interlaced: bool) -> impl Iterator<Item = u32> {
    const PASSES: [(u32, usize); 4] = [(0, 8), (4, 8), (2, 4), (1, 2)];
    let passes: &[(u32, usize)] = if interlaced { &PASSES } else { &[(0, 1)] };
    passes.iter().flat_map(move |&(start, step)| (start..height).step_by(step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interlaced_frame_has_every_row_once() {
        for height in 0..40 {
            let mut rows: Vec<u32> = row_order(height, true).collect();
            rows.sort_unstable();
            assert!(rows.into_iter().eq(row_order(height, false)));
        }
        assert!(row_order(10, true).eq([0, 8, 4, 2, 6, 1, 3, 5, 7, 9]));
    }
}
