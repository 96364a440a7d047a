//! A picture that is coded as a grid of tiles (ISO/IEC 23008-12, 6.6.2.3), and the canvas that they are laid out on.

use super::boxes::{Reader, corrupt};
use super::color::{Plane, Planes};
use super::container::{Picture, Tile};
use super::decoder::Samples;
use crate::error::Result;
use crate::limits::{GRID_SURPLUS, SMALL_TILE_PIXELS};

/// What the item of a grid says.
pub(super) struct Grid {
    pub columns: usize,
    pub rows: usize,
    /// Of what is shown: tiles of the last column and row may reach beyond it.
    pub width: u32,
    pub height: u32,
}

impl Grid {
    pub(super) fn parse(data: &[u8]) -> Result<Self> {
        let mut data = Reader(data);
        let (version, flags) = (data.u8()?, data.u8()?);
        if version != 0 {
            return Err(corrupt("its grid is of an unknown version"));
        }
        let (rows, columns) = (usize::from(data.u8()?) + 1, usize::from(data.u8()?) + 1);
        let bytes = if flags & 1 == 1 { 4 } else { 2 };
        Ok(Self { columns, rows, width: data.number(bytes)? as u32, height: data.number(bytes)? as u32 })
    }

    /// That of another picture.
    pub(super) fn like(picture: &Picture) -> Self {
        let Picture { width, height, columns, ref tiles, .. } = *picture;
        Self { columns, rows: tiles.len() / columns, width, height }
    }

    /// Holds it against its tiles: they cover the picture, none lies outside of it, and they are not much larger.
    pub(super) fn check(&self, tile: &Tile, tiles: usize) -> Result<()> {
        if tiles != self.columns * self.rows {
            return Err(corrupt("its grid lacks tiles"));
        }
        let covers = |count: usize, side: u32, whole: u32| {
            let (count, side, whole) = (count as u64, u64::from(side), u64::from(whole));
            (count - 1) * side < whole && whole <= count * side
        };
        if !covers(self.columns, tile.width, self.width) || !covers(self.rows, tile.height, self.height) {
            return Err(corrupt("the tiles of its grid do not fit"));
        }
        let shown = u64::from(self.width) * u64::from(self.height);
        let coded = u64::from(tile.width) * u64::from(tile.height);
        if coded > shown.max(SMALL_TILE_PIXELS) || coded * tiles as u64 > (shown * GRID_SURPLUS).max(SMALL_TILE_PIXELS)
        {
            return Err(corrupt("the tiles of its grid are much larger than the picture"));
        }
        Ok(())
    }
}

/// Lays tiles out on a canvas, plane by plane, so that chroma is interpolated across their edges.
pub(super) struct Canvas {
    planes: Planes<Vec<u8>>,
}

impl Canvas {
    /// One for `picture`, whose planes are like those of its tile `first`.
    pub(super) fn new<B>(picture: &Picture, first: &Planes<B>) -> Result<Self> {
        let (width, height) = (picture.width as usize, picture.height as usize);
        let (subsampled_x, subsampled_y) = (first.subsampled_x, first.subsampled_y);
        let odd = |side: usize, count: usize, halved: bool| halved && count > 1 && !side.is_multiple_of(2);
        let (columns, rows) = (picture.columns, picture.tiles.len() / picture.columns);
        if first.chroma.is_some() && (odd(first.width, columns, subsampled_x) || odd(first.height, rows, subsampled_y))
        {
            return Err(corrupt("the tiles of its grid have odd sides"));
        }
        let wide = first.luma.wide;
        let plane = |width: usize, height: usize| {
            let stride = width << usize::from(wide);
            Plane { bytes: vec![0; stride * height], stride, wide }
        };
        let halved = |side: usize, halved: bool| if halved { side.div_ceil(2) } else { side };
        let chroma = || plane(halved(width, subsampled_x), halved(height, subsampled_y));
        let chroma = first.chroma.is_some().then(|| [chroma(), chroma()]);
        Ok(Self { planes: Planes { width, height, luma: plane(width, height), chroma, subsampled_x, subsampled_y } })
    }

    /// Puts tile number `index` of `picture` in its place.
    pub(super) fn put<B: AsRef<[u8]>>(&mut self, picture: &Picture, index: usize, tile: &Planes<B>) -> Result<()> {
        let canvas = &mut self.planes;
        let same = (canvas.subsampled_x, canvas.subsampled_y) == (tile.subsampled_x, tile.subsampled_y);
        let (column, row) = (index % picture.columns, index / picture.columns);
        let (x, y) = (column * tile.width, row * tile.height);
        copy(&mut canvas.luma, (x, y), &tile.luma, (tile.width, tile.height));
        match (&mut canvas.chroma, &tile.chroma) {
            (None, None) => Ok(()),
            (Some(canvas_chroma), Some(chroma)) if same => {
                let [shift_x, shift_y] = [tile.subsampled_x, tile.subsampled_y].map(usize::from);
                for (canvas, plane) in canvas_chroma.iter_mut().zip(chroma) {
                    let size = ((tile.width + shift_x) >> shift_x, (tile.height + shift_y) >> shift_y);
                    copy(canvas, (x >> shift_x, y >> shift_y), plane, size);
                }
                Ok(())
            }
            _ => Err(corrupt("the tiles of its grid differ")),
        }
    }

    pub(super) fn into_planes(self) -> Planes<Samples<'static>> {
        let Planes { width, height, luma, chroma, subsampled_x, subsampled_y } = self.planes;
        let owned = |Plane { bytes, stride, wide }| Plane { bytes: Samples::Owned(bytes), stride, wide };
        let chroma = chroma.map(|chroma| chroma.map(owned));
        Planes { width, height, luma: owned(luma), chroma, subsampled_x, subsampled_y }
    }
}

/// As much of `plane` as fits.
fn copy<B: AsRef<[u8]>>(
    canvas: &mut Plane<Vec<u8>>,
    (x, y): (usize, usize),
    plane: &Plane<B>,
    (width, height): (usize, usize),
) {
    let shift = usize::from(canvas.wide);
    let from = plane.bytes.as_ref();
    for (row, target) in canvas.bytes.chunks_exact_mut(canvas.stride).skip(y).take(height).enumerate() {
        let target = &mut target[x << shift..];
        let length = target.len().min(width << shift);
        target[..length].copy_from_slice(&from[row * plane.stride..][..length]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_cover_the_picture_and_not_much_more() {
        let tile = |width, height| Tile { width, height, bit_depth: 8, monochrome: false };
        let grid = |columns, rows, width, height| Grid { columns, rows, width, height };
        let fits = |grid: Grid, tile: Tile| grid.check(&tile, grid.columns * grid.rows).is_ok();
        assert!(fits(grid(2, 2, 128, 128), tile(64, 64)) && fits(grid(2, 2, 65, 65), tile(64, 64)));
        assert!(!fits(grid(2, 2, 129, 128), tile(64, 64)) && !fits(grid(2, 2, 64, 128), tile(64, 64)));
        // A small tile may be larger than the picture, a large one not.
        assert!(fits(grid(1, 1, 1, 1), tile(512, 512)) && !fits(grid(1, 1, 1, 1), tile(513, 512)));
        assert!(!fits(grid(100, 1, 10_000, 10), tile(100, 60_000)));
        assert!(!fits(grid(100, 1, 10_000, 10), tile(100, 1000)));
        assert!(grid(2, 2, 128, 128).check(&tile(64, 64), 3).is_err());
        let parsed = Grid::parse(&[0, 1, 0, 4, 0, 1, 0, 0, 0, 0, 0, 7]).unwrap();
        assert_eq!((parsed.columns, parsed.rows, parsed.width, parsed.height), (5, 1, 65_536, 7));
        assert!(Grid::parse(&[0, 0, 0, 4, 0, 1, 0]).is_err() && Grid::parse(&[1, 0, 0, 0, 0, 1, 0, 1]).is_err());
    }

    /// Each tile at its place, cut at the edge, rows of tiles longer than they show.
    #[test]
    fn tiles_are_laid_out() {
        let tile = |level: u8| {
            let plane = |bytes: usize, stride| Plane { bytes: vec![level; bytes], stride, wide: false };
            let chroma = Some([plane(6, 3), plane(6, 3)]);
            Planes { width: 4, height: 4, luma: plane(20, 5), chroma, subsampled_x: true, subsampled_y: true }
        };
        let shape = Tile { width: 4, height: 4, bit_depth: 8, monochrome: false };
        let picture =
            Picture { width: 7, height: 5, tile: shape, columns: 2, tiles: vec![1, 2, 3, 4], description: None };
        let mut canvas = Canvas::new(&picture, &tile(0)).unwrap();
        for index in 0..4 {
            canvas.put(&picture, index, &tile(10 + index as u8)).unwrap();
        }
        let planes = canvas.into_planes();
        let top = [10, 10, 10, 10, 11, 11, 11];
        let bottom = [12, 12, 12, 12, 13, 13, 13];
        assert_eq!(planes.luma.bytes.as_ref(), [top, top, top, top, bottom].concat());
        let [u, v] = planes.chroma.unwrap();
        assert_eq!(u.bytes.as_ref(), [[10, 10, 11, 11], [10, 10, 11, 11], [12, 12, 13, 13]].concat());
        assert_eq!(u.bytes.as_ref(), v.bytes.as_ref());
        let odd = Planes { width: 3, ..tile(0) };
        assert!(Canvas::new(&picture, &odd).is_err());
    }
}
