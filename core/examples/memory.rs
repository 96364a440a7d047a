//! Measures the peak memory of one codec, in bytes per pixel: the source of the `BYTES_PER_PIXEL` constants.
//!
//! `cargo run --release --package pixrace --example memory -- avif 2` encodes a 12-megapixel picture on two threads and
//! prints the growth of the peak resident set. `decode` and `score` measure those. Linux only; one codec per process,
//! because a peak never falls.

use std::sync::Arc;

use image::{DynamicImage, RgbaImage};
use pixrace::cancel::Cancel;
use pixrace::codec::{Effort, Encoder, Format, Metadata, Target};
use pixrace::error::Error;
use pixrace::image::ImageBuffer;

const WIDTH: u32 = 4000;
const HEIGHT: u32 = 3000;

/// Noise on a gradient, with alpha: the most that an encoder has to keep.
fn picture() -> ImageBuffer {
    let mut seed = 1_u32;
    let raster = RgbaImage::from_fn(WIDTH, HEIGHT, |x, y| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (seed >> 27) as u8;
        image::Rgba([(x / 20) as u8 ^ noise, (y / 16) as u8 ^ noise, noise, 255 - noise])
    });
    ImageBuffer::new(DynamicImage::ImageRgba8(raster))
}

fn peak_bytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap_or(0.0);
    kib * 1024.0
}

fn measure(what: &str, image: &ImageBuffer) -> Result<usize, Error> {
    let (cancel, metadata) = (Cancel::new(None), Metadata::default());
    let encoder =
        |format| Encoder { format, effort: Effort::Balanced, metadata: &metadata, profile: None, cancel: &cancel };
    let quality = Target::Quality(80);
    let file = match what {
        "avif" => encoder(Format::Avif).encode(image, quality)?,
        "webp" => encoder(Format::Webp).encode(image, quality)?,
        "webp-lossless" => encoder(Format::Webp).encode(image, Target::Lossless)?,
        "webp-palette" => encoder(Format::Webp).encode(image, Target::Palette(256))?,
        "jpeg" => encoder(Format::Jpeg).encode(&image.flatten([0; 3]), quality)?,
        "png" => encoder(Format::Png).encode(image, quality)?,
        "png-palette" => encoder(Format::Png).encode(image, Target::Palette(256))?,
        "png-dithered" => encoder(Format::Png).encode(image, Target::Dithered(256))?,
        "score" => {
            pixrace::score::Reference::new(image, &cancel)?.score(image, &cancel)?;
            Vec::new()
        }
        other => return Err(Error::UnsupportedInput { detected: other.to_owned() }),
    };
    Ok(file.len())
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let what = arguments.first().map_or("avif", String::as_str);
    let threads = arguments.get(1).and_then(|threads| threads.parse().ok()).unwrap_or(1);
    let image = Arc::new(picture());
    let before = peak_bytes();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let result = pool.install(|| measure(what, &image));
    let per_pixel = (peak_bytes() - before) / f64::from(WIDTH * HEIGHT);
    println!("{what} on {threads} threads: {per_pixel:.1} bytes per pixel ({result:?} bytes)");
}
